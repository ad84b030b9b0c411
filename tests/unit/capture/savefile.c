/* Stored captures, made by hand and read back: every variant, every kind of damage, files, pipes and compression. */
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
#include "support/captures.h"
#include "support/guard.h"

enum { LIMIT = 1 << 26, SECOND = 1000000000, NOW = 1700000000 };
static const uint32_t MICRO = 0xa1b2c3d4, NANO = 0xa1b23c4d, MODIFIED = 0xa1b2cd34;

/* A file without a name that holds the bytes; `path` to open it with. Close with close(). */
static int file_of(const void *bytes, size_t length, char path[32])
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

static struct savefile *open_bytes(const struct buf *bytes)
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

static void refused(const void *bytes, size_t length, const char *text)
{
    char path[32];
    struct savefile *file = NULL;
    struct err err = {{0}};
    int fd = file_of(bytes, length, path);
    assert_int_equal(savefile_open(&file, path, NULL, &err), -EINVAL);
    assert_null(file);
    close(fd);
    if (!strstr(err.text, text) || !strstr(err.text, path)) fail_msg("'%s' instead of '%s'", err.text, text);
}

/* What a file gives, in few words: "P" a packet, "D" damage, "E" the end, "F" failure; checks that the end stays the end. */
static const char *outline(struct savefile *file, char *text, size_t room)
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

static void assert_outline(const struct buf *bytes, const char *expected)
{
    char text[4096];
    assert_string_equal(outline(open_bytes(bytes), text, sizeof(text)), expected);
}

static struct buf two_packets(uint32_t magic, bool big)
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

static void every_variant_of_pcap_is_read_in_both_byte_orders(void **state)
{
    (void)state;
    const uint32_t magics[] = {MICRO, NANO, MODIFIED};
    const char *const names[] = {"pcap", "pcap, nanoseconds", "pcap, modified"};
    for (size_t i = 0; i < 6; i++) {
        struct buf bytes = two_packets(magics[i / 2], i % 2);
        struct savefile *file = open_bytes(&bytes);
        struct savefile_packet packet;
        size_t record = magics[i / 2] == MODIFIED ? 24 : 16;
        assert_string_equal(savefile_format(file), names[i / 2]);
        for (uint32_t n = 0; n < 2; n++) {
            assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
            assert_int_equal(packet.t_ns, (int64_t)(NOW + n) * SECOND + INT64_C(123456) * (magics[i / 2] == NANO ? 1 : 1000));
            assert_int_equal(packet.captured, 60 + n);
            assert_int_equal(packet.wire, 90);
            assert_int_equal(packet.link_type, DLT_EN10MB);
            assert_int_equal(packet.number, n + 1);
            assert_int_equal(packet.offset, 24 + n * (record + 60));
            for (size_t at = 0; at < packet.captured; at++) assert_int_equal(packet.bytes[at], n);
        }
        assert_int_equal(savefile_next(file, &packet), SAVEFILE_END);
        savefile_close(file);
        buf_free(&bytes);
    }
}

static void old_versions_have_their_lengths_the_other_way_round(void **state)
{
    (void)state;
    static const struct {
        uint16_t major, minor;
        uint32_t first, second, captured;
    } versions[] = {{2, 4, 60, 90, 60}, {2, 2, 90, 60, 60}, {2, 0, 90, 60, 60}, {543, 0, 90, 60, 60},
                    {2, 3, 90, 60, 60}, {2, 3, 60, 90, 60}, {2, 3, 60, 60, 60}};
    for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
        struct buf bytes = buf_new(LIMIT);
        struct savefile_packet packet;
        put_pcap(&bytes, MICRO, versions[i].major, versions[i].minor, 1, false);
        put_u32(&bytes, NOW, false);
        put_u32(&bytes, 0, false);
        put_u32(&bytes, versions[i].first, false);
        put_u32(&bytes, versions[i].second, false);
        put_fill(&bytes, 1, 60);
        struct savefile *file = open_bytes(&bytes);
        assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
        assert_int_equal(packet.captured, versions[i].captured);
        assert_int_equal(packet.wire, versions[i].first + versions[i].second - versions[i].captured);
        assert_int_equal(savefile_next(file, &packet), SAVEFILE_END);
        savefile_close(file);
        buf_free(&bytes);
    }
}

