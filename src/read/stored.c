#include "read/stored.h"
#include "base/lang.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "capture/stored/savefile_stream.h"
#include "event/text.h"
#include "saved/saved_read.h"

static const size_t text_limit = (size_t)1 << 32;

/* What people may well hand over, and what it is. */
static const struct {
    unsigned char magic[4];
    const char *what;
} others[] = {
    {{0xd4, 0xc3, 0xb2, 0xa1}, TR("a pcap file")},
    {{0xa1, 0xb2, 0xc3, 0xd4}, TR("a pcap file")},
    {{0x4d, 0x3c, 0xb2, 0xa1}, TR("a pcap file")},
    {{0xa1, 0xb2, 0x3c, 0x4d}, TR("a pcap file")},
    {{0x0a, 0x0d, 0x0d, 0x0a}, TR("a capture, and no run that was saved with -o FILE.pcapng")},
    {{0x1f, 0x8b, 0x08, 0x00}, TR("a gzip file")},
};

static int load(const char *path, struct keeper *keeper, const char *name, struct buf *text, struct err *err)
{
    char piece[1 << 16];
    int code = 0, fd = strcmp(path, "-") ? keeper_open(keeper, path) : STDIN_FILENO;
    if (fd < 0) {
        code = -errno;
        return err_set_errno(err, code, "can't open %s", name);
    }
    while (!code) {
        ssize_t length = read(fd, piece, sizeof(piece));
        if (length == 0) break;
        if (length < 0 && errno == EINTR) continue;
        if (length < 0) {
            code = -errno;
            err_set_errno(err, code, "can't read %s", name);
        } else if ((code = buf_append(text, piece, (size_t)length)))
            err_set_errno(err, code, "can't hold %s in memory", name);
    }
    if (fd != STDIN_FILENO) close(fd);
    return code;
}

/* What is compressed is unpacked in its place. */
static int unpack(const char *name, struct buf *text, struct err *err)
{
    struct savefile_stream stream;
    struct buf whole = buf_new(text_limit);
    int code = stream_open_memory(&stream, buf_string(text), text->length, err);
    if (code) err_prefix(err, "can't read %s", name);
    while (!code && stream.codec && stream_need(&stream, 1)) {
        code = buf_append(&whole, stream.at, stream_left(&stream));
        if (code) err_set_errno(err, code, "can't hold %s in memory", name);
        stream_skip(&stream, stream_left(&stream));
    }
    if (!code && stream.broken) code = err_set(err, -EBADMSG, "can't read %s: %s", name, stream.text);
    if (!code && stream.code) code = err_set_errno(err, stream.code, "can't read %s", name);
    bool is_packed = stream.codec != NULL;
    stream_close(&stream);
    if (!code && is_packed) {
        buf_free(text);
        *text = whole;
    } else {
        buf_free(&whole);
    }
    return code;
}

static int check(const char *name, const struct buf *text, struct err *err)
{
    static const char first[] = EVENT_TEXT_FIRST_LINE;
    const char *bytes = buf_string(text);
    size_t length = strlen(first);
    if (!text->length) return err_set(err, -EBADMSG, "%s is empty", name);
    if (text->length >= length && !memcmp(bytes, first, length) && (bytes[length] == '\n' || bytes[length] == '\0')) return 0;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]) && text->length >= 4; i++)
        if (!memcmp(bytes, others[i].magic, 3) && (others[i].magic[0] == 0x1f || (unsigned char)bytes[3] == others[i].magic[3]))
            return err_set(err, -EBADMSG, "%s is %s: only runs stored with -o FILE.events or FILE.pcapng can be read", name,
                           tr(others[i].what));
    return err_set(err, -EBADMSG, "%s is no event log: its first line is not '%s' (store one with -o FILE.events)", name, first);
}

int stored_load(const char *path, struct keeper *keeper, const void *head, size_t head_bytes, struct event_log *log,
                struct err *err)
{
    const char *name = strcmp(path, "-") ? path : tr("standard input");
    struct buf text = buf_new(text_limit);
    int code = buf_append(&text, head, head_bytes);
    if (code) err_set_errno(err, code, "can't hold %s in memory", name);
    if (!code) code = load(path, keeper, name, &text, err);
    if (!code) code = unpack(name, &text, err);
    const bool is_saved = !code && saved_is_run(buf_string(&text), text.length);
    if (is_saved) code = saved_read(name, buf_string(&text), text.length, log, err);
    if (!code && !is_saved) code = check(name, &text, err);
    if (!code && !is_saved && (code = event_text_read(name, buf_string(&text), text.length, log, err)) == -EINVAL) code = -EBADMSG;
    buf_free(&text);
    return code;
}
