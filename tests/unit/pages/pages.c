/* The pages of `tcpwhy explain`: every finding, state and kind of evidence has one and no page is of something that there is not;
 * each has its parts; what it names (commands, other pages) exists. */
#include "pages/pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lab/scenario/catalogue.h"
#include "story/chain.h"
#include "story/story.h"

static bool has_page(enum page_kind kind, const char *id)
{
    size_t count = 0;
    const struct page *pages = pages_all(&count);
    for (size_t i = 0; i < count; i++)
        if (pages[i].kind == kind && !strcmp(pages[i].id, id)) return true;
    return false;
}

static void every_finding_has_a_page_and_every_such_page_a_finding(void **state)
{
    (void)state;
    size_t count = 0, pages_count = 0, of_findings = 0;
    const char *const *ids = story_finding_ids(&count);
    const struct page *pages = pages_all(&pages_count);
    for (size_t i = 0; i < count; i++)
        if (!has_page(PAGES_FINDINGS, ids[i])) fail_msg("docs/findings/%s.md is missing", ids[i]);
    for (size_t i = 0; i < pages_count; i++) {
        bool known = pages[i].kind != PAGES_FINDINGS;
        of_findings += !known;
        for (size_t k = 0; k < count && !known; k++) known = !strcmp(ids[k], pages[i].id);
        if (!known) fail_msg("docs/findings/%s.md: there is no such finding", pages[i].id);
    }
    assert_int_equal(of_findings, count);
}

static void every_state_and_every_evidence_has_a_page(void **state)
{
    (void)state;
    for (int i = 0; i < STATE_COUNT; i++)
        if (i != STATE_UNKNOWN && !has_page(PAGES_STATES, tcp_state_name((enum tcp_state)i)))
            fail_msg("docs/states/%s.md is missing", tcp_state_name((enum tcp_state)i));
    for (int i = EVIDENCE_RULE; i <= EVIDENCE_STACK; i++)
        assert_true(has_page(PAGES_EVIDENCE, story_evidence_name((enum story_evidence)i)));
}

static void every_timer_that_a_chain_can_name_has_a_page(void **state)
{
    (void)state;
    static char text[1 << 16];
    FILE *file = fopen(SOURCE_DIR "/src/story/chain_rows.c", "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    int count = 0;
    for (const char *at = strstr(text, "CHAIN_TIMER, "); at; at = strstr(at + 1, "CHAIN_TIMER, ")) {
        char name[64] = "";
        const char *quote = strchr(at, '"');
        assert_int_equal(sscanf(quote, "\"%63[a-z0-9-]\"", name), 1);
        if (!has_page(PAGES_TIMERS, name)) fail_msg("docs/timers/%s.md is missing", name);
        count++;
    }
    assert_true(count > 10);
    assert_true(has_page(PAGES_TIMERS, "fin-wait-2")); /* of no chain: src/story/steps/telling.h */
}

static void each_page_has_its_shape(void **state)
{
    (void)state;
    static const char *const parts[] = {"\n## What it means\n", "\n## Why it happens\n", "\n## What to do\n", "\n## See it\n",
                                        "\n## What looks alike\n"};
    size_t count = 0, length = 0;
    const struct page *pages = pages_all(&count);
    for (size_t i = 0; i < count; i++) {
        char title[80];
        snprintf(title, sizeof(title), "# %s\n\n", pages[i].id);
        assert_memory_equal(pages[i].text, title, strlen(title));
        const char *summary = pages_summary(&pages[i], &length);
        if (length < 10 || length > 200 || (summary[length - 1] != '.' && summary[length - 1] != '!'))
            fail_msg("%s: its second line is no short sentence: %.*s", pages[i].id, (int)length, summary);
        const char *at = pages[i].text;
        for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]) && pages[i].kind == PAGES_FINDINGS; k++) {
            at = strstr(at, parts[k]);
            if (!at) fail_msg("%s lacks the part%s", pages[i].id, parts[k]);
        }
        for (const char *byte = pages[i].text; *byte; byte++) assert_true(*byte == '\n' || (*byte >= ' ' && *byte <= '~'));
    }
}

static void each_command_that_a_page_names_can_be_given(void **state)
{
    (void)state;
    size_t count = 0;
    const struct page *pages = pages_all(&count);
    int demos = 0, files = 0;
    for (size_t i = 0; i < count; i++) {
        for (const char *at = strstr(pages[i].text, "\ntcpwhy "); at; at = strstr(at + 1, "\ntcpwhy ")) {
            char name[128] = "", path[256];
            if (sscanf(at, "\ntcpwhy demo --recorder ptrace %127[a-z0-9-]", name) == 1 ||
                sscanf(at, "\ntcpwhy demo %127[a-z0-9-]", name) == 1 || sscanf(at, "\ntcpwhy states %127[a-z0-9-]", name) == 1) {
                if (name[0] != '-' && !catalogue_find(name)) fail_msg("%s: there is no scenario %s", pages[i].id, name);
                demos++;
            } else if (sscanf(at, "\ntcpwhy read tests/%127[a-zA-Z0-9./-]", name) == 1) {
                snprintf(path, sizeof(path), SOURCE_DIR "/tests/%s", name);
                if (access(path, R_OK)) fail_msg("%s: there is no %s", pages[i].id, path);
                files++;
            } else if (sscanf(at, "\ntcpwhy %127[r]ead ", name) != 1) {
                fail_msg("%s: what command is that? %.40s", pages[i].id, at + 1);
            }
        }
    }
    assert_true(demos > 60 && files > 5);
}

static void a_page_is_found_however_its_name_is_written(void **state)
{
    (void)state;
    assert_string_equal(pages_find("refused")->id, "refused");
    assert_string_equal(pages_find("close-wait")->id, "CLOSE_WAIT");
    assert_int_equal(pages_find("time-wait")->kind, PAGES_TIMERS);
    assert_int_equal(pages_find("TIME_WAIT")->kind, PAGES_STATES);
    assert_string_equal(pages_find("kernel stack")->id, "stack");
    assert_string_equal(pages_find("Call-Interval")->id, "interval");
    assert_string_equal(pages_find("rfc rule")->id, "rule");
    assert_string_equal(pages_find("kernel context")->id, "context");
    assert_null(pages_find("kernel"));
    assert_null(pages_find("refuse"));
    assert_null(pages_find(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_finding_has_a_page_and_every_such_page_a_finding),
        cmocka_unit_test(every_state_and_every_evidence_has_a_page),
        cmocka_unit_test(every_timer_that_a_chain_can_name_has_a_page),
        cmocka_unit_test(each_page_has_its_shape),
        cmocka_unit_test(each_command_that_a_page_names_can_be_given),
        cmocka_unit_test(a_page_is_found_however_its_name_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
