/* Stories by hand of trouble: refused, reset, lost on the wire, an accept() that comes late. */
#include "support/stories.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "stories_own.h"
#include "story/own.h"

struct story *story_late_accept(void)
{
    struct builder b = echo_pair(1);
    listens(&b, "127.0.0.1:3333");
    uint32_t ack;
    struct story_call *connect = handshake(&b, "3, 127.0.0.1:3333", &ack);
    leave(&b, 40, connect, 0);
    struct story_call *accept = enter(&b, 300040, STORY_SERVER, "accept", 3, "3");
    leave(&b, 300044, accept, 4);
    wake(accept, WAKE_NEVER_SLEPT, STORY_NO_STEP, 0, "the connection was already complete");
    b.story->summary.accept_wait_ns = 300013000;
    echo(&b, 300060, 1, 1, 6);
    teardown(&b, 300160, STORY_CLIENT, 7, 7);
    finding(&b, "late-accept", "note",
            "the client was ESTABLISHED 300 ms before accept() took the connection: the kernel completes "
            "handshakes by itself",
            2, ack, accept->enter_step);
    return done(&b, OUTCOME_CLOSED);
}

struct story *story_refused(void)
{
    struct builder b = begin(1, "127.0.0.1:40112", "127.0.0.1:3334");
    process(&b, STORY_CLIENT, "echo-client", 812);
    struct story_call *connect = enter(&b, -8, STORY_CLIENT, "connect", 3, "3, 127.0.0.1:3334");
    segment(&b, 0, STORY_CLIENT, "S", 0, 0, 0,
            cause_of(&b, CAUSE_CALL, connect->enter_step, "connect", "sent by connect(3) of echo-client: the active OPEN"));
    uint32_t syn = last_step(&b);
    state(&b, 0, STORY_CLIENT, STATE_CLOSED, INPUT_SENT_SYN, connect->enter_step);
    segment(&b, 9, STORY_SERVER, "R.", 0, 1, 0,
            cause_of(&b, CAUSE_SEGMENT, syn, NULL, "the kernel's answer to the SYN (#1): no socket listens on port 3334"));
    state(&b, 9, STORY_CLIENT, STATE_SYN_SENT, INPUT_RCVD_RST, last_step(&b));
    uint32_t rst = syn + 2;
    leave(&b, 18, connect, -ECONNREFUSED);
    wake(connect, WAKE_SEGMENT, rst, 11, "the RST ended it");
    b.story->summary.opened_by = STORY_CLIENT;
    b.story->summary.closed_first_by = STORY_SERVER;
    finding(&b, "refused", "error", "nobody listens on 127.0.0.1:3334: start the server, or check the port", 1, rst);
    return done(&b, OUTCOME_REFUSED);
}

struct story *story_reset_unread(void)
{
    struct builder b = echo_pair(1);
    uint32_t ack;
    struct story_call *connect = handshake(&b, "3, 127.0.0.1:3333", &ack);
    leave(&b, 40, connect, 0);
    struct story_call *accept = enter(&b, 45, STORY_SERVER, "accept4", 3, "3, SOCK_CLOEXEC");
    leave(&b, 47, accept, 4);
    wake(accept, WAKE_NEVER_SLEPT, STORY_NO_STEP, 0, "");
    struct story_call *write = enter(&b, 50, STORY_CLIENT, "write", 3, "3, 5 bytes");
    segment(&b, 55, STORY_CLIENT, "P.", 1, 1, 5,
            cause_of(&b, CAUSE_CALL, write->enter_step, "write", "sent by write(3) of echo-client"));
    leave(&b, 60, write, 5);
    struct story_call *close = enter(&b, 70, STORY_SERVER, "close", 4, "4");
    segment(&b, 74, STORY_SERVER, "R.", 1, 6, 0,
            cause_of(&b, CAUSE_CALL, close->enter_step, "close",
                     "sent by close(4) of echo-server: received bytes were never read, so "
                     "the connection is aborted"))
        ->reset_reason = "TCP_ABORT_ON_CLOSE";
    uint32_t rst = last_step(&b);
    state(&b, 74, STORY_SERVER, STATE_ESTABLISHED, INPUT_SENT_RST, close->enter_step);
    state(&b, 74, STORY_CLIENT, STATE_ESTABLISHED, INPUT_RCVD_RST, rst);
    leave(&b, 80, close, 0);
    struct story_call *read = enter(&b, 90, STORY_CLIENT, "read", 3, "3, 4096 bytes");
    leave(&b, 92, read, -ECONNRESET);
    wake(read, WAKE_NEVER_SLEPT, STORY_NO_STEP, 0, "never slept: the connection had been reset");
    b.story->summary.closed_first_by = STORY_SERVER;
    finding(&b, "reset-unread-data", "warning", "close() sent RST, not FIN: 5 received bytes were never read", 2, close->enter_step,
            rst);
    return done(&b, OUTCOME_RESET);
}

