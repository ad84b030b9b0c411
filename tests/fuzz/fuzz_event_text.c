/* Any text is read within its bounds, and what was accepted survives being written and read again. */
#include <stdlib.h>
#include <string.h>

#include "event/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_or_abort(struct buf *out, const struct event_log *log)
{
    if (event_text_write_log(out, log) || out->failed) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct event_log *log = event_log_new(), *again = event_log_new();
    struct buf once = buf_new(64 << 20), twice = buf_new(64 << 20);
    struct err err = {{0}};
    if (!log || !again) abort();
    int code = event_text_read("fuzz", (const char *)data, size, log, &err);
    if (code && !err.text[0]) abort();
    write_or_abort(&once, log);
    if (event_text_read("again", buf_string(&once), once.length, again, &err)) abort();
    write_or_abort(&twice, again);
    if (once.length != twice.length || memcmp(once.data, twice.data, once.length) != 0) abort();
    buf_free(&once);
    buf_free(&twice);
    event_log_free(log);
    event_log_free(again);
    return 0;
}
