/* Internal to stories.c and stories_odd.c. */
#ifndef TCPWHY_STORIES_OWN_H
#define TCPWHY_STORIES_OWN_H

#include "base/arena.h"
#include "story/own.h"
#include "support/stories.h"

/* A story under construction. Times are microseconds from its start, as the ladder shows them. */
struct builder {
    struct story_own *own;
    struct story *story;
    struct arena *arena;
    const char *vantage[STORY_SIDES];
    enum story_evidence evidence;
    uint32_t calls, segments, datagrams;
};

void *make(struct builder *b, size_t bytes);
int64_t at_us(double us);
struct builder begin(uint32_t number, const char *client, const char *server);
void process(struct builder *b, enum story_side side, const char *comm, int32_t pid);
struct story_step *add_step(struct builder *b, double us, enum story_step_kind kind, enum story_side side);
uint32_t last_step(const struct builder *b);
struct story_cause cause_of(struct builder *b, enum story_cause_kind kind, uint32_t step, const char *name, const char *why);
struct story_call *enter(struct builder *b, double us, enum story_side side, const char *name, int32_t fd, const char *args);
void leave(struct builder *b, double us, struct story_call *call, int64_t ret);
void at_once(struct builder *b, double us, enum story_side side, const char *name, int32_t fd, const char *args, int64_t ret);
void wake(struct story_call *call, enum story_wake_kind kind, uint32_t step, double slept_us, const char *why);
struct story_segment *segment(struct builder *b, double us, enum story_side side, const char *flags, uint32_t seq, uint32_t ack,
                              uint32_t length, struct story_cause cause);
/* The RFC's arrow: its own sentence is the why. */
void state(struct builder *b, double us, enum story_side side, enum tcp_state from, enum tcp_input input, uint32_t because);
void finding(struct builder *b, const char *id, const char *severity, const char *text, size_t count, ...);
struct story *done(struct builder *b, enum story_outcome outcome);
/* connect(), three segments and what they do to both ends; the numbers are those of a loopback. */
struct story_call *handshake(struct builder *b, const char *connect_args, uint32_t *ret_ack_step);
/* Both FINs and both ACKs, `first` closing first with descriptors that differ a side. */
void teardown(struct builder *b, double us, enum story_side first, uint32_t first_seq, uint32_t other_seq);
struct builder echo_pair(uint32_t number);

#define START_NS INT64_C(1700000000000000000)
enum { STEPS_MAX = 64, FINDINGS_MAX = 4 };

/* listen(3) of the server, ten milliseconds before time zero. */
void listens(struct builder *b, const char *endpoint);
/* A message there and back: write, read, write, read. */
void echo(struct builder *b, double us, uint32_t client_seq, uint32_t server_seq, uint32_t length);

#endif
