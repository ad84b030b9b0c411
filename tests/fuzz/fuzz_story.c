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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct event_log *log = event_log_new();
    struct teller *teller = teller_new(forget, NULL);
    if (!log || !teller) abort();
    struct err err;
    /* What stands before a mistake is in the log: it is told all the same. */
    (void)event_text_read("fuzz", (const char *)data, size, log, &err);
    event_log_sort(log);
    int code = 0;
    for (size_t i = 0; i < event_log_count(log) && !code; i++) code = teller_feed(teller, event_log_at(log, i));
    if (!code) (void)teller_finish(teller);
    teller_free(teller);
    event_log_free(log);
    return 0;
}
