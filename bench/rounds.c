/* Rounds of connect, echo, close over loopback, one after the other: what bench/run times under each tracer.
 *
 *     rounds N      a server and a client, N rounds; prints the seconds that they took */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ECHO_BYTES = 16 };

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void serve(int listener, long rounds)
{
    char bytes[ECHO_BYTES];
    for (long i = 0; i < rounds; i++) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) err(1, "accept");
        for (ssize_t got; (got = read(fd, bytes, sizeof(bytes))) > 0;)
            if (write(fd, bytes, (size_t)got) != got) err(1, "server's write");
        close(fd);
    }
}

static void ask(const struct sockaddr_in *server, long rounds)
{
    char bytes[ECHO_BYTES] = "0123456789abcde";
    for (long i = 0; i < rounds; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *)server, sizeof(*server))) err(1, "connect");
        if (write(fd, bytes, sizeof(bytes)) != sizeof(bytes)) err(1, "client's write");
        if (read(fd, bytes, sizeof(bytes)) != sizeof(bytes)) err(1, "client's read");
        close(fd);
    }
}

int main(int argc, char **argv)
{
    long rounds = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(server);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (rounds < 1) errx(2, "usage: rounds N");
    if (listener < 0 || bind(listener, (struct sockaddr *)&server, length) || listen(listener, 128)) err(1, "listen");
    if (getsockname(listener, (struct sockaddr *)&server, &length)) err(1, "getsockname");
    double began = now();
    pid_t child = fork();
    if (child < 0) err(1, "fork");
    if (child == 0) {
        serve(listener, rounds);
        _exit(0);
    }
    ask(&server, rounds);
    int status;
    waitpid(child, &status, 0);
    printf("%.4f\n", now() - began);
    return status != 0;
}
