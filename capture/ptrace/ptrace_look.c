#include "capture/ptrace/ptrace_look.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "capture/ptrace/ptrace_watch.h"
#include "capture/ptrace/sockinfo.h"

enum { PAGE_BYTES = 4096 /* at least; larger pages only cut more often */ };

size_t ptrace_look_memory(struct ptrace_task *task, uint64_t address, void *bytes, size_t length)
{
    size_t done = 0;
    /* Page by page: a transfer that meets an unreadable page gives nothing at all of its last piece. */
    while (done < length) {
        size_t part = PAGE_BYTES - (address + done) % PAGE_BYTES;
        if (part > length - done) part = length - done;
        struct iovec here = {.iov_base = (char *)bytes + done, .iov_len = part};
        struct iovec there = {.iov_base = (void *)(uintptr_t)(address + done),
                              .iov_len = part}; // NOLINT(performance-no-int-to-ptr)
        ssize_t got = process_vm_readv(task->tid, &here, 1, &there, 1, 0);
        if (got < 0 && errno == EPERM) task->lost_looks++;
        if (got <= 0) break;
        done += (size_t)got;
        if ((size_t)got < part) break;
    }
    return done;
}

/* How much of a socket that is known has to be asked for again. */
enum asked { ASK_NOTHING, ASK_STATE, ASK_ALL };

/* By its inode's number, which the name of the descriptor tells. */
static bool look_by_name(struct ptrace_task *task, int fd, uint64_t inode, enum asked asked, struct event_socket *ret_socket)
{
    struct event_socket known;
    bool is_known = ptrace_sockets_find(&task->all->sockets, inode, &known), settled = is_known && ptrace_sockets_settled(&known);
    if (settled && asked == ASK_NOTHING) {
        *ret_socket = known;
        return true;
    }
    int handle = ptrace_task_handle(task);
    errno = handle < 0 && handle != -ESRCH ? -handle : 0;
    if (handle < 0) return false;
    int duplicate = sockinfo_duplicate(handle, fd);
    bool is_ours =
        duplicate >= 0 && sockinfo_describe(duplicate, is_known ? &known : NULL, settled && asked != ASK_ALL, ret_socket);
    if (duplicate >= 0) {
        close(duplicate);
        errno = 0;
    }
    int why = errno;
    ptrace_task_give_back(task, handle);
    errno = why;
    if (is_ours) ptrace_sockets_learn(&task->all->sockets, inode, ret_socket);
    return is_ours;
}

/* By its cookie. */
static bool look_by_duplicate(struct ptrace_task *task, int duplicate, enum asked asked, struct event_socket *ret_socket)
{
    uint64_t cookie = sockinfo_cookie(duplicate), key = cookie | PTRACE_SOCKETS_COOKIE;
    struct event_socket known;
    if (!cookie) return false;
    bool is_known = ptrace_sockets_find(&task->all->sockets, key, &known), settled = is_known && ptrace_sockets_settled(&known);
    if (settled && asked == ASK_NOTHING) {
        *ret_socket = known;
        return true;
    }
    if (!sockinfo_describe(duplicate, is_known ? &known : NULL, settled && asked != ASK_ALL, ret_socket)) return false;
    ptrace_sockets_learn(&task->all->sockets, key, ret_socket);
    return true;
}

/* Who has given up being root may trace root's programs, and not read the names of their descriptors: then a duplicate says it. */
static bool look(struct ptrace_task *task, int fd, enum asked asked, struct event_socket *ret_socket)
{
    *ret_socket = (struct event_socket){0};
    bool is_ours = false;
    if (!task->nameless) {
        uint64_t inode = ptrace_sockets_inode(task->tid, fd);
        task->nameless = !inode && errno == EACCES;
        if (!task->nameless) {
            is_ours = inode && look_by_name(task, fd, inode, asked, ret_socket);
            if (!is_ours && errno) task->lost_looks++;
            return is_ours;
        }
    }
    int handle = ptrace_task_handle(task);
    if (handle < 0) {
        if (handle != -ESRCH) task->lost_looks++;
        return false;
    }
    int duplicate = sockinfo_duplicate(handle, fd);
    if (duplicate >= 0) {
        is_ours = look_by_duplicate(task, duplicate, asked, ret_socket);
        close(duplicate);
    } else if (errno) {
        task->lost_looks++;
    }
    ptrace_task_give_back(task, handle);
    return is_ours;
}

