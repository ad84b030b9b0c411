/* Bounds: too many, too long, too many calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "endless_own.h"
#include "event/text.h"
#include "story/tell/teller.h"
#include "support/lines.h"
#include "support/tell.h"

void of_too_many_open_connections_the_most_silent_is_told_and_counted(void **state)
{
    (void)state;
    const struct teller_bounds one = {.quiet_ns = INT64_MAX, .closed_max = 8, .open_max = 1};
    struct run run = run_of(TRACE HANDSHAKE
                            "packet t=1500000 vantage=1 number=1 src=127.0.0.1:40001 dst=127.0.0.1:3333 proto=tcp flags=S seq=7\n",
                            &one);
    feed(&run, 1499);
    assert_int_equal(run.count, 0);
    feed(&run, 1500);
    assert_int_equal(run.count, 1);
    finish(&run);
    const struct story_trace *trace = teller_trace(run.teller);
    assert_int_equal(trace->loss_count, 1);
    assert_string_equal(trace->losses[0].source, "the story's memory");
    assert_int_equal(trace->losses[0].count, 1);
    run_free(&run);
}

void what_is_silent_for_long_is_told_as_it_is(void **state)
{
    (void)state;
    const struct teller_bounds idle = {.quiet_ns = INT64_MAX, .closed_max = 8, .ends_idle = true};
    struct run run = run_of(TRACE HANDSHAKE PACKET(1030, C, C_DATA) LATER(432000001030) LATER(432000001031), &idle);
    feed(&run, 432000001030);
    assert_int_equal(run.count, 0);
    feed(&run, 432000001031);
    assert_int_equal(run.count, 1);
    assert_int_equal(run.stories[0]->outcome, OUTCOME_OPEN);
    run_free(&run);
}

/* Its kernel says that the attempt is over, and no segment does; of one that is ESTABLISHED it says nothing of the kind. */
void an_attempt_that_its_kernel_gave_up_is_told_without_another_segment(void **state)
{
    (void)state;
    const struct teller_bounds idle = {.quiet_ns = 1000000, .closed_max = 8, .ends_idle = true};
    static const struct {
        const char *change;
        size_t told;
    } cases[] = {{"from=SYN_SENT to=CLOSE", 1}, {"from=SYN_SENT to=ESTABLISHED", 0}, {"from=SYN_RECV to=CLOSE", 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[1024];
        snprintf(text, sizeof(text), "%sstate t=2000000 netns=9 %s %s\n%s",
                 TRACE ENTER(990, C_THREAD, "connect", C_SOCK, "") PACKET(1000, C, SYN) EXIT(1010, C_THREAD, "connect", C_SOCK, ""),
                 cases[i].change, C_SOCK, LATER(5000));
        struct run run = run_of(text, &idle);
        feed(&run, 5000);
        if (run.count != cases[i].told) fail_msg("%s: %zu told", cases[i].change, run.count);
        run_free(&run);
    }
}

struct numbers {
    uint32_t seq[2];
    int64_t us;
};

static void say(struct buf *text, struct numbers *n, int from, const char *flags, uint32_t seq, uint32_t length, uint32_t window)
{
    static const char *const sides[] = {C, S};
    n->us += 50;
    assert_int_equal(buf_printf(text, "packet t=%lld000 vantage=1 number=1 %sflags=%s seq=%u ack=%u len=%u win=%u\n",
                                (long long)n->us, sides[from], flags, seq, n->seq[!from], length, window),
                     0);
}

/* The server reads: before the request comes, and until it has come. */
static void call(struct buf *text, struct numbers *n, const char *side, const char *more)
{
    n->us += 10;
    assert_int_equal(
        buf_printf(text, "%s t=%lld000 " S_THREAD "name=read fd=4 how=-1 level=-1 %s " S_SOCK "\n", side, (long long)n->us, more),
        0);
}

/* Requests and longer answers, each acknowledged; once in a hundred one is sent again, once in a thousand the window shuts. */
static char *long_connection(size_t rounds, bool reads)
{
    struct buf text = buf_new(64 << 20);
    struct numbers n = {.seq = {101, 501}, .us = 2000};
    assert_int_equal(buf_append(&text, TRACE HANDSHAKE, sizeof(TRACE HANDSHAKE) - 1), 0);
    for (size_t i = 0; i < rounds; i++) {
        uint32_t request = n.seq[0];
        if (reads) call(&text, &n, "enter", "args=\"4, ..., 4096\"");
        say(&text, &n, 0, "P.", n.seq[0], 100, 512);
        n.seq[0] += 100;
        if (reads) call(&text, &n, "exit", "ret=100 slept=20000");
        for (int k = 0; k < 3; k++) {
            say(&text, &n, 1, k == 2 ? "P." : ".", n.seq[1], 1000, 512);
            n.seq[1] += 1000;
        }
        say(&text, &n, 0, ".", n.seq[0], 0, 512);
        if (i % 100 == 50) say(&text, &n, 0, "P.", request, 100, 512);
        if (i % 1000 == 500) {
            say(&text, &n, 0, ".", n.seq[0], 0, 0);
            say(&text, &n, 0, ".", n.seq[0], 0, 512);
        }
    }
    say(&text, &n, 0, "F.", n.seq[0], 0, 512);
    n.seq[0]++;
    say(&text, &n, 1, "F.", n.seq[1], 0, 512);
    n.seq[1]++;
    say(&text, &n, 0, ".", n.seq[0], 0, 512);
    return text.data; /* the buffer is the test's now */
}

static void check_same_answers(const struct story *whole, const struct story *folded)
{
    assert_int_equal(whole->outcome, folded->outcome);
    assert_int_equal(whole->summary.segments, folded->summary.segments);
    assert_int_equal(whole->summary.retransmissions, folded->summary.retransmissions);
    assert_int_equal(whole->finding_count, folded->finding_count);
    for (size_t side = 0; side < STORY_SIDES; side++) {
        assert_int_equal(whole->end[side].state, folded->end[side].state);
        assert_int_equal(whole->end[side].bytes_sent, folded->end[side].bytes_sent);
        assert_int_equal(whole->end[side].bytes_missed, folded->end[side].bytes_missed);
    }
}

void a_long_connection_keeps_what_its_story_needs(void **state)
{
    (void)state;
    struct teller_bounds bounds = teller_stored;
    bounds.packets_max = 1024;
    char *text = long_connection(5000, false);
    struct run whole = run_of(text, NULL), folded = run_of(text, &bounds);
    feed(&folded, INT64_MAX / 1000);
    size_t kept = 0;
    void *value;
    for (size_t cursor = 0; table_next(folded.teller->flows, &cursor, NULL, &value);) kept += ((struct flow *)value)->packet_count;
    assert_true(kept < 2048);
    finish(&whole);
    finish(&folded);
    assert_int_equal(whole.count, 1);
    assert_int_equal(folded.count, 1);
    check_same_answers(whole.stories[0], folded.stories[0]);
    assert_int_equal(whole.stories[0]->summary.folded_segments, 0);
    assert_true(folded.stories[0]->summary.folded_segments > 20000);
    run_free(&whole);
    run_free(&folded);
    free(text);
}

void what_a_drop_will_bring_again_is_waited_for(void **state)
{
    (void)state;
    const struct teller_bounds quick = {.quiet_ns = 200000000, .closed_max = 8};
    const char *const texts[] = {
        /* The last ACK is dropped: the FIN comes again, and is acknowledged again. */
        TRACE CLOSED "drop t=2021" US " netns=9 " C
                     "flags=. seq=102 ack=502 reason=NETFILTER_DROP function=nft_do_chain\n" LATER(300000)
                         PACKET(400000, S, S_FIN_US) PACKET(400010, C, "flags=. seq=102 ack=502") LATER(3400000) LATER(3400001),
        /* It was not seen at all. */
        TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN_US) LATER(300000) LATER(1000000) PACKET(1400000, S, S_FIN_US)
            PACKET(1400010, C, "flags=. seq=102 ack=502") LATER(1600000) LATER(1700000),
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct run run = run_of(texts[i], &quick);
        feed(&run, 1399999);
        assert_int_equal(run.count, 0);
        feed(&run, INT64_MAX / 1000);
        assert_int_equal(run.count, 1);
        assert_int_equal(run.stories[0]->outcome, OUTCOME_CLOSED);
        assert_int_equal(run.stories[0]->summary.retransmissions, 1);
        run_free(&run);
    }
}

