/* A network of its own for a test that needs one, as root or by a user namespace. */
#ifndef TCPWHY_TESTS_OWN_NETWORK_H
#define TCPWHY_TESTS_OWN_NETWORK_H

#include <stdbool.h>

/* This process leaves for a new network, where lo is up. False: it may not. */
bool own_network_enter(void);

#endif
