#include "out/http_post.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/library.h"

enum { ANSWER_BYTES_MAX = 1 << 14, CONNECT_TIMEOUT_MS = 5000 };

/* What is used of it, by the names it has there. */
#define FUNCTIONS(each)                                                                                                            \
    each(curl_global_init) each(curl_easy_init) each(curl_easy_setopt) each(curl_easy_perform) each(curl_easy_getinfo)             \
        each(curl_easy_cleanup) each(curl_easy_strerror) each(curl_slist_append) each(curl_slist_free_all) each(curl_url)          \
            each(curl_url_set) each(curl_url_get) each(curl_url_cleanup) each(curl_url_strerror) each(curl_free)

/* They stand behind macros that check their arguments, for those who link with it. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

struct curl {
    FUNCTIONS(LIBRARY_POINTER)
};

struct http_post {
    struct curl lib;
    CURL *curl;
    struct curl_slist *headers;
    char *url, *label;
    char words[CURL_ERROR_SIZE];
};

static int load(struct curl *lib, struct err *err)
{
    static const char *const names[] = {FUNCTIONS(LIBRARY_NAME) NULL};
    int code = library_load(TCPWHY_CURL_SONAME, names, lib, err);
    if (!code && lib->curl_global_init(CURL_GLOBAL_DEFAULT)) code = err_set(err, -EIO, "libcurl can't be used");
    return code;
}

static bool is_http(const char *scheme)
{
    return scheme && (!strcmp(scheme, "http") || !strcmp(scheme, "https"));
}

/* Takes the URL apart and puts it together again: as it is posted to, and as it may be shown. */
static int take_url(struct http_post *post, const char *url, const char *path, struct err *err)
{
    const struct curl *lib = &post->lib;
    char *given = NULL, *scheme = NULL, *sent = NULL, *shown = NULL;
    CURLU *parts = lib->curl_url();
    if (!parts) return err_set_errno(err, -ENOMEM, "can't read the URL");
    CURLUcode code = lib->curl_url_set(parts, CURLUPART_URL, url, 0);
    if (!code) code = lib->curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0);
    if (!code) code = lib->curl_url_get(parts, CURLUPART_PATH, &given, 0);
    bool no_path = !given || !*given || !strcmp(given, "/");
    if (!code && no_path) code = lib->curl_url_set(parts, CURLUPART_PATH, path, 0);
    if (!code) code = lib->curl_url_get(parts, CURLUPART_URL, &sent, 0);
    if (!code) code = lib->curl_url_set(parts, CURLUPART_USER, NULL, 0);
    if (!code) code = lib->curl_url_set(parts, CURLUPART_PASSWORD, NULL, 0);
    if (!code) code = lib->curl_url_get(parts, CURLUPART_URL, &shown, 0);
    int result = 0;
    if (code || !sent || !shown || !is_http(scheme)) {
        result = err_set(err, -EINVAL, "'%s' is no http:// or https:// URL%s%s", url, code ? ": " : "",
                         code ? lib->curl_url_strerror(code) : "");
    } else {
        post->url = strdup(sent);
        post->label = strdup(shown);
        if (!post->url || !post->label) result = err_set_errno(err, -ENOMEM, "can't read the URL");
    }
    lib->curl_free(given);
    lib->curl_free(scheme);
    lib->curl_free(sent);
    lib->curl_free(shown);
    lib->curl_url_cleanup(parts);
    return result;
}

/* Keeps the beginning; the rest is taken, and forgotten. */
static size_t take_answer(char *bytes, size_t size, size_t count, void *data)
{
    struct buf *body = data;
    size_t length = size * count, room = ANSWER_BYTES_MAX - body->length;
    buf_append(body, bytes, length < room ? length : room);
    return length;
}

static int set_up(struct http_post *post, long timeout_ms, struct err *err)
{
    const struct curl *lib = &post->lib;
    post->curl = lib->curl_easy_init();
    post->headers = lib->curl_slist_append(NULL, "Content-Type: application/json");
    struct curl_slist *more = post->headers ? lib->curl_slist_append(post->headers, "Expect:") : NULL; /* no extra round trip */
    if (!post->curl || !more) return err_set_errno(err, -ENOMEM, "can't prepare to send");
    CURL *curl = post->curl;
    CURLcode code = lib->curl_easy_setopt(curl, CURLOPT_URL, post->url);
    if (!code) code = lib->curl_easy_setopt(curl, CURLOPT_HTTPHEADER, post->headers);
    if (!code) code = lib->curl_easy_setopt(curl, CURLOPT_USERAGENT, "tcpwhy/" TCPWHY_VERSION);
    if (!code) code = lib->curl_easy_setopt(curl, CURLOPT_POST, 1L);
    if (!code) code = lib->curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    if (!code) code = lib->curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    if (!code) code = lib->curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
    if (!code) code = lib->curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
    if (!code) code = lib->curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, post->words);
    return code ? err_set(err, -EIO, "libcurl can't be used: %s", lib->curl_easy_strerror(code)) : 0;
}

int http_post_new(struct http_post **ret_post, const char *url, const char *path, long timeout_ms, struct err *err)
{
    struct http_post *post = calloc(1, sizeof(*post));
    if (!post) return err_set_errno(err, -ENOMEM, "can't prepare to send");
    int code = load(&post->lib, err);
    if (!code) code = take_url(post, url, path, err);
    if (!code) code = set_up(post, timeout_ms, err);
    if (code) {
        http_post_free(post);
        return code;
    }
    *ret_post = post;
    return 0;
}

int http_post_send(struct http_post *post, const char *body, size_t length, struct http_answer *ret_answer, struct err *err)
{
    const struct curl *lib = &post->lib;
    curl_off_t retry_after = -1;
    *ret_answer = (struct http_answer){.retry_after_ns = -1, .body = buf_new(ANSWER_BYTES_MAX)};
    post->words[0] = '\0';
    CURLcode code = lib->curl_easy_setopt(post->curl, CURLOPT_POSTFIELDS, body);
    if (!code) code = lib->curl_easy_setopt(post->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
    if (!code) code = lib->curl_easy_setopt(post->curl, CURLOPT_WRITEDATA, &ret_answer->body);
    if (!code) code = lib->curl_easy_perform(post->curl);
    if (code) {
        buf_free(&ret_answer->body);
        const char *words = post->words[0] ? post->words : lib->curl_easy_strerror(code);
        return err_set(err, -EIO, "%s", words);
    }
    lib->curl_easy_getinfo(post->curl, CURLINFO_RESPONSE_CODE, &ret_answer->status);
    /* 0 stands for none; a receiver that says "at once" may have the back-off instead. */
    lib->curl_easy_getinfo(post->curl, CURLINFO_RETRY_AFTER, &retry_after);
    if (retry_after > 0) ret_answer->retry_after_ns = retry_after > 3600 ? INT64_MAX : (int64_t)retry_after * 1000000000;
    return 0;
}

const char *http_post_url(const struct http_post *post)
{
    return post->label;
}

void http_post_free(struct http_post *post)
{
    if (!post) return;
    if (post->curl) post->lib.curl_easy_cleanup(post->curl);
    if (post->headers) post->lib.curl_slist_free_all(post->headers);
    free(post->url);
    free(post->label);
    free(post);
}
