/* What was lost: segments that were sent again, peers that never answered. */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "story/findings.h"
#include "tcp/segment.h"

static void find_unreachable(struct telling *telling)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->datagram || !packet->datagram->icmp || !telling->story->udp) continue;
        const struct story_datagram *error = packet->datagram;
        if (!segment_icmp_is_refusal(error->icmp_protocol, error->icmp_type, error->icmp_code)) continue;
        if (packet->cause->kind == CAUSE_KERNEL) continue; /* a firewall: whether a process has a socket there never showed */
        uint32_t proof[3] = {packet->cause->step, packet->step, STORY_NO_STEP};
        for (size_t k = 0; k < telling->call_count; k++)
            if (telling->calls[k].call->exited && telling->calls[k].call->ret == -ECONNREFUSED)
                proof[2] = telling->calls[k].story->exit_step;
        finding_add(telling, "udp-unreachable", "error",
                    telling_printf(
                        telling,
                        "%s: no process has a UDP socket on port %u; the ICMP error reaches the sender's next call as ECONNREFUSED",
                        packet->datagram->icmp, (unsigned)telling->flow->end[packet->side].port),
                    proof, 3);
        return;
    }
}

/* "at 0.0, 1.0 and 3.1 s": when the segments of this label left. */
static const char *times_text(struct telling *telling, enum story_side side, const char *label)
{
    char text[256] = "";
    size_t used = 0;
    const struct tale_packet *first = finding_segment(telling, (int)side, label, 0), *packet;
    for (size_t n = 0; (packet = finding_segment(telling, (int)side, label, n)) && used < sizeof(text) - 16; n++) {
        int64_t tenths = (packet->sent_ns - first->sent_ns + 50000000) / 100000000;
        used +=
            (size_t)snprintf(text + used, sizeof(text) - used, "%s%" PRId64 ".%" PRId64, n ? ", " : "", tenths / 10, tenths % 10);
    }
    return telling_printf(telling, "%s", text);
}

static uint32_t count_of(const struct telling *telling, enum story_side side, const char *label)
{
    uint32_t count = 0;
    while (finding_segment(telling, (int)side, label, count)) count++;
    return count;
}

static bool any_arrival(const struct telling *telling, enum story_side from)
{
    for (size_t i = 0; i < telling->packet_count; i++)
        if (telling->packets[i].side == from) return true;
    return false;
}

static void find_black_hole(struct telling *telling)
{
    const struct tale_packet *syn = finding_segment(telling, -1, "SYN", 0);
    if (!syn || any_arrival(telling, finding_other(syn->side))) return;
    const struct tale_call *connect = finding_call(telling, (int)syn->side, "connect", -ETIMEDOUT);
    if (!connect) return;
    uint32_t proof[2] = {syn->step, connect->story->exit_step};
    finding_add(
        telling, "black-hole", "error",
        telling_printf(telling,
                       "no answer to %" PRIu32
                       " SYNs, sent at %s s: not even a refusal, so a firewall drops them or the host is away; the kernel gave "
                       "up (net.ipv4.tcp_syn_retries) and connect() failed with ETIMEDOUT",
                       count_of(telling, syn->side, "SYN"), times_text(telling, syn->side, "SYN")),
        proof, 2);
}

