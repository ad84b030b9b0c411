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
#include "capture/bpf/bpf_ability.h"
#include "capture/bpf/bpf_end.h"
#include "capture/bpf/bpf_fill.h"
#include "capture/bpf/bpf_load.h"
#include "capture/bpf/bpf_take.h"
#include "capture/bpf/calls_bpf.h"

enum {
    CLOCK_TRIES = 10,
};

struct calls {
    struct bpf_load load;
    struct ring_buffer *ring;
    struct bpf_fill fill;
    struct kernel_symbols *symbols;
    bool symbols_tried;
    struct bpf_take take;
    bool is_steady; /* the offset between the clocks is given */
};

/* ---- one clock ---- */

static void clock_sample(struct bpf_convert *convert)
{
    struct bpf_clock clock = {.looks = 0};

    while (clock.looks < CLOCK_TRIES) {
        int64_t before_ns = clock_steady_ns(), real_ns = clock_wall_ns();

        bpf_clock_look(&clock, before_ns, real_ns, clock_steady_ns());
    }
    convert->realtime_offset_ns = bpf_clock_offset(&clock, convert->realtime_offset_ns);
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
    if (kernel_symbols_load(&calls->symbols, NULL) == 0) calls->take.convert.symbols = calls->symbols;
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
    if (table_put(calls->take.living, &pid, calls) || followed_add(&calls->take.followed, pid))
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
    return calls->take.host_wide ? -1 : ring_buffer__epoll_fd(calls->ring); /* nobody wakes it: RING_SUBMIT */
}

static int calls_bpf_drain(struct calls *calls, struct event_log *log, struct err *err)
{
    int result;

    /* Before the ring is read, so that all a process did is in the log when its end is known. */
    for (size_t i = 0; i < calls->take.followed.count; i++) followed_reap(&calls->take.followed.entries[i], NULL);
    if (!calls->is_steady) clock_sample(&calls->take.convert);
    calls->take.log = log;
    calls->take.drained = calls->take.failure = 0;
    result = ring_buffer__consume(calls->ring);
    calls->take.log = NULL;
    if (calls->take.failure) return err_set_errno(err, calls->take.failure, "Keeping what the bpf recorder saw");
    if (result < 0 && result != -EAGAIN) return err_set_errno(err, result, "Reading the bpf recorder's ring");
    return calls->take.drained;
}

static bool calls_bpf_ended(const struct calls *calls, pid_t pid, int *ret_status)
{
    return followed_ended(&calls->take.followed, pid, ret_status);
}

static int calls_bpf_stopped(struct calls *calls, pid_t pid)
{
    return followed_stopped(&calls->take.followed, pid);
}

