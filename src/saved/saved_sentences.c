#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "saved/saved_own.h"
#include "viz/pen/escape.h"
#include "viz/pen/json.h"
#include "viz/plan/words.h"

enum { SENTENCE_BYTES = 8192 };

static struct saved_key key_of(int64_t t_ns, const struct event_packet_header *header)
{
    struct saved_key key;
    memset(&key, 0, sizeof(key));
    key.t_ns = t_ns;
    key.seq = header->seq;
    key.ack = header->ack;
    key.length_bytes = header->length_bytes;
    key.src_port = header->src.port;
    key.dst_port = header->dst.port;
    return key;
}

static const struct story_call *call_of(const struct story *story, const struct story_cause *cause)
{
    if (cause->kind != CAUSE_CALL || cause->step >= story->step_count) return NULL;
    const struct story_step *step = &story->steps[cause->step];
    return step->kind == STEP_ENTER || step->kind == STEP_EXIT ? step->call : NULL;
}

/* A process's name, in which no bracket can pose as the one before its number. */
static void say_name(struct buf *out, const char *comm)
{
    struct buf name = buf_new(4 * EVENT_COMM_BYTES + 1);
    escape_text(&name, comm ? comm : "", false);
    for (const char *c = buf_string(&name); *c; c++)
        if (*c == '[')
            buf_text(out, "\\x5b");
        else
            buf_char(out, *c);
    buf_free(&name);
}

/* "connect(3, 127.0.0.1:3333) of echo-client[812]" */
static void say_call(struct buf *out, const struct story_call *call)
{
    escape_text(out, call->name, false);
    buf_char(out, '(');
    if (call->args)
        escape_text(out, call->args, false);
    else if (call->fd >= 0)
        buf_printf(out, "%" PRId32 ", …", call->fd);
    buf_text(out, ") of ");
    say_name(out, call->comm);
    buf_printf(out, "[%" PRId32 "]", call->pid);
}

/* The cause's words name the call in short, "sent by connect(3) of echo-client": here it stands with its arguments and process. */
static void say_why(struct buf *out, const struct story *story, const struct story_cause *cause)
{
    char brief[128];
    const struct story_call *call = call_of(story, cause);
    if (!call) {
        buf_text(out, ": ");
        escape_text(out, cause->why, false);
        return;
    }
    int length = call->fd >= 0 ? snprintf(brief, sizeof(brief), "sent by %s(%" PRId32 ") of %s", call->name, call->fd,
                                          call->comm ? call->comm : "")
                               : snprintf(brief, sizeof(brief), "sent by %s() of %s", call->name, call->comm ? call->comm : "");
    bool fits = length > 0 && (size_t)length < sizeof(brief) && !strncmp(cause->why, brief, (size_t)length);
    buf_text(out, fits ? " sent by " : ": ");
    if (!fits) escape_text(out, cause->why, false);
    if (!fits) buf_text(out, " (");
    say_call(out, call);
    if (fits)
        escape_text(out, cause->why + length, false);
    else
        buf_char(out, ')');
}

/* Its own number stands in it, because other sentences refer to it. */
static void say_sentence(struct buf *out, const struct story *story, const char *label, uint32_t number,
                         const struct story_cause *cause)
{
    buf_text(out, label);
    say_why(out, story, cause);
    buf_printf(out, " · #%" PRIu32 " · ", number);
    buf_text(out, words_evidence(cause->kind, cause->evidence));
}

static void say_json(struct buf *out, const struct story *story, enum story_side side, const char *what, uint32_t number,
                     const struct story_cause *cause)
{
    const struct story_end *end = &story->end[side];
    const struct story_call *call = call_of(story, cause);
    struct json json = json_new(out, true);
    json_object(&json, NULL);
    json_uint(&json, "conn", story->number);
    json_uint(&json, what, number);
    json_string(&json, "end", story_side_name(side));
    json_maybe_int(&json, "pid", call || end->process.pid, call ? call->pid : end->process.pid);
    json_string(&json, "comm", call ? call->comm : end->process.comm);
    json_maybe_int(&json, "socket", end->cookie != 0, (int64_t)end->cookie);
    json_object(&json, "cause");
    json_string(&json, "kind", story_cause_name(cause->kind));
    json_string(&json, "name", cause->name);
    json_string(&json, "evidence", story_evidence_name(cause->evidence));
    json_string(&json, "why", cause->why);
    if (cause->chain_count) {
        json_array(&json, "chain");
        for (size_t i = 0; i < cause->chain_count; i++) json_string(&json, NULL, cause->chain[i]);
        json_end_array(&json);
    }
    json_end_object(&json);
    json_end_object(&json);
}

