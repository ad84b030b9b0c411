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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_told_of_every_case_is_what_is_stored)};
    return cmocka_run_group_tests_name("findings, whole", tests, NULL, NULL);
}
