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

static size_t at_most(size_t length, size_t most)
{
    return length < most ? length : most;
}

size_t ptrace_look_memory(struct ptrace_task *task, uint64_t address, void *bytes, size_t length)
{
    size_t done = 0;
    /* Page by page: a transfer that meets an unreadable page gives nothing at all of its last piece. */
    while (done < length) {
        size_t part = at_most(length - done, PAGE_BYTES - (address + done) % PAGE_BYTES);
        struct iovec here = {.iov_base = (char *)bytes + done, .iov_len = part};
        struct iovec there = {.iov_base = (void *)(uintptr_t)(address + done),
                              .iov_len = part}; // NOLINT(performance-no-int-to-ptr)
        ssize_t got = process_vm_readv(task->tid, &here, 1, &there, 1, 0);
        if (got != (ssize_t)part) { /* of one page all or nothing */
            if (errno == EPERM) task->lost_looks++;
            break;
        }
        done += (size_t)got;
    }
    return done;
}

/* How much of a socket that is known has to be asked for again. */
enum asked {
    ASK_NOTHING,
    ASK_BEGUN, /* nothing either, and of one that was made and not used yet nothing at all */
    ASK_STATE,
    ASK_AFTER, /* its addresses and state */
    ASK_ALL
};

static unsigned parts_of(const struct event_socket *known, enum asked asked)
{
    if (asked == ASK_AFTER) return SOCKINFO_ADDRESSES | SOCKINFO_STATE;
    if (asked == ASK_BEGUN && ptrace_sockets_fresh(known)) return 0;
    if (asked == ASK_ALL || !ptrace_sockets_settled(known)) return SOCKINFO_ALL;
    return asked == ASK_STATE ? SOCKINFO_STATE | SOCKINFO_UNREAD : 0;
}

/* To be closed at once; -1: there is none, or it could not be had, which is counted. */
static int duplicate_of(struct ptrace_task *task, int fd)
{
    int handle = ptrace_task_handle(task);
    if (handle < 0) {
        if (handle != -ESRCH) task->lost_looks++;
        return -1;
    }
    int duplicate = sockinfo_duplicate(handle, fd);
    if (duplicate == -1 && errno) task->lost_looks++;
    ptrace_task_give_back(task, handle);
    return duplicate;
}

/* What stands for the socket, as far as no duplicate is needed for it: what was seen before, or its inode's number. Who has given
 * up being root may trace root's programs, and not read the names of their descriptors: then a duplicate says it. */
static uint64_t key_of(struct ptrace_task *task, int fd)
{
    uint64_t key = ptrace_files_get(task, fd);
    if (key || task->nameless) return key;
    key = ptrace_sockets_inode(task->tid, fd);
    task->nameless = !key && errno == EACCES;
    if (!key && !task->nameless && errno) task->lost_looks++;
    return key;
}

static uint64_t key_by_cookie(int duplicate)
{
    uint64_t cookie = sockinfo_cookie(duplicate);
    return cookie ? cookie | PTRACE_SOCKETS_COOKIE : PTRACE_SOCKETS_OTHER;
}

/* `made`: it was made by a call just now; what is known of it but its cookie, or no protocol: nothing is. NULL: it was not. */
static bool describe(struct ptrace_task *task, uint64_t key, int duplicate, const struct event_socket *made, enum asked asked,
                     struct event_socket *ret_socket)
{
    struct event_socket known;
    bool is_known = ptrace_sockets_find(&task->all->sockets, key, &known);
    unsigned parts = is_known ? parts_of(&known, asked) : SOCKINFO_ALL;
    bool is_fresh = made && ptrace_sockets_fresh(made);
    if (!is_known && made && made->protocol) {
        known = *made;
        known.cookie = key & PTRACE_SOCKETS_COOKIE ? key & ~PTRACE_SOCKETS_COOKIE : sockinfo_cookie(duplicate);
        is_known = known.cookie;
        if (is_known && is_fresh) parts = 0;
    }
    if (!sockinfo_describe(duplicate, is_known ? &known : NULL, parts, ret_socket)) return false;
    known = *ret_socket;
    if (!is_fresh && ptrace_sockets_fresh(&known)) known.state = KERNEL_STATE_UNKNOWN; /* something may have begun with it */
    ptrace_sockets_learn(&task->all->sockets, key, &known);
    return true;
}

static bool is_remembered(struct ptrace_task *task, uint64_t key, enum asked asked, struct event_socket *ret_socket)
{
    struct event_socket known;
    if (!ptrace_sockets_find(&task->all->sockets, key, &known) || parts_of(&known, asked)) return false;
    *ret_socket = known;
    if (ptrace_sockets_fresh(&known) && !(task->row->flags & SYSCALL_SOCKOPT)) {
        known.state = KERNEL_STATE_UNKNOWN;
        ptrace_sockets_learn(&task->all->sockets, key, &known);
    }
    return true;
}