static void link_types_are_those_that_libpcap_says(void **state)
{
    (void)state;
    for (uint32_t link = 0; link < 400; link++) {
        struct buf bytes = buf_new(LIMIT);
        char path[32], text[PCAP_ERRBUF_SIZE];
        struct savefile *file;
        struct savefile_packet packet;
        put_pcap(&bytes, MICRO, 2, 4, link | 0x40000000, false); /* with the length of a frame check sequence above it */
        put_record(&bytes, NOW, 0, 4, 4, 0, false);
        int fd = file_of(bytes.data, bytes.length, path);
        pcap_t *pcap = pcap_open_offline(path, text);
        assert_non_null(pcap);
        assert_int_equal(savefile_open(&file, path, NULL, NULL), 0);
        assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
        assert_int_equal(packet.link_type, link == 14 ? DLT_RAW : pcap_datalink(pcap));
        savefile_close(file);
        pcap_close(pcap);
        close(fd);
        buf_free(&bytes);
    }
}

static void what_is_no_capture_is_refused_by_what_it_is(void **state)
{
    (void)state;
    struct savefile *file;
    struct err err;
    refused("", 0, "it is empty");
    refused("hello, world", 12, "a text");
    refused("h", 1, "a text");
    refused("\001\002\003\004", 4, "neither pcap nor pcapng");
    refused("{\"type\":\"trace\"}", 16, "event lines");
    refused("\xfd\x37zXZ\0\0\0\0", 9, "xz -dc");
    refused("BZh91AY&SY", 10, "bzip2");
    refused("snoop\0\0\0\0\0", 10, "snoop");
    refused("\xd4\xc3\xb2\xa1\2\0\4\0", 8, "ends inside the file header of pcap: 8 of its 24 bytes");
    refused("\xd4\xc3\xb2\xa1\2\0\5\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0", 24, "version 2.5");
    refused("\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\1\0", 24, "link type is 0x00010001");
    refused("\n\r\r\n\x1c\0\0\0\x4d\x3c\x2b\x1a", 12, "ends inside the section header of pcapng: 12 of its 28 bytes");
    refused("\n\r\r\n\x1c\0\0\0????????????????????", 28, "byte-order magic is 0x3f3f3f3f");
    refused("\n\r\r\n\x1c\0\0\0\x4d\x3c\x2b\x1a\2\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0", 28, "version 2.0");
    refused("\x1f\x8b\x08\0\0\0\0\0\0\3garbage", 17, "gzip data");
    refused("\x1f\x8b\x08\0", 4, "gzip data end early");
    assert_int_equal(savefile_open(&file, "/", NULL, &err), -EISDIR);
    assert_string_equal(err.text, "can't read /: it is a directory");
    assert_int_equal(savefile_open(&file, "/nonexistent", NULL, &err), -ENOENT);
    assert_string_equal(err.text, "can't read /nonexistent: No such file or directory");
}

static void a_cut_pcap_gives_all_packets_before_the_cut(void **state)
{
    (void)state;
    struct buf bytes = two_packets(MICRO, true);
    for (size_t length = 24; length <= bytes.length; length++) {
        struct buf cut = {.data = bytes.data, .length = length};
        const char *expected = length == 24            ? "E"
                               : length < 24 + 76      ? "DE"
                               : length == 24 + 76     ? "PE"
                               : length < bytes.length ? "PDE"
                                                       : "PPE";
        assert_outline(&cut, expected);
    }
    struct savefile *file = open_bytes(&(struct buf){.data = bytes.data, .length = 24 + 76 + 20});
    struct savefile_packet packet;
    struct err err;
    assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
    assert_int_equal(savefile_next(file, &packet), SAVEFILE_DAMAGED);
    assert_int_equal(savefile_damage(file)->number, 2);
    assert_int_equal(savefile_damage(file)->offset, 100);
    assert_int_equal(savefile_damage(file)->skipped, 20);
    assert_false(savefile_damage(file)->resumed);
    assert_int_equal(savefile_damage_say(file, &err), 0);
    assert_non_null(
        strstr(err.text, ": packet 2, offset 100: the file ends inside this packet: 4 of its 61 captured bytes are there"));
    savefile_close(file);
    buf_free(&bytes);
}

