/* Where metrics are fetched from: GET /metrics by HTTP (libmicrohttpd). No thread of its own: it works when it is asked to. */
#ifndef TCPWHY_WATCH_ENDPOINT_H
#define TCPWHY_WATCH_ENDPOINT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct endpoint;

/* Writes what is to be handed out. */
typedef void endpoint_page(void *data, struct buf *out);

/* "9464" and ":9464" mean loopback; "0.0.0.0:9464" and "[::]:9464" everybody. Listens from here on. 0; -EINVAL for what is no
 * address; else -errno with a sentence. Release with endpoint_close. */
int endpoint_open(struct endpoint **ret_endpoint, const char *address, endpoint_page *page, void *data, struct err *err);
/* Answers who has asked, without waiting. */
void endpoint_serve(struct endpoint *endpoint);
/* NULL is fine. */
void endpoint_close(struct endpoint *endpoint);
/* Whether `address` is one. */
bool endpoint_is_address(const char *address);

#endif