static void free_sentence(struct saved_sentence *sentence)
{
    free(sentence->text);
    free(sentence->json);
    free(sentence);
}

static int keep(struct saved *saved, const struct saved_key *key, const struct saved_sentence *model, const char *text,
                const char *json)
{
    struct saved_sentence *sentence = malloc(sizeof(*sentence));
    if (!sentence) return -ENOMEM;
    *sentence = *model;
    sentence->text = strdup(text);
    sentence->json = strdup(json);
    struct saved_sentence *before = table_get(saved->sentences, key);
    int code = sentence->text && sentence->json ? table_put(saved->sentences, key, sentence) : -ENOMEM;
    if (code || before) free_sentence(code ? sentence : before);
    if (!code) saved->held_bytes += strlen(text) + strlen(json) + sizeof(*sentence) + sizeof(*key);
    return code;
}

/* What both kinds of packets have. */
struct told {
    const char *label, *what;
    uint32_t number;
    enum story_side side;
    const struct event_packet *captured;
    int64_t t_ns, received_ns;
    const struct story_cause *cause;
};

static bool told_of(const struct story_step *step, struct told *told)
{
    if (step->kind == STEP_SEGMENT) {
        const struct story_segment *segment = step->segment;
        *told = (struct told){segment->retransmission ? "retransmission" : segment->label,
                              "segment",
                              segment->number,
                              segment->side,
                              segment->captured,
                              segment->place.t_ns,
                              segment->received_ns,
                              &segment->cause};
        return !segment->folded;
    }
    if (step->kind != STEP_DATAGRAM) return false;
    const struct story_datagram *datagram = step->datagram;
    *told = (struct told){datagram->icmp ? "ICMP error" : "datagram",
                          "datagram",
                          datagram->number,
                          datagram->side,
                          datagram->captured,
                          datagram->place.t_ns,
                          datagram->received_ns,
                          &datagram->cause};
    return true;
}

int saved_take_sentences(struct saved *saved, const struct story *story)
{
    struct buf text = buf_new(SENTENCE_BYTES), json = buf_new(1 << 20);
    int code = 0;
    for (size_t i = 0; i < story->step_count && !code; i++) {
        struct told told;
        if (!told_of(&story->steps[i], &told) || !told.captured) continue;
        buf_clear(&text);
        buf_clear(&json);
        say_sentence(&text, story, told.label, told.number, told.cause);
        say_json(&json, story, told.side, told.what, told.number, told.cause);
        const struct story_call *call = call_of(story, told.cause);
        const struct saved_sentence model = {.pid = call ? call->pid : 0, .tid = call ? call->tid : 0};
        struct saved_key key = key_of(told.t_ns, &told.captured->header);
        code = keep(saved, &key, &model, buf_string(&text), buf_string(&json));
        key.t_ns = told.received_ns; /* where it was captured once more */
        if (!code && told.received_ns && told.received_ns != told.t_ns)
            code = keep(saved, &key, &model, buf_string(&text), buf_string(&json));
    }
    buf_free(&text);
    buf_free(&json);
    return code;
}

const struct saved_sentence *saved_sentence_of(const struct saved *saved, const struct event *packet)
{
    struct saved_key key = key_of(packet->t_ns, &packet->packet.header);
    return table_get(saved->sentences, &key);
}

int saved_forget_sentences(struct saved *saved, int64_t before_ns)
{
    size_t cursor = 0;
    const void *key;
    void *value;
    struct table *left = before_ns == INT64_MAX ? NULL : table_new(sizeof(struct saved_key));
    int code = left || before_ns == INT64_MAX ? 0 : -ENOMEM;
    while (saved->sentences && table_next(saved->sentences, &cursor, &key, &value)) {
        bool stays = left && !code && ((const struct saved_key *)key)->t_ns >= before_ns;
        if (stays) code = table_put(left, key, value);
        if (!stays || code) free_sentence(value);
    }
    table_free(saved->sentences);
    saved->sentences = left;
    return code;
}
