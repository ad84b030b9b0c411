#include "capture/syscalls_words.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "capture/syscalls.h"

#define WORD(name)                                                                                                                 \
    {                                                                                                                              \
        (uint32_t)(name), #name                                                                                                    \
    }
#define LIST(array)                                                                                                                \
    {                                                                                                                              \
        array, sizeof(array) / sizeof((array)[0])                                                                                  \
    }

static const struct syscall_word domains[] = {WORD(AF_UNSPEC),  WORD(AF_UNIX),   WORD(AF_INET), WORD(AF_INET6),
                                              WORD(AF_NETLINK), WORD(AF_PACKET), WORD(AF_VSOCK)};
static const struct syscall_word types[] = {WORD(SOCK_STREAM), WORD(SOCK_DGRAM), WORD(SOCK_RAW), WORD(SOCK_SEQPACKET)};
static const struct syscall_word sock_flags[] = {WORD(SOCK_CLOEXEC), WORD(SOCK_NONBLOCK)};
static const struct syscall_word protocols[] = {WORD(IPPROTO_ICMP),    WORD(IPPROTO_TCP),  WORD(IPPROTO_UDP),
                                                WORD(IPPROTO_UDPLITE), WORD(IPPROTO_SCTP), {262, "IPPROTO_MPTCP"}};
static const struct syscall_word hows[] = {WORD(SHUT_RD), WORD(SHUT_WR), WORD(SHUT_RDWR)};
static const struct syscall_word epoll_ops[] = {WORD(EPOLL_CTL_ADD), WORD(EPOLL_CTL_MOD), WORD(EPOLL_CTL_DEL)};
static const struct syscall_word epoll_bits[] = {WORD(EPOLLIN),      WORD(EPOLLPRI),   WORD(EPOLLOUT),       WORD(EPOLLERR),
                                                 WORD(EPOLLHUP),     WORD(EPOLLRDHUP), WORD(EPOLLEXCLUSIVE), WORD(EPOLLWAKEUP),
                                                 WORD(EPOLLONESHOT), WORD(EPOLLET)};
static const struct syscall_word open_flags[] = {WORD(O_CLOEXEC)};
static const struct syscall_word range_flags[] = {WORD(CLOSE_RANGE_UNSHARE), WORD(CLOSE_RANGE_CLOEXEC)};
static const struct syscall_word message_flags[] = {
    WORD(MSG_OOB),      WORD(MSG_PEEK),         WORD(MSG_DONTROUTE),  WORD(MSG_CTRUNC),
    WORD(MSG_TRUNC),    WORD(MSG_DONTWAIT),     WORD(MSG_EOR),        WORD(MSG_WAITALL),
    WORD(MSG_NOSIGNAL), WORD(MSG_MORE),         WORD(MSG_WAITFORONE), {0x04000000, "MSG_ZEROCOPY"},
    WORD(MSG_FASTOPEN), WORD(MSG_CMSG_CLOEXEC), WORD(MSG_CONFIRM),    WORD(MSG_ERRQUEUE)};
static const struct syscall_word levels[] = {{SOL_SOCKET, "SOL_SOCKET"},
                                             {IPPROTO_IP, "SOL_IP"},
                                             {IPPROTO_TCP, "SOL_TCP"},
                                             {IPPROTO_UDP, "SOL_UDP"},
                                             {IPPROTO_IPV6, "SOL_IPV6"}};

static const struct syscall_word socket_options[] = {WORD(SO_REUSEADDR),
                                                     WORD(SO_REUSEPORT),
                                                     WORD(SO_KEEPALIVE),
                                                     WORD(SO_LINGER),
                                                     WORD(SO_SNDBUF),
                                                     WORD(SO_RCVBUF),
                                                     WORD(SO_RCVTIMEO),
                                                     WORD(SO_SNDTIMEO),
                                                     WORD(SO_BROADCAST),
                                                     WORD(SO_DONTROUTE),
                                                     WORD(SO_BINDTODEVICE),
                                                     WORD(SO_MARK),
                                                     WORD(SO_PRIORITY),
                                                     WORD(SO_TIMESTAMP),
                                                     WORD(SO_OOBINLINE),
                                                     WORD(SO_RCVLOWAT),
                                                     WORD(SO_SNDLOWAT),
                                                     WORD(SO_BUSY_POLL),
                                                     WORD(SO_ZEROCOPY),
                                                     WORD(SO_INCOMING_CPU),
                                                     WORD(SO_SNDBUFFORCE),
                                                     WORD(SO_RCVBUFFORCE),
                                                     WORD(SO_ATTACH_REUSEPORT_EBPF)};
