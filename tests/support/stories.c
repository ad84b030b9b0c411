#include "support/stories.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "story/own.h"

#define START_NS INT64_C(1700000000000000000)
enum { STEPS_MAX = 64, FINDINGS_MAX = 4 };

/* A story under construction. Times are microseconds from its start, as the ladder shows them. */
struct builder {
    struct story_own *own;
    struct story *story;
    struct arena *arena;
    const char *vantage[STORY_SIDES];
    enum story_evidence evidence;
    uint32_t calls, segments, datagrams;
};

static void *make(struct builder *b, size_t bytes)
{
    void *memory = arena_alloc(b->arena, bytes);
    if (!memory) abort();
    return memory;
}

static int64_t at_us(double us)
{
    return START_NS + (int64_t)(us * 1000);
}

static struct builder begin(uint32_t number, const char *client, const char *server)
{
    struct builder b = {.own = calloc(1, sizeof(*b.own)), .evidence = EVIDENCE_STACK, .vantage = {"lo", "lo"}};
    if (!b.own) abort();
    b.own->arena = arena_new();
    b.arena = &b.own->arena;
    b.story = &b.own->story;
    b.story->number = number;
    b.story->start_ns = START_NS;
    b.story->steps = make(&b, STEPS_MAX * sizeof(struct story_step));
    b.story->findings = make(&b, FINDINGS_MAX * sizeof(struct story_finding));
    const char *texts[] = {client, server};
    for (int side = 0; side < STORY_SIDES; side++)
        if (texts[side] && !address_parse(texts[side], &b.story->end[side].address)) abort();
    struct story_summary *summary = &b.story->summary;
    summary->opened_by = summary->closed_first_by = summary->time_wait_side = -1;
    summary->handshake_ns = summary->handshake_network_ns = summary->handshake_process_ns = summary->accept_wait_ns = -1;
    summary->handshake_timer_ns = -1;
    return b;
}

static void process(struct builder *b, enum story_side side, const char *comm, int32_t pid)
{
    b->story->end[side].process = (struct story_process){.pid = pid, .comm = comm};
}

static struct story_step *add_step(struct builder *b, double us, enum story_step_kind kind, enum story_side side)
{
    if (b->story->step_count == STEPS_MAX) abort();
    struct story_step *step = &b->story->steps[b->story->step_count++];
    *step = (struct story_step){.kind = kind, .t_ns = at_us(us), .side = side};
    return step;
}

static uint32_t last_step(const struct builder *b)
{
    return (uint32_t)b->story->step_count - 1;
}

static struct story_cause cause_of(struct builder *b, enum story_cause_kind kind, uint32_t step, const char *name, const char *why)
{
    static const char *const call[] = {"__tcp_transmit_skb", "tcp_write_xmit", "__sys_connect", "__x64_sys_connect"};
    static const char *const segment[] = {"tcp_rcv_state_process", "tcp_v4_do_rcv", "tcp_v4_rcv", "net_rx_action"};
    static const char *const timer[] = {"tcp_retransmit_timer", "tcp_write_timer", "call_timer_fn"};
    struct story_cause cause = {.kind = kind, .evidence = b->evidence, .step = step, .name = name, .why = why};
    if (kind == CAUSE_UNKNOWN) cause.evidence = EVIDENCE_NONE;
    if (cause.evidence != EVIDENCE_STACK) return cause;
    cause.chain = kind == CAUSE_CALL ? call : kind == CAUSE_TIMER ? timer : segment;
    cause.chain_count = kind == CAUSE_TIMER ? 3 : 4;
    return cause;
}

static struct story_call *enter(struct builder *b, double us, enum story_side side, const char *name, int32_t fd, const char *args)
{
    struct story_call *call = make(b, sizeof(*call));
    *call = (struct story_call){.number = ++b->calls,
                                .side = side,
                                .pid = b->story->end[side].process.pid,
                                .tid = b->story->end[side].process.pid,
                                .comm = b->story->end[side].process.comm,
                                .name = name,
                                .traits = call_traits(name),
                                .fd = fd,
                                .args = args,
                                .enter_ns = at_us(us),
                                .slept_ns = -1,
                                .wake = {.kind = WAKE_UNKNOWN, .step = STORY_NO_STEP, .why = ""},
                                .exit_step = STORY_NO_STEP};
    add_step(b, us, STEP_ENTER, side)->call = call;
    call->enter_step = last_step(b);
    return call;
}