static void behind_a_damaged_record_reading_goes_on(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {0xffffffff, 262145, 1 << 30, 200000};
    for (size_t i = 0; i < 2 * sizeof(lengths) / sizeof(*lengths); i++) {
        struct buf bytes = buf_new(LIMIT);
        bool big = i % 2;
        put_pcap(&bytes, MICRO, 2, 4, 1, big);
        for (uint32_t n = 0; n < 10; n++) put_record(&bytes, NOW + n, n, 60, 60, (uint8_t)n, big);
        struct buf number = buf_new(8);
        put_u32(&number, lengths[i / 2], big);
        memcpy(bytes.data + (size_t)(24 + 3 * 76 + 8), number.data, 4);
        struct savefile *file = open_bytes(&bytes);
        struct savefile_packet packet;
        for (int n = 0; n < 3; n++) assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
        assert_int_equal(savefile_next(file, &packet), SAVEFILE_DAMAGED);
        assert_int_equal(savefile_damage(file)->number, 4);
        assert_int_equal(savefile_damage(file)->offset, 24 + 3 * 76);
        assert_int_equal(savefile_damage(file)->skipped, 76);
        assert_true(savefile_damage(file)->resumed);
        for (uint32_t n = 4; n < 10; n++) {
            assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
            assert_int_equal(packet.bytes[0], n);
            assert_int_equal(packet.number, n); /* of those that were given */
        }
        assert_int_equal(savefile_next(file, &packet), SAVEFILE_END);
        savefile_close(file);
        buf_free(&number);
        buf_free(&bytes);
    }
}

static void what_follows_damage_at_the_end_needs_its_proof(void **state)
{
    (void)state;
    static const struct {
        uint32_t whole;
        size_t rest;
        const char *outline;
    } ends[] = {{1, 0, "PDPE"}, {1, 5, "PDE"}, {2, 5, "PDPPDE"}, {2, 40, "PDPPDE"}, {1, 40, "PDE"}, {3, 0, "PDPPPE"}};
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        struct buf bytes = buf_new(LIMIT);
        put_pcap(&bytes, MICRO, 2, 4, 1, false);
        put_record(&bytes, NOW, 0, 60, 60, 0xaa, false);
        put_fill(&bytes, 0xff, 16);
        for (uint32_t n = 0; n <= ends[i].whole; n++) put_record(&bytes, NOW, n, 60, 60, 0xaa, false);
        bytes.length -= 76 - ends[i].rest;
        assert_outline(&bytes, ends[i].outline);
        buf_free(&bytes);
    }
}

