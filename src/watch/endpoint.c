#include "watch/endpoint.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/address.h"
#include "base/library.h"

enum { CONNECTIONS_MAX = 16, SILENT_S = 10, CONNECTION_BYTES = 16384, PAGE_BYTES = 1 << 20 };

/* What is used of libmicrohttpd, by the names it has there. */
#define FUNCTIONS(each)                                                                                                            \
    each(MHD_start_daemon) each(MHD_run) each(MHD_stop_daemon) each(MHD_create_response_from_buffer) each(MHD_add_response_header) \
        each(MHD_queue_response) each(MHD_destroy_response)

struct microhttpd {
    FUNCTIONS(LIBRARY_POINTER)
};

struct endpoint {
    struct microhttpd lib;
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

static enum MHD_Result answer(const struct microhttpd *lib, struct MHD_Connection *connection, unsigned status, struct buf *text,
                              const char *type)
{
    struct MHD_Response *response = lib->MHD_create_response_from_buffer(text->length, text->data, MHD_RESPMEM_MUST_COPY);
    if (!response) return MHD_NO;
    lib->MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    enum MHD_Result result = lib->MHD_queue_response(connection, status, response);
    lib->MHD_destroy_response(response);
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
    enum MHD_Result result = answer(&endpoint->lib, connection, status, &text, type);
    buf_free(&text);
    return result;
}

static int load(struct microhttpd *lib, struct err *err)
{
    static const char *const names[] = {FUNCTIONS(LIBRARY_NAME) NULL};
    int code = library_load(TCPWHY_MICROHTTPD_SONAME, names, lib, err);
    if (code) err_prefix(err, "--prometheus");
    return code;
}

/* `text` is what the address was given as. */
static int start(struct endpoint *endpoint, const struct address *address, const char *text, struct err *err)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(address->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(address->port)};
    memcpy(&v4.sin_addr, address->ip, sizeof(v4.sin_addr));
    memcpy(&v6.sin6_addr, address->ip, sizeof(v6.sin6_addr));
    const struct sockaddr *own = address->version == 4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
    errno = 0;
    endpoint->daemon = endpoint->lib.MHD_start_daemon(
        address->version == 4 ? MHD_NO_FLAG : MHD_USE_IPv6, address->port, NULL, NULL, take_request, endpoint, MHD_OPTION_SOCK_ADDR,
        own, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENT_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_END);
    if (endpoint->daemon) return 0;
    int code = errno ? -errno : -EIO;
    return err_set_errno(err, code == -EINVAL ? -EIO : code, "--prometheus: can't listen at %s", text);
}

int endpoint_open(struct endpoint **ret_endpoint, const char *address, endpoint_page *page, void *data, struct err *err)
{
    struct address parsed;
    if (!parse(address, &parsed))
        return err_set(err, -EINVAL, "--prometheus: '%s' is not a port, or an address with one, such as 127.0.0.1:9464", address);
    struct endpoint *endpoint = calloc(1, sizeof(*endpoint));
    if (!endpoint) return err_set_errno(err, -ENOMEM, "--prometheus");
    endpoint->page = page;
    endpoint->data = data;
    int code = load(&endpoint->lib, err);
    if (!code) code = start(endpoint, &parsed, address, err);
    if (code)
        free(endpoint);
    else
        *ret_endpoint = endpoint;
    return code;
}

void endpoint_serve(struct endpoint *endpoint)
{
    endpoint->lib.MHD_run(endpoint->daemon);
}

void endpoint_close(struct endpoint *endpoint)
{
    if (!endpoint) return;
    endpoint->lib.MHD_stop_daemon(endpoint->daemon);
    free(endpoint);
}
