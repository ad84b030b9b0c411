#include "play/lesson/lesson_size.h"

#include <stdbool.h>

#include "base/lang.h"
#include "play/lesson/fitted.h"
#include "play/lesson/lesson.h"

enum { COLUMNS = 80, OUT_BYTES = 1 << 20 };

/* In the language of now; *size keeps the largest. False: none can be drawn. */
static bool measure(const char *name, const struct scenario *scenario, const struct play_stories *stories, struct lesson_size *size)
{
    const struct lesson lesson = {name, scenario, stories, {.width = COLUMNS}, LESSON_SCREEN_ROWS};
    struct buf out = buf_new(OUT_BYTES);
    struct err err;
    uint32_t rows = 0, columns = 0;
    if (!lesson_draw(&lesson, 0, &out, &err)) fitted_size(&out, &rows, &columns);
    if (rows > size->rows) size->rows = rows;
    if (columns > size->columns) size->columns = columns;
    buf_free(&out);
    return rows;
}

struct lesson_size lesson_size(const char *name, const struct scenario *scenario, struct event_log *log)
{
    const enum lang before = lang_now();
    struct lesson_size size = {0};
    bool drawn = true;
    for (enum lang lang = 0; lang < LANGS && drawn; lang++) {
        struct play_stories stories = {0};
        struct err err;
        lang_use(lang);
        drawn = !play_tell(log, &stories, &err) && measure(name, scenario, &stories, &size);
        play_stories_free(&stories);
    }
    lang_use(before);
    return drawn ? size : (struct lesson_size){0};
}
