/* Whether this process may use BPF on this kernel, and what the kernel's BTF says of its tracepoints. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_ABILITY_H
#define TCPWHY_CAPTURE_BPF_BPF_ABILITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "capture/bpf/bpf_convert.h"

struct btf;

/* What is missing before anything is tried: 0; -EPERM (capabilities, a user namespace, lockdown), -ENOTSUP (BTF, a pid namespace);
 * each with a sentence that names it and what to do. Rests on capabilities(7), kernel_lockdown(7), user_namespaces(7). */
int bpf_ability_check(struct err *err);
/* The sentence for what is missing in this set of capabilities, a bit each; NULL: it is enough. Static storage, not translated. */
const char *bpf_ability_missing(uint64_t set);
/* By the text of /proc/self/uid_map: whether every id is mapped to itself, as in the initial user namespace and in no other; a new
 * one maps none yet (user_namespaces(7)). */
bool bpf_maps_every_id(const char *uid_map);
/* The sentence for a refusal by the kernel that the checks did not foresee: what was tried, its reason, and the last line of its
 * log. Returns `code`, a negative errno. */
int bpf_ability_refused(int code, const char *what, const char *kernel_log, struct err *err);

/* Whether the running kernel is a PREEMPT_RT one, by what uname(2) says of its version and what /sys/kernel/realtime holds (""
 * where there is none). */
bool bpf_kernel_is_preempted(const char *version, const char *realtime);
/* The same of the kernel that runs. */
bool bpf_this_kernel_is_preempted(void);
/* Whether a program at a tracepoint can be preempted, by a task that meets the same one (Linux 7.0 and later, whose tracepoints are
 * guarded by SRCU and no longer by preempt_disable()): known by the type of that guard. */
bool bpf_programs_are_preempted(const struct btf *btf);

/* How many arguments a tracepoint hands out (without the first, which is internal); -1: this kernel has no such tracepoint. */
int bpf_tracepoint_arguments(const struct btf *btf, const char *name);
/* Writes the names of an enum by value, without the prefix that they share, for values below `most`; leaves "" where there are none
 * (sk_rst_reason before Linux 6.10, skb_drop_reason before 5.17). */
void bpf_enum_names(const struct btf *btf, const char *name, const char *prefix, char names[][EVENT_NAME_BYTES], size_t most);

#endif
