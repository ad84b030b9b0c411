/* One thing of HTTP: a body is posted to a URL, and what came back is told. By libcurl, which is loaded when it is first needed:
 * most runs send nothing, and it would take several times as long to start as all the rest of the program. */
#ifndef TCPWHY_OUT_HTTP_POST_H
#define TCPWHY_OUT_HTTP_POST_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct http_post;

struct http_answer {
    long status;            /* 0: none came */
    int64_t retry_after_ns; /* -1: nothing was said of it */
    struct buf body;        /* its beginning */
};

/* Checks the URL (http or https); one without a path gets `path`. Every request may take `timeout_ms`. 0; -EINVAL for what is no
 * such URL, else -errno, with a sentence. Release with http_post_free. */
int http_post_new(struct http_post **ret_post, const char *url, const char *path, long timeout_ms, struct err *err);
/* Posts `application/json`. 0 with an answer, whatever its status; -EIO with a sentence when none came. Release with buf_free. */
int http_post_send(struct http_post *post, const char *body, size_t length, struct http_answer *ret_answer, struct err *err);
/* The URL that is posted to, without user and password. Lives as long as `post`. */
const char *http_post_url(const struct http_post *post);
void http_post_free(struct http_post *post);

#endif