struct story *story_server_first(void)
{
    struct builder b = begin(3, "[2001:db8:85a3:8d3:1319:8a2e:370:7348]:54321", "[2001:db8:85a3:8d3:1319:8a2e:370:7344]:3333");
    process(&b, STORY_CLIENT, "echo-client", 812);
    process(&b, STORY_SERVER, "echo-server", 811);
    b.evidence = EVIDENCE_INTERVAL;
    uint32_t ack;
    struct story_call *connect = handshake(&b, "3, [2001:db8:85a3:8d3:1319:8a2e:370:7344]:3333", &ack);
    leave(&b, 40, connect, 0);
    connect->wake.evidence = EVIDENCE_RULE;
    struct story_call *accept = enter(&b, 60, STORY_SERVER, "accept", 3, "3");
    leave(&b, 64, accept, 4);
    wake(accept, WAKE_NEVER_SLEPT, STORY_NO_STEP, 0, "");
    at_once(&b, 70, STORY_SERVER, "close", 4, "4", 0);
    process(&b, STORY_SERVER, "echo-server", 820); /* the forked child goes on */
    echo(&b, 100, 1, 1, 5);
    echo(&b, 200, 6, 6, 5);
    teardown(&b, 300, STORY_SERVER, 11, 11);
    process(&b, STORY_SERVER, "echo-server", 811);
    finding(&b, "descriptor-still-open", "note", "close(4) of echo-server[811] sent nothing: its child still holds the socket", 0);
    return done(&b, OUTCOME_CLOSED);
}

struct story *story_lossy_wire(void)
{
    struct builder b = begin(1, "10.0.0.1:40112", "10.0.0.2:3333");
    process(&b, STORY_CLIENT, "client", 812);
    process(&b, STORY_SERVER, "server", 811);
    b.vantage[STORY_CLIENT] = "client";
    b.vantage[STORY_SERVER] = "server";
    struct story_call *accept = enter(&b, -500, STORY_SERVER, "accept", 3, "3");
    struct story_call *connect = enter(&b, -10, STORY_CLIENT, "connect", 3, "3, 10.0.0.2:3333");
    segment(&b, 0, STORY_CLIENT, "S", 0, 0, 0,
            cause_of(&b, CAUSE_CALL, connect->enter_step, "connect", "sent by connect(3) of client: the active OPEN"))
        ->lost = true;
    uint32_t lost = last_step(&b);
    state(&b, 0, STORY_CLIENT, STATE_CLOSED, INPUT_SENT_SYN, connect->enter_step);
    struct story_segment *again = segment(&b, 1020000, STORY_CLIENT, "S", 0, 0, 0,
                                          cause_of(&b, CAUSE_TIMER, STORY_NO_STEP, "retransmit",
                                                   "the retransmission timer: the SYN (#1) was not answered within 1 s"));
    again->retransmission = true;
    again->repeat = STORY_REPEAT_SYN;
    again->of_step = lost;
    again->received_ns = at_us(1045000);
    uint32_t syn = last_step(&b);
    state(&b, 1045000, STORY_SERVER, STATE_LISTEN, INPUT_SENT_SYN_ACK, syn);
    struct story_segment *answer = segment(&b, 1045012, STORY_SERVER, "S.", 0, 1, 0,
                                           cause_of(&b, CAUSE_SEGMENT, syn, NULL, "the kernel's answer to the SYN (#2)"));
    answer->received_ns = at_us(1070012);
    uint32_t syn_ack = last_step(&b);
    state(&b, 1070012, STORY_CLIENT, STATE_SYN_SENT, INPUT_RCVD_SYN_ACK, syn_ack);
    struct story_segment *last = segment(&b, 1070020, STORY_CLIENT, ".", 1, 1, 0,
                                         cause_of(&b, CAUSE_SEGMENT, syn_ack, NULL, "the kernel's answer to the SYN-ACK (#3)"));
    last->handshake = true;
    last->received_ns = at_us(1095020);
    uint32_t ack = last_step(&b);
    leave(&b, 1070030, connect, 0);
    wake(connect, WAKE_SEGMENT, syn_ack, 1070000, "the SYN-ACK completed the handshake on this side");
    state(&b, 1095020, STORY_SERVER, STATE_SYN_RCVD, INPUT_RCVD_ACK_OF_SYN, ack);
    leave(&b, 1095040, accept, 4);
    wake(accept, WAKE_SEGMENT, ack, 1095500, "the ACK completed the handshake");
    b.story->summary.opened_by = STORY_CLIENT;
    b.story->summary.handshake_ns = at_us(1070020) - START_NS;
    b.story->summary.handshake_timer_ns = INT64_C(1020000000);
    b.story->summary.handshake_network_ns = b.story->summary.handshake_ns - INT64_C(1020000000);
    b.story->summary.retransmissions = 1;
    finding(&b, "syn-lost", "warning", "the first SYN never arrived: connect() waited a second for the retransmission", 2, lost,
            syn);
    return done(&b, OUTCOME_OPEN);
}
