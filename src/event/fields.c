#include "event/fields.h"

#include <netinet/in.h>

static const char *protocol_word(unsigned value)
{
    switch (value) {
    case IPPROTO_TCP:
        return "tcp";
    case IPPROTO_UDP:
        return "udp";
    case IPPROTO_ICMP:
        return "icmp";
    case IPPROTO_ICMPV6:
        return "icmp6";
    default:
        return NULL;
    }
}

static const char *state_word(unsigned value)
{
    return value < KERNEL_STATES ? event_kernel_state_name(value) : NULL;
}

static const char *change_word(unsigned value)
{
    static const char *const words[] = {[PROCESS_FORK] = "fork", [PROCESS_EXEC] = "exec", [PROCESS_EXIT] = "exit"};
    return value < sizeof(words) / sizeof(words[0]) ? words[value] : NULL;
}

static const char *option_word(unsigned bit)
{
    switch (bit) {
    case OPTION_MSS:
        return "mss";
    case OPTION_WSCALE:
        return "wscale";
    case OPTION_SACK_OK:
        return "sackok";
    case OPTION_TIMESTAMPS:
        return "ts";
    case OPTION_FASTOPEN:
        return "fastopen";
    case OPTION_MPTCP:
        return "mptcp";
    case OPTION_SACK:
        return "sack";
    case OPTION_ACCECN:
        return "accecn";
    default:
        return NULL;
    }
}

static const char *tunnel_word(unsigned value)
{
    static const char *const words[TUNNEL_KINDS] = {
        [TUNNEL_IP] = "ip",         [TUNNEL_GRE] = "gre",          [TUNNEL_ERSPAN] = "erspan", [TUNNEL_VXLAN] = "vxlan",
        [TUNNEL_GENEVE] = "geneve", [TUNNEL_MPLS] = "mpls",        [TUNNEL_GTP] = "gtp",       [TUNNEL_TEREDO] = "teredo",
        [TUNNEL_CAPWAP] = "capwap", [TUNNEL_ETHERNET] = "ethernet"};
    return value < TUNNEL_KINDS ? words[value] : NULL;
}

static const char *fate_word(unsigned value)
{
    static const char *const words[FATES] = {
        [FATE_LOST] = "lost", [FATE_PASSED] = "passed", [FATE_UNSENT] = "unsent", [FATE_COPY] = "copy", [FATE_CAME] = "came"};
    return value < FATES ? words[value] : NULL;
}

/* clang-format off */
#define NAMED(key, type, member, word) {key, FIELD_##type, offsetof(struct event, member), sizeof(((struct event *)0)->member), word}
#define ROW(key, type, member) NAMED(key, type, member, NULL)

#define THREAD(prefix, member) \
    ROW(prefix "pid", SIGNED, member.pid), \
    ROW(prefix "tid", SIGNED, member.tid), \
    ROW(prefix "comm", TEXT, member.comm)

#define HEADER(prefix, member) \
    ROW(prefix "src", ADDRESS, member.src), \
    ROW(prefix "dst", ADDRESS, member.dst), \
    NAMED(prefix "proto", WORD, member.protocol, protocol_word), \
    ROW(prefix "flags", FLAGS, member.flags), \
    ROW(prefix "seq", UNSIGNED, member.seq), \
    ROW(prefix "ack", UNSIGNED, member.ack), \
    ROW(prefix "win", UNSIGNED, member.window), \
    ROW(prefix "len", UNSIGNED, member.length_bytes)

#define SOCKET(prefix, member) \
    ROW(prefix "cookie", UNSIGNED, member.cookie), \
    ROW(prefix "local", ADDRESS, member.local), \
    ROW(prefix "remote", ADDRESS, member.remote), \
    NAMED(prefix "proto", WORD, member.protocol, protocol_word), \
    NAMED(prefix "state", WORD, member.state, state_word), \
    ROW(prefix "netns", UNSIGNED, member.netns), \
    ROW(prefix "has_unread", BOOL, member.has_unread), \
    ROW(prefix "unread", UNSIGNED, member.unread_bytes)

#define CONTEXT(member) \
    THREAD("cur.", member.current), \
    ROW("softirq", BOOL, member.softirq), \
    ROW("receiving", BOOL, member.receiving), \
    ROW("other_call", BOOL, member.other_call), \
    HEADER("rx.", member.received), \
    ROW("chain", CHAIN, member.chain)

#define TIME ROW("t", SIGNED, t_ns)

static const struct event_field trace_fields[] = {
    TIME,
    ROW("recorder", TEXT, trace.recorder),
    ROW("reason", TEXT, trace.reason),
    ROW("unfiltered", BOOL, trace.unfiltered),
    ROW("course_only", BOOL, trace.course_only),
    ROW("chosen", BOOL, trace.chosen),
    ROW("ports", PORTS, trace.server_ports),
};

