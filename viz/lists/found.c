#include "viz/lists/found.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "viz/lists/quantiles.h"

enum { NUMBERS_MAX = 1 << 22 }; /* of rows; those beyond are counted alone */

struct found {
    struct rows_findings rows;
    struct rows_found *of[2];
    size_t room[2];
    struct arena texts;
    struct quantiles first_byte;
};

struct found *found_new(void)
{
    struct found *found = calloc(1, sizeof(*found));
    if (!found) return NULL;
    found->texts = arena_new();
    found->rows.first_byte = &found->first_byte;
    return found;
}

void found_free(struct found *found)
{
    if (!found) return;
    free(found->of[0]);
    free(found->of[1]);
    arena_free(&found->texts);
    free(found);
}

const struct rows_findings *found_rows(const struct found *found)
{
    return &found->rows;
}

static struct rows_found *of_number(struct found *found, uint32_t number, bool udp)
{
    if (number > found->room[udp]) {
        size_t room = found->room[udp] ? found->room[udp] * 2 : 64;
        while (room < number) room *= 2;
        struct rows_found *of = realloc(found->of[udp], room * sizeof(*of));
        if (!of) return NULL;
        memset(of + found->room[udp], 0, (room - found->room[udp]) * sizeof(*of));
        found->of[udp] = of;
        found->room[udp] = room;
        found->rows.found[udp] = of;
        found->rows.count[udp] = room;
    }
    return &found->of[udp][number - 1];
}

static size_t number_of(const char *id)
{
    size_t count = 0;
    const char *const *ids = story_finding_ids(&count);
    assert(count <= ROWS_FINDINGS_MAX);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(ids[i], id)) return i;
    return ROWS_FINDINGS_MAX;
}

static enum rows_severity severity_of(const char *name)
{
    return !strcmp(name, "error") ? ROWS_ERROR : !strcmp(name, "warning") ? ROWS_WARNING : ROWS_NOTE;
}

static int take_finding(struct found *found, struct rows_found *of, const struct story *story, const struct story_finding *finding)
{
    size_t at = number_of(finding->id);
    if (at >= ROWS_FINDINGS_MAX) return 0;
    struct rows_finding *kind = &found->rows.of[at];
    enum rows_severity severity = severity_of(finding->severity);
    uint64_t bit = (uint64_t)1 << at % 64;
    if (severity > kind->worst) kind->worst = severity;
    if (severity > of->worst) {
        found->rows.connections += !of->worst;
        of->worst = severity;
    }
    if (of->ids[at / 64] & bit) return 0; /* in another part of the same */
    of->ids[at / 64] |= bit;
    if (!kind->connections++ || story->number < kind->first) {
        kind->first = story->number;
        kind->first_udp = story->udp;
        kind->text = arena_text(&found->texts, finding->text);
        if (!kind->text) return -ENOMEM;
    }
    return 0;
}

int found_take(struct found *found, const struct story *story)
{
    int code = 0;
    for (int i = 0; i < SPENTS && story->time.total_ns > 0; i++) found->rows.spent_ns[i] += story->time.spent_ns[i];
    if (story->time.total_ns > 0) found->rows.total_ns += story->time.total_ns;
    if (!story->udp && story->time.first_byte_ns >= 0) quantiles_add(&found->first_byte, story->time.first_byte_ns);
    if (!story->finding_count) return 0;
    struct rows_found beyond = {0},
                      *of = story->number && story->number <= NUMBERS_MAX ? of_number(found, story->number, story->udp) : &beyond;
    if (!of) return -ENOMEM;
    for (size_t i = 0; i < story->finding_count && !code; i++) code = take_finding(found, of, story, &story->findings[i]);
    return code;
}
