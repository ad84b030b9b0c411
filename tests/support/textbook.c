/* Echo servers as textbooks have them, and a client: what tcpwhy run has to understand without knowing them.
 *
 *     textbook select|fork N    prints its port, echoes to N connections, each until its end of file, and ends
 *     textbook ask PORT WORD    sends the word, reads it back, and closes */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BACKLOG = 16, LINE_BYTES = 256 };

static int listen_anywhere(void)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(own);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&own, length) || listen(listener, BACKLOG)) err(1, "listen");
    if (getsockname(listener, (struct sockaddr *)&own, &length)) err(1, "getsockname");
    printf("%u\n", (unsigned)ntohs(own.sin_port));
    fflush(stdout);
    return listener;
}

/* False at the end of file. */
static int echo_once(int fd)
{
    char line[LINE_BYTES];
    ssize_t got = read(fd, line, sizeof(line));
    if (got > 0 && write(fd, line, (size_t)got) != got) err(1, "write");
    return got > 0;
}

static void serve_select(int listener, int connections)
{
    fd_set all;
    FD_ZERO(&all);
    FD_SET(listener, &all);
    int highest = listener, accepted = 0, closed = 0;
    while (closed < connections) {
        fd_set ready = all;
        if (select(highest + 1, &ready, NULL, NULL, NULL) < 0) err(1, "select");
        if (FD_ISSET(listener, &ready) && accepted < connections) {
            int fd = accept(listener, NULL, NULL);
            if (fd < 0) err(1, "accept");
            FD_SET(fd, &all);
            if (fd > highest) highest = fd;
            accepted++;
        }
        for (int fd = listener + 1; fd <= highest; fd++) {
            if (!FD_ISSET(fd, &ready) || echo_once(fd)) continue;
            close(fd);
            FD_CLR(fd, &all);
            closed++;
        }
    }
}

static void serve_fork(int listener, int connections)
{
    for (int i = 0; i < connections; i++) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) err(1, "accept");
        pid_t child = fork();
        if (child < 0) err(1, "fork");
        if (child == 0) {
            close(listener);
            while (echo_once(fd)) continue;
            close(fd);
            _exit(0);
        }
        close(fd);
    }
    while (wait(NULL) > 0) continue;
}

static void ask(int port, const char *word)
{
    char line[LINE_BYTES];
    struct sockaddr_in server = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t length = strlen(word);
    if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof(server))) err(1, "connect");
    if (write(fd, word, length) != (ssize_t)length || read(fd, line, sizeof(line)) != (ssize_t)length) err(1, "the exchange");
    close(fd);
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "ask")) {
        ask(atoi(argv[2]), argv[3]);
    } else if (argc == 3 && !strcmp(argv[1], "select")) {
        serve_select(listen_anywhere(), atoi(argv[2]));
    } else if (argc == 3 && !strcmp(argv[1], "fork")) {
        serve_fork(listen_anywhere(), atoi(argv[2]));
    } else {
        errx(2, "usage: textbook select|fork N, or ask PORT WORD");
    }
    return 0;
}