static bool look_at(struct ptrace_task *task, int fd, const struct event_socket *made, enum asked asked,
                    struct event_socket *ret_socket)
{
    *ret_socket = (struct event_socket){0};
    task->network = 0;
    uint64_t key = key_of(task, fd);
    bool is_ours = is_remembered(task, key, asked, ret_socket);
    if (!is_ours && key != PTRACE_SOCKETS_OTHER) {
        if (!key && !task->nameless) return false;
        int duplicate = duplicate_of(task, fd);
        if (duplicate == -1) return false;
        if (!key) key = key_by_cookie(duplicate);
        is_ours = key != PTRACE_SOCKETS_OTHER &&
                  (is_remembered(task, key, asked, ret_socket) || describe(task, key, duplicate, made, asked, ret_socket));
        if (is_ours && made && task->row->flags & SYSCALL_SOCKET && !task->at_home) task->network = sockinfo_network(duplicate);
        close(duplicate);
    }
    ptrace_files_put(task, fd, is_ours ? key : PTRACE_SOCKETS_OTHER);
    return is_ours;
}

static bool look(struct ptrace_task *task, int fd, enum asked asked, struct event_socket *ret_socket)
{
    return look_at(task, fd, NULL, asked, ret_socket);
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
    size_t wanted = at_most((size_t)length, sizeof(task->raw.address));
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
    if (flags & SYSCALL_SOCKOPT) { /* of NULL nothing comes */
        size_t wanted = at_most((uint32_t)raw->args[4], sizeof(raw->option_value));
        raw->option_bytes = (uint32_t)ptrace_look_memory(task, raw->args[3], raw->option_value, wanted);
    }
    if (flags & SYSCALL_EPOLL_CTL && (int32_t)raw->args[1] != EPOLL_CTL_DEL) {
        struct epoll_event event = {0};
        ptrace_look_memory(task, raw->args[3], &event, sizeof(event));
        raw->epoll_events = event.events;
        raw->epoll_data = event.data.u64;
    }
}

/* What a call that makes a socket makes; as long as nobody else can have put another one behind that number meanwhile. */
static struct event_socket made_by(const struct ptrace_task *task)
{
    struct event_socket made = {0};
    if (!ptrace_files_alone(task)) return made;
    if (!(task->row->flags & SYSCALL_SOCKET)) {
        made.protocol = task->enter.socket.protocol; /* an accepted one: its listener's */
        return made;
    }
    bool streams = ((int)task->raw.args[1] & 0xf) == SOCK_STREAM;
    int protocol = (int)task->raw.args[2];
    if (!protocol || protocol == (streams ? IPPROTO_TCP : IPPROTO_UDP)) made.protocol = streams ? IPPROTO_TCP : IPPROTO_UDP;
    made.state = streams ? KERNEL_CLOSE : KERNEL_STATE_UNKNOWN;
    return made;
}

static bool makes_our_kind(const struct syscall_raw *raw)
{
    int domain = (int)raw->args[0], type = (int)raw->args[1] & 0xf;
    return (domain == AF_INET || domain == AF_INET6) && (type == SOCK_STREAM || type == SOCK_DGRAM);
}

/* Most calls are on a socket that is what it was. What is unread, and the state, matter where it ends. */
static enum asked asked_first(const struct ptrace_task *task)
{
    long number = task->raw.number;
    if (number == SYS_close || task->row->flags & SYSCALL_SHUTDOWN) return ASK_STATE;
    bool begins = number == SYS_connect || number == SYS_bind || task->row->flags & (SYSCALL_LISTEN | SYSCALL_SOCKOPT);
    return begins && !task->all->has_rings ? ASK_BEGUN : ASK_NOTHING;
}

bool ptrace_look_enter(struct ptrace_task *task)
{
    uint32_t flags = task->row->flags;
    struct syscall_raw *raw = &task->raw;
    struct event_call *call = &task->enter;
    *call = (struct event_call){0};
    task->cut = false;

    /* The descriptor first: most reads and writes of most programs end here. */
    enum asked asked = asked_first(task);
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
    if (!look(task, task->enter.fd, ASK_AFTER, &now) || now.cookie != task->enter.socket.cookie) return;
    now.has_unread = task->enter.socket.has_unread;
    now.unread_bytes = task->enter.socket.unread_bytes;
    call->socket = now;
}

bool ptrace_look_can_wait(const struct ptrace_task *task)
{
    enum { MEMORY = SYSCALL_POLL | SYSCALL_SELECT | SYSCALL_EPOLL_WAIT, MANY = SYSCALL_RANGE | SYSCALL_PATH_0 | SYSCALL_PATH_1 };
    uint32_t flags = task->row->flags;
    if (flags & (MEMORY | MANY) || !ptrace_files_alone(task)) return false;
    return !(flags & SYSCALL_SOCKET) || task->at_home; /* whoever begins to capture elsewhere does it while it stands still */
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
        struct event_socket template = made_by(task);
        ptrace_files_put(task, (int)ret, 0);
        look_at(task, (int)ret, &template, ASK_ALL, made);
    }
    if (flags & SYSCALL_DUP && ret < 0) ret_call->other = (struct event_socket){0};
    ptrace_watch_exit(task, ret, ret_call);
}
