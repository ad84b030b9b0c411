/* A test's child that has nothing left to do but to be killed: it goes with the test as well, should that be killed first. */
#ifndef TCPWHY_TESTS_SLEEPER_H
#define TCPWHY_TESTS_SLEEPER_H

#include <signal.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <unistd.h>

/* Called behind what changes this process's rights: the kernel forgets PR_SET_PDEATHSIG there (prctl(2)). */
static inline void sleep_until_killed(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent) _exit(1);
    for (;;) pause();
}

#endif
