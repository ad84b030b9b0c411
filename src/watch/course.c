#include "watch/course.h"

#include <stdlib.h>

#include "base/table.h"

struct course {
    course_taker *take;
    void *data;
    struct table *told; /* number → struct told */
    /* During a look. */
    struct teller *teller;
    struct chooser *chooser;
    int64_t now_ns;
};

struct told {
    int64_t until_ns;
    enum tcp_state state[STORY_SIDES]; /* then */
    uint32_t unanswered;
};

struct course *course_new(course_taker *take, void *data)
{
    struct course *course = calloc(1, sizeof(*course));
    if (!course) return NULL;
    *course = (struct course){.take = take, .data = data, .told = table_new(sizeof(uint32_t))};
    if (course->told) return course;
    free(course);
    return NULL;
}

void course_free(struct course *course)
{
    void *told;
    if (!course) return;
    for (size_t cursor = 0; table_next(course->told, &cursor, NULL, &told);) free(told);
    table_free(course->told);
    free(course);
}

/* NULL: out of memory, and then its steps come at its end. */
static struct told *told_of(struct course *course, uint32_t number)
{
    struct told *told = table_get(course->told, &number);
    if (told) return told;
    told = calloc(1, sizeof(*told));
    if (!told) return NULL;
    *told = (struct told){.until_ns = INT64_MIN, .state = {STATE_UNKNOWN, STATE_UNKNOWN}};
    if (!table_put(course->told, &number, told)) return told;
    free(told);
    return NULL;
}

static void look(void *data, const struct teller_glance *glance)
{
    struct course *course = data;
    struct story *story = NULL;
    if (glance->over || !chooser_wants_ends(course->chooser, glance->end, glance->process)) return;
    struct told *told = told_of(course, glance->number);
    if (!told) return;
    bool same = told->unanswered == glance->unanswered;
    for (int side = 0; side < STORY_SIDES; side++) same = same && told->state[side] == glance->state[side];
    if (same || teller_story_of(course->teller, glance->number, course->now_ns, &story) || !story) return;
    told->until_ns = course->take(course->data, story, told->until_ns);
    told->unanswered = glance->unanswered;
    for (int side = 0; side < STORY_SIDES; side++) told->state[side] = glance->state[side];
    story_free(story);
}

void course_look(struct course *course, struct teller *teller, struct chooser *chooser, int64_t now_ns)
{
    course->teller = teller;
    course->chooser = chooser;
    course->now_ns = now_ns;
    teller_glance_open(teller, look, course);
}

int64_t course_end(struct course *course, uint32_t number)
{
    struct told *told = table_remove(course->told, &number);
    int64_t until_ns = told ? told->until_ns : INT64_MIN;
    free(told);
    return until_ns;
}
