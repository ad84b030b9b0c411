/* What a watch shows: totals, the choice of connections, the lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/lang.h"
#include "support/stories.h"
#include "viz/pen/escape.h"
#include "watch/choose.h"
#include "watch/columns.h"
#include "watch/lines.h"
#include "watch/on.h"
#include "watch/totals.h"

#define MS 1000000

static struct address at(uint8_t last, uint16_t port)
{
    const uint8_t ip[4] = {192, 0, 2, last};
    return address_v4(ip, port);
}

/* ---- durations ---- */

static void percentiles_are_right_to_an_eighth(void **state)
{
    static struct spread spread;
    (void)state;
    assert_int_equal(spread_percentile(&spread, 50), -1);
    for (int64_t us = 1; us <= 100000; us++) spread_add(&spread, us * 1000);
    for (int percent = 1; percent <= 100; percent++) {
        int64_t right = (int64_t)percent * MS, said = spread_percentile(&spread, percent);
        assert_true(said >= right && said <= right + right / 8 + 1000);
    }
    spread_add(&spread, -1);
    assert_int_equal(spread.count, 100000);
}

static void of_two_durations_the_half_is_the_smaller(void **state)
{
    static struct spread spread;
    (void)state;
    spread_add(&spread, 10 * MS);
    spread_add(&spread, 1000 * MS);
    assert_true(spread_percentile(&spread, 50) < 12 * MS);
    assert_int_equal(spread_percentile(&spread, 99), 1000 * MS);
    assert_int_equal(spread_until(&spread, 12 * MS), 1);
    assert_int_equal(spread_until(&spread, 9 * MS), 0);
}

static void any_duration_has_a_class(void **state)
{
    static struct spread spread;
    (void)state;
    for (int64_t ns = 1; ns > 0 && ns < INT64_MAX / 3; ns *= 3) spread_add(&spread, ns);
    spread_add(&spread, INT64_MAX);
    spread_add(&spread, 0);
    assert_int_equal(spread_percentile(&spread, 100), INT64_MAX);
}

/* ---- the choice ---- */

static bool chosen(const struct watch_wishes *wishes, uint8_t from, uint16_t from_port, uint8_t to, uint16_t to_port)
{
    struct chooser *chooser;
    struct err err = {""};
    const struct address end[STORY_SIDES] = {at(from, from_port), at(to, to_port)};
    const struct story_process process[STORY_SIDES] = {{17, "curl"}, {18, "nginx: worker"}};
    assert_int_equal(chooser_new(&chooser, wishes, NULL, &err), 0);
    bool wanted = chooser_wants_ends(chooser, end, process);
    chooser_free(chooser);
    return wanted;
}

static void an_expression_is_about_either_direction(void **state)
{
    (void)state;
    assert_true(chosen(&(struct watch_wishes){.expression = "dst port 80"}, 1, 5000, 2, 80));
    assert_true(chosen(&(struct watch_wishes){.expression = "src port 80"}, 1, 5000, 2, 80));
    assert_true(chosen(&(struct watch_wishes){.expression = "tcp and host 192.0.2.2"}, 1, 5000, 2, 80));
    assert_false(chosen(&(struct watch_wishes){.expression = "port 81"}, 1, 5000, 2, 80));
    assert_false(chosen(&(struct watch_wishes){.expression = "udp"}, 1, 5000, 2, 80));
    assert_false(chosen(&(struct watch_wishes){.expression = "ip6"}, 1, 5000, 2, 80));
}

static void an_expression_that_is_none_is_refused(void **state)
{
    (void)state;
    struct chooser *chooser = NULL;
    struct err err = {""};
    assert_int_equal(chooser_new(&chooser, &(struct watch_wishes){.expression = "prot 80"}, NULL, &err), -EINVAL);
    assert_non_null(strstr(err.text, "pcap-filter"));
}

static void processes_and_ports_of_either_end_count(void **state)
{
    (void)state;
    assert_true(chosen(&(struct watch_wishes){.pids = {18}, .pid_count = 1}, 1, 5000, 2, 80));
    assert_false(chosen(&(struct watch_wishes){.pids = {19}, .pid_count = 1}, 1, 5000, 2, 80));
    assert_true(chosen(&(struct watch_wishes){.comms = {"x", "nginx*"}, .comm_count = 2}, 1, 5000, 2, 80));
    assert_false(chosen(&(struct watch_wishes){.comms = {"nginx"}, .comm_count = 1}, 1, 5000, 2, 80));
    assert_true(chosen(&(struct watch_wishes){.ports = {80}, .port_count = 1}, 1, 5000, 2, 80));
    assert_false(chosen(&(struct watch_wishes){.ports = {80}, .port_count = 1, .pids = {19}, .pid_count = 1}, 1, 5000, 2, 80));
}

