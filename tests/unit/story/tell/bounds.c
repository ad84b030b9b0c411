/* Bounds that keep what is told right: a row is one of them, by events just inside and events just outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support/tell.h"
#include "support/told_lines.h"
#include "unit/story/findings/finding_lines.h"

struct bound {
    const char *says; /* within one line of what is told of the first, and of no line of the second */
    const char *inside, *outside;
};

#include "bound_calls.h"
#include "bound_findings.h"
#include "bound_times.h"
#include "bound_waits.h"
#include "bound_words.h"

#include "bound_causes.h" /* with lines of the others */
#include "bound_handshakes.h"

#include "bound_resets.h"
#include "bound_spans.h"

static bool is_said(const char *text, const char *says)
{
    struct told *told = tell_text(text, 0);
    struct buf lines = buf_new(1 << 20);
    told_lines(&lines, NULL, told);
    bool said = strstr(buf_string(&lines), says) != NULL;
    buf_free(&lines);
    told_free(told);
    return said;
}

static void hold(const struct bound *bounds, size_t count)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        bool inside = is_said(bounds[i].inside, bounds[i].says), outside = is_said(bounds[i].outside, bounds[i].says);
        if (inside && !outside) continue;
        print_error("bound %zu, \"%s\": %s\n", i, bounds[i].says, inside ? "said outside, too" : "not said inside");
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

#define HOLDS(name)                                                                                                                \
    static void name(void **data)                                                                                                  \
    {                                                                                                                              \
        (void)data;                                                                                                                \
        hold(name##_bounds, sizeof(name##_bounds) / sizeof(name##_bounds[0]));                                                     \
    }

HOLDS(calls_alone_tell_how_it_ended)
HOLDS(causes)
HOLDS(findings)
HOLDS(handshakes)
HOLDS(resets)
HOLDS(spans)
HOLDS(states_and_waits)
HOLDS(times)
HOLDS(words)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_alone_tell_how_it_ended),
        cmocka_unit_test(causes),
        cmocka_unit_test(findings),
        cmocka_unit_test(handshakes),
        cmocka_unit_test(resets),
        cmocka_unit_test(spans),
        cmocka_unit_test(states_and_waits),
        cmocka_unit_test(times),
        cmocka_unit_test(words),
    };
    return cmocka_run_group_tests_name("bounds", tests, NULL, NULL);
}
