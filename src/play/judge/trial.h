/* One expectation of a scenario, held against the stories of its play. Internal to the judge. */
#ifndef TCPWHY_PLAY_JUDGE_TRIAL_H
#define TCPWHY_PLAY_JUDGE_TRIAL_H

#include "lab/network/network.h"
#include "play/judge/judge.h"

/* One expectation at work; all is borrowed. */
struct trial {
    const struct scenario *scenario;
    const struct play *play;
    const struct play_stories *stories;
    const struct scenario_expect *expect;
    const struct story *story; /* the connection it is about; NULL: there is none */
    struct judge_finding *finding;
};

/* Verdicts, with the sentence for them; a long `why` is cut. */
enum judge_verdict trial_unmet(struct trial *trial, const char *format, ...) __attribute__((format(printf, 2, 3)));
enum judge_verdict trial_unknown(struct trial *trial, const char *why);
/* This step of the trial's story proves it. */
void trial_prove(struct trial *trial, uint32_t step);
/* Whether the recorder may have missed what was there. */
bool trial_is_weak(const struct trial *trial);
/* Whether this address is that host's. */
bool trial_is_host(const struct address *end, const struct scenario *scenario, enum network_place host);
/* Whether the language's word for a call means this system call. */
bool trial_is_call(const char *said, const char *name);
/* Whether that step of the story is the segment meant (with nth 0: one of them). STORY_NO_STEP is none. */
bool trial_is_origin(const struct trial *trial, uint32_t step_number, const struct scenario_match *origin);

/* Of the segment (or datagram) that is expected: its cause; whether it came; how many there were. The trial has a story. */
enum judge_verdict trial_cause(struct trial *trial);
enum judge_verdict trial_fate(struct trial *trial);
enum judge_verdict trial_count(struct trial *trial);

#endif
