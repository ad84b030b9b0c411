/* The reader of pcapng blocks, on bytes that end where memory ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/moment.h"
#include "pcapng/reader.h"
#include "pcapng_own.h"
#include "support/captures.h"
#include "support/guard.h"

/* Feeds the bytes to a reader; returns the result of the first step that is no PCAPNG_BLOCK (or the last step's). */
enum pcapng_result feed(struct pcapng_reader *reader, const struct buf *bytes, size_t *at, struct pcapng_step *step)
{
    enum pcapng_result result = PCAPNG_MORE;
    while (*at < bytes->length) {
        struct guard guard = guard_new(bytes->data + *at, bytes->length - *at);
        result = pcapng_reader_next(reader, guard.bytes, guard.length, step);
        /* The bytes go with the guard: nobody here looks at them behind this. */
        guard_free(&guard);
        if (result != PCAPNG_BLOCK && result != PCAPNG_PACKET) return result;
        *at += step->used;
        if (result == PCAPNG_PACKET) return result;
    }
    return result;
}

static enum pcapng_result feed_all(const struct buf *bytes, struct pcapng_step *step)
{
    struct pcapng_reader *reader = pcapng_reader_new();
    size_t at = 0;
    assert_non_null(reader);
    enum pcapng_result result = feed(reader, bytes, &at, step);
    pcapng_reader_free(reader);
    return result;
}

/* A clock's options: resolution (-1: none), offset (0: none). */
static struct buf clock_options(int resolution, int64_t offset_s, bool big)
{
    struct buf options = buf_new(LIMIT);
    if (resolution >= 0) {
        put_u16(&options, 9, big);
        put_u16(&options, 1, big);
        put_fill(&options, (uint8_t)resolution, 1);
        put_fill(&options, 0, 3);
    }
    if (offset_s) {
        put_u16(&options, 14, big);
        put_u16(&options, 8, big);
        put_u32(&options, (uint32_t)((uint64_t)offset_s >> (big ? 32 : 0)), big);
        put_u32(&options, (uint32_t)((uint64_t)offset_s >> (big ? 0 : 32)), big);
    }
    put_u32(&options, 0, big);
    return options;
}

static void any_clock_is_read_in_nanoseconds(void **state)
{
    (void)state;
    static const struct {
        int resolution;
        int64_t offset_s;
        uint64_t ticks;
        int64_t t_ns;
    } clocks[] = {
        {-1, 0, 1700000000123456, 1700000000123456000},
        {6, 0, 1700000000123456, 1700000000123456000},
        {9, 0, 1700000000123456789, 1700000000123456789},
        {0, 0, 1700000000, 1700000000000000000},
        {3, 0, 1700000000123, 1700000000123000000},
        {12, 0, 1700000000123456789, 1700000000123456},
        {12, 5, 1700, 5000000001},
        {18, 0, UINT64_MAX, 18446744073},
        {127, 0, UINT64_MAX, 0},
        {0x80, 0, 3, 3000000000},
        {0x80 | 10, 0, 1024 + 512, 1500000000},
        {0x80 | 32, 0, 0x6553f10080000000, 1700000000500000000},
        {0x80 | 63, 0, UINT64_C(3) << 62, 1500000000},
        {0x80 | 64, 0, UINT64_C(1) << 63, 500000000},
        {0x80 | 127, 0, UINT64_MAX, 0},
        {6, -3600, 7200000000, 3600000000000},
        {6, 1700000000, 1, 1700000000000001000},
        {6, -5, 0, -5000000000},
        /* What does not fit is clamped, never wrapped. */
        {0, 0, UINT64_MAX, MOMENT_MOST_NS},
        {6, 0, UINT64_MAX, MOMENT_MOST_NS},
        {6, INT64_MAX, 0, MOMENT_MOST_NS},
        {6, INT64_MIN, 0, -MOMENT_MOST_NS},
    };
    for (size_t i = 0; i < 2 * sizeof(clocks) / sizeof(*clocks); i++) {
        size_t n = i / 2;
        bool big = i % 2;
        struct buf bytes = buf_new(LIMIT), options = clock_options(clocks[n].resolution, clocks[n].offset_s, big);
        struct pcapng_step step;
        put_section(&bytes, big);
        put_interface(&bytes, 1, 0, options.data, options.length, big);
        put_packet(&bytes, 0, clocks[n].ticks, 5, 60, 0xab, big);
        assert_int_equal(feed_all(&bytes, &step), PCAPNG_PACKET);
        if (step.packet.t_ns != clocks[n].t_ns)
            fail_msg("clock %zu: %ld instead of %ld", n, (long)step.packet.t_ns, (long)clocks[n].t_ns);
        assert_int_equal(step.packet.captured, 5);
        assert_int_equal(step.packet.wire, 60);
        assert_int_equal(step.packet.link_type, 1);
        assert_false(step.packet.untimed);
        buf_free(&options);
        buf_free(&bytes);
    }
}