/* An end whose record was lost is looked for; whoever got the number since keeps it alive, at worst. */
static bool calls_bpf_alive(struct calls *calls)
{
    const void *key;
    void *value;

    for (size_t cursor = 0; table_next(calls->take.living, &cursor, &key, &value);) {
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
    bpf_chains_free(calls->take.convert.chains);
    bpf_load_close(&calls->load);
    kernel_symbols_free(calls->symbols);
    free(calls->take.followed.entries);
    table_free(calls->take.living);
    free(calls->take.networks.entries);
    free(calls);
}

static int recorder_start(struct calls *calls, const struct calls_options *options, struct err *err)
{
    int result = bpf_load_open(&calls->load, options, &calls->take.convert, err);

    if (result) return result;
    calls->ring = ring_buffer__new(bpf_load_map(&calls->load, "ring"), bpf_take_record, &calls->take, NULL);
    if (!calls->ring) return bpf_ability_refused(-errno, TR("Mapping the bpf recorder's ring"), NULL, err);
    result = bpf_fill_map(&calls->fill, bpf_load_map(&calls->load, "ring"), bpf_load_entries(&calls->load, "ring"));
    if (result) return bpf_ability_refused(result, TR("Mapping the bpf recorder's ring"), NULL, err);
    calls->take.convert.chains = bpf_chains_new(calls->load.known);
    if (!calls->take.convert.chains) return err_set_errno(err, -ENOMEM, "Opening the bpf recorder");
    calls->is_steady = options->realtime_offset_ns != 0;
    calls->take.convert.realtime_offset_ns = options->realtime_offset_ns;
    if (!calls->is_steady) clock_sample(&calls->take.convert);
    calls->take.host_wide = options->host_wide;
    calls->take.entered = options->entered;
    calls->take.entered_data = options->entered_data;
    if (options->host_wide) symbols_read(calls);
    return bpf_load_attach(&calls->load, err);
}

static int calls_bpf_open(struct calls **ret_calls, const struct calls_options *options, struct err *err)
{
    int result = bpf_ability_check(err);
    struct calls *calls;

    if (result) return result;
    calls = calloc(1, sizeof(*calls));
    if (calls) calls->take.living = table_new(sizeof(pid_t));
    if (!calls || !calls->take.living) {
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

static unsigned calls_bpf_filled(const struct calls *calls)
{
    return bpf_fill_percent(&calls->fill);
}

static uint64_t calls_bpf_missed(const struct calls *calls)
{
    return bpf_load_count(&calls->load, COUNT_RING_FULL);
}

static uint64_t counted(const struct calls *calls, enum record_count what)
{
    return bpf_load_count(&calls->load, what);
}

static int calls_bpf_report(struct calls *calls, struct event_log *log, struct err *err)
{
    const struct bpf_load *load = &calls->load;
    const struct bpf_chains_counts chains = bpf_chains_counts(calls->take.convert.chains);
    /* At most 31 bytes each: EVENT_NAME_BYTES. */
    const struct bpf_lost missed[] = {
        {"", TR("ring full"), counted(calls, COUNT_RING_FULL), true},
        {"", TR("watch lists cut"), counted(calls, COUNT_WATCH_CUT), false},
        {"", TR("arguments not readable"), counted(calls, COUNT_MEMORY_UNREAD), false},
        {"", TR("32-bit calls"), counted(calls, COUNT_COMPAT), false},
        {"", TR("call chains not taken"), counted(calls, COUNT_STACK_FAILED), false},
        {"", TR("packet headers not readable"), counted(calls, COUNT_PACKET_UNPARSED), false},
        {"", TR("a tracepoint inside itself"), bpf_load_missed(load), false},
        {"", TR("processes no longer followed"), bpf_load_pushed_out(load, MAP_PROCESSES, calls->take.followed.count), false},
        {"", TR("calls whose end was not seen"), bpf_load_pushed_out(load, MAP_THREADS, 0), false},
        {"", TR("sockets not told apart"), bpf_load_pushed_out(load, MAP_SOCKETS, 0), false},
        {"", TR("records not understood"), calls->take.malformed, false},
        {"", TR("call chains without names"), chains.unnamed, false},
        {"", TR("functions without a name"), chains.unknown_frames, false},
        {"", TR("call chains mistaken"), chains.mistaken, false},
    };
    struct bpf_lost others[BPF_PROGRAMS_MAX + sizeof(load->unnamed) / sizeof(load->unnamed[0])];
    size_t count = 0;

    for (size_t i = 0; i < load->absent_count; i++) others[count++] = (struct bpf_lost){"no ", load->absent[i], 1, false};
    /* Not lost, for there never was any: it is said without being counted. */
    for (size_t i = 0; i < load->unnamed_count; i++) others[count++] = (struct bpf_lost){"without ", load->unnamed[i], 0, true};

    int code = bpf_lost_append(log, calls->take.events, missed, sizeof(missed) / sizeof(missed[0]));

    if (!code) code = bpf_lost_append(log, calls->take.events, others, count);
    return code ? err_set_errno(err, code, "Keeping what the bpf recorder missed") : 0;
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
