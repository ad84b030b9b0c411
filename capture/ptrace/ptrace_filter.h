/* The seccomp filter that stops a traced process at recorded calls only, and the check that tracing works here at all. Internal to
 * the ptrace recorder. */
#ifndef TCPWHY_CAPTURE_PTRACE_PTRACE_FILTER_H
#define TCPWHY_CAPTURE_PTRACE_PTRACE_FILTER_H

#include "base/err.h"

/* What PTRACE_GETEVENTMSG says at a stop that this filter made (SECCOMP_RET_DATA), so that a filter of the program's own is told
 * apart. */
enum { PTRACE_FILTER_MARK = 0x7c9 };

/* In the child, before exec: from here on its recorded calls need a tracer (without one they fail with ENOSYS). 0 or -errno.
 * Rests on seccomp(2), SECCOMP_RET_TRACE. */
int ptrace_filter_install(void *unused);

/* Tries everything that the recorder needs on a child of its own. 0, or -errno with a sentence that names what is missing. */
int ptrace_probe(struct err *err);

#endif
