/* Stories by hand of what is odd: hostile names, large numbers, UDP, crossing FINs, nothing at all. */
#include "support/stories.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "stories_own.h"
#include "story/own.h"

struct story *story_file_only(void)
{
    struct builder b = begin(1, "192.0.2.7:50000", "198.51.100.9:443");
    b.evidence = EVIDENCE_RULE;
    segment(&b, 0, STORY_CLIENT, "S", 0, 0, 0,
            cause_of(&b, CAUSE_CALL, STORY_NO_STEP, "connect", "an active OPEN: connect() or alike"));
    state(&b, 0, STORY_CLIENT, STATE_CLOSED, INPUT_SENT_SYN, last_step(&b));
    uint32_t syn = last_step(&b) - 1;
    segment(&b, 12000, STORY_SERVER, "S.", 0, 1, 0, cause_of(&b, CAUSE_SEGMENT, syn, NULL, "the answer to the SYN (#1)"));
    uint32_t syn_ack = last_step(&b);
    state(&b, 12000, STORY_SERVER, STATE_LISTEN, INPUT_SENT_SYN_ACK, syn);
    state(&b, 12000, STORY_CLIENT, STATE_SYN_SENT, INPUT_RCVD_SYN_ACK, syn_ack);
    segment(&b, 12040, STORY_CLIENT, ".", 1, 1, 0, cause_of(&b, CAUSE_SEGMENT, syn_ack, NULL, "the answer to the SYN-ACK (#2)"))
        ->handshake = true;
    state(&b, 12040, STORY_SERVER, STATE_SYN_RCVD, INPUT_RCVD_ACK_OF_SYN, last_step(&b));
    segment(&b, 12500, STORY_CLIENT, "P.", 1, 1, 517,
            cause_of(&b, CAUSE_UNKNOWN, STORY_NO_STEP, NULL, "nobody recorded the calls of this process"));
    segment(&b, 30000, STORY_SERVER, "R", 1, 0, 0,
            cause_of(&b, CAUSE_UNKNOWN, STORY_NO_STEP, NULL, "a reset has many causes and the wire does not tell them apart"));
    uint32_t rst = last_step(&b);
    state(&b, 30000, STORY_SERVER, STATE_ESTABLISHED, INPUT_SENT_RST, rst);
    state(&b, 30000, STORY_CLIENT, STATE_ESTABLISHED, INPUT_RCVD_RST, rst);
    b.story->summary.opened_by = STORY_CLIENT;
    b.story->summary.closed_first_by = STORY_SERVER;
    b.story->summary.handshake_ns = 12040000;
    return done(&b, OUTCOME_RESET);
}

struct story *story_hostile_names(void)
{
    struct builder b = echo_pair(1);
    process(&b, STORY_CLIENT, "a\x1b[31m\nb\"<\\", 812);
    process(&b, STORY_SERVER, "\xe4\xbd\xa0\xe5\xa5\xbd\xff\xe2\x80\xae\xc2\x9b x", 811);
    uint32_t ack;
    struct story_call *connect =
        handshake(&b, "3, \"\x1b]0;title\x07\", \xf0\x9f\x98\x80\xe4\xbd\xa0\xe5\xa5\xbd \xd7\x90\xcc\x81\r\t\x7f", &ack);
    leave(&b, 40, connect, 0);
    struct story_call *read = enter(&b, 50, STORY_SERVER, "read", 4, "4, \xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82");
    read->pid = 900;
    read->tid = 901;
    read->comm = "x\x1b[2J\xe2\x80\xa8y";
    leave(&b, 60, read, -EAGAIN);
    wake(read, WAKE_UNKNOWN, STORY_NO_STEP, -1, "\x1b[1mnobody\x1b[0m knows");
    finding(&b, "hostile", "warning", "the process \"a\x1b[31m\nb\"<\\\" chose its own name", 1, ack);
    return done(&b, OUTCOME_OPEN);
}

