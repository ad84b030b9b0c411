/* The walk: the state machine in every state, with every event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conn/conn.h"
#include "matrix_own.h"
#include "tcp/processing.h"

enum { OURS = 100, PEERS = 500, FAR = 1000000 }; /* initial sequence numbers, and what is out of every window */
enum { WE, PEER };

/* Our end and its peer; sent and received are told apart, so that nothing of ours has reached the peer. */
struct one {
    struct conn conn; /* first: its second record is found by it */
    struct conn_more more;
    struct conn_judge judge;
};

static struct conn_more *more_of(void *owner, struct conn *conn, bool make)
{
    (void)owner, (void)make;
    return &((struct one *)conn)->more;
}

static struct conn_segment segment(uint8_t flags, uint32_t seq, uint32_t ack, uint32_t length)
{
    return (struct conn_segment){.flags = flags, .seq = seq, .ack = ack, .length_bytes = length, .window = 1000};
}

static enum tcp_state state_of(const struct one *one)
{
    return (enum tcp_state)one->conn.end[WE].state;
}

static void give(struct one *one, struct conn_segment segment)
{
    struct conn_verdict verdict = {0};
    conn_sent(&one->judge, &one->conn, WE, &segment, &verdict);
}

/* A SYN of another connection is not this peer's: it only arrives. */
static void get(struct one *one, struct conn_segment segment)
{
    struct conn_verdict verdict = {0};
    if (!conn_begins_anew(&one->conn, &segment, PEER)) conn_sent(&one->judge, &one->conn, PEER, &segment, &verdict);
    conn_received(&one->judge, &one->conn, WE, &segment, &verdict);
}

static void input(struct one *one, enum tcp_input input)
{
    struct conn_verdict verdict = {0};
    conn_input(&one->judge, &one->conn, WE, input, &verdict);
}

/* An end that came to this state on the shortest way. Five bytes of ours stand unacknowledged wherever data can, so that an ACK has
 * something to acknowledge; our FIN ends at 107, the peer's at 502. */
static struct one arrived(enum tcp_state state, bool passive)
{
    struct one end = {.conn.flags = CONN_TWO_PLACES | CONN_OPENED};
    conn_judge_init(&end.judge, more_of, NULL);
    end.conn.end[PEER].state = STATE_CLOSED;
    end.conn.end[WE].state = (uint8_t)(state <= STATE_LISTEN ? state : passive ? STATE_LISTEN : STATE_CLOSED);
    if (state <= STATE_LISTEN) return end;
    if (passive) {
        assert_int_not_equal(state, STATE_SYN_SENT);
        get(&end, segment(TCP_SYN, PEERS, 0, 0));
        give(&end, segment(TCP_SYN | TCP_ACK, OURS, PEERS + 1, 0));
    } else {
        give(&end, segment(TCP_SYN, OURS, 0, 0));
        if (state == STATE_SYN_SENT) return end;
        get(&end, segment(TCP_SYN, PEERS, 0, 0));
        give(&end, segment(TCP_SYN | TCP_ACK, OURS, PEERS + 1, 0));
    }
    if (state == STATE_SYN_RCVD) return end;
    get(&end, segment(TCP_ACK, PEERS + 1, OURS + 1, 0));
    give(&end, segment(TCP_PSH | TCP_ACK, OURS + 1, PEERS + 1, 5));
    bool peer_first = state == STATE_CLOSE_WAIT || state == STATE_LAST_ACK;
    if (peer_first) get(&end, segment(TCP_FIN | TCP_ACK, PEERS + 1, OURS + 1, 0));
    if (state != STATE_ESTABLISHED && state != STATE_CLOSE_WAIT) give(&end, segment(TCP_FIN | TCP_ACK, OURS + 6, PEERS + 1, 0));
    if (state == STATE_FIN_WAIT_2 || state == STATE_TIME_WAIT) get(&end, segment(TCP_ACK, PEERS + 1, OURS + 7, 0));
    if (state == STATE_CLOSING || state == STATE_TIME_WAIT) get(&end, segment(TCP_FIN | TCP_ACK, PEERS + 1, OURS + 1, 0));
    return end;
}

static bool peer_has_ended(enum tcp_state state)
{
    return state == STATE_CLOSE_WAIT || state == STATE_CLOSING || state == STATE_LAST_ACK || state == STATE_TIME_WAIT;
}

