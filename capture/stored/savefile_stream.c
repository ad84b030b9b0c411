#include "capture/stored/savefile_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/lang.h"

enum { PACKED_BYTES = 1 << 18 };

static void end_failed(struct savefile_stream *stream, int code, const char *tried)
{
    stream->ended = true;
    stream->code = code;
    stream->failed_at = tried;
}

/* At least one byte of the stored file, or 0: it ended (or failed, or was stopped). */
static size_t read_raw(struct savefile_stream *stream, uint8_t *into, size_t room)
{
    if (stream->head_left) {
        size_t length = stream->head_left < room ? stream->head_left : room;
        memcpy(into, stream->head, length);
        stream->head += length;
        stream->head_left -= length;
        stream->raw_done += length;
        return length;
    }
    if (stream->raw_ended) return 0;
    ssize_t length = stoppable_read(&stream->from, into, room);
    if (length > 0) {
        stream->raw_done += (size_t)length;
        return (size_t)length;
    }
    stream->raw_ended = true;
    stream->stopped = stream->from.stopped;
    if (length < 0) end_failed(stream, (int)length, TR("reading it"));
    return 0;
}

__attribute__((format(printf, 3, 4))) static size_t end_broken(struct savefile_stream *stream, size_t made, const char *format, ...)
{
    va_list args;
    stream->ended = stream->broken = true;
    va_start(args, format);
    vsnprintf(stream->text, sizeof(stream->text), tr(format), args);
    va_end(args);
    return made;
}

/* At least one unpacked byte, or 0 at the end. */
static size_t read_unpacked(struct savefile_stream *stream, uint8_t *into, size_t room)
{
    char why[UNPACK_TEXT_BYTES];
    for (;;) {
        /* What had no room the last time comes first: for that nothing needs to be read, and a pipe may not have more to give. */
        if (stream->packed_at == stream->packed_end && !stream->unpacker_full) {
            stream->packed_at = 0;
            stream->packed_end = read_raw(stream, stream->packed, PACKED_BYTES);
            if (stream->code || stream->stopped) {
                stream->ended = true;
                return 0;
            }
        }
        size_t used = 0, made = 0, have = stream->packed_end - stream->packed_at;
        enum unpack_result result =
            stream->codec->step(stream->unpacker, stream->packed + stream->packed_at, have, &used, into, room, &made, why);
        stream->packed_at += used;
        stream->unpacker_full = made == room;
        if (result == UNPACK_NO_MEMORY) {
            end_failed(stream, -ENOMEM, TR("unpacking it"));
            return made;
        }
        if (result == UNPACK_BROKEN)
            return end_broken(stream, made,
                              stream->unpacked == UNPACK_BETWEEN ? TR("the %s data are followed by something else: %s")
                                                                 : TR("the %s data are damaged: %s"),
                              stream->codec->name, why);
        if (used || made) stream->unpacked = result;
        if (made) return made;
        if (used) continue;
        if (have) return end_broken(stream, 0, TR("the %s data are damaged: they come to no end"), stream->codec->name);
        if (!stream->raw_ended) continue;
        stream->ended = true;
        return stream->unpacked == UNPACK_BETWEEN ? 0 : end_broken(stream, 0, TR("the %s data end early"), stream->codec->name);
    }
}

/* Makes room for `need` bytes from `at` on, and for a good read behind what is there. */
static int make_room(struct savefile_stream *stream, size_t need)
{
    size_t left = stream_left(stream), begin = (size_t)(stream->at - stream->window);
    size_t room = stream->capacity - begin - left;
    if (need > stream->capacity / 2) {
        size_t capacity = stream->capacity;
        while (need > capacity / 2) capacity *= 2;
        uint8_t *window = malloc(capacity);
        if (!window) return -ENOMEM;
        memcpy(window, stream->at, left);
        free(stream->window);
        stream->window = window;
        stream->capacity = capacity;
    } else if (begin + need > stream->capacity || (room < stream->capacity / 2 && left <= begin))
        memmove(stream->window, stream->at, left); /* never more than was taken since the last time */
    else
        return 0;
    stream->base += begin;
    stream->at = stream->window;
    stream->end = stream->window + left;
    return 0;
}

bool stream_fill(struct savefile_stream *stream, size_t need)
{
    while (stream_left(stream) < need) {
        if (stream->ended) return false;
        /* The window grows with what really comes, not with what a length in the file promises. */
        size_t left = stream_left(stream), step = need - left > STREAM_WINDOW_BYTES ? left + STREAM_WINDOW_BYTES : need;
        int code = make_room(stream, step);
        if (code) {
            end_failed(stream, code, TR("holding a packet of it"));
            return false;
        }
        uint8_t *into = stream->window + (stream->end - stream->window);
        size_t room = stream->capacity - (size_t)(into - stream->window);
        stream->end += stream->codec ? read_unpacked(stream, into, room) : read_raw(stream, into, room);
        if (!stream->codec && stream->raw_ended) stream->ended = true;
    }
    return true;
}