static void no_packet_is_longer_than_packets_can_be(void **state)
{
    (void)state;
    static const struct {
        uint32_t link_type, captured;
        const char *outline;
    } cases[] = {{DLT_EN10MB, 262144, "PPPPE"}, {DLT_EN10MB, 262145, "PDPPE"}, {DLT_USBPCAP, 262145, "PPPPE"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct buf bytes = buf_new(LIMIT);
        put_pcap(&bytes, MICRO, 2, 4, cases[i].link_type, false);
        put_record(&bytes, NOW, 0, 60, 60, 0xaa, false);
        put_record(&bytes, NOW, 0, cases[i].captured, cases[i].captured, 0xaa, false);
        put_record(&bytes, NOW, 0, 60, 60, 0xaa, false);
        put_record(&bytes, NOW, 0, 60, 60, 0xaa, false);
        assert_outline(&bytes, cases[i].outline);
        buf_free(&bytes);
    }
}

static void garbage_is_searched_once_and_ends(void **state)
{
    (void)state;
    struct buf bytes = two_packets(MICRO, false), zeroes = two_packets(MICRO, false);
    uint32_t random = 1;
    put_fill(&zeroes, 0xff, 16);
    put_fill(&zeroes, 0, 1 << 20);
    assert_outline(&zeroes, "PPDE");
    for (int i = 0; i < 1 << 20; i++) {
        random = random * 1103515245 + 12345;
        put_fill(&bytes, (uint8_t)(random >> 24), 1);
    }
    char text[4096];
    const char *seen = outline(open_bytes(&bytes), text, sizeof(text));
    assert_true(strncmp(seen, "PP", 2) == 0 && strstr(seen, "DE"));
    buf_free(&zeroes);
    buf_free(&bytes);
}

static struct buf packets_ng(size_t count, bool big)
{
    struct buf bytes = buf_new(LIMIT);
    put_section(&bytes, big);
    put_interface(&bytes, 1, 0, NULL, 0, big);
    for (size_t i = 0; i < count; i++) put_packet(&bytes, 0, (uint64_t)NOW * 1000000 + i, 60, 60, (uint8_t)i, big);
    return bytes;
}

static void behind_a_damaged_block_reading_goes_on(void **state)
{
    (void)state;
    static const struct {
        size_t at; /* in the third packet's block */
        uint8_t value;
        uint64_t skipped;
    } damages[] = {{4, 0x41, 92}, {7, 0x40, 92}, {88, 1, 92}, {8, 5, 92}, {20, 0xff, 92}, {4, 0, 92}};
    for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
        struct buf bytes = packets_ng(6, false);
        bytes.data[28 + 20 + 2 * 92 + damages[i].at] = (char)damages[i].value;
        struct savefile *file = open_bytes(&bytes);
        struct savefile_packet packet;
        for (int n = 0; n < 2; n++) assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
        assert_int_equal(savefile_next(file, &packet), SAVEFILE_DAMAGED);
        assert_int_equal(savefile_damage(file)->number, 3);
        assert_int_equal(savefile_damage(file)->offset, 28 + 20 + 2 * 92);
        assert_int_equal(savefile_damage(file)->skipped, damages[i].skipped);
        assert_true(savefile_damage(file)->resumed);
        for (int n = 3; n < 6; n++) {
            assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
            assert_int_equal(packet.bytes[0], n);
        }
        assert_int_equal(savefile_next(file, &packet), SAVEFILE_END);
        savefile_close(file);
        buf_free(&bytes);
    }
}

static void behind_the_last_block_nothing_is_resumed(void **state)
{
    (void)state;
    struct buf bytes = packets_ng(3, false);
    bytes.data[28 + 20 + 2 * 92 + 8] = 5; /* of an interface that is not described */
    struct savefile *file = open_bytes(&bytes);
    struct savefile_packet packet;
    for (int n = 0; n < 2; n++) assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
    assert_int_equal(savefile_next(file, &packet), SAVEFILE_DAMAGED);
    assert_int_equal(savefile_damage(file)->skipped, 92);
    assert_false(savefile_damage(file)->resumed);
    assert_int_equal(savefile_next(file, &packet), SAVEFILE_END);
    savefile_close(file);
    buf_free(&bytes);
}

static void a_cut_pcapng_gives_all_packets_before_the_cut(void **state)
{
    (void)state;
    struct buf bytes = packets_ng(2, true);
    for (size_t length = 28; length <= bytes.length; length++) {
        struct buf cut = {.data = bytes.data, .length = length};
        const char *expected = length == 28 || length == 48 ? "E"
                               : length < 48 + 92           ? "DE"
                               : length == 48 + 92          ? "PE"
                               : length < bytes.length      ? "PDE"
                                                            : "PPE";
        assert_outline(&cut, expected);
    }
    buf_free(&bytes);
}

static void nothing_behind_the_last_byte_is_looked_at(void **state)
{
    (void)state;
    struct buf files[] = {two_packets(MICRO, false), two_packets(MODIFIED, true), packets_ng(2, false), packets_ng(2, true)};
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        for (size_t length = 0; length <= files[i].length; length++) {
            struct guard guard = guard_new(files[i].data, length);
            struct savefile *file;
            struct savefile_packet packets[3];
            size_t count, given = 0;
            if (savefile_open_memory(&file, "memory", guard.bytes, guard.length, NULL) == 0) {
                enum savefile_result result;
                while ((result = savefile_batch(file, packets, 3, &count)) != SAVEFILE_END) {
                    given += count;
                    for (size_t n = 0; n < count; n++)
                        for (size_t at = 0; at < packets[n].captured; at++) assert_in_range(packets[n].bytes[at], 0, 1);
                }
                savefile_close(file);
            } else
                assert_true(length < 28);
            if (length == files[i].length) assert_int_equal(given, 2);
            guard_free(&guard);
        }
        /* And with a length that points behind it, at every place where one may be. */
        for (size_t at = 0; at + 4 <= files[i].length; at++) {
            static const uint8_t lies[][4] = {
                {0xff, 0xff, 0xff, 0xff}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0x7f, 0, 0, 0}, {0, 0, 0, 0x7f}};
            for (size_t lie = 0; lie < 5; lie++) {
                struct guard guard = guard_new(files[i].data, files[i].length);
                struct savefile *file;
                char text[64];
                memcpy(guard.bytes + at, lies[lie], 4);
                if (savefile_open_memory(&file, "memory", guard.bytes, guard.length, NULL) == 0) outline(file, text, sizeof(text));
                guard_free(&guard);
            }
        }
        buf_free(&files[i]);
    }
}

