#include "out/otlp_sender.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "out/http_post.h"

enum { BATCH_BYTES = 1 << 20, LINE_BYTES_MAX = 1 << 26, TIMEOUT_MS = 10000, REASON_BYTES = 256 };

/* Every line is a TracesData of this form, so several become one by what is inside. */
static const char head[] = "{\"resourceSpans\":[";
static const char tail[] = "]}\n";
enum { HEAD_BYTES = sizeof(head) - 1, TAIL_BYTES = sizeof(tail) - 1 };

struct otlp_sender {
    struct http_post *post;
    struct buf line;  /* that is not yet complete */
    struct buf batch; /* head, and what is inside of the lines */
    uint64_t batch_spans, taken, lost;
    int64_t waited_ns;
    bool gave_up; /* nobody took it: the rest is not tried */
    char reason[REASON_BYTES];
};

int otlp_sender_new(struct otlp_sender **ret_sender, const char *url, struct err *err)
{
    struct otlp_sender *sender = calloc(1, sizeof(*sender));
    if (!sender) return err_set_errno(err, -ENOMEM, "can't prepare to send");
    sender->line = buf_new(LINE_BYTES_MAX);
    sender->batch = buf_new(LINE_BYTES_MAX + BATCH_BYTES + HEAD_BYTES + TAIL_BYTES);
    int code = http_post_new(&sender->post, url, "/v1/traces", TIMEOUT_MS, err);
    if (code) {
        otlp_sender_free(sender);
        return code;
    }
    *ret_sender = sender;
    return 0;
}

static uint64_t count_spans(const char *line)
{
    static const char field[] = "\"spanId\":"; /* in a text its quotes would be escaped */
    uint64_t count = 0;
    for (const char *at = line; (at = strstr(at, field)); at += sizeof(field) - 1) count++;
    return count;
}

static void lose(struct otlp_sender *sender, uint64_t spans, const char *reason)
{
    sender->lost += spans;
    if (!sender->reason[0]) snprintf(sender->reason, sizeof(sender->reason), "%.*s", REASON_BYTES - 1, reason);
}

static bool may_be_repeated(long status)
{
    return status == 429 || status == 502 || status == 503 || status == 504;
}

/* Waits as the answer asks, or as long as the `attempt` is old; false: that would be too long in all, or a signal came. */
static bool wait_for_next(struct otlp_sender *sender, const struct http_answer *answer, int attempt)
{
    int64_t pause = answer->retry_after_ns >= 0 ? answer->retry_after_ns : (int64_t)1000000000 << attempt;
    if (pause > OTLP_PATIENCE_NS - sender->waited_ns) return false;
    sender->waited_ns += pause;
    const struct timespec time = {.tv_sec = pause / 1000000000, .tv_nsec = pause % 1000000000};
    return nanosleep(&time, NULL) == 0;
}

/* A receiver may take some and say how many it did not. */
static uint64_t count_rejected(const struct buf *body)
{
    const char *at = strstr(buf_string(body), "\"rejectedSpans\"");
    if (!at) return 0;
    at += strlen("\"rejectedSpans\"");
    at += strspn(at, " \t\r\n:\"");
    return strtoull(at, NULL, 10);
}

static void settle(struct otlp_sender *sender, const struct http_answer *answer)
{
    char reason[REASON_BYTES];
    uint64_t spans = sender->batch_spans, rejected = 0;
    if (answer->status / 100 == 2) {
        rejected = count_rejected(&answer->body);
        if (rejected > spans) rejected = spans;
        sender->taken += spans - rejected;
        if (rejected) lose(sender, rejected, "it rejected them");
        return;
    }
    snprintf(reason, sizeof(reason), "it answered %ld%s", answer->status,
             may_be_repeated(answer->status) ? ", and no sooner than in a while something else" : "");
    lose(sender, spans, reason);
    sender->gave_up = may_be_repeated(answer->status);
}

static void send_batch(struct otlp_sender *sender)
{
    struct err err;
    struct http_answer answer;
    if (!sender->batch_spans) return;
    buf_text(&sender->batch, "]}");
    for (int attempt = 0;; attempt++) {
        int code = http_post_send(sender->post, sender->batch.data, sender->batch.length, &answer, &err);
        if (code) {
            lose(sender, sender->batch_spans, err.text);
            sender->gave_up = true;
            break;
        }
        bool again = may_be_repeated(answer.status) && wait_for_next(sender, &answer, attempt);
        if (!again) settle(sender, &answer);
        buf_free(&answer.body);
        if (!again) break;
    }
    buf_clear(&sender->batch);
    sender->batch_spans = 0;
}

static void take_line(struct otlp_sender *sender)
{
    const char *line = buf_string(&sender->line);
    size_t length = sender->line.length;
    uint64_t spans = count_spans(line);
    if (sender->gave_up) {
        lose(sender, spans, "");
        return;
    }
    if (sender->batch_spans && sender->batch.length + length > BATCH_BYTES) send_batch(sender);
    buf_text(&sender->batch, sender->batch_spans ? "," : head);
    buf_append(&sender->batch, line + HEAD_BYTES, length - HEAD_BYTES - TAIL_BYTES);
    sender->batch_spans += spans;
}

int otlp_sender_write(void *data, const char *bytes, size_t length)
{
    struct otlp_sender *sender = data;
    while (length) {
        const char *end = memchr(bytes, '\n', length);
        size_t piece = end ? (size_t)(end - bytes) + 1 : length;
        buf_append(&sender->line, bytes, piece);
        bytes += piece;
        length -= piece;
        if (!end) return 0;
        if (sender->line.failed)
            lose(sender, 1, "a line was too long to be kept"); /* at least */
        else if (sender->line.length > HEAD_BYTES + TAIL_BYTES)
            take_line(sender);
        buf_clear(&sender->line);
    }
    return 0;
}

int otlp_sender_finish(struct otlp_sender *sender, struct err *err)
{
    if (!sender->gave_up) send_batch(sender);
    if (!sender->lost) return 0;
    return err_set(err, -EIO, "%" PRIu64 " of %" PRIu64 " spans did not get to %s: %s", sender->lost, sender->lost + sender->taken,
                   http_post_url(sender->post), sender->reason);
}

uint64_t otlp_sender_taken(const struct otlp_sender *sender)
{
    return sender->taken;
}

const char *otlp_sender_url(const struct otlp_sender *sender)
{
    return http_post_url(sender->post);
}

void otlp_sender_free(struct otlp_sender *sender)
{
    if (!sender) return;
    http_post_free(sender->post);
    buf_free(&sender->line);
    buf_free(&sender->batch);
    free(sender);
}
