/* The story engine on stored events that anybody may have written: text in, stories out, nothing may break. */
#include <stdint.h>
#include <stdlib.h>

#include "event/text.h"
#include "story/tell/teller.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int forget(void *data, struct story *story)
{
    (void)data;
    story_free(story);
    return 0;
}

/* Now and then what is open is asked for as well. */
static void tell(const struct event_log *log, const struct teller_bounds *bounds)
{
    struct teller *teller = teller_new(forget, NULL);
    if (!teller) abort();
    teller_set_bounds(teller, bounds);
    int code = 0;
    for (size_t i = 0; i < event_log_count(log) && !code; i++) {
        code = teller_feed(teller, event_log_at(log, i));
        if (!code && i % 16 == 15) code = teller_tell_open(teller, 0, forget, NULL);
    }
    if (!code) (void)teller_finish(teller);
    teller_free(teller);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* So narrow that few lines reach them. */
    const struct teller_bounds narrow = {.quiet_ns = 1000, .closed_max = 1, .open_max = 2, .packets_max = 16, .ends_idle = true};
    struct event_log *log = event_log_new();
    if (!log) abort();
    struct err err;
    /* What stands before a mistake is in the log: it is told all the same. */
    (void)event_text_read("fuzz", (const char *)data, size, log, &err);
    event_log_sort(log);
    tell(log, &teller_stored);
    tell(log, &narrow);
    event_log_free(log);
    return 0;
}
