#include "capture/bpf/bpf_convert.h"

#include <errno.h>
#include <netinet/in.h>
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
    struct event_packet_header header = {
        .src = address_of(&record->src),
        .dst = address_of(&record->dst),
        .protocol = record->protocol,
        .length_bytes = record->length_bytes,
    };

    if (record->protocol != IPPROTO_TCP) return header; /* of an ICMP error they say other things */
    header.flags = record->flags;
    header.window = record->window;
    header.seq = record->seq;
    header.ack = record->ack;
    return header;
}

static struct event_thread thread_of(uint32_t pid, uint32_t tid, const char comm[16])
{
    struct event_thread thread = {.pid = (int32_t)pid, .tid = (int32_t)tid};

    memcpy(thread.comm, comm, sizeof(thread.comm));
    thread.comm[sizeof(thread.comm) - 1] = 0;
    return thread;
}

/* ---- the context ---- */

static struct bpf_chain context_of(struct bpf_convert *convert, const struct record_head *head,
                                   const struct record_context *context, struct event_log *log, struct event_context *ret_context)
{
    struct bpf_chain chain = bpf_chains_find(convert->chains, context, log);

    *ret_context = (struct event_context){
        .current = thread_of(head->pid, head->tid, head->comm),
        .softirq = context->softirq,
        .receiving = context->receiving && (!chain.chain || chain.receives),
        .chain = chain.chain,
        .other_call = context->other_call,
    };
    if (convert->preempted) {
        ret_context->receiving = false;
        ret_context->softirq = !ret_context->chain; /* it may be: so no call is its cause */
    }
    if (ret_context->receiving) ret_context->received = header_of(&context->received);
    return chain;
}

/* ---- one kind of record after the other ---- */

static void call_convert(const struct record_call *record, struct event *event)
{
    struct syscall_raw raw = {
        .number = (long)record->number, .epoll_data = record->epoll_data, .epoll_events = record->epoll_events};
    struct event_call *call = &event->call;
    bool enter = record->head.kind == RECORD_ENTER;

    _Static_assert(sizeof(raw.args) == sizeof(record->args), "a system call has six arguments");
    memcpy(raw.args, record->args, sizeof(raw.args));
    raw.address_bytes = record->address_bytes <= sizeof(raw.address) ? record->address_bytes : 0;
    memcpy(raw.address, record->address, raw.address_bytes);
    raw.option_bytes = record->option_bytes;
    memcpy(raw.option_value, record->option_value, sizeof(raw.option_value));
    raw.second = record->second;

    event->kind = enter ? EVENT_ENTER : EVENT_EXIT;
    if (enter)
        syscall_describe(&raw, call);
    else
        syscall_describe_end(&raw, call);
    call->thread = thread_of(record->head.pid, record->head.tid, record->head.comm);
    call->socket = socket_of(&record->socket);
    call->other = socket_of(&record->other);
    call->ret = record->ret;
    if (record->ret < 0) call->socket.netns = record->socket.netns;
    call->slept_ns = record->slept_ns;
    call->wake_unseen = record->wake_unseen != 0;
    call->cgroup = record->cgroup;
    call->watch_total = record->watch_total;
    bool by_data = !enter && call->epoll; /* what epoll_wait gives back names no socket: there stands what the ring held before */
    for (size_t i = 0; i < record->watch_count && i < EVENT_WATCH_MAX; i++) {
        const struct record_watch *watch = &record->watch[i];
        call->watch[i] = (struct event_watch){.cookie = by_data ? 0 : watch->id, .data = watch->data, .events = watch->events};
        call->watch_count++;
    }
}

static struct event_congestion congestion_of(const struct bpf_convert *convert, const struct record_congestion *record)
{
    enum { INFINITE = 0x7fffffff }; /* TCP_INFINITE_SSTHRESH */
    return (struct event_congestion){.window = record->window,
                                     .threshold = record->threshold >= INFINITE ? 0 : record->threshold,
                                     .srtt_us = record->srtt / 8,
                                     .rto_us = (uint32_t)(record->rto * convert->tick_ns / 1000),
                                     .mss = record->mss};
}

static int mark_convert(struct bpf_convert *convert, const struct record_mark *record, struct event_log *log, struct event *event)
{
    bpf_answer_note(&convert->answer, record);
    event->kind = EVENT_MARK;
    event->mark.header = header_of(&record->packet);
    event->mark.netns = record->netns;
    event->mark.interface = record->interface;
    event->mark.socket = socket_of(&record->socket);
    event->mark.congestion = congestion_of(convert, &record->congestion);
    return context_of(convert, &record->head, &record->context, log, &event->mark.context).is_stacked_device ? 0 : 1;
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
    context_of(convert, &record->head, &record->context, log, &state->context);
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
    context_of(convert, &record->head, &record->context, log, &event->reset.context);
}