static const struct event_field vantage_fields[] = {
    TIME,
    ROW("vantage", UNSIGNED, vantage.number),
    ROW("netns", UNSIGNED, vantage.netns),
    ROW("name", TEXT, vantage.name),
    ROW("v4", ADDRESS, vantage.v4),
    ROW("v6", ADDRESS, vantage.v6),
};

static const struct event_field packet_fields[] = {
    TIME,
    ROW("vantage", UNSIGNED, packet.vantage),
    ROW("number", UNSIGNED, packet.number),
    HEADER("", packet.header),
    NAMED("opt", BITS, packet.options.present, option_word),
    ROW("opt.mss", UNSIGNED, packet.options.mss),
    ROW("opt.wscale", UNSIGNED, packet.options.wscale),
    ROW("opt.ts_value", UNSIGNED, packet.options.ts_value),
    ROW("opt.ts_echo", UNSIGNED, packet.options.ts_echo),
    ROW("opt.cookie_bytes", UNSIGNED, packet.options.fastopen_cookie_bytes),
    ROW("opt.mptcp", UNSIGNED, packet.options.mptcp),
    ROW("flags_high", UNSIGNED, packet.flags_high),
    ROW("window_cut", BOOL, packet.window_cut),
    NAMED("tunnel", WORD, packet.tunnel.kind, tunnel_word),
    ROW("tunnel.levels", UNSIGNED, packet.tunnel.levels),
    ROW("tunnel.id", UNSIGNED, packet.tunnel.id),
    ROW("icmp.type", UNSIGNED, packet.icmp.type),
    ROW("icmp.code", UNSIGNED, packet.icmp.code),
    ROW("icmp.quotes", BOOL, packet.icmp.quotes),
    NAMED("icmp.proto", WORD, packet.icmp.protocol, protocol_word),
    ROW("icmp.src", ADDRESS, packet.icmp.src),
    ROW("icmp.dst", ADDRESS, packet.icmp.dst),
    ROW("icmp.seq", UNSIGNED, packet.icmp.seq),
    ROW("icmp.mtu", UNSIGNED, packet.icmp.mtu),
    ROW("same", UNSIGNED, packet.same),
    NAMED("fate", WORD, packet.fate, fate_word),
    ROW("early", BOOL, packet.early),
    ROW("conn", UNSIGNED, packet.connection),
    ROW("sight", BOOL, packet.sight),
    ROW("beside", BOOL, packet.beside),
    ROW("comments", CHAIN, packet.comments),
    ROW("link", UNSIGNED, packet.link_type),
    ROW("wire", UNSIGNED, packet.wire_bytes),
    ROW("captured", UNSIGNED, packet.captured_bytes),
    ROW("bytes", HEX, packet.bytes),
};

static const struct event_field call_fields[] = {
    TIME,
    THREAD("", call.thread),
    ROW("name", TEXT, call.name),
    ROW("fd", SIGNED, call.fd),
    ROW("args", TEXT, call.args),
    ROW("ret", SIGNED, call.ret),
    ROW("slept", SIGNED, call.slept_ns),
    ROW("wake_unseen", BOOL, call.wake_unseen),
    SOCKET("sock.", call.socket),
    SOCKET("other.", call.other),
    ROW("how", SIGNED, call.how),
    ROW("level", SIGNED, call.level),
    ROW("value", SIGNED, call.value[0]),
    ROW("value2", SIGNED, call.value[1]),
    ROW("epoll", UNSIGNED, call.epoll),
    ROW("watch_total", UNSIGNED, call.watch_total),
    ROW("watch", WATCHES, call.watch),
    ROW("cgroup", UNSIGNED, call.cgroup),
};

static const struct event_field mark_fields[] = {
    TIME,
    HEADER("", mark.header),
    ROW("netns", UNSIGNED, mark.netns),
    ROW("if", UNSIGNED, mark.interface),
    SOCKET("sock.", mark.socket),
    ROW("cwnd", UNSIGNED, mark.congestion.window),
    ROW("ssthresh", UNSIGNED, mark.congestion.threshold),
    ROW("srtt_us", UNSIGNED, mark.congestion.srtt_us),
    ROW("rto_us", UNSIGNED, mark.congestion.rto_us),
    ROW("mss", UNSIGNED, mark.congestion.mss),
    CONTEXT(mark.context),
};

static const struct event_field state_fields[] = {
    TIME,
    NAMED("from", WORD, state.from, state_word),
    NAMED("to", WORD, state.to, state_word),
    ROW("netns", UNSIGNED, state.netns),
    SOCKET("sock.", state.socket),
    CONTEXT(state.context),
};

static const struct event_field reset_fields[] = {
    TIME,
    ROW("sent", BOOL, reset.sent),
    ROW("reason", TEXT, reset.reason),
    ROW("netns", UNSIGNED, reset.netns),
    SOCKET("sock.", reset.socket),
    CONTEXT(reset.context),
};

