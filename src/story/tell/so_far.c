/* Stories of what is not over. */
#include <errno.h>
#include <stdlib.h>

#include "story/tell/tell.h"
#include "story/tell/teller.h"

int teller_tell_open(struct teller *teller, int64_t now_ns, teller_listener *listener, void *data)
{
    size_t count;
    struct flow **flows = open_flows(teller, &count);
    int code = flows ? 0 : -ENOMEM;
    for (size_t i = 0; i < count && !code; i++) {
        struct story *story;
        code = tell_so_far(teller, flows[i], now_ns, &story);
        if (!code && story) code = listener(data, story);
    }
    free(flows);
    return code;
}

int teller_story_of(struct teller *teller, uint32_t number, int64_t now_ns, struct story **ret_story)
{
    void *value;
    *ret_story = NULL;
    for (size_t cursor = 0; table_next(teller->flows, &cursor, NULL, &value);)
        if (((const struct flow *)value)->number == number) return tell_so_far(teller, value, now_ns, ret_story);
    return 0;
}
