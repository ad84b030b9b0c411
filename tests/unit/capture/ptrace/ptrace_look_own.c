#include "ptrace_look_own.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

struct own own;

void own_begin(bool is_alone)
{
    assert_int_equal(ptrace_tasks_init(&own.tasks), 0);
    own.me = ptrace_task_add(&own.tasks, getpid(), getpid());
    assert_non_null(own.me);
    own.me->announced = own.me->files.apart = is_alone;
}

void own_end(void)
{
    ptrace_tasks_free(&own.tasks);
}

int own_setup(void **state)
{
    (void)state;
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(name);
    own.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    own.client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (own.listener < 0 || own.client < 0 || pipe2(own.pipe, O_CLOEXEC)) return -1;
    if (listen(own.listener, 1) || getsockname(own.listener, (struct sockaddr *)&name, &length)) return -1;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(own.client, (const struct sockaddr *)&name, sizeof(name))) return -1;
    own.server = accept(own.listener, NULL, NULL);
    char three[3];
    if (own.server < 0 || write(own.server, "abc", 3) != 3 || recv(own.client, three, 3, MSG_PEEK | MSG_WAITALL) != 3) return -1;
    own_begin(true);
    return 0;
}

int own_teardown(void **state)
{
    (void)state;
    own_end();
    close(own.listener), close(own.client), close(own.server), close(own.pipe[0]), close(own.pipe[1]);
    return 0;
}

bool own_enter(long number, const uint64_t args[6])
{
    own.me->row = syscall_find(number);
    assert_non_null(own.me->row);
    own.me->raw = (struct syscall_raw){.number = number};
    memcpy(own.me->raw.args, args, sizeof(own.me->raw.args));
    return ptrace_look_enter(own.me);
}

struct event_call own_exit(int64_t ret)
{
    struct event_call call;
    memset(&call, 0x55, sizeof(call));
    ptrace_look_exit(own.me, ret, &call);
    return call;
}

uint64_t own_cookie(int fd)
{
    uint64_t cookie = 0;
    socklen_t length = sizeof(cookie);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length), 0);
    return cookie;
}

uint16_t own_port(int fd)
{
    struct sockaddr_in name;
    socklen_t length = sizeof(name);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &length), 0);
    return ntohs(name.sin_port);
}

uint64_t own_inode(int fd)
{
    struct stat there;
    assert_int_equal(fstat(fd, &there), 0);
    return there.st_ino;
}

void own_remember(int fd, uint8_t state, uint16_t local, uint16_t remote)
{
    static const uint8_t host[4] = {192, 0, 2, 1};
    struct event_socket socket = {.cookie = own_cookie(fd), .protocol = IPPROTO_TCP, .state = state};
    if (local) socket.local = address_v4(host, local);
    if (remote) socket.remote = address_v4(host, remote);
    ptrace_sockets_learn(&own.tasks.sockets, own_inode(fd), &socket);
}

const char *own_watched(const struct event_call *call)
{
    static char text[400];
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < call->watch_count; i++) {
        uint64_t cookie = call->watch[i].cookie;
        const char *name = !cookie                              ? "?"
                           : cookie == own_cookie(own.client)   ? "client"
                           : cookie == own_cookie(own.server)   ? "server"
                           : cookie == own_cookie(own.listener) ? "listener"
                                                                : "another";
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s %x", i ? ", " : "", name, call->watch[i].events);
    }
    return text;
}

void own_room(void)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < 8192) limit.rlim_cur = 8192;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}