static void a_huge_block_is_passed_over_without_being_held(void **state)
{
    (void)state;
    struct buf bytes = packets_ng(1, false), tail = buf_new(LIMIT);
    const uint32_t length = 17 << 20;
    put_u32(&bytes, 0xbad, false);
    put_u32(&bytes, length, false);
    put_fill(&bytes, 0, length - 12);
    size_t trailer = bytes.length;
    put_u32(&bytes, length, false);
    put_packet(&bytes, 0, 1, 4, 4, 9, false);
    assert_outline(&bytes, "PPE");
    bytes.data[trailer] ^= 1;
    assert_outline(&bytes, "PDPE"); /* found again behind it */
    struct buf cut = {.data = bytes.data, .length = trailer};
    assert_outline(&cut, "PDE");
    buf_free(&tail);
    buf_free(&bytes);
}

static void packets_larger_than_the_window_are_whole(void **state)
{
    (void)state;
    struct buf bytes = packets_ng(1, false);
    put_packet(&bytes, 0, 1, 3 << 20, 3 << 20, 0x77, false);
    put_packet(&bytes, 0, 2, 10, 10, 0x78, false);
    struct savefile *file = open_bytes(&bytes);
    struct savefile_packet packet;
    assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
    assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
    assert_int_equal(packet.captured, 3 << 20);
    for (size_t i = 0; i < packet.captured; i++)
        if (packet.bytes[i] != 0x77) fail_msg("byte %zu", i);
    assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
    assert_int_equal(packet.bytes[9], 0x78);
    savefile_close(file);
    buf_free(&bytes);
}

static void a_packet_without_a_time_has_that_of_the_one_before(void **state)
{
    (void)state;
    struct buf bytes = packets_ng(1, false);
    struct savefile_packet packet;
    put_block(&bytes, 3, "\4\0\0\0abcd", 8, false);
    struct savefile *file = open_bytes(&bytes);
    assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
    assert_false(packet.untimed);
    assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
    assert_true(packet.untimed);
    assert_int_equal(packet.t_ns, (int64_t)NOW * SECOND);
    savefile_close(file);
    buf_free(&bytes);
}

static struct buf pack_gzip(const void *bytes, size_t length)
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

static void put_option(struct buf *buf, uint16_t code, const char *value, size_t length, bool big)
{
    put_u16(buf, code, big);
    put_u16(buf, (uint16_t)length, big);
    if (buf_append(buf, value, length)) abort();
    put_fill(buf, 0, -length % 4);
}

/* A section, an interface and a packet of one byte, each with comments, and statistics that count drops. */
static struct buf commented(bool big)
{
    struct buf bytes = buf_new(LIMIT), content = buf_new(LIMIT);
    put_u32(&content, 0x1a2b3c4d, big);
    put_u16(&content, 1, big);
    put_u16(&content, 0, big);
    put_fill(&content, 0xff, 8);
    put_option(&content, 1, "whole", 5, big);
    put_block(&bytes, 0x0a0d0d0a, content.data, content.length, big);
    buf_clear(&content);
    put_option(&content, 1, "unnamed", 7, big);
    put_interface(&bytes, 1, 0, content.data, content.length, big);
    put_block(&bytes, 9, "MESSAGE=hi\n\0", 12, big);
    put_block(&bytes, 0x777, "", 0, big);
    buf_clear(&content);
    for (int i = 0; i < 3; i++) put_u32(&content, 0, big);
    put_u32(&content, 1, big);
    put_u32(&content, 1, big);
    put_fill(&content, 0x55, 1);
    put_fill(&content, 0, 3);
    put_option(&content, 1, "first", 5, big);
    put_option(&content, 2, "\0\0\0\1", 4, big);
    put_option(&content, 1, "cut\0off", 7, big);
    put_block(&bytes, 6, content.data, content.length, big);
    for (char drops = 2; drops < 4; drops++) { /* the count goes on */
        buf_clear(&content);
        for (int i = 0; i < 3; i++) put_u32(&content, 0, big);
        const char little[8] = {drops}, great[8] = {[7] = drops};
        put_option(&content, 5, big ? great : little, 8, big);
        put_option(&content, 7, big ? great : little, 8, big);
        put_block(&bytes, 5, content.data, content.length, big);
    }
    buf_free(&content);
    return bytes;
}

