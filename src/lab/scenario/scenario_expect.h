/* What a scenario expects of its story: see docs/SCENARIOS.md, "Expectations". Plain values; who checks them is not known here. */
#ifndef TCPWHY_LAB_SCENARIO_SCENARIO_EXPECT_H
#define TCPWHY_LAB_SCENARIO_SCENARIO_EXPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab/wire/wire_rules.h"

enum scenario_side { SCENARIO_CLIENT, SCENARIO_SERVER, SCENARIO_BOTH };

/* Some segment: `KIND [N] from SIDE`, `every KIND from SIDE`. */
struct scenario_match {
    enum wire_match segment;
    enum scenario_side from;
    bool every;
    uint32_t nth; /* from 1; 0: any of them (a cause only) */
};

enum scenario_expect_kind {
    EXPECT_STATES,      /* `words`: exactly */
    EXPECT_PASSES,      /* `words`: in this order, others between */
    EXPECT_CAUSE,       /* of `match`: `cause`, `name`, `origin` */
    EXPECT_COUNT,       /* `number` of match.segment from match.from */
    EXPECT_LOST,        /* `match` */
    EXPECT_ARRIVES,     /* `match` */
    EXPECT_FAILS,       /* the `nth` step `call` of `actor`: with `name` ("ECONNREFUSED") */
    EXPECT_SUCCEEDS,    /* likewise */
    EXPECT_RETURNS,     /* likewise: `number` */
    EXPECT_WOKEN,       /* the `nth` such call of `side`: `wake` */
    EXPECT_FINDING,     /* `name` */
    EXPECT_NO_FINDING,  /* `name` */
    EXPECT_OUTCOME,     /* `name` */
    EXPECT_CONNECTIONS, /* `number` */
    EXPECT_ICMP         /* an ICMP error of kind `icmp`, by the host `side`; SCENARIO_BOTH: by the router */
};

enum scenario_cause {
    SCENARIO_CAUSE_CALL,
    SCENARIO_CAUSE_SEGMENT,
    SCENARIO_CAUSE_TIMER,
    SCENARIO_CAUSE_EXIT,
    SCENARIO_CAUSE_KERNEL,
    SCENARIO_CAUSE_UNKNOWN
};

enum scenario_wake {
    SCENARIO_WOKEN_BY_SEGMENT, /* origin.segment */
    SCENARIO_WOKEN_BY_TIMER,
    SCENARIO_WOKEN_BY_SIGNAL,
    SCENARIO_NEVER_SLEPT,
    SCENARIO_STILL_WAITS
};

/* ICMP errors, by what they are in both versions. */
enum scenario_icmp {
    SCENARIO_NET_UNREACHABLE,
    SCENARIO_HOST_UNREACHABLE,
    SCENARIO_PORT_UNREACHABLE,
    SCENARIO_ADMIN_PROHIBITED,
    SCENARIO_TOO_BIG, /* IPv4: "fragmentation needed" */
    SCENARIO_TIME_EXCEEDED,
    SCENARIO_ICMP_KINDS
};

enum { SCENARIO_WORDS_MAX = 16 };

struct scenario_expect {
    enum scenario_expect_kind kind;
    uint32_t line;
    const char *text;        /* the line as it stands, from "expect" on */
    uint32_t connection;     /* from 1 */
    enum scenario_side side; /* STATES, PASSES, WOKEN, ICMP */
    struct scenario_match match, origin;
    enum scenario_cause cause;
    enum scenario_wake wake;
    enum scenario_icmp icmp;
    const char *name; /* CAUSE: the call's, timer's, exit's or kernel's, NULL any; FAILS; FINDING; OUTCOME */
    uint8_t actor;    /* FAILS, SUCCEEDS, RETURNS: index */
    int call;         /* enum scenario_verb */
    uint32_t nth;     /* from 1 */
    int64_t number;
    const char *words[SCENARIO_WORDS_MAX]; /* state names */
    size_t word_count;
};

#endif
