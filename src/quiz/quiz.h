/* A paper of questions from real stories: what a segment was sent by, which state it leads to, what a call returned.
 *
 * Asked is only what the stories answer beyond doubt: causes and wakes that the kernel's own chain or context shows (never what was
 * inferred by rule or from a call's time), states that a segment led to, numbers that follow from what came before, results that
 * calls were seen to return. A wrong choice is known to be wrong, or it is not offered. The same stories and the same seed make the
 * same paper, byte for byte. A paper owns its texts, and they are escaped for a terminal (viz/pen/escape.h); it borrows nothing. */
#ifndef TCPWHY_QUIZ_QUIZ_H
#define TCPWHY_QUIZ_QUIZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "story/story.h"

enum quiz_field {
    QUIZ_CAUSE, /* what a segment or datagram was sent by */
    QUIZ_STATE, /* the state that an end is in after a segment */
    QUIZ_FLAGS, /* SYN, ACK, FIN, RST */
    QUIZ_SEQ,   /* relative numbers, as Wireshark shows them */
    QUIZ_ACK,
    QUIZ_RETURNS, /* what a call returned */
    QUIZ_NEXT,    /* who sends the next segment, and which */
    QUIZ_WAKE,    /* what ended a call's sleep */
    QUIZ_FIELDS
};

enum { QUIZ_CHOICES_MAX = 4, QUIZ_QUESTIONS_USUAL = 10 };

struct quiz_question {
    enum quiz_field field;
    uint32_t story;   /* which of the stories, from 0 */
    uint32_t step;    /* what is asked about: the segment's step, the call's last; of QUIZ_STATE the state's */
    const char *conn; /* "1"; "u3" for a UDP flow that counts apart */
    const char *kind; /* "segment", "datagram", "call" or "state": what `step` is, … */
    uint32_t which;   /* … and its number in the story; of a state 0 */
    enum story_side side;
    const char *about; /* "connection 1, #2", "u3, #1", "connection 1, connect(3)" */
    const char *prompt;
    const char *choices[QUIZ_CHOICES_MAX];
    size_t choice_count;           /* 0: a number is to be typed */
    size_t right;                  /* index of the only right one */
    uint64_t number;               /* the right one, without choices */
    const char *answer;            /* the right one in words */
    const char *why;               /* a sentence that ends with a full stop */
    const char *reference;         /* "RFC 9293 section 3.5" */
    const char *evidence;          /* "kernel stack", "the segment itself", … */
    const char *ladder;            /* lines of text up to `until`, with what is asked as VIEW_BLANK; no causes */
    uint32_t until;                /* the last step that the ladder shows */
    uint32_t blank_from, blank_to; /* steps at which it leaves … */
    unsigned blank;                /* … these fields blank (enum view_field) */
};

struct quiz_options {
    unsigned fields; /* 1u << enum quiz_field of each that may be asked; 0: all */
    size_t count;    /* at most; 0: QUIZ_QUESTIONS_USUAL */
    uint64_t seed;
    bool printed; /* all questions are seen at once: each ladder leaves blank what any of them asks */
    bool ascii;
    int width; /* columns of the ladders; 0: 80 */
};

struct quiz_paper {
    struct quiz_question *questions; /* in order of stories and their steps */
    size_t count;
    uint64_t seed;
    const char *title; /* whose run it is; escaped */
    struct arena arena;
};

/* 0 and *ret_paper (quiz_free), which may be without a question; -ENOMEM. */
int quiz_make(struct story *const *stories, size_t count, const struct quiz_options *options, struct quiz_paper *ret_paper,
              struct err *err);
void quiz_free(struct quiz_paper *paper);

/* "cause", "state", …; static storage. */
const char *quiz_field_name(enum quiz_field field);
/* Whether this line answers the question: a letter or the choice's words, or the number. Blanks around it and case don't count. */
bool quiz_is_right(const struct quiz_question *question, const char *line);
/* Whether this line answers the question at all, rightly or not: one of the choices, or a number where one is asked for. */
bool quiz_is_answer(const struct quiz_question *question, const char *line);

#endif
