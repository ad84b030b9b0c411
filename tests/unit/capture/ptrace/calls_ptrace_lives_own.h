/* Internal to calls_ptrace_lives.c and calls_ptrace_end.c. */
#ifndef TCPWHY_CALLS_PTRACE_LIVES_OWN_H
#define TCPWHY_CALLS_PTRACE_LIVES_OWN_H

#include "base/buf.h"
#include "calls_ptrace_own.h"
#include "capture/ptrace/calls_ptrace.h"
#include "capture/ptrace/sockinfo.h"
#include "support/actors.h"

#endif
