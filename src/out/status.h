/* How the program ends. */
#ifndef TCPWHY_OUT_STATUS_H
#define TCPWHY_OUT_STATUS_H

/* Exit statuses. */
enum cli_status {
    CLI_DONE,
    CLI_FAILED,           /* it ran and failed */
    CLI_USAGE,            /* wrong usage */
    CLI_DENIED,           /* not permitted: the sentence says which privilege is missing and two ways to get it */
    CLI_INTERRUPTED = 128 /* plus the signal's number, as shells count */
};

#endif
