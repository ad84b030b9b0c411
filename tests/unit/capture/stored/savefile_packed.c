/* Compressed captures, and pipes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <lz4frame.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "capture/stored/savefile.h"
#include "savefile_own.h"
#include "support/captures.h"
#include "support/guard.h"

static struct buf pack_zstd(const void *bytes, size_t length)
{
    struct buf packed = buf_new(LIMIT);
    size_t room = ZSTD_compressBound(length);
    void *out = malloc(room);
    size_t made = ZSTD_compress(out, room, bytes, length, 3);
    assert_false(ZSTD_isError(made));
    assert_int_equal(buf_append(&packed, out, made), 0);
    free(out);
    return packed;
}

static struct buf pack_lz4(const void *bytes, size_t length)
{
    struct buf packed = buf_new(LIMIT);
    const LZ4F_preferences_t checked = {.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled};
    size_t room = LZ4F_compressFrameBound(length, &checked);
    void *out = malloc(room);
    size_t made = LZ4F_compressFrame(out, room, bytes, length, &checked);
    assert_false(LZ4F_isError(made));
    assert_int_equal(buf_append(&packed, out, made), 0);
    free(out);
    return packed;
}

static const struct {
    const char *name;
    struct buf (*pack)(const void *, size_t);
} packers[] = {{"gzip", pack_gzip}, {"zstd", pack_zstd}, {"lz4", pack_lz4}};
enum { PACKERS = 3 };

static void compressed_captures_are_read_as_plain_ones(void **state)
{
    (void)state;
    struct buf bytes = packets_ng(20000, false); /* larger than any window */
    for (size_t i = 0; i < PACKERS; i++) {
        /* In two pieces, one frame (gzip: member) each. */
        struct buf packed = packers[i].pack(bytes.data, 1000), second = packers[i].pack(bytes.data + 1000, bytes.length - 1000);
        char format[64];
        assert_int_equal(buf_append(&packed, second.data, second.length), 0);
        struct savefile *file = open_bytes(&packed);
        struct savefile_packet packet;
        snprintf(format, sizeof(format), "pcapng, %s", packers[i].name);
        assert_string_equal(savefile_format(file), format);
        for (size_t n = 0; n < 20000; n++) {
            assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
            assert_int_equal(packet.bytes[59], (uint8_t)n);
            assert_int_equal(packet.offset, 48 + n * 92);
        }
        assert_int_equal(savefile_next(file, &packet), SAVEFILE_END);
        uint64_t done, total;
        savefile_progress(file, &done, &total);
        assert_int_equal(done, packed.length);
        assert_int_equal(total, packed.length);
        savefile_close(file);
        buf_free(&second);
        buf_free(&packed);
    }
    buf_free(&bytes);
}

static void cut_compression_gives_what_can_be_unpacked_and_says_so(void **state)
{
    (void)state;
    struct buf bytes = packets_ng(40, false);
    /* Bytes that don't compress: so that a cut leaves something. */
    uint32_t random = 7;
    for (size_t n = 0; n < 40; n++)
        for (size_t i = 0; i < 60; i++) {
            random = random * 1103515245 + 12345;
            bytes.data[48 + n * 92 + 28 + i] = (char)(random >> 24);
        }
    for (size_t i = 0; i < PACKERS; i++) {
        struct buf packed = packers[i].pack(bytes.data, bytes.length);
        size_t opened = 0;
        for (size_t length = 4; length < packed.length; length++) {
            char path[32], text[4096];
            struct savefile *file;
            struct err err;
            int fd = file_of(packed.data, length, path);
            int code = savefile_open(&file, path, NULL, &err);
            close(fd);
            if (code) {
                assert_int_equal(code, -EINVAL);
                assert_non_null(strstr(err.text, "end early"));
                continue;
            }
            opened++;
            outline(file, text, sizeof(text));
            size_t given = strspn(text, "P");
            assert_string_equal(text + given, "DE");
        }
        /* The others hold a whole block back, and this is one block. */
        if (packers[i].pack == pack_gzip) assert_true(opened > packed.length / 2);
        buf_free(&packed);
    }
    buf_free(&bytes);
}

