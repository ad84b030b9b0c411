/* What a thread that ptrace(2) follows has stopped for, as waitpid(2)'s status says it. Internal to the ptrace recorder. */
#ifndef TCPWHY_CAPTURE_PTRACE_PTRACE_STOP_H
#define TCPWHY_CAPTURE_PTRACE_PTRACE_STOP_H

enum ptrace_stop {
    PTRACE_STOP_SIGNAL, /* it is about to get one */
    PTRACE_STOP_CALL,   /* syscall-stop: a call begins or ends (PTRACE_O_TRACESYSGOOD) */
    PTRACE_STOP_FILTER, /* a seccomp filter has stopped it at a call */
    PTRACE_STOP_BIRTH,  /* fork, vfork, clone: the event's message is the child */
    PTRACE_STOP_EXEC,   /* the event's message is the thread that made the call */
    PTRACE_STOP_GROUP,  /* the whole process was stopped by SIGSTOP and the like */
    PTRACE_STOP_SEIZED, /* PTRACE_INTERRUPT's, or a new thread's first */
    PTRACE_STOP_OTHER   /* an event that nobody asked for */
};

/* Of a status of which WIFSTOPPED is true. */
enum ptrace_stop ptrace_stop_of(int status);
/* The signal that it is about to get and must be given when it goes on; 0: none. */
int ptrace_stop_signal(int status);

#endif