static void what_stands_beside_the_packets_is_kept_and_counted(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct buf bytes = commented(big);
        struct guard guard = guard_new(bytes.data, bytes.length);
        struct savefile *file;
        struct savefile_packet packet;
        const char *text;
        size_t at = 0, length;
        assert_int_equal(savefile_open_memory(&file, "memory", guard.bytes, guard.length, NULL), 0);
        assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
        assert_true(savefile_comment(&packet, &at, &text, &length));
        assert_int_equal(length, 5);
        assert_memory_equal(text, "first", 5);
        assert_true(savefile_comment(&packet, &at, &text, &length));
        assert_int_equal(length, 3);
        assert_false(savefile_comment(&packet, &at, &text, &length));
        assert_int_equal(savefile_next(file, &packet), SAVEFILE_END);
        const struct savefile_beside *beside = savefile_beside(file);
        assert_int_equal(beside->journal, 1);
        assert_int_equal(beside->unknown, 1);
        assert_int_equal(beside->names + beside->secrets + beside->custom, 0);
        assert_int_equal(beside->dropped, 6);
        assert_int_equal(beside->comment_count, 2);
        assert_string_equal(beside->comments[0], "the capture: whole");
        assert_string_equal(beside->comments[1], "interface 0: unnamed");
        savefile_close(file);
        guard_free(&guard);
        buf_free(&bytes);
    }
}

static void of_many_comments_of_a_capture_the_first_are_kept(void **state)
{
    (void)state;
    struct buf bytes = buf_new(8 << 20), options = buf_new(LIMIT), longest = buf_new(LIMIT);
    put_fill(&longest, 'x', 65535);
    put_option(&options, 1, longest.data, longest.length, false);
    put_section(&bytes, false);
    for (int i = 0; i < 40; i++) put_interface(&bytes, 1, 0, options.data, options.length, false);
    struct savefile *file;
    struct savefile_packet packet;
    assert_int_equal(savefile_open_memory(&file, "memory", bytes.data, bytes.length, NULL), 0);
    assert_int_equal(savefile_next(file, &packet), SAVEFILE_END);
    assert_int_equal(savefile_beside(file)->comment_count, 32);
    assert_int_equal(savefile_beside(file)->comments_left_out, 8);
    assert_true(strlen(savefile_beside(file)->comments[0]) < 1100);
    savefile_close(file);
    buf_free(&bytes);
    buf_free(&options);
    buf_free(&longest);
}

static void standard_input_can_have_been_begun(void **state)
{
    (void)state;
    for (int packed = 0; packed < 2; packed++) {
        struct buf plain = two_packets(NANO, false),
                   bytes = packed ? pack_gzip(plain.data, plain.length) : two_packets(NANO, false);
        int fds[2], before = dup(STDIN_FILENO);
        struct savefile *file;
        struct savefile_packet packet;
        const struct savefile_options options = {.head = bytes.data, .head_bytes = 9};
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        dup2(fds[0], STDIN_FILENO);
        close(fds[0]);
        assert_int_equal(write(fds[1], bytes.data + 9, bytes.length - 9), bytes.length - 9);
        close(fds[1]);
        assert_int_equal(savefile_open(&file, "-", &options, NULL), 0);
        assert_string_equal(savefile_name(file), "standard input");
        assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
        assert_int_equal(packet.t_ns, (int64_t)NOW * SECOND + 123456);
        assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
        assert_int_equal(savefile_next(file, &packet), SAVEFILE_END);
        savefile_close(file);
        assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
        if (before >= 0) {
            dup2(before, STDIN_FILENO);
            close(before);
        }
        buf_free(&bytes);
        buf_free(&plain);
    }
}

