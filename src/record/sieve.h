/* The sieve: of all that a host's captures and its kernel show, what concerns the processes that are followed.
 *
 * Of interest is a socket, not a process: a call says which are (their cookies, their addresses), and with them both directions of
 * their connections, whoever owns the other end (wanted.h). What came to a socket that listens is of interest before anybody
 * accepts it. It sits before the log (event_log_sift). A packet may come before the call or mark that says whose it is: packets are
 * held until the recorder was drained once more (sieve_settle), and so is the mark of a reset that no socket sent. */
#ifndef TCPWHY_RECORD_SIEVE_H
#define TCPWHY_RECORD_SIEVE_H

#include <stdbool.h>
#include <stdint.h>

#include "event/log.h"

struct sieve;

/* Sits before that log until sieve_free. `names_both`: the kernel itself names both ends of what a followed socket sends (marks),
 * before its packet is captured; without that, what goes to where somebody connects to just now is taken for theirs. NULL when out
 * of memory. */
struct sieve *sieve_new(struct event_log *log, bool names_both);
/* A socket that a followed process held open before anybody looked: of interest, without a cookie. `netns`: the inode of its
 * network; 0: it is not known. 0 or -ENOMEM. */
int sieve_want(struct sieve *sieve, const struct event_socket *socket, uint64_t netns);
/* An address without port of this network: the host's own, or one that a followed process has entered. 0 or -ENOMEM. */
int sieve_learn_own(struct sieve *sieve, const struct address *address, uint64_t netns);
/* Judges the packets that came before the recorder was drained last, in their order. 0 or -ENOMEM. */
int sieve_settle(struct sieve *sieve);
/* Connections with an end on this host that have begun to close and are not closed yet: their last segments may be under way. */
bool sieve_is_closing(const struct sieve *sieve);
/* Packets that were of no interest, so far. */
uint64_t sieve_refused(const struct sieve *sieve);
/* NULL is fine. What is held is gone. */
void sieve_free(struct sieve *sieve);

#endif