static void only_findings_leaves_out_what_has_none(void **state)
{
    (void)state;
    struct chooser *chooser;
    struct err err = {""};
    assert_int_equal(chooser_new(&chooser, &(struct watch_wishes){.only_findings = true}, NULL, &err), 0);
    struct story *good = story_normal_echo(), *bad = story_reset_unread();
    assert_int_equal(good->finding_count, 0);
    assert_true(bad->finding_count > 0);
    assert_false(chooser_shows(chooser, good));
    assert_true(chooser_shows(chooser, bad));
    assert_true(chooser_wants(chooser, good)); /* it counts */
    story_free(good);
    story_free(bad);
    chooser_free(chooser);
}

static struct event left_by(uint32_t interface, uint64_t netns, uint16_t port)
{
    return (struct event){.kind = EVENT_MARK,
                          .mark = {.interface = interface,
                                   .netns = netns,
                                   .header = {.protocol = IPPROTO_TCP, .src = at(1, port), .dst = at(2, 80)}}};
}

static void an_interface_chooses_what_leaves_by_it_here(void **state)
{
    (void)state;
    struct chooser *chooser;
    struct err err = {""};
    struct stat netns;
    const struct story_process nobody[STORY_SIDES] = {{0, NULL}, {0, NULL}};
    const struct watch_wishes wishes = {.interfaces = {2, 7}, .interface_count = 2};
    assert_int_equal(stat("/proc/self/ns/net", &netns), 0);
    assert_int_equal(chooser_new(&chooser, &wishes, NULL, &err), 0);
    const struct event seen[] = {left_by(7, netns.st_ino, 1000), left_by(1, netns.st_ino, 1001),
                                 left_by(7, netns.st_ino + 1, 1002)};
    for (size_t i = 0; i < 3; i++) chooser_take(chooser, &seen[i]);
    for (uint16_t port = 1000; port < 1004; port++) {
        const struct address end[STORY_SIDES] = {at(1, port), at(2, 80)}, turned[STORY_SIDES] = {at(2, 80), at(1, port)};
        assert_int_equal(chooser_wants_ends(chooser, end, nobody), port == 1000);
        assert_int_equal(chooser_wants_ends(chooser, turned, nobody), port == 1000);
    }
    chooser_free(chooser);
}

/* ---- lines ---- */

static void take_line(void *data, int64_t t_ns, const char *line, size_t length)
{
    (void)t_ns;
    buf_append(data, line, length);
}

static void every_story_makes_one_harmless_line_of_the_screens_width(void **state)
{
    static const int widths[] = {0, 40, 60, 80, 120, 200};
    (void)state;
    for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
        struct buf out = buf_new(1 << 20);
        struct watch_facts facts;
        const struct lines_options options = {.width = widths[i], .ascii = true, .course = true};
        size_t count;
        const struct story_fixture *fixtures = story_fixtures(&count);
        for (size_t k = 0; k < count; k++) {
            struct story *story = fixtures[k].make();
            facts_of(story, &facts);
            lines_course(&options, story, INT64_MIN, take_line, &out);
            lines_ended(&options, &facts, &out);
            story_free(story);
        }
        assert_false(out.failed);
        size_t column = 0;
        for (size_t k = 0; k < out.length; k++) {
            unsigned char c = (unsigned char)out.data[k];
            assert_true(c == '\n' || (c >= 0x20 && c < 0x7f));
            column = c == '\n' ? 0 : column + 1;
            assert_true(!widths[i] || column <= (size_t)widths[i]);
        }
        buf_free(&out);
    }
}

static void columns_stand_below_their_heads(void **state)
{
    struct buf out = buf_new(1 << 20);
    struct watch_facts facts;
    const struct lines_options options = {.width = 120, .ascii = true};
    (void)state;
    lines_head(&options, &out);
    size_t head_bytes = out.length;
    struct story *story = story_normal_echo();
    facts_of(story, &facts);
    lines_ended(&options, &facts, &out);
    story_free(story);
    const char *head = strstr(out.data, "OUTCOME"), *closed = strstr(out.data + head_bytes, "closed");
    assert_non_null(head);
    assert_non_null(closed);
    assert_int_equal(head - out.data, closed - (out.data + head_bytes));
    buf_free(&out);
}