static const struct event_field resend_fields[] = {
    TIME,
    ROW("synack", BOOL, resend.synack),
    ROW("netns", UNSIGNED, resend.netns),
    ROW("segments", UNSIGNED, resend.segments),
    ROW("flags", FLAGS, resend.flags),
    SOCKET("sock.", resend.socket),
    CONTEXT(resend.context),
};

static const struct event_field wake_fields[] = {
    TIME,
    THREAD("", wake.thread),
    CONTEXT(wake.context),
};

static const struct event_field timer_fields[] = {
    TIME,
    ROW("function", TEXT, timer.function),
    ROW("cancelled", BOOL, timer.cancelled),
    ROW("netns", UNSIGNED, timer.netns),
    SOCKET("sock.", timer.socket),
    CONTEXT(timer.context),
};

static const struct event_field process_fields[] = {
    TIME,
    THREAD("", process.thread),
    NAMED("change", WORD, process.change, change_word),
    ROW("parent", SIGNED, process.parent),
    ROW("status", SIGNED, process.status),
    ROW("signal", SIGNED, process.signal),
};

static const struct event_field lost_fields[] = {
    TIME,
    ROW("source", TEXT, lost.source),
    ROW("what", TEXT, lost.what),
    ROW("received", UNSIGNED, lost.received),
    ROW("count", UNSIGNED, lost.count),
};

static const struct event_field clock_fields[] = {
    TIME,
    ROW("vantage", UNSIGNED, clock.vantage),
    ROW("against", UNSIGNED, clock.against),
    ROW("offset", SIGNED, clock.offset_ns),
    ROW("within", SIGNED, clock.uncertainty_ns),
    ROW("most", SIGNED, clock.most_ns),
    ROW("drift", SIGNED, clock.drift_ppb),
    ROW("drift_within", SIGNED, clock.drift_within_ppb),
    ROW("span", SIGNED, clock.span_ns),
    ROW("forth", UNSIGNED, clock.forth),
    ROW("back", UNSIGNED, clock.back),
    ROW("left_out", UNSIGNED, clock.left_out),
    ROW("from", SIGNED, clock.from_ns),
    ROW("stepped", BOOL, clock.stepped),
    ROW("guessed", BOOL, clock.guessed),
};

static const struct event_field drop_fields[] = {
    TIME,
    HEADER("", drop.header),
    ROW("reason", TEXT, drop.reason),
    ROW("function", TEXT, drop.function),
    ROW("outgoing", BOOL, drop.outgoing),
    ROW("netns", UNSIGNED, drop.netns),
    SOCKET("sock.", drop.socket),
    CONTEXT(drop.context),
};

static const struct event_field queue_fields[] = {
    TIME,
    HEADER("", queue.header),
    ROW("dropped", BOOL, queue.dropped),
    ROW("accept", UNSIGNED, queue.accept_length),
    ROW("accept_most", UNSIGNED, queue.accept_most),
    ROW("requests", UNSIGNED, queue.request_length),
    ROW("netns", UNSIGNED, queue.netns),
    SOCKET("sock.", queue.socket),
};

static const struct event_field listener_fields[] = {
    TIME,
    ROW("local", ADDRESS, listener.local),
    ROW("netns", UNSIGNED, listener.netns),
};

#define KIND(word, fields) {word, fields, sizeof(fields) / sizeof(fields[0])}
static const struct {
    const char *word;
    const struct event_field *fields;
    size_t count;
} kinds[EVENT_KINDS] = {
    [EVENT_TRACE] = KIND("trace", trace_fields),
    [EVENT_VANTAGE] = KIND("vantage", vantage_fields),
    [EVENT_PACKET] = KIND("packet", packet_fields),
    [EVENT_ENTER] = KIND("enter", call_fields),
    [EVENT_EXIT] = KIND("exit", call_fields),
    [EVENT_MARK] = KIND("mark", mark_fields),
    [EVENT_STATE] = KIND("state", state_fields),
    [EVENT_RESET] = KIND("reset", reset_fields),
    [EVENT_RESEND] = KIND("resend", resend_fields),
    [EVENT_WAKE] = KIND("wake", wake_fields),
    [EVENT_TIMER] = KIND("timer", timer_fields),
    [EVENT_PROCESS] = KIND("process", process_fields),
    [EVENT_LOST] = KIND("lost", lost_fields),
    [EVENT_CLOCK] = KIND("clock", clock_fields),
    [EVENT_DROP] = KIND("drop", drop_fields),
    [EVENT_QUEUE] = KIND("queue", queue_fields),
    [EVENT_LISTENER] = KIND("listener", listener_fields),
};
/* clang-format on */

const char *event_fields_word(enum event_kind kind)
{
    return (unsigned)kind < EVENT_KINDS ? kinds[kind].word : NULL;
}

const struct event_field *event_fields_of(enum event_kind kind, size_t *ret_count)
{
    bool known = (unsigned)kind < EVENT_KINDS;
    *ret_count = known ? kinds[kind].count : 0;
    return known ? kinds[kind].fields : NULL;
}
