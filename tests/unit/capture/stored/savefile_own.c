#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "savefile_own.h"

int file_of(const void *bytes, size_t length, char path[32])
{
    int fd = memfd_create("capture", MFD_CLOEXEC);
    assert_true(fd >= 0);
    for (size_t done = 0; done < length;) {
        ssize_t piece = write(fd, (const char *)bytes + done, length - done);
        assert_true(piece > 0);
        done += (size_t)piece;
    }
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    return fd;
}

struct savefile *open_bytes(const struct buf *bytes)
{
    char path[32];
    struct savefile *file = NULL;
    struct err err = {{0}};
    int fd = file_of(bytes->data, bytes->length, path);
    int code = savefile_open(&file, path, NULL, &err);
    close(fd);
    if (code) fail_msg("%s", err.text);
    return file;
}

const char *outline(struct savefile *file, char *text, size_t room)
{
    struct savefile_packet packet;
    size_t length = 0;
    for (;;) {
        enum savefile_result result = savefile_next(file, &packet);
        assert_true(length + 1 < room);
        text[length++] = "PEDF"[result];
        text[length] = '\0';
        if (result != SAVEFILE_END && result != SAVEFILE_FAILED) continue;
        assert_int_equal(savefile_next(file, &packet), result);
        savefile_close(file);
        return text;
    }
}

void assert_outline(const struct buf *bytes, const char *expected)
{
    char text[4096];
    assert_string_equal(outline(open_bytes(bytes), text, sizeof(text)), expected);
}

struct buf two_packets(uint32_t magic, bool big)
{
    struct buf bytes = buf_new(LIMIT);
    put_pcap(&bytes, magic, 2, 4, 1, big);
    for (uint32_t i = 0; i < 2; i++) {
        put_record(&bytes, NOW + i, 123456, 60 + i, 90, (uint8_t)i, big);
        if (magic == MODIFIED) { /* interface, protocol and packet type stand between header and packet: here all the same value */
            put_fill(&bytes, (uint8_t)i, 8);
        }
    }
    return bytes;
}

struct buf packets_ng(size_t count, bool big)
{
    struct buf bytes = buf_new(LIMIT);
    put_section(&bytes, big);
    put_interface(&bytes, 1, 0, NULL, 0, big);
    for (size_t i = 0; i < count; i++) put_packet(&bytes, 0, (uint64_t)NOW * 1000000 + i, 60, 60, (uint8_t)i, big);
    return bytes;
}

struct buf pack_gzip(const void *bytes, size_t length)
{
    struct buf packed = buf_new(LIMIT);
    size_t room = compressBound(length) + 32;
    uint8_t *out = malloc(room);
    z_stream stream = {.next_in = (z_const Bytef *)bytes, .avail_in = (uInt)length, .next_out = out, .avail_out = (uInt)room};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(buf_append(&packed, out, stream.total_out), 0);
    deflateEnd(&stream);
    free(out);
    return packed;
}
