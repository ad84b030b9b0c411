/* The BPF recorder: loads the kernel side, follows processes, and turns its records into events.
 *
 * Everything in the kernel hangs on descriptors of this process: it ends with it, however that ends. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/table.h"
#include "capture/bpf/bpf_ability.h"
#include "capture/bpf/bpf_convert.h"
#include "capture/bpf/bpf_end.h"
#include "capture/bpf/bpf_entered.h"
#include "capture/bpf/bpf_fill.h"
#include "capture/bpf/bpf_load.h"
#include "capture/bpf/bpf_networks.h"
#include "capture/bpf/calls_bpf.h"
#include "capture/followed.h"

enum {
    DRAIN_MAX = 1 << 16, /* records at a time, so that a busy kernel can't keep drain for ever */
    CLOCK_TRIES = 10,
};

struct calls {
    struct bpf_load load;
    struct ring_buffer *ring;
    struct bpf_fill fill;
    struct kernel_symbols *symbols;
    bool symbols_tried;
    struct bpf_convert convert;
    struct followed followed;
    struct table *living;  /* pids of all that are followed and not seen to end */
    struct event_log *log; /* during drain */
    uint64_t events, malformed;
    bool host_wide;
    bool is_steady; /* the offset between the clocks is given */
    struct bpf_networks networks;
    int drained, failure; /* of this drain */
    bool (*entered)(void *data, pid_t tid, uint64_t netns);
    void *entered_data;
    uint32_t entered_last; /* what it was told last */
};

/* ---- one clock ---- */

/* The kernel side stamps with CLOCK_MONOTONIC. A reading of CLOCK_REALTIME between two of CLOCK_MONOTONIC bounds the offset from
 * both sides; an offset inside the bounds stays, so that noise never reorders events. */
static void clock_sample(struct bpf_convert *convert)
{
    int64_t least = 0, most = 0;

    for (int i = 0; i < CLOCK_TRIES; i++) {
        int64_t before = clock_steady_ns(), real = clock_wall_ns(), after = clock_steady_ns();

        if (i == 0 || after - before < most - least) {
            least = real - after;
            most = real - before;
        }
    }
    if (convert->realtime_offset_ns == 0) convert->realtime_offset_ns = least + (most - least) / 2;
    if (convert->realtime_offset_ns < least) convert->realtime_offset_ns = least;
    if (convert->realtime_offset_ns > most) convert->realtime_offset_ns = most;
}

/* ---- follow ---- */

/* Its threads may be inside a call that began unseen. */
static void strangers_add(struct calls *calls, pid_t pid)
{
    char path[64];
    DIR *directory;
    struct dirent *entry;
    uint32_t one = 1;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    directory = opendir(path);
    while (directory && (entry = readdir(directory))) {
        uint32_t tid = (uint32_t)strtoul(entry->d_name, NULL, 10);

        if (tid) bpf_map_update_elem(bpf_load_map(&calls->load, "strangers"), &tid, &one, BPF_ANY);
    }
    if (directory) closedir(directory);
}

/* Some 50 ms of reading: done while the first process still waits at its gate, or it would show as a pause in the story. */
static void symbols_read(struct calls *calls)
{
    calls->symbols_tried = true;
    if (kernel_symbols_load(&calls->symbols, NULL) == 0) calls->convert.symbols = calls->symbols;
}

static int symbols_provide(struct calls *calls, struct err *err)
{
    if (calls->symbols_tried) return 0;
    symbols_read(calls);
    return bpf_load_attach_timers(&calls->load, calls->symbols, err);
}

static int calls_bpf_follow(struct calls *calls, pid_t pid, struct err *err)
{
    uint32_t tgid = (uint32_t)pid;
    uint64_t began = 0; /* the kernel side finds out */
    int result;

    if (kill(pid, 0) && errno == ESRCH) return err_set_errno(err, -ESRCH, "Following process %d", (int)pid);
    result = symbols_provide(calls, err);
    if (result) return result;
    strangers_add(calls, pid);
    if (bpf_map_update_elem(bpf_load_map(&calls->load, "processes"), &tgid, &began, BPF_ANY))
        return err_set_errno(err, -errno, "Following process %d: telling the kernel side", (int)pid);
    if (table_put(calls->living, &pid, calls) || followed_add(&calls->followed, pid))
        return err_set_errno(err, -ENOMEM, "Following process %d", (int)pid);
    return 0;
}

/* As if it had been used before our eyes: from then on its ports are of interest (port_use of the kernel side). */
static int calls_bpf_want(struct calls *calls, const struct event_socket *socket, uint32_t netns)
{
    uint32_t key = (uint32_t)socket->protocol << 16 | socket->local.port, one = 1;

    if (!socket->local.port) return 0;
    if (bpf_map_update_elem(bpf_load_map(&calls->load, "used_ports"), &key, &one, BPF_ANY)) return -errno;
    return bpf_map_update_elem(bpf_load_map(&calls->load, "used_netns"), &netns, &one, BPF_ANY) ? -errno : 0;
}

/* ---- drain ---- */