static void a_file_that_shrinks_while_it_is_read_ends_early(void **state)
{
    (void)state;
    struct buf bytes = packets_ng(40000, false);
    char path[32];
    struct savefile *file;
    struct savefile_packet packet;
    uint64_t given = 0;
    enum savefile_result result;
    int fd = file_of(bytes.data, bytes.length, path);
    assert_int_equal(savefile_open(&file, path, NULL, NULL), 0);
    assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
    assert_int_equal(ftruncate(fd, 1 << 20), 0);
    while ((result = savefile_next(file, &packet)) == SAVEFILE_PACKET) given++;
    assert_int_equal(result, SAVEFILE_DAMAGED);
    assert_int_equal(savefile_next(file, &packet), SAVEFILE_END);
    assert_true(given > 5000 && given < 20000);
    savefile_close(file);
    close(fd);
    buf_free(&bytes);
}

static void a_batch_gives_the_same_packets_all_at_once(void **state)
{
    (void)state;
    for (int ng = 0; ng < 2; ng++) {
        struct buf bytes = ng ? packets_ng(30000, true) : buf_new(LIMIT);
        if (!ng) put_pcap(&bytes, MICRO, 2, 4, 1, true);
        for (size_t i = 0; i < 30000 && !ng; i++) put_record(&bytes, NOW, 0, 60, 60, (uint8_t)i, true);
        put_fill(&bytes, 0xee, 20); /* and damage at the end */
        struct savefile *file = open_bytes(&bytes);
        struct savefile_packet packets[32];
        size_t count, given = 0;
        enum savefile_result result;
        while ((result = savefile_batch(file, packets, 32, &count)) == SAVEFILE_PACKET) {
            assert_in_range(count, 1, 32);
            for (size_t i = 0; i < count; i++) {
                assert_int_equal(packets[i].bytes[59], (uint8_t)given);
                assert_int_equal(packets[i].number, ++given);
            }
        }
        assert_int_equal(count, 0);
        assert_int_equal(given, 30000);
        assert_int_equal(result, SAVEFILE_DAMAGED);
        assert_int_equal(savefile_batch(file, packets, 32, &count), SAVEFILE_END);
        savefile_close(file);
        buf_free(&bytes);
    }
}

static void a_batch_reads_no_block_twice(void **state)
{
    (void)state;
    struct buf bytes = packets_ng(2, false);
    struct savefile_packet packets[8];
    size_t count;
    put_interface(&bytes, 12, 0, "\t\0\377\377", 4, false); /* an option that ends behind it */
    put_interface(&bytes, 113, 0, NULL, 0, false);
    put_packet(&bytes, 2, 1, 4, 4, 0, false);
    struct savefile *file = open_bytes(&bytes);
    assert_int_equal(savefile_batch(file, packets, 8, &count), SAVEFILE_PACKET);
    assert_int_equal(count, 2);
    assert_int_equal(savefile_batch(file, packets, 8, &count), SAVEFILE_DAMAGED);
    assert_int_equal(savefile_batch(file, packets, 8, &count), SAVEFILE_PACKET);
    assert_int_equal(packets[0].link_type, 113);
    assert_int_equal(packets[0].interface, 2);
    savefile_close(file);
    buf_free(&bytes);
}

