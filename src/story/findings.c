/* Sentences a person can act on, each with the steps that prove it; and the summary. */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#include "story/telling.h"
#include "tcp/segment.h"

enum { FINDINGS_MAX = 32, PROOF_MAX = 4 };

static void add(struct telling *telling, const char *id, const char *severity, const char *text, const uint32_t *proof,
                size_t proof_count)
{
    struct story *story = telling->story;
    if (!story->findings) story->findings = arena_alloc(telling->arena, FINDINGS_MAX * sizeof(struct story_finding));
    uint32_t *steps = arena_alloc(telling->arena, PROOF_MAX * sizeof(uint32_t));
    if (!story->findings || !steps) {
        telling->failed = true;
        return;
    }
    if (story->finding_count == FINDINGS_MAX) return;
    size_t count = 0;
    for (size_t i = 0; i < proof_count && count < PROOF_MAX; i++)
        if (proof[i] != STORY_NO_STEP) steps[count++] = proof[i];
    story->findings[story->finding_count++] = (struct story_finding){id, severity, text, steps, count};
}

static struct tale_packet *first(const struct telling *telling, const char *label)
{
    for (size_t i = 0; i < telling->packet_count; i++)
        if (telling->packets[i].segment && strcmp(telling->packets[i].segment->label, label) == 0) return &telling->packets[i];
    return NULL;
}

static struct story_call *call_of(const struct telling *telling, uint32_t step)
{
    if (step == STORY_NO_STEP) return NULL;
    const struct story_step *s = &telling->story->steps[step];
    return s->kind == STEP_ENTER || s->kind == STEP_EXIT ? s->call : NULL;
}

static void find_resets(struct telling *telling)
{
    struct tale_packet *reset = first(telling, "RST");
    if (!reset) return;
    uint32_t proof[2] = {reset->cause->step, reset->step};
    if (telling->story->outcome == OUTCOME_REFUSED) {
        add(telling, "refused", "error",
            telling_printf(
                telling, "connection refused: no process listens on port %u there; start the server, or check the address and port",
                (unsigned)telling->flow->end[STORY_SERVER].port),
            proof, 2);
        return;
    }
    const struct story_call *story = call_of(telling, reset->cause->step);
    for (size_t i = 0; story && i < telling->call_count; i++) {
        const struct tale_call *tale = &telling->calls[i];
        if (tale->story != story || !tale->call->unread_bytes || reset->cause->kind != CAUSE_CALL) continue;
        add(telling, "reset-unread-data", "warning",
            telling_printf(telling,
                           "%s() sent RST, not FIN: %u received byte%s never read; read until end of file, or shutdown() first",
                           tale->story->name, tale->call->unread_bytes, tale->call->unread_bytes == 1 ? " was" : "s were"),
            proof, 2);
        return;
    }
    if (reset->cause->kind == CAUSE_SEGMENT && telling->story->steps[reset->cause->step].kind == STEP_SEGMENT &&
        telling->story->steps[reset->cause->step].segment->length_bytes)
        add(telling, "reset-late-data", "warning", "data reached a socket that was closed already, so the kernel answered with RST",
            proof, 2);
}

/* accept() long after the handshake: the client was ESTABLISHED and could send all the while. */
static void find_late_accept(struct telling *telling)
{
    int64_t waited_ns = telling->story->summary.accept_wait_ns;
    static const int64_t LATE_NS = 10000000;
    if (waited_ns < LATE_NS) return;
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct story_call *call = telling->calls[i].story;
        if (strncmp(call->name, "accept", 6) != 0 || call->ret < 0) continue;
        uint32_t proof[2] = {call->wake.step, call->exit_step};
        add(telling, "accept-late", "note",
            telling_printf(telling,
                           "accept() took the connection %" PRId64
                           " ms after the handshake was complete: it sends nothing, so the client "
                           "was ESTABLISHED and could send data all that time",
                           waited_ns / 1000000),
            proof, 2);
        return;
    }
}

static void find_unreachable(struct telling *telling)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->datagram || !packet->datagram->icmp) continue;
        uint32_t proof[3] = {packet->cause->step, packet->step, STORY_NO_STEP};
        for (size_t k = 0; k < telling->call_count; k++)
            if (telling->calls[k].call->exited && telling->calls[k].call->ret == -ECONNREFUSED)
                proof[2] = telling->calls[k].story->exit_step;
        add(telling, "udp-unreachable", "error",
            telling_printf(
                telling,
                "%s: no process has a UDP socket on port %u; the ICMP error reaches the sender's next call as ECONNREFUSED",
                packet->datagram->icmp, (unsigned)telling->flow->end[packet->side].port),
            proof, 3);
        return;
    }
}

static void find_retransmissions(struct telling *telling)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || !packet->segment->retransmission) continue;
        uint32_t proof[2] = {packet->segment->of_step, packet->step};
        add(telling, "retransmitted", "note",
            telling_printf(telling, "%u segment%s sent again; the first was the %s", telling->story->summary.retransmissions,
                           telling->story->summary.retransmissions == 1 ? " was" : "s were", packet->segment->label),
            proof, 2);
        return;
    }
}

void findings_find_all(struct telling *telling)
{
    find_resets(telling);
    find_late_accept(telling);
    find_unreachable(telling);
    find_retransmissions(telling);
}

/* ---- the summary ---- */

static const struct tale_packet *handshake_ack(const struct telling *telling)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (packet->segment && packet->segment->handshake && packet->side == STORY_CLIENT && !(packet->segment->flags & TCP_SYN))
            return packet;
    }
    return NULL;
}

static void handshake_times(struct telling *telling)
{
    struct story_summary *summary = &telling->story->summary;
    const struct tale_packet *syn = first(telling, "SYN"), *syn_ack = first(telling, "SYN-ACK"), *ack = handshake_ack(telling);
    if (!syn || !syn_ack || !ack) return;
    summary->handshake_ns = ack->sent_ns - syn->sent_ns;
    summary->handshake_network_ns = (syn_ack->received_ns ? syn_ack->received_ns : syn_ack->sent_ns) - syn->sent_ns;
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct story_call *call = telling->calls[i].story;
        if (strcmp(call->name, "connect") == 0 && call->side == STORY_CLIENT && call->enter_ns && call->exit_ns && call->ret == 0 &&
            call->enter_ns <= syn->sent_ns && call->exit_ns >= ack->sent_ns)
            summary->handshake_process_ns = call->exit_ns - call->enter_ns - summary->handshake_network_ns;
        if (strncmp(call->name, "accept", 6) == 0 && call->exit_ns && call->ret >= 0)
            summary->accept_wait_ns = call->exit_ns - (ack->received_ns ? ack->received_ns : ack->sent_ns);
    }
}

void summary_make(struct telling *telling)
{
    struct story_summary *summary = &telling->story->summary;
    summary->handshake_ns = summary->handshake_network_ns = summary->handshake_process_ns = summary->accept_wait_ns = -1;
    const struct tale_packet *syn = first(telling, "SYN");
    summary->opened_by = syn ? (int32_t)syn->side : -1;
    if (telling->story->udp && telling->packet_count) summary->opened_by = (int32_t)telling->packets[0].side;
    summary->closed_first_by = -1;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (summary->closed_first_by < 0 && packet->segment && packet->segment->flags & (TCP_FIN | TCP_RST))
            summary->closed_first_by = (int32_t)packet->side;
        if (packet->cause->kind == CAUSE_UNKNOWN)
            summary->causes_unknown++;
        else
            summary->causes_by_evidence[packet->cause->evidence]++;
    }
    handshake_times(telling);
}
