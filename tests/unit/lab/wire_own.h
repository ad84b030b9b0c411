/* Internal to wire.c and wire_icmp.c. */
#ifndef TCPWHY_WIRE_OWN_H
#define TCPWHY_WIRE_OWN_H

#include "support/lab_child.h"
#include "support/two_hosts.h"

enum { MS = 1000000 };

int rule(unsigned from, enum wire_match match, uint32_t nth, enum wire_action action, int64_t extra_ns, const char *name);
/* Waits for exactly one report, which is this; what comes besides is a mistake. */
bool one_report(enum wire_fate fate, enum wire_from from, enum wire_match match);
bool no_report(void);
bool receives(int fd, const char *expected);
int udp_body(void);
int datagrams_body(void);
/* That data arrives shows that the kernels at both ends took the checksums of what the router changed for right. */
int routed_body(void);
int router_answers_body(void);
int held_before_router_body(void);
int inject_body(void);
int refused_body(void);
int ended_body(void);
/* The wire of a killed process is reaped by this one, its subreaper. */
int orphan_body(void);

int in_force_body(void);
int every_body(void);

extern struct two_hosts hosts;

extern struct err err;

#endif