static void a_chain_reads_its_files_as_one(void **state)
{
    (void)state;
    struct buf first = two_packets(MICRO, false), second = packets_ng(2, true), third = two_packets(NANO, true);
    char paths[3][32];
    int fds[3] = {file_of(first.data, first.length, paths[0]), file_of(second.data, second.length, paths[1]),
                  file_of(third.data, third.length, paths[2])};
    const char *const names[] = {paths[0], "/nonexistent", paths[1], "/", paths[2]};
    struct savefile *file;
    struct savefile_packet packets[8];
    struct err err;
    size_t count;
    assert_int_equal(savefile_chain(&file, names, 5, NULL, &err), 0);
    assert_int_equal(savefile_batch(file, packets, 8, &count), SAVEFILE_PACKET);
    assert_int_equal(count, 2);
    assert_string_equal(savefile_name(file), paths[0]);
    assert_int_equal(savefile_batch(file, packets, 8, &count), SAVEFILE_DAMAGED);
    savefile_damage_say(file, &err);
    assert_string_equal(err.text, "/nonexistent can't be read: No such file or directory");
    assert_int_equal(savefile_batch(file, packets, 8, &count), SAVEFILE_PACKET);
    assert_int_equal(count, 2);
    assert_int_equal(packets[0].number, 3);
    assert_int_equal(packets[0].interface, 1);
    assert_int_equal(savefile_interface(file, 1)->link_type, DLT_EN10MB);
    assert_null(savefile_interface(file, 0));
    assert_string_equal(savefile_name(file), paths[1]);
    assert_int_equal(savefile_batch(file, packets, 8, &count), SAVEFILE_DAMAGED);
    savefile_damage_say(file, &err);
    assert_string_equal(err.text, "/ can't be read: it is a directory");
    assert_int_equal(savefile_next(file, packets), SAVEFILE_PACKET);
    assert_int_equal(packets[0].number, 5);
    assert_int_equal(packets[0].interface, 2);
    assert_int_equal(packets[0].t_ns, (int64_t)NOW * SECOND + 123456);
    assert_int_equal(savefile_next(file, packets), SAVEFILE_PACKET);
    assert_int_equal(savefile_next(file, packets), SAVEFILE_END);
    uint64_t done, total;
    savefile_progress(file, &done, &total);
    assert_int_equal(total, first.length + second.length + third.length);
    assert_int_equal(done, total);
    savefile_close(file);
    assert_int_equal(savefile_chain(&file, names + 1, 2, NULL, &err), -ENOENT); /* the first has to open */
    for (int i = 0; i < 3; i++) close(fds[i]);
    buf_free(&first);
    buf_free(&second);
    buf_free(&third);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_variant_of_pcap_is_read_in_both_byte_orders),
        cmocka_unit_test(old_versions_have_their_lengths_the_other_way_round),
        cmocka_unit_test(link_types_are_those_that_libpcap_says),
        cmocka_unit_test(what_is_no_capture_is_refused_by_what_it_is),
        cmocka_unit_test(a_cut_pcap_gives_all_packets_before_the_cut),
        cmocka_unit_test(behind_a_damaged_record_reading_goes_on),
        cmocka_unit_test(what_follows_damage_at_the_end_needs_its_proof),
        cmocka_unit_test(no_packet_is_longer_than_packets_can_be),
        cmocka_unit_test(garbage_is_searched_once_and_ends),
        cmocka_unit_test(behind_a_damaged_block_reading_goes_on),
        cmocka_unit_test(behind_the_last_block_nothing_is_resumed),
        cmocka_unit_test(a_cut_pcapng_gives_all_packets_before_the_cut),
        cmocka_unit_test(nothing_behind_the_last_byte_is_looked_at),
        cmocka_unit_test(a_huge_block_is_passed_over_without_being_held),
        cmocka_unit_test(packets_larger_than_the_window_are_whole),
        cmocka_unit_test(a_packet_without_a_time_has_that_of_the_one_before),
        cmocka_unit_test(compressed_captures_are_read_as_plain_ones),
        cmocka_unit_test(cut_compression_gives_what_can_be_unpacked_and_says_so),
        cmocka_unit_test(damaged_compression_is_told_and_ends),
        cmocka_unit_test(a_gzip_file_padded_with_zeroes_is_whole),
        cmocka_unit_test(packets_of_a_pipe_come_as_soon_as_they_are_written),
        cmocka_unit_test(unpacked_packets_of_a_pipe_do_not_wait_for_more_either),
        cmocka_unit_test(what_the_decompressor_holds_back_comes_before_more_is_read),
        cmocka_unit_test(a_signal_that_asks_for_it_ends_a_pipe),
        cmocka_unit_test(standard_input_can_have_been_begun),
        cmocka_unit_test(what_stands_beside_the_packets_is_kept_and_counted),
        cmocka_unit_test(of_many_comments_of_a_capture_the_first_are_kept),
        cmocka_unit_test(a_file_that_shrinks_while_it_is_read_ends_early),
        cmocka_unit_test(a_batch_gives_the_same_packets_all_at_once),
        cmocka_unit_test(a_batch_reads_no_block_twice),
        cmocka_unit_test(a_chain_reads_its_files_as_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
