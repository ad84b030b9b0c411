/* Cuts and lies: nothing behind the last byte is read. */
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

void every_cut_asks_for_more_and_reads_nothing_behind_it(void **state)
{
    (void)state;
    struct buf bytes = buf_new(LIMIT);
    put_section(&bytes, true);
    put_interface(&bytes, 1, 0, "\0\2\0\3abc\0\0\t\0\1\6\0\0\0", 16, true);
    put_packet(&bytes, 0, 5, 7, 7, 0, true);
    put_block(&bytes, PCAPNG_SIMPLE_PACKET, "\0\0\0\3abc", 8, true);
    for (size_t length = 0; length < bytes.length; length++) {
        struct pcapng_reader *reader = pcapng_reader_new();
        struct guard guard = guard_new(bytes.data, length);
        struct pcapng_step step;
        size_t at = 0;
        enum pcapng_result result;
        while ((result = pcapng_reader_next(reader, guard.bytes + at, length - at, &step)) == PCAPNG_BLOCK ||
               result == PCAPNG_PACKET)
            at += step.used;
        assert_int_equal(result, PCAPNG_MORE);
        assert_true(step.need > length - at);
        for (size_t from = 0; from < length; from++) {
            size_t need = 0;
            enum pcapng_likeness likeness = pcapng_reader_like(reader, guard.bytes + from, length - from, 1 << 20, &need);
            if (likeness == PCAPNG_UNDECIDED) assert_true(need > length - from);
        }
        guard_free(&guard);
        pcapng_reader_free(reader);
    }
    buf_free(&bytes);
}

void only_where_both_lengths_agree_a_block_is_believed(void **state)
{
    (void)state;
    struct buf bytes = buf_new(LIMIT);
    size_t need;
    put_packet(&bytes, 0, 5, 7, 7, 0, false);
    const uint8_t *data = (const uint8_t *)bytes.data;
    assert_int_equal(pcapng_block_like(data, bytes.length, false, LIMIT, &need), PCAPNG_LIKE);
    assert_int_equal(pcapng_block_like(data, bytes.length, true, LIMIT, &need), PCAPNG_UNLIKE);
    assert_int_equal(pcapng_block_like(data, bytes.length, false, 36, &need), PCAPNG_UNLIKE);
    assert_int_equal(pcapng_block_like(data, bytes.length - 1, false, LIMIT, &need), PCAPNG_UNDECIDED);
    assert_int_equal(need, bytes.length);
    bytes.data[bytes.length - 1] = 1;
    assert_int_equal(pcapng_block_like(data, bytes.length, false, LIMIT, &need), PCAPNG_UNLIKE);
    buf_clear(&bytes);
    put_block(&bytes, 6, "twenty-three bytes long", 23, false); /* blocks are whole words */
    assert_int_equal(pcapng_block_like((const uint8_t *)bytes.data, bytes.length, false, LIMIT, &need), PCAPNG_UNLIKE);
    buf_free(&bytes);
}

void a_section_describes_no_more_interfaces_than_are_kept(void **state)
{
    (void)state;
    struct buf bytes = buf_new(LIMIT), one = buf_new(LIMIT);
    struct pcapng_reader *reader = pcapng_reader_new();
    struct pcapng_step step;
    size_t at = 0;
    put_section(&bytes, false);
    put_interface(&one, 1, 0, NULL, 0, false);
    assert_int_equal(feed(reader, &bytes, &at, &step), PCAPNG_BLOCK);
    for (int i = 0; i < PCAPNG_INTERFACES_MAX; i++)
        assert_int_equal(pcapng_reader_next(reader, (const uint8_t *)one.data, one.length, &step), PCAPNG_BLOCK);
    assert_int_equal(pcapng_reader_next(reader, (const uint8_t *)one.data, one.length, &step), PCAPNG_DAMAGED);
    assert_int_equal(pcapng_reader_interfaces(reader), PCAPNG_INTERFACES_MAX);
    pcapng_reader_free(reader);
    buf_free(&one);
    buf_free(&bytes);
}