/* Within a millisecond `count` connections close of which the last FIN's ACK was not seen, so that they wait; then one that is
 * whole (where `whole`); then nothing, with passes a millisecond apart. */
static struct run crowd_that_waits(int count, bool whole)
{
    static const char *const segments[] = {SYN, SYN_ACK, HANDSHAKE_ACK, C_FIN, S_FIN_US, "flags=. seq=102 ack=502"};
    const struct teller_bounds bounds = {.quiet_ns = INT64_MAX, .closed_max = 32};
    struct buf text = buf_new(1 << 20);
    assert_int_equal(buf_text(&text, TRACE), 0);
    for (int i = 0; i < count + whole; i++)
        for (int j = 0; j < (i == count ? 6 : 5); j++) {
            bool back = j == 1 || j == 4;
            buf_printf(&text, "packet t=%d00 vantage=1 number=1 src=127.0.0.1:%d dst=127.0.0.1:%d proto=tcp %s\n",
                       20000 + 10 * i + j, back ? 3333 : 40000 + i, back ? 40000 + i : 3333, segments[j]);
        }
    buf_text(&text, LATER(2999) LATER(4001) LATER(5002) LATER(6003));
    assert_false(text.failed);
    struct run run = run_of(text.data, &bounds);
    buf_free(&text);
    return run;
}