/* What the row of an ended connection says of its client's process, up to the next column. */
static void assert_opener_of(const char *comm, int32_t pid, int width, bool is_guess, const char *wanted)
{
    struct buf out = buf_new(1 << 20);
    struct watch_facts facts;
    const struct lines_options options = {.width = width};
    struct story *story = story_normal_echo();
    story->end[STORY_CLIENT].process = (struct story_process){pid, comm};
    story->roles_guessed = is_guess;
    facts_of(story, &facts);
    lines_ended(&options, &facts, &out);
    story_free(story);
    const char *took = out.data + strlen("00:00:00 "), *opener = took + strspn(took, " ");
    opener = strchr(opener, ' ') + 1;
    assert_memory_equal(opener, wanted, strlen(wanted));
    assert_int_equal(opener[strlen(wanted)], ' ');
    buf_free(&out);
}

static void assert_opener(const char *comm, int32_t pid, int width, const char *wanted)
{
    assert_opener_of(comm, pid, width, false, wanted);
}

static void a_guessed_opener_has_its_mark(void **state)
{
    (void)state;
    assert_opener_of("python3", 23092, 148, false, "python3[23092]");
    assert_opener_of("python3", 23092, 148, true, "?python3[23092]");
    assert_opener_of(NULL, 0, 148, true, "?-");
}

static void a_name_is_cut_between_characters_and_its_number_stays(void **state)
{
    (void)state;
    assert_opener("python3", 23092, 80, "python3[23092]");
    assert_opener("xxxxxxxxxxxxxxx", 23092, 80, "xxxxxx…[23092]");
    assert_opener("日本語名前", 23092, 80, "日本語…[23092]"); /* 14 columns */
    assert_opener("日本語", 2309, 80, "日本語[2309]  ");
    assert_opener("\xf0\x9f\xa6\x8a\xf0\x9f\xa6\x8a\xf0\x9f\xa6\x8a\xf0\x9f\xa6", 23092, 80,
                  "🦊🦊🦊…[23092]"); /* cut by the kernel */
    assert_opener("\xe2\x80\xae"
                  "evil",
                  23092, 80, "…[23092]      ");
    assert_opener("\x1b[31mred\x1b[2J", 123456, 120, "\\x1b[31m…[123456]");
    assert_opener("\x1b[31mred\x1b[2J\x1b\x1b", 123456, 0, "\\x1b[31mred\\x1b[…[123456]");
}

/* How the row says by what the connection was ended, at the end of the line. */
static void assert_closed(const char *how, const char *brief, int width, const char *wanted)
{
    struct buf out = buf_new(1 << 20);
    struct watch_facts facts;
    const struct lines_options options = {.width = width};
    struct story *story = story_normal_echo();
    facts_of(story, &facts);
    snprintf(facts.how, sizeof(facts.how), "%s", how);
    snprintf(facts.brief, sizeof(facts.brief), "%s", brief);
    lines_ended(&options, &facts, &out);
    story_free(story);
    const char *line = buf_string(&out), *end = strchr(line, '\n');
    assert_non_null(end);
    assert_true((size_t)(end - line) > strlen(wanted));
    assert_memory_equal(end - strlen(wanted), wanted, strlen(wanted));
    assert_int_equal(end[-(ptrdiff_t)strlen(wanted) - 1], ' ');
    buf_free(&out);
}

static void a_narrow_column_says_in_fewer_words_by_what_it_was_ended(void **state)
{
    (void)state;
    assert_closed("its end: SIGKILL", "SIGKILL", 0, "client its end: SIGKILL");
    assert_closed("its end: SIGKILL", "SIGKILL", 120, "client its end: SIGKILL");
    assert_closed("its end: SIGKILL", "SIGKILL", 80, "client SIGKILL");
    assert_closed("answer to SYN", "answers SYN", 80, "client answers SYN"); /* as wide as the column */
    assert_closed("shutdown(5)", "shutdown(5)", 80, "client shutdown(5)");
    assert_closed("shutdown(12)", "shutdown(12)", 80, "client shutdown()");
    assert_closed("an uncommonly long name", "uncommonly long name", 80, "client uncommonly…");
}

