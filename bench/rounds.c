/* Connect, send 8 bytes, get them back, close: as often as asked, as fast as it goes, on loopback. Prints microseconds a round.
 *
 *     rounds COUNT [PER_SECOND]      with the second: no faster than that, for a soak */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 8, BACKLOG = 512 };

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void serve(int listener, long count)
{
    char bytes[MESSAGE_BYTES];
    for (long i = 0; i < count; i++) {
        int peer = accept(listener, NULL, NULL);
        if (peer < 0) fail("accept");
        if (read(peer, bytes, sizeof(bytes)) != MESSAGE_BYTES || write(peer, bytes, sizeof(bytes)) != MESSAGE_BYTES) fail("echo");
        if (read(peer, bytes, sizeof(bytes)) != 0) fail("end");
        close(peer);
    }
}

static void one_round(const struct sockaddr_in *server)
{
    char bytes[MESSAGE_BYTES] = "1234567";
    int client = socket(AF_INET, SOCK_STREAM, 0);
    if (client < 0 || connect(client, (const struct sockaddr *)server, sizeof(*server))) fail("connect");
    if (write(client, bytes, sizeof(bytes)) != MESSAGE_BYTES || read(client, bytes, sizeof(bytes)) != MESSAGE_BYTES) fail("echo");
    close(client);
}

int main(int argc, char **argv)
{
    long count = argc > 1 ? strtol(argv[1], NULL, 10) : 0, rate = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(server);
    int listener = socket(AF_INET, SOCK_STREAM, 0), status;
    if (count < 1) return fprintf(stderr, "rounds COUNT [PER_SECOND]\n"), 2;
    if (listener < 0 || bind(listener, (const struct sockaddr *)&server, length) || listen(listener, BACKLOG)) fail("listen");
    if (getsockname(listener, (struct sockaddr *)&server, &length)) fail("getsockname");
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
        serve(listener, count);
        _exit(0);
    }
    close(listener); /* so that a server that fails is seen by its client */
    int64_t began = now_ns();
    for (long i = 0; i < count; i++) {
        int64_t due = rate ? began + i * (1000000000 / rate) : 0, early = due - now_ns();
        if (rate && early > 0) nanosleep(&(struct timespec){early / 1000000000, early % 1000000000}, NULL);
        one_round(&server);
    }
    if (waitpid(child, &status, 0) < 0 || status) return 1;
    printf("%.1f\n", (double)(now_ns() - began) / 1000 / (double)count);
    return 0;
}
