/* One operation through io_uring(7), begun and waited for: no system call of that name is made. */
#ifndef TCPWHY_LAB_ACTOR_URING_H
#define TCPWHY_LAB_ACTOR_URING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum uring_operation { URING_CONNECT, URING_ACCEPT, URING_CLOSE };

/* Whether this kernel lets this process use it. */
bool uring_works(void);
/* The operation's result, or -errno. `address` for URING_CONNECT. */
int uring_do(enum uring_operation operation, int fd, const struct sockaddr *address, socklen_t length);

#endif
