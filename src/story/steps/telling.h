/* A flow on its way to becoming a story: what cause, wake and findings look things up in.
 *
 * Internal to src/story. Lives while tell_flow runs; the arena is the story's, everything else is freed with it. */
#ifndef TCPWHY_STORY_STEPS_TELLING_H
#define TCPWHY_STORY_STEPS_TELLING_H

#include "base/lang.h"
#include "story/chain.h"
#include "story/own.h"
#include "story/steps/back.h"
#include "story/track/track.h"

/* A packet with its place in the story. Packets are in order of sending. */
struct tale_packet {
    struct sighting *seen;
    enum story_side side;         /* the sender */
    int64_t sent_ns, received_ns; /* received 0: not seen to arrive */
    uint32_t step;
    struct story_segment *segment;   /* TCP */
    struct story_datagram *datagram; /* UDP and ICMP */
    struct story_cause *cause;       /* in either */
    uint32_t next[STORY_SIDES];      /* 1 + the index of the next packet behind this one that this side sends; 0 none */
    uint32_t since[STORY_SIDES]; /* 1 + the index of the newest packet that this side had sent by then, this one included; 0 none */
    int64_t order_ns;            /* its place in time: of one interface the order of the file counts, whatever its times say */
    struct conn_verdict verdict; /* TCP: what it means */
    int64_t from;                /* TCP: its first number, counted from its sender's ISN without going round */
    uint32_t behind;             /* its arrival comes only after the packet of this index + 1 was sent (crossing FINs); 0 none */
    bool is_answered_by_reset;   /* a RST's cause already: one answers one */
    bool not_its_own;            /* a RST, and the end in whose name it came went on afterwards */
    struct chain_verdict chain;  /* of the mark */
};

struct tale_call {
    struct call *call;
    struct story_call *story;
};

/* A state step and what made it. */
struct tale_state {
    struct story_state *story;
    const struct change *change; /* kernel's own */
    uint32_t packet;             /* index, or STORY_NO_STEP */
    bool sent;                   /* by sending that packet; else by receiving it */
    struct tale_call *call;      /* listen(), close(); with `doubt`, whose error shows it */
    const char *timer;           /* a timer that no segment shows: its name */
    const char *doubt;           /* what may have ended it, where no more is known; NULL: the rest of this tells */
    bool timer_ran;              /* the kernel was seen to run it; else the clock, a call's error or an answer tells */
    bool goes_on;                /* an end that a RST had not ended: `packet` shows it */
    bool in_vain;                /* it was taken back, or takes one back: neither is told */
    bool proved;                 /* what made it was not captured: `packet` shows that it was there */
};

/* A packet that an end took or sent in a state from which no arrow leads. */
struct surprise {
    enum story_side side; /* the end */
    uint32_t packet;      /* index */
    enum tcp_state state; /* that the end was in, and stays in */
    const char *section;  /* of RFC 9293 */
    const char *does;     /* what it says of such a segment; NULL: nothing */
};

/* RSTs of a side in a row of which each answers one of what had come by then, all with the same newest; and the oldest that each
 * may answer. */
enum { RESET_DOUBTS_MAX = 8 }; /* of more the first stay unknown */
struct reset_doubts {
    const struct tale_packet *newest; /* NULL: none */
    struct tale_packet *reset[RESET_DOUBTS_MAX], *asked[RESET_DOUBTS_MAX];
    size_t count, left; /* `left`: what had come and none of them answers */
};

