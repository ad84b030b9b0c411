#include "story/causes/words.h"
#include "base/lang.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "story/causes/cause.h"
#include "tcp/segment.h"

/* enum story_kind; a datagram is none. */
static int kind_of(const struct tale_packet *packet)
{
    return packet->segment ? (int)packet->segment->kind : STORY_KINDS;
}

static const char *label_of(const struct tale_packet *packet)
{
    return packet->segment ? story_label_word(packet->segment) : tr("datagram");
}

static uint32_t number_of(const struct tale_packet *packet)
{
    return packet->segment ? packet->segment->number : packet->datagram->number;
}

static const char *label_text(struct telling *telling, const struct tale_packet *packet)
{
    return telling_printf(telling, "%s #%u", label_of(packet), number_of(packet));
}

static const char *reset_by_call(struct telling *telling, const struct tale_packet *packet, const struct tale_call *call,
                                 const char *text)
{
    unsigned notes = packet->chain.notes;
    if (notes & CHAIN_LISTEN_STOP)
        return telling_printf(telling, "sent by %s: the listening socket closed before anyone accepted this connection", text);
    if (call && call->call->unread_bytes)
        return telling_printf(
            telling,
            ntr("sent by %s: %u received byte was never read, so it aborts with RST instead of closing with FIN",
                "sent by %s: %u received bytes were never read, so it aborts with RST instead of closing with FIN",
                call->call->unread_bytes),
            text, call->call->unread_bytes);
    if (notes & CHAIN_DISCONNECT)
        return telling_printf(telling, "sent by %s: an abort was asked for (SO_LINGER with timeout 0, or connect to AF_UNSPEC)",
                              text);
    return telling_printf(telling, "sent by %s: it aborted the connection", text);
}

/* The FIN acknowledges that of its peer: nothing is left to be received. */
static bool comes_second(const struct telling *telling, const struct tale_packet *packet)
{
    const uint32_t first = telling->fin[telling_receiver(telling, packet->side)];
    if (!first) return false;
    const struct event_packet_header *fin = &telling->packets[first - 1].seen->packet.header, *own = &packet->seen->packet.header;
    return own->flags & TCP_ACK && own->ack == fin->seq + segment_space(fin);
}

/* Which directions were shut is in the call's argument: without it, the FIN alone shows that nothing more is sent. */
static const char *shut_down(struct telling *telling, const struct tale_packet *packet, const struct tale_call *call,
                             const char *text)
{
    if (!call || (call->call->how == SHUT_WR && comes_second(telling, packet)))
        return telling_printf(telling, "sent by %s: it sends no more", text);
    return telling_printf(telling,
                          call->call->how == SHUT_WR ? tr("sent by %s: it sends no more, but still receives")
                                                     : tr("sent by %s: it sends no more, and receives no more"),
                          text);
}

const char *words_sent_by_call(struct telling *telling, const struct tale_packet *packet, const struct tale_call *call)
{
    const int label = kind_of(packet);
    const char *comm = packet->seen->context.current.comm; /* "": not recorded */
    const char *text = call      ? telling_call_text(telling, call)
                       : comm[0] ? telling_printf(telling, "%s() of %s", packet->chain.name, comm)
                                 : telling_printf(telling, "%s()", packet->chain.name);
    if (label == STORY_SYN) return telling_printf(telling, "sent by %s: the active open", text);
    if (label == STORY_FIN) {
        const uint32_t traits = call_traits(call ? call->call->name : packet->chain.name);
        if (traits & CALL_SHUTS_DOWN) return shut_down(telling, packet, call, text);
        if (traits & CALL_CLOSES && packet->chain.meaning == CHAIN_DEFERRED)
            return telling_printf(telling,
                                  "sent by %s: it has nothing more to send (before Linux 6.6, close() does its work when "
                                  "it is on its way back to the program)",
                                  text);
        if (packet->chain.meaning == CHAIN_DEFERRED || traits & (CALL_COPIES | CALL_RUNS | CALL_SUBMITS))
            return telling_printf(telling, "%s closed the last descriptor of the socket on its way", text);
        return telling_printf(telling, "sent by %s: it has nothing more to send", text);
    }
    if (label == STORY_RST) return reset_by_call(telling, packet, call, text);
    if (label == STORY_ACK)
        return telling_printf(telling,
                              packet->chain.notes & CHAIN_READ ? tr("sent by %s: it took data out of the receive buffer")
                                                               : tr("sent by %s: on its way"),
                              text);
    return telling_printf(telling, "sent by %s", text);
}

