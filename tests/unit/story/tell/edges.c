/* Small cases with one thing changed, and all that this changes of what is told (tests/golden/told/edges.txt says in which form): a
 * line that is not there, another number, two at the same instant or one nanosecond apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/golden.h"
#include "support/told_ways.h"

#define HEAD "# tcpwhy events 1\n"
enum { LINES_MAX = 512, ROOM = 4 << 20 };

struct lines {
    const char *at[LINES_MAX];
    size_t length[LINES_MAX], count;
};

static struct lines split(const char *text)
{
    struct lines lines = {.count = 0};
    for (; *text; text += lines.length[lines.count++]) {
        assert_true(lines.count < LINES_MAX);
        lines.at[lines.count] = text;
        lines.length[lines.count] = strcspn(text, "\n") + 1;
    }
    return lines;
}

static bool is_same(const struct lines *a, size_t i, const struct lines *b, size_t k)
{
    return a->length[i] == b->length[k] && memcmp(a->at[i], b->at[k], a->length[i]) == 0;
}

/* The lines of `before` that are gone and those of `after` that are new, in order; the most that both have is left out. */
static void say_difference(struct buf *out, const char *before, const char *after)
{
    static unsigned short common[LINES_MAX + 1][LINES_MAX + 1]; /* from these lines on */
    const struct lines a = split(before), b = split(after);
    memset(common, 0, sizeof(common));
    for (size_t i = a.count; i-- > 0;)
        for (size_t k = b.count; k-- > 0;) {
            unsigned short longer = common[i + 1][k] > common[i][k + 1] ? common[i + 1][k] : common[i][k + 1];
            common[i][k] = is_same(&a, i, &b, k) ? (unsigned short)(common[i + 1][k + 1] + 1) : longer;
        }
    for (size_t i = 0, k = 0; i < a.count || k < b.count;) {
        if (i < a.count && k < b.count && is_same(&a, i, &b, k)) {
            i++, k++;
            continue;
        }
        bool gone = k == b.count || (i < a.count && common[i + 1][k] >= common[i][k + 1]);
        buf_printf(out, "%c%.*s", gone ? '-' : '+', (int)(gone ? a.length[i] : b.length[k]), gone ? a.at[i] : b.at[k]);
        *(gone ? &i : &k) += 1;
    }
}

struct edge {
    struct buf before, after; /* event lines */
    char way[128];            /* in which it is told (told_ways.h) */
    bool begun;
};

static void begin(struct edge *edge)
{
    *edge = (struct edge){.before = buf_new(ROOM), .after = buf_new(ROOM), .begun = true};
    buf_printf(&edge->before, HEAD);
    buf_printf(&edge->after, HEAD);
}

static void end(struct edge *edge, struct buf *out)
{
    if (!edge->begun) return;
    struct buf before = buf_new(ROOM), after = buf_new(ROOM);
    told_ways(&before, edge->way, buf_string(&edge->before));
    told_ways(&after, edge->way, buf_string(&edge->after));
    buf_printf(out, "=>\n");
    say_difference(out, buf_string(&before), buf_string(&after));
    buf_free(&before);
    buf_free(&after);
    buf_free(&edge->before);
    buf_free(&edge->after);
    edge->begun = false;
}

static void one_thing_changed_changes_what_is_stored(void **state)
{
    (void)state;
    FILE *file = fopen(GOLDEN_DIR "/edges.txt", "r");
    struct buf out = buf_new(ROOM);
    struct edge edge = {.begun = false};
    char line[2048];
    bool answer = false;
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        assert_non_null(strchr(line, '\n'));
        if (strncmp(line, "==", 2) == 0) {
            end(&edge, &out);
            begin(&edge);
            answer = false;
        }
        answer = answer || strcmp(line, "=>\n") == 0;
        if (answer) continue; /* made anew */
        buf_printf(&out, "%s", line);
        if (line[0] == ':') snprintf(edge.way, sizeof(edge.way), "%.*s", (int)strcspn(line + 2, "\n"), line + 2);
        if (edge.begun && strchr(" -", line[0])) buf_printf(&edge.before, "%s", line + 1);
        if (edge.begun && strchr(" +", line[0])) buf_printf(&edge.after, "%s", line + 1);
    }
    fclose(file);
    end(&edge, &out);
    golden_check(GOLDEN_DIR "/edges.txt", buf_string(&out), out.length);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_thing_changed_changes_what_is_stored)};
    return cmocka_run_group_tests_name("edges", tests, NULL, NULL);
}
