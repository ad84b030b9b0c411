/* A port on a network that others use, too: whether it is free, and who has it. */
#ifndef TCPWHY_PLAY_STAGE_PORT_H
#define TCPWHY_PLAY_STAGE_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct port {
    uint16_t number;
    bool udp, ipv6; /* on 127.0.0.1, or on ::1 */
};

/* 0: nobody is bound there, and no connection of that port is under way. -EADDRINUSE with a sentence that names the port, and its
 * holder where this process may see it (/proc/PID/fd): what is captured there would be somebody else's. */
int port_check(const struct port *port, struct err *err);

#endif
