/* Papers of stories that anybody may have written, in every form: text in, bytes out, nothing may break. */
#include <stdint.h>
#include <stdlib.h>

#include "event/text.h"
#include "quiz/pens.h"
#include "story/tell/teller.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAPER_BYTES_MAX ((size_t)1 << 26)

static int ask(void *data, struct story *story)
{
    (void)data;
    size_t count = 0;
    const struct quiz_pen *pens = quiz_pens(&count);
    const struct quiz_options options = {.seed = story->number, .count = 12, .printed = true};
    struct quiz_paper paper;
    struct err err;
    if (quiz_make(&story, 1, &options, &paper, &err)) abort();
    for (size_t i = 0; i < count; i++) {
        struct buf out = buf_new(PAPER_BYTES_MAX);
        if (pens[i].write(&paper, &out)) abort();
        buf_free(&out);
    }
    for (size_t i = 0; i < paper.count; i++)
        if (!quiz_is_right(&paper.questions[i], paper.questions[i].answer)) abort();
    quiz_free(&paper);
    story_free(story);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err;
    struct event_log *log = event_log_new();
    struct teller *teller = teller_new(ask, NULL);
    if (!log || !teller) abort();
    (void)event_text_read("fuzz", (const char *)data, size, log, &err);
    event_log_sort(log);
    int code = 0;
    for (size_t i = 0; i < event_log_count(log) && !code; i++) code = teller_feed(teller, event_log_at(log, i));
    if (!code) (void)teller_finish(teller);
    teller_free(teller);
    event_log_free(log);
    return 0;
}
