/* Internal to viz/export: what the files of the event lines share. */
#ifndef TCPWHY_VIZ_EXPORT_JSONL_OWN_H
#define TCPWHY_VIZ_EXPORT_JSONL_OWN_H

#include "viz/pen/json.h"
#include "viz/plan/clock_words.h"
#include "viz/view.h"

enum { FORMAT_VERSION = 1 };
#define STORY_BYTES_MAX ((size_t)1 << 30)
#define COMMENTS_BYTES_MAX ((size_t)1 << 20)

void jsonl_begin_line(struct json *json, const char *type, const struct story *story);
void jsonl_end_line(struct json *json);
void jsonl_connection(struct json *json, const struct story *story);
/* `story` NULL: it stands in none. */
void jsonl_put_call(struct json *json, const struct story *story, const struct story_call *call);
void jsonl_time(struct json *json, const struct story *story);
void jsonl_finding(struct json *json, const struct story *story, const struct story_finding *finding);
void jsonl_difference(struct json *json, const struct story *story, const struct story_difference *difference);
/* A line a step, in order; a call has one line, where it began. */
void jsonl_step(struct json *json, const struct story *story, const struct story_step *step);

#endif
