/* The findings' cases again, and all that is told of them: which finding fires is the least of what a reader gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "finding_lines.h"
#include "support/golden.h"
#include "support/tell.h"
#include "support/told_lines.h"

struct finding_case {
    const char *id;
    bool there;
    const char *text;
};

#include "finding_cases.h"

static void what_is_told_of_every_case_is_what_is_stored(void **data)
{
    (void)data;
    struct buf lines = buf_new(4 << 20);
    struct sentences sentences = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct told *told = tell_text(cases[i].text, 0);
        buf_printf(&lines, "== %s%s\n", cases[i].there ? "" : "no ", cases[i].id);
        told_lines(&lines, &sentences, told);
        told_free(told);
    }
    buf_printf(&lines, "==\n");
    told_lines_sentences(&lines, &sentences);
    golden_check(GOLDEN_DIR "/findings.txt", buf_string(&lines), lines.length);
    sentences_free(&sentences);
    buf_free(&lines);
}

static bool has_finding(const struct told *told, const char *id)
{
    for (size_t k = 0; k < told->count; k++)
        for (size_t j = 0; j < told->stories[k]->finding_count; j++)
            if (strcmp(told->stories[k]->findings[j].id, id) == 0) return true;
    return false;
}

/* A router on the way complained of the first SYN: a row of the story that is no segment. */
#define COMPLAINT(router, from, to)                                                                                                \
    "packet t=1000001 vantage=1 number=1 src=" router ":0 dst=" from ":0 proto=icmp icmp.type=11 icmp.code=0 icmp.quotes=1 "       \
    "icmp.proto=tcp icmp.src=" from ":40000 icmp.dst=" to ":3333 icmp.seq=100\n"
#define COMPLAINTS COMPLAINT("127.0.0.9", "127.0.0.1", "127.0.0.1") COMPLAINT("192.0.2.9", "192.0.2.1", "192.0.2.2")

/* Behind the first packet. */
static struct told *tell_with_complaint(const char *text)
{
    const char *at = strstr(text, "\npacket ");
    size_t before = at ? (size_t)(at + 1 - text) + strcspn(at + 1, "\n") + 1 : strlen(text);
    struct buf with = buf_new(1 << 20);
    buf_printf(&with, "%.*s%s%s", (int)before, text, COMPLAINTS, text + before);
    struct told *told = tell_text(buf_string(&with), 0);
    buf_free(&with);
    return told;
}

/* That nothing came back: now something did. */
static bool rests_on_silence(const char *id)
{
    static const char *const ids[] = {"syn-unanswered", "black-hole", "one-direction"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        if (strcmp(id, ids[i]) == 0) return true;
    return false;
}

static void an_icmp_error_among_the_segments_takes_no_finding_away(void **data)
{
    (void)data;
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct told *told = tell_with_complaint(cases[i].text);
        if (has_finding(told, cases[i].id) != cases[i].there && !rests_on_silence(cases[i].id)) {
            print_error("case %zu, %s, is %s\n", i, cases[i].id, cases[i].there ? "gone" : "there");
            wrong++;
        }
        told_free(told);
    }
    assert_int_equal(wrong, 0);
}

/* What rests on something that did not come, or on the time between two: of a course alone that is not known. */
static bool needs_all(const char *id)
{
    static const char *const ids[] = {"data-unanswered", "peer-silent",       "keepalive-dead",   "user-timeout",  "slow-answer",
                                      "one-direction",   "nagle-delayed-ack", "send-unconfirmed", "partial-write", "stream-joined",
                                      "close-wait-idle", "no-arrow",          "client-gave-up"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        if (strcmp(id, ids[i]) == 0) return true;
    return false;
}

static void of_a_connections_course_alone_nothing_is_said_that_needs_all(void **data)
{
    (void)data;
    size_t none = 0, wrong = 0;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *at = strstr(cases[i].text, "trace t=1 ");
        if (!cases[i].there || !at || strstr(cases[i].text, "course_only")) continue;
        struct buf text = buf_new(1 << 20);
        buf_printf(&text, "%.*strace t=1 course_only=1 %s", (int)(at - cases[i].text), cases[i].text, at + strlen("trace t=1 "));
        struct told *told = tell_text(buf_string(&text), 0);
        none += needs_all(cases[i].id);
        /* Numbers that leap: what lies between was not captured, so a RST may fit. */
        bool leaps = strcmp(cases[i].id, "reset-ignored") == 0;
        /* No state says when the socket was made: the first data does, where that came in time. */
        bool waits = strcmp(cases[i].id, "deferred-accept") == 0 && !strstr(cases[i].text, "flags=P.");
        if (waits && has_finding(told, cases[i].id)) print_error("case %zu: %s\n", i, cases[i].id), wrong++;
        if (!leaps && !waits && has_finding(told, cases[i].id) == needs_all(cases[i].id))
            print_error("case %zu: %s\n", i, cases[i].id), wrong++;
        told_free(told);
        buf_free(&text);
    }
    assert_int_equal(wrong, 0);
    assert_true(none >= 15);
}

/* A RST that is said not to be its end's own has no cause at that end. */
static void no_reset_is_an_answer_and_forged_at_once(void **data)
{
    (void)data;
    size_t seen = 0, wrong = 0;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct told *told = tell_text(cases[i].text, 0);
        for (size_t s = 0; s < TOLD_MAX && told->stories[s]; s++)
            for (size_t k = 0; k < told->stories[s]->finding_count; k++) {
                const struct story_finding *found = &told->stories[s]->findings[k];
                if (strcmp(found->id, "reset-forged") != 0 && strcmp(found->id, "reset-ignored") != 0) continue;
                seen++;
                const struct story_step *reset = &told->stories[s]->steps[found->steps[0]];
                if (reset->segment->cause.kind != CAUSE_UNKNOWN)
                    print_error("case %zu, %s: %s\n", i, found->id, reset->segment->cause.why), wrong++;
            }
        told_free(told);
    }
    assert_int_equal(wrong, 0);
    assert_true(seen >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_told_of_every_case_is_what_is_stored),
        cmocka_unit_test(of_a_connections_course_alone_nothing_is_said_that_needs_all),
        cmocka_unit_test(no_reset_is_an_answer_and_forged_at_once),
        cmocka_unit_test(an_icmp_error_among_the_segments_takes_no_finding_away),
    };
    return cmocka_run_group_tests_name("findings, whole", tests, NULL, NULL);
}
