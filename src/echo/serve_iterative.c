/* One connection after the other: the next one's handshake is done by the kernel, but nobody reads from it until this one ends. */
#include <errno.h>

#include "echo/serve.h"

int serve_iterative(struct serve *serve, struct err *err)
{
    while (serve_wanted(serve)) {
        struct endpoint peer;
        int fd = serve_accept(serve, &peer, err);
        if (fd == -EINTR) break;
        if (fd < 0) return fd;
        serve_connection(serve, fd, &peer);
    }
    serve_close_socket(serve);
    return 0;
}
