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
#include "savefile_own.h"
#include "support/captures.h"
#include "support/guard.h"

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
    refused("<", 1, "XML");
    refused("\n\r\r\n", 4, "section header of pcapng: 4 of its 12 bytes");
    refused("\xd4\xc3\xb2\xa1", 4, "file header of pcap: 4 of its 24 bytes");
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
        cmocka_unit_test(a_record_is_likely_by_its_time_and_lengths),
        cmocka_unit_test(a_record_is_no_longer_than_the_file_says),
        cmocka_unit_test(before_the_first_record_any_time_but_0_is_likely),
        cmocka_unit_test(a_record_beyond_the_end_is_cut_where_it_is_likely),
        cmocka_unit_test(a_block_is_found_again_up_to_a_mebibyte),
        cmocka_unit_test(behind_a_damaged_block_reading_goes_on),
        cmocka_unit_test(behind_the_last_block_nothing_is_resumed),
        cmocka_unit_test(a_cut_pcapng_gives_all_packets_before_the_cut),
        cmocka_unit_test(nothing_behind_the_last_byte_is_looked_at),
        cmocka_unit_test(a_huge_block_is_passed_over_without_being_held),
        cmocka_unit_test(packets_larger_than_the_window_are_whole),
        cmocka_unit_test(a_packet_without_a_time_has_that_of_the_one_before),
        cmocka_unit_test(which_way_a_packet_went_its_flags_say),
        cmocka_unit_test(standard_input_can_have_been_begun),
        cmocka_unit_test(what_is_not_a_file_from_its_beginning_is_not_looked_ahead_in),
        cmocka_unit_test(what_stands_beside_the_packets_is_kept_and_counted),
        cmocka_unit_test(of_many_comments_of_a_capture_the_first_are_kept),
        cmocka_unit_test(a_file_that_shrinks_while_it_is_read_ends_early),
        cmocka_unit_test(a_batch_gives_the_same_packets_all_at_once),
        cmocka_unit_test(a_batch_reads_no_block_twice),
        cmocka_unit_test(a_chain_reads_its_files_as_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
