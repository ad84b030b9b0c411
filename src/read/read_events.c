#include "read/read_events.h"

#include <errno.h>
#include <string.h>

#include "read/stored.h"
#include "saved/saved_read.h"

static const char first_words[] = "# tcpwhy events";

size_t read_events_needs(const void *head, size_t head_bytes)
{
    return saved_head_needs(head, head_bytes);
}

bool read_is_events(const void *head, size_t head_bytes)
{
    size_t length = strlen(first_words);
    return (head_bytes >= length && !memcmp(head, first_words, length)) || saved_is_run(head, head_bytes);
}

int read_events(const char *path, const void *head, size_t head_bytes, const struct output_options *options, struct err *err)
{
    struct output *output = NULL;
    int code = output_open(&output, options, err);
    if (code) return code;
    struct event_log *log = event_log_new();
    code =
        log ? stored_load(path, options->keeper, head, head_bytes, log, err) : err_set_errno(err, -ENOMEM, "can't read %s", path);
    if (!code) code = output_tell(output, log, err);
    event_log_free(log);
    output_close(output);
    return code;
}
