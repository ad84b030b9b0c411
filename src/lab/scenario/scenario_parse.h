/* What the files of the scenario parser share: the words of a line, and how a mistake is noted. Only for scenario*.c. */
#ifndef TCPWHY_LAB_SCENARIO_SCENARIO_PARSE_H
#define TCPWHY_LAB_SCENARIO_SCENARIO_PARSE_H

#include "lab/scenario/scenario.h"

enum { SCENARIO_LINE_WORDS = 64 };

struct scenario_word {
    const char *text; /* NUL-terminated; a quoted one without its quotes, decoded */
    uint32_t column, width;
    bool quoted;
};

/* A socket that an actor has at this point of the text. */
struct scenario_known {
    const char *name;
    bool listens, idle; /* idle: made by bind or set, not connected yet */
};

struct scenario_cast {
    struct scenario_known sockets[SCENARIO_SOCKETS_MAX];
    size_t count;
    uint32_t gone_line;                   /* where it ended; 0: it has not */
    unsigned botched[SCENARIO_VERBS + 1]; /* steps with mistakes, by verb; the last: by none that is known */
};

/* The repeat that a line stands in. */
struct scenario_repeat {
    enum { REPEAT_NONE, REPEAT_BEGUN, REPEAT_INSIDE, REPEAT_ENDED } state; /* BEGUN, ENDED: by the line just read */
    uint32_t line;                                                         /* of the word `repeat` */
    uint32_t rounds, round;                                                /* how many, and which it is, from 1 */
    size_t begin;                                                          /* of the text behind that line */
    size_t mistakes;                                                       /* that there were before it */
};

struct scenario_parser {
    struct scenario *scenario;
    struct scenario_mistakes *mistakes;
    const struct scenario_vocabulary *vocabulary;
    struct scenario_cast cast[SCENARIO_ACTORS_MAX];
    uint32_t line;
    const char *line_text; /* trimmed, without comment */
    const char *line_rest; /* behind the first word, with what looks like a comment */
    uint32_t line_end;     /* the column behind the last character */
    struct scenario_word words[SCENARIO_LINE_WORDS];
    size_t count, at; /* the next word to look at */
    size_t step_room, expect_room, section_room, claim_room;
    uint32_t claim_column; /* of the last claim */
    bool in_claim;         /* the line before was the last claim's, or one of its expectations */
    size_t claim_mistakes; /* that there were as it began */
    struct scenario_repeat repeat;
    unsigned title_line, group_line, place_line, limit_line;
    bool failed; /* out of memory */
};

/* A line that begins with a word of its own. */
struct scenario_head {
    const char *word;
    bool (*parse)(struct scenario_parser *parser);
    bool text; /* the rest of the line is text, not words */
    bool anywhere;
    bool late; /* read with the expectations, when all steps are known */
};

/* That with which this line begins; NULL: none. */
const struct scenario_head *scenario_find_head(const char *line);
bool scenario_parse_head(struct scenario_parser *parser, const struct scenario_head *head);

/* Notes a mistake at a word (NULL: at the end of the line) and returns false. The format is a sentence of base/lang.h. */
bool scenario_mistake(struct scenario_parser *parser, const struct scenario_word *word, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The next word without taking it; NULL at the end. */
const struct scenario_word *scenario_peek(const struct scenario_parser *parser);
const struct scenario_word *scenario_take(struct scenario_parser *parser);
/* Takes the next word if it is this one (not in quotes). */
bool scenario_take_if(struct scenario_parser *parser, const char *text);
/* Takes it, or notes "expected …". */
bool scenario_require(struct scenario_parser *parser, const char *text);
/* Whether all words were taken; else notes what is too much. */
bool scenario_finished(struct scenario_parser *parser);
/* Each takes one word and returns whether it was one of its kind; else it has noted a mistake that says what is expected.
 * `what` names it: "the port"; it is translated here. */
bool scenario_take_number(struct scenario_parser *parser, const char *what, int64_t low, int64_t high, int64_t *ret_number);
bool scenario_take_duration(struct scenario_parser *parser, const char *what, int64_t *ret_ns);
bool scenario_take_name(struct scenario_parser *parser, const char *what, const char **ret_name);
bool scenario_take_side(struct scenario_parser *parser, enum scenario_side *ret_side);
/* HOST:PORT, or with `port_alone` a port (of any address). */
bool scenario_take_place(struct scenario_parser *parser, bool port_alone, enum scenario_host *ret_host,
                         struct address *ret_address);
/* One of `count` words: *ret_index. Notes the nearest of them otherwise. */
bool scenario_take_choice(struct scenario_parser *parser, const char *what, const char *const *choices, size_t count,
                          size_t *ret_index);
/* KIND [N] from SIDE; a missing N is `nth_default`. `every` is taken only if allowed. */
bool scenario_take_match(struct scenario_parser *parser, bool every, uint32_t nth_default, struct scenario_match *ret_match);
/* Whether text is a duration, and which. */
bool scenario_duration(const char *text, int64_t *ret_ns);
const char *scenario_copy(struct scenario_parser *parser, const char *text);
/* ARRAY[used] of items of `size`, made larger in the arena when it is full; NULL: no memory. */
void *scenario_grow(struct scenario_parser *parser, void *array, size_t used, size_t *room, size_t size);

/* The lines, by their first word. */
bool scenario_parse_step(struct scenario_parser *parser);    /* an actor's, the wire's, the runner's */
bool scenario_parse_expect(struct scenario_parser *parser);  /* behind "expect" */
bool scenario_parse_claim(struct scenario_parser *parser);   /* behind "claim" */
bool scenario_parse_because(struct scenario_parser *parser); /* behind "because" */
/* A line that is none of the claim's: what it is shown by is complete. */
void scenario_end_claim(struct scenario_parser *parser);
bool scenario_parse_icmp(struct scenario_parser *parser, struct scenario_expect *expect); /* behind "expect icmp" */
bool scenario_parse_inject(struct scenario_parser *parser, struct scenario_step *step);   /* behind "wire inject" */
bool scenario_parse_router(struct scenario_parser *parser, struct scenario_step *step);   /* behind "router" */
bool scenario_parse_firewall(struct scenario_parser *parser, struct scenario_step *step); /* behind "ACTOR firewall" */
/* All words of verbs, for choices; *ret_count. */
const char *const *scenario_verb_words(size_t *ret_count);

#endif
