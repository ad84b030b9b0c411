#include "event/call_traits.h"

#include <stddef.h>
#include <string.h>

struct trait_row {
    const char *name;
    uint32_t traits;
};

enum {
    READ = CALL_READS | CALL_SLEEPS,
    RECEIVE = READ | CALL_RECEIVES,
    WRITE = CALL_WRITES | CALL_SLEEPS,
    SEND = WRITE | CALL_SENDS,
    WAIT = CALL_WAITS_FOR_MANY | CALL_SLEEPS
};

/* clang-format off */
static const struct trait_row rows[] = {
    {"socket",       CALL_MAKES_SOCKET},
    {"setsockopt",   CALL_SETS_OPTION},
    {"bind",         CALL_BINDS},
    {"listen",       CALL_LISTENS},
    {"connect",      CALL_CONNECTS | CALL_SLEEPS},
    {"accept",       CALL_ACCEPTS | CALL_SLEEPS},
    {"accept4",      CALL_ACCEPTS | CALL_SLEEPS},
    {"read",         READ},
    {"readv",        READ},
    {"preadv2",      READ},
    {"recv",         RECEIVE},
    {"recvfrom",     RECEIVE},
    {"recvmsg",      RECEIVE},
    {"recvmmsg",     RECEIVE | CALL_TAKES_SEVERAL},
    {"write",        WRITE | CALL_TELLS_LENGTH},
    {"writev",       WRITE},
    {"pwritev2",     WRITE},
    {"send",         SEND | CALL_TELLS_LENGTH},
    {"sendto",       SEND | CALL_TELLS_LENGTH},
    {"sendmsg",      SEND},
    {"sendmmsg",     SEND | CALL_TAKES_SEVERAL},
    {"sendfile",     SEND},
    {"splice",       READ | WRITE},
    {"poll",         WAIT},
    {"ppoll",        WAIT},
    {"select",       WAIT},
    {"pselect6",     WAIT},
    {"epoll_wait",   WAIT},
    {"epoll_pwait",  WAIT},
    {"epoll_pwait2", WAIT},
    {"epoll_ctl",    CALL_WATCHES},
    {"dup",          CALL_COPIES},
    {"dup2",         CALL_COPIES},
    {"dup3",         CALL_COPIES},
    {"fcntl",        CALL_COPIES}, /* F_DUPFD, which alone is recorded */
    {"pidfd_getfd",  CALL_TAKES_COPY},
    {"shutdown",     CALL_SHUTS_DOWN},
    {"close",        CALL_CLOSES | CALL_SLEEPS}, /* SO_LINGER */
    {"close_range",  CALL_CLOSES_RANGE},
    {"io_uring_enter", CALL_SUBMITS | CALL_SLEEPS},
    {"execve",       CALL_RUNS},
    {"execveat",     CALL_RUNS},
};
/* clang-format on */

uint32_t call_traits(const char *name)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].name[0] == name[0] && strcmp(rows[i].name, name) == 0) return rows[i].traits;
    return 0;
}

bool call_is_of_system_call(const char *name, const char *system_call)
{
    static const char *const wrapped[][2] = {{"send", "sendto"}, {"recv", "recvfrom"}};
    if (strcmp(name, system_call) == 0) return true;
    for (size_t i = 0; i < sizeof(wrapped) / sizeof(wrapped[0]); i++)
        if (strcmp(name, wrapped[i][0]) == 0 && strcmp(system_call, wrapped[i][1]) == 0) return true;
    return false;
}