uint64_t stream_skip(struct savefile_stream *stream, uint64_t length)
{
    uint64_t left = length;
    for (;;) {
        size_t here = stream_left(stream) < left ? stream_left(stream) : (size_t)left;
        stream->at += here;
        left -= here;
        if (!left || !stream_fill(stream, 1)) return length - left;
    }
}

bool stream_peek(const struct savefile_stream *stream, uint64_t ahead, void *bytes, size_t length)
{
    size_t left = stream_left(stream);
    if (ahead < left && length <= left - ahead) {
        memcpy(bytes, stream->at + ahead, length);
        return true;
    }
    uint64_t offset = stream_offset(stream) + ahead;
    if (!stream->plain_file || offset > INT64_MAX - length) return false;
    return pread(stream->from.fd, bytes, length, (off_t)offset) == (ssize_t)length;
}

static int unpack_from(struct savefile_stream *stream, const struct unpack_codec *codec, struct err *err)
{
    size_t left = stream_left(stream);
    stream->packed = malloc(left > PACKED_BYTES ? left : PACKED_BYTES);
    stream->unpacker = codec->open();
    if (stream->unpacker) stream->codec = codec;
    if (!stream->packed || !stream->unpacker) return err_set_errno(err, -ENOMEM, "there is no memory for unpacking it");
    if (left) memcpy(stream->packed, stream->at, left);
    stream->packed_end = left;
    stream->at = stream->end = stream->window;
    stream->plain_file = stream->ended = false; /* `raw_ended` stays */
    stream->unpacked = UNPACK_INSIDE;
    return 0;
}

int stream_open(struct savefile_stream *stream, int fd, const void *head, size_t head_bytes, const volatile sig_atomic_t *stop,
                struct err *err)
{
    struct stat file;
    *stream = (struct savefile_stream){.from = stoppable_new(fd, stop), .head = head, .head_left = head_bytes};
    if (fstat(fd, &file) != 0) return err_set_errno(err, -errno, "it can't be looked at");
    if (S_ISDIR(file.st_mode)) return err_set(err, -EISDIR, "it is a directory");
    off_t here = lseek(fd, 0, SEEK_CUR);
    if (S_ISREG(file.st_mode)) stream->raw_total = (uint64_t)file.st_size;
    /* Looking ahead counts from the beginning: not of a descriptor that somebody has moved. */
    stream->plain_file = S_ISREG(file.st_mode) && here == 0 && head_bytes == 0;
    if (S_ISREG(file.st_mode)) posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    stream->capacity = STREAM_WINDOW_BYTES;
    stream->window = malloc(stream->capacity);
    stream->at = stream->end = stream->window;
    if (!stream->window) return err_set_errno(err, -ENOMEM, "there is no memory for reading it");
    stream_fill(stream, UNPACK_HEAD_BYTES);
    if (stream->code) return err_set_errno(err, stream->code, "%s failed", tr(stream->failed_at));
    const struct unpack_codec *codec = unpack_find(stream->at, stream_left(stream));
    if (!codec) return 0;
    /* What was read is the beginning of the packed bytes; the window starts again with what they hold. */
    return unpack_from(stream, codec, err);
}

int stream_open_memory(struct savefile_stream *stream, const void *bytes, size_t length, struct err *err)
{
    const struct unpack_codec *codec = unpack_find(bytes, length);
    *stream = (struct savefile_stream){.from.fd = -1, .raw_ended = true, .raw_total = length};
    if (codec) {
        stream->head = bytes;
        stream->head_left = length;
        stream->capacity = STREAM_WINDOW_BYTES;
        stream->window = malloc(stream->capacity);
        stream->at = stream->end = stream->window;
        return stream->window ? unpack_from(stream, codec, err) : err_set_errno(err, -ENOMEM, "there is no memory for reading it");
    }
    stream->borrowed = stream->ended = true;
    stream->window = (uint8_t *)(uintptr_t)bytes; /* only looked at */
    stream->at = stream->window;
    stream->end = stream->window + length;
    stream->raw_done = length;
    return 0;
}

void stream_close(struct savefile_stream *stream)
{
    if (stream->codec) stream->codec->close(stream->unpacker);
    free(stream->packed);
    if (!stream->borrowed) free(stream->window);
    if (stream->from.fd > STDIN_FILENO) close(stream->from.fd);
    *stream = (struct savefile_stream){.from.fd = -1};
}
