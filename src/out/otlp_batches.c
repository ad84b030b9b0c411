#include "out/otlp_batches.h"
#include "base/lang.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "out/http_post.h"

enum { BATCH_BYTES = 1 << 20, LINE_BYTES_MAX = 1 << 26, TIMEOUT_MS = 10000 };

/* Every line is a TracesData of this form, so several become one by what is inside. */
static const char head[] = "{\"resourceSpans\":[";
enum { HEAD_BYTES = sizeof(head) - 1, TAIL_BYTES = sizeof("]}\n") - 1 };

struct otlp_batches {
    struct http_post *post;
    struct buf line;  /* that is not yet complete */
    struct buf batch; /* head, and what is inside of the lines */
    uint64_t batch_spans;
    int64_t batch_ms; /* when its first line was taken */
    struct otlp_result result;
    int64_t waited_ns; /* for this receiver's answers, since it last took something */
    bool gave_up;      /* nobody took it: the rest is not tried */
    bool endless;
    int failures;     /* of a run without end: batches given up one after the other, */
    int64_t again_ms; /* and when the next is tried */
};

int otlp_batches_new(struct otlp_batches **ret_batches, const char *url, bool endless, struct err *err)
{
    struct otlp_batches *batches = calloc(1, sizeof(*batches));
    if (!batches) return err_set_errno(err, -ENOMEM, "can't prepare to send");
    batches->endless = endless;
    batches->line = buf_new(LINE_BYTES_MAX);
    batches->batch = buf_new(LINE_BYTES_MAX + BATCH_BYTES + HEAD_BYTES + TAIL_BYTES);
    int code = http_post_new(&batches->post, url, "/v1/traces", TIMEOUT_MS, err);
    if (code) {
        otlp_batches_free(batches);
        return code;
    }
    *ret_batches = batches;
    return 0;
}

uint64_t otlp_batches_spans_of(const char *line)
{
    static const char field[] = "\"spanId\":"; /* in a text its quotes would be escaped */
    uint64_t count = 0;
    for (const char *at = line; (at = strstr(at, field)); at += sizeof(field) - 1) count++;
    return count;
}

static void lose(struct otlp_batches *batches, uint64_t spans, const char *reason)
{
    batches->result.lost += spans;
    if (!batches->result.reason[0])
        snprintf(batches->result.reason, sizeof(batches->result.reason), "%.*s", OTLP_REASON_BYTES - 1, reason);
}

static bool may_be_repeated(long status)
{
    return status == 429 || status == 502 || status == 503 || status == 504;
}

/* Waits as the answer asks, or as long as the `attempt` is old; false: that would be too long in all, or a signal came. */
static bool wait_for_next(struct otlp_batches *batches, const struct http_answer *answer, int attempt)
{
    int64_t pause = answer->retry_after_ns >= 0 ? answer->retry_after_ns : (int64_t)1000000000 << attempt;
    if (pause > OTLP_PATIENCE_NS - batches->waited_ns) return false;
    batches->waited_ns += pause;
    const struct timespec time = {.tv_sec = pause / 1000000000, .tv_nsec = pause % 1000000000};
    return nanosleep(&time, NULL) == 0;
}

/* The rest is not tried; of a run without end, what comes in the next while. */
static void give_up(struct otlp_batches *batches, int64_t retry_after_ns)
{
    int64_t pause_ns = INT64_C(1000000000) << (batches->failures < 5 ? batches->failures : 5);
    if (pause_ns > OTLP_PAUSE_NS) pause_ns = OTLP_PAUSE_NS;
    if (retry_after_ns > pause_ns) pause_ns = retry_after_ns < OTLP_PAUSE_MOST_NS ? retry_after_ns : OTLP_PAUSE_MOST_NS;
    batches->gave_up = true;
    batches->failures++;
    batches->again_ms = clock_ms() + pause_ns / 1000000;
    if (batches->endless) batches->waited_ns = 0;
}