static void leave(struct builder *b, double us, struct story_call *call, int64_t ret)
{
    add_step(b, us, STEP_EXIT, call->side)->call = call;
    call->exit_step = last_step(b);
    call->exit_ns = at_us(us);
    call->ret = ret;
    if (ret < 0) call->errno_name = strerrorname_np((int)-ret);
}

static void at_once(struct builder *b, double us, enum story_side side, const char *name, int32_t fd, const char *args, int64_t ret)
{
    leave(b, us, enter(b, us, side, name, fd, args), ret);
}

static void wake(struct story_call *call, enum story_wake_kind kind, uint32_t step, double slept_us, const char *why)
{
    call->waits = true;
    call->slept_ns = slept_us < 0 ? -1 : (int64_t)(slept_us * 1000);
    call->wake = (struct story_wake){.kind = kind, .evidence = EVIDENCE_STACK, .step = step, .why = why};
}

static const char *label_of(uint8_t flags, uint32_t length)
{
    if (flags & TCP_RST) return "RST";
    if (flags & TCP_SYN) return flags & TCP_ACK ? "SYN-ACK" : "SYN";
    if (flags & TCP_FIN) return "FIN";
    return length ? "data" : "ACK";
}

static struct story_segment *segment(struct builder *b, double us, enum story_side side, const char *flags, uint32_t seq,
                                     uint32_t ack, uint32_t length, struct story_cause cause)
{
    static const struct {
        char letter;
        uint8_t bit;
    } letters[] = {{'S', TCP_SYN}, {'F', TCP_FIN}, {'R', TCP_RST}, {'P', TCP_PSH}, {'.', TCP_ACK}};
    struct story_segment *s = make(b, sizeof(*s));
    *s = (struct story_segment){.number = ++b->segments,
                                .side = side,
                                .sent_ns = at_us(us),
                                .seq = seq,
                                .ack = ack,
                                .seq_absolute = seq + (side ? 0x80000000u : 1000),
                                .ack_absolute = ack + (side ? 1000 : 0x80000000u),
                                .length_bytes = length,
                                .window = 512,
                                .window_kind = strchr(flags, 'R') ? WINDOW_UNKNOWN : WINDOW_BYTES,
                                .window_bytes = strchr(flags, 'S') ? 512 : 65536,
                                .of_step = STORY_NO_STEP,
                                .place = {.vantage = b->vantage[side], .t_ns = at_us(us), .number = b->segments},
                                .cause = cause};
    for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
        if (strchr(flags, letters[i].letter)) s->flags |= letters[i].bit;
    snprintf(s->flags_text, sizeof(s->flags_text), "%s", flags);
    s->label = label_of(s->flags, length);
    s->handshake = s->flags & TCP_SYN;
    s->teardown = s->flags & (TCP_FIN | TCP_RST);
    add_step(b, us, STEP_SEGMENT, side)->segment = s;
    struct story_summary *summary = &b->story->summary;
    summary->segments++;
    summary->causes_by_evidence[cause.evidence]++;
    summary->causes_unknown += cause.kind == CAUSE_UNKNOWN;
    b->story->end[side].bytes_sent += length;
    return s;
}

/* The RFC's arrow: its own sentence is the why. */
static void state(struct builder *b, double us, enum story_side side, enum tcp_state from, enum tcp_input input, uint32_t because)
{
    const struct tcp_arrow *arrow = tcp_next(from, input);
    if (!arrow) abort();
    struct story_state *s = make(b, sizeof(*s));
    enum story_cause_kind kind = CAUSE_TIMER;
    if (because < b->story->step_count) kind = b->story->steps[because].kind == STEP_SEGMENT ? CAUSE_SEGMENT : CAUSE_CALL;
    *s = (struct story_state){.side = side,
                              .from = tcp_state_name(from),
                              .to = tcp_state_name(arrow->to),
                              .from_state = from,
                              .to_state = arrow->to,
                              .cause = cause_of(b, kind, because, kind == CAUSE_TIMER ? "time-wait" : NULL, arrow->why)};
    add_step(b, us, STEP_STATE, side)->state = s;
    b->story->end[side].state = arrow->to;
}