static int calls_bpf_fd(const struct calls *calls)
{
    return calls->host_wide ? -1 : ring_buffer__epoll_fd(calls->ring); /* nobody wakes it: RING_SUBMIT */
}

/* The end of a process that is not our child is known from its record alone. */
static void followed_note(struct calls *calls, const struct event_process *process)
{
    pid_t pid = process->thread.pid;

    if (process->change == PROCESS_FORK && table_put(calls->living, &pid, calls)) calls->failure = -ENOMEM;
    if (process->change != PROCESS_EXIT) return;
    table_remove(calls->living, &pid);
    for (size_t i = 0; i < calls->followed.count; i++)
        if (calls->followed.entries[i].pid == pid && calls->followed.entries[i].is_child) return;
    followed_end(&calls->followed, pid, process->signal ? process->signal : process->status << 8);
}

static void network_tell(struct calls *calls, const void *record, size_t bytes)
{
    pid_t tid = 0;
    uint32_t netns = calls->entered ? bpf_entered(record, bytes, &tid) : 0;

    if (!netns || netns == calls->entered_last) return;
    calls->entered_last = netns;
    calls->entered(calls->entered_data, tid, netns);
}

static int record_handle(void *data, void *record, size_t bytes)
{
    struct calls *calls = data;
    struct event event;
    int result;

    result = bpf_convert_record(&calls->convert, record, bytes, calls->log, &event);
    if (result < 0) calls->malformed++;
    if (result <= 0) return 0;
    if (event.kind == EVENT_PROCESS) followed_note(calls, &event.process);
    network_tell(calls, record, bytes);
    calls->failure = event.kind == EVENT_PACKET ? 0 : event_log_append(calls->log, &event);
    if (!calls->failure && (event.kind == EVENT_PACKET || (event.kind == EVENT_MARK && calls->host_wide)))
        calls->failure = bpf_networks_append(&calls->networks, calls->log, &event);
    if (calls->failure) return calls->failure;
    calls->events++;
    return ++calls->drained < DRAIN_MAX ? 0 : -EAGAIN;
}

static int calls_bpf_drain(struct calls *calls, struct event_log *log, struct err *err)
{
    int result;

    /* Before the ring is read, so that all a process did is in the log when its end is known. */
    for (size_t i = 0; i < calls->followed.count; i++) followed_reap(&calls->followed.entries[i], NULL);
    if (!calls->is_steady) clock_sample(&calls->convert);
    calls->log = log;
    calls->drained = calls->failure = 0;
    result = ring_buffer__consume(calls->ring);
    calls->log = NULL;
    if (calls->failure) return err_set_errno(err, calls->failure, "Keeping what the bpf recorder saw");
    if (result < 0 && result != -EAGAIN) return err_set_errno(err, result, "Reading the bpf recorder's ring");
    return calls->drained;
}

static bool calls_bpf_ended(const struct calls *calls, pid_t pid, int *ret_status)
{
    return followed_ended(&calls->followed, pid, ret_status);
}

static int calls_bpf_stopped(struct calls *calls, pid_t pid)
{
    return followed_stopped(&calls->followed, pid);
}

/* An end whose record was lost is looked for; whoever got the number since keeps it alive, at worst. */
static bool calls_bpf_alive(struct calls *calls)
{
    const void *key;
    void *value;

    for (size_t cursor = 0; table_next(calls->living, &cursor, &key, &value);) {
        pid_t pid;

        memcpy(&pid, key, sizeof(pid));
        if (!kill(pid, 0) || errno != ESRCH) return true;
    }
    return false;
}

/* ---- open and close ---- */

static void calls_bpf_close(struct calls *calls)
{
    if (!calls) return;
    bpf_fill_unmap(&calls->fill);
    ring_buffer__free(calls->ring);
    bpf_chains_free(calls->convert.chains);
    bpf_load_close(&calls->load);
    kernel_symbols_free(calls->symbols);
    free(calls->followed.entries);
    table_free(calls->living);
    free(calls->networks.entries);
    free(calls);
}

static int recorder_start(struct calls *calls, const struct calls_options *options, struct err *err)
{
    int result = bpf_load_open(&calls->load, options, &calls->convert, err);

    if (result) return result;
    calls->ring = ring_buffer__new(bpf_load_map(&calls->load, "ring"), record_handle, calls, NULL);
    if (!calls->ring) return bpf_ability_refused(-errno, TR("Mapping the bpf recorder's ring"), NULL, err);
    result = bpf_fill_map(&calls->fill, bpf_load_map(&calls->load, "ring"), bpf_load_entries(&calls->load, "ring"));
    if (result) return bpf_ability_refused(result, TR("Mapping the bpf recorder's ring"), NULL, err);
    calls->convert.chains = bpf_chains_new(calls->load.known);
    if (!calls->convert.chains) return err_set_errno(err, -ENOMEM, "Opening the bpf recorder");
    calls->is_steady = options->realtime_offset_ns != 0;
    calls->convert.realtime_offset_ns = options->realtime_offset_ns;
    if (!calls->is_steady) clock_sample(&calls->convert);
    calls->host_wide = options->host_wide;
    calls->entered = options->entered;
    calls->entered_data = options->entered_data;
    if (options->host_wide) symbols_read(calls);
    return bpf_load_attach(&calls->load, err);
}

