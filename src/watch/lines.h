/* Lines about connections: columns for people, JSON for machines. Everything from outside is escaped. */
#ifndef TCPWHY_WATCH_LINES_H
#define TCPWHY_WATCH_LINES_H

#include "base/buf.h"
#include "story/tell/teller.h"
#include "watch/facts.h"

struct lines_options {
    int width; /* columns of the screen; 0: all there are, for a pipe */
    bool ascii, json;
    bool course;      /* a line for each step of handshake and teardown besides */
    int64_t shift_ns; /* how far the system's clock was set since the beginning: times are shown by that clock */
};

/* What is wrong with a connection that is open. */
enum watch_trouble {
    TROUBLE_NONE,
    TROUBLE_CLOSE_WAIT,  /* its peer has ended, and it does not close */
    TROUBLE_UNANSWERED,  /* its SYNs */
    TROUBLE_NO_ANSWER,   /* its FIN */
    TROUBLE_ZERO_WINDOW, /* an end takes no more */
    TROUBLE_QUEUE_FULL,  /* the server does not accept(), and its kernel takes no more connections for it */
    TROUBLES
};
/* "close-wait", "syn-unanswered", "fin-unanswered", "zero-window", "queue-full". Static storage. */
const char *lines_trouble_name(enum watch_trouble trouble);

/* The heads of the columns; nothing for JSON. */
void lines_head(const struct lines_options *options, struct buf *out);
/* A connection that has ended, with what was found of it. */
void lines_ended(const struct lines_options *options, const struct watch_facts *facts, struct buf *out);
/* Given a line about a time. */
typedef void lines_taker(void *data, int64_t t_ns, const char *line, size_t length);
/* Hands over a line for each step of handshake and teardown that was sent after `after_ns`. When the last one was sent, or
 * `after_ns`. */
int64_t lines_course(const struct lines_options *options, const struct story *story, int64_t after_ns, lines_taker *take,
                     void *data);
/* One that is open and in trouble. All borrowed. */
struct lines_trouble {
    const struct teller_glance *glance;
    enum watch_trouble trouble;
    enum story_side side; /* the end that it is about */
    int64_t since_ns, now_ns;
    const struct story *story; /* so far, for its findings; NULL: none is there */
    const char *cgroup[STORY_SIDES];
};
void lines_trouble(const struct lines_options *options, const struct lines_trouble *what, struct buf *out);

#endif