/* The kernel gave an open connection up: nobody answered its probes, or its data. */
static void find_vanished(struct telling *telling)
{
    for (size_t i = 0; i < STORY_SIDES; i++) {
        enum story_side side = (enum story_side)i;
        const struct tale_call *call = finding_call(telling, (int)side, "", -ETIMEDOUT);
        if (!call || strcmp(call->call->name, "connect") == 0 || call->story->exit_step == STORY_NO_STEP) continue;
        uint32_t probes = 0, last = STORY_NO_STEP, option = STORY_NO_STEP;
        for (size_t k = 0; k < telling->packet_count; k++) {
            const struct tale_packet *packet = &telling->packets[k];
            if (packet->side != side || packet->cause->kind != CAUSE_TIMER || strcmp(packet->cause->name, "keepalive") != 0)
                continue;
            if (packet->segment->flags & TCP_RST) continue;
            probes++;
            last = packet->step;
        }
        if (probes) {
            uint32_t proof[2] = {last, call->story->exit_step};
            finding_add(
                telling, "keepalive-dead", "error",
                telling_printf(telling,
                               "the peer is gone: %" PRIu32
                               " keepalive probe%s, the last not answered; the kernel gave the connection up, and %s() failed "
                               "with ETIMEDOUT",
                               probes, probes == 1 ? "" : "s", call->story->name),
                proof, 2);
        } else if (telling_option(telling, side, IPPROTO_TCP, TCP_USER_TIMEOUT, &option) > 0) {
            uint32_t proof[2] = {option, call->story->exit_step};
            finding_add(
                telling, "user-timeout", "error",
                telling_printf(telling,
                               "what was sent stayed unacknowledged for longer than TCP_USER_TIMEOUT allows: the kernel gave the "
                               "connection up, and %s() failed with ETIMEDOUT; the peer was told nothing",
                               call->story->name),
                proof, 2);
        }
    }
}

static void find_retransmissions(struct telling *telling)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || !packet->segment->retransmission) continue;
        uint32_t proof[2] = {packet->segment->of_step, packet->step};
        finding_add(telling, "retransmitted", "note",
                    telling_printf(telling, "%u segment%s sent again; the first was the %s",
                                   telling->story->summary.retransmissions,
                                   telling->story->summary.retransmissions == 1 ? " was" : "s were", packet->segment->label),
                    proof, 2);
        return;
    }
}

/* ICMP errors and copies made by the network are not the sender's doing. */
static void find_copies(struct telling *telling)
{
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || !packet->segment->copy) continue;
        uint32_t proof[1] = {packet->step};
        finding_add(telling, "duplicated", "note",
                    telling_printf(telling, "the network delivered a %s twice: its sender sent it once", packet->segment->label),
                    proof, 1);
        return;
    }
}

/* Of what the state machine has no arrow for, the first, and of one segment what its receiver made of it: the RFC says more of
 * that. */
static void find_surprise(struct telling *telling)
{
    if (!telling->surprise_count) return;
    const struct surprise *first = &telling->surprises[0];
    for (size_t i = 1; i < telling->surprise_count && !first->does && telling->surprises[i].packet == first->packet; i++)
        first = &telling->surprises[i];
    const struct tale_packet *packet = &telling->packets[first->packet];
    uint32_t proof[FINDING_PROOF_MAX];
    size_t count = 0;
    for (size_t i = 0; i < telling->surprise_count && count < FINDING_PROOF_MAX; i++)
        proof[count++] = telling->packets[telling->surprises[i].packet].step;
    bool sent = packet->side == first->side && !telling->flow->to_itself;
    const char *label = packet->segment->label;
    const char *article = strcmp(label, "ACK") == 0 ? "an " : strcmp(label, "data") == 0 ? "" : "a ";
    finding_add(
        telling, "no-arrow", "note",
        telling_printf(telling,
                       "%s%s %s the %s in %s: figure 5 of RFC 9293 has no arrow for that, so the end is taken to stay there "
                       "(section %s%s%s)%s",
                       article, label, sent ? "left" : "reached", story_side_name(first->side), tcp_state_name(first->state),
                       first->section, first->does ? ": " : "", first->does ? first->does : "",
                       sent ? "; segments before it may be missing in the capture" : ""),
        proof, count);
}

void findings_silent(struct telling *telling)
{
    find_surprise(telling);
    if (telling->story->udp) {
        find_unreachable(telling);
        return;
    }
    find_black_hole(telling);
    find_vanished(telling);
    find_retransmissions(telling);
    find_copies(telling);
}
