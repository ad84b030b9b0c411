#include "capture/bpf/bpf_convert.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "capture/syscalls.h"

/* ---- plain values ---- */

static struct address address_of(const struct record_address *record)
{
    if (record->version == 4) return address_v4(record->ip, record->port);
    if (record->version == 6) return address_v6(record->ip, record->port);
    return (struct address){0};
}

/* 0.0.0.0:0 is what the kernel has before bind() and after disconnecting: no address at all. */
static struct address address_unless_unset(const struct record_address *record)
{
    struct address address = address_of(record);

    return address.port == 0 && address_is_any(&address) ? (struct address){0} : address;
}

static struct event_socket socket_of(const struct record_socket *record)
{
    struct event_socket socket = {
        .cookie = record->id,
        .local = address_unless_unset(&record->local),
        .protocol = record->protocol,
        .state = record->state,
        .has_unread = record->has_unread,
        .unread_bytes = record->unread,
    };

    /* After a failed connect() an address stays without its port. */
    if (record->remote.port) socket.remote = address_of(&record->remote);
    return socket;
}

static struct event_packet_header header_of(const struct record_packet *record)
{
    return (struct event_packet_header){
        .src = address_of(&record->src),
        .dst = address_of(&record->dst),
        .protocol = record->protocol,
        .flags = record->flags,
        .window = record->window,
        .seq = record->seq,
        .ack = record->ack,
        .length_bytes = record->length_bytes,
    };
}

static struct event_thread thread_of(uint32_t pid, uint32_t tid, const char comm[16])
{
    struct event_thread thread = {.pid = (int32_t)pid, .tid = (int32_t)tid};

    memcpy(thread.comm, comm, sizeof(thread.comm));
    thread.comm[sizeof(thread.comm) - 1] = 0;
    return thread;
}

/* ---- the call chain ---- */

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* The stack begins in the program that took it: everything up to the tracepoint is not the kernel's story. */
static bool is_tracing(const char *name)
{
    static const char *const tracing[] = {"bpf_prog_",       "bpf_get_stack", "bpf_trace_run",   "__bpf_trace_", "__traceiter_",
                                          "bpf_trampoline_", "__bpf_prog_",   "bpf_dispatcher_", "__do_trace_",  "__SCT__"};

    for (size_t i = 0; i < sizeof(tracing) / sizeof(tracing[0]); i++) {
        if (starts_with(name, tracing[i])) return true;
    }
    return false;
}

struct names {
    const char *name[RECORD_FRAMES_MAX];
    size_t count;
};

static struct names names_of(struct bpf_convert *convert, const uint64_t *stack, size_t frames)
{
    struct names names = {.count = 0};
    size_t begin = 0;

    for (size_t i = 0; i < frames; i++) {
        /* A frame is the address that a call returns to, which can be the next function's first. */
        const char *name = kernel_symbols_name(convert->symbols, stack[i] - 1);

        if (!name) convert->unknown_frames++;
        names.name[i] = name ? name : "?";
    }
    /* Only the beginning: further on, an interrupt may have hit a program, and then the chain goes through it. A program has no
     * name where net.core.bpf_jit_kallsyms is off. */
    for (size_t i = 0; i < frames && (is_tracing(names.name[i]) || names.name[i][0] == '?'); i++) {
        if (is_tracing(names.name[i])) begin = i + 1;
    }
    names.count = frames - begin;
    if (names.count > EVENT_CHAIN_MAX) names.count = EVENT_CHAIN_MAX;
    memmove(names.name, names.name + begin, names.count * sizeof(names.name[0]));
    return names;
}

/* What decides whether the kernel is at work on the packet that was received last: the innermost of these in the chain. */
enum frame_meaning { FRAME_OTHER, FRAME_RECEIVES, FRAME_RECEIVES_LIST, FRAME_DOES_NOT };

static enum frame_meaning frame_meaning(const char *name)
{
    static const struct {
        const char *name;
        enum frame_meaning meaning;
    } frames[] = {
        {"ip_sublist_rcv", FRAME_RECEIVES_LIST},
        {"ip6_sublist_rcv", FRAME_RECEIVES_LIST},
        {"__netif_receive_skb_core", FRAME_RECEIVES},
        {"__netif_receive_skb_one_core", FRAME_RECEIVES},
        {"__netif_receive_skb", FRAME_RECEIVES},
        {"__netif_receive_skb_list_core", FRAME_RECEIVES_LIST},
        {"__release_sock", FRAME_DOES_NOT}, /* the backlog: packets received earlier */
        {"run_timer_softirq", FRAME_DOES_NOT},
        {"call_timer_fn", FRAME_DOES_NOT},
        {"__run_timers", FRAME_DOES_NOT},
        {"tmigr_handle_remote", FRAME_DOES_NOT},
        {"__hrtimer_run_queues", FRAME_DOES_NOT}, /* an interrupt on top of the reception */
        {"hrtimer_interrupt", FRAME_DOES_NOT},
        {"tcp_tasklet_func", FRAME_DOES_NOT},
        {"net_tx_action", FRAME_DOES_NOT},
    };

    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        if (strcmp(name, frames[i].name) == 0) return frames[i].meaning;
    }
    return FRAME_OTHER;
}