struct story *story_many_threads(void)
{
    struct builder b = echo_pair(1);
    struct story_call *calls[12];
    for (int i = 0; i < 12; i++) {
        calls[i] = enter(&b, -100 + i, STORY_SERVER, i == 0 ? "epoll_wait" : "accept", i == 0 ? 5 : 3, i == 0 ? "5, 64, -1" : "3");
        calls[i]->tid = 811 + i;
    }
    uint32_t ack;
    struct story_call *poll = enter(&b, -20, STORY_CLIENT, "poll", -1, "[{fd=3, POLLOUT}], 1, 1000");
    poll->tid = 815;
    struct story_call *connect = handshake(&b, "3, 127.0.0.1:3333", &ack);
    leave(&b, 36, poll, 1);
    wake(poll, WAKE_SEGMENT, ack - 3, 30, "");
    leave(&b, 40, connect, 0);
    for (int i = 0; i < 9; i++) {
        int k = (i * 5) % 12; /* in no order */
        leave(&b, 50 + i, calls[k], k == 0 ? 1 : -EAGAIN);
        wake(calls[k],
             i == 4   ? WAKE_SIGNAL
             : i == 5 ? WAKE_TIMER
             : i == 6 ? WAKE_CALL
                      : WAKE_SEGMENT,
             i == 6 ? connect->enter_step : ack, 60 + i, "");
    }
    for (int i = 9; i < 12; i++) wake(calls[(i * 5) % 12], WAKE_NOT_YET, STORY_NO_STEP, -1, "");
    return done(&b, OUTCOME_OPEN);
}

struct story *story_killed(void)
{
    struct builder b = echo_pair(2);
    struct story_call *read = enter(&b, 0, STORY_SERVER, "read", 4, NULL);
    b.story->step_count = 0; /* it began before recording: there is no step for it */
    read->enter_step = STORY_NO_STEP;
    read->enter_ns = 0;
    struct story_call *poll = enter(&b, 0, STORY_CLIENT, "poll", -1, "[{fd=3, POLLIN}], 1, -1");
    wake(poll, WAKE_NOT_YET, STORY_NO_STEP, -1, "SIGKILL ended the process inside it");
    struct story_exit *end = make(&b, sizeof(*end));
    *end = (struct story_exit){
        .side = STORY_CLIENT, .process = b.story->end[STORY_CLIENT].process, .status = -1, .signal = 9, .name = "SIGKILL"};
    add_step(&b, 40, STEP_PROCESS_EXIT, STORY_CLIENT)->exit = end;
    uint32_t killed = last_step(&b);
    segment(&b, 55, STORY_CLIENT, "F.", 1, 1, 0,
            cause_of(&b, CAUSE_EXIT, killed, "SIGKILL",
                     "the kernel closed the sockets of echo-client[812], which SIGKILL ended: no call "
                     "was made"));
    uint32_t fin = last_step(&b);
    state(&b, 55, STORY_CLIENT, STATE_ESTABLISHED, INPUT_SENT_FIN, killed);
    state(&b, 55, STORY_SERVER, STATE_ESTABLISHED, INPUT_RCVD_FIN, fin);
    segment(&b, 61, STORY_SERVER, ".", 1, 2, 0,
            cause_of(&b, CAUSE_SEGMENT, fin, NULL, "the kernel's acknowledgement of the FIN (#1)"))
        ->teardown = true;
    state(&b, 61, STORY_CLIENT, STATE_FIN_WAIT_1, INPUT_RCVD_ACK_OF_FIN, last_step(&b));
    leave(&b, 70, read, 0);
    wake(read, WAKE_SEGMENT, fin, -1, "the FIN is the end of the stream");
    b.story->summary.closed_first_by = STORY_CLIENT;
    return done(&b, OUTCOME_HALF_OPEN);
}

