#include "capture/ptrace/ptrace_stop.h"

#include <linux/ptrace.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>

enum { CALL_STOP = SIGTRAP | 0x80 };

static bool stops_a_group(int signal)
{
    return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

enum ptrace_stop ptrace_stop_of(int status)
{
    int signal = WSTOPSIG(status);
    switch (status >> 16) {
    case 0:
        return signal == CALL_STOP ? PTRACE_STOP_CALL : PTRACE_STOP_SIGNAL;
    case PTRACE_EVENT_SECCOMP:
        return PTRACE_STOP_FILTER;
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
        return PTRACE_STOP_BIRTH;
    case PTRACE_EVENT_EXEC:
        return PTRACE_STOP_EXEC;
    case PTRACE_EVENT_STOP:
        return stops_a_group(signal) ? PTRACE_STOP_GROUP : PTRACE_STOP_SEIZED;
    default:
        return PTRACE_STOP_OTHER;
    }
}

int ptrace_stop_signal(int status)
{
    return ptrace_stop_of(status) == PTRACE_STOP_SIGNAL ? WSTOPSIG(status) : 0;
}
