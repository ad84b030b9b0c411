/* Decompressors behind one narrow door: gzip through zlib, Zstandard through libzstd, LZ4 frames through liblz4.
 *
 * Bytes in, bytes out, a piece at a time; no I/O. A stream may be several frames (gzip: members) one behind the other. The memory
 * of one is bounded whatever the bytes say: 128 MiB for Zstandard's largest window that is accepted, some 100 KiB for gzip, some
 * MiB for LZ4. */
#ifndef TCPWHY_CAPTURE_STORED_SAVEFILE_UNPACK_H
#define TCPWHY_CAPTURE_STORED_SAVEFILE_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum unpack_result {
    UNPACK_INSIDE,  /* in the midst of a frame */
    UNPACK_BETWEEN, /* a frame is complete: the data may end here */
    UNPACK_BROKEN,  /* the compressed bytes contradict themselves; what was made before is good */
    UNPACK_NO_MEMORY
};

enum { UNPACK_HEAD_BYTES = 4, UNPACK_TEXT_BYTES = 128 };

struct unpack_codec {
    const char *name; /* "gzip" */
    uint8_t magic[UNPACK_HEAD_BYTES], mask[UNPACK_HEAD_BYTES];
    void *(*open)(void); /* NULL: no memory */
    /* Takes *used of `in`, makes *made bytes of `out`. On UNPACK_BROKEN text says why. No progress with room on both sides is
     * UNPACK_BROKEN. */
    enum unpack_result (*step)(void *state, const uint8_t *in, size_t in_bytes, size_t *used, uint8_t *out, size_t out_bytes,
                               size_t *made, char text[UNPACK_TEXT_BYTES]);
    void (*close)(void *state);
};

/* The codec whose magic number these first bytes are; NULL: none. */
const struct unpack_codec *unpack_find(const uint8_t *head, size_t length);

#endif
