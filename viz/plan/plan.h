/* The plan of a ladder: what is drawn, decided once for every pen. Which steps share a row and which stand alone, which call stands
 * in which lane and how long, where idle time is folded, what each row says. It knows no columns, points or colours.
 *
 * - a call that begins and ends with nothing in between is one row;
 * - a packet is one row, or two (it leaves, it arrives) where it was on its way for a millisecond, or for a tenth of one while
 *   something else happened;
 * - a state stands on the row of what changed it;
 * - brief: the handshake and the goodbye with the calls that made them or waited for them, and a row for what was left out. */
#ifndef TCPWHY_VIZ_PLAN_H
#define TCPWHY_VIZ_PLAN_H

#include "story/story.h"
#include "viz/plan/phrase.h"
#include "viz/view.h"

enum plan_kind {
    PLAN_ENTER,  /* a call begins */
    PLAN_EXIT,   /* a call ends */
    PLAN_CALL,   /* both in one */
    PLAN_PACKET, /* a segment or datagram, all of it */
    PLAN_DEPART,
    PLAN_ARRIVE,
    PLAN_STATE,      /* a state that found no other row */
    PLAN_KERNEL,     /* a transition the kernel reported */
    PLAN_END,        /* a process ended */
    PLAN_UNRETURNED, /* behind all others: a call that recording saw begin and not end */
    PLAN_SKIP        /* rows were left out here */
};

enum { PLAN_NONE = UINT32_MAX }; /* no row, no call */

struct plan_row {
    enum plan_kind kind;
    uint32_t step; /* STORY_NO_STEP for PLAN_SKIP */
    int64_t t_ns;
    enum story_side side;
    uint32_t states[STORY_SIDES];  /* the step of the state that each side gets on this row (PLAN_SKIP: the last that was left out);
                                      STORY_NO_STEP none */
    uint32_t further[STORY_SIDES]; /* of a second one: a FIN that acknowledges ours too leads through FIN_WAIT_2 to TIME_WAIT */
    int64_t pause_ns;              /* nothing happened for so long before it that it is folded and said; 0: no */
    uint32_t call;                 /* which of the plan's calls, for rows of calls; else PLAN_NONE */
    struct {
        uint32_t segments, data, datagrams; /* PLAN_SKIP: packets left out, and how many of the segments carry data */
    } skipped;
};

struct plan_call {
    const struct story_call *call;
    uint32_t lane;                /* from 0, outermost; free again behind last_row */
    uint32_t first_row, last_row; /* PLAN_NONE: it is open from before the first row; until behind the last */
    /* When it slept, as far as that is known: from its waker backwards. Both 0: it did not, or nobody knows when. */
    int64_t sleep_from_ns, sleep_to_ns;
};

struct plan {
    const struct story *story;
    const struct view_options *options;
    struct plan_row *rows;
    size_t count;
    struct plan_call *calls; /* in the order of their first rows */
    size_t call_count;
    size_t lanes[STORY_SIDES]; /* how many calls of a side are open at once, at most; those of one row not counted */
};

/* Fills *ret_plan, which borrows story and options; release with plan_free. 0 or -ENOMEM. Kernel transitions only if verbose. */
int plan_make(const struct story *story, const struct view_options *options, struct plan *ret_plan);
void plan_free(struct plan *plan);

/* Whether the options point at this row: at its step, at a state that it brings. What arrives later is pointed at where it left. */
bool plan_is_marked(const struct plan *plan, const struct plan_row *row);

/* When a packet was sent and when it arrived (0: not seen to). False, and zeroes: the step is no packet. */
bool plan_packet_times(const struct story_step *step, int64_t *ret_sent_ns, int64_t *ret_received_ns);

/* The same, for what is drawn: a FIN that its receiver took only after its own had left (story_segment.taken_behind) arrives no
 * earlier, nor does it where its arrival was not seen. */
bool plan_flight_times(const struct story *story, size_t step, int64_t *ret_sent_ns, int64_t *ret_received_ns);

enum plan_flight {
    PLAN_WHOLE,   /* it leaves and arrives on this row, or its arrival was not seen */
    PLAN_DEPARTS, /* it arrives on a row of its own */
    PLAN_ARRIVES, /* its other row said that it left; or nothing that left is known (a copy, a forgery) */
    PLAN_LOST
};

enum plan_note_kind {
    NOTE_CAUSE, /* why the segment was sent, the state changed */
    NOTE_CHAIN,
    NOTE_DROP,
    NOTE_QUEUE,
    NOTE_RESET_REASON,
    NOTE_CONGESTION,
    NOTE_CARRIES, /* a FIN that acknowledges the peer's, too */
    NOTE_COMMENT,
    NOTE_DIFFERENCE
};

/* What is said below a row. */
struct plan_note {
    enum plan_note_kind kind;
    enum story_side side;
    bool of_state;      /* it is about a state that the row brings */
    bool only_if_short; /* worth one line: left out where it would take more */
    struct phrase words;
    const char *evidence;       /* "kernel stack"; "" for what is no cause. Static storage */
    const char *evidence_short; /* where the line is too short for it */
    enum layout_style evidence_style;
};

enum { PLAN_NOTES_MAX = 64 };

/* What a row says. */
struct plan_words {
    struct phrase label;  /* "#2 SYN-ACK", "connect(3, …)", "= 0 · slept 43 µs", "296 ms pass" */
    struct phrase detail; /* of a segment: flags and numbers; may be empty */
    enum plan_flight flight;
    bool alarming; /* a RST, an ICMP error */
    bool again;    /* a retransmission */
    struct plan_note notes[PLAN_NOTES_MAX];
    size_t note_count;
    bool failed; /* out of memory: something is missing */
};

/* Fills *ret_words for row i; the words live as long as `arena`. */
void plan_tell(const struct plan *plan, size_t i, struct arena *arena, struct plan_words *ret_words);
/* "296 ms pass", for a row with a pause. */
void plan_tell_pause(const struct plan_row *row, struct phrase *words);

/* Above the ladder, in brief. The title: the run's, or both ends by name. The question: the run's, or one that the story answers.
 */
void plan_title(const struct story *story, const struct view_options *options, struct phrase *title);
void plan_question(const struct story *story, const struct view_options *options, struct phrase *question);

#endif