struct story *story_large_numbers(void)
{
    struct builder b = begin(UINT32_MAX, "255.255.255.255:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
    process(&b, STORY_CLIENT, "fifteen-letters", INT32_MAX);
    process(&b, STORY_SERVER, "", INT32_MAX - 1);
    at_once(&b, -7.2e9, STORY_SERVER, "socket", -1, "AF_INET6, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_TCP", INT32_MAX);
    b.segments = UINT32_MAX - 2;
    struct story_segment *data =
        segment(&b, 0, STORY_CLIENT, "SFRP.UEW", UINT32_MAX, UINT32_MAX, UINT32_MAX,
                cause_of(&b, CAUSE_KERNEL, STORY_NO_STEP, "mptcp_worker",
                         "a-word-that-is-longer-than-any-line-of-a-narrow-terminal-so-that-it-has-to-be-broken-"
                         "somewhere-in-the-middle-of-it-even-at-the-widest"));
    data->retransmission = true;
    data->repeat = STORY_REPEAT_UNKNOWN;
    data->of_step = 0;
    struct story_segment *probe = segment(&b, 9e10, STORY_SERVER, "P.", 0, 0, 1,
                                          cause_of(&b, CAUSE_TIMER, STORY_NO_STEP, "tail-loss-probe", "the loss-probe timer"));
    probe->retransmission = true;
    probe->repeat = STORY_REPEAT_LOSS_PROBE;
    struct story_summary *summary = &b.story->summary;
    *summary = (struct story_summary){.opened_by = STORY_SERVER,
                                      .closed_first_by = STORY_SERVER,
                                      .time_wait_side = STORY_SERVER,
                                      .time_wait_until_ns = INT64_MAX,
                                      .handshake_ns = INT64_MAX,
                                      .handshake_network_ns = INT64_MAX,
                                      .handshake_timer_ns = INT64_MAX,
                                      .handshake_process_ns = INT64_MAX,
                                      .accept_wait_ns = INT64_MAX,
                                      .segments = UINT32_MAX,
                                      .retransmissions = UINT32_MAX,
                                      .causes_by_evidence = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
                                      .causes_unknown = UINT32_MAX};
    b.story->end[STORY_CLIENT].bytes_sent = b.story->end[STORY_SERVER].bytes_sent = UINT64_MAX;
    return done(&b, OUTCOME_TIMED_OUT);
}

static struct story_datagram *datagram(struct builder *b, double us, enum story_side side, uint32_t length,
                                       struct story_cause cause)
{
    struct story_datagram *d = make(b, sizeof(*d));
    *d = (struct story_datagram){.number = ++b->datagrams,
                                 .side = side,
                                 .sent_ns = at_us(us),
                                 .length_bytes = length,
                                 .about_step = STORY_NO_STEP,
                                 .place = {.vantage = b->vantage[side], .t_ns = at_us(us), .number = b->datagrams},
                                 .cause = cause};
    add_step(b, us, STEP_DATAGRAM, side)->datagram = d;
    b->story->summary.causes_by_evidence[cause.evidence]++;
    b->story->end[side].bytes_sent += length;
    return d;
}

static struct builder udp_pair(void)
{
    struct builder b = echo_pair(1);
    b.story->udp = true;
    return b;
}

struct story *story_udp_echo(void)
{
    struct builder b = udp_pair();
    struct story_call *receive = enter(&b, -900, STORY_SERVER, "recvfrom", 3, "3, 65535 bytes");
    struct story_call *send = enter(&b, -5, STORY_CLIENT, "sendto", 3, "3, 6 bytes, 127.0.0.1:3333");
    datagram(&b, 0, STORY_CLIENT, 6, cause_of(&b, CAUSE_CALL, send->enter_step, "sendto", "sent by sendto(3) of echo-client"));
    uint32_t there = last_step(&b);
    leave(&b, 6, send, 6);
    leave(&b, 9, receive, 6);
    wake(receive, WAKE_SEGMENT, there, 905, "a datagram arrived");
    struct story_call *wait = enter(&b, 11, STORY_CLIENT, "recvfrom", 3, "3, 65535 bytes");
    struct story_call *answer = enter(&b, 14, STORY_SERVER, "sendto", 3, "3, 6 bytes, 127.0.0.1:40112");
    datagram(&b, 18, STORY_SERVER, 6, cause_of(&b, CAUSE_CALL, answer->enter_step, "sendto", "sent by sendto(3) of echo-server"));
    uint32_t back = last_step(&b);
    leave(&b, 22, answer, 6);
    leave(&b, 27, wait, 6);
    wake(wait, WAKE_SEGMENT, back, 12, "a datagram arrived");
    at_once(&b, 30, STORY_CLIENT, "close", 3, "3", 0);
    return done(&b, OUTCOME_OPEN);
}

struct story *story_udp_refused(void)
{
    struct builder b = udp_pair();
    process(&b, STORY_SERVER, NULL, 0);
    struct story_call *send = enter(&b, -5, STORY_CLIENT, "send", 3, "3, 6 bytes");
    datagram(&b, 0, STORY_CLIENT, 6, cause_of(&b, CAUSE_CALL, send->enter_step, "send", "sent by send(3) of echo-client"));
    uint32_t there = last_step(&b);
    struct story_datagram *icmp = datagram(&b, 8, STORY_SERVER, 0,
                                           cause_of(&b, CAUSE_SEGMENT, there, NULL,
                                                    "the kernel's answer to the datagram (#1): no socket is "
                                                    "bound to port 3333"));
    icmp->icmp = "port unreachable";
    icmp->about_step = there;
    uint32_t error = last_step(&b);
    leave(&b, 12, send, 6);
    struct story_call *receive = enter(&b, 20, STORY_CLIENT, "recv", 3, "3, 65535 bytes");
    leave(&b, 22, receive, -ECONNREFUSED);
    wake(receive, WAKE_NEVER_SLEPT, error, 0, "the ICMP error was waiting on the socket");
    finding(&b, "port-unreachable", "error", "nobody is bound to UDP 127.0.0.1:3333; the error came back on the next call, recv()",
            2, error, receive->enter_step);
    return done(&b, OUTCOME_REFUSED);
}

struct story *story_crossing_fins(void)
{
    struct builder b = echo_pair(1);
    struct story_call *close = enter(&b, -4, STORY_CLIENT, "close", 3, "3");
    segment(&b, 0, STORY_CLIENT, "F.", 1, 1, 0, cause_of(&b, CAUSE_CALL, close->enter_step, "close", "sent by close(3)"));
    uint32_t fin = last_step(&b);
    state(&b, 0, STORY_CLIENT, STATE_ESTABLISHED, INPUT_SENT_FIN, close->enter_step);
    state(&b, 3, STORY_SERVER, STATE_ESTABLISHED, INPUT_RCVD_FIN, fin);
    leave(&b, 5, close, 0);
    wake(close, WAKE_NEVER_SLEPT, STORY_NO_STEP, 0, "it did not have to wait");
    struct story_call *answer = enter(&b, 9, STORY_SERVER, "close", 4, "4");
    segment(&b, 12, STORY_SERVER, "F.", 1, 2, 0, cause_of(&b, CAUSE_CALL, answer->enter_step, "close", "sent by close(4)"));
    uint32_t both = last_step(&b);
    state(&b, 12, STORY_SERVER, STATE_CLOSE_WAIT, INPUT_SENT_FIN, answer->enter_step);
    state(&b, 15, STORY_CLIENT, STATE_FIN_WAIT_1, INPUT_RCVD_ACK_OF_FIN, both);
    state(&b, 15, STORY_CLIENT, STATE_FIN_WAIT_2, INPUT_RCVD_FIN, both);
    segment(&b, 20, STORY_CLIENT, ".", 2, 2, 0, cause_of(&b, CAUSE_SEGMENT, both, NULL, "the kernel's answer to the FIN"))
        ->teardown = true;
    state(&b, 20, STORY_SERVER, STATE_LAST_ACK, INPUT_RCVD_ACK_OF_FIN, last_step(&b));
    leave(&b, 26, answer, 0);
    wake(answer, WAKE_UNKNOWN, STORY_NO_STEP, -1, "");
    state(&b, 60000015, STORY_CLIENT, STATE_TIME_WAIT, INPUT_TIMEOUT_2MSL, STORY_NO_STEP);
    return done(&b, OUTCOME_CLOSED);
}

struct story *story_loopback_arrivals(void)
{
    struct builder b = echo_pair(1);
    b.evidence = EVIDENCE_INTERVAL;
    struct story_call *accept = enter(&b, -50, STORY_SERVER, "accept", 3, "3");
    struct story_call *connect = enter(&b, -9, STORY_CLIENT, "connect", 3, "3, 127.0.0.1:3333");
    struct story_segment *syn =
        segment(&b, 0, STORY_CLIENT, "S", 0, 0, 0,
                cause_of(&b, CAUSE_CALL, connect->enter_step, "connect", "sent by connect(3): the active open"));
    uint32_t syn_step = last_step(&b);
    syn->received_ns = at_us(6);
    state(&b, 0, STORY_CLIENT, STATE_CLOSED, INPUT_SENT_SYN, connect->enter_step);
    at_once(&b, 3, STORY_SERVER, "getpid", -1, "", 811);
    state(&b, 6, STORY_SERVER, STATE_LISTEN, INPUT_SENT_SYN_ACK, syn_step);
    segment(&b, 8, STORY_SERVER, "S.", 0, 1, 0, cause_of(&b, CAUSE_SEGMENT, syn_step, NULL, "the kernel's answer to the SYN"))
        ->received_ns = at_us(12);
    uint32_t syn_ack = last_step(&b);
    state(&b, 12, STORY_CLIENT, STATE_SYN_SENT, INPUT_RCVD_SYN_ACK, syn_ack);
    leave(&b, 20, connect, 0);
    wake(connect, WAKE_SEGMENT, syn_ack, 0,
         "the SYN-ACK (#2) answered the SYN while the call was still at work: it never had to sleep");
    leave(&b, 25, accept, 4);
    wake(accept, WAKE_SEGMENT, syn_ack, -1, "the ACK (#3) completed the handshake");
    accept->wake.evidence = EVIDENCE_INTERVAL;
    struct story_call *wait = enter(&b, 30, STORY_CLIENT, "poll", -1, "[{fd=3, POLLIN}], 1, 100");
    leave(&b, 100030, wait, 0);
    wake(wait, WAKE_TIMER, STORY_NO_STEP, 100000, "nothing happened within its timeout");
    wait->wake.evidence = EVIDENCE_RULE;
    return done(&b, OUTCOME_OPEN);
}

struct story *story_empty(void)
{
    struct builder b = begin(1, NULL, NULL);
    return done(&b, OUTCOME_OPEN);
}
