/* The saved file: a run as one pcapng file that stock Wireshark opens, and that tcpwhy reads back without loss (saved_read.h).
 *
 * Packets stand in it as packets, each with a comment that is the sentence of its cause. Between them, in order of time, stand
 * systemd journal entries: calls, processes, losses, and what stories say of states and findings. So that nothing is lost, each
 * event's own line (event/text.h) travels with it: in the journal entry's field TCPWHY_EVENT, or, for a packet, in a custom option
 * (JSON). What a person would not want as a row (kernel marks, wakeups, queues) travels with the next row or packet. All of that
 * survives a re-save by editcap.
 *
 * Sentences come with stories, and a story comes after its packets; so all is held until the end, or until it is too much: then the
 * older half is written as it is known. One link type and one snap length in a file, because libpcap refuses others. */
#ifndef TCPWHY_SAVED_SAVED_H
#define TCPWHY_SAVED_SAVED_H

#include "base/err.h"
#include "event/event.h"
#include "story/story.h"
#include "viz/view.h"

struct saved;

/* What the section header's comment of a stored run begins with; the number changes where such a file would be read otherwise than
 * it was written. */
#define SAVED_RUN "tcpwhy run 1"
/* The enterprise number of the custom option, reserved for examples (RFC 5612). */
enum { SAVED_ENTERPRISE = 32473, SAVED_SNAP_BYTES = 262144 };

struct saved_options {
    bool packets_alone;     /* no journal entries, nothing that is read back: packets with their sentences */
    const char *system;     /* "Linux 6.1.0", that recorded it; NULL: not known. Borrowed */
    const char *hardware;   /* "x86_64"; NULL. Borrowed */
    size_t hold_bytes_most; /* 0: the usual bound */
};

/* Bytes go to the sink. NULL when out of memory. Release with saved_free (NULL is fine). */
struct saved *saved_new(const struct saved_options *options, const struct sink *sink);
void saved_free(struct saved *saved);
/* The next event in order of time: copied, but for its call chains. 0; -ENOMEM; or the sink's failure. */
int saved_event(struct saved *saved, const struct event *event);
/* What a story says of packets and calls, which may come before or behind it. Keeps nothing of the story. As saved_event. */
int saved_story(struct saved *saved, const struct story *story);
/* Writes what is held, and the statistics. As saved_event. */
int saved_finish(struct saved *saved);

#endif
