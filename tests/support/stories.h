/* Stories built by hand, for what reads stories: the views. No recording, no privileges, the same bytes every time.
 *
 * Each is the caller's: story_free. They begin at 2023-11-14 22:13:20 UTC and tell the causes as a recorder with kernel stacks
 * would, unless their name says otherwise. Out of memory ends the test program. */
#ifndef TCPWHY_TESTS_STORIES_H
#define TCPWHY_TESTS_STORIES_H

#include "story/story.h"

struct story *story_normal_echo(void);       /* one message, the client closes first, accept() waited */
struct story *story_late_accept(void);       /* accept() called 300 ms after the handshake: it never sleeps */
struct story *story_refused(void);           /* a closed port: SYN, RST */
struct story *story_reset_unread(void);      /* close() with unread data: RST and a finding */
struct story *story_server_first(void);      /* IPv6; the server closes first; two messages; a fork: another pid closes */
struct story *story_lossy_wire(void);        /* two vantages, 25 ms apart; a SYN lost and sent again */
struct story *story_file_only(void);         /* from a capture file: no calls, no processes, rules and unknown causes */
struct story *story_hostile_names(void);     /* comm and arguments that hold escapes, newlines, quotes, wide and broken UTF-8 */
struct story *story_many_threads(void);      /* twelve overlapping calls of the server's threads */
struct story *story_killed(void);            /* SIGKILL closes the client's socket; a call began before recording, one never ends */
struct story *story_large_numbers(void);     /* every number at its largest; hours between two steps */
struct story *story_udp_echo(void);          /* two datagrams and the calls */
struct story *story_udp_refused(void);       /* a datagram to a closed port and the ICMP error */
struct story *story_crossing_fins(void);     /* a FIN that acknowledges the other: two states at once; the end of TIME_WAIT */
struct story *story_loopback_arrivals(void); /* arrivals some µs later, rows between; sleeps that were not measured or not needed */
struct story *story_empty(void);             /* no step, nothing known */

/* All of them, by the name behind story_; *ret_count. */
struct story_fixture {
    const char *name;
    struct story *(*make)(void);
    size_t vantages; /* that its run has */
};
const struct story_fixture *story_fixtures(size_t *ret_count);

#endif
