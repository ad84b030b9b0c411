/* An echo pair without a system call of its own for connect, accept, send, recv and close: io_uring makes them.
 *
 *     ring       a server, and a client as its child, a ring each */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Submits what was prepared, and waits for it. */
static int done(struct io_uring *ring)
{
    struct io_uring_cqe *end;
    if (io_uring_submit(ring) < 0 || io_uring_wait_cqe(ring, &end)) errx(1, "the ring");
    int result = end->res;
    io_uring_cqe_seen(ring, end);
    if (result < 0) errx(1, "%s", strerror(-result));
    return result;
}

static void serve(int listener)
{
    struct io_uring ring;
    char text[64];
    if (io_uring_queue_init(8, &ring, 0)) errx(1, "no ring");
    io_uring_prep_accept(io_uring_get_sqe(&ring), listener, NULL, NULL, 0);
    int fd = done(&ring);
    for (int got;;) {
        io_uring_prep_recv(io_uring_get_sqe(&ring), fd, text, sizeof(text), 0);
        if ((got = done(&ring)) == 0) break;
        io_uring_prep_send(io_uring_get_sqe(&ring), fd, text, (size_t)got, 0);
        done(&ring);
    }
    io_uring_prep_close(io_uring_get_sqe(&ring), fd);
    done(&ring);
}

static void ask(const struct sockaddr_in *server)
{
    struct io_uring ring;
    char text[64];
    if (io_uring_queue_init(8, &ring, 0)) errx(1, "no ring");
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    io_uring_prep_connect(io_uring_get_sqe(&ring), fd, (const struct sockaddr *)server, sizeof(*server));
    done(&ring);
    io_uring_prep_send(io_uring_get_sqe(&ring), fd, "word", 4, 0);
    done(&ring);
    io_uring_prep_recv(io_uring_get_sqe(&ring), fd, text, sizeof(text), 0);
    if (done(&ring) != 4) errx(1, "no echo");
    io_uring_prep_close(io_uring_get_sqe(&ring), fd);
    done(&ring);
}

int main(void)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(own);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&own, length) || listen(listener, 4)) err(1, "listen");
    if (getsockname(listener, (struct sockaddr *)&own, &length)) err(1, "getsockname");
    pid_t client = fork();
    if (client == 0) {
        close(listener);
        ask(&own);
        _exit(0);
    }
    serve(listener);
    int status;
    return waitpid(client, &status, 0) != client || status != 0;
}
