#include "watch/endpoint.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/address.h"

enum { CONNECTIONS_MAX = 16, SILENT_S = 10, CONNECTION_BYTES = 16384, PAGE_BYTES = 1 << 20 };

struct endpoint {
    struct MHD_Daemon *daemon;
    endpoint_page *page;
    void *data;
};

static bool parse(const char *text, struct address *ret_address)
{
    char whole[ADDRESS_TEXT_BYTES];
    const char *digits = text[0] == ':' ? text + 1 : text;
    bool port_alone = digits[0] && strspn(digits, "0123456789") == strlen(digits);
    snprintf(whole, sizeof(whole), "%s%s", port_alone ? "127.0.0.1:" : "", port_alone ? digits : text);
    return strlen(text) < sizeof(whole) - 16 && address_parse(whole, ret_address) && ret_address->port;
}

bool endpoint_is_address(const char *address)
{
    struct address parsed;
    return parse(address, &parsed);
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, struct buf *text, const char *type)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(text->length, text->data, MHD_RESPMEM_MUST_COPY);
    if (!response) return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result take_request(void *data, struct MHD_Connection *connection, const char *url, const char *method,
                                    const char *version, const char *upload, size_t *upload_bytes, void **request)
{
    struct endpoint *endpoint = data;
    struct buf text = buf_new(PAGE_BYTES);
    (void)version, (void)upload, (void)request;
    if (*upload_bytes) { /* nobody has anything to tell us */
        *upload_bytes = 0;
        return MHD_NO;
    }
    unsigned status = MHD_HTTP_OK;
    const char *type = "text/plain; version=0.0.4; charset=utf-8";
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        status = MHD_HTTP_METHOD_NOT_ALLOWED;
        buf_text(&text, "only GET\n");
    } else if (strcmp(url, "/metrics") != 0) {
        status = MHD_HTTP_NOT_FOUND;
        buf_text(&text, "see /metrics\n");
    } else {
        endpoint->page(endpoint->data, &text);
        if (text.failed) status = MHD_HTTP_INTERNAL_SERVER_ERROR;
    }
    enum MHD_Result result = answer(connection, status, &text, type);
    buf_free(&text);
    return result;
}

int endpoint_open(struct endpoint **ret_endpoint, const char *address, endpoint_page *page, void *data, struct err *err)
{
    struct address parsed;
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (!parse(address, &parsed))
        return err_set(err, -EINVAL, "--prometheus: '%s' is not a port, or an address with one, such as 127.0.0.1:9464", address);
    struct endpoint *endpoint = calloc(1, sizeof(*endpoint));
    if (!endpoint) return err_set_errno(err, -ENOMEM, "--prometheus");
    endpoint->page = page;
    endpoint->data = data;
    v4.sin_port = v6.sin6_port = htons(parsed.port);
    memcpy(&v4.sin_addr, parsed.ip, sizeof(v4.sin_addr));
    memcpy(&v6.sin6_addr, parsed.ip, sizeof(v6.sin6_addr));
    const struct sockaddr *own = parsed.version == 4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
    errno = 0;
    endpoint->daemon = MHD_start_daemon(parsed.version == 4 ? MHD_NO_FLAG : MHD_USE_IPv6, parsed.port, NULL, NULL, take_request,
                                        endpoint, MHD_OPTION_SOCK_ADDR, own, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                                        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                        (size_t)CONNECTION_BYTES, MHD_OPTION_END);
    if (endpoint->daemon) {
        *ret_endpoint = endpoint;
        return 0;
    }
    int code = errno ? -errno : -EIO;
    free(endpoint);
    return err_set_errno(err, code == -EINVAL ? -EIO : code, "--prometheus: can't listen at %s", address);
}

void endpoint_serve(struct endpoint *endpoint)
{
    MHD_run(endpoint->daemon);
}

void endpoint_close(struct endpoint *endpoint)
{
    if (!endpoint) return;
    MHD_stop_daemon(endpoint->daemon);
    free(endpoint);
}
