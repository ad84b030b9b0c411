/* kill -9 of tcpwhy leaves nothing: its command dies with it (child.h), and what the command has made since is ended by a process
 * that waits for nothing else. Where the recorder does that by itself there is no such process. */
#ifndef TCPWHY_RUN_WARDEN_H
#define TCPWHY_RUN_WARDEN_H

#include <sys/types.h>

#include "record/session.h"

struct warden {
    pid_t pid; /* 0: none */
    int fd;
};

/* While this process has its rights, and with no threads. 0 or -errno. */
int warden_begin(struct warden *warden, struct session *session, struct err *err);
/* This process ends in order, and what it followed may go on. */
void warden_end(struct warden *warden);

#endif
