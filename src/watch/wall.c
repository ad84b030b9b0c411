#include "watch/wall.h"

#include <stdio.h>

#include "base/lang.h"

static const int64_t noise_ns = 100000000;

bool wall_look(struct wall *wall, const struct wall_clocks *now, char text[WALL_TEXT_BYTES])
{
    char amount[WORDS_BYTES];
    int64_t shift_ns = now->wall_ns - now->event_ns, by_ns = shift_ns - wall->shift_ns;
    int64_t slept_ns = wall->looked ? now->asleep_ns - wall->asleep_ns : 0;
    wall->asleep_ns = now->asleep_ns;
    wall->looked = true;
    if (by_ns < noise_ns && by_ns > -noise_ns) return false;
    wall->shift_ns = shift_ns;
    int64_t set_ns = by_ns - slept_ns;
    if (set_ns < noise_ns && set_ns > -noise_ns)
        snprintf(text, WALL_TEXT_BYTES, tr("the machine was asleep for %s: durations do not count that"),
                 words_duration(slept_ns + noise_ns / 2, amount));
    else if (set_ns > 0)
        snprintf(text, WALL_TEXT_BYTES, tr("the system's clock was set forward by %s: durations are not touched by that"),
                 words_duration(set_ns + noise_ns / 2, amount));
    else
        snprintf(text, WALL_TEXT_BYTES, tr("the system's clock was set back by %s: durations are not touched by that"),
                 words_duration(noise_ns / 2 - set_ns, amount));
    return true;
}