static void interfaces_count_over_sections_of_either_byte_order(void **state)
{
    (void)state;
    struct buf bytes = buf_new(LIMIT);
    struct pcapng_reader *reader = pcapng_reader_new();
    struct pcapng_step step;
    size_t at = 0;
    const char name[] = "\2\0\4\0eth7"; /* if_name, little-endian */
    put_section(&bytes, false);
    put_interface(&bytes, 1, 96, name, sizeof(name) - 1, false);
    put_interface(&bytes, 113, 0, NULL, 0, false);
    put_packet(&bytes, 1, 7, 0, 0, 0, false);
    put_section(&bytes, true);
    put_interface(&bytes, 101, 0, NULL, 0, true);
    put_packet(&bytes, 0, 8, 4, 4, 1, true);
    assert_int_equal(feed(reader, &bytes, &at, &step), PCAPNG_PACKET);
    assert_int_equal(step.packet.interface, 1);
    assert_int_equal(step.packet.link_type, 113);
    assert_string_equal(pcapng_reader_interface(reader, 0)->name, "eth7");
    assert_int_equal(pcapng_reader_interface(reader, 0)->snap, 96);
    assert_null(pcapng_reader_interface(reader, 2));
    assert_int_equal(feed(reader, &bytes, &at, &step), PCAPNG_PACKET);
    assert_int_equal(step.packet.interface, 2);
    assert_int_equal(step.packet.link_type, 101);
    assert_int_equal(step.packet.t_ns, 8000);
    assert_null(pcapng_reader_interface(reader, 1)); /* of the section before */
    assert_int_equal(pcapng_reader_interfaces(reader), 3);
    pcapng_reader_free(reader);
    buf_free(&bytes);
}

static void packets_of_the_older_blocks_are_read(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct buf bytes = buf_new(LIMIT), content = buf_new(LIMIT);
        struct pcapng_reader *reader = pcapng_reader_new();
        struct pcapng_step step;
        size_t at = 0;
        put_section(&bytes, big);
        put_interface(&bytes, 1, 6, NULL, 0, big);
        put_u16(&content, 0, big); /* interface */
        put_u16(&content, 9, big); /* drops */
        put_u32(&content, 0, big);
        put_u32(&content, 77, big);
        put_u32(&content, 3, big);
        put_u32(&content, 90, big);
        put_fill(&content, 0xcd, 4);
        put_block(&bytes, PCAPNG_OLD_PACKET, content.data, content.length, big);
        buf_clear(&content);
        put_u32(&content, 50, big); /* a simple packet: cut to the interface's 6 bytes */
        put_fill(&content, 0xef, 8);
        put_block(&bytes, PCAPNG_SIMPLE_PACKET, content.data, content.length, big);
        assert_int_equal(feed(reader, &bytes, &at, &step), PCAPNG_PACKET);
        assert_int_equal(step.packet.t_ns, 77000);
        assert_int_equal(step.packet.captured, 3);
        assert_int_equal(step.packet.wire, 90);
        assert_int_equal(feed(reader, &bytes, &at, &step), PCAPNG_PACKET);
        assert_true(step.packet.untimed);
        assert_int_equal(step.packet.captured, 6);
        assert_int_equal(step.packet.wire, 50);
        assert_int_equal(at, bytes.length);
        pcapng_reader_free(reader);
        buf_free(&content);
        buf_free(&bytes);
    }
}

