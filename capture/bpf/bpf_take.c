#include "capture/bpf/bpf_take.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "capture/bpf/bpf_entered.h"

/* The end of a process that is not our child is known from its record alone. */
static int followed_note(struct bpf_take *take, const struct event_process *process)
{
    pid_t pid = process->thread.pid;

    if (process->change == PROCESS_FORK) return table_put(take->living, &pid, take);
    if (process->change != PROCESS_EXIT) return 0;
    table_remove(take->living, &pid);
    for (size_t i = 0; i < take->followed.count; i++)
        if (take->followed.entries[i].pid == pid && take->followed.entries[i].is_child) return 0;
    followed_end(&take->followed, pid, process->signal ? process->signal : process->status << 8);
    return 0;
}

static void network_tell(struct bpf_take *take, const void *record, size_t bytes)
{
    pid_t tid = 0;
    uint32_t netns = take->entered ? bpf_entered(record, bytes, &tid) : 0;

    if (!netns || netns == take->entered_last) return;
    take->entered_last = netns;
    take->entered(take->entered_data, tid, netns);
}

/* Of a whole host's segment Fast Open's alone is known, and that of a SYN. */
static struct event_options options_of(const void *record)
{
    struct event_options options = {0};
    struct record_head head;
    struct record_packet packet;
    size_t at;

    memcpy(&head, record, sizeof(head));
    at = head.kind == RECORD_MARK ? offsetof(struct record_mark, packet) : offsetof(struct record_arrival, packet);
    memcpy(&packet, (const char *)record + at, sizeof(packet));
    if (packet.protocol != IPPROTO_TCP || !packet.code) return options;
    options.present = OPTION_FASTOPEN;
    options.fastopen_cookie_bytes = (uint8_t)(packet.code - RECORD_FAST_OPEN);
    return options;
}

int bpf_take_record(void *data, void *record, size_t bytes)
{
    struct bpf_take *take = data;
    struct event event;
    int result;

    result = bpf_convert_record(&take->convert, record, bytes, take->log, &event);
    if (result < 0) take->malformed++;
    if (result <= 0) return 0;
    take->failure = event.kind == EVENT_PROCESS ? followed_note(take, &event.process) : 0;
    network_tell(take, record, bytes);
    if (!take->failure && event.kind != EVENT_PACKET) take->failure = event_log_append(take->log, &event);
    if (!take->failure && (event.kind == EVENT_PACKET || (event.kind == EVENT_MARK && take->host_wide))) {
        const struct event_options options = options_of(record);

        take->failure = bpf_networks_append(&take->networks, take->log, &event, &options);
    }
    if (take->failure) return take->failure;
    take->events++;
    return ++take->drained < BPF_TAKE_MOST ? 0 : -EAGAIN;
}

int bpf_lost_append(struct event_log *log, uint64_t received, const struct bpf_lost *lost, size_t count)
{
    int code = 0;

    for (size_t i = 0; i < count && !code; i++) {
        struct event event = {.kind = EVENT_LOST, .t_ns = clock_wall_ns(), .lost = {.source = "bpf", .received = received}};

        if (!lost[i].count && !lost[i].is_always_said) continue;
        snprintf(event.lost.what, sizeof(event.lost.what), "%s%s", lost[i].before, lost[i].what);
        event.lost.count = lost[i].count;
        code = event_log_append(log, &event);
    }
    return code;
}

void bpf_clock_look(struct bpf_clock *clock, int64_t before_ns, int64_t real_ns, int64_t after_ns)
{
    if (!clock->looks++ || after_ns - before_ns < clock->most_ns - clock->least_ns) {
        clock->least_ns = real_ns - after_ns;
        clock->most_ns = real_ns - before_ns;
    }
}

int64_t bpf_clock_offset(const struct bpf_clock *clock, int64_t offset_ns)
{
    if (!offset_ns) return clock->least_ns + (clock->most_ns - clock->least_ns) / 2;
    if (offset_ns < clock->least_ns) offset_ns = clock->least_ns;
    return offset_ns > clock->most_ns ? clock->most_ns : offset_ns;
}