/* What is known of all that came before the packet whose cause is looked for: packets are taken in order of sending. */
struct sweep {
    size_t next_call; /* the first that had not begun */
    size_t *open;     /* the calls that had begun and were not over */
    size_t open_count, open_room;
    const struct tale_packet *last_space[STORY_SIDES]; /* the newest of this side that takes sequence space; NULL none */
    bool fin[STORY_SIDES];                             /* this side has sent its FIN */
    /* What this side's numbers have reached: the next that it would send; the highest that it has acknowledged, and the window that
     * it offered last. */
    bool has_reach[STORY_SIDES], has_acked[STORY_SIDES];
    uint32_t reach[STORY_SIDES], acked[STORY_SIDES];
    uint16_t window[STORY_SIDES];
    uint16_t first_window[STORY_SIDES]; /* of its SYN; 0: not seen */
    bool is_first_window[STORY_SIDES];  /* it was a SYN's: not scaled */
    /* What this side's numbers had reached when its retransmission timer ran out last. */
    bool has_timeout[STORY_SIDES];
    uint32_t timeout_reach[STORY_SIDES];
    /* Of the whole story: whether a call of this side was recorded; when the first had returned that can have queued data, a FIN.
     */
    bool any_call[STORY_SIDES];
    /* When the first data reached this side (INT64_MAX: never); whether it has sent data since; how many bare ACKs; its largest
     * segment; by how much its windows are scaled (RFC 7323), with scaled. */
    int64_t first_data_ns[STORY_SIDES];
    bool has_replied[STORY_SIDES];
    uint32_t data_acks[STORY_SIDES], largest[STORY_SIDES];
    bool scaled;
    uint8_t scale[STORY_SIDES];
    /* In a capture from one place: how long this side took to answer in the handshake, as seen there, the way there and back
     * included; 0 not seen. */
    int64_t turn_ns[STORY_SIDES];
    /* When an ACK reached this side that acknowledged something new, or that opened its peer's window; INT64_MIN: never. */
    int64_t released_ns[STORY_SIDES];
    const struct tale_packet *released_by[STORY_SIDES];
    bool releases_by_window[STORY_SIDES]; /* that ACK opened a window that had been shut */
    /* With has_held_from: what had been acknowledged to this side before that ACK, and before those that came shortly before it. */
    bool has_held_from[STORY_SIDES];
    uint32_t held_from[STORY_SIDES];
    /* When this side learnt last that something had arrived, its SYN among it; INT64_MIN: never, or nobody saw. */
    int64_t calm_ns[STORY_SIDES];
    size_t syn[STORY_SIDES];        /* 1 + the index of this side's newest SYN without an ACK; 0 none */
    int64_t syn_ns[STORY_SIDES];    /* when that was sent first */
    bool speaks[STORY_SIDES];       /* this side has sent something that is no SYN and no RST: to it there is a connection */
    bool has_repeated[STORY_SIDES]; /* this side has sent something again: its congestion window may be of one segment */
    /* Newest of this side with payload. */
    const struct tale_packet *last_data[STORY_SIDES];
    bool any_gap;                  /* something that was sent before was not captured */
    bool in_recovery[STORY_SIDES]; /* a fast retransmission of this side was seen, and not all is acknowledged since */
    uint32_t recovery_to[STORY_SIDES];
    bool is_full[STORY_SIDES];    /* its window was shut, or moved without an ACK: its reader's pace shows in its ACKs */
    bool persists[STORY_SIDES];   /* the persist timer of this side has asked: data waits, and none has left since */
    int64_t shut_ns[STORY_SIDES]; /* when this side learnt that its peer's window is shut; INT64_MIN: it is open, or nobody knows */
    int64_t data_queued_ns[STORY_SIDES], fin_queued_ns[STORY_SIDES];
    int64_t asked_ns[STORY_SIDES]; /* when that came, at the soonest, which its last RST answers; INT64_MIN: none */
    bool resets[STORY_SIDES];      /* it has sent a RST */
    struct reset_doubts doubts[STORY_SIDES];
    int64_t abort_ns[STORY_SIDES]; /* of its last RST that answers nothing: what had come by then went with it; INT64_MIN: none */
    int64_t read_ns[STORY_SIDES];  /* when the last call was over that may have taken data out of the buffer; INT64_MIN: none */
};

/* What the calls of one side had read before the one whose wake is looked for: calls are taken in order of beginning. */
struct reading {
    uint64_t bytes;
    uint64_t datagrams;
    size_t from;     /* no packet (UDP: no arrival) before this one brings what is read next */
    uint64_t passed; /* UDP: datagrams before it */
    bool passed_folded;
};

#define SYN_ACK_TIMER "syn-ack"
#define FIN_WAIT_2_TIMER "fin-wait-2"
#define TIME_WAIT_TIMER "time-wait"

/* The SYN,ACKs that one side has sent up to the step that is laid. */
struct request {
    uint32_t syn_acks;
    int64_t last_ns;
};

