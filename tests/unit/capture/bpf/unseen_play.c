/* The play: programs that talk, wait and end in ways of their own. */
#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/bpf/bpf_record.h"
#include "capture/bpf/calls_bpf.h"
#include "capture/packets.h"
#include "event/log.h"
#include "story/story.h"
#include "story/tell/teller.h"
#include "unseen_programs_own.h"

static void need(int ok)
{
    if (!ok) _exit(99);
}

void sleep_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&time, NULL);
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int connected(void)
{
    struct sockaddr_in address = loopback(PORT);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    need(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    return fd;
}

/* Everybody waits for everybody: accept(), each recv(). */
static void talk_slowly(void)
{
    char bytes[8];

    sleep_ms(20);
    int fd = connected();
    sleep_ms(30);
    need(send(fd, "hello", 5, 0) == 5);
    need(recv(fd, bytes, sizeof(bytes), 0) == 5);
    sleep_ms(20);
    close(fd);
}
static void answer_slowly(int listener)
{
    int fd = accept(listener, NULL, NULL);
    char bytes[8];

    need(recv(fd, bytes, sizeof(bytes), 0) == 5);
    sleep_ms(20);
    need(send(fd, "world", 5, 0) == 5);
    need(recv(fd, bytes, sizeof(bytes), 0) == 0);
    sleep_ms(ACK_MS);
    close(fd);
}

/* Nobody waits: all is there before it is asked for. */
static void talk_early(void)
{
    int fd = connected();

    need(send(fd, "early", 5, 0) == 5);
    sleep_ms(ACK_MS);
    close(fd);
}
static void read_late(int listener)
{
    char bytes[8];

    sleep_ms(130);
    int fd = accept(listener, NULL, NULL);
    need(recv(fd, bytes, sizeof(bytes), 0) == 5);
    sleep_ms(20);
    need(recv(fd, bytes, sizeof(bytes), 0) == 0);
    close(fd);
}

static void wait_for_the_reset(void)
{
    int fd = connected();
    char byte;

    need(send(fd, "never read", 10, 0) == 10);
    need(recv(fd, &byte, 1, 0) == -1);
}
static void close_unread(int listener)
{
    sleep_ms(20);
    int fd = accept(listener, NULL, NULL);

    sleep_ms(20);
    close(fd);
}

static void be_killed(void)
{
    connected();
    sleep_ms(60);
    raise(SIGKILL);
}
static void wait_for_its_end(int listener)
{
    sleep_ms(20);
    int fd = accept(listener, NULL, NULL);
    char byte;

    need(recv(fd, &byte, 1, 0) == 0);
    sleep_ms(ACK_MS);
    close(fd);
}

static void knock_at_a_closed_port(void)
{
    struct sockaddr_in address = loopback(CLOSED_PORT);

    need(connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof(address)) == -1);
}

static pid_t begun(void (*client)(void))
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        client();
        _exit(0);
    }
    return pid;
}

void play(void)
{
    static const struct {
        void (*client)(void);
        void (*server)(int listener);
    } parts[] = {
        {talk_slowly, answer_slowly},       {talk_early, read_late},      {talk_early, read_late}, {talk_slowly, answer_slowly},
        {wait_for_the_reset, close_unread}, {be_killed, wait_for_its_end}};
    struct sockaddr_in address = loopback(PORT);
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    pid_t client;

    need(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0);
    need(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(listener, 8) == 0);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        client = begun(parts[i].client);
        parts[i].server(listener);
        waitpid(client, NULL, 0);
    }
    client = begun(knock_at_a_closed_port);
    waitpid(client, NULL, 0);
}
