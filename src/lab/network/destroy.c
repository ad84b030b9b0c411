#include "lab/network/destroy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

enum { REQUEST_BYTES = 256, REPLY_BYTES = 32768, SEQUENCE = 1, FOUND_MAX = 256 };
/* include/net/tcp_states.h: all but TIME_WAIT, CLOSE, LISTEN and what stands for a request. */
enum { SYN_SENT = 2, ESTABLISHED = 1, FIN_WAIT1 = 4, FIN_WAIT2 = 5, CLOSE_WAIT = 8, LAST_ACK = 9, CLOSING = 11 };
static const uint32_t alive =
    1U << ESTABLISHED | 1U << SYN_SENT | 1U << FIN_WAIT1 | 1U << FIN_WAIT2 | 1U << CLOSE_WAIT | 1U << LAST_ACK | 1U << CLOSING;

struct found {
    uint16_t port; /* network byte order */
    struct inet_diag_req_v2 sockets[FOUND_MAX];
    size_t count;
};

static struct nlmsghdr *begin(char *bytes, uint16_t type, uint16_t flags, const struct inet_diag_req_v2 *request)
{
    struct nlmsghdr *header = mnl_nlmsg_put_header(bytes);
    header->nlmsg_type = type;
    header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    header->nlmsg_seq = SEQUENCE;
    memcpy(mnl_nlmsg_put_extra_header(header, sizeof(*request)), request, sizeof(*request));
    return header;
}

static int note(const struct nlmsghdr *header, void *data)
{
    struct found *found = data;
    const struct inet_diag_msg *socket = mnl_nlmsg_get_payload(header);
    bool is_it = socket->id.idiag_sport == found->port || socket->id.idiag_dport == found->port;
    if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY || !is_it || found->count == FOUND_MAX) return MNL_CB_OK;
    found->sockets[found->count++] =
        (struct inet_diag_req_v2){.sdiag_family = socket->idiag_family, .sdiag_protocol = IPPROTO_TCP, .id = socket->id};
    return MNL_CB_OK;
}

/* Sends a request and takes all that is said to it. 0 or -errno. */
static int talk(struct mnl_socket *netlink, const struct nlmsghdr *header, mnl_cb_t take, void *data)
{
    static const int done = MNL_CB_STOP;
    char reply[REPLY_BYTES];
    if (mnl_socket_sendto(netlink, header, header->nlmsg_len) < 0) return -errno;
    for (;;) {
        ssize_t got = mnl_socket_recvfrom(netlink, reply, sizeof(reply));
        int answer = got < 0 ? -1 : mnl_cb_run(reply, (size_t)got, SEQUENCE, mnl_socket_get_portid(netlink), take, data);
        if (answer < 0) return -errno;
        if (answer == done) return 0;
    }
}

static int find(struct mnl_socket *netlink, struct found *found)
{
    static const uint8_t families[] = {AF_INET, AF_INET6};
    char bytes[REQUEST_BYTES];
    int code = 0;
    for (size_t i = 0; i < sizeof(families) && !code; i++) {
        const struct inet_diag_req_v2 request = {.sdiag_family = families[i], .sdiag_protocol = IPPROTO_TCP, .idiag_states = alive};
        code = talk(netlink, begin(bytes, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &request), note, found);
    }
    return code;
}

static int destroy_all(struct mnl_socket *netlink, const struct found *found)
{
    char bytes[REQUEST_BYTES];
    int code = 0;
    for (size_t i = 0; i < found->count && !code; i++)
        code = talk(netlink, begin(bytes, SOCK_DESTROY, NLM_F_ACK, &found->sockets[i]), NULL, NULL);
    return code;
}

int destroy_connections(uint16_t port, struct err *err)
{
    struct found found = {.port = htons(port)};
    struct mnl_socket *netlink = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
    int code = netlink && mnl_socket_bind(netlink, 0, MNL_SOCKET_AUTOPID) == 0 ? find(netlink, &found) : -errno;
    if (!code) code = found.count ? destroy_all(netlink, &found) : -ENOENT;
    if (netlink) mnl_socket_close(netlink);
    if (code == -ENOENT) return err_set(err, code, "there is no connection with port %u to destroy", (unsigned)port);
    return code ? err_set_errno(err, code, "can't destroy the connections of port %u", (unsigned)port) : (int)found.count;
}

/* Asked of a socket that there is not: a kernel that can says so. */
int destroy_check(struct err *err)
{
    char bytes[REQUEST_BYTES];
    const struct inet_diag_req_v2 nobody = {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP};
    struct mnl_socket *netlink = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
    int code = netlink && mnl_socket_bind(netlink, 0, MNL_SOCKET_AUTOPID) == 0
                   ? talk(netlink, begin(bytes, SOCK_DESTROY, NLM_F_ACK, &nobody), NULL, NULL)
                   : -errno;
    if (netlink) mnl_socket_close(netlink);
    if (code != -EOPNOTSUPP && code != -EPROTONOSUPPORT && code != -ENOPROTOOPT) return 0;
    return err_set(err, -ENOTSUP,
                   "it needs a kernel that lets connections be destroyed from outside (CONFIG_INET_DIAG_DESTROY, as ss -K does)");
}
