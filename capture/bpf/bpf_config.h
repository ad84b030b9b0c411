/* What the BPF recorder's kernel side is told to do, by what was asked for and by what the running kernel has: decided here, with
 * nothing loaded. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_CONFIG_H
#define TCPWHY_CAPTURE_BPF_BPF_CONFIG_H

#include "capture/bpf/bpf_convert.h"
#include "capture/bpf/bpf_record.h"
#include "capture/calls.h"
#include "capture/syscalls.h"

struct btf;

/* `names`: the running kernel's, of its drop reasons. `cpus`: how many there can be. */
struct record_config bpf_config(const struct calls_options *options, const struct btf *btf, const struct bpf_convert *names,
                                unsigned cpus);
/* Whether a RST's and a drop's reason are among what their tracepoints hand out (Linux 6.10, 5.17). */
bool bpf_config_reset_has_reason(const struct btf *btf);
bool bpf_config_drop_has_reason(const struct btf *btf);
/* Whether a program at this tracepoint is loaded: of a whole host, sleeps of threads and ends of mini sockets cost more than
 * anybody asks for. */
bool bpf_config_wants(const struct calls_options *options, const char *tracepoint);
/* Whether this is the second of two programs that do the same (`twice`), by its name. */
bool bpf_config_is_again(const char *program);
/* Whether it is begun with the timers, when the kernel's functions have names. */
bool bpf_config_is_of_timers(const char *tracepoint);
/* Whether this call is recorded: of a whole host those that begin or end a connection; sleeping and carrying data do neither. */
bool bpf_config_wants_call(const struct calls_options *options, const struct syscall_row *row);

#endif