/* The segment that the event means in this state; false: the event is none. */
static bool segment_for(enum tcp_state state, enum processing_event event, struct conn_segment *ret_segment)
{
    uint32_t next = PEERS + 1u + peer_has_ended(state), una = OURS + 1, all = OURS + 6;
    bool fin_sent = state == STATE_FIN_WAIT_1 || state == STATE_FIN_WAIT_2 || state == STATE_CLOSING || state == STATE_LAST_ACK ||
                    state == STATE_TIME_WAIT;
    if (state == STATE_SYN_SENT || state == STATE_SYN_RCVD) all = OURS + 1;
    if (state == STATE_SYN_SENT) next = PEERS;
    if (state == STATE_FIN_WAIT_2 || state == STATE_TIME_WAIT) una = OURS + 7, all = OURS + 7;
    uint32_t old = state == STATE_SYN_SENT || state == STATE_SYN_RCVD ? OURS : una;
    uint32_t of_fin = fin_sent ? OURS + 7 : OURS + FAR, irs = state == STATE_SYN_SENT ? next : PEERS;
    const struct conn_segment segments[ON_EVENTS] = {
        [ON_SYN] = segment(TCP_SYN, next + 7, 0, 0),
        [ON_SYN_OUT] = segment(TCP_SYN, irs, 0, 0),
        [ON_SYN_ACK] = segment(TCP_SYN | TCP_ACK, state == STATE_SYN_RCVD ? PEERS : next + 7, all, 0),
        [ON_SYN_ACK_BAD] = segment(TCP_SYN | TCP_ACK, next + 7, OURS + FAR, 0),
        [ON_ACK] = segment(TCP_ACK, next, all, 0),
        [ON_ACK_OF_FIN] = segment(TCP_ACK, next, of_fin, 0),
        [ON_ACK_OLD] = segment(TCP_ACK, next, old, 0),
        [ON_ACK_BAD] = segment(TCP_ACK, next, OURS + FAR, 0),
        [ON_DATA] = segment(TCP_PSH | TCP_ACK, next, all, 3),
        [ON_DATA_OUT] = segment(TCP_PSH | TCP_ACK, next - 3, all, 3),
        [ON_FIN] = segment(TCP_FIN | TCP_ACK, next, state == STATE_FIN_WAIT_2 ? OURS + 7 : all, 0),
        [ON_FIN_ACK_OF_FIN] = segment(TCP_FIN | TCP_ACK, next, fin_sent ? OURS + 7 : all, 0),
        [ON_FIN_OUT] = segment(TCP_FIN | TCP_ACK, next - 1, una, 0),
        [ON_FIN_BARE] = segment(TCP_FIN, next, 0, 0),
        [ON_RST] = segment(TCP_RST | TCP_ACK, next, all, 0),
        [ON_RST_NEAR] = segment(TCP_RST, next + 10, 0, 0),
        [ON_RST_OUT] = segment(TCP_RST | TCP_ACK, next + FAR, OURS + FAR, 0),
    };
    *ret_segment = segments[event];
    return segments[event].window;
}

/* What the wire does not show, or what the judge leaves to whoever drives it. */
static bool is_exempt(enum tcp_state state, enum processing_event event, bool passive)
{
    static const struct {
        enum tcp_state state;
        enum processing_event event;
    } exempt[] = {
        /* An abort that sends nothing: both ends have ended already, and only the call's own end learns of it. */
        {STATE_CLOSING, ON_ABORT},
        {STATE_LAST_ACK, ON_ABORT},
        {STATE_TIME_WAIT, ON_ABORT},
        /* No timer runs there on Linux, whatever "any state" in section 3.10.8 says. */
        {STATE_LISTEN, ON_USER_TIMEOUT},
        {STATE_TIME_WAIT, ON_USER_TIMEOUT},
        /* The judge knows no window: it takes an ACK wherever its segment lies. */
        {STATE_SYN_RCVD, ON_DATA_OUT},
        {STATE_SYN_RCVD, ON_FIN_OUT},
        /* An ACK of what was not seen proves to the judge that it was sent: captures lose packets. */
        {STATE_SYN_RCVD, ON_ACK_OF_FIN},
        {STATE_SYN_RCVD, ON_ACK_BAD},
    };
    for (size_t i = 0; i < sizeof(exempt) / sizeof(exempt[0]); i++)
        if (exempt[i].state == state && exempt[i].event == event) return true;
    /* Back to LISTEN without a word: a listener's end shows nothing of it, and a SYN that opens anew is another connection's. */
    return passive && state == STATE_SYN_RCVD && (event == ON_SYN || event == ON_SYN_ACK_BAD);
}