static void kernel_state(struct builder *b, double us, enum story_side side, const char *from, const char *to, uint32_t because)
{
    struct story_state *s = make(b, sizeof(*s));
    *s = (struct story_state){.side = side, .from = from, .to = to, .kernel = true};
    s->cause = cause_of(b, CAUSE_CALL, because, NULL, "reported by the kernel");
    add_step(b, us, STEP_STATE, side)->state = s;
}

static void finding(struct builder *b, const char *id, const char *severity, const char *text, size_t count, ...)
{
    if (b->story->finding_count == FINDINGS_MAX) abort();
    uint32_t *steps = make(b, count * sizeof(*steps));
    va_list args;
    va_start(args, count);
    for (size_t i = 0; i < count; i++) steps[i] = va_arg(args, uint32_t);
    va_end(args);
    b->story->findings[b->story->finding_count++] =
        (struct story_finding){.id = id, .severity = severity, .text = text, .steps = steps, .step_count = count};
}

static void difference(struct builder *b, const char *id, const char *text, const char *reference, uint32_t step)
{
    struct story_difference *made = make(b, sizeof(*made));
    uint32_t *steps = make(b, sizeof(*steps));
    *steps = step;
    *made = (struct story_difference){.id = id, .text = text, .reference = reference, .steps = steps, .step_count = 1};
    b->story->differences = made;
    b->story->difference_count = 1;
}

static struct story *done(struct builder *b, enum story_outcome outcome)
{
    b->story->outcome = outcome;
    b->story->summary.calls = b->calls;
    b->story->summary.datagrams = b->datagrams;
    return b->story;
}

/* listen(3) of the server, ten milliseconds before time zero. */
static void listens(struct builder *b, const char *endpoint)
{
    at_once(b, -10200, STORY_SERVER, "socket", -1, "AF_INET, SOCK_STREAM, IPPROTO_TCP", 3);
    char *args = make(b, 80);
    snprintf(args, 80, "3, %s", endpoint);
    at_once(b, -10180, STORY_SERVER, "bind", 3, args, 0);
    struct story_call *listen = enter(b, -10170, STORY_SERVER, "listen", 3, "3, 128");
    leave(b, -10168, listen, 0);
    listen->listener = true;
    state(b, -10168, STORY_SERVER, STATE_CLOSED, INPUT_CALL_LISTEN, listen->enter_step);
}

/* connect(), three segments and what they do to both ends; the numbers are those of a loopback. */
static struct story_call *handshake(struct builder *b, const char *connect_args, uint32_t *ret_ack_step)
{
    struct story_call *connect = enter(b, -9, STORY_CLIENT, "connect", 3, connect_args);
    segment(b, 0, STORY_CLIENT, "S", 0, 0, 0,
            cause_of(b, CAUSE_CALL, connect->enter_step, "connect", "sent by connect(3) of echo-client: the active OPEN"));
    uint32_t syn = last_step(b);
    state(b, 0, STORY_CLIENT, STATE_CLOSED, INPUT_SENT_SYN, connect->enter_step);
    kernel_state(b, 6, STORY_CLIENT, "CLOSE", "SYN_SENT", connect->enter_step);
    segment(b, 18, STORY_SERVER, "S.", 0, 1, 0,
            cause_of(b, CAUSE_SEGMENT, syn, NULL,
                     "the kernel's answer to the SYN (#1): the socket is in LISTEN. accept() had no part in it"));
    uint32_t syn_ack = last_step(b);
    state(b, 18, STORY_SERVER, STATE_LISTEN, INPUT_SENT_SYN_ACK, syn);
    state(b, 18, STORY_CLIENT, STATE_SYN_SENT, INPUT_RCVD_SYN_ACK, syn_ack);
    segment(
        b, 31, STORY_CLIENT, ".", 1, 1, 0,
        cause_of(b, CAUSE_SEGMENT, syn_ack, NULL, "the kernel's answer to the SYN-ACK (#2), worked off the backlog of connect(3)"))
        ->handshake = true;
    *ret_ack_step = last_step(b);
    state(b, 31, STORY_SERVER, STATE_SYN_RCVD, INPUT_RCVD_ACK_OF_SYN, *ret_ack_step);
    wake(connect, WAKE_SEGMENT, syn_ack, 22, "the SYN-ACK completed the handshake on this side");
    struct story_summary *summary = &b->story->summary;
    summary->opened_by = STORY_CLIENT;
    summary->handshake_ns = 31000;
    summary->handshake_network_ns = 18000;
    summary->handshake_timer_ns = 0;
    summary->handshake_process_ns = 26000;
    for (int side = 0; side < STORY_SIDES; side++) {
        b->story->end[side].has_isn = true;
        b->story->end[side].isn = side ? 0x80000000u : 1000;
    }
    return connect;
}

