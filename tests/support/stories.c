#include "support/stories.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "stories_own.h"
#include "story/own.h"

void *make(struct builder *b, size_t bytes)
{
    void *memory = arena_alloc(b->arena, bytes);
    if (!memory) abort();
    return memory;
}

int64_t at_us(double us)
{
    return START_NS + (int64_t)(us * 1000);
}

struct builder begin(uint32_t number, const char *client, const char *server)
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

void process(struct builder *b, enum story_side side, const char *comm, int32_t pid)
{
    b->story->end[side].process = (struct story_process){.pid = pid, .comm = comm};
}

struct story_step *add_step(struct builder *b, double us, enum story_step_kind kind, enum story_side side)
{
    if (b->story->step_count == STEPS_MAX) abort();
    struct story_step *step = &b->story->steps[b->story->step_count++];
    *step = (struct story_step){.kind = kind, .t_ns = at_us(us), .side = side};
    return step;
}

uint32_t last_step(const struct builder *b)
{
    return (uint32_t)b->story->step_count - 1;
}

struct story_cause cause_of(struct builder *b, enum story_cause_kind kind, uint32_t step, const char *name, const char *why)
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

struct story_call *enter(struct builder *b, double us, enum story_side side, const char *name, int32_t fd, const char *args)
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

void leave(struct builder *b, double us, struct story_call *call, int64_t ret)
{
    add_step(b, us, STEP_EXIT, call->side)->call = call;
    call->exit_step = last_step(b);
    call->exit_ns = at_us(us);
    call->ret = ret;
    if (ret < 0) call->errno_name = strerrorname_np((int)-ret);
}

void at_once(struct builder *b, double us, enum story_side side, const char *name, int32_t fd, const char *args, int64_t ret)
{
    leave(b, us, enter(b, us, side, name, fd, args), ret);
}

void wake(struct story_call *call, enum story_wake_kind kind, uint32_t step, double slept_us, const char *why)
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

struct story_segment *segment(struct builder *b, double us, enum story_side side, const char *flags, uint32_t seq, uint32_t ack,
                              uint32_t length, struct story_cause cause)
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
void state(struct builder *b, double us, enum story_side side, enum tcp_state from, enum tcp_input input, uint32_t because)
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

void finding(struct builder *b, const char *id, const char *severity, const char *text, size_t count, ...)
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

struct story *done(struct builder *b, enum story_outcome outcome)
{
    b->story->outcome = outcome;
    b->story->summary.calls = b->calls;
    b->story->summary.datagrams = b->datagrams;
    return b->story;
}

/* listen(3) of the server, ten milliseconds before time zero. */
void listens(struct builder *b, const char *endpoint)
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
struct story_call *handshake(struct builder *b, const char *connect_args, uint32_t *ret_ack_step)
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
void teardown(struct builder *b, double us, enum story_side first, uint32_t first_seq, uint32_t other_seq)
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
void echo(struct builder *b, double us, uint32_t client_seq, uint32_t server_seq, uint32_t length)
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

struct builder echo_pair(uint32_t number)
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
