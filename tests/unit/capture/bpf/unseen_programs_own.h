/* Internal to unseen_programs.c and unseen_play.c. */
#ifndef TCPWHY_UNSEEN_PROGRAMS_OWN_H
#define TCPWHY_UNSEEN_PROGRAMS_OWN_H

#include "capture/bpf/bpf_record.h"
#include "capture/bpf/calls_bpf.h"
#include "capture/packets.h"
#include "event/log.h"
#include "story/story.h"
#include "story/tell/teller.h"

enum {
    PORT = 3333,
    CLOSED_PORT = 9,
    STORIES_MAX = 32,
    TEXT_BYTES = 256,
    PLAYED_MOST = 5,
    AT_ONCE = 8, /* trials in one play */
    ACK_MS = 60 /* longer than an ACK is held back */,
    SLEEP_NS = 5000000
};

void sleep_ms(long ms);
void play(void);

struct told {
    struct event_log *log;
    struct teller *teller;
    struct story *stories[STORIES_MAX];
    size_t count;
};

struct trial {
    uint32_t programs, every; /* a bit each */
    bool twice;               /* system calls have a second program, which runs always */
    size_t weaker, wrong;
};

const struct story_step *nth(const struct story *story, enum story_step_kind kind, size_t n);
/* Segments stand in the same order in every run of the play. */
void hold_segments(struct trial *trial, const struct story *whole, const struct story *story);
void hold_states(struct trial *trial, const struct story *whole, const struct story *story);
void hold_calls(struct trial *trial, const struct story *whole, const struct story *story);
void hold_findings(struct trial *trial, const struct story *whole, const struct story *story);
/* Two sockets are never one: their calls would stand in each other's stories. */
void hold_sockets(struct trial *trial, const struct told *told);

#endif