/* 40 are before it: three looks come to it. */
void whoever_waits_does_not_hold_up_those_behind(void **state)
{
    (void)state;
    struct run run = crowd_that_waits(40, true);
    feed(&run, 2999);
    assert_int_equal(run.count, 0);
    feed(&run, 6003);
    assert_int_equal(run.count, 1);
    assert_int_equal(run.stories[0]->end[STORY_CLIENT].address.port, 40040);
    run_free(&run);
}

/* Twice closed_max: one more, and one is told, at once. */
void of_too_many_that_wait_one_is_told(void **state)
{
    (void)state;
    for (int more = 0; more < 3; more++) {
        struct run run = crowd_that_waits(64 + more, false);
        feed(&run, 2999);
        assert_int_equal(run.count, more);
        run_free(&run);
    }
}

#define LISTENER "sock.cookie=6 sock.proto=tcp sock.local=127.0.0.1:3333 sock.state=LISTEN"

void what_children_do_to_a_listener_that_they_inherit_is_no_loss(void **state)
{
    enum { CHILDREN = 3000 };
    struct buf text = buf_new(64 << 20);
    bool listens = false;
    (void)state;
    const struct teller_bounds live = {.quiet_ns = INT64_MAX, .closed_max = 8};
    assert_int_equal(buf_text(&text, TRACE CALL(10, 20, S_THREAD, "listen", LISTENER)), 0);
    for (int i = 0; i < CHILDREN; i++)
        buf_printf(&text,
                   "enter t=%d00 pid=%d tid=%d comm=server name=close fd=3 how=-1 level=-1 " LISTENER
                   "\nexit t=%d50 pid=%d tid=%d comm=server name=close fd=3 how=-1 level=-1 slept=-1 " LISTENER "\n",
                   300 + i, 100 + i, 100 + i, 300 + i, 100 + i, 100 + i);
    buf_text(&text, HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN_US) PACKET(2020, C, "flags=. seq=102 ack=502"));
    assert_false(text.failed);
    struct run run = run_of(text.data, &live);
    finish(&run);
    assert_int_equal(run.count, 1);
    for (size_t i = 0; i < run.stories[0]->step_count; i++)
        listens =
            listens || (run.stories[0]->steps[i].kind == STEP_ENTER && strcmp(run.stories[0]->steps[i].call->name, "listen") == 0);
    assert_true(listens);
    assert_int_equal(teller_trace(run.teller)->loss_count, 0);
    run_free(&run);
    buf_free(&text);
}

