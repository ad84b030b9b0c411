/* The judge's ways to take a segment, each against the other: the short cut for common segments (conn/plain.h) and the long way
 * leave the same records, field for field, and so do sent and received in two steps and at once. Random exchanges, sound and
 * absurd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conn/plain.h"

enum { EXCHANGES = 20000, SEGMENTS = 40, TEXT = 256 };

static uint64_t seed = 88172645463325252u;

static uint32_t any(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 11) % below;
}

struct way {
    struct conn conn; /* first: its second record is found by it */
    struct conn_more more;
    bool has_more;
};

static struct conn_more *more_of(void *owner, struct conn *conn, bool make)
{
    struct way *way = (struct way *)conn;
    (void)owner;
    if (make) way->has_more = true;
    return way->has_more ? &way->more : NULL;
}

/* What both sides have said so far. */
struct talk {
    uint32_t next[2], acked[2];
    int64_t t_ns;
    uint32_t odd; /* one in so many numbers is not what comes next */
};

/* Mostly what two ends would say next, sometimes anything. */
static struct conn_segment say(struct talk *talk, unsigned side, unsigned at)
{
    static const uint8_t opening[] = {TCP_SYN, TCP_SYN | TCP_ACK, TCP_ACK};
    struct conn_segment segment = {.flags = TCP_ACK, .window = any(talk->odd) ? 100 : (uint16_t)any(3)};
    if (at < 3 && any(talk->odd)) segment.flags = opening[at];
    if (at > 6 && any(9) == 0) segment.flags |= TCP_FIN;
    if (any(talk->odd * 3) == 0) segment.flags = (uint8_t)any(64);
    if (at > 2 && any(2)) segment.length_bytes = any(talk->odd * 3) ? any(20) : any(1u << 31);
    segment.seq = talk->next[side] + (any(talk->odd) ? 0 : any(40) - 20);
    if (any(talk->odd * 2) == 0) segment.seq = talk->next[side] - 1;
    segment.ack = talk->next[!side] + (any(talk->odd) ? 0 : any(40) - 20);
    if (!segment.length_bytes && any(talk->odd / 4) == 0) segment.ack = talk->acked[side];
    segment.sack = any(9) == 0;
    talk->t_ns += any(30) ? any(1000000) : any(2000) * (int64_t)1000000;
    segment.t_ns = talk->t_ns;
    talk->acked[side] = segment.ack;
    if (!(segment.flags & TCP_RST) && seq_before(talk->next[side], segment.seq + conn_space(&segment)) && any(20))
        talk->next[side] = segment.seq + conn_space(&segment);
    return segment;
}

static struct talk begin(void)
{
    return (struct talk){.next = {any(3) ? any(1u << 31) : 0u - any(20), any(3) ? any(1u << 31) : 0u - any(20)},
                         .t_ns = 1700000000000000000,
                         .odd = any(2) ? 15 : 300};
}

static unsigned speaker(unsigned at)
{
    return at < 3 ? at == 1 : any(2);
}

static const char *text_of(const struct conn_end *end, char *text)
{
    snprintf(text, TEXT,
             "%s flags %x base %u span %llu next %u acked %u ack %u got %u fin %u window %u duplicates %u again %u of %u",
             tcp_state_name((enum tcp_state)end->state), end->flags, end->base, (unsigned long long)end->span, end->next,
             end->acked, end->ack, end->got, end->fin_end, end->window, end->repeated_acks, end->again_count, end->segments);
    return text;
}

/* Gaps between fields are zero from the beginning and stay so. */
static void assert_same(const struct way *a, const struct way *b, unsigned exchange, unsigned at)
{
    for (unsigned side = 0; side < 2; side++)
        if (memcmp(&a->conn.end[side], &b->conn.end[side], sizeof(struct conn_end)) != 0)
            fail_msg("exchange %u, segment %u, end %u: %s and %s", exchange, at, side, text_of(&a->conn.end[side], (char[TEXT]){0}),
                     text_of(&b->conn.end[side], (char[TEXT]){0}));
    assert_memory_equal(&a->conn, &b->conn, sizeof(a->conn));
    assert_int_equal(a->has_more, b->has_more);
    assert_memory_equal(&a->more, &b->more, sizeof(a->more));
}