static void damaged_compression_is_told_and_ends(void **state)
{
    (void)state;
    struct buf bytes = packets_ng(300, false);
    for (size_t i = 0; i < PACKERS; i++) {
        struct buf packed = packers[i].pack(bytes.data, bytes.length);
        size_t told = 0;
        for (size_t at = 4; at < packed.length; at++) {
            char path[32], text[4096];
            struct savefile *file;
            packed.data[at] ^= 0x55;
            int fd = file_of(packed.data, packed.length, path);
            if (savefile_open(&file, path, NULL, NULL))
                told++;
            else
                told += strchr(outline(file, text, sizeof(text)), 'D') != NULL;
            close(fd);
            packed.data[at] ^= 0x55;
        }
        /* Some bytes of the headers mean nothing (gzip's time stamp), zstd's frames here have no checksum. */
        if (told * 10 < (packed.length - 4) * (packers[i].pack == pack_zstd ? 3U : 8U))
            fail_msg("%s: %zu of %zu", packers[i].name, told, packed.length);
        assert_int_equal(buf_append(&packed, "not a frame", 11), 0);
        struct savefile *file = open_bytes(&packed);
        char text[4096];
        outline(file, text, sizeof(text));
        assert_string_equal(text + strspn(text, "P"), "DE");
        buf_free(&packed);
    }
    buf_free(&bytes);
}

static void a_gzip_file_padded_with_zeroes_is_whole(void **state)
{
    (void)state;
    struct buf bytes = two_packets(MICRO, false), packed = pack_gzip(bytes.data, bytes.length);
    put_fill(&packed, 0, 1000);
    assert_outline(&packed, "PPE");
    buf_free(&packed);
    buf_free(&bytes);
}

/* A pipe, and a path to open its reading end with. */
static void pipe_of(int fds[2], char path[32])
{
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    snprintf(path, 32, "/proc/self/fd/%d", fds[0]);
}

static void packets_of_a_pipe_come_as_soon_as_they_are_written(void **state)
{
    (void)state;
    for (int batch = 0; batch < 2; batch++) {
        struct buf bytes = two_packets(MICRO, false);
        int fds[2];
        char path[32];
        struct savefile *file;
        struct savefile_packet packets[8];
        size_t count = 1;
        pipe_of(fds, path);
        assert_int_equal(write(fds[1], bytes.data, 24 + 76), 24 + 76);
        alarm(10);
        assert_int_equal(savefile_open(&file, path, NULL, NULL), 0);
        enum savefile_result result = batch ? savefile_batch(file, packets, 8, &count) : savefile_next(file, packets);
        assert_int_equal(result, SAVEFILE_PACKET); /* and the pipe is still open */
        assert_int_equal(count, 1);
        assert_int_equal(write(fds[1], bytes.data + 24 + 76, 77), 77);
        close(fds[1]);
        assert_int_equal(savefile_next(file, packets), SAVEFILE_PACKET);
        assert_int_equal(packets[0].number, 2);
        assert_int_equal(savefile_next(file, packets), SAVEFILE_END);
        alarm(0);
        savefile_close(file);
        close(fds[0]);
        buf_free(&bytes);
    }
}

static void unpacked_packets_of_a_pipe_do_not_wait_for_more_either(void **state)
{
    (void)state;
    /* Much that unpacks from few bytes: it all fits into the pipe, and none of it may wait for what is not written yet. The smaller
     * ones are just larger than the window: the decompressor has taken all its input when there is no room for the last bytes. */
    for (size_t packets = 5690; packets <= 20000; packets += packets < 5720 ? 1 : 14280) {
        struct buf bytes = packets_ng(packets, false);
        for (size_t i = 0; i < PACKERS; i++) {
            struct buf packed = packers[i].pack(bytes.data, bytes.length);
            int fds[2];
            char path[32];
            struct savefile *file;
            struct savefile_packet packet;
            pipe_of(fds, path);
            assert_true(fcntl(fds[1], F_SETPIPE_SZ, 1 << 18) > (int)packed.length);
            assert_int_equal(write(fds[1], packed.data, packed.length), packed.length);
            alarm(10);
            assert_int_equal(savefile_open(&file, path, NULL, NULL), 0);
            for (size_t n = 0; n < packets; n++)
                if (savefile_next(file, &packet) != SAVEFILE_PACKET) fail();
            alarm(0);
            close(fds[1]);
            assert_int_equal(savefile_next(file, &packet), SAVEFILE_END);
            savefile_close(file);
            close(fds[0]);
            buf_free(&packed);
        }
        buf_free(&bytes);
    }
}