static void blocks_of_no_interest_are_passed_over(void **state)
{
    (void)state;
    struct buf bytes = buf_new(LIMIT);
    struct pcapng_step step;
    put_section(&bytes, false);
    put_block(&bytes, PCAPNG_NAME_RESOLUTION, "\0\0\0\0", 4, false);
    put_block(&bytes, 0x7fffffff, "whatever", 8, false);
    put_block(&bytes, 0, NULL, 0, false);
    assert_int_equal(feed_all(&bytes, &step), PCAPNG_BLOCK);
    put_u32(&bytes, PCAPNG_CUSTOM, false);
    put_u32(&bytes, 0xfffffff0, false);
    put_u32(&bytes, 0, false);
    assert_int_equal(feed_all(&bytes, &step), PCAPNG_BLOCK);
    assert_true(step.unchecked);
    assert_true(step.used == 0xfffffff0);
    buf_free(&bytes);
}

/* The bytes behind a section and one interface; whether reading goes on behind the block; a word of the sentence. */
static void damage_of_a_block_is_told(void **state)
{
    (void)state;
    static const struct {
        uint32_t words[9];
        size_t count;
        bool goes_on;
        const char *text;
    } cases[] = {
        {{6, 36, 7, 0, 0, 0, 0, 0, 36}, 9, true, "is of interface 7, and the section has described only 1"},
        {{6, 36, 0, 0, 0, 5, 5, 0, 36}, 9, true, "claims 5 captured bytes, and its block has room for 4"},
        {{6, 36, 0, 0, 0, 0xfffffffe, 5, 0, 36}, 9, true, "claims 4294967294 captured bytes"},
        {{6, 28, 0, 0, 0, 0, 28}, 7, true, "only 28 bytes long"},
        {{3, 12, 12}, 3, true, "only 12 bytes long"},
        {{3, 16, 1, 16}, 4, true, "claims 1 captured bytes, and its block has room for 0"},
        {{1, 16, 0, 16}, 4, true, "only 16 bytes long"},
        {{1, 24, 1, 0, 0x00020009, 24}, 6, true, "interface 1: one of its options ends behind it"},
        {{1, 28, 1, 0, 0x00020009, 0, 28}, 7, true, "interface 1: its clock's resolution (if_tsresol) is not one byte"},
        {{1, 28, 1, 0, 0x0004000e, 0, 28}, 7, true, "interface 1: its clock's offset (if_tsoffset) is not eight bytes"},
        {{6, 36, 0, 0, 0, 0, 0, 0, 40}, 9, false, "36 bytes long at its beginning and 40 at its end"},
        {{6, 8, 8}, 3, false, "claims a length of 8 bytes"},
        {{6, 0, 0}, 3, false, "claims a length of 0 bytes"},
        {{6, 0x80000000, 0}, 3, false, "claims a length of 2147483648 bytes, more than 16777216"},
        {{0x0a0d0d0a, 28, 0x12345678, 1, 0, 0, 28}, 7, false, "byte-order magic is 0x12345678"},
        {{0x0a0d0d0a, 24, 0x1a2b3c4d, 1, 0, 24}, 6, false, "claims a length of 24 bytes"},
        {{0x0a0d0d0a, 28, 0x1a2b3c4d, 2, 0, 0, 28}, 7, true, "version 2.0"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct buf bytes = buf_new(LIMIT);
        struct pcapng_reader *reader = pcapng_reader_new();
        struct pcapng_step step;
        size_t at = 0;
        put_section(&bytes, false);
        put_interface(&bytes, 1, 0, NULL, 0, false);
        size_t before = bytes.length;
        for (size_t word = 0; word < cases[i].count; word++) put_u32(&bytes, cases[i].words[word], false);
        assert_int_equal(feed(reader, &bytes, &at, &step), PCAPNG_DAMAGED);
        assert_int_equal(at, before);
        if (!strstr(step.text, cases[i].text)) fail_msg("case %zu: '%s'", i, step.text);
        assert_int_equal(step.used, cases[i].goes_on ? cases[i].count * 4 : 0);
        pcapng_reader_free(reader);
        buf_free(&bytes);
    }
}

static void an_interface_with_a_damaged_option_still_counts(void **state)
{
    (void)state;
    struct buf bytes = buf_new(LIMIT);
    struct pcapng_reader *reader = pcapng_reader_new();
    struct pcapng_step step;
    size_t at = 0;
    put_section(&bytes, false);
    put_interface(&bytes, 1, 0, "\t\0\377\377", 4, false);
    put_interface(&bytes, 113, 0, NULL, 0, false);
    put_packet(&bytes, 1, 1, 0, 0, 0, false);
    assert_int_equal(feed(reader, &bytes, &at, &step), PCAPNG_DAMAGED);
    at += step.used;
    assert_int_equal(feed(reader, &bytes, &at, &step), PCAPNG_PACKET);
    assert_int_equal(step.packet.link_type, 113);
    pcapng_reader_free(reader);
    buf_free(&bytes);
}

static void a_section_of_an_unknown_version_is_passed_over_whole(void **state)
{
    (void)state;
    struct buf bytes = buf_new(LIMIT);
    struct pcapng_reader *reader = pcapng_reader_new();
    struct pcapng_step step;
    size_t at = 0;
    put_block(&bytes, 0x0a0d0d0a, "\x4d\x3c\x2b\x1a\x09\0\0\0\0\0\0\0\0\0\0\0", 16, false);
    put_packet(&bytes, 0, 1, 0, 0, 0, false);
    put_section(&bytes, false);
    put_interface(&bytes, 1, 0, NULL, 0, false);
    put_packet(&bytes, 0, 5, 0, 0, 0, false);
    assert_int_equal(feed(reader, &bytes, &at, &step), PCAPNG_DAMAGED);
    at += step.used;
    assert_int_equal(feed(reader, &bytes, &at, &step), PCAPNG_PACKET);
    assert_int_equal(step.packet.t_ns, 5000);
    assert_int_equal(at, bytes.length);
    pcapng_reader_free(reader);
    buf_free(&bytes);
}

static void a_file_has_to_begin_with_a_section(void **state)
{
    (void)state;
    struct buf bytes = buf_new(LIMIT);
    struct pcapng_step step;
    put_interface(&bytes, 1, 0, NULL, 0, false);
    assert_int_equal(feed_all(&bytes, &step), PCAPNG_DAMAGED);
    assert_int_equal(step.used, 0);
    assert_non_null(strstr(step.text, "where a section header has to"));
    buf_free(&bytes);
}

static void a_length_without_its_padding_is_understood(void **state)
{
    (void)state;
    struct buf bytes = buf_new(LIMIT);
    struct pcapng_step step;
    put_section(&bytes, false);
    put_interface(&bytes, 1, 0, NULL, 0, false);
    put_packet(&bytes, 0, 5, 3, 3, 0, false);
    bytes.data[bytes.length - 4] = bytes.data[bytes.length - 36 + 4] = 35; /* 36 with the byte of padding */
    assert_int_equal(feed_all(&bytes, &step), PCAPNG_PACKET);
    assert_int_equal(step.packet.captured, 3);
    assert_int_equal(step.used, 36);
    buf_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_clock_is_read_in_nanoseconds),
        cmocka_unit_test(interfaces_count_over_sections_of_either_byte_order),
        cmocka_unit_test(packets_of_the_older_blocks_are_read),
        cmocka_unit_test(blocks_of_no_interest_are_passed_over),
        cmocka_unit_test(damage_of_a_block_is_told),
        cmocka_unit_test(an_interface_with_a_damaged_option_still_counts),
        cmocka_unit_test(a_section_of_an_unknown_version_is_passed_over_whole),
        cmocka_unit_test(a_file_has_to_begin_with_a_section),
        cmocka_unit_test(a_length_without_its_padding_is_understood),
        cmocka_unit_test(every_cut_asks_for_more_and_reads_nothing_behind_it),
        cmocka_unit_test(only_where_both_lengths_agree_a_block_is_believed),
        cmocka_unit_test(a_section_describes_no_more_interfaces_than_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