struct telling {
    struct teller *teller;
    struct flow *flow;
    int64_t now_ns;               /* how late it is */
    bool so_far;                  /* more may come: what has not happened yet may happen */
    bool bound_late[STORY_SIDES]; /* the flow has this socket for as long as it is told */
    const struct sock *listener;  /* that served the server's address when the first packet came; NULL: none is known */
    struct conn_judge judge;      /* owner: this */
    struct conn conn;             /* as judged so far, in the story's order */
    struct conn_more more;
    enum story_side first_side; /* conn.end[0] */
    uint32_t fin[STORY_SIDES];  /* 1 + the index of the first FIN of each side, as far as both are looked for; 0 none */
    struct story *story;
    struct arena *arena;
    struct tale_packet *packets;
    size_t packet_count;
    int64_t longest_flight_ns; /* of any packet, from sent to received */
    struct tale_call *calls;   /* in order of beginning */
    size_t call_count;
    struct tale_state *states;
    size_t state_count, state_room;
    struct surprise *surprises;
    size_t surprise_count, surprise_room;
    struct back back;
    struct request requests[STORY_SIDES];
    uint64_t serial; /* of this telling */
    const struct process_end **ends;
    size_t end_count, end_room;
    uint32_t *exits; /* the steps at which processes ended */
    size_t exit_count, exit_room;
    bool marked; /* the kernel was seen to send some of the packets */
    struct sweep sweep;
    struct reading reading[STORY_SIDES];
    int64_t last_ns; /* the latest moment of the story */
    bool failed;     /* out of memory on the way */
};

/* The first step that stands for a call: its beginning, or its end where that was not seen. */
uint32_t telling_call_step(const struct tale_call *call);
/* The tale of a call that is in this story; NULL otherwise. */
struct tale_call *telling_find_call(const struct telling *telling, const struct call *call);
/* "connect(4) of echo-client". */
const char *telling_call_text(struct telling *telling, const struct tale_call *call);
/* How many packets had been sent by then: they come first. */
size_t telling_sent_by(const struct telling *telling, int64_t at_ns);
/* The packet that this header shows and that came last, at or before `before_ns`; where none is known to have come, the newest that
 * was sent by then. NULL none. */
struct tale_packet *telling_find_packet(const struct telling *telling, const struct event_packet_header *header, int64_t before_ns);
/* The last value that setsockopt gave to an option of this side (listening sockets' options are their children's); -1: not set. */
int64_t telling_option(const struct telling *telling, enum story_side side, int level, int option, uint32_t *ret_step);
/* The socket of this side, or its listener, is known since it was made, and no call gave it a time to wait (SO_RCVTIMEO and its
 * kin).
 */