/* A segment that waited on the socket's backlog while a call held the socket says whose call that was. */
static const char *held_by(struct telling *telling, const struct tale_packet *packet)
{
    if (packet->chain.meaning != CHAIN_BACKLOG) return "";
    const struct tale_call *call = telling_find_call(telling, packet->seen->call);
    if (!call || packet->seen->call_over) return "";
    return telling_printf(telling, ", worked off when %s() let go of the socket", call->story->name);
}

static const char *reset_by_packet(struct telling *telling, const struct tale_packet *by)
{
    const struct event_packet_header *header = &by->seen->packet.header;
    bool refusal = header->flags & TCP_SYN && !(header->flags & TCP_ACK);
    if (refusal)
        return telling_printf(telling, "the kernel's answer to the SYN: nobody listens on port %u", (unsigned)header->dst.port);
    if (header->length_bytes)
        return telling_printf(telling, "the kernel's answer to %s: data came for a socket that is closed", label_text(telling, by));
    return telling_printf(telling, "the kernel's answer to %s: it fits no connection here", label_text(telling, by));
}

/* tcp_validate_incoming swallowed the function that it called, and what the segment is tells which that was: a RST or SYN is
 * questioned (RFC 5961 sections 3.2 and 4.2); what is old or too new is told again what is expected (RFC 9293 section 3.10.7.4). */
static const char *answer_to_misfit(struct telling *telling, const struct tale_packet *by, const char *held)
{
    if (by->seen->packet.header.flags & (TCP_RST | TCP_SYN))
        return telling_printf(telling, "the kernel questions %s: it does not fit (challenge ACK)%s", label_text(telling, by), held);
    return telling_printf(telling, "the kernel says again what it expects: %s is old, or outside the window%s",
                          label_text(telling, by), held);
}

static const char *sent_again_by_packet(struct telling *telling, const struct tale_packet *packet, const struct tale_packet *by,
                                        const char *held)
{
    const char *what = label_text(telling, by);
    switch (packet->segment->repeat) {
    case STORY_REPEAT_FAST:
        return telling_printf(telling, "sent again: %s showed that it was missing (fast retransmission)%s", what, held);
    case STORY_REPEAT_RECOVERY:
        return telling_printf(telling, "sent again: it counts as lost since the timeout, and %s let it go%s", what, held);
    case STORY_REPEAT_PATH_MTU:
        return telling_printf(telling, "sent again in smaller pieces: %s showed that it is too big for the path%s", what, held);
    case STORY_REPEAT_FAST_OPEN:
        return telling_printf(telling, "sent again: %s did not take what the SYN carried%s", what, held);
    default:
        return telling_printf(telling, "sent again: %s showed that it was missing%s", what, held);
    }
}

/* RFC 792, RFC 4443. The host's kernel answers a datagram for a port that nobody has; a segment for such a port it answers with a
 * RST. */
