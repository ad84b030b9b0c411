/* The stage of a scenario: the network (two hosts and a wire, or one loopback), the captures and the recorder's session.
 *
 * It owns the network and the wire. The session is its caller's: it outlives the stage, for the log. */
#ifndef TCPWHY_PLAY_STAGE_STAGE_H
#define TCPWHY_PLAY_STAGE_STAGE_H

#include "lab/network/network.h"
#include "play/stage/play.h"
#include "record/session.h"

struct stage;

/* Sets the stage and begins recording. 0 or -errno as play_run. */
int stage_open(struct stage **ret_stage, const struct scenario *scenario, const struct play_options *options,
               struct session **ret_session, struct err *err);
/* NULL: both actors live on one host, the one this process is on. */
struct network *stage_network(struct stage *stage);
/* To poll(2): the wire's reports; -1 none. */
int stage_fd(const struct stage *stage);
/* Reads the wire's reports. 0, or -errno when the wire is broken. */
int stage_look(struct stage *stage, struct err *err);
/* The host that sent a packet, as the capture there saw it; -1: it is the receiver's view, or nobody's. */
int stage_sender(const struct stage *stage, const struct event_packet *packet);
/* Where a step is to bind, listen or connect; version 0 for any address and for none of that family. Ports are set already. */
void stage_addresses(const struct stage *stage, const struct scenario_step *step, struct address *v4, struct address *v6);
/* Does a step of the wire or the router, or a SYSCTL or FIREWALL of `host`. 0 or -errno. */
int stage_do(struct stage *stage, const struct scenario_step *step, enum scenario_side host, struct err *err);
/* What came of the WIRE_RULE of this index among the scenario's steps: how often it acted, and how many segments it counted while
 * it was in force. 0 or -errno, when the wire is broken. */
int stage_rule(struct stage *stage, size_t step, uint64_t *ret_acted, uint64_t *ret_seen, struct err *err);
/* Some socket is in a state that the kernel is about to leave by itself: SYN_SENT, SYN_RECV, FIN_WAIT1, CLOSING, LAST_ACK. */
bool stage_is_restless(struct stage *stage);
void stage_close(struct stage *stage);

#endif