bool telling_sets_no_timeout(const struct telling *telling, enum story_side side);
/* A sentence (base/lang.h: `format` is translated) in the story's arena; never NULL ("" and `failed` when out of memory). */
const char *telling_printf(struct telling *telling, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether the kernel is watched, its timers of timewait sockets among all: one that ran out, or that a RST cancelled, is recorded.
 */
bool telling_sees_timers(const struct telling *telling);

/* Of a course alone, whose data is not recorded, the number of a RST does not tell whether it fits; where it came to a socket that
 * is open, the kernel says of each that it took. Whether this one was not taken. */
bool telling_resets_nobody(const struct telling *telling, const struct tale_packet *packet);

/* The first SYN-ACK that was captured; NULL none. */
const struct tale_packet *telling_first_syn_ack(const struct telling *telling);

/* This end's record, and its peer's. */
static inline struct conn_end *telling_end(struct telling *telling, enum story_side side)
{
    return &telling->conn.end[flow_conn_end(telling->first_side, side)];
}
static inline const struct conn_end *telling_end_now(const struct telling *telling, enum story_side side)
{
    return &telling->conn.end[flow_conn_end(telling->first_side, side)];
}

/* Of a story so far: longer than this no segment is taken to be under way. */
static const int64_t TELLING_UNDER_WAY_NS = 1000000000;

/* Of a course alone a SYN is recorded where it came to if it was answered, and what else was seen only there has no mark: that they
 * were not seen at one of both ends says nothing. */
static inline bool telling_may_be_unrecorded(const struct telling *telling, const struct tale_packet *packet)
{
    bool opens = packet->segment && (packet->seen->packet.header.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
    return telling->teller->course_only && (opens || (telling->flow->has_marks && !packet->seen->marked));
}

/* Known not to have reached its receiver. */
static inline bool telling_is_lost(const struct telling *telling, const struct tale_packet *packet)
{
    if (packet->seen->stuck) return true;
    if (telling_may_be_unrecorded(telling, packet)) return false;
    /* It comes back over the loopback device, whether that is captured or not. */
    if (packet->seen->marked && packet->chain.hook == CHAIN_HOOK_OUTPUT && chain_is_in_a_name(&packet->chain)) return false;
    if (packet->seen->packet.same) return packet->seen->packet.fate == FATE_LOST;
    if (telling->so_far && telling->now_ns - packet->sent_ns < TELLING_UNDER_WAY_NS) return false;
    return telling->flow->at_both_ends && !packet->received_ns;
}

/* How long nothing has come of what did not: to be put behind a sentence. */
static inline const char *telling_so_long(const struct telling *telling)
{
    return telling->so_far ? tr("so far") : tr("as long as was recorded");
}

/* Known not to have been looked at by its receiver's TCP: it was lost, or a kernel threw it away before (a firewall, a full queue).
 */
static inline bool telling_is_untaken(const struct telling *telling, const struct tale_packet *packet)
{
    const struct story_drop *dropped = packet->segment    ? packet->segment->dropped
                                       : packet->datagram ? packet->datagram->dropped
                                                          : NULL;
    const struct story_queue *queue = packet->segment ? packet->segment->queue : NULL;
    return telling_is_lost(telling, packet) || (dropped && dropped->untaken) || (queue && queue->dropped);
}

/* "the server's host", "the client's own host (for what goes out)", "a router or bridge on the way": where the firewall's rule is
 * that made this answer to a segment. NULL: nothing shows that a rule made it. */
const char *telling_rule_place(struct telling *telling, const struct tale_packet *answer);

/* Whether a RST that answers a SYN is of a rule on the SYN's own host: the chain says so, or none of the SYNs before it had left.
 */
bool telling_is_own_rules(struct telling *telling, const struct tale_packet *reset);

/* This end's first call with these traits (0: any) that failed with an error which an ICMP error gives. NULL none. */
const struct tale_call *telling_failed_by_icmp(const struct telling *telling, enum story_side side, uint32_t traits);
/* A RST, or an ICMP error that refuses, in the name of this side. */
bool telling_refuses(const struct tale_packet *packet, enum story_side side);

/* Who receives what this side sends: a socket connected to itself has no other side. */
static inline enum story_side telling_receiver(const struct telling *telling, enum story_side sender)
{
    if (telling->flow->to_itself) return sender;
    return sender == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT;
}

/* Of the first `count` packets, how many there are up to the newest that goes to `receiver`: one behind its index; 0: none. So that
 * a long row of packets in the other direction costs nothing. */
static inline size_t telling_sent_to(const struct telling *telling, enum story_side receiver, size_t count)
{
    enum story_side sender = telling_receiver(telling, receiver); /* whose receiver is the other is the other's receiver */
    return count ? telling->packets[count - 1].since[sender] : 0;
}

static inline const struct event_packet_header *header_of(const struct tale_packet *packet)
{
    return &packet->seen->packet.header;
}

/* The network that this end is in, as its socket or the kernel's mark of what it sent shows; 0: not known. */
static inline uint64_t telling_netns(const struct telling *telling, enum story_side side)
{
    const struct sock *sock = telling->flow->sock[side];
    uint64_t netns = sock ? sock->netns : 0;
    for (size_t i = 0; !netns && i < telling->packet_count; i++)
        if (telling->packets[i].side == side && telling->packets[i].seen->marked) netns = telling->packets[i].seen->netns;
    return netns;
}

/* The capture ends within its options: that one is not there says nothing. */
static inline bool tale_options_cut(const struct tale_packet *packet)
{
    const struct event_packet *seen = &packet->seen->packet;
    return seen->captured_bytes && seen->captured_bytes + seen->header.length_bytes < seen->wire_bytes;
}

static inline int64_t arrival_ns(const struct tale_packet *packet)
{
    return packet->received_ns ? packet->received_ns : packet->sent_ns;
}

static inline bool is_tcp(const struct tale_packet *packet)
{
    return packet->segment != NULL;
}

static inline bool tale_is_datagram(const struct sighting *seen)
{
    return seen->packet.header.protocol != 6; /* IPPROTO_TCP */
}

/* tale_packets.c: first the order (packets), then each one's segment or datagram (needs nothing but the order); once all are judged
 * (tale_lay_steps), what they are. */
void tale_collect_packets(struct telling *telling);
void tale_make_packets(struct telling *telling);
void tale_name_packets(struct telling *telling);
/* drops_told.c: tells the segments and datagrams (once they are made) what the kernel did: story_segment.dropped, .queue. */
void tale_attach_drops(struct telling *telling);
/* The packet that ICMP error `index` quotes: of a TCP segment's, the last of that number that had left, else the last datagram of
 * its sender; NULL: it is no error, or what it quotes was not seen. */
struct tale_packet *tale_quoted(const struct telling *telling, size_t index);
/* tale_calls.c; `listener` may be NULL. */
void tale_collect_calls(struct telling *telling, const struct sock *listener);

/* listeners.c. The successful listen() of the listener that was in force then: not closed, its process not ended; NULL: not known
 * to be. */
const struct call *tale_listening(const struct telling *telling, int64_t at_ns);
/* Whether its listener is known, if only of an accept() (listen() may have been before all that was recorded), and not to be gone.
 */
bool tale_listener_stands(const struct telling *telling, int64_t at_ns);
/* The first successful listen() of the server's port that returned after that time, where none was known to before it; NULL none.
 */
const struct call *tale_listens_later(const struct telling *telling, int64_t at_ns);
/* Why that listener was there no more: what ended it (its process: `*ret_end`; a close() or shutdown(): `*ret_call`) before
 * `at_ns`. */
bool tale_listener_gone(const struct telling *telling, int64_t at_ns, const struct process_end **ret_end,
                        const struct call **ret_call);
/* A socket of the host `netns` that listened on the server's port at that time, on another address than the server's; NULL none
 * known. */
const struct sock *tale_listens_elsewhere(const struct telling *telling, uint64_t netns, int64_t at_ns,
                                          const struct call **ret_listen);

/* steps.c */
void tale_lay_steps(struct telling *telling, const struct sock *listener);
/* vain.c: takes out of the steps what was taken back: the end by a RST after which that end went on; ESTABLISHED by a SYN,ACK that
 * came again to an end that had said nothing. */
void vain_take_out(struct telling *telling);

/* unexpected.c: remembers a packet that reaches `end` (before it is classified), or an input of one, where no arrow leads from the
 * end's state and it does not stay by right. `packet`: index, or STORY_NO_STEP for what no packet made. */
void unexpected_arrival(struct telling *telling, enum story_side side, uint32_t packet);
void unexpected_input(struct telling *telling, enum story_side side, enum tcp_state state, enum tcp_input input, uint32_t packet);

/* handshake.c: whether the kernel's own evidence says that packet `index`, which reached `side` in SYN_RCVD after a passive OPEN,
 * completed no handshake: the kernel dropped or refused it. Without such evidence false: then it did what the RFC says. */
bool tale_is_handshake_unmoved(const struct telling *telling, size_t index, enum story_side side);

/* request.c. Whether the next thing that `side` sent is the RST of a host without such a connection: its number is the ACK of
 * packet `index`, which reached it (RFC 9293 section 3.10.7.1). */
bool tale_is_answered_with_reset(const struct telling *telling, size_t index, enum story_side side);
/* The request socket behind SYN_RCVD had gone when packet `index` came: its timer let the moment pass at which the SYN,ACK was due
 * again (reqsk_timer_handler: a second, doubled each time), and what comes now is answered as by a listening socket that knows
 * nothing of it. A full accept queue answers so too, but out of a request socket that is still there (tcp_check_req). */
bool tale_is_forgotten(const struct telling *telling, size_t index, enum story_side side);
/* The same, where the kernel showed that the request's timer ended it. */
bool tale_is_too_late(const struct telling *telling, size_t index, enum story_side side);
/* The kernel reported this end as ESTABLISHED. */
bool tale_was_completed(const struct telling *telling, enum story_side side);

/* steps_ends.c: it acknowledged its peer's FIN, with a segment that was no RST: a RST may be another's. False where no FIN was
 * sent, too. */
bool telling_acknowledged_fin(const struct telling *telling, enum story_side side);
/* steps_ends.c: the peer of `side` sent its FIN again, and this end never acknowledged it: from one place nothing shows that it
 * ever came. */
bool telling_fin_never_came(const struct telling *telling, enum story_side side);

/* windows.c: each segment's window in bytes, and whether it matters. */
void windows_find_all(struct telling *telling);

#endif