/* How much the beginning of a gzip file unpacks to. */
static size_t unpacked_length(const struct buf *packed, size_t length)
{
    static uint8_t out[1 << 20];
    z_stream stream = {
        .next_in = (z_const Bytef *)packed->data, .avail_in = (uInt)length, .next_out = out, .avail_out = sizeof(out)};
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    inflate(&stream, Z_NO_FLUSH);
    size_t made = stream.total_out;
    inflateEnd(&stream);
    return made;
}

static void what_the_decompressor_holds_back_comes_before_more_is_read(void **state)
{
    (void)state;
    enum { WINDOW = 1 << 19, HEADERS = 48, FRAME = 12, BLOCK = 92 };
    static const uint8_t nothing[BLOCK];
    size_t tried = 0;
    /* A block of no interest moves the packets, so that one of them ends a few bytes behind the window. */
    for (size_t shift = 0; shift < BLOCK; shift += 12) {
        struct buf bytes = buf_new(LIMIT);
        put_section(&bytes, false);
        put_interface(&bytes, 1, 0, NULL, 0, false);
        put_block(&bytes, 5, nothing, shift, false);
        for (size_t i = 0; i < 6000; i++) put_packet(&bytes, 0, i, 60, 60, 0, false);
        struct buf packed = pack_gzip(bytes.data, bytes.length);
        size_t cut = packed.length * 9 / 10;
        assert_true(unpacked_length(&packed, cut) <= WINDOW);
        while (unpacked_length(&packed, cut) <= WINDOW) cut++;
        /* All input is taken then, and there was no room for the last that comes of it. */
        for (; unpacked_length(&packed, cut) < WINDOW + BLOCK + 200; cut++) {
            int fds[2];
            char path[32];
            struct savefile *file;
            struct savefile_packet packet;
            size_t packets = (unpacked_length(&packed, cut) - HEADERS - FRAME - shift) / BLOCK;
            pipe_of(fds, path);
            assert_int_equal(write(fds[1], packed.data, cut), cut);
            alarm(10);
            assert_int_equal(savefile_open(&file, path, NULL, NULL), 0);
            for (size_t n = 0; n < packets; n++)
                if (savefile_next(file, &packet) != SAVEFILE_PACKET) fail();
            alarm(0);
            close(fds[1]);
            savefile_close(file);
            close(fds[0]);
            tried++;
        }
        buf_free(&packed);
        buf_free(&bytes);
    }
    assert_true(tried > 8);
}

static volatile sig_atomic_t stop;

static void on_alarm(int number)
{
    (void)number;
    stop = 1;
}

static void a_signal_that_asks_for_it_ends_a_pipe(void **state)
{
    (void)state;
    struct buf bytes = two_packets(MICRO, false);
    struct sigaction action = {.sa_handler = on_alarm}, before;
    const struct itimerval soon = {.it_value.tv_usec = 20000, .it_interval.tv_usec = 20000}, never = {{0, 0}, {0, 0}};
    const struct savefile_options options = {.stop = &stop};
    struct savefile *file;
    struct savefile_packet packet;
    int fds[2];
    char path[32];
    pipe_of(fds, path);
    assert_int_equal(write(fds[1], bytes.data, 110), 110); /* the second packet is cut where it is written to */
    sigaction(SIGALRM, &action, &before);
    assert_int_equal(savefile_open(&file, path, &options, NULL), 0);
    setitimer(ITIMER_REAL, &soon, NULL);
    assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
    assert_int_equal(savefile_next(file, &packet), SAVEFILE_END);
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
    savefile_close(file);
    close(fds[0]);
    close(fds[1]);
    buf_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compressed_captures_are_read_as_plain_ones),
        cmocka_unit_test(cut_compression_gives_what_can_be_unpacked_and_says_so),
        cmocka_unit_test(damaged_compression_is_told_and_ends),
        cmocka_unit_test(a_gzip_file_padded_with_zeroes_is_whole),
        cmocka_unit_test(packets_of_a_pipe_come_as_soon_as_they_are_written),
        cmocka_unit_test(unpacked_packets_of_a_pipe_do_not_wait_for_more_either),
        cmocka_unit_test(what_the_decompressor_holds_back_comes_before_more_is_read),
        cmocka_unit_test(a_signal_that_asks_for_it_ends_a_pipe),
    };
    return cmocka_run_group_tests_name("savefile, packed", tests, NULL, NULL);
}
