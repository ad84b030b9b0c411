/* Datagrams come and go back, each for itself. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/address.h"
#include "base/err.h"
#include "echo/serve.h"
#include "echo/stop.h"

enum { DATAGRAM_BYTES = 65536 };

/* A sender's address is easily forged. One that is another echo server's (or this one's own) would keep a datagram going round
 * for ever; nothing that asks in earnest sends from port 0, or from this very port number. */
static bool is_loop(const struct serve *serve, const struct endpoint *peer)
{
    struct address address;
    return !address_from_sockaddr(&peer->address, peer->length, &address) || address.port == 0 || address.port == serve->port;
}

static int answer(struct serve *serve, char *bytes, struct err *err)
{
    struct endpoint peer = {.length = sizeof(peer.address)};
    ssize_t n = recvfrom(serve->socket, bytes, DATAGRAM_BYTES, 0, (struct sockaddr *)&peer.address, &peer.length);
    if (n < 0 && errno == EINTR) return 0;
    if (n < 0) return err_set_errno(err, -errno, "can't receive datagrams any more");
    serve->result->connections++;
    char name[TRANSFER_NAME_BYTES];
    if (is_loop(serve, &peer)) {
        serve_note(serve, "%s: a datagram from an echo server's port is not answered", transfer_name(&peer, name));
        return 0;
    }
    ssize_t sent;
    do sent = sendto(serve->socket, bytes, (size_t)n, 0, (const struct sockaddr *)&peer.address, peer.length);
    while (sent < 0 && errno == EINTR && !stop_asked());
    if (sent < 0 && errno != EINTR)
        serve_note(serve, "%s: can't be answered: %s", transfer_name(&peer, name), err_errno_text(errno));
    return 0;
}

int serve_udp(struct serve *serve, struct err *err)
{
    char *bytes = malloc(DATAGRAM_BYTES);
    if (!bytes) return err_set_errno(err, -ENOMEM, "can't hold a datagram");
    int code = 0;
    while (!code && serve_wanted(serve)) code = answer(serve, bytes, err);
    free(bytes);
    serve_close_socket(serve);
    return code;
}
