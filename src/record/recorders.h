/* The one list of recorders. */
#ifndef TCPWHY_RECORD_RECORDERS_H
#define TCPWHY_RECORD_RECORDERS_H

#include "capture/calls.h"

/* By name ("bpf", "ptrace", "none"); NULL unknown. */
const struct calls_recorder *recorder_find(const char *name);

#endif
