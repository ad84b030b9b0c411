/* The calls and packets of a story gone through once, in order of time: what the rules know of all that came before. */
#include <string.h>
#include <sys/socket.h>

#include "story/cause.h"
#include "tcp/segment.h"
#include "tcp/seq.h"

static bool can_send_data(const struct call *call)
{
    return strncmp(call->name, "send", 4) == 0 || strncmp(call->name, "write", 5) == 0;
}

static bool can_send_fin(const struct call *call)
{
    if (strcmp(call->name, "close") == 0 || strcmp(call->name, "close_range") == 0) return true;
    return strcmp(call->name, "shutdown") == 0 && call->how != SHUT_RD;
}

bool cause_can_send(const struct call *call, const struct tale_packet *packet)
{
    const char *name = call->name;
    if (!is_tcp(packet)) return can_send_data(call);
    const char *label = packet->segment->label;
    if (strcmp(label, "SYN") == 0) return strcmp(name, "connect") == 0 || strncmp(name, "send", 4) == 0;
    bool closes = strcmp(name, "close") == 0 || strcmp(name, "close_range") == 0;
    if (strcmp(label, "FIN") == 0) return can_send_fin(call);
    /* Whoever aborts acknowledges (tcp_send_active_reset); a RST without ACK answers a segment (RFC 9293 section 3.10.7.1). */
    if (strcmp(label, "RST") == 0) return header_of(packet)->flags & TCP_ACK && (closes || strcmp(name, "connect") == 0);
    return strcmp(label, "data") == 0 && can_send_data(call);
}

void cause_sweep_begin(struct telling *telling)
{
    struct sweep *sweep = &telling->sweep;
    for (size_t side = 0; side < STORY_SIDES; side++) sweep->data_queued_ns[side] = sweep->fin_queued_ns[side] = INT64_MAX;
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct call *call = telling->calls[i].call;
        enum story_side side = telling->calls[i].story->side;
        sweep->any_call[side] = true;
        if (!call->exited) continue;
        if (can_send_data(call) && call->exit_ns < sweep->data_queued_ns[side]) sweep->data_queued_ns[side] = call->exit_ns;
        if (can_send_fin(call) && call->exit_ns < sweep->fin_queued_ns[side]) sweep->fin_queued_ns[side] = call->exit_ns;
    }
}

static void raise(uint32_t *highest, bool *has, uint32_t to)
{
    if (*has && !seq_before(*highest, to)) return;
    *highest = to;
    *has = true;
}

static void note_numbers(struct sweep *sweep, enum story_side side, const struct event_packet_header *header)
{
    if (header->flags & TCP_RST) return;
    raise(&sweep->reach[side], &sweep->has_reach[side], header->seq + segment_space(header));
    if (!(header->flags & TCP_ACK)) return;
    raise(&sweep->acked[side], &sweep->has_acked[side], header->ack);
    sweep->window[side] = header->window;
}

void cause_sweep_packet(struct telling *telling, const struct tale_packet *packet)
{
    if (!is_tcp(packet)) return;
    if (segment_space(header_of(packet))) telling->sweep.last_space[packet->side] = packet;
    if (header_of(packet)->flags & TCP_FIN) telling->sweep.fin[packet->side] = true;
    note_numbers(&telling->sweep, packet->side, header_of(packet));
}

/* Goes on to this moment: no call is looked at again once it is over, so a long recording is told in time. */
void cause_sweep_calls(struct telling *telling, int64_t t_ns)
{
    struct sweep *sweep = &telling->sweep;
    for (; sweep->next_call < telling->call_count; sweep->next_call++) {
        const struct call *call = telling->calls[sweep->next_call].call;
        if ((call->entered ? call->enter_ns : call->exit_ns) > t_ns) break;
        if (!call->entered) continue;
        size_t *open = track_grow((void **)&sweep->open, &sweep->open_count, &sweep->open_room, sizeof(*open));
        if (open)
            *open = sweep->next_call;
        else
            telling->failed = true;
    }
    size_t kept = 0;
    for (size_t i = 0; i < sweep->open_count; i++) {
        const struct call *call = telling->calls[sweep->open[i]].call;
        if (!call->exited || t_ns <= call->exit_ns) sweep->open[kept++] = sweep->open[i];
    }
    sweep->open_count = kept;
}
