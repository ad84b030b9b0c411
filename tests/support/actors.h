/* Small programs that make known socket calls: what the call recorders are tested on. A test program runs itself again with an
 * actor's name. */
#ifndef TCPWHY_TESTS_ACTORS_H
#define TCPWHY_TESTS_ACTORS_H

/* Plays the part and ends the process with _exit, because a leak check does not work under ptrace: 0, or 99 where a call did not do
 * what the part needs. Returns (96) only for a name that is nobody's. */
int actors_act(const char *name);

#endif