static void resend_convert(struct bpf_convert *convert, const struct record_resend *record, struct event_log *log,
                           struct event *event)
{
    event->kind = EVENT_RESEND;
    event->resend.synack = record->synack != 0;
    event->resend.socket = socket_of(&record->socket);
    event->resend.netns = record->netns;
    event->resend.segments = record->segments;
    event->resend.flags = (uint8_t)record->flags;
    context_of(convert, &record->head, &record->context, log, &event->resend.context);
}

static void wake_convert(struct bpf_convert *convert, const struct record_wake *record, struct event_log *log, struct event *event)
{
    event->kind = EVENT_WAKE;
    event->wake.thread = thread_of(record->pid, record->tid, record->comm);
    context_of(convert, &record->head, &record->context, log, &event->wake.context);
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
    context_of(convert, &record->head, &record->context, log, &event->timer.context);
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
    event->t_ns = (int64_t)bpf_answer_time(&convert->answer, record) + convert->realtime_offset_ns;
    drop->socket = socket_of(&record->socket);
    if (function) snprintf(drop->function, sizeof(drop->function), "%s", function);
    if (is_copy(drop->function)) return 0;
    if (!record->has_reason)
        drop->reason[0] = 0;
    else if (record->reason < BPF_DROPS_MAX && convert->drops[record->reason][0])
        memcpy(drop->reason, convert->drops[record->reason], sizeof(drop->reason));
    else
        snprintf(drop->reason, sizeof(drop->reason), "%u", record->reason); /* of a subsystem that numbers its own */
    context_of(convert, &record->head, &record->context, log, &drop->context);
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

static struct event_icmp icmp_of(const struct record_packet *record)
{
    enum { V4_UNREACHABLE = 3, V4_TOO_BIG = 4, V6_TOO_BIG = 2 };
    bool names_mtu = record->protocol == IPPROTO_ICMPV6 ? record->flags == V6_TOO_BIG
                                                        : record->flags == V4_UNREACHABLE && record->code == V4_TOO_BIG;

    return (struct event_icmp){
        .type = record->flags,
        .code = record->code,
        .quotes = true,
        .protocol = record->quoted_protocol,
        .src = address_of(&record->quoted_src),
        .dst = address_of(&record->quoted_dst),
        .seq = record->seq,
        .mtu = names_mtu ? record->window : 0,
    };
}

static void arrival_convert(const struct record_arrival *record, struct event *event)
{
    event->kind = EVENT_PACKET;
    event->packet.header = header_of(&record->packet);
    event->packet.vantage = record->netns; /* the recorder numbers them */
    if (record->packet.quoted_protocol == IPPROTO_TCP) event->packet.icmp = icmp_of(&record->packet);
}

/* How long a record is; 0: there is no such kind. */
static size_t record_bytes(uint32_t kind)
{
    static const size_t bytes[] = {
        [RECORD_ENTER] = sizeof(struct record_call),  [RECORD_EXIT] = sizeof(struct record_call),
        [RECORD_MARK] = sizeof(struct record_mark),   [RECORD_STATE] = sizeof(struct record_state),
        [RECORD_RESET] = sizeof(struct record_reset), [RECORD_RESEND] = sizeof(struct record_resend),
        [RECORD_WAKE] = sizeof(struct record_wake),   [RECORD_PROCESS] = sizeof(struct record_process),
        [RECORD_TIMER] = sizeof(struct record_timer), [RECORD_CANCEL] = sizeof(struct record_cancel),
        [RECORD_DROP] = sizeof(struct record_drop),   [RECORD_QUEUE] = sizeof(struct record_queue),
        [RECORD_CHAIN] = sizeof(struct record_chain), [RECORD_ARRIVAL] = sizeof(struct record_arrival),
    };

    return kind < sizeof(bytes) / sizeof(bytes[0]) ? bytes[kind] : 0;
}

static int chain_take(struct bpf_convert *convert, const struct record_chain *record, struct event_log *log)
{
    if (record->stack_bytes > (int)sizeof(record->stack) || record->word_count > RECORD_WORDS_MAX ||
        record->known > RECORD_KNOWN_MAX)
        return -EINVAL;
    bpf_chains_take(convert->chains, convert->symbols, record, log);
    return 0;
}

int bpf_convert_record(struct bpf_convert *convert, const void *record, size_t bytes, struct event_log *log,
                       struct event *ret_event)
{
    struct record_head head;

    if (bytes < sizeof(head)) return -EINVAL;
    memcpy(&head, record, sizeof(head));
    if (!record_bytes(head.kind) || bytes < record_bytes(head.kind)) return -EINVAL;
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
    case RECORD_CHAIN:
        return chain_take(convert, record, log);
    }
    return 1;
}