static enum frame_meaning names_meaning(const struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        enum frame_meaning meaning = frame_meaning(names->name[i]);

        if (meaning != FRAME_OTHER) return meaning;
    }
    return FRAME_DOES_NOT;
}

/* Between two devices (a VLAN and what carries it, a bond, a bridge) a packet is queued once more: the chain shows the first device
 * transmitting. */
static bool names_are_stacked_device(const struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->name[i], "dev_hard_start_xmit") == 0) return true;
        if (frame_meaning(names->name[i]) != FRAME_OTHER) return false;
    }
    return false;
}

static struct names context_of(struct bpf_convert *convert, const struct record_head *head, const struct record_context *context,
                               const uint64_t *stack, struct event_log *log, struct event_context *ret_context)
{
    struct names names = {.count = 0};

    *ret_context = (struct event_context){
        .current = thread_of(head->pid, head->tid, head->comm),
        .softirq = context->softirq,
        .receiving = context->receiving,
    };
    if (context->stack_bytes > 0 && convert->symbols)
        names = names_of(convert, stack, (size_t)context->stack_bytes / sizeof(stack[0]));
    else if (context->stack_bytes > 0)
        convert->unnamed_chains++;
    ret_context->chain = event_log_chain(log, names.name, names.count);
    if (names.count) {
        enum frame_meaning meaning = names_meaning(&names);

        /* A list of packets is announced before the first of them is worked on: the last one announced need not be it. */
        ret_context->receiving = context->receiving && meaning == FRAME_RECEIVES;
    }
    if (convert->preempted) {
        ret_context->receiving = false;
        ret_context->softirq = !ret_context->chain; /* it may be: so no call is its cause */
    }
    if (ret_context->receiving) ret_context->received = header_of(&context->received);
    return names;
}

/* ---- one kind of record after the other ---- */

static void call_convert(const struct record_call *record, struct event *event)
{
    struct syscall_raw raw = {
        .number = (long)record->number, .epoll_data = record->epoll_data, .epoll_events = record->epoll_events};
    struct event_call *call = &event->call;
    bool enter = record->head.kind == RECORD_ENTER;

    for (size_t i = 0; i < 6; i++) raw.args[i] = record->args[i];
    raw.address_bytes = record->address_bytes <= sizeof(raw.address) ? record->address_bytes : 0;
    memcpy(raw.address, record->address, raw.address_bytes);
    raw.option_bytes = record->option_bytes;
    memcpy(raw.option_value, record->option_value, sizeof(raw.option_value));
    raw.second = record->second;

    event->kind = enter ? EVENT_ENTER : EVENT_EXIT;
    syscall_describe(&raw, call);
    if (!enter) memset(call->args, 0, sizeof(call->args));
    call->thread = thread_of(record->head.pid, record->head.tid, record->head.comm);
    call->socket = socket_of(&record->socket);
    call->other = socket_of(&record->other);
    call->ret = record->ret;
    call->slept_ns = record->slept_ns;
    call->wake_unseen = record->wake_unseen != 0;
    call->watch_total = record->watch_total;
    for (size_t i = 0; i < record->watch_count && i < EVENT_WATCH_MAX; i++) {
        call->watch[i] =
            (struct event_watch){.cookie = record->watch[i].id, .data = record->watch[i].data, .events = record->watch[i].events};
        call->watch_count++;
    }
}

static int mark_convert(struct bpf_convert *convert, const struct record_mark *record, struct event_log *log, struct event *event)
{
    struct names names;

    event->kind = EVENT_MARK;
    event->mark.header = header_of(&record->packet);
    event->mark.netns = record->netns;
    event->mark.interface = record->interface;
    event->mark.socket = socket_of(&record->socket);
    names = context_of(convert, &record->head, &record->context, (const uint64_t *)record->stack, log, &event->mark.context);
    return names_are_stacked_device(&names) ? 0 : 1;
}

static void state_convert(struct bpf_convert *convert, const struct record_state *record, struct event_log *log,
                          struct event *event)
{
    struct event_state *state = &event->state;

    event->kind = EVENT_STATE;
    state->socket = socket_of(&record->socket);
    state->from = record->from;
    state->to = record->to;
    state->netns = record->netns;
    context_of(convert, &record->head, &record->context, (const uint64_t *)record->stack, log, &state->context);
    /* A new child is still a copy of its listener; the segment that made it names its ends. */
    const struct event_packet_header *received = &state->context.received;