static const char *sent_as_error(struct telling *telling, const struct tale_packet *packet, const struct tale_packet *by)
{
    const struct segment_icmp *error = &packet->datagram->error;
    char from[ADDRESS_TEXT_BYTES];
    address_format_ip(&error->from, from);
    bool six = error->protocol == IPPROTO_ICMPV6;
    if (segment_icmp_is_refusal(error->protocol, error->type, error->code)) {
        if (!by->segment) {
            bool may_filter = packet->cause->evidence == EVIDENCE_RULE && !telling->teller->unfiltered;
            return telling_printf(
                telling,
                may_filter ? tr("the answer to datagram #%u: nobody has a socket on port %u, or a firewall refuses in its name")
                           : tr("the kernel's answer to datagram #%u: nobody has a socket on port %u"),
                number_of(by), (unsigned)by->seen->packet.header.dst.port);
        }
        return telling_printf(telling, "%s answers %s: a firewall's rule, for a kernel refuses a segment with RST", from,
                              label_text(telling, by));
    }
    if (error->mtu)
        return telling_printf(telling, "%s could not pass on %s: the next hop takes packets of %u bytes at most", from,
                              label_text(telling, by), (unsigned)error->mtu);
    if (error->type == (six ? 3 : 11) && error->code == 0)
        return telling_printf(telling, "%s dropped %s: its hop limit was used up on the way", from, label_text(telling, by));
    return telling_printf(telling, "%s reports of %s: %s", from, label_text(telling, by), packet->datagram->icmp);
}

/* Why data made its receiver say nothing new. */
static const char *misfit(const struct tale_packet *ack, const struct tale_packet *data)
{
    const struct event_packet_header *header = header_of(data);
    uint32_t expected = header_of(ack)->ack;
    if (cause_is_too_old(ack, data)) return tr("has an older time stamp than what had come before it (PAWS, RFC 7323)");
    if (seq_before(expected, header->seq)) return tr("came behind a gap");
    return seq_at_or_before(header->seq + segment_space(header), expected) ? tr("had come before") : tr("does not fit");
}

/* Its SYN was not captured, and it was its peer's SYN,ACK that acknowledged it. */
static bool has_opened(const struct telling *telling, enum story_side side)
{
    uint32_t flags = telling_end_now(telling, side)->flags;
    return flags & END_SYN && flags & END_SYN_ACK && !(flags & END_PASSIVE);
}

const char *words_sent_by_packet(struct telling *telling, const struct tale_packet *packet, const struct tale_packet *by)
{
    const int label = kind_of(packet), cause = kind_of(by);
    if (packet->datagram && packet->datagram->icmp) return sent_as_error(telling, packet, by);
    if (label == STORY_SYN_ACK) {
        if (telling->flow->to_itself) return tr("the kernel's answer to the socket's own SYN: it is connected to itself");
        if (telling->back.opens[packet->side] || has_opened(telling, packet->side))
            return tr("the kernel's answer to the SYN that crossed ours: both ends opened at once");
        if (packet->segment->retransmission) return tr("sent again: the same SYN came again");
        return tr("the kernel's answer to the SYN: the socket is in LISTEN; accept() had no part in it");
    }
    if (label == STORY_RST) return reset_by_packet(telling, by);
    const char *held = held_by(telling, packet);
    if (label == STORY_ACK) {
        if (packet->chain.notes & CHAIN_CHALLENGE)
            return telling_printf(telling, "the kernel questions %s: it does not fit (challenge ACK)%s", label_text(telling, by),
                                  held);
        if (packet->chain.notes & CHAIN_REPEATED_ACK)
            return telling_printf(telling, "the kernel says again what it expects: %s is old, or outside the window%s",
                                  label_text(telling, by), held);
        if (packet->chain.notes & CHAIN_MISFIT) return answer_to_misfit(telling, by, held);
        if (packet->chain.notes & CHAIN_TIME_WAIT && !(packet->chain.notes & CHAIN_REQUEST) && cause == STORY_FIN &&
            by->segment->retransmission)
            return telling_printf(telling, "TIME_WAIT answers: the FIN came again%s", held);
        if (packet->verdict.class == CONN_PROBE_ANSWER && cause == STORY_DATA)
            return telling_printf(telling, "the kernel answers the probe (#%u): it says what it expects%s", number_of(by), held);
        if (packet->verdict.class == CONN_DUPLICATE_ACK && cause == STORY_DATA)
            return telling_printf(telling, "the kernel says again what it expects: %s %s%s", label_text(telling, by),
                                  misfit(packet, by), held);
        if (cause == STORY_SYN_ACK) return telling_printf(telling, "the kernel's answer to the SYN-ACK%s", held);
        if (cause == STORY_FIN) return telling_printf(telling, "the kernel's answer to the FIN%s", held);
        if (cause == STORY_DATA) return telling_printf(telling, "the kernel acknowledges %s%s", label_text(telling, by), held);
        return telling_printf(telling, "the kernel's answer to %s%s", label_text(telling, by), held);
    }
    if (packet->segment && packet->segment->retransmission) return sent_again_by_packet(telling, packet, by, held);
    return telling_printf(telling, "queued before, released when %s arrived%s", label_text(telling, by), held);
}

