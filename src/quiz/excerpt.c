/* The ladder of a question: what led to the step, without causes, and with what is asked left blank. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "quiz/own.h"
#include "viz/text/text_ladder.h"

enum { LADDER_BYTES = 1 << 24, LINES_SHOWN = 16, STEPS_DRAWN = 400, WIDTH_USUAL = 80 };

static int append(void *data, const char *bytes, size_t length)
{
    return buf_append(data, bytes, length);
}

/* The first line, which names the sides, and as many of the last ones as a screen takes. */
static const char *cut(struct arena *arena, const char *all, bool ascii)
{
    const char *head_end = strchr(all, '\n');
    if (!head_end) return arena_text(arena, all);
    size_t lines = 0;
    const char *from = all + strlen(all) - 1;
    while (from > head_end + 1 && lines < LINES_SHOWN)
        if (*--from == '\n') lines++;
    if (from <= head_end + 1) return arena_text(arena, all);
    return arena_printf(arena, "%.*s\n%s\n%s", (int)(head_end - all), all, ascii ? "    ..." : "      ⋮", from + 1);
}

/* What comes later has not happened yet. */
static struct story until(const struct story *story, uint32_t step)
{
    struct story part = *story;
    part.step_count = step + 1;
    part.so_far = true;
    part.finding_count = part.difference_count = 0;
    return part;
}

/* Of the questions from `first` on about the same story. NULL: out of memory. */
static struct view_blank *blanks_of(const struct quiz_paper *paper, size_t i, size_t first, size_t *ret_count)
{
    size_t count = 0, room = 1;
    for (size_t k = first; k < paper->count; k++)
        if (paper->questions[k].blank) room += paper->questions[k].blank_to - paper->questions[k].blank_from + 1;
    struct view_blank *blanks = calloc(room, sizeof(*blanks));
    for (size_t k = first; blanks && k < paper->count; k++) {
        const struct quiz_question *question = &paper->questions[k];
        if (!question->blank || question->story != paper->questions[i].story) continue;
        for (uint32_t step = question->blank_from; step <= question->blank_to; step++)
            blanks[count++] = (struct view_blank){step, question->blank};
    }
    *ret_count = count;
    return blanks;
}

int quiz_draw(struct quiz_paper *paper, size_t i, size_t first, const struct story *story, const struct quiz_options *options,
              struct err *err)
{
    struct quiz_question *question = &paper->questions[i];
    struct story part = until(story, question->until);
    struct buf out = buf_new(LADDER_BYTES), all = buf_new(LADDER_BYTES);
    struct sink sink = {append, &all};
    /* Of a long story only the end is drawn: more steps than lines are shown. */
    struct view_options look = {.width = options->width ? options->width : WIDTH_USUAL,
                                .ascii = options->ascii,
                                .bare = true,
                                .from_step = question->until > STEPS_DRAWN ? question->until - STEPS_DRAWN : 0};
    struct view_blank *blanks = blanks_of(paper, i, first, &look.blank_count);
    look.blanks = blanks;
    int code = blanks ? ladder_draw(&part, &look, look.width, &sink, &out, err) : -ENOMEM;
    if (!code && out.length) code = buf_append(&all, out.data, out.length);
    question->ladder = code ? NULL : cut(&paper->arena, buf_string(&all), options->ascii);
    if (!question->ladder) code = err_set_errno(err, -ENOMEM, "can't draw the ladder of a question");
    free(blanks);
    buf_free(&out);
    buf_free(&all);
    return code;
}
