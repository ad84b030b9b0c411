#include "capture/ptrace/ptrace_watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "capture/ptrace/ptrace_look.h"

/* How far a look goes: a call may name millions of descriptors, and the thread is stopped meanwhile. */
enum { LOOK_MAX = 4096, EPOLL_LOOK_MAX = 1024, CHUNK = 128 };

/* A look at many descriptors of one thread. */
struct look {
    struct ptrace_task *task;
    struct event_call *call;
};

static uint64_t look_cookie(struct look *look, int fd)
{
    struct event_socket socket;
    return ptrace_look_known(look->task, fd, &socket) ? socket.cookie : 0;
}

static void watch(struct event_call *call, uint64_t cookie, uint64_t data, uint32_t events)
{
    call->watch_total++;
    if (call->watch_count == EVENT_WATCH_MAX) return;
    call->watch[call->watch_count++] = (struct event_watch){.cookie = cookie, .data = data, .events = events};
}

static void look_at_poll(struct look *look, bool reported)
{
    struct pollfd chunk[CHUNK];
    const uint64_t *args = look->task->raw.args;
    size_t count = (uint32_t)args[1] < LOOK_MAX ? (uint32_t)args[1] : LOOK_MAX;
    for (size_t at = 0, wanted; (wanted = count - at < CHUNK ? count - at : CHUNK) != 0; at += wanted) {
        size_t got = ptrace_look_memory(look->task, args[0] + at * sizeof(chunk[0]), chunk, wanted * sizeof(chunk[0]));
        for (size_t i = 0; i < got / sizeof(chunk[0]); i++) {
            short events = reported ? chunk[i].revents : chunk[i].events;
            if (chunk[i].fd < 0 || (reported && !events)) continue;
            uint64_t cookie = look_cookie(look, chunk[i].fd);
            if (cookie) watch(look->call, cookie, (uint64_t)chunk[i].fd, (uint16_t)events);
        }
        if (got < wanted * sizeof(chunk[0])) return;
    }
}

/* The three sets in the order of select's arguments, as poll names them. */
static const uint32_t select_events[3] = {POLLIN, POLLOUT, POLLPRI};

static void look_at_select(struct look *look)
{
    uint64_t sets[3][LOOK_MAX / 64] = {0};
    const uint64_t *args = look->task->raw.args;
    int nfds = (int)args[0];
    if (nfds < 0) nfds = 0;
    if (nfds > LOOK_MAX) nfds = LOOK_MAX;
    size_t words = ((size_t)nfds + 63) / 64;
    const size_t set_count = sizeof(sets) / sizeof(sets[0]);
    for (size_t set = 0; set < set_count; set++)
        if (args[1 + set]) ptrace_look_memory(look->task, args[1 + set], sets[set], words * sizeof(sets[set][0]));
    for (int fd = 0; fd < nfds; fd++) {
        uint32_t events = 0;
        for (size_t set = 0; set < set_count; set++)
            if (sets[set][fd / 64] >> (fd % 64) & 1) events |= select_events[set];
        uint64_t cookie = events ? look_cookie(look, fd) : 0;
        if (cookie) watch(look->call, cookie, (uint64_t)fd, events);
    }
}

/* What an epoll watches, from its fdinfo: "tfd:        5 events:       19 data:                5 …" (fs/eventpoll.c,
 * ep_show_fdinfo). An event reports `data` alone; where two entries share it, it can't say which one it was. */
static void look_at_epoll(struct look *look)
{
    char path[64], line[160];
    snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)look->task->tid, (int)look->task->raw.args[0]);
    FILE *info = fopen(path, "re");
    if (!info) return;
    uint64_t seen[EPOLL_LOOK_MAX];
    size_t count = 0;
    while (fgets(line, sizeof(line), info)) {
        int fd;
        unsigned events;
        unsigned long long data;
        if (sscanf(line, "tfd: %d events: %x data: %llx", &fd, &events, &data) != 3) continue;
        if (count == EPOLL_LOOK_MAX) {
            look->task->cut = true;
            break;
        }
        for (size_t i = 0; i < count; i++)
            if (seen[i] == data) look->task->cut = true;
        seen[count++] = data;
        uint64_t cookie = look_cookie(look, fd);
        if (cookie) watch(look->call, cookie, data, events);
    }
    fclose(info);
    if (look->call->watch_total > look->call->watch_count) look->task->cut = true;
}

static uint64_t cookie_of_data(const struct ptrace_task *task, uint64_t data)
{
    if (task->cut) return 0; /* the recorded epoll_ctl calls have to say */
    for (size_t i = 0; i < task->enter.watch_count; i++)
        if (task->enter.watch[i].data == data) return task->enter.watch[i].cookie;
    return 0;
}

