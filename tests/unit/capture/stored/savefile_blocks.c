/* The blocks of pcapng: damaged, cut, huge. */
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

void behind_a_damaged_block_reading_goes_on(void **state)
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

void behind_the_last_block_nothing_is_resumed(void **state)
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

void a_cut_pcapng_gives_all_packets_before_the_cut(void **state)
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

void nothing_behind_the_last_byte_is_looked_at(void **state)
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

void a_huge_block_is_passed_over_without_being_held(void **state)
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

void packets_larger_than_the_window_are_whole(void **state)
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

void a_packet_without_a_time_has_that_of_the_one_before(void **state)
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

/* The lowest two bits of a packet's flags, wherever they stand among its options, in the section's byte order. */
void which_way_a_packet_went_its_flags_say(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t options[24];
        uint32_t length;
        bool swapped;
        enum savefile_way way;
    } cases[] = {
        {"in", {2, 0, 4, 0, 1, 0, 0, 0}, 8, false, SAVEFILE_INCOMING},
        {"out", {2, 0, 4, 0, 2, 0, 0, 0}, 8, false, SAVEFILE_OUTGOING},
        {"neither", {2, 0, 4, 0, 0, 0, 0, 0}, 8, false, SAVEFILE_WAY_UNKNOWN},
        {"both", {2, 0, 4, 0, 3, 0, 0, 0}, 8, false, SAVEFILE_WAY_UNKNOWN},
        {"in, and a broadcast", {2, 0, 4, 0, 13, 0, 0, 0}, 8, false, SAVEFILE_INCOMING},
        {"of the other byte order", {0, 2, 0, 4, 0, 0, 0, 2}, 8, true, SAVEFILE_OUTGOING},
        {"too short", {2, 0, 2, 0, 1, 0, 0, 0}, 8, false, SAVEFILE_WAY_UNKNOWN},
        {"behind a comment", {1, 0, 2, 0, 'h', 'i', 0, 0, 2, 0, 4, 0, 1, 0, 0, 0}, 16, false, SAVEFILE_INCOMING},
        {"behind flags of no such length", {2, 0, 2, 0, 2, 0, 0, 0, 2, 0, 4, 0, 1, 0, 0, 0}, 16, false, SAVEFILE_INCOMING},
        {"another option", {4, 0, 4, 0, 1, 0, 0, 0}, 8, false, SAVEFILE_WAY_UNKNOWN},
        {"none", {0}, 0, false, SAVEFILE_WAY_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct savefile_packet packet = {
            .options = cases[i].options, .options_bytes = cases[i].length, .swapped = cases[i].swapped};
        if (savefile_way(&packet) != cases[i].way) fail_msg("%s", cases[i].name);
    }
}
