/* The one list of recorders. */
#ifndef TCPWHY_RECORD_RECORDERS_H
#define TCPWHY_RECORD_RECORDERS_H

#include "capture/calls.h"

/* By name ("bpf", "ptrace", "none"); NULL unknown. */
const struct calls_recorder *recorder_find(const char *name);

/* Adds to why that recorder can't work what helps, of what can be said without knowing more: each was tried. A whole host is seen
 * by bpf alone: no other recorder is named there. */
void recorder_advise(const char *name, bool host_wide, struct err *err);

#endif
