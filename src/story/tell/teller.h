/* The teller: events in, in order of time; stories out, one a connection.
 *
 * It joins packets with kernel marks, calls with sockets and sockets with connections, runs the RFC 9293 table for both ends,
 * and finds causes, wakes and findings. It keeps what belongs to open connections only: a finished one is told and forgotten.
 * Captured bytes are copied; call chains (event_chain) are borrowed and must outlive the teller. */
#ifndef TCPWHY_STORY_TELL_TELLER_H
#define TCPWHY_STORY_TELL_TELLER_H

#include "base/err.h"
#include "event/event.h"
#include "story/bounds.h"
#include "story/story.h"

struct teller;

/* Called with each finished story; it is the listener's from then on (story_free). Returns 0, or -errno to stop. */
typedef int teller_listener(void *data, struct story *story);

/* With the bounds of a stored run. */
struct teller *teller_new(teller_listener *listener, void *data);
void teller_free(struct teller *teller);
/* 0 or -ENOMEM or what the listener returned. */
int teller_feed(struct teller *teller, const struct event *event);
/* It is as late as this, and nothing more of before will come: tells what has been quiet for long enough, without an event that
 * would say so. As teller_feed. */
int teller_pass(struct teller *teller, int64_t now_ns);
/* Tells everything that is still open. */
int teller_finish(struct teller *teller);
/* Before the first event. */
void teller_set_bounds(struct teller *teller, const struct teller_bounds *bounds);

/* The story so far (story.so_far) of each connection that is open, or closed and not told yet, in order of their numbers. Nothing
 * is forgotten or changed by that. `now_ns`: how late it is, where that is later than the last event. Returns as teller_feed does.
 */
int teller_tell_open(struct teller *teller, int64_t now_ns, teller_listener *listener, void *data);
/* Of one of them; *ret_story NULL: there is none with this number. 0 or -ENOMEM. */
int teller_story_of(struct teller *teller, uint32_t number, int64_t now_ns, struct story **ret_story);

/* What is known of an open connection without telling its story: for who looks at all of them again and again. */
struct teller_glance {
    uint32_t number;
    bool roles_guessed; /* as a story has it */
    struct address end[STORY_SIDES];
    struct story_process process[STORY_SIDES]; /* who holds it; comm borrowed */
    enum tcp_state state[STORY_SIDES];
    int64_t since_ns[STORY_SIDES]; /* when that end last sent something, as far as was captured; 0 never */
    int64_t fin_ns[STORY_SIDES];   /* when it sent its FIN for the first time; 0 never */
    int64_t start_ns, last_ns;     /* first and last sight */
    uint32_t unanswered;           /* SYNs that nothing answered */
    bool shut[STORY_SIDES];        /* that end offers no window */
    int64_t full_ns;               /* the server's kernel found its accept queue full for the newest SYN, or threw a handshake's ACK
                                      away for it: when; 0: it did not */
    uint32_t queue, queue_most;    /* with that: connections that waited for accept(), and how many may */
    bool over;                     /* closed, and not told yet */
};
typedef void teller_look(void *data, const struct teller_glance *glance);
/* Each TCP connection that is not told yet, in no order. */
void teller_glance_open(const struct teller *teller, teller_look *look, void *data);

/* What the stories have in common: right after teller_finish, valid until teller_free. */
const struct story_trace *teller_trace(const struct teller *teller);

#endif
