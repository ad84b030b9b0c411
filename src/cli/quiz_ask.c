/* The dialogue: a question, an answer, what is right and why. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/lang.h"
#include "cli/quiz_own.h"
#include "quiz/pens.h"

enum { WIDTH = 80, TEXT_BYTES = 1 << 16 };

static void print_wrapped(const char *text, int indent)
{
    struct buf out = buf_new(TEXT_BYTES);
    quiz_wrap(&out, text, WIDTH, indent, indent);
    printf("%*s%s\n", indent, "", buf_string(&out));
    buf_free(&out);
}

static void put_question(const struct quiz_question *question, size_t number, size_t of)
{
    printf(tr("\nQuestion %zu of %zu · %s\n%s\n"), number, of, question->about, question->ladder);
    print_wrapped(question->prompt, 0);
    for (size_t i = 0; i < question->choice_count; i++) printf("  %c) %s\n", quiz_letter(i), question->choices[i]);
}

static bool is_quit(const char *line)
{
    return strcmp(line, "q\n") == 0 || strcmp(line, "q") == 0 || strcmp(line, "quit\n") == 0;
}

/* The next line that answers the question: a slip of the finger is none, and costs nothing. False: no more is answered. */
static bool read_answer(const struct quiz_question *question, char **line, size_t *room)
{
    for (;;) {
        fputs(question->choice_count ? tr("a letter> ") : tr("a number> "), stdout);
        fflush(stdout);
        if (getline(line, room, stdin) < 0 || is_quit(*line)) return false;
        if (quiz_is_answer(question, *line)) return true;
        if (!isatty(STDIN_FILENO)) putchar('\n');
        if (question->choice_count)
            printf(tr("That is none of the letters a to %c; q ends.\n"), quiz_letter(question->choice_count - 1));
        else
            printf(tr("That is no number; q ends.\n"));
    }
}

static void put_verdict(const struct quiz_question *question, bool right)
{
    struct buf out = buf_new(TEXT_BYTES);
    if (!isatty(STDIN_FILENO)) putchar('\n');
    if (right)
        buf_text(&out, tr("Right. "));
    else if (question->choice_count)
        buf_printf(&out, tr("Wrong: it is %c) %s. "), quiz_letter(question->right), question->answer);
    else
        buf_printf(&out, tr("Wrong: it is %s. "), question->answer);
    quiz_put_feedback(&out, question);
    print_wrapped(buf_string(&out), 0);
    buf_free(&out);
}

int quiz_ask_all(const struct quiz_paper *paper, size_t *ret_right)
{
    char *line = NULL;
    size_t room = 0, right = 0, asked = 0;
    printf(tr("%s · paper %" PRIu64 " · answer with a letter or a number; q ends\n"), paper->title, paper->seed);
    for (; asked < paper->count; asked++) {
        const struct quiz_question *question = &paper->questions[asked];
        put_question(question, asked + 1, paper->count);
        if (!read_answer(question, &line, &room)) break;
        bool is_right = quiz_is_right(question, line);
        put_verdict(question, is_right);
        right += is_right;
    }
    free(line);
    if (asked < paper->count) printf(tr("\n%zu not answered."), paper->count - asked);
    printf(tr("\n%zu of %zu\n"), right, paper->count);
    *ret_right = right;
    return fflush(stdout) && errno == EPIPE ? -EPIPE : 0;
}
