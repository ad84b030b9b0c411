/* Parts of a story that others are made of: evidence, causes, wakes, calls. See story/story.h. */
#ifndef TCPWHY_STORY_STORY_CALL_H
#define TCPWHY_STORY_STORY_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "conn/conn.h"
#include "event/call_traits.h"
#include "tcp/state.h"

enum story_side { STORY_CLIENT, STORY_SERVER, STORY_SIDES };

enum { STORY_NO_STEP = UINT32_MAX };

/* Weakest first, so that they compare. */
enum story_evidence { EVIDENCE_NONE, EVIDENCE_RULE, EVIDENCE_INTERVAL, EVIDENCE_CONTEXT, EVIDENCE_STACK };

enum story_cause_kind { CAUSE_UNKNOWN, CAUSE_CALL, CAUSE_SEGMENT, CAUSE_TIMER, CAUSE_EXIT, CAUSE_KERNEL };

/* Why a segment was sent, a state changed. */
struct story_cause {
    enum story_cause_kind kind;
    enum story_evidence evidence;
    uint32_t step; /* the call's or segment's step in this story; STORY_NO_STEP: not in it */
    const char
        *name; /* CALL: its name; TIMER: "retransmit", "delayed-ack", …; EXIT: "SIGKILL", "status 0"; KERNEL: what; else NULL */
    const char *why;          /* a sentence, no full stop at its end; never NULL */
    const char *const *chain; /* kernel functions, innermost first, the ones that decided; NULL without a stack */
    size_t chain_count;
};

enum story_wake_kind {
    WAKE_UNKNOWN,     /* it may have slept; nobody saw what ended it */
    WAKE_NEVER_SLEPT, /* what it needed was there already */
    WAKE_SEGMENT,     /* a segment let it return */
    WAKE_TIMER,       /* its timeout */
    WAKE_SIGNAL,
    WAKE_CALL,   /* another thread's call */
    WAKE_NOT_YET /* it had not returned when recording ended */
};

/* What a call was waiting for. */
struct story_wake {
    enum story_wake_kind kind;
    enum story_evidence evidence;
    uint32_t step;   /* SEGMENT, CALL */
    const char *why; /* a sentence; never NULL ("" for a call that can't wait) */
};

struct story_process {
    int32_t pid;      /* 0 unknown */
    const char *comm; /* NULL unknown */
};

struct story_call {
    uint32_t number;
    enum story_side side;
    int32_t pid, tid;
    const char *comm;
    const char *name;       /* "connect" */
    uint32_t traits;        /* CALL_* (event/call_traits.h), of its name */
    int32_t fd;             /* -1 none */
    const char *args;       /* "3, 127.0.0.1:3333"; NULL: began before recording */
    bool listener;          /* it works on the listening socket (socket, bind, listen of it), so it stands in several stories */
    bool waits;             /* a call that can sleep (connect, accept, read, poll …) */
    int64_t enter_ns;       /* 0: began before recording */
    int64_t exit_ns;        /* 0: had not returned when recording ended */
    int64_t ret;            /* >= 0, or -errno; meaningless without exit */
    bool interrupted;       /* a signal ended it inside the kernel, and what its program got nobody saw: `ret` is no result */
    const char *errno_name; /* "ECONNREFUSED", "errno 524" where it has no name; NULL where it did not fail, or `interrupted` */
    int64_t slept_ns;       /* -1 not known */
    struct story_wake wake;
    uint32_t enter_step, exit_step; /* STORY_NO_STEP where there is none */
    /* A read of a stream: how many segments brought the bytes that it returned, the first and the last of them. 0: not known, or
     * it is no such read. */
    uint32_t took_count, took_first, took_last;
};

#endif