/* Both FINs and both ACKs, `first` closing first with descriptors that differ a side. */
static void teardown(struct builder *b, double us, enum story_side first, uint32_t first_seq, uint32_t other_seq)
{
    static const char *const closes[] = {"sent by close(3) of echo-client, the last descriptor of this socket",
                                         "sent by close(4) of echo-server, the last descriptor of this socket"};
    static const int32_t fds[] = {3, 4};
    static const char *const args[] = {"3", "4"};
    enum story_side other = first == STORY_CLIENT ? STORY_SERVER : STORY_CLIENT;
    struct story_call *read =
        enter(b, us - 20, other, "read", fds[other], other == STORY_CLIENT ? "3, 4096 bytes" : "4, 4096 bytes");
    struct story_call *close = enter(b, us - 4, first, "close", fds[first], args[first]);
    segment(b, us, first, "F.", first_seq, other_seq, 0, cause_of(b, CAUSE_CALL, close->enter_step, "close", closes[first]));
    uint32_t fin = last_step(b);
    state(b, us, first, STATE_ESTABLISHED, INPUT_SENT_FIN, close->enter_step);
    state(b, us, other, STATE_ESTABLISHED, INPUT_RCVD_FIN, fin);
    segment(b, us + 5, other, ".", other_seq, first_seq + 1, 0,
            cause_of(b, CAUSE_SEGMENT, fin, NULL, "the kernel's acknowledgement of the FIN"))
        ->teardown = true;
    state(b, us + 5, first, STATE_FIN_WAIT_1, INPUT_RCVD_ACK_OF_FIN, last_step(b));
    leave(b, us + 9, close, 0);
    leave(b, us + 15, read, 0);
    wake(read, WAKE_SEGMENT, fin, 28, "the FIN is the end of the stream");
    struct story_call *answer = enter(b, us + 19, other, "close", fds[other], args[other]);
    segment(b, us + 24, other, "F.", other_seq, first_seq + 1, 0,
            cause_of(b, CAUSE_CALL, answer->enter_step, "close", closes[other]));
    uint32_t last_fin = last_step(b);
    state(b, us + 24, other, STATE_CLOSE_WAIT, INPUT_SENT_FIN, answer->enter_step);
    state(b, us + 24, first, STATE_FIN_WAIT_2, INPUT_RCVD_FIN, last_fin);
    segment(b, us + 28, first, ".", first_seq + 1, other_seq + 1, 0,
            cause_of(b, CAUSE_SEGMENT, last_fin, NULL, "the kernel's acknowledgement of the FIN, sent for the TIME_WAIT socket"))
        ->teardown = true;
    state(b, us + 28, other, STATE_LAST_ACK, INPUT_RCVD_ACK_OF_FIN, last_step(b));
    leave(b, us + 33, answer, 0);
    struct story_summary *summary = &b->story->summary;
    summary->closed_first_by = summary->time_wait_side = (int32_t)first;
    summary->time_wait_until_ns = at_us(us + 24) + INT64_C(60000000000);
}