static void look_at_epoll_events(struct ptrace_task *task, struct event_call *call, int64_t ret)
{
    struct epoll_event events[CHUNK];
    size_t count = ret < CHUNK ? (size_t)ret : CHUNK;
    size_t got = ptrace_look_memory(task, task->raw.args[1], events, count * sizeof(events[0])) / sizeof(events[0]);
    for (size_t i = 0; i < got; i++) watch(call, cookie_of_data(task, events[i].data.u64), events[i].data.u64, events[i].events);
    call->watch_total = (uint32_t)ret;
}

static bool closes_at_exec(pid_t tid, int fd)
{
    char path[64], line[128];
    unsigned flags = 0;
    snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)tid, fd);
    FILE *info = fopen(path, "re");
    if (!info) return false;
    while (fgets(line, sizeof(line), info))
        if (sscanf(line, "flags: %o", &flags) == 1) break;
    fclose(info);
    return flags & O_CLOEXEC;
}

static void look_at_descriptor(struct look *look, unsigned fd, bool only_close_on_exec)
{
    struct event_socket socket;
    if (!ptrace_look_socket(look->task, (int)fd, &socket)) return;
    if (only_close_on_exec && !closes_at_exec(look->task->tid, (int)fd)) return;
    if (look->task->row->flags & SYSCALL_RANGE && !look->call->watch_total) {
        look->call->fd = (int32_t)fd;
        look->call->socket = socket;
    }
    watch(look->call, socket.cookie, fd, 0);
}

/* The sockets among the thread's descriptors from first to last. Who is no longer root may take descriptors of another user's
 * process (CAP_SYS_PTRACE), but not list them: then the first ones are tried. */
static void look_at_range(struct look *look, unsigned first, unsigned last, bool only_close_on_exec)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)look->task->tid);
    DIR *folder = opendir(path);
    for (unsigned fd = first; !folder && fd <= last && fd - first < LOOK_MAX; fd++)
        look_at_descriptor(look, fd, only_close_on_exec);
    if (!folder) return;
    unsigned looked = 0;
    for (const struct dirent *entry; looked < LOOK_MAX && (entry = readdir(folder));) {
        char *end;
        unsigned long fd = strtoul(entry->d_name, &end, 10);
        if (*end || fd < first || fd > last) continue;
        looked++;
        look_at_descriptor(look, (unsigned)fd, only_close_on_exec);
    }
    closedir(folder);
}

bool ptrace_watch_enter(struct ptrace_task *task)
{
    uint32_t flags = task->row->flags;
    const uint64_t *args = task->raw.args;
    if (flags & SYSCALL_EPOLL_CTL) {
        if ((int32_t)args[1] != EPOLL_CTL_DEL)
            watch(&task->enter, task->enter.socket.cookie, task->raw.epoll_data, task->raw.epoll_events);
        return true;
    }
    bool ends = task->raw.number == SYS_exit_group;
    bool replaces = flags & (SYSCALL_PATH_0 | SYSCALL_PATH_1);
    bool closes = flags & SYSCALL_RANGE && !(args[2] & CLOSE_RANGE_CLOEXEC);
    if (!(flags & (SYSCALL_POLL | SYSCALL_SELECT | SYSCALL_EPOLL_WAIT)) && !ends && !replaces && !closes) return false;

    struct look look = {.task = task, .call = &task->enter};
    if (flags & SYSCALL_POLL) look_at_poll(&look, false);
    if (flags & SYSCALL_SELECT) look_at_select(&look);
    if (flags & SYSCALL_EPOLL_WAIT) look_at_epoll(&look);
    if (closes) look_at_range(&look, (unsigned)args[0], (unsigned)args[1], false);
    if (ends || replaces) look_at_range(&look, 0, (unsigned)-1, replaces);
    return task->enter.watch_total > 0;
}

void ptrace_watch_exit(struct ptrace_task *task, int64_t ret, struct event_call *call)
{
    uint32_t flags = task->row->flags;
    if (ret < 0) return;
    if (flags & (SYSCALL_RANGE | SYSCALL_PATH_0 | SYSCALL_PATH_1)) {
        for (size_t i = 0; i < task->enter.watch_count; i++)
            watch(call, task->enter.watch[i].cookie, task->enter.watch[i].data, POLLNVAL);
        call->watch_total = task->enter.watch_total;
    } else if (flags & SYSCALL_EPOLL_CTL) {
        for (size_t i = 0; i < task->enter.watch_count; i++) call->watch[i] = task->enter.watch[i];
        call->watch_count = task->enter.watch_count;
        call->watch_total = task->enter.watch_total;
    } else if (flags & SYSCALL_EPOLL_WAIT) {
        look_at_epoll_events(task, call, ret);
    } else if (flags & (SYSCALL_POLL | SYSCALL_SELECT) && ret > 0) {
        struct look look = {.task = task, .call = call};
        if (flags & SYSCALL_POLL)
            look_at_poll(&look, true);
        else
            look_at_select(&look);
    }
}
