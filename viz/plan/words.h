/* Words that all pens use: durations, times, evidence, and what a call says when it begins and ends. */
#ifndef TCPWHY_VIZ_WORDS_H
#define TCPWHY_VIZ_WORDS_H

#include "story/story.h"
#include "viz/plan/phrase.h"

enum { WORDS_BYTES = 48 };

/* "870 ns", "43 µs", "1.25 ms", "210 ms", "3.5 s", "2 min 5 s", "3 h 2 min": three digits at most. Returns `words`. */
const char *words_duration(int64_t ns, char words[WORDS_BYTES]);
/* Milliseconds with three decimals ("12.034", "-0.250"); from 100 s on seconds with a unit ("7200.5 s"). Returns `words`. */
const char *words_time(int64_t ns, char words[WORDS_BYTES]);
/* "65,536". Returns `words`. */
const char *words_grouped(uint64_t number, char words[WORDS_BYTES]);
/* hh:mm:ss of the local time zone. Returns `words`. */
const char *words_clock(int64_t t_ns, char words[WORDS_BYTES]);
/* "kernel stack", "kernel context", "call interval", "RFC rule", "unknown". Static storage. */
const char *words_evidence(enum story_cause_kind kind, enum story_evidence evidence);
/* Bold for the kernel's own word, dim for inference, alarm for unknown. */
/* The same for a line that is too short: "rule", "interval" (the glossary's names). */
const char *words_evidence_short(enum story_cause_kind kind, enum story_evidence evidence);
enum layout_style words_evidence_style(enum story_cause_kind kind, enum story_evidence evidence);
/* "echo-client[812]"; "[812]", "echo-client" or "" where half or all of it is not known. */
void words_process(struct phrase *text, enum layout_style style, const struct story_process *process);
/* "the SYN-ACK (#2)", "connect(3)", "the end of echo-client[812]" for a step; "?" for none. */
void words_step(struct phrase *text, enum layout_style style, const struct story *story, uint32_t step);

/* "connect(3, 127.0.0.1:3333)", with the thread where it is not its end's own process. */
void words_call_begin(struct phrase *text, const struct story *story, const struct story_call *call);
/* "connect(3) = 0 · slept 43 µs, woken by the SYN-ACK (#2)". */
void words_call_end(struct phrase *text, const struct story *story, const struct story_call *call);
/* "connect(3) = 0" and not a word of what it waited for; with `blank` (VIEW_FIELD_RESULT, VIEW_FIELD_WAKE) "connect(3) = ____ ·
 * ____".
 */
void words_call_bare(struct phrase *text, const struct story *story, const struct story_call *call, bool with_args, unsigned blank);
/* Both in one: "listen(3, 128) = 0". */
void words_call_whole(struct phrase *text, const struct story *story, const struct story_call *call);

/* The same in half a line, for a slide: "connect() sent it"; "connect(3) = 0 · slept 43 µs until #2". */
void words_cause_short(struct phrase *text, const struct story *story, const struct story_cause *cause);
void words_call_end_short(struct phrase *text, const struct story *story, const struct story_call *call);
void words_call_whole_short(struct phrase *text, const struct story *story, const struct story_call *call);

#endif
