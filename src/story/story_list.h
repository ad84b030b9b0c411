/* Stories that are kept as they are told, in a grown array. */
#ifndef TCPWHY_STORY_STORY_LIST_H
#define TCPWHY_STORY_STORY_LIST_H

#include "story/story.h"

/* Puts the story, which the list owns from then on, behind the `*count` in *list. 0, or -ENOMEM: it is freed. */
int story_list_add(struct story ***list, size_t *count, struct story *story);
/* By their numbers; those that were numbered apart come last. */
void story_list_sort(struct story **list, size_t count);
/* All of them, and the array. */
void story_list_free(struct story **list, size_t count);

#endif
