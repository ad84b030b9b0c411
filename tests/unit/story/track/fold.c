/* What of a long connection's middle is folded: plain segments become a few that stand for them; whatever is out of the ordinary
 * stays, and parts them. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "event/call_traits.h"
#include "story/track/track.h"

/* Of packets_max a quarter stays at the beginning, half of it at the end. */
enum { MOST = 64, BEGIN = 16, END = 32, MIDDLE = 40, ODD = 20, ROOM = 160 };

static const struct address ends[STORY_SIDES] = {{.version = 4, .ip = {10, 0, 0, 1}, .port = 40000},
                                                 {.version = 4, .ip = {10, 0, 0, 2}, .port = 80}};

struct talk {
    struct flow flow;
    struct sighting packets[ROOM];
    struct drop_note drop;
    uint32_t next[STORY_SIDES];
};

static struct talk *talk_new(void)
{
    struct talk *talk = calloc(1, sizeof(*talk));
    assert_non_null(talk);
    memcpy(talk->flow.end, ends, sizeof(ends));
    talk->flow.packets = talk->packets;
    talk->next[STORY_CLIENT] = 1001, talk->next[STORY_SERVER] = 5001;
    return talk;
}

static struct sighting *say(struct talk *talk, enum story_side side, uint32_t length)
{
    struct sighting *seen = &talk->packets[talk->flow.packet_count++];
    assert_true(talk->flow.packet_count <= ROOM);
    seen->captured = true;
    seen->packet.header = (struct event_packet_header){.src = ends[side],
                                                       .dst = ends[!side],
                                                       .protocol = IPPROTO_TCP,
                                                       .flags = TCP_ACK,
                                                       .window = 512,
                                                       .seq = talk->next[side],
                                                       .ack = talk->next[!side],
                                                       .length_bytes = length};
    talk->next[side] += length;
    return seen;
}

static struct teller *teller_of(size_t most)
{
    struct teller *teller = calloc(1, sizeof(*teller));
    assert_non_null(teller);
    teller->bounds.packets_max = most;
    return teller;
}

/* What stands between the beginning and the end: "c 1161+200 ack 5001 (20)", the number of those that it stands for. */
static void check_middle(const struct talk *talk, const char *expected, const char *name)
{
    struct buf text = buf_new(1 << 16);
    for (size_t i = BEGIN; i + END < talk->flow.packet_count; i++) {
        const struct sighting *seen = &talk->packets[i];
        const struct event_packet_header *header = &seen->packet.header;
        buf_printf(&text, "%s%c %u+%u ack %u", i > BEGIN ? ", " : "", "cs"[header->src.port == 80], header -> seq,
                   header -> length_bytes, header -> ack);
        if (seen->folded) buf_printf(&text, " (%u)", seen->folded);
    }
    if (strcmp(buf_string(&text), expected) != 0) fail_msg("%s: %s, not %s", name, buf_string(&text), expected);
    buf_free(&text);
}

static void fold(struct talk *talk)
{
    struct teller *teller = teller_of(MOST);
    flow_fold(teller, &talk->flow);
    free(teller);
}

/* Data of the client; one of the middle is not as the others, which go on behind it. */
static struct talk *talk_with(void (*change)(struct talk *talk, struct sighting *seen), uint32_t length, uint32_t answered)
{
    struct talk *talk = talk_new();
    for (size_t i = 0; i < BEGIN + MIDDLE + END; i++) {
        if (i == BEGIN + ODD) talk->next[STORY_SERVER] += answered;
        struct sighting *seen = say(talk, STORY_CLIENT, i == BEGIN + ODD ? length : 10);
        if (i == BEGIN + ODD && change) change(talk, seen);
    }
    return talk;
}

#define CHANGE(name, what)                                                                                                         \
    static void name(struct talk *talk, struct sighting *seen)                                                                     \
    {                                                                                                                              \
        (void)talk;                                                                                                                \
        what;                                                                                                                      \
    }
