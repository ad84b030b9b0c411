/* Any bytes are read as a saved run within their bounds; what was accepted says the same when it is saved and read once more. */
#include <stdlib.h>
#include <string.h>

#include "event/text.h"
#include "saved/saved.h"
#include "saved/saved_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int append(void *data, const char *bytes, size_t length)
{
    return buf_append(data, bytes, length);
}

static struct buf text_of(const struct event_log *log)
{
    struct buf text = buf_new(64 << 20);
    if (event_text_write_log(&text, log) || text.failed) abort();
    return text;
}

static void save_and_read(const struct event_log *log)
{
    struct buf file = buf_new(64 << 20), before = text_of(log);
    const struct sink sink = {append, &file};
    const struct saved_options options = {0};
    struct saved *saved = saved_new(&options, &sink);
    struct event_log *again = event_log_new();
    struct err err;
    if (!saved || !again) abort();
    for (size_t i = 0; i < event_log_count(log); i++)
        if (saved_event(saved, event_log_at(log, i))) abort();
    if (saved_finish(saved) || !saved_is_run(file.data, file.length)) abort();
    if (saved_read("again", file.data, file.length, again, &err)) abort();
    struct buf behind = text_of(again);
    if (before.length != behind.length || memcmp(before.data, behind.data, before.length) != 0) abort();
    saved_free(saved);
    event_log_free(again);
    buf_free(&before);
    buf_free(&behind);
    buf_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct event_log *log = event_log_new();
    struct err err = {{0}};
    if (!log) abort();
    if (saved_head_needs(data, size) > SAVED_HEAD_BYTES_MOST && saved_head_needs(data, size) > size) abort();
    (void)saved_is_run(data, size);
    int code = saved_read("fuzz", data, size, log, &err);
    if (code && !err.text[0]) abort();
    if (event_log_count(log)) save_and_read(log);
    event_log_free(log);
    return 0;
}