/* The handshake's ACK had been seen when its SYN-ACK was sent once more. */
static bool had_ack(const struct telling *telling, const struct tale_packet *again)
{
    for (const struct tale_packet *at = telling->packets; at < again; at++)
        if (at->segment && at->side != again->side && at->segment->flags & TCP_ACK && !(at->segment->flags & TCP_RST) &&
            !telling_is_lost(telling, at) && (at->received_ns ? at->received_ns : at->sent_ns) <= again->sent_ns)
            return true;
    return false;
}

static const char *syn_ack_again(const struct telling *telling, const struct tale_packet *packet)
{
    if (!had_ack(telling, packet)) return tr("the SYN-ACK timer ran out: the handshake's last ACK did not come");
    if (telling_option(telling, packet->side, IPPROTO_TCP, TCP_DEFER_ACCEPT, NULL) > 0)
        return tr("the SYN-ACK timer ran out: the server waits for data (TCP_DEFER_ACCEPT), none came, and it takes an ACK without "
                  "any only behind this");
    return tr("the SYN-ACK timer ran out: the handshake's last ACK did not come, or was not taken");
}

const char *words_sent_by_itself(struct telling *telling, const struct tale_packet *packet)
{
    static const struct {
        const char *name, *why;
    } sentences[] = {
        {"retransmit", TR("the retransmission timer ran out: no acknowledgment came")},
        {"delayed-ack", TR("the delayed-ACK timer ran out: there was nothing to send the ACK along with")},
        {"keepalive", TR("the keepalive timer ran out: is the peer still there?")},
        {"zero-window-probe", TR("the persist timer ran out: has the peer's closed window opened?")},
        {"tail-loss-probe", TR("the loss-probe timer ran out: the last segment may be lost")},
        {"reordering", TR("the reordering timer ran out: what was missing counts as lost")},
        {"compressed-ack", TR("the timer for held-back selective ACKs ran out")},
        {"time-wait", TR("the TIME_WAIT timer ran out")},
        {"timeout", TR("a timer ran out")},
        {"small-queues", TR("queued before by a call, released when the device had room (TCP small queues)")},
        {"pacing", TR("queued before by a call, released by the pacing timer")},
        {"held-back",
         TR("queued before by a call, held back (TCP small queues, or pacing), and let go when the socket was released")},
        {"path-mtu", TR("sent again in smaller pieces: an ICMP error said that it was too big for the path")},
        {"icmp-error", TR("an ICMP error about this connection came")},
        {"synproxy", TR("made by a firewall that answers in the server's place (netfilter SYNPROXY)")},
        {"router", TR("made by a router on the way, which could not pass the packet on")},
        {"neighbour", TR("nobody answered the question for the next hop's link address (ARP, or neighbor discovery)")},
        {"mptcp-release", TR("queued before by a call, sent by Multipath TCP when its socket was let go")},
        {"sockmap", TR("written by a BPF program that passes data from socket to socket (sockmap)")},
        {"destroyed", TR("somebody else ended the connection (SOCK_DESTROY: ss --kill, or a BPF program)")},
        {"raw-socket", TR("made by a program with a raw socket, not by TCP")},
        {"delayed-close", TR("the last reference to the socket went away in a worker of the kernel")},
        {"duplicated", TR("the network delivered it a second time: its sender sent it once")},
        {"made-on-the-way", TR("it came, and never left its sender's host: somebody between the two made it")},
        {"mptcp", TR("sent by Multipath TCP's worker")},
    };
    const char *name = packet->cause->name;
    bool again = packet->segment && packet->segment->retransmission;
    bool reset = kind_of(packet) == STORY_RST;
    if (strcmp(name, "syn-ack") == 0) return syn_ack_again(telling, packet);
    if (reset && strcmp(name, "keepalive") == 0) return tr("the keepalive timer gave up: no probe was answered");
    if (reset && strcmp(name, "retransmit") == 0) return tr("the retransmission timer gave up: the connection is aborted");
    if (again && strcmp(name, "pacing") == 0) return tr("sent again: it counts as lost, and the pacing timer let it go");
    if (again && strcmp(name, "small-queues") == 0)
        return tr("sent again: it counts as lost, and the device had room (TCP small queues)");
    if (again && strcmp(name, "held-back") == 0)
        return tr(
            "sent again: it had to wait until a call let go of the socket (a loss, or a path that takes only smaller pieces)");
    for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
        if (strcmp(sentences[i].name, name) == 0) return tr(sentences[i].why);
    if (packet->chain.meaning == CHAIN_OTHER)
        return telling_printf(telling, "sent by the kernel's %s(), in no call of this program; there is no better word for it",
                              name);
    return telling_printf(telling, "%s", name);
}