    if (record->from == KERNEL_LISTEN && record->to == KERNEL_SYN_RECV && state->context.receiving &&
        received->dst.port == state->socket.local.port) {
        state->socket.local = received->dst;
        state->socket.remote = received->src;
    }
}

static void reset_convert(struct bpf_convert *convert, const struct record_reset *record, struct event_log *log,
                          struct event *event)
{
    event->kind = EVENT_RESET;
    event->reset.sent = record->sent != 0;
    event->reset.socket = socket_of(&record->socket);
    event->reset.netns = record->netns;
    if (record->has_reason && record->reason < BPF_REASONS_MAX)
        memcpy(event->reset.reason, convert->reasons[record->reason], sizeof(event->reset.reason));
    context_of(convert, &record->head, &record->context, (const uint64_t *)record->stack, log, &event->reset.context);
}

static void resend_convert(struct bpf_convert *convert, const struct record_resend *record, struct event_log *log,
                           struct event *event)
{
    event->kind = EVENT_RESEND;
    event->resend.synack = record->synack != 0;
    event->resend.socket = socket_of(&record->socket);
    event->resend.netns = record->netns;
    context_of(convert, &record->head, &record->context, (const uint64_t *)record->stack, log, &event->resend.context);
}

static void wake_convert(struct bpf_convert *convert, const struct record_wake *record, struct event_log *log, struct event *event)
{
    event->kind = EVENT_WAKE;
    event->wake.thread = thread_of(record->pid, record->tid, record->comm);
    context_of(convert, &record->head, &record->context, (const uint64_t *)record->stack, log, &event->wake.context);
}

static void process_convert(const struct record_process *record, struct event *event)
{
    struct event_process *process = &event->process;

    event->kind = EVENT_PROCESS;
    process->thread = thread_of(record->pid, record->tid, record->comm);
    process->change = (uint8_t)record->change;
    process->parent = (int32_t)record->parent;
    if (record->change != PROCESS_EXIT) return;
    process->signal = record->code & 0x7f;
    process->status = process->signal ? -1 : record->code >> 8 & 0xff;
}

static void timer_name(uint32_t timer, struct event_timer *ret_timer)
{
    if (timer == RECORD_TIMER_REQUEST)
        memcpy(ret_timer->function, REQSK_TIMER_HANDLER, sizeof(REQSK_TIMER_HANDLER));
    else
        memcpy(ret_timer->function, TW_TIMER_HANDLER, sizeof(TW_TIMER_HANDLER));
}

static void timer_convert(const struct record_timer *record, struct event *event)
{
    event->kind = EVENT_TIMER;
    timer_name(record->timer, &event->timer);
    event->timer.socket = socket_of(&record->socket);
    event->timer.netns = record->netns;
}

static void cancel_convert(struct bpf_convert *convert, const struct record_cancel *record, struct event_log *log,
                           struct event *event)
{
    event->kind = EVENT_TIMER;
    timer_name(record->timer, &event->timer);
    event->timer.cancelled = true;
    event->timer.socket = socket_of(&record->socket);
    event->timer.netns = record->netns;
    context_of(convert, &record->head, &record->context, (const uint64_t *)record->stack, log, &event->timer.context);
}

/* What packet sockets let go is a copy that a capture had asked for. */
static bool is_copy(const char *function)
{
    static const char *const copies[] = {"packet_rcv", "tpacket_rcv", "packet_rcv_fanout", "packet_rcv_spkt"};

    for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++)
        if (strcmp(function, copies[i]) == 0) return true;
    return false;
}

/* Where the kernel gives no reason, only what TCP's entrance refuses is known to be dropped: further on, packets that were used are
 * freed in the same way. */
static bool is_refused_at_the_entrance(const char *function)
{
    return strcmp(function, "tcp_v4_rcv") == 0 || strcmp(function, "tcp_v6_rcv") == 0;
}

static int drop_convert(struct bpf_convert *convert, const struct record_drop *record, struct event_log *log, struct event *event)
{
    const char *function = convert->symbols ? kernel_symbols_name(convert->symbols, record->location - 1) : NULL;
    struct event_drop *drop = &event->drop;

    event->kind = EVENT_DROP;
    drop->header = header_of(&record->packet);
    drop->netns = record->netns;
    drop->outgoing = record->outgoing != 0;
    if (function) snprintf(drop->function, sizeof(drop->function), "%s", function);
    if (is_copy(drop->function)) return 0;
    if (!record->has_reason)
        drop->reason[0] = 0;
    else if (record->reason < BPF_DROPS_MAX && convert->drops[record->reason][0])
        memcpy(drop->reason, convert->drops[record->reason], sizeof(drop->reason));
    else
        snprintf(drop->reason, sizeof(drop->reason), "%u", record->reason); /* of a subsystem that numbers its own */
    context_of(convert, &record->head, &record->context, (const uint64_t *)record->stack, log, &drop->context);
    return record->has_reason || is_refused_at_the_entrance(drop->function);
}