static const struct syscall_word tcp_options[] = {WORD(TCP_NODELAY),          WORD(TCP_MAXSEG),       WORD(TCP_CORK),
                                                  WORD(TCP_KEEPIDLE),         WORD(TCP_KEEPINTVL),    WORD(TCP_KEEPCNT),
                                                  WORD(TCP_SYNCNT),           WORD(TCP_LINGER2),      WORD(TCP_DEFER_ACCEPT),
                                                  WORD(TCP_WINDOW_CLAMP),     WORD(TCP_QUICKACK),     WORD(TCP_CONGESTION),
                                                  WORD(TCP_MD5SIG),           WORD(TCP_USER_TIMEOUT), WORD(TCP_FASTOPEN),
                                                  WORD(TCP_FASTOPEN_CONNECT), WORD(TCP_FASTOPEN_KEY), WORD(TCP_FASTOPEN_NO_COOKIE),
                                                  WORD(TCP_NOTSENT_LOWAT),    WORD(TCP_REPAIR),       WORD(TCP_ULP)};
static const struct syscall_word fcntls[] = {{SYSCALL_F_DUPFD, "F_DUPFD"}, {SYSCALL_F_DUPFD_CLOEXEC, "F_DUPFD_CLOEXEC"}};
/* linux/splice.h: some C libraries keep them to _GNU_SOURCE. */
static const struct syscall_word splice_flags[] = {
    {1, "SPLICE_F_MOVE"}, {2, "SPLICE_F_NONBLOCK"}, {4, "SPLICE_F_MORE"}, {8, "SPLICE_F_GIFT"}};
static const struct syscall_word ip_options[] = {
    WORD(IP_TOS),      WORD(IP_TTL),         WORD(IP_RECVERR),      WORD(IP_PKTINFO),
    WORD(IP_FREEBIND), WORD(IP_TRANSPARENT), WORD(IP_MTU_DISCOVER), WORD(IP_BIND_ADDRESS_NO_PORT)};
static const struct syscall_word ipv6_options[] = {WORD(IPV6_V6ONLY), WORD(IPV6_RECVERR),     WORD(IPV6_UNICAST_HOPS),
                                                   WORD(IPV6_TCLASS), WORD(IPV6_RECVPKTINFO), WORD(IPV6_MTU_DISCOVER)};

const struct syscall_words syscall_domains = LIST(domains);
const struct syscall_words syscall_types = LIST(types);
const struct syscall_words syscall_sock_flags = LIST(sock_flags);
const struct syscall_words syscall_protocols = LIST(protocols);
const struct syscall_words syscall_hows = LIST(hows);
const struct syscall_words syscall_epoll_ops = LIST(epoll_ops);
const struct syscall_words syscall_epoll_bits = LIST(epoll_bits);
const struct syscall_words syscall_open_flags = LIST(open_flags);
const struct syscall_words syscall_range_flags = LIST(range_flags);
const struct syscall_words syscall_message_flags = LIST(message_flags);
const struct syscall_words syscall_levels = LIST(levels);
const struct syscall_words syscall_fcntls = LIST(fcntls);
const struct syscall_words syscall_splice_flags = LIST(splice_flags);

const struct syscall_words *syscall_options_of(int32_t level)
{
    static const struct {
        int level;
        struct syscall_words options;
    } of_levels[] = {{SOL_SOCKET, LIST(socket_options)},
                     {IPPROTO_TCP, LIST(tcp_options)},
                     {IPPROTO_IP, LIST(ip_options)},
                     {IPPROTO_IPV6, LIST(ipv6_options)}};
    for (size_t i = 0; i < sizeof(of_levels) / sizeof(of_levels[0]); i++)
        if (of_levels[i].level == level) return &of_levels[i].options;
    return NULL;
}

const char *syscall_word(const struct syscall_words *words, uint32_t value)
{
    for (size_t i = 0; i < words->count; i++)
        if (words->words[i].value == value) return words->words[i].text;
    return NULL;
}
