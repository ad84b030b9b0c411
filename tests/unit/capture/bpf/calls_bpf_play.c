/* What a child does while it is recorded: a part each. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "calls_bpf_own.h"
#include "support/sleeper.h"

void need(int ok)
{
    if (!ok) _exit(99);
}

void sleep_ms(long ms)
{
    struct timespec time = {.tv_nsec = ms * MS};

    nanosleep(&time, NULL);
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

int listening(uint16_t port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    need(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0);
    need(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 8) == 0);
    return fd;
}

int connected(uint16_t port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    need(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    return fd;
}

static void say_hello_and_close(int listener, int client)
{
    int server = accept(listener, NULL, NULL);
    char byte;

    need(send(client, "hello", 5, 0) == 5);
    need(recv(server, (char[8]){0}, 8, 0) == 5);
    close(client);
    need(read(server, &byte, 1) == 0);
    close(server);
    close(listener);
}

void talk_once(void)
{
    int listener = listening(PORT);

    say_hello_and_close(listener, connected(PORT));
}

void talk_once_over_ipv6(void)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(PORT), .sin6_addr = in6addr_loopback};
    int listener = socket(AF_INET6, SOCK_STREAM, 0), client = socket(AF_INET6, SOCK_STREAM, 0);

    need(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(listener, 1) == 0);
    need(connect(client, (struct sockaddr *)&address, sizeof(address)) == 0);
    need(accept(listener, NULL, NULL) >= 0);
}

void talk_once_over_mptcp(void)
{
    struct sockaddr_in address = loopback(PORT);
    int listener = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP), client = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);

    need(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(listener, 1) == 0);
    need(connect(client, (struct sockaddr *)&address, sizeof(address)) == 0);
    say_hello_and_close(listener, client);
}

void accept_a_late_client(void)
{
    int listener = listening(PORT);
    pid_t client = fork();

    if (client == 0) {
        sleep_ms(60);
        connected(PORT);
        _exit(0);
    }
    need(accept(listener, NULL, NULL) >= 0);
    waitpid(client, NULL, 0);
}

/* Of this namespace: whether a socket waits for the FIN of its peer at that port, or for the ACK before it; orphans, too. */
static bool waits_for_fin(uint16_t port)
{
    FILE *file = fopen("/proc/self/net/tcp", "re");
    char line[512];
    unsigned peer, state;
    bool waits = false;

    need(file != NULL);
    while (fgets(line, sizeof(line), file))
        if (sscanf(line, "%*u: %*8x:%*4x %*8x:%4x %2x", &peer, &state) == 2 && peer == port)
            waits = waits || state == KERNEL_FIN_WAIT1 || state == KERNEL_FIN_WAIT2;
    fclose(file);
    return waits;
}

void leave_an_orphan_in_fin_wait_2(void)
{
    int listener = listening(PORT), client = connected(PORT), server = accept(listener, NULL, NULL), seconds = 1;
    char byte;

    need(setsockopt(client, IPPROTO_TCP, 8 /* TCP_LINGER2 */, &seconds, sizeof(seconds)) == 0);
    close(client);
    need(read(server, &byte, 1) == 0);
    /* A busy processor's timers are late; and a row may be passed over where others leave the table meanwhile. */
    for (int gone = 0; gone < 3; sleep_ms(20)) gone = waits_for_fin(PORT) ? 0 : gone + 1;
}

void connect_to_a_closed_port(void)
{
    struct sockaddr_in address = loopback(CLOSED_PORT);

    need(connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof(address)) == -1 && errno == ECONNREFUSED);
}

void close_with_unread_bytes(void)
{
    int listener = listening(PORT), client = connected(PORT), server = accept(listener, NULL, NULL);

    need(send(client, "never read", 10, 0) == 10);
    close(server);
}

void be_killed_with_a_connection(void)
{
    int listener = listening(PORT), server;
    pid_t parent = getpid(), client = fork();
    char byte;

    if (client == 0) {
        connected(PORT);
        sleep_until_killed(parent);
    }
    server = accept(listener, NULL, NULL);
    kill(client, SIGKILL);
    need(read(server, &byte, 1) == 0);
    waitpid(client, NULL, 0);
}

void send_a_datagram_to_nobody(void)
{
    struct sockaddr_in address = loopback(CLOSED_PORT);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    char byte;

    need(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && send(fd, "hey", 3, 0) == 3);
    need(recv(fd, &byte, 1, 0) == -1 && errno == ECONNREFUSED);
}

void poll_two_sockets(void)
{
    int listener = listening(PORT), client = connected(PORT);
    int silent[2];

    need(pipe(silent) == 0);

    struct pollfd list[] = {{listener, POLLIN, 0}, {silent[0], POLLIN, 0}, {client, POLLIN, 0}};

    need(poll(list, 3, 1000) == 1);
}

void close_by_dup2(void)
{
    int listener = listening(PORT), client = connected(PORT), server = accept(listener, NULL, NULL);
    int other[2];
    char byte;

    need(pipe(other) == 0 && dup2(other[0], client) == client);
    need(read(server, &byte, 1) == 0);
}

/* Out of a pipe into a socket, and copies of a descriptor: by fcntl(2), which is asked for other things, too, and by
 * pidfd_getfd(2). */
void pass_on(void)
{
    int listener = listening(PORT), client = connected(PORT), server = accept(listener, NULL, NULL);
    int ends[2];

    need(pipe(ends) == 0 && write(ends[1], "word", 4) == 4);
    need(splice(ends[0], NULL, client, NULL, 4, 0) == 4);
    need(splice(ends[0], NULL, ends[1], NULL, 4, SPLICE_F_NONBLOCK) < 0);
    need(syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, getpid(), 0), server, 0) >= 0);
    need(fcntl(server, F_GETFD) == 0 && fcntl(server, F_DUPFD, 900) == 900 && fcntl(ends[0], F_DUPFD, 910) == 910);
}

void connect_many_times(void)
{
    int listener = listening(PORT);

    for (int i = 0; i < CONNECTIONS; i++) {
        int client = connected(PORT), server = accept(listener, NULL, NULL);

        need(server >= 0);
        close(client);
        close(server);
    }
}

/* A connect() that has not much time for its answer. */
static void try_to_connect(uint16_t port)
{
    struct sockaddr_in address = loopback(port);
    struct timeval patience = {.tv_usec = 50000};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    need(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0);
    (void)connect(fd, (struct sockaddr *)&address, sizeof(address));
}

void knock_at_a_socket_that_takes_nothing(void)
{
    struct sock_filter nothing = {.code = BPF_RET | BPF_K, .k = 0};
    struct sock_fprog filter = {.len = 1, .filter = &nothing};
    int listener = listening(PORT);

    need(setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) == 0);
    try_to_connect(PORT);
}

void knock_at_a_full_listener(void)
{
    struct sockaddr_in address = loopback(PORT);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    need(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(listener, 1) == 0);
    for (int i = 0; i < 3; i++) try_to_connect(PORT);
}

void send_very_many_datagrams(void)
{
    struct sockaddr_in address = loopback(PORT);
    int receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);

    need(bind(receiver, (struct sockaddr *)&address, sizeof(address)) == 0);
    need(connect(sender, (struct sockaddr *)&address, sizeof(address)) == 0);
    for (int i = 0; i < 8000; i++) need(send(sender, "x", 1, 0) == 1);
}
