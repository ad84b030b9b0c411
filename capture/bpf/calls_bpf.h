/* The recorder that reads calls, and the kernel's own evidence, with BPF programs on tracepoints. It needs privileges. */
#ifndef TCPWHY_CAPTURE_BPF_CALLS_BPF_H
#define TCPWHY_CAPTURE_BPF_CALLS_BPF_H

#include "capture/calls.h"

extern const struct calls_recorder calls_bpf;

#endif