/* A message there and back: write, read, write, read. */
static void echo(struct builder *b, double us, uint32_t client_seq, uint32_t server_seq, uint32_t length)
{
    char *count = make(b, 32), *back = make(b, 32);
    snprintf(count, 32, "3, %u bytes", length);
    snprintf(back, 32, "4, %u bytes", length);
    struct story_call *server_read = enter(b, us, STORY_SERVER, "read", 4, "4, 4096 bytes");
    struct story_call *write = enter(b, us + 10, STORY_CLIENT, "write", 3, count);
    segment(b, us + 14, STORY_CLIENT, "P.", client_seq, server_seq, length,
            cause_of(b, CAUSE_CALL, write->enter_step, "write", "sent by write(3) of echo-client"));
    uint32_t message = last_step(b);
    leave(b, us + 20, write, length);
    leave(b, us + 24, server_read, length);
    wake(server_read, WAKE_SEGMENT, message, 12, "data arrived");
    struct story_call *read = enter(b, us + 26, STORY_CLIENT, "read", 3, "3, 4096 bytes");
    struct story_call *answer = enter(b, us + 30, STORY_SERVER, "write", 4, back);
    segment(
        b, us + 35, STORY_SERVER, "P.", server_seq, client_seq + length, length,
        cause_of(b, CAUSE_CALL, answer->enter_step, "write", "sent by write(4) of echo-server; it acknowledges the message too"));
    uint32_t reply = last_step(b);
    leave(b, us + 41, answer, length);
    leave(b, us + 44, read, length);
    wake(read, WAKE_SEGMENT, reply, 15, "data arrived");
    segment(b, us + 47, STORY_CLIENT, ".", client_seq + length, server_seq + length, 0,
            cause_of(b, CAUSE_SEGMENT, reply, NULL, "the kernel's acknowledgement of the reply"));
}

static struct builder echo_pair(uint32_t number)
{
    struct builder b = begin(number, "127.0.0.1:40112", "127.0.0.1:3333");
    process(&b, STORY_CLIENT, "echo-client", 812);
    process(&b, STORY_SERVER, "echo-server", 811);
    return b;
}

struct story *story_normal_echo(void)
{
    struct builder b = echo_pair(1);
    listens(&b, "127.0.0.1:3333");
    struct story_call *accept = enter(&b, -10100, STORY_SERVER, "accept", 3, "3");
    at_once(&b, -30, STORY_CLIENT, "socket", -1, "AF_INET, SOCK_STREAM, IPPROTO_TCP", 3);
    uint32_t ack;
    struct story_call *connect = handshake(&b, "3, 127.0.0.1:3333", &ack);
    leave(&b, 40, connect, 0);
    leave(&b, 52, accept, 4);
    wake(accept, WAKE_SEGMENT, ack, 10128, "the ACK completed the handshake");
    b.story->summary.accept_wait_ns = 21000;
    echo(&b, 60, 1, 1, 6);
    teardown(&b, 160, STORY_CLIENT, 7, 7);
    difference(&b, "linux-request-socket",
               "SYN_RCVD is no socket yet: until the handshake's last ACK there is only a request socket",
               "RFC 9293 section 3.10.7.2; tcp_check_req()", ack);
    return done(&b, OUTCOME_CLOSED);
}

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

const struct story_fixture *story_fixtures(size_t *ret_count)
{
    static const struct story_fixture fixtures[] = {
        {"normal_echo", story_normal_echo, 1},
        {"late_accept", story_late_accept, 1},
        {"refused", story_refused, 1},
        {"reset_unread", story_reset_unread, 1},
        {"server_first", story_server_first, 1},
        {"lossy_wire", story_lossy_wire, 2},
        {"file_only", story_file_only, 1},
        {"hostile_names", story_hostile_names, 1},
        {"many_threads", story_many_threads, 1},
        {"killed", story_killed, 1},
        {"large_numbers", story_large_numbers, 1},
        {"udp_echo", story_udp_echo, 1},
        {"udp_refused", story_udp_refused, 1},
        {"crossing_fins", story_crossing_fins, 1},
        {"loopback_arrivals", story_loopback_arrivals, 1},
        {"empty", story_empty, 1},
    };
    *ret_count = sizeof(fixtures) / sizeof(fixtures[0]);
    return fixtures;
}
