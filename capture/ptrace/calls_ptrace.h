/* The recorder that reads calls with ptrace(2). It needs no privilege, and has no evidence from inside the kernel. */
#ifndef TCPWHY_CAPTURE_PTRACE_CALLS_PTRACE_H
#define TCPWHY_CAPTURE_PTRACE_CALLS_PTRACE_H

#include "capture/calls.h"

extern const struct calls_recorder calls_ptrace;

#endif
