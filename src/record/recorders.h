/* The one list of recorders. */
#ifndef TCPWHY_RECORD_RECORDERS_H
#define TCPWHY_RECORD_RECORDERS_H

#include "capture/calls.h"

/* By name ("bpf", "ptrace", "none"); NULL unknown. */
const struct calls_recorder *recorder_find(const char *name);

/* Adds to why that recorder can't work what helps, of what can be said without knowing more: each was tried. */
void recorder_advise(const char *name, struct err *err);

#endif
