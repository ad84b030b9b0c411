#include "watch/on.h"

#include <stdio.h>
#include <string.h>

#include "base/nearest.h"

/* Whether --on's word means what is called `name`: itself, or one of those that "no-answer" stands for. */
static bool means(const char *word, const char *name)
{
    static const char *const silences[] = {"syn-unanswered", "black-hole",  "data-unanswered",
                                           "fin-unanswered", "peer-silent", "keepalive-dead"};
    bool is_meant = strcmp(word, name) == 0;
    for (size_t i = 0; i < sizeof(silences) / sizeof(*silences) && strcmp(word, WATCH_ON_NO_ANSWER) == 0; i++)
        if (strcmp(silences[i], name) == 0) is_meant = true;
    return is_meant;
}

bool on_is_asked_for(const struct watch_ring *ring, const char *name, bool note)
{
    for (size_t i = 0; i < ring->on_count; i++)
        if (means(ring->on[i], name)) return true;
    return !ring->on_count && !note;
}

bool on_names(const struct watch_ring *ring, const struct story *story, char ret_names[ON_NAMES_BYTES])
{
    size_t used = 0;
    for (size_t i = 0; i < story->finding_count; i++) {
        const struct story_finding *finding = &story->findings[i];
        bool is_note = strcmp(finding->severity, "note") == 0;
        if (!on_is_asked_for(ring, finding->id, is_note) || used + strlen(finding->id) + 2 > ON_NAMES_BYTES) continue;
        used += (size_t)snprintf(ret_names + used, ON_NAMES_BYTES - used, "%s%s", used ? "+" : "", finding->id);
    }
    return used > 0;
}

bool watch_knows(const char *name, const char **ret_near)
{
    const char *names[256];
    size_t count, ids;
    const char *const *all = story_finding_ids(&ids);
    for (count = 0; count < ids && count < 200; count++) names[count] = all[count];
    for (int trouble = TROUBLE_NONE + 1; trouble < TROUBLES; trouble++)
        names[count++] = lines_trouble_name((enum watch_trouble)trouble);
    names[count++] = WATCH_ON_NO_ANSWER;
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0) return true;
    *ret_near = nearest_word(name, names, count);
    return false;
}
