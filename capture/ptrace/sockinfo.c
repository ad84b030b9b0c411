#include "capture/ptrace/sockinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "capture/procinfo.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

enum { NETNS_COOKIE = 71 };     /* SO_NETNS_COOKIE, which older C libraries lack */
enum { THREAD_PIDFD = O_EXCL }; /* PIDFD_THREAD of linux/pidfd.h, Linux 6.9 */

int sockinfo_open(pid_t pid)
{
    /* By thread first: a process whose first thread has ended still has descriptors, seen through the others only. Before Linux 6.9
     * a process can be had through its first thread alone. */
    int handle = (int)syscall(SYS_pidfd_open, pid, THREAD_PIDFD);
    if (handle == -1 && errno == EINVAL) handle = (int)syscall(SYS_pidfd_open, pid, 0);
    if (handle == -1 && (errno == EINVAL || errno == ENOENT)) {
        pid_t leader = procinfo_status(pid, "Tgid");
        if (leader == -1) return -ESRCH;
        handle = (int)syscall(SYS_pidfd_open, leader, 0);
    }
    return handle == -1 ? -errno : handle;
}

static bool option(int fd, int name, void *value, socklen_t size)
{
    return getsockopt(fd, SOL_SOCKET, name, value, &size) == 0;
}

/* An address without a port says nothing: the socket is not bound, or not connected. */
static struct address ask(int (*question)(int, struct sockaddr *, socklen_t *), int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_storage storage;
    } name = {0};
    socklen_t length = sizeof(name);
    struct address address = {0};
    if (question(fd, &name.any, &length) || !address_from_sockaddr(&name, length, &address) || !address.port)
        return (struct address){0};
    return address;
}

static int peer_name(int fd, struct sockaddr *address, socklen_t *length)
{
    return getpeername(fd, address, length);
}

static int own_name(int fd, struct sockaddr *address, socklen_t *length)
{
    return getsockname(fd, address, length);
}

enum { PROTOCOL_MPTCP = 262 }; /* IPPROTO_MPTCP, which older C libraries lack */

/* What never changes of a socket. */
static bool identify(int fd, struct event_socket *ret_socket)
{
    int domain = 0, protocol = 0;
    uint64_t cookie = 0;
    (void)option(fd, SO_DOMAIN, &domain, sizeof(domain)); /* what is no socket has neither */
    (void)option(fd, SO_PROTOCOL, &protocol, sizeof(protocol));
    if (domain != AF_INET && domain != AF_INET6) return false;
    if (protocol == PROTOCOL_MPTCP) protocol = IPPROTO_TCP; /* what its subflows speak, with its addresses */
    if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP) return false;
    if (!option(fd, SO_COOKIE, &cookie, sizeof(cookie))) return false;
    ret_socket->cookie = cookie;
    ret_socket->protocol = (uint8_t)protocol;
    return true;
}

bool sockinfo_describe(int duplicate, const struct event_socket *known, unsigned parts, struct event_socket *ret_socket)
{
    *ret_socket = known ? *known : (struct event_socket){0};
    if (!known && !identify(duplicate, ret_socket)) return false;
    if (parts & SOCKINFO_ADDRESSES) {
        ret_socket->local = ask(own_name, duplicate);
        ret_socket->remote = ask(peer_name, duplicate);
    }
    if (parts & SOCKINFO_STATE) {
        /* tcpi_state is the first byte, and its values are those of enum event_kernel_state. */
        uint8_t state = 0;
        socklen_t length = sizeof(state);
        bool is_told = ret_socket->protocol == IPPROTO_TCP && getsockopt(duplicate, IPPROTO_TCP, TCP_INFO, &state, &length) == 0;
        ret_socket->state = is_told && state < KERNEL_STATES ? state : KERNEL_STATE_UNKNOWN;
    }
    if (parts & SOCKINFO_UNREAD) {
        int unread = 0;
        ret_socket->has_unread = ioctl(duplicate, FIONREAD, &unread) == 0 && unread > 0;
        ret_socket->unread_bytes = ret_socket->has_unread ? (uint32_t)unread : 0;
    }
    return true;
}

int sockinfo_duplicate(int handle, int fd)
{
    int duplicate = (int)syscall(SYS_pidfd_getfd, handle, fd, 0);
    if (duplicate == -1 && (errno == EBADF || errno == ESRCH)) errno = 0;
    return duplicate;
}

uint64_t sockinfo_cookie(int duplicate)
{
    uint64_t cookie = 0;
    return option(duplicate, SO_COOKIE, &cookie, sizeof(cookie)) ? cookie : 0;
}

uint64_t sockinfo_network(int duplicate)
{
    uint64_t network = 0;
    return option(duplicate, NETNS_COOKIE, &network, sizeof(network)) ? network : 0;
}