static int calls_bpf_open(struct calls **ret_calls, const struct calls_options *options, struct err *err)
{
    int result = bpf_ability_check(err);
    struct calls *calls;

    if (result) return result;
    calls = calloc(1, sizeof(*calls));
    if (calls) calls->living = table_new(sizeof(pid_t));
    if (!calls || !calls->living) {
        free(calls);
        return err_set_errno(err, -ENOMEM, "Opening the bpf recorder");
    }
    result = recorder_start(calls, options, err);
    if (result)
        calls_bpf_close(calls);
    else
        *ret_calls = calls;
    return result;
}

/* ---- report ---- */

static int lost_append(struct calls *calls, struct event_log *log, const char *what, uint64_t count, struct err *err)
{
    struct event event = {.kind = EVENT_LOST, .t_ns = clock_wall_ns()};

    snprintf(event.lost.source, sizeof(event.lost.source), "bpf");
    snprintf(event.lost.what, sizeof(event.lost.what), "%s", what);
    event.lost.received = calls->events;
    event.lost.count = count;
    return event_log_append(log, &event) ? err_set_errno(err, -ENOMEM, "Keeping what the bpf recorder missed") : 0;
}

static unsigned calls_bpf_filled(const struct calls *calls)
{
    return bpf_fill_percent(&calls->fill);
}

static uint64_t calls_bpf_missed(const struct calls *calls)
{
    return bpf_load_count(&calls->load, COUNT_RING_FULL);
}

static int calls_bpf_report(struct calls *calls, struct event_log *log, struct err *err)
{
    /* At most 31 bytes each: EVENT_NAME_BYTES. */
    static const struct {
        enum record_count count;
        const char *what;
    } counted[] = {
        {COUNT_WATCH_CUT, TR("watch lists cut")},
        {COUNT_MEMORY_UNREAD, TR("arguments not readable")},
        {COUNT_COMPAT, TR("32-bit calls")},
        {COUNT_STACK_FAILED, TR("call chains not taken")},
        {COUNT_PACKET_UNPARSED, TR("packet headers not readable")},
    };
    const struct bpf_chains_counts chains = bpf_chains_counts(calls->convert.chains);
    const struct {
        uint64_t count;
        const char *what;
    } own[] = {
        {bpf_load_missed(&calls->load), TR("a tracepoint inside itself")},
        {bpf_load_pushed_out(&calls->load, MAP_PROCESSES, calls->followed.count), TR("processes no longer followed")},
        {bpf_load_pushed_out(&calls->load, MAP_THREADS, 0), TR("calls whose end was not seen")},
        {bpf_load_pushed_out(&calls->load, MAP_SOCKETS, 0), TR("sockets not told apart")},
        {calls->malformed, TR("records not understood")},
        {chains.unnamed, TR("call chains without names")},
        {chains.unknown_frames, TR("functions without a name")},
        {chains.mistaken, TR("call chains mistaken")},
    };
    /* The ring's count is said even when it is 0; the rest only where something was missed. */
    int result = lost_append(calls, log, TR("ring full"), bpf_load_count(&calls->load, COUNT_RING_FULL), err);

    for (size_t i = 0; !result && i < sizeof(counted) / sizeof(counted[0]); i++) {
        uint64_t count = bpf_load_count(&calls->load, counted[i].count);

        if (count) result = lost_append(calls, log, counted[i].what, count, err);
    }
    for (size_t i = 0; !result && i < sizeof(own) / sizeof(own[0]); i++) {
        if (own[i].count) result = lost_append(calls, log, own[i].what, own[i].count, err);
    }
    for (size_t i = 0; !result && i < calls->load.absent_count; i++) {
        char what[EVENT_NAME_BYTES];

        snprintf(what, sizeof(what), "no %s", calls->load.absent[i]);
        result = lost_append(calls, log, what, 1, err);
    }
    /* Not lost, for there never was any: it is said without being counted. */
    for (size_t i = 0; !result && i < calls->load.unnamed_count; i++) {
        char what[EVENT_NAME_BYTES];

        snprintf(what, sizeof(what), "without %s", calls->load.unnamed[i]);
        result = lost_append(calls, log, what, 0, err);
    }
    return result;
}

static void calls_bpf_outlive(struct calls *calls, int fd)
{
    char farewell;

    bpf_end_keep(fd);
    if (read(fd, &farewell, 1) == 0) bpf_end_all(&calls->load);
}

const struct calls_recorder calls_bpf = {
    .name = "bpf",
    .open = calls_bpf_open,
    .child_setup = NULL,
    .follow = calls_bpf_follow,
    .fd = calls_bpf_fd,
    .drain = calls_bpf_drain,
    .ended = calls_bpf_ended,
    .stopped = calls_bpf_stopped,
    .alive = calls_bpf_alive,
    .attach = calls_bpf_follow,
    .want = calls_bpf_want,
    .outlive = calls_bpf_outlive,
    .filled = calls_bpf_filled,
    .missed = calls_bpf_missed,
    .report = calls_bpf_report,
    .close = calls_bpf_close,
};
