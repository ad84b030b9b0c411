/* ICMP errors about a flow: who said what, and what it ended or shortened. */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#include "base/lang.h"
#include "story/findings/findings.h"
#include "tcp/segment.h"

static bool is_port_unreachable(const struct event_packet *packet)
{
    return segment_icmp_is_refusal(packet->header.protocol, packet->icmp.type, packet->icmp.code);
}

static bool is_too_big(const struct event_packet *packet)
{
    return packet->header.protocol == IPPROTO_ICMPV6 ? packet->icmp.type == 2 : packet->icmp.type == 3 && packet->icmp.code == 4;
}

/* Not delivered: destination unreachable, time exceeded. */
static bool is_undelivered(const struct event_packet *packet)
{
    bool v6 = packet->header.protocol == IPPROTO_ICMPV6;
    return (packet->icmp.type == (v6 ? 1 : 3) || packet->icmp.type == (v6 ? 3 : 11)) && !is_too_big(packet);
}

/* Who was not on the path can't know a number that was sent (RFC 5927 section 4.1). */
static bool quotes_what_was_sent(const struct telling *telling, const struct tale_packet *error)
{
    if (telling->story->udp) return true;
    const struct conn_end *end = &telling->conn.end[flow_conn_end(telling->first_side, finding_other(error->side))];
    return !(end->flags & END_SYN_SEEN) || error->seen->packet.icmp.seq - end->base <= end->span || end->span > UINT32_MAX;
}

static const struct tale_packet *next_error(const struct telling *telling, const struct tale_packet *after,
                                            bool (*is)(const struct event_packet *))
{
    for (const struct tale_packet *at = after ? after + 1 : telling->packets; at < telling->packets + telling->packet_count; at++)
        if (at->datagram && at->datagram->icmp && is(&at->seen->packet) && quotes_what_was_sent(telling, at)) return at;
    return NULL;
}

/* "192.0.2.254, a host between"; "the server's host". */
static const char *sender_text(struct telling *telling, const struct tale_packet *error)
{
    struct address from = error->seen->packet.header.src;
    char text[ADDRESS_TEXT_BYTES];
    for (int side = 0; side < STORY_SIDES; side++) {
        struct address end = telling->flow->end[side];
        end.port = from.port = 0;
        if (address_equal(&end, &from)) return telling_printf(telling, "the %s's host", story_side_word((enum story_side)side));
    }
    return telling_printf(telling, "%s, a host between", address_format_ip(&from, text));
}

/* Of UDP it is the refusal. A firewall may make it too (it is what nftables' and iptables' reject sends): where the kernel shows
 * that, or nobody shows who made it, no more is said. */
static void find_udp(struct telling *telling)
{
    const struct tale_packet *error = next_error(telling, NULL, is_port_unreachable);
    if (!error) return;
    uint32_t proof[3] = {error->cause->step, error->step, STORY_NO_STEP};
    const struct tale_call *failed = finding_call(telling, (int)finding_other(error->side), 0, -ECONNREFUSED);
    if (failed) proof[2] = failed->story->exit_step;
    bool by_firewall = error->cause->kind == CAUSE_KERNEL,
         shown = error->cause->kind == CAUSE_SEGMENT && error->cause->evidence == EVIDENCE_STACK;
    unsigned port = telling->flow->end[error->side].port;
    finding_add(
        telling, "udp-unreachable", "error",
        telling_printf(
            telling, "%s: %s; the ICMP error reaches the sender's next call as ECONNREFUSED", error->datagram->icmp,
            by_firewall ? tr("a firewall's rule refused the datagram, and whether a process has a socket there never showed")
            : shown     ? telling_printf(telling, "no process has a UDP socket on port %u", port)
                    : telling_printf(telling, "no process has a UDP socket on port %u, or a firewall refuses in its name", port)),
        proof, 3);
}

/* It quotes a SYN that was captured. */
static bool is_about_syn(const struct telling *telling, const struct tale_packet *error)
{
    uint32_t at = error->datagram->about_step;
    const struct story_step *about = at == STORY_NO_STEP ? NULL : &telling->story->steps[at];
    return about && about->kind == STEP_SEGMENT && about->segment->kind == STORY_SYN;
}