static void do_event(struct one *end, enum tcp_state state, enum processing_event event)
{
    const struct processing_row *row = processing_find(state, event);
    struct conn_segment arriving = {0};
    bool arrives = segment_for(state, event, &arriving);
    if (arrives) get(end, arriving);
    if (event == ON_OPEN_PASSIVE && row->to == STATE_LISTEN) input(end, INPUT_CALL_LISTEN);
    if ((event == ON_CLOSE || event == ON_ABORT) && row->to == STATE_CLOSED && row->sends == SENDS_NOTHING)
        input(end, INPUT_CALL_CLOSE);
    if (event == ON_USER_TIMEOUT && !row->never) input(end, INPUT_TIMEOUT_GIVE_UP);
    if (event == ON_TIME_WAIT_TIMEOUT && !row->never) input(end, INPUT_TIMEOUT_2MSL);
    uint32_t next = end->conn.end[WE].flags & END_ANY ? end->conn.end[WE].next : OURS;
    switch (row->sends) {
    case SENDS_SYN:
        give(end, segment(TCP_SYN, OURS, 0, 0));
        break;
    case SENDS_SYN_ACK:
        give(end, segment(TCP_SYN | TCP_ACK, OURS, arriving.seq + 1, 0));
        break;
    case SENDS_ACK:
        give(end, segment(TCP_ACK, next, PEERS + 1, 0));
        break;
    case SENDS_DATA:
        give(end, segment(TCP_PSH | TCP_ACK, next, PEERS + 1, 4));
        break;
    case SENDS_FIN:
        give(end, segment(TCP_FIN | TCP_ACK, next, PEERS + 1, 0));
        break;
    case SENDS_RST: /* in answer to an ACK it takes its number from that ACK */
        give(end, segment(TCP_RST, arrives && arriving.flags & TCP_ACK ? arriving.ack : next, 0, 0));
        break;
    default:
        break;
    }
}

static void walk_matrix(bool passive)
{
    EACH_PAIR(state, event)
    {
        if (passive && state == STATE_SYN_SENT) continue;
        if (is_exempt(state, event, passive)) continue;
        struct one end = arrived(state, passive);
        assert_int_equal(state_of(&end), state);
        do_event(&end, state, event);
        enum tcp_state want = processing_next(state, event, passive);
        if (state_of(&end) != want)
            fail_msg("%s in %s%s: the state machine says %s, section 3.10 %s", processing_event_name(event), tcp_state_name(state),
                     passive ? " after a passive OPEN" : "", tcp_state_name(state_of(&end)), tcp_state_name(want));
    }
}

void the_state_machine_agrees_after_an_active_open(void **data)
{
    (void)data;
    walk_matrix(false);
}

void the_state_machine_agrees_after_a_passive_open(void **data)
{
    (void)data;
    walk_matrix(true);
}

/* What is dropped must leave no trace: the connection goes on as if it had not come. */
void a_segment_that_changes_nothing_derails_nothing(void **data)
{
    (void)data;
    EACH_PAIR(state, event)
    {
        struct conn_segment arriving;
        if (state < STATE_SYN_SENT || processing_next(state, event, false) != state || !segment_for(state, event, &arriving))
            continue;
        if (processing_find(state, event)->sends == SENDS_AGAIN || event == ON_DATA) continue; /* data moves RCV.NXT, rightly */
        if (event == ON_FIN || event == ON_FIN_ACK_OF_FIN) continue;                           /* a second FIN, behind the first */
        struct one end = arrived(state, false);
        do_event(&end, state, event);
        if (state == STATE_SYN_SENT) {
            get(&end, segment(TCP_SYN | TCP_ACK, PEERS + 77, OURS + 1, 0));
            if (state_of(&end) != STATE_ESTABLISHED)
                fail_msg("%s in SYN_SENT: the right SYN,ACK then leads to %s", processing_event_name(event),
                         tcp_state_name(state_of(&end)));
            continue;
        }
        struct conn_segment reset;
        segment_for(state, ON_RST, &reset);
        get(&end, reset);
        if (state_of(&end) != STATE_CLOSED)
            fail_msg("%s in %s: an exact RST then leads to %s", processing_event_name(event), tcp_state_name(state),
                     tcp_state_name(state_of(&end)));
    }
}
