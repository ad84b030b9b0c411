/* A test's body in a child process of its own, as this user or as an ordinary one: what it does to its namespaces ends with it. */
#ifndef TCPWHY_TESTS_LAB_CHILD_H
#define TCPWHY_TESTS_LAB_CHILD_H

#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534 };

/* In a child, where cmocka cannot jump: says what did not hold. */
#define HOLDS(condition)                                                                                                           \
    do {                                                                                                                           \
        if (!(condition)) {                                                                                                        \
            fprintf(stderr, "%s:%d: %s (%m)\n", __FILE__, __LINE__, #condition);                                                   \
            return 1;                                                                                                              \
        }                                                                                                                          \
    } while (0)

/* The body's return value, or -1 when it did not end by returning. */
static inline int in_child(int (*body)(void))
{
    int status = -1;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) _exit(body());
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
}

/* 0: this process is an ordinary user now. */
static inline int become_ordinary(void)
{
    if (geteuid() != 0) return 0;
    if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0) return -1;
    return prctl(PR_SET_DUMPABLE, 1); /* or /proc/self belongs to root after the change */
}

/* A test of `body` in a child of its own, once as root and once as an ordinary user in a user namespace. */
#define FOR_ROOT_AND_OTHERS(name, body)                                                                                            \
    static int name##_ordinary(void)                                                                                               \
    {                                                                                                                              \
        HOLDS(become_ordinary() == 0);                                                                                             \
        return body();                                                                                                             \
    }                                                                                                                              \
    static void name(void **state)                                                                                                 \
    {                                                                                                                              \
        (void)state;                                                                                                               \
        assert_int_equal(in_child(body), 0);                                                                                       \
        assert_int_equal(in_child(name##_ordinary), 0);                                                                            \
    }

#endif
