/* The wire between the two hosts of a network: a process of its own that takes every frame from one side and puts it on the other,
 * and does with chosen segments what it is told (lab/wire/wire_rules.h).
 *
 * Every command is acknowledged: when the function returns, it is in force for all that is sent from then on, and all that had been
 * sent before was still treated in the old way. Frames of one direction keep their order unless a rule says otherwise. The process
 * holds packet sockets only; it ends with wire_close, and also with its parent, however that ends. */
#ifndef TCPWHY_LAB_WIRE_WIRE_H
#define TCPWHY_LAB_WIRE_WIRE_H

#include <sys/types.h>

#include "base/err.h"
#include "lab/network/network.h"
#include "lab/wire/router.h"
#include "lab/wire/wire_forge.h"
#include "lab/wire/wire_rules.h"

struct wire;

enum wire_fate {
    WIRE_DROPPED,    /* by a rule */
    WIRE_CUT_OFF,    /* it came to, or was on, a wire that is cut */
    WIRE_DUPLICATED, /* and so sent on twice */
    WIRE_HELD,
    WIRE_RELEASED,
    WIRE_DELAYED,   /* by a rule */
    WIRE_REORDERED, /* it waits to go behind the next one */
    WIRE_CORRUPTED, /* and sent on */
    WIRE_REFUSED,   /* the router did not let it on (TCP and UDP only) */
    WIRE_SKIPPED,   /* the router did not translate it, by a rule */
    WIRE_INJECTED,  /* nobody sent it: the wire made it */
    WIRE_OVERFLOWED /* the wire could not keep or carry it: not what the scenario wanted */
};

/* What the wire did with a frame beyond carrying it. */
struct wire_report {
    int64_t t_ns; /* CLOCK_REALTIME */
    enum wire_fate fate;
    enum wire_from from;
    bool is_tcp;
    struct event_packet_header header; /* of TCP and UDP; else zero: only the times and fates are known */
    char name[WIRE_NAME_BYTES];        /* of the rule; "" none */
    uint32_t rule;                     /* its id; 0 none. REFUSED, SKIPPED: of the router's */
};

/* Starts the wire's process; frames pass when it returns. The caller is in its own network (not between enter and leave). 0 or
 * -errno. The network must outlive it. */
int wire_open(struct wire **ret_wire, struct network *network, struct err *err);
/* The wire's process. The caller does not wait(2) for it. */
pid_t wire_pid(const struct wire *wire);
/* Every frame from these sides takes this long (frames already on the way keep theirs); at most an hour. 0 or -errno, as all of
 * these. */
int wire_delay(struct wire *wire, unsigned from, int64_t delay_ns, struct err *err);
/* Adds a rule. -EINVAL: it is not sound; -ENOSPC: too many. */
int wire_rule(struct wire *wire, const struct wire_rule *rule, struct err *err);
/* How many segments matched the rule of this id so far; those that it acted on are reported. -ENOENT: there is no such rule (any
 * more): it was cleared, or can't act again and made room for others. */
int wire_seen(struct wire *wire, uint32_t id, uint64_t *ret_seen, struct err *err);
/* Forgets all rules; what they hold stays held. */
int wire_clear(struct wire *wire, struct err *err);
/* Puts the held frames of this name (NULL: all that are held, or wait to be reordered) on the other side at once, in the order in
 * which they came. *ret_count (may be NULL): how many. */
int wire_release(struct wire *wire, const char *name, size_t *ret_count, struct err *err);
/* A router stands at the far end of either direction from the first of these on (lab/wire/router.h): what comes off the wire passes
 * it, and what it answers takes the wire back, without meeting a rule. The network must have been opened as `routed`. -EINVAL: not
 * a sound order; -ENOSPC: too many rules. */
int wire_router(struct wire *wire, const struct router_order *order, struct err *err);
/* Cuts the wire for frames from these sides: nothing passes any more, and what is on the way is lost. Held frames stay held, and
 * are lost if they are released onto a cut wire. Rules count nothing that comes while it is cut. */
int wire_cut(struct wire *wire, unsigned from, struct err *err);
int wire_mend(struct wire *wire, unsigned from, struct err *err);
/* Makes a segment and hands it to the other host at once: neither delay nor rules nor a cut are for it. -ENOENT: there is no such
 * connection (yet); -EINVAL: it is not sound. */
int wire_inject(struct wire *wire, const struct wire_forgery *forgery, struct err *err);
/* Waits until the wire has dealt with all that was sent before. */
int wire_settle(struct wire *wire, struct err *err);
/* To poll(2) for reading: there are reports. */
int wire_fd(const struct wire *wire);
/* The next report. 1 and *ret_report; 0: none now; -EPIPE: the wire's process has ended; else -errno. Does not block. */
int wire_next_report(struct wire *wire, struct wire_report *ret_report, struct err *err);
/* Ends the process and frees. NULL is fine. */
void wire_close(struct wire *wire);

#endif
