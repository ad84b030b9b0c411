/* GIFT, as Moodle's documentation has it (question/format/gift): a question a paragraph, its answers in braces. */
#include <errno.h>
#include <inttypes.h>

#include "base/lang.h"
#include "quiz/pens.h"

enum { PIECE_BYTES = 1 << 20 };

/* What means something to GIFT gets a backslash, a line break is \n, and a backslash of the text itself has become an entity. */
static void put_escaped(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\n') {
            buf_text(out, "\\n");
            continue;
        }
        if (*text == '~' || *text == '=' || *text == '#' || *text == '{' || *text == '}' || *text == ':') buf_char(out, '\\');
        buf_char(out, *text);
    }
}

/* Text of ours or a story's, as HTML inside GIFT. */
static void put_text(struct buf *out, const char *text)
{
    struct buf html = buf_new(PIECE_BYTES);
    quiz_put_html(&html, text);
    put_escaped(out, buf_string(&html));
    if (html.failed) out->failed = true;
    buf_free(&html);
}

static void put_question(const struct quiz_paper *paper, size_t i, struct buf *out)
{
    const struct quiz_question *question = &paper->questions[i];
    struct buf feedback = buf_new(PIECE_BYTES);
    buf_printf(out, tr("\n::tcpwhy paper %" PRIu64 ", question %zu of %zu::[html]<pre>"), paper->seed, i + 1, paper->count);
    put_text(out, question->ladder);
    buf_text(out, "</pre><p>");
    put_text(out, question->prompt);
    buf_text(out, "</p> {");
    if (!question->choice_count) buf_printf(out, "#%" PRIu64 ":0", question->number);
    for (size_t k = 0; k < question->choice_count; k++) {
        buf_text(out, k == question->right ? "\n  =" : "\n  ~");
        put_text(out, question->choices[k]);
    }
    buf_text(out, "\n  ####");
    quiz_put_feedback(&feedback, question);
    put_text(out, buf_string(&feedback));
    buf_text(out, "\n}\n");
    if (feedback.failed) out->failed = true;
    buf_free(&feedback);
}

int quiz_write_gift(const struct quiz_paper *paper, struct buf *out)
{
    buf_printf(out, tr("// tcpwhy quiz, seed %" PRIu64 "\n"), paper->seed);
    for (size_t i = 0; i < paper->count; i++) put_question(paper, i, out);
    return out->failed ? -ENOMEM : 0;
}