/* A story with these findings, and what a trace of it is called where `word` is asked for (NULL: all are). */
static void assert_names(const char *word, const char *const ids[], size_t count, const char *severity, const char *wanted)
{
    struct story_finding findings[8] = {{.id = NULL}};
    const struct story story = {.findings = findings, .finding_count = count};
    struct watch_ring ring = {.on = {word}, .on_count = word != NULL};
    char names[ON_NAMES_BYTES] = "";
    for (size_t i = 0; i < count; i++) findings[i] = (struct story_finding){.id = ids[i], .severity = severity};
    assert_int_equal(on_names(&ring, &story, names), wanted[0] != '\0');
    assert_string_equal(names, wanted);
}

static void a_trace_is_called_by_all_that_was_asked_for(void **state)
{
    (void)state;
    static const char *const two[] = {"reset-unread-data", "accept-late"}, *const one_in_the_other[] = {"icmp-refused", "refused"};
    static const char *const far_too_many[] = {"nineteen-letters-aa", "nineteen-letters-bb", "fifteen-letters",
                                               "nineteen-letters-cc"};
    assert_names(NULL, two, 2, "warning", "reset-unread-data+accept-late");
    assert_names(NULL, two, 2, "note", "");
    assert_names("accept-late", two, 2, "note", "accept-late");
    assert_names("fin-unanswered", two, 2, "warning", "");
    assert_names(NULL, one_in_the_other, 2, "error", "icmp-refused+refused");
    assert_names(NULL, far_too_many, 4, "warning", "nineteen-letters-aa+nineteen-letters-bb+fifteen-letters"); /* what has room */
}

static void in_chinese_columns_stand_below_their_heads_too(void **state)
{
    struct buf out = buf_new(1 << 20);
    struct watch_facts facts;
    const struct lines_options options = {.width = 120};
    (void)state;
    enum lang before = lang_use(LANG_ZH);
    lines_head(&options, &out);
    size_t head_bytes = out.length;
    struct story *story = story_reset_unread();
    facts_of(story, &facts);
    lines_ended(&options, &facts, &out);
    story_free(story);
    (void)lang_use(before);
    char *head = strstr(out.data, "结局"), *outcome = strstr(out.data + head_bytes, "reset ");
    assert_non_null(head);
    assert_non_null(outcome);
    assert_null(strstr(out.data, "ENDED"));
    assert_null(strstr(out.data, " warning "));
    *head = *outcome = 0;
    assert_int_equal(escape_text_columns(out.data), escape_text_columns(out.data + head_bytes));
    buf_free(&out);
}

static void a_line_ends_where_it_may(void **state)
{
    (void)state;
    assert_int_equal(columns_line("one two three", 9), strlen("one two"));
    assert_int_equal(columns_line("one two three", 13), strlen("one two three"));
    assert_int_equal(columns_line("a verylongword", 8), 8);                      /* nowhere in its second half */
    assert_int_equal(columns_line("收到的字节没有被读取", 7), strlen("收到的")); /* six columns */
    assert_int_equal(columns_line("收到的，字节", 6), strlen("收到"));           /* no line begins with a comma */
    assert_int_equal(columns_line("收", 1), strlen("收"));                       /* at least one character */
    assert_int_equal(columns_fit("日本語", 5, false), strlen("日本"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_right_to_an_eighth),
        cmocka_unit_test(of_two_durations_the_half_is_the_smaller),
        cmocka_unit_test(any_duration_has_a_class),
        cmocka_unit_test(an_expression_is_about_either_direction),
        cmocka_unit_test(an_expression_that_is_none_is_refused),
        cmocka_unit_test(processes_and_ports_of_either_end_count),
        cmocka_unit_test(only_findings_leaves_out_what_has_none),
        cmocka_unit_test(an_interface_chooses_what_leaves_by_it_here),
        cmocka_unit_test(every_story_makes_one_harmless_line_of_the_screens_width),
        cmocka_unit_test(columns_stand_below_their_heads),
        cmocka_unit_test(a_name_is_cut_between_characters_and_its_number_stays),
        cmocka_unit_test(a_narrow_column_says_in_fewer_words_by_what_it_was_ended),
        cmocka_unit_test(a_guessed_opener_has_its_mark),
        cmocka_unit_test(a_trace_is_called_by_all_that_was_asked_for),
        cmocka_unit_test(in_chinese_columns_stand_below_their_heads_too),
        cmocka_unit_test(a_line_ends_where_it_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
