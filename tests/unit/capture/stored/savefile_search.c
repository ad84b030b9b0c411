/* What a record or block must be like to be taken for one again behind damage: each bound from inside and from outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/stored/savefile.h"
#include "savefile_own.h"
#include "support/captures.h"

enum { DAYS_30 = 30 * 24 * 3600 };

/* How many packets are found behind damage where the first of four records is like this, and all are whole. */
static size_t found_behind_damage(uint32_t magic, uint32_t s, uint32_t fraction, uint32_t captured, uint32_t wire)
{
    struct buf bytes = buf_new(LIMIT);
    char text[64];
    put_pcap(&bytes, magic, 2, 4, 1, false);
    put_record(&bytes, NOW, 0, 60, 60, 0xaa, false);
    put_fill(&bytes, 0xff, 16);
    put_record(&bytes, s, fraction, captured, wire, 0xaa, false);
    for (uint32_t n = 0; n < 4; n++) put_record(&bytes, NOW, n, 60, 60, 0xaa, false);
    outline(open_bytes(&bytes), text, sizeof(text));
    buf_free(&bytes);
    assert_true(strncmp(text, "PD", 2) == 0);
    return strspn(text + 2, "P") - 4;
}

void a_record_is_likely_by_its_time_and_lengths(void **state)
{
    (void)state;
    static const struct {
        uint32_t magic, s, fraction, captured, wire;
        size_t found;
    } cases[] = {
        {0xa1b2c3d4, NOW, 999999, 60, 60, 1},
        {0xa1b2c3d4, NOW, 1000000, 60, 60, 0},
        {0xa1b23c4d, NOW, 999999999, 60, 60, 1},
        {0xa1b23c4d, NOW, 1000000000, 60, 60, 0},
        {0xa1b2c3d4, NOW + DAYS_30, 0, 60, 60, 1},
        {0xa1b2c3d4, NOW + DAYS_30 + 1, 0, 60, 60, 0},
        {0xa1b2c3d4, NOW - DAYS_30, 0, 60, 60, 1},
        {0xa1b2c3d4, NOW - DAYS_30 - 1, 0, 60, 60, 0},
        {0xa1b2c3d4, NOW, 0, 60, 1 << 24, 1},
        {0xa1b2c3d4, NOW, 0, 60, (1 << 24) + 1, 0},
        {0xa1b2c3d4, NOW, 0, 60, 59, 0},
        {0xa1b2c3d4, NOW, 0, 1, 1, 1},
        {0xa1b2c3d4, NOW, 0, 0, 60, 0},
        {0xa1b2c3d4, NOW, 0, 262144, 262144, 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t found = found_behind_damage(cases[i].magic, cases[i].s, cases[i].fraction, cases[i].captured, cases[i].wire);
        if (found != cases[i].found) fail_msg("case %zu: %zu", i, found);
    }
}

/* No packet is longer than the file's own header says, which a damaged one may not say at all. */
void a_record_is_no_longer_than_the_file_says(void **state)
{
    (void)state;
    static const struct {
        uint32_t snap, captured;
        const char *outline;
    } cases[] = {{100, 100, "PDPPPPE"}, {100, 101, "PDPPPE"}, {0, 101, "PDPPPPE"}, {0x7fffffff, 101, "PDPPPPE"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf bytes = buf_new(LIMIT), snap = buf_new(8);
        put_pcap(&bytes, MICRO, 2, 4, 1, false);
        put_u32(&snap, cases[i].snap, false);
        memcpy(bytes.data + 16, snap.data, 4);
        put_record(&bytes, NOW, 0, 60, 60, 0xaa, false);
        put_fill(&bytes, 0xff, 16);
        put_record(&bytes, NOW, 0, cases[i].captured, cases[i].captured, 0xaa, false);
        for (uint32_t n = 0; n < 3; n++) put_record(&bytes, NOW, n, 60, 60, 0xaa, false);
        assert_outline(&bytes, cases[i].outline);
        buf_free(&snap);
        buf_free(&bytes);
    }
}

/* Damage before any record: no time is known to be near to, but 0 is none. */
void before_the_first_record_any_time_but_0_is_likely(void **state)
{
    (void)state;
    for (uint32_t s = 0; s < 2; s++) {
        struct buf bytes = buf_new(LIMIT);
        put_pcap(&bytes, MICRO, 2, 4, 1, false);
        put_fill(&bytes, 0xff, 16);
        for (uint32_t n = 0; n < 4; n++) put_record(&bytes, s, n, 60, 60, 0xaa, false);
        assert_outline(&bytes, s ? "DPPPPE" : "DE");
        buf_free(&bytes);
    }
}

/* A length that reaches beyond the end: of a record that makes sense the file was cut; else the length is what is wrong. */
void a_record_beyond_the_end_is_cut_where_it_is_likely(void **state)
{
    (void)state;
    static const struct {
        uint32_t wire;
        const char *outline;
    } cases[] = {{1000, "PDE"}, {999, "PDPPPPE"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf bytes = buf_new(LIMIT);
        put_pcap(&bytes, MICRO, 2, 4, 1, false);
        put_record(&bytes, NOW, 0, 60, 60, 0xaa, false);
        put_u32(&bytes, NOW, false);
        put_u32(&bytes, 0, false);
        put_u32(&bytes, 1000, false);
        put_u32(&bytes, cases[i].wire, false);
        for (uint32_t n = 0; n < 4; n++) put_record(&bytes, NOW, n, 60, 60, 0xaa, false);
        assert_outline(&bytes, cases[i].outline);
        buf_free(&bytes);
    }
}

/* A block of more than a mebibyte is not believed where blocks are searched for: its length may be what is damaged. */
void a_block_is_found_again_up_to_a_mebibyte(void **state)
{
    (void)state;
    for (uint32_t more = 0; more <= 4; more += 4) {
        struct buf bytes = packets_ng(1, false), content = buf_new(LIMIT);
        struct savefile_packet packet;
        put_fill(&bytes, 0xff, 16);
        put_fill(&content, 0, (1 << 20) - 12 + more);
        put_block(&bytes, 0x0bad, content.data, content.length, false);
        put_packet(&bytes, 0, 1, 4, 4, 9, false);
        struct savefile *file = open_bytes(&bytes);
        assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
        assert_int_equal(savefile_next(file, &packet), SAVEFILE_DAMAGED);
        assert_true(savefile_damage(file)->resumed);
        assert_int_equal(savefile_damage(file)->skipped, more ? 16 + (1 << 20) + more : 16);
        assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
        assert_int_equal(packet.captured, 4);
        savefile_close(file);
        buf_free(&content);
        buf_free(&bytes);
    }
}