bool ptrace_look_socket(struct ptrace_task *task, int fd, struct event_socket *ret_socket)
{
    return look(task, fd, ASK_ALL, ret_socket);
}

bool ptrace_look_known(struct ptrace_task *task, int fd, struct event_socket *ret_socket)
{
    return look(task, fd, ASK_NOTHING, ret_socket);
}

static void read_address(struct ptrace_task *task, uint64_t address, uint64_t length)
{
    if (!address) return;
    size_t wanted = length < sizeof(task->raw.address) ? (size_t)length : sizeof(task->raw.address);
    task->raw.address_bytes = (uint32_t)ptrace_look_memory(task, address, task->raw.address, wanted);
}

static void read_message_name(struct ptrace_task *task)
{
    struct msghdr message = {0};
    if (ptrace_look_memory(task, task->raw.args[1], &message, sizeof(message)) == sizeof(message))
        read_address(task, (uintptr_t)message.msg_name, message.msg_namelen);
}

static void read_arguments(struct ptrace_task *task)
{
    struct syscall_raw *raw = &task->raw;
    uint32_t flags = task->row->flags;
    raw->address_bytes = raw->option_bytes = raw->epoll_events = 0;
    raw->epoll_data = 0;
    if (flags & SYSCALL_SOCKADDR_1) read_address(task, raw->args[1], (uint32_t)raw->args[2]);
    if (flags & SYSCALL_SOCKADDR_4) read_address(task, raw->args[4], (uint32_t)raw->args[5]);
    if (flags & SYSCALL_MSG_1) read_message_name(task);
    if (flags & SYSCALL_PATH_0) read_address(task, raw->args[0], sizeof(raw->address));
    if (flags & SYSCALL_PATH_1) read_address(task, raw->args[1], sizeof(raw->address));
    if (flags & SYSCALL_SOCKOPT && raw->args[3]) {
        uint32_t length = (uint32_t)raw->args[4];
        size_t wanted = length < sizeof(raw->option_value) ? length : sizeof(raw->option_value);
        raw->option_bytes = (uint32_t)ptrace_look_memory(task, raw->args[3], raw->option_value, wanted);
    }
    if (flags & SYSCALL_EPOLL_CTL && (int32_t)raw->args[1] != EPOLL_CTL_DEL) {
        struct epoll_event event = {0};
        ptrace_look_memory(task, raw->args[3], &event, sizeof(event));
        raw->epoll_events = event.events;
        raw->epoll_data = event.data.u64;
    }
}

static bool makes_our_kind(const struct syscall_raw *raw)
{
    int domain = (int)raw->args[0], type = (int)raw->args[1] & 0xf;
    return (domain == AF_INET || domain == AF_INET6) && (type == SOCK_STREAM || type == SOCK_DGRAM);
}