/* An ICMP error ends what is in SYN_SENT (RFC 5461 section 4.2 and Linux: tcp_v4_err); of a connection that stands it says only
 * that something was not delivered. */
static void find_unreachable(struct telling *telling)
{
    const struct tale_packet *error = next_error(telling, NULL, is_undelivered);
    const struct tale_packet *syn = finding_segment(telling, -1, STORY_SYN);
    if (!error) return;
    enum story_side told = finding_other(error->side);
    const struct tale_call *failed = telling_failed_by_icmp(telling, told, 0);
    if (failed && failed->call->exit_ns < error->sent_ns) failed = NULL;
    const struct tale_packet *answer = NULL; /* what the peer itself said after it */
    for (const struct tale_packet *at = error + 1; at < telling->packets + telling->packet_count && !answer; at++)
        if (finding_is_own(at, error->side)) answer = at;
    uint32_t proof[3] = {syn ? syn->step : STORY_NO_STEP, error->step,
                         failed   ? failed->story->exit_step
                         : answer ? answer->step
                                  : STORY_NO_STEP};
    bool opening = syn && is_about_syn(telling, error) && !finding_segment(telling, (int)finding_other(syn->side), STORY_SYN_ACK);
    const char *from = sender_text(telling, error), *rule = telling_rule_place(telling, error);
    const char *end =
        failed ? telling_printf(telling, "; %s() failed with %s", failed->story->name, failed->story->errno_name) : "";
    const char *why = is_port_unreachable(&error->seen->packet)
                          ? tr("TCP itself refuses with RST, so most likely a firewall made that")
                          : tr("the connection did not come to be, and whether a process listens there never showed");
    const char *refused =
        rule ? telling_printf(telling,
                              "the SYN was rejected by a firewall's rule on %s with an ICMP error, %s (see nft list ruleset); "
                              "whether a process listens there never showed%s",
                              rule, error->datagram->icmp, end)
             : telling_printf(telling, "the SYN was answered with an ICMP error, %s, by %s: %s%s", error->datagram->icmp, from, why,
                              end);
    if (opening && !answer)
        finding_add(telling, "icmp-refused", "error", refused, FINDING_PROOF(proof));
    else
        finding_add(telling, "icmp-unreachable", answer ? "note" : "warning",
                    telling_printf(telling, "%s said of this connection: %s. %s", from, error->datagram->icmp,
                                   answer
                                       ? tr("The connection went on: TCP takes that for a passing trouble")
                                       : tr("Nothing came from the peer after that; TCP itself goes on sending until it gives up")),
                    FINDING_PROOF(proof));
}

/* The path takes less than was sent, and a host on it said so. */
static void find_too_big(struct telling *telling)
{
    const struct tale_packet *error = next_error(telling, NULL, is_too_big), *again = NULL;
    if (!error) return;
    enum story_side sender = finding_other(error->side);
    uint32_t largest = 0;
    for (const struct tale_packet *at = telling->packets; at < error; at++)
        if (finding_is_own(at, sender) && at->segment->length_bytes > largest) largest = at->segment->length_bytes;
    for (const struct tale_packet *at = error + 1; at < telling->packets + telling->packet_count && !again; at++)
        if (finding_is_own(at, sender) && at->segment->retransmission && at->segment->length_bytes &&
            at->segment->length_bytes < largest)
            again = at;
    uint32_t mtu = error->seen->packet.icmp.mtu;
    uint32_t proof[2] = {error->step, again ? again->step : STORY_NO_STEP};
    finding_add(telling, "icmp-too-big", again ? "note" : "warning",
                telling_printf(
                    telling, "what the %s sent was too big for the path: %s said so%s; %s", story_side_word(sender),
                    sender_text(telling, error), mtu ? telling_printf(telling, ", the next link takes %" PRIu32 " bytes", mtu) : "",
                    again ? telling_printf(telling, "from #%" PRIu32 " on it was sent in smaller pieces", again->segment->number)
                          : tr("no smaller piece was seen to follow")),
                FINDING_PROOF(proof));
}

void findings_icmp(struct telling *telling)
{
    if (telling->story->udp) {
        find_udp(telling);
        return;
    }
    find_unreachable(telling);
    find_too_big(telling);
}