const char *words_sent_by_firewall(struct telling *telling, const struct tale_packet *packet, const struct tale_packet *by)
{
    enum story_side peer = packet->side == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT;
    const char *own = story_side_word(packet->side), *answered = by ? label_text(telling, by) : tr("a packet");
    switch (packet->chain.hook) {
    case CHAIN_HOOK_INPUT:
        return telling_printf(telling, "made by a firewall rule of the %s's host, which rejects %s: no socket there saw it", own,
                              answered);
    case CHAIN_HOOK_OUTPUT:
        return telling_printf(telling,
                              "made by a firewall rule of the %s's own host, which rejects what goes out: the %s never saw it",
                              story_side_word(peer), own);
    case CHAIN_HOOK_FORWARD:
        return telling_printf(telling,
                              "made by a firewall rule of a router or bridge on the way, which rejects %s: the %s never saw it",
                              answered, own);
    case CHAIN_HOOK_ARRIVAL:
        return telling_printf(telling, "made by a firewall rule of a host that %s came to: no socket there saw it", answered);
    case CHAIN_HOOK_UNKNOWN:
        break;
    }
    return telling_printf(telling, "made by a firewall rule (netfilter), which rejects %s", answered);
}

const char *words_sent_by_exit(struct telling *telling, const struct tale_packet *packet, const struct story_exit *exit)
{
    bool aborts = kind_of(packet) == STORY_RST;
    if (packet->chain.notes & CHAIN_LISTEN_STOP)
        return telling_printf(telling,
                              exit->signal
                                  ? tr("%s was killed by %s: its listening socket closed before anyone accepted this connection")
                                  : tr("%s ended with %s: its listening socket closed before anyone accepted this connection"),
                              exit->process.comm, exit->name);
    const char *format = exit->signal ? aborts
                                            ? tr("%s was killed by %s: the kernel closed its sockets and aborted this connection")
                                            : tr("%s was killed by %s: the kernel closed its sockets; no close() was called")
                         : aborts ? tr("%s ended with %s: the kernel closed its sockets and aborted this connection")
                                      : tr("%s ended with %s: the kernel closed its sockets; no close() was called");
    return telling_printf(telling, format, exit->process.comm, exit->name);
}