static const struct story_call *last_call(const struct story *story)
{
    const struct story_call *last = NULL;
    for (size_t i = 0; i < story->step_count; i++)
        if (story->steps[i].kind == STEP_EXIT) last = story->steps[i].call;
    return last;
}

/* Which segment woke a read() is counted in bytes: those that were read by calls that are told no more count too. */
void calls_of_a_long_connection_are_folded_and_the_last_is_told_right(void **state)
{
    (void)state;
    struct teller_bounds bounds = teller_stored;
    bounds.packets_max = 1024;
    char *text = long_connection(3000, true);
    struct run whole = run_of(text, NULL), folded = run_of(text, &bounds);
    finish(&whole);
    finish(&folded);
    const struct story *a = whole.stories[0], *b = folded.stories[0];
    check_same_answers(a, b);
    assert_int_equal(a->summary.calls, 3000);
    assert_int_equal(b->summary.calls + b->summary.folded_calls, 3000);
    assert_true(b->summary.folded_calls > 1000);
    const struct story_wake *of_whole = &last_call(a)->wake, *of_folded = &last_call(b)->wake;
    assert_int_equal(of_whole->kind, WAKE_SEGMENT);
    assert_int_equal(of_folded->kind, WAKE_SEGMENT);
    assert_int_equal(a->steps[of_whole->step].segment->number, b->steps[of_folded->step].segment->number);
    run_free(&whole);
    run_free(&folded);
    free(text);
}

/* Nothing but repetitions: there is nothing to fold, and memory has an end. */
void a_connection_of_trouble_alone_is_told_and_goes_on_as_its_sequel(void **state)
{
    (void)state;
    struct teller_bounds bounds = teller_stored;
    struct buf text = buf_new(64 << 20);
    struct numbers n = {.seq = {101, 501}, .us = 2000};
    bounds.packets_max = 1024;
    assert_int_equal(buf_append(&text, TRACE HANDSHAKE, sizeof(TRACE HANDSHAKE) - 1), 0);
    for (int i = 0; i < 20000; i++) say(&text, &n, 0, "P.", n.seq[0], 100, 512);
    struct run run = run_of(buf_string(&text), &bounds);
    finish(&run);
    assert_int_equal(run.count, 2);
    assert_true(run.stories[1]->sequel);
    assert_int_equal(run.stories[1]->number, 1);
    assert_int_equal(run.stories[1]->end[STORY_CLIENT].state, STATE_ESTABLISHED);
    assert_int_equal(run.stories[0]->summary.retransmissions + run.stories[1]->summary.retransmissions, 19999);
    assert_int_equal(teller_trace(run.teller)->losses[0].count, 1);
    run_free(&run);
    buf_free(&text);
}

void a_connection_that_is_not_longer_is_not_folded(void **state)
{
    (void)state;
    struct teller_bounds bounds = teller_stored;
    bounds.packets_max = 1024;
    char *text = long_connection(203, false); /* 3 + 203 * 5 + 2 again + 3 + ... */
    struct run run = run_of(text, &bounds);
    finish(&run);
    assert_in_range(run.stories[0]->summary.segments, 1020, 1024);
    assert_int_equal(run.stories[0]->summary.folded_segments, 0);
    run_free(&run);
    free(text);
}
