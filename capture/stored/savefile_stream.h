/* A window that moves over the bytes of a file, pipe or standard input, unpacked on the way where they are compressed.
 *
 * It owns the descriptor (not standard input's), the window and the decompressor. Reads with read(2): nothing is mapped, so a file
 * that shrinks ends early instead of raising SIGBUS, and what was read is still in the processor's cache when it is looked at. */
#ifndef TCPWHY_CAPTURE_STORED_SAVEFILE_STREAM_H
#define TCPWHY_CAPTURE_STORED_SAVEFILE_STREAM_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "capture/stored/savefile_unpack.h"
#include "capture/stored/stoppable.h"

enum { STREAM_WINDOW_BYTES = 1 << 19, STREAM_NEED_MAX = 16 << 20 };

struct savefile_stream {
    const uint8_t *at, *end; /* the bytes of the window that were not taken yet */
    uint8_t *window;
    bool borrowed; /* the window is the caller's, all of it at once */
    size_t capacity;
    uint64_t base;                /* where in the unpacked file the window begins */
    struct stoppable from;        /* fd -1: none */
    bool plain_file;              /* seekable, not compressed: bytes ahead can be looked at */
    bool ended;                   /* no byte comes behind `end` */
    bool broken;                  /* it ended because the compressed data are damaged, or end inside a frame: `text` says it */
    bool stopped;                 /* it ended because the end was asked for */
    int code;                     /* it ended because the system failed: a negative errno */
    const char *failed_at;        /* what was tried then */
    uint64_t raw_done, raw_total; /* bytes of the stored file; 0: unknown */
    bool raw_ended;
    const struct unpack_codec *codec; /* NULL: not compressed */
    void *unpacker;
    enum unpack_result unpacked; /* of the last step that got anywhere */
    bool unpacker_full;          /* the last step had no room left: there may be more without more input */
    uint8_t *packed;             /* compressed bytes, from packed_at to packed_end not yet unpacked */
    size_t packed_at, packed_end;
    const uint8_t *head; /* of the caller: read before the descriptor */
    size_t head_left;
    char text[UNPACK_TEXT_BYTES + 64];
};

/* Takes the descriptor over (closes it in stream_close unless it is standard input's), and looks whether it is compressed. `head`
 * is borrowed until the stream is closed. 0 or -errno, with a sentence that doesn't name the file. To be closed in either case. */
int stream_open(struct savefile_stream *stream, int fd, const void *head, size_t head_bytes, const volatile sig_atomic_t *stop,
                struct err *err);
/* The same over bytes in memory, borrowed until the stream is closed: plain ones are looked at where they are. */
int stream_open_memory(struct savefile_stream *stream, const void *bytes, size_t length, struct err *err);
void stream_close(struct savefile_stream *stream);

/* Sees to it that `need` bytes (STREAM_NEED_MAX at most) lie between `at` and `end`; false: the stream ended before. Moves the
 * window: what pointed into it is void. Waits for no more than it must. */
bool stream_fill(struct savefile_stream *stream, size_t need);
static inline bool stream_need(struct savefile_stream *stream, size_t need)
{
    return (size_t)(stream->end - stream->at) >= need || stream_fill(stream, need);
}
/* Passes over `length` bytes. The number really passed over: fewer when the stream ends. */
uint64_t stream_skip(struct savefile_stream *stream, uint64_t length);
/* Copies bytes that begin `ahead` behind `at` without moving there; false: they are not there, or can't be looked at. */
bool stream_peek(const struct savefile_stream *stream, uint64_t ahead, void *bytes, size_t length);

static inline size_t stream_left(const struct savefile_stream *stream)
{
    return (size_t)(stream->end - stream->at);
}
/* Where `at` is in the unpacked file. */
static inline uint64_t stream_offset(const struct savefile_stream *stream)
{
    return stream->base + (uint64_t)(stream->at - stream->window);
}

#endif
