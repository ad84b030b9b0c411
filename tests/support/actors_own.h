/* What the actors' files share. */
#ifndef TCPWHY_TESTS_ACTORS_OWN_H
#define TCPWHY_TESTS_ACTORS_OWN_H

#include <netinet/in.h>
#include <stdbool.h>

struct actor {
    const char *name;
    void (*act)(void);
};

/* Of those in actors_lives.c; NULL: none has this name. */
const struct actor *actors_lives(const char *name);

/* Ends the process with 99 where something the part needs does not hold. */
void actor_need(bool good);
struct sockaddr_in actor_bound_name(int fd);
/* A listener on loopback, and a socket that is connected to one. */
int actor_listening(void);
int actor_connected(int listener);
/* Listener, client and accepted socket on 3, 4 and 5. */
void actor_pair(int *ret_listener, int *ret_client, int *ret_server);

#endif
