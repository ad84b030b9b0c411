/* Which arrows of RFC 9293's figure 5 were seen, and what showed each: the bookkeeping of any number of stories.
 *
 * A map owns nothing outside itself. Strings in it came from outside (process names): a view must escape them. */
#ifndef TCPWHY_STORY_ARROWS_H
#define TCPWHY_STORY_ARROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"
#include "story/story.h"
#include "tcp/figure.h"

enum { ARROWS_CLIENT = 1 << STORY_CLIENT, ARROWS_SERVER = 1 << STORY_SERVER };
enum { ARROWS_NAME_BYTES = 64, ARROWS_STEP_BYTES = 160 };

/* The best sight of one arrow: the one with the strongest evidence, of equals the first. */
struct arrow_sight {
    uint32_t count; /* how often it was seen; 0: never, and the rest is empty */
    uint8_t ends;   /* ARROWS_CLIENT, ARROWS_SERVER: by whom */
    enum story_cause_kind kind;
    enum story_evidence evidence;
    char scenario[ARROWS_NAME_BYTES]; /* or the file */
    char step[ARROWS_STEP_BYTES];     /* "server: listen(3) of echo-server" */
    char kernel[48];                  /* the kernel's own report of it: "CLOSE → LISTEN"; "" it made none */
};

struct arrow_map {
    struct arrow_sight sights[FIGURE_MAX]; /* arrow n is at n - 1 */
    bool visited[STATE_COUNT];
    uint8_t ends[STATE_COUNT]; /* ARROWS_…: which ends were in it */
    uint32_t stories;
};

/* Adds what a story shows. `scenario` is copied. */
void arrows_take_story(struct arrow_map *map, const char *scenario, const struct story *story);
/* Adds what an event shows that no connection's story tells: a listening socket is opened (another witness of what its
 * connections tell), or closed. Take a log's stories first. */
void arrows_take_event(struct arrow_map *map, const char *scenario, const struct event *event);
/* Adds what another map holds, as if its stories had been taken after all of this one's. */
void arrows_join(struct arrow_map *map, const struct arrow_map *other);
/* How many of the arrows `first` … `last` (numbers) were seen / Linux can take. */
size_t arrows_seen(const struct arrow_map *map, size_t first, size_t last);
size_t arrows_possible(size_t first, size_t last);

#endif