static void queue_convert(const struct record_queue *record, struct event *event)
{
    struct event_queue *queue = &event->queue;

    event->kind = EVENT_QUEUE;
    queue->header = header_of(&record->packet);
    queue->netns = record->netns;
    queue->socket = socket_of(&record->socket);
    queue->dropped = record->dropped != 0;
    queue->accept_length = record->accept_length;
    queue->accept_most = record->accept_most;
    queue->request_length = record->request_length;
}

static void arrival_convert(const struct record_arrival *record, struct event *event)
{
    event->kind = EVENT_PACKET;
    event->packet.header = header_of(&record->packet);
    event->packet.vantage = record->netns; /* the recorder numbers them */
}

/* A record's shape: how long it must at least be (without its stack, which may be left out), and where its context is (0: none). */
struct shape {
    size_t least_bytes, context;
};

static struct shape record_shape(uint32_t kind)
{
#define WITH_STACK(type)                                                                                                           \
    {                                                                                                                              \
        offsetof(struct type, stack), offsetof(struct type, context)                                                               \
    }
    static const struct shape shapes[] = {
        [RECORD_ENTER] = {sizeof(struct record_call), 0},
        [RECORD_EXIT] = {sizeof(struct record_call), 0},
        [RECORD_MARK] = WITH_STACK(record_mark),
        [RECORD_STATE] = WITH_STACK(record_state),
        [RECORD_RESET] = WITH_STACK(record_reset),
        [RECORD_RESEND] = WITH_STACK(record_resend),
        [RECORD_WAKE] = WITH_STACK(record_wake),
        [RECORD_PROCESS] = {sizeof(struct record_process), 0},
        [RECORD_TIMER] = {sizeof(struct record_timer), 0},
        [RECORD_CANCEL] = WITH_STACK(record_cancel),
        [RECORD_QUEUE] = {sizeof(struct record_queue), 0},
        [RECORD_DROP] = WITH_STACK(record_drop),
        [RECORD_ARRIVAL] = {sizeof(struct record_arrival), 0},
    };
#undef WITH_STACK

    return kind < sizeof(shapes) / sizeof(shapes[0]) ? shapes[kind] : (struct shape){0, 0};
}

static bool record_is_whole(const void *record, size_t bytes, uint32_t kind)
{
    struct shape shape = record_shape(kind);
    struct record_context context;

    if (!shape.least_bytes || bytes < shape.least_bytes) return false;
    if (!shape.context) return true;
    memcpy(&context, (const char *)record + shape.context, sizeof(context));
    return context.stack_bytes <= 0 || ((size_t)context.stack_bytes <= sizeof(uint64_t[RECORD_FRAMES_MAX]) &&
                                        (size_t)context.stack_bytes <= bytes - shape.least_bytes);
}

int bpf_convert_record(struct bpf_convert *convert, const void *record, size_t bytes, struct event_log *log,
                       struct event *ret_event)
{
    struct record_head head;

    if (bytes < sizeof(head)) return -EINVAL;
    memcpy(&head, record, sizeof(head));
    if (!record_is_whole(record, bytes, head.kind)) return -EINVAL;
    memset(ret_event, 0, sizeof(*ret_event));
    ret_event->t_ns = (int64_t)head.t_ns + convert->realtime_offset_ns;
    switch ((enum record_kind)head.kind) {
    case RECORD_ENTER:
    case RECORD_EXIT:
        call_convert(record, ret_event);
        break;
    case RECORD_MARK:
        return mark_convert(convert, record, log, ret_event);
    case RECORD_STATE:
        state_convert(convert, record, log, ret_event);
        break;
    case RECORD_RESET:
        reset_convert(convert, record, log, ret_event);
        break;
    case RECORD_RESEND:
        resend_convert(convert, record, log, ret_event);
        break;
    case RECORD_WAKE:
        wake_convert(convert, record, log, ret_event);
        break;
    case RECORD_PROCESS:
        process_convert(record, ret_event);
        break;
    case RECORD_TIMER:
        timer_convert(record, ret_event);
        break;
    case RECORD_CANCEL:
        cancel_convert(convert, record, log, ret_event);
        break;
    case RECORD_DROP:
        return drop_convert(convert, record, log, ret_event);
    case RECORD_QUEUE:
        queue_convert(record, ret_event);
        break;
    case RECORD_ARRIVAL:
        arrival_convert(record, ret_event);
        break;
    }
    return 1;
}
