/* The socket options that `set` knows, by the names of their man pages. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "lab/scenario/scenario.h"

#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT 30
#endif

#define INT_OPTION(level, name)                                                                                                    \
    {                                                                                                                              \
#name, level, name, SCENARIO_VALUE_INT, 0                                                                                  \
    }
#define MS_OPTION(level, name)                                                                                                     \
    {                                                                                                                              \
#name, level, name, SCENARIO_VALUE_INT, 1000000                                                                            \
    }
#define SECONDS_OPTION(level, name)                                                                                                \
    {                                                                                                                              \
#name, level, name, SCENARIO_VALUE_INT, 1000000000                                                                         \
    }

static const struct {
    const char *word;
    int level, name;
    enum scenario_value value;
    int64_t unit_ns; /* of the kernel's number; 0: it is no time */
} options[] = {
    {"SO_LINGER", SOL_SOCKET, SO_LINGER, SCENARIO_VALUE_LINGER, 1000000000},
    {"SO_RCVTIMEO", SOL_SOCKET, SO_RCVTIMEO, SCENARIO_VALUE_TIMEVAL, 1},
    {"SO_SNDTIMEO", SOL_SOCKET, SO_SNDTIMEO, SCENARIO_VALUE_TIMEVAL, 1},
    {"FD_CLOEXEC", -1, 0, SCENARIO_VALUE_CLOEXEC, 0},
    {"O_NONBLOCK", -1, 0, SCENARIO_VALUE_NONBLOCK, 0},
    INT_OPTION(SOL_SOCKET, SO_KEEPALIVE),
    INT_OPTION(SOL_SOCKET, SO_REUSEADDR),
    INT_OPTION(SOL_SOCKET, SO_REUSEPORT),
    INT_OPTION(SOL_SOCKET, SO_RCVBUF),
    INT_OPTION(SOL_SOCKET, SO_SNDBUF),
    INT_OPTION(SOL_SOCKET, SO_OOBINLINE),
    INT_OPTION(IPPROTO_TCP, TCP_NODELAY),
    INT_OPTION(IPPROTO_TCP, TCP_CORK),
    INT_OPTION(IPPROTO_TCP, TCP_QUICKACK),
    INT_OPTION(IPPROTO_TCP, TCP_FASTOPEN),
    INT_OPTION(IPPROTO_TCP, TCP_FASTOPEN_CONNECT),
    INT_OPTION(IPPROTO_TCP, TCP_KEEPCNT),
    INT_OPTION(IPPROTO_TCP, TCP_SYNCNT),
    INT_OPTION(IPPROTO_TCP, TCP_MAXSEG),
    INT_OPTION(IPPROTO_TCP, TCP_WINDOW_CLAMP),
    SECONDS_OPTION(IPPROTO_TCP, TCP_DEFER_ACCEPT),
    SECONDS_OPTION(IPPROTO_TCP, TCP_KEEPIDLE),
    SECONDS_OPTION(IPPROTO_TCP, TCP_KEEPINTVL),
    SECONDS_OPTION(IPPROTO_TCP, TCP_LINGER2),
    MS_OPTION(IPPROTO_TCP, TCP_USER_TIMEOUT),
    INT_OPTION(IPPROTO_IPV6, IPV6_V6ONLY),
    INT_OPTION(IPPROTO_IP, IP_TTL),
};
enum { OPTIONS = sizeof(options) / sizeof(options[0]) };

bool scenario_option(const char *option, int *ret_level, int *ret_name, enum scenario_value *ret_value, int64_t *ret_unit_ns)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if (strcmp(options[i].word, option) == 0) {
            *ret_level = options[i].level;
            *ret_name = options[i].name;
            *ret_value = options[i].value;
            *ret_unit_ns = options[i].unit_ns;
            return true;
        }
    return false;
}

const char *const *scenario_option_words(size_t *ret_count)
{
    static const char *words[OPTIONS];
    for (size_t i = 0; i < OPTIONS; i++) words[i] = options[i].word;
    *ret_count = OPTIONS;
    return words;
}