static const struct event_chain said;
CHANGE(copied, seen->copy = true)
CHANGE(unsent, seen->unsent = true)
CHANGE(commented, seen->packet.comments = &said)
CHANGE(commented_later, seen->further_comments = &said)
CHANGE(shut, seen->packet.header.window = 0)
CHANGE(urgent, seen->packet.header.flags |= TCP_URG)
CHANGE(unacknowledging, (seen->packet.header.flags = TCP_PSH, seen->packet.header.ack += 50))
CHANGE(datagram, seen->packet.header.protocol = IPPROTO_UDP)
CHANGE(sacking, seen->packet.options.present = OPTION_SACK)
CHANGE(timed, seen->packet.options.present = OPTION_TIMESTAMPS)
CHANGE(sent_again, seen->packet.header.seq -= 10)
CHANGE(ahead, seen->packet.header.seq += 10)
CHANGE(behind_the_times, seen->packet.header.ack -= 1)
CHANGE(wider, seen->packet.header.window = 513)
CHANGE(folded_before, seen->folded = 5)
static void drop_of(struct talk *talk, const struct sighting *seen, uint32_t later, uint32_t length, enum story_side side)
{
    talk->drop.drop.header = seen->packet.header;
    talk->drop.drop.header.src = ends[side];
    talk->drop.drop.header.dst = ends[!side];
    talk->drop.drop.header.seq += later;
    talk->drop.drop.header.length_bytes = length;
    talk->flow.drops = &talk->drop;
    talk->flow.drop_count = 1;
}
CHANGE(dropped, drop_of(talk, seen, 0, 10, STORY_CLIENT))
CHANGE(dropped_in_part, drop_of(talk, seen, 5, 5, STORY_CLIENT))
CHANGE(dropped_with_more, drop_of(talk, seen, 0, 15, STORY_CLIENT))
CHANGE(other_dropped, drop_of(talk, seen, 0, 10, STORY_SERVER))

#define AROUND(odd) "c 1161+200 ack 5001 (20), " odd ", c 1371+190 ack 5001 (19)"
static void what_is_out_of_the_ordinary_stays(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        void (*change)(struct talk *talk, struct sighting *seen);
        uint32_t length, answered;
        const char *middle;
    } cases[] = {
        {"nothing", NULL, 10, 0, "c 1161+400 ack 5001 (40)"},
        {"a copy", copied, 10, 0, AROUND("c 1361+10 ack 5001")},
        {"unsent", unsent, 10, 0, AROUND("c 1361+10 ack 5001")},
        {"with a comment", commented, 10, 0, AROUND("c 1361+10 ack 5001")},
        {"with a later comment", commented_later, 10, 0, AROUND("c 1361+10 ack 5001")},
        {"a window that shuts", shut, 10, 0, AROUND("c 1361+10 ack 5001")},
        {"urgent", urgent, 10, 0, AROUND("c 1361+10 ack 5001")},
        {"without ACK", unacknowledging, 10, 0, AROUND("c 1361+10 ack 5051")},
        {"SACK", sacking, 10, 0, AROUND("c 1361+10 ack 5001")},
        {"timestamps", timed, 10, 0, "c 1161+400 ack 5001 (40)"},
        {"behind the times", behind_the_times, 10, 0, AROUND("c 1361+10 ack 5000")},
        {"dropped", dropped, 10, 0, AROUND("c 1361+10 ack 5001")},
        {"dropped in part", dropped_in_part, 10, 0, AROUND("c 1361+10 ack 5001")},
        {"dropped with more", dropped_with_more, 10, 0, AROUND("c 1361+10 ack 5001")},
        {"another dropped", other_dropped, 10, 0, "c 1161+400 ack 5001 (40)"},
        {"sent again", sent_again, 0, 0, "c 1161+200 ack 5001 (20), c 1351+0 ack 5001, c 1361+190 ack 5001 (19)"},
        {"says nothing", NULL, 0, 0, "c 1161+200 ack 5001 (20), c 1361+0 ack 5001, c 1361+190 ack 5001 (19)"},
        {"a wider window", wider, 0, 0, "c 1161+390 ack 5001 (40)"},
        {"acknowledges more", NULL, 0, 7, "c 1161+390 ack 5001 (40)"},
        {"folded before", folded_before, 0, 0, "c 1161+390 ack 5001 (44)"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct talk *talk = talk_with(cases[i].change, cases[i].length, cases[i].answered);
        fold(talk);
        check_middle(talk, cases[i].middle, cases[i].name);
        free(talk);
    }
    struct talk *talk = talk_with(datagram, 10, 0);
    fold(talk); /* what it says is no number of the connection's: what follows is not the next */
    assert_int_equal(talk->packets[BEGIN].folded, 20);
    assert_int_equal(talk->packets[BEGIN + 1].packet.header.protocol, IPPROTO_UDP);
    free(talk);
    talk = talk_with(ahead, 10, 0);
    fold(talk);
    assert_int_equal(talk->packets[BEGIN].folded, 20);
    assert_int_equal(talk->packets[BEGIN + 1].packet.header.seq, 1371);
    assert_int_equal(talk->packets[BEGIN + 1].folded, 0);
    free(talk);
}

