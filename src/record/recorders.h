/* The one list of recorders. */
#ifndef TCPWHY_RECORD_RECORDERS_H
#define TCPWHY_RECORD_RECORDERS_H

#include "capture/calls.h"
#include "record/session.h"

/* By name ("bpf", "ptrace", "none"); NULL unknown. */
const struct calls_recorder *recorder_find(const char *name);

/* Opens the one that is asked for; with auto, which gives the best evidence that this process may have. Why it is that one becomes
 * part of an event. 0; -EINVAL; -EACCES with its sentence. */
int recorder_choose(const struct session_options *options, const struct calls_recorder **ret_recorder, struct calls **ret_calls,
                    char *reason, size_t reason_bytes, struct err *err);

/* Adds to why that recorder can't work what helps, of what can be said without knowing more: each was tried. A whole host is seen
 * by bpf alone: no other recorder is named there. */
void recorder_advise(const char *name, bool host_wide, struct err *err);

#endif