bool ptrace_look_enter(struct ptrace_task *task)
{
    uint32_t flags = task->row->flags;
    struct syscall_raw *raw = &task->raw;
    struct event_call *call = &task->enter;
    *call = (struct event_call){0};
    task->cut = false;

    /* The descriptor first: most reads and writes of most programs end here. */
    /* What is unread, and the state, matter where it ends. */
    enum asked asked = raw->number == SYS_close || flags & SYSCALL_SHUTDOWN ? ASK_STATE : ASK_NOTHING;
    raw->second = 0;
    if (flags & SYSCALL_FCNTL && raw->args[1] != SYSCALL_F_DUPFD && raw->args[1] != SYSCALL_F_DUPFD_CLOEXEC) return false;
    if (flags & SYSCALL_FD_0 && !look(task, (int)raw->args[0], asked, &call->socket)) {
        raw->second = flags & SYSCALL_FD_2 && look(task, (int)raw->args[2], ASK_NOTHING, &call->socket);
        if (!raw->second) return false;
    }
    if (flags & SYSCALL_EPOLL_CTL && !ptrace_look_known(task, (int)raw->args[2], &call->socket)) return false;
    if (flags & SYSCALL_SOCKET && !makes_our_kind(raw)) return false;
    if (flags & SYSCALL_DUP) {
        int from = (int)raw->args[0], to = (int)raw->args[1];
        bool duplicates = ptrace_look_known(task, from, &call->socket);
        bool closes = from != to && ptrace_look_socket(task, to, &call->other);
        if (!duplicates && !closes) return false;
    }

    read_arguments(task);
    syscall_describe(raw, call);
    call->thread.pid = task->pid;
    call->thread.tid = task->tid;
    memcpy(call->thread.comm, task->comm, sizeof(task->comm));
    bool watches = ptrace_watch_enter(task);
    if (flags & (SYSCALL_POLL | SYSCALL_SELECT | SYSCALL_EPOLL_WAIT | SYSCALL_RANGE)) return watches;
    return true;
}

/* A connect that is under way or has failed leaves a socket that does not tell its peer; the call did. */
static void learn_peer(const struct syscall_raw *raw, struct event_call *call)
{
    struct address address;
    if (raw->number != SYS_connect || call->socket.remote.version) return;
    if (address_from_sockaddr(raw->address, raw->address_bytes, &address) && !address_is_any(&address))
        call->socket.remote = address;
}

/* Whether the call can have given the socket an address, or taken one: all others leave a settled one as it was. */
static bool may_have_changed(const struct ptrace_task *task)
{
    return !ptrace_sockets_settled(&task->enter.socket) || task->raw.number == SYS_connect ||
           task->row->flags & (SYSCALL_SHUTDOWN | SYSCALL_LISTEN);
}

static void look_again(struct ptrace_task *task, struct event_call *call)
{
    struct event_socket now;
    /* Another thread may have put another socket behind this number meanwhile: then what ENTER saw holds. */
    if (!ptrace_look_socket(task, task->enter.fd, &now) || now.cookie != task->enter.socket.cookie) return;
    now.has_unread = task->enter.socket.has_unread;
    now.unread_bytes = task->enter.socket.unread_bytes;
    call->socket = now;
}

void ptrace_look_exit(struct ptrace_task *task, int64_t ret, struct event_call *ret_call)
{
    uint32_t flags = task->row->flags;
    *ret_call = task->enter;
    memset(ret_call->args, 0, sizeof(ret_call->args));
    memset(ret_call->watch, 0, sizeof(ret_call->watch));
    ret_call->watch_count = 0;
    ret_call->watch_total = 0;
    ret_call->ret = ret;
    ret_call->slept_ns = -1; /* ptrace sees where a call begins and ends, not where it sleeps */

    if (flags & SYSCALL_FD_0 && task->raw.number != SYS_close && may_have_changed(task)) look_again(task, ret_call);
    if (flags & SYSCALL_SOCKADDR_1) learn_peer(&task->raw, ret_call);
    if (flags & SYSCALL_NEW_FD && ret >= 0) {
        struct event_socket *made = flags & SYSCALL_SOCKET ? &ret_call->socket : &ret_call->other;
        ptrace_look_socket(task, (int)ret, made);
    }
    if (flags & SYSCALL_DUP && ret < 0) ret_call->other = (struct event_socket){0};
    ptrace_watch_exit(task, ret, ret_call);
}