/* No number of theirs is known before the first one. */
static void the_first_numbers_may_be_any(void **state)
{
    (void)state;
    struct talk *talk = talk_new();
    talk->next[STORY_SERVER] = 0x90000001;
    for (size_t i = 0; i < BEGIN + MIDDLE + END; i++) say(talk, STORY_CLIENT, 10);
    fold(talk);
    check_middle(talk, "c 1161+400 ack 2415919105 (40)", "high numbers");
    free(talk);
}

/* Where both ends are captured, and what of it was not seen to arrive may have been lost. */
static void what_may_have_been_lost_stays(void **state)
{
    (void)state;
    for (int seen = 0; seen < 2; seen++) {
        struct talk *talk = talk_with(NULL, 10, 0);
        talk->flow.at_both_ends = true;
        for (size_t i = 0; i < talk->flow.packet_count; i++) talk->packets[i].arrived_ns = seen || i != BEGIN + ODD ? 1 : 0;
        fold(talk);
        check_middle(talk, seen ? "c 1161+400 ack 5001 (40)" : AROUND("c 1361+10 ack 5001"), seen ? "all arrived" : "one did not");
        free(talk);
    }
}

static void fewer_than_sixteen_stay(void **state)
{
    (void)state;
    for (size_t middle = 15; middle <= 16; middle++) {
        struct talk *talk = talk_new();
        for (size_t i = 0; i < BEGIN + middle + END; i++) say(talk, STORY_CLIENT, 10);
        fold(talk);
        assert_int_equal(talk->flow.packet_count, middle < 16 ? BEGIN + middle + END : BEGIN + 1 + END);
        assert_int_equal(talk->flow.folded, middle < 16 ? 0 : 16);
        free(talk);
    }
}

/* Numbers are compared as distances. */
static void what_stands_for_others_is_shorter_than_half_a_gigabyte(void **state)
{
    (void)state;
    struct talk *talk = talk_with(NULL, (1U << 29) - 201, 0);
    fold(talk);
    assert_int_equal(talk->packets[BEGIN].folded, 21);
    assert_int_equal(talk->packets[BEGIN + 1].folded, 19);
    free(talk);
    talk = talk_with(NULL, (1U << 29) - 200, 0);
    fold(talk);
    assert_int_equal(talk->packets[BEGIN].folded, 20);
    free(talk);
}

static void talk_is_folded_into_data_its_answer_and_thanks(void **state)
{
    (void)state;
    struct talk *talk = talk_new();
    for (size_t i = 0; i < BEGIN + MIDDLE + END; i++) say(talk, (enum story_side)(i % 2), i % 2 ? 7 : 10);
    fold(talk);
    check_middle(talk, "c 1081+200 ack 5057 (38), s 5057+140 ack 1281 (1), c 1281+0 ack 5190 (1)", "both");
    free(talk);
    talk = talk_new(); /* no thanks where nothing but acknowledgements came back */
    for (size_t i = 0; i < BEGIN + MIDDLE + END; i++) say(talk, (enum story_side)(i % 2), i % 2 ? 0 : 10);
    fold(talk);
    check_middle(talk, "c 1081+200 ack 5001 (39), s 5001+0 ack 1281 (1)", "acknowledged");
    free(talk);
    talk = talk_new(); /* the server's data: what the client acknowledges is the answer */
    for (size_t i = 0; i < BEGIN + MIDDLE + END; i++) say(talk, (enum story_side) !(i % 2), i % 2 ? 0 : 10);
    fold(talk);
    check_middle(talk, "s 5081+200 ack 1001 (39), c 1001+0 ack 5281 (1)", "the server's");
    free(talk);
}

static void what_was_only_marked_counts_as_captured_and_as_unjoined(void **state)
{
    (void)state;
    struct talk *talk = talk_with(NULL, 10, 0);
    struct sighting *marked = &talk->packets[BEGIN], *joined = &talk->packets[BEGIN + 1], *before = &talk->packets[BEGIN + 2];
    marked->captured = false, marked->marked = true, marked->mark_ns = 77;
    joined->marked = true;
    before->captured = false, before->marked = true, before->folded = 3;
    talk->flow.joined = BEGIN + MIDDLE; /* as places among those before */
    struct teller *teller = teller_of(MOST);
    flow_fold(teller, &talk->flow);
    assert_int_equal(talk->flow.joined, 0);
    assert_int_equal(teller->marks_unjoined, 1);
    assert_int_equal(teller->packets_unmarked, MIDDLE - 3);
    assert_int_equal(talk->flow.folded, MIDDLE - 1);
    assert_true(talk->packets[BEGIN].captured);
    assert_false(talk->packets[BEGIN].marked);
    assert_int_equal(talk->packets[BEGIN].captured_ns, 77);
    assert_int_equal(talk->packets[BEGIN].folded, MIDDLE + 2);
    free(teller);
    free(talk);
}