static void the_short_cut_leaves_what_the_long_way_leaves(void **state)
{
    (void)state;
    struct conn_judge judge;
    conn_judge_init(&judge, more_of, NULL);
    size_t stays = 0, moves = 0, closed = 0;
    for (unsigned exchange = 0; exchange < EXCHANGES; exchange++) {
        struct way quick = {.has_more = false}, careful = {.has_more = false};
        struct talk talk = begin();
        if (any(40) == 0) quick.conn.flags = careful.conn.flags = any(2) ? CONN_TO_ITSELF : CONN_TWO_PLACES;
        for (unsigned at = 0; at < SEGMENTS; at++) {
            unsigned side = speaker(at);
            struct conn_segment segment = say(&talk, side, at);
            if (at == 0) side = 0;
            if (at == 0) conn_begin(&quick.conn, &segment, true), conn_begin(&careful.conn, &segment, true);
            conn_settle_roles(&quick.conn, &segment, side), conn_settle_roles(&careful.conn, &segment, side);
            struct conn_verdict verdict = {0}, other = {0};
            enum conn_plain plain = quick.has_more ? CONN_PLAIN_NOT : conn_take_plain(&judge, &quick.conn, side, &segment);
            struct way before = careful;
            conn_take(&judge, &careful.conn, side, &segment, &verdict);
            if (plain == CONN_PLAIN_NOT) conn_take(&judge, &quick.conn, side, &segment, &other);
            assert_same(&quick, &careful, exchange, at);
            bool moved =
                before.conn.end[0].state != careful.conn.end[0].state || before.conn.end[1].state != careful.conn.end[1].state;
            if (plain == CONN_PLAIN_STAYS) assert_false(moved);
            stays += plain == CONN_PLAIN_STAYS;
            moves += plain == CONN_PLAIN_MOVES;
        }
        closed += conn_outcome(&careful.conn) == CONN_OUT_CLOSED;
    }
    /* The exchanges do go somewhere, and the short cut is taken. */
    assert_true(stays > EXCHANGES && moves > EXCHANGES / 2 && closed > EXCHANGES / 50);
}

static void sent_and_received_at_once_is_sent_and_then_received(void **state)
{
    (void)state;
    struct conn_judge judge;
    conn_judge_init(&judge, more_of, NULL);
    size_t moved = 0;
    for (unsigned exchange = 0; exchange < EXCHANGES; exchange++) {
        struct way once = {.has_more = false}, twice = {.has_more = false};
        struct talk talk = begin();
        if (any(9) == 0) once.conn.flags = twice.conn.flags = CONN_TO_ITSELF;
        for (unsigned at = 0; at < SEGMENTS; at++) {
            unsigned side = at && !(once.conn.flags & CONN_TO_ITSELF) ? speaker(at) : 0;
            struct conn_segment segment = say(&talk, side, at);
            if (at == 0) conn_begin(&once.conn, &segment, true), conn_begin(&twice.conn, &segment, true);
            struct conn_verdict a = {0}, b = {0};
            conn_take(&judge, &once.conn, side, &segment, &a);
            conn_sent(&judge, &twice.conn, side, &segment, &b);
            conn_received(&judge, &twice.conn, once.conn.flags & CONN_TO_ITSELF ? side : !side, &segment, &b);
            assert_same(&once, &twice, exchange, at);
            assert_memory_equal(&a, &b, sizeof(a));
            moved += a.move_count;
        }
    }
    assert_true(moved > EXCHANGES);
}

/* Whoever draws what happened takes the moves for the whole truth: none is missing, and each begins where the last one ended. */
static void the_moves_of_a_verdict_lead_from_state_to_state(void **state)
{
    (void)state;
    struct conn_judge judge;
    conn_judge_init(&judge, more_of, NULL);
    size_t most = 0, proved = 0, taken_back = 0;
    for (unsigned exchange = 0; exchange < EXCHANGES; exchange++) {
        struct way way = {.has_more = false};
        struct talk talk = begin();
        for (unsigned at = 0; at < SEGMENTS; at++) {
            unsigned side = at ? speaker(at) : 0;
            struct conn_segment segment = say(&talk, side, at);
            if (at == 0) conn_begin(&way.conn, &segment, true);
            uint8_t now[2] = {way.conn.end[0].state, way.conn.end[1].state};
            struct conn_verdict verdict = {0};
            conn_take(&judge, &way.conn, side, &segment, &verdict);
            assert_true(verdict.move_count < CONN_MOVES_MAX);
            if (now[0] == STATE_UNKNOWN && way.conn.flags & CONN_MIDWAY) /* the first that shows a connection */
                now[0] = now[1] = STATE_ESTABLISHED;
            if (verdict.move_count > most) most = verdict.move_count;
            for (size_t i = 0; i < verdict.move_count; i++) {
                const struct conn_move *move = &verdict.moves[i];
                /* An end of which nothing was known is first found in LISTEN. */
                if (!(now[move->side] == STATE_CLOSED && move->from == STATE_LISTEN)) assert_int_equal(move->from, now[move->side]);
                now[move->side] = move->to;
                proved += move->proved;
                taken_back += move->taken_back;
            }
            for (unsigned end = 0; end < 2; end++) assert_int_equal(way.conn.end[end].state, now[end]);
        }
    }
    assert_true(most > 2 && proved > EXCHANGES / 100 && taken_back > EXCHANGES / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_short_cut_leaves_what_the_long_way_leaves),
        cmocka_unit_test(sent_and_received_at_once_is_sent_and_then_received),
        cmocka_unit_test(the_moves_of_a_verdict_lead_from_state_to_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
