/* Between the files that make a paper. */
#ifndef TCPWHY_QUIZ_OWN_H
#define TCPWHY_QUIZ_OWN_H

#include "quiz/quiz.h"

enum { QUIZ_POOL_MAX = 16 };

/* What a question is made with. */
struct asking {
    const struct story *story;
    uint64_t seed; /* of this question */
    struct arena *arena;
    bool ascii;
    bool failed; /* out of memory */
    struct quiz_question *question;
    /* Wrong answers that are known to be wrong: the first `misconceptions` of them are what people believe, and come first. */
    const char *wrong[QUIZ_POOL_MAX];
    size_t wrong_count, misconceptions;
};

/* What can be asked about a step, and is: fills asking->question (not its ladder, nor the order of its choices), the wrong answers
 * and what is blank. False: it can't be asked. Each field has one. */
typedef bool quiz_asker(struct asking *asking, uint32_t step);
quiz_asker quiz_ask_cause, quiz_ask_state, quiz_ask_flags, quiz_ask_seq, quiz_ask_ack, quiz_ask_returns, quiz_ask_next,
    quiz_ask_wake;

/* A well mixed number from a seed and a text. */
uint64_t quiz_hash(uint64_t seed, const char *text);
uint64_t quiz_mix(uint64_t seed, uint64_t number);
/* Formatted, in the arena: raw, as all that askers say; "" and `failed` when out of memory. */
const char *quiz_text(struct asking *asking, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same text, escaped for a terminal. */
const char *quiz_safe(struct asking *asking, const char *raw);
/* Notes a wrong answer, unless it is there already, reads as the right one, or there are enough. What is offered first as what
 * people believe comes before quiz_misconceptions_end. */
void quiz_wrong(struct asking *asking, const char *text);
void quiz_misconceptions_end(struct asking *asking);
/* Puts the right answer and up to three wrong ones into the question, in an order that the seed makes. False: there are fewer than
 * two wrong ones. */
bool quiz_shuffle(struct asking *asking);
/* Draws the ladder of question i, in which what the questions from `first` on ask is blank. 0 or -ENOMEM. */
int quiz_draw(struct quiz_paper *paper, size_t i, size_t first, const struct story *story, const struct quiz_options *options,
              struct err *err);

/* "client" or "server", and of the other end. */
const char *quiz_side(enum story_side side);
enum story_side quiz_peer(enum story_side side);
/* "#2 SYN-ACK" */
const char *quiz_segment(struct asking *asking, const struct story_segment *segment);
/* "connect(3)" */
const char *quiz_call(struct asking *asking, const struct story_call *call);
/* The step's segment; NULL: it is none, or one that the network made (a copy, a forgery), or that stands for many. */
const struct story_segment *quiz_segment_at(const struct story *story, uint32_t step);
/* The number behind all that a segment takes: SYN and FIN count as one. */
uint32_t quiz_end_of(const struct story_segment *segment);
/* Whether the kernel itself showed it. */
bool quiz_is_shown(enum story_evidence evidence);
const char *quiz_section(struct asking *asking, const char *section);

#endif
