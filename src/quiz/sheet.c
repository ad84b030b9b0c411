/* The sheet: questions with room for answers, and behind a line to cut at, the key. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/lang.h"
#include "quiz/pens.h"

enum { WIDTH = 80, FEEDBACK_BYTES = 1 << 16 };

static void put_question(const struct quiz_question *question, size_t number, struct buf *out)
{
    char head[24];
    int used = snprintf(head, sizeof(head), "%zu. ", number);
    buf_printf(out, "\n%s(%s)\n%*s", head, question->about, used, "");
    quiz_wrap(out, question->prompt, WIDTH, used, used);
    buf_printf(out, "\n\n%s\n", question->ladder);
    for (size_t i = 0; i < question->choice_count; i++) {
        buf_printf(out, "   [ ] %c) ", quiz_letter(i));
        quiz_wrap(out, question->choices[i], WIDTH, 10, 10);
        buf_char(out, '\n');
    }
    if (!question->choice_count) buf_text(out, tr("   Answer: ____________\n"));
}

static void put_key(const struct quiz_question *question, size_t number, struct buf *out)
{
    char head[24];
    struct buf feedback = buf_new(FEEDBACK_BYTES);
    int used = snprintf(head, sizeof(head), "%2zu. ", number);
    if (question->choice_count)
        buf_printf(&feedback, "%c) %s. ", quiz_letter(question->right), question->answer);
    else
        buf_printf(&feedback, "%" PRIu64 ". ", question->number);
    quiz_put_feedback(&feedback, question);
    buf_text(out, head);
    quiz_wrap(out, buf_string(&feedback), WIDTH, used, used);
    buf_char(out, '\n');
    if (feedback.failed) out->failed = true;
    buf_free(&feedback);
}

int quiz_write_sheet(const struct quiz_paper *paper, struct buf *out)
{
    buf_text(out, tr("Questions on "));
    quiz_wrap(out, paper->title, WIDTH, 0, 13);
    buf_printf(out, tr("\n\nName: ______________________________   Date: ______________   Mark: ____ of %zu\n"), paper->count);
    for (size_t i = 0; i < paper->count; i++) put_question(&paper->questions[i], i + 1, out);
    buf_char(out, '\n');
    buf_text(out, tr("- - - - - - - - - - - - - - - cut here: the key - - - - - - - - - - - - - - - -\n"));
    buf_printf(out, tr("\nPaper %" PRIu64 " on "), paper->seed);
    quiz_wrap(out, paper->title, WIDTH, 0, 20);
    buf_text(out, "\n\n");
    for (size_t i = 0; i < paper->count; i++) put_key(&paper->questions[i], i + 1, out);
    return out->failed ? -ENOMEM : 0;
}
