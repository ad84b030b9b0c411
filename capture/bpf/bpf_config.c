#include "capture/bpf/bpf_config.h"

#include <string.h>

#include "capture/bpf/bpf_ability.h"

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

bool bpf_config_reset_has_reason(const struct btf *btf)
{
    return bpf_tracepoint_arguments(btf, "tcp_send_reset") >= 3;
}

bool bpf_config_drop_has_reason(const struct btf *btf)
{
    return bpf_tracepoint_arguments(btf, "kfree_skb") >= 3;
}

bool bpf_config_is_of_timers(const char *tracepoint)
{
    return begins(tracepoint, "timer_");
}

bool bpf_config_is_again(const char *program)
{
    const char *end = strrchr(program, '_');

    return end && strcmp(end, "_again") == 0;
}

bool bpf_config_wants(const struct calls_options *options, const char *tracepoint)
{
    return !options->host_wide ||
           !(begins(tracepoint, "sched_switch") || begins(tracepoint, "sched_waking") || bpf_config_is_of_timers(tracepoint));
}

bool bpf_config_wants_call(const struct calls_options *options, const struct syscall_row *row)
{
    static const char *const names[] = {"connect", "accept", "accept4", "bind", "close", "dup", "execve", "execveat"};

    static const uint32_t wanted = SYSCALL_LISTEN | SYSCALL_SHUTDOWN | SYSCALL_DUP | SYSCALL_RANGE | SYSCALL_FCNTL |
                                   SYSCALL_SOCKOPT; /* not all of the last two */

    if (!options->host_wide || row->flags & wanted) return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(row->name, names[i]) == 0) return true;
    return false;
}

/* The running kernel's number of a drop reason; -1: it has no such reason. */
static int drop_reason(const struct bpf_convert *names, const char *name)
{
    for (int i = 0; i < BPF_DROPS_MAX; i++)
        if (strcmp(names->drops[i], name) == 0) return i;
    return -1;
}

static uint32_t drop_number(const struct bpf_convert *names, const char *name)
{
    int number = drop_reason(names, name);
    return number < 0 ? 0 : (uint32_t)number;
}

struct record_config bpf_config(const struct calls_options *options, const struct btf *btf, const struct bpf_convert *names,
                                unsigned cpus)
{
    struct record_config config = {
        .cpus = cpus,
        .no_stacks = options->no_stacks,
        .host_wide = options->host_wide,
        .only_ports = options->host_wide && options->only_ports,
        .reset_has_reason = bpf_config_reset_has_reason(btf),
        .switch_has_state = bpf_tracepoint_arguments(btf, "sched_switch") >= 4,
        .drop_has_reason = drop_reason(names, "NOT_SPECIFIED") >= 0,
        .drop_has_socket = bpf_tracepoint_arguments(btf, "kfree_skb") >= 4,
        .drop_overflow = drop_reason(names, "TCP_LISTEN_OVERFLOW") >= 0,
        .twice = options->twice || bpf_programs_are_preempted(btf),
        .skip_programs = options->skip_programs,
        .skip_every = options->skip_every ? options->skip_every : 1,
        .drop_other = drop_number(names, "OTHERHOST"),
        .drop_purge = drop_number(names, "QUEUE_PURGE"),
        .drop_unspecified = drop_number(names, "NOT_SPECIFIED"),
    };
    _Static_assert(sizeof(options->ports) == sizeof(config.ports), "as many ports");
    _Static_assert((int)CALLS_NETNS_MAX == (int)RECORD_NETNS_MAX, "as many networks");

    for (size_t i = 0; i < options->port_count; i++) config.ports[config.port_count++] = options->ports[i];
    for (size_t i = 0; i < options->netns_count; i++) config.netns[config.netns_count++] = (uint32_t)options->netns[i];
    return config;
}
