/* The table of findings holds every id that a rule in src/story adds, and no other: else an expectation of one would be a mistake,
 * or one that can never be. And the catalogue, held to that table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "lab/scenario/catalogue.h"
#include "play/catalogue/vocabulary.h"
#include "story/story.h"

enum { IDS_MAX = 256, ID_BYTES = 64 };

static char used[IDS_MAX][ID_BYTES];
static size_t used_count;

static bool is_severity(const char *word)
{
    return strcmp(word, "note") == 0 || strcmp(word, "warning") == 0 || strcmp(word, "error") == 0;
}

/* The next string literal behind *at, of at most so many bytes; moves *at behind it. */
static bool next_literal(const char **at, char word[ID_BYTES])
{
    const char *begin = strchr(*at, '"');
    const char *end = begin ? strchr(begin + 1, '"') : NULL;
    if (!end || (size_t)(end - begin) > ID_BYTES) return false;
    snprintf(word, ID_BYTES, "%.*s", (int)(end - begin - 1), begin + 1);
    *at = end + 1;
    return true;
}

/* finding_add(telling, "id" (or a choice of two), "severity", …): what stands before the severity are ids. */
static void collect(const char *path, const char *text)
{
    static const char call[] = "finding_add(";
    for (const char *at = strstr(text, call); at; at = strstr(at, call)) {
        char word[ID_BYTES];
        size_t before = used_count;
        at += strlen(call);
        while (next_literal(&at, word) && !is_severity(word)) {
            assert_true(used_count < IDS_MAX);
            memcpy(used[used_count++], word, sizeof(word));
        }
        if (used_count == before) fail_msg("%s: a finding whose id is no literal before its severity", path);
    }
}

static void collect_all(void)
{
    glob_t paths;
    static char text[1 << 20];
    if (used_count) return;
    assert_int_equal(glob(FINDINGS_DIR "/findings_*.c", 0, NULL, &paths), 0);
    assert_int_equal(glob(FINDINGS_DIR "/*/findings_*.c", GLOB_APPEND, NULL, &paths), 0); /* and in its rooms */
    for (size_t i = 0; i < paths.gl_pathc; i++) {
        FILE *file = fopen(paths.gl_pathv[i], "re");
        assert_non_null(file);
        size_t length = fread(text, 1, sizeof(text) - 1, file);
        fclose(file);
        text[length] = '\0';
        collect(paths.gl_pathv[i], text);
    }
    globfree(&paths);
    assert_true(used_count > 0);
}

static bool is_known(const char *id)
{
    size_t count;
    const char *const *ids = story_finding_ids(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(ids[i], id) == 0) return true;
    return false;
}

static void every_id_that_a_rule_adds_is_in_the_table(void **state)
{
    (void)state;
    collect_all();
    for (size_t i = 0; i < used_count; i++)
        if (!is_known(used[i])) fail_msg("'%s' is not in src/story/finding_ids.c", used[i]);
}

static void every_id_of_the_table_is_one_that_a_rule_adds(void **state)
{
    (void)state;
    size_t count;
    const char *const *ids = story_finding_ids(&count);
    collect_all();
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t k = 0; k < used_count; k++) found = found || strcmp(used[k], ids[i]) == 0;
        if (!found) fail_msg("no rule adds '%s'", ids[i]);
        if (i && strcmp(ids[i - 1], ids[i]) >= 0) fail_msg("'%s' does not stand in the order of the alphabet", ids[i]);
    }
}

static void the_catalogue_names_only_findings_and_calls_that_there_are(void **state)
{
    (void)state;
    size_t count;
    const struct catalogue_entry *entries = catalogue(&count);
    for (size_t i = 0; i < count; i++) {
        static struct scenario_mistakes mistakes;
        struct scenario *scenario = NULL;
        int code = scenario_parse(entries[i].text, entries[i].length, play_vocabulary(), &scenario, &mistakes);
        if (code) fail_msg("%s:%u: %s", entries[i].name, mistakes.list[0].line, mistakes.list[0].text);
        scenario_free(scenario);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_id_that_a_rule_adds_is_in_the_table),
        cmocka_unit_test(every_id_of_the_table_is_one_that_a_rule_adds),
        cmocka_unit_test(the_catalogue_names_only_findings_and_calls_that_there_are),
    };
    return cmocka_run_group_tests_name("finding_ids", tests, NULL, NULL);
}
