/* How the program ends. */
#ifndef TCPWHY_OUT_STATUS_H
#define TCPWHY_OUT_STATUS_H

/* Exit statuses. */
enum cli_status {
    CLI_DONE,
    CLI_FAILED,            /* it ran and failed */
    CLI_USAGE,             /* wrong usage */
    CLI_DENIED,            /* not permitted: the sentence says which privilege is missing and two ways to get it */
    CLI_INTERRUPTED = 128, /* plus the signal's number, as shells count */
    CLI_EXACTLY = 1 << 9,  /* plus the exit status of a command that was run: it is this program's, too */
    CLI_KILLED = 1 << 10   /* plus the signal that ended a command that was run: it ends this program, too */
};

#endif