/* Whether the receiver is left alone for now. */
static bool is_given_up(struct otlp_batches *batches)
{
    if (batches->gave_up && batches->endless && clock_ms() >= batches->again_ms) batches->gave_up = false;
    return batches->gave_up;
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

static void settle(struct otlp_batches *batches, const struct http_answer *answer)
{
    char reason[OTLP_REASON_BYTES];
    uint64_t spans = batches->batch_spans, rejected = 0;
    if (answer->status / 100 == 2) {
        rejected = count_rejected(&answer->body);
        if (rejected > spans) rejected = spans;
        batches->result.taken += spans - rejected;
        batches->failures = 0;
        if (batches->endless) batches->waited_ns = 0;
        if (rejected) lose(batches, rejected, tr("it rejected them"));
        return;
    }
    snprintf(reason, sizeof(reason), tr("it answered %ld%s"), answer->status,
             may_be_repeated(answer->status) ? tr(", and no sooner than in a while something else") : "");
    lose(batches, spans, reason);
    if (may_be_repeated(answer->status)) give_up(batches, answer->retry_after_ns);
}

static void send_batch(struct otlp_batches *batches)
{
    struct err err;
    struct http_answer answer;
    if (!batches->batch_spans) return;
    buf_text(&batches->batch, "]}");
    for (int attempt = 0;; attempt++) {
        int code = http_post_send(batches->post, batches->batch.data, batches->batch.length, &answer, &err);
        if (code) {
            lose(batches, batches->batch_spans, err.text);
            give_up(batches, -1);
            break;
        }
        bool again = may_be_repeated(answer.status) && wait_for_next(batches, &answer, attempt);
        if (!again) settle(batches, &answer);
        buf_free(&answer.body);
        if (!again) break;
    }
    buf_clear(&batches->batch);
    batches->batch_spans = 0;
}

static void take_line(struct otlp_batches *batches)
{
    const char *line = buf_string(&batches->line);
    size_t length = batches->line.length;
    uint64_t spans = otlp_batches_spans_of(line);
    if (is_given_up(batches)) {
        lose(batches, spans, "");
        return;
    }
    if (batches->batch_spans && batches->batch.length + length > BATCH_BYTES) send_batch(batches);
    if (!batches->batch_spans) batches->batch_ms = clock_ms();
    buf_text(&batches->batch, batches->batch_spans ? "," : head);
    buf_append(&batches->batch, line + HEAD_BYTES, length - HEAD_BYTES - TAIL_BYTES);
    batches->batch_spans += spans;
}

void otlp_batches_take(struct otlp_batches *batches, const char *bytes, size_t length)
{
    while (length) {
        const char *end = memchr(bytes, '\n', length);
        size_t piece = end ? (size_t)(end - bytes) + 1 : length;
        buf_append(&batches->line, bytes, piece);
        bytes += piece;
        length -= piece;
        if (!end) return;
        if (batches->line.failed)
            lose(batches, 1, tr("a line was too long to be kept")); /* at least */
        else if (batches->line.length > HEAD_BYTES + TAIL_BYTES)
            take_line(batches);
        buf_clear(&batches->line);
    }
}

void otlp_batches_flush(struct otlp_batches *batches)
{
    send_batch(batches);
}

int64_t otlp_batches_waits_since(const struct otlp_batches *batches)
{
    return batches->batch_spans ? batches->batch_ms : INT64_MAX;
}

const struct otlp_result *otlp_batches_so_far(const struct otlp_batches *batches)
{
    return &batches->result;
}

struct otlp_result otlp_batches_finish(struct otlp_batches *batches)
{
    send_batch(batches);
    return batches->result;
}

const char *otlp_batches_url(const struct otlp_batches *batches)
{
    return http_post_url(batches->post);
}

void otlp_batches_free(struct otlp_batches *batches)
{
    if (!batches) return;
    http_post_free(batches->post);
    buf_free(&batches->line);
    buf_free(&batches->batch);
    free(batches);
}