/* Eight times as many as may be kept, of which nothing can be folded; and when it is looked at again. */
static void trouble_alone_is_too_long(void **state)
{
    (void)state;
    for (size_t count = 32; count <= 33; count++) {
        struct talk *talk = talk_new();
        for (size_t i = 0; i < count; i++) say(talk, STORY_CLIENT, 10)->copy = true;
        struct teller *teller = teller_of(4);
        flow_fold(teller, &talk->flow);
        assert_int_equal(talk->flow.packet_count, count);
        assert_int_equal(talk->flow.too_long, count > 32);
        assert_ptr_equal(teller->too_long, count > 32 ? &talk->flow : NULL);
        assert_int_equal(talk->flow.fold_at, count * 2);
        free(teller);
        free(talk);
    }
    struct talk *talk = talk_with(NULL, 10, 0);
    fold(talk);
    assert_int_equal(talk->flow.fold_at, 2 * (BEGIN + 1 + END));
    free(talk);
}

/* ---- calls ---- */

static void calls_that_carried_data_are_folded(void **state)
{
    (void)state;
    static const struct {
        const char *name, *args;
        uint32_t traits;
        int64_t ret;
        bool running, stays;
        uint64_t bytes;
    } cases[] = {
        {"read", "3, ..., 100", CALL_READS, 9, false, false, 9},
        {"read of one byte", "3, ..., 100", CALL_READS, 1, false, false, 1},
        {"read of the end", "3, ..., 100", CALL_READS, 0, false, false, 0},
        {"recv that only looks", "3, ..., 100, MSG_PEEK", CALL_READS, 9, false, false, 0},
        {"nothing there", "3, ..., 100", CALL_READS, -EAGAIN, false, false, 0},
        {"failed", "3, ..., 100", CALL_READS, -ECONNRESET, false, true, 0},
        {"asleep", "3, ..., 100", CALL_READS, 0, true, true, 0},
        {"write", "3, ..., 9", CALL_WRITES, 9, false, false, 0},
        {"poll", "", CALL_WAITS_FOR_MANY, 1, false, false, 0},
        {"setsockopt", "", 0, 0, false, true, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct call call = {.refs = 2, .traits = cases[i].traits, .ret = cases[i].ret, .exited = !cases[i].running, .order = 42};
        memcpy(call.args, cases[i].args, strlen(cases[i].args));
        struct call other = {.refs = 100, .exited = true};
        struct call *calls[8] = {&other, &other, &call, &other, &other, &other, &other, &other};
        struct sock sock = {.calls = calls, .call_count = 8};
        struct teller *teller = teller_of(8); /* two stay at the beginning, four at the end */
        sock_fold(teller, &sock);
        if (sock.call_count != (cases[i].stays ? 8 : 7) || sock.folded_calls != !cases[i].stays ||
            call.refs != 1U + cases[i].stays || sock.folded_read_bytes != cases[i].bytes ||
            sock.folded_order != (cases[i].stays ? 0 : 42))
            fail_msg("%s: %zu calls, %u folded, %llu bytes", cases[i].name, sock.call_count, sock.folded_calls,
                     (unsigned long long)sock.folded_read_bytes);
        free(teller);
    }
}

static void calls_at_both_ends_stay(void **state)
{
    (void)state;
    struct call call = {.refs = 100, .traits = CALL_READS, .ret = 5, .exited = true};
    struct call *calls[16];
    for (size_t i = 0; i < 16; i++) calls[i] = &call;
    struct sock sock = {.calls = calls, .call_count = 16};
    struct teller *teller = teller_of(8);
    sock_fold(teller, &sock);
    assert_int_equal(sock.call_count, 6);
    assert_int_equal(sock.folded_calls, 10);
    assert_int_equal(sock.folded_read_bytes, 50);
    assert_int_equal(sock.fold_at, 12);
    free(teller);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_out_of_the_ordinary_stays),
        cmocka_unit_test(the_first_numbers_may_be_any),
        cmocka_unit_test(what_may_have_been_lost_stays),
        cmocka_unit_test(fewer_than_sixteen_stay),
        cmocka_unit_test(what_stands_for_others_is_shorter_than_half_a_gigabyte),
        cmocka_unit_test(talk_is_folded_into_data_its_answer_and_thanks),
        cmocka_unit_test(what_was_only_marked_counts_as_captured_and_as_unjoined),
        cmocka_unit_test(trouble_alone_is_too_long),
        cmocka_unit_test(calls_that_carried_data_are_folded),
        cmocka_unit_test(calls_at_both_ends_stay),
    };
    return cmocka_run_group_tests_name("fold", tests, NULL, NULL);
}
