#include "echo/server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/address.h"
#include "base/lang.h"
#include "echo/serve.h"
#include "echo/stop.h"

/* An IPv6 socket on :: serves IPv4 too unless the host says otherwise; only there a setsockopt is needed. Rests on ipv6(7). */
static bool is_v6_only_by_default(void)
{
    char value = '0';
    int fd = open("/proc/sys/net/ipv6/bindv6only", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = read(fd, &value, 1);
    close(fd);
    return n == 1 && value == '1';
}

static struct address address_of(const struct endpoint *endpoint)
{
    struct address address;
    address_from_sockaddr(&endpoint->address, endpoint->length, &address);
    return address;
}

static int explain(int code, const char *what, const struct endpoint *endpoint, bool udp, struct err *err)
{
    struct address address = address_of(endpoint);
    char ip[ADDRESS_TEXT_BYTES], name[TRANSFER_NAME_BYTES];
    address_format_ip(&address, ip);
    const char *protocol = udp ? "UDP" : "TCP";
    switch (-code) {
    case EADDRINUSE:
        return err_set(err, code,
                       "%s port %u is taken: another socket already has it on %s%s ('ss -l%cnp sport = :%u' "
                       "shows whose); end "
                       "that program, take another port, or port 0 for any free one",
                       protocol, (unsigned)address.port, ip, address_is_any(&address) ? "" : tr(" or on all addresses"),
                       udp ? 'u' : 't', (unsigned)address.port);
    case EADDRNOTAVAIL:
        return err_set(
            err, code,
            "can't listen on %s: it is not an address of this host ('ip address' lists them); leave the host out for all", ip);
    case EACCES:
        return err_set(err, code,
                       "can't listen on port %u: ports this low need the privilege CAP_NET_BIND_SERVICE; take a higher port, run "
                       "it as root, or lower "
                       "the sysctl net.ipv4.ip_unprivileged_port_start",
                       (unsigned)address.port);
    case EAFNOSUPPORT:
        if (address.version == 6) return err_set(err, code, "can't listen on %s: this host has no IPv6; give an IPv4 address", ip);
        return err_set(err, code, "can't listen on %s: this host has no IPv4", ip);
    default:
        return err_set_errno(err, code, "can't listen on %s (%s)", transfer_name(endpoint, name), what);
    }
}

/* The socket, listening or bound; or -errno with a sentence. */
static int open_one(const struct server_options *options, const struct endpoint *endpoint, struct err *err)
{
    int type = options->udp ? SOCK_DGRAM : SOCK_STREAM;
    if (!options->udp && options->style == SERVER_EPOLL) type |= SOCK_NONBLOCK;
    const char *what = "socket";
    int fd = socket(endpoint->address.ss_family, type, 0);
    if (fd < 0) return explain(-errno, what, endpoint, options->udp, err);
    const int on = 1, off = 0;
    struct address address = address_of(endpoint);

    /* So that a restart does not wait for old connections' TIME_WAIT. For UDP it would let two servers share a port silently. */
    what = "setsockopt SO_REUSEADDR";
    if (!options->udp && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0) goto failed;
    what = "setsockopt IPV6_V6ONLY";
    if (address.version == 6 && address_is_any(&address) && is_v6_only_by_default() &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) != 0)
        goto failed;
    what = "bind";
    if (bind(fd, (const struct sockaddr *)&endpoint->address, endpoint->length) != 0) goto failed;
    what = "listen";
    if (!options->udp && listen(fd, options->backlog) != 0) goto failed;
    return fd;

failed:;
    int code = explain(-errno, what, endpoint, options->udp, err);
    close(fd);
    return code;
}

static int open_socket(struct serve *serve, const struct endpoint *endpoints, int count, struct endpoint *ret_endpoint,
                       struct err *err)
{
    const struct server_options *options = serve->options;
    int fd = -EINVAL;
    for (int i = 0; i < count; i++) {
        *ret_endpoint = endpoints[i];
        fd = open_one(options, ret_endpoint, err);
        /* The next address is for a host that has not got this one (no IPv6, say). A taken port is not got around that way. */
        if (fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL) break;
    }
    if (fd < 0) return fd;
    serve->socket = fd;
    if (address_of(ret_endpoint).port == 0) {
        ret_endpoint->length = sizeof(ret_endpoint->address);
        if (getsockname(fd, (struct sockaddr *)&ret_endpoint->address, &ret_endpoint->length) != 0)
            return err_set_errno(err, -errno, "can't ask which port the kernel chose");
    }
    serve->port = address_of(ret_endpoint).port;
    return 0;
}

static int tell_ready(const struct serve *serve, const struct endpoint *endpoint, struct err *err)
{
    static const char *const style[] = {TR("one connection at a time"), TR("a child for each connection"), TR("one event loop")};
    char name[TRANSFER_NAME_BYTES];
    if (serve->options->ready_fd < 0)
        serve_note(serve, "listening on %s, %s", transfer_name(endpoint, name),
                   serve->options->udp ? "UDP" : tr(style[serve->options->style]));
    int fd = serve->options->ready_fd;
    if (fd < 0) return 0;
    char text[16];
    int length = snprintf(text, sizeof(text), "%u\n", (unsigned)serve->port);
    int code = transfer_write(fd, text, (size_t)length);
    close(fd);
    if (code == -EINTR) return 0;
    return code ? err_set_errno(err, code, "can't tell on descriptor %d that the server is ready", fd) : 0;
}

int server_run(const struct server_options *options, struct server_result *ret_result, struct err *err)
{
    static int (*const styles[])(struct serve *, struct err *) = {
        [SERVER_ITERATIVE] = serve_iterative, [SERVER_FORK] = serve_fork, [SERVER_EPOLL] = serve_epoll};
    *ret_result = (struct server_result){0};
    struct serve serve = {.options = options, .socket = -1, .result = ret_result};
    struct endpoint endpoints[ENDPOINT_MAX], endpoint;
    /* Before the signals: a resolver that is slow to answer can be ended by ^C as anyone expects. */
    int count = endpoint_parse(options->host ? options->host : "*", options->port, ENDPOINT_LISTEN,
                               options->udp ? SOCK_DGRAM : SOCK_STREAM, endpoints, ENDPOINT_MAX, err);
    if (count < 0) return count;
    struct stop stop;
    int code = stop_begin(&stop, err);
    if (code) return code;
    code = open_socket(&serve, endpoints, count, &endpoint, err);
    if (!code) code = tell_ready(&serve, &endpoint, err);
    if (!code) code = options->udp ? serve_udp(&serve, err) : styles[options->style](&serve, err);
    serve_close_socket(&serve);
    ret_result->signal = stop_asked();
    stop_end(&stop);
    /* An address that was passed over for the next one has left its sentence. */
    return code ? code : err_set(err, 0, "%s", "");
}
