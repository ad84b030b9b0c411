/* The writer of pcapng blocks, held by their reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pcapng/reader.h"
#include "pcapng/writer.h"

enum { LIMIT = 1 << 20 };

static const int64_t t_ns = 1700000000123456789;

/* The next step; every block is whole and of 32-bit words. */
static enum pcapng_result step_on(struct pcapng_reader *reader, const struct buf *bytes, size_t *at, struct pcapng_step *step)
{
    enum pcapng_result result = pcapng_reader_next(reader, (const uint8_t *)bytes->data + *at, bytes->length - *at, step);
    assert_int_equal(step->used % 4, 0);
    *at += (size_t)step->used;
    return result;
}

static void assert_option(const struct pcapng_step *step, uint16_t code, const char *value, size_t length)
{
    struct pcapng_option option;
    size_t at = 0;
    while (pcapng_option_next(step->options, step->options_bytes, false, &at, &option) == PCAPNG_OPTION)
        if (option.code == code && option.length == length && !memcmp(option.value, value, length)) return;
    fail_msg("no option %u", code);
}

static void a_file_of_all_blocks_is_read_back(void **state)
{
    (void)state;
    struct buf out = buf_new(LIMIT);
    const struct pcapng_section section = {"a comment", "x86_64", "Linux", "tcpwhy"};
    static const char entry[] = "__REALTIME_TIMESTAMP=1\nMESSAGE=x\n";
    assert_int_equal(pcapng_write_section(&out, &section), 0);
    assert_int_equal(pcapng_write_interface(&out, 1, 262144, "lo"), 0);
    assert_int_equal(pcapng_write_journal(&out, entry, strlen(entry)), 0);
    size_t begin = pcapng_begin_packet(&out, 0, t_ns, "abcde", 5, 60);
    pcapng_put_option_text(&out, PCAPNG_OPTION_COMMENT, "why");
    pcapng_put_custom_text(&out, 32473, "{}", 2);
    pcapng_put_options_end(&out);
    assert_int_equal(pcapng_end(&out, begin), 0);
    assert_int_equal(pcapng_write_statistics(&out, 0, t_ns, 7, 3, NULL), 0);

    struct pcapng_reader *reader = pcapng_reader_new();
    struct pcapng_step step;
    size_t at = 0;
    assert_int_equal(step_on(reader, &out, &at, &step), PCAPNG_BLOCK);
    assert_option(&step, PCAPNG_OPTION_COMMENT, "a comment", 9);
    assert_int_equal(step_on(reader, &out, &at, &step), PCAPNG_BLOCK);
    const struct pcapng_interface *interface = pcapng_reader_interface(reader, 0);
    assert_string_equal(interface->name, "lo");
    assert_int_equal(interface->snap, 262144);
    size_t journal_at = at;
    assert_int_equal(step_on(reader, &out, &at, &step), PCAPNG_BLOCK);
    assert_int_equal(step.type, PCAPNG_JOURNAL);
    assert_memory_equal(out.data + journal_at + 8, entry, strlen(entry));
    assert_int_equal(step_on(reader, &out, &at, &step), PCAPNG_PACKET);
    assert_int_equal(step.packet.t_ns, t_ns);
    assert_int_equal(step.packet.wire, 60);
    assert_int_equal(step.packet.captured, 5);
    assert_memory_equal(step.packet.bytes, "abcde", 5);
    step.options = step.packet.options;
    step.options_bytes = step.packet.options_bytes;
    assert_option(&step, PCAPNG_OPTION_COMMENT, "why", 3);
    assert_option(&step, PCAPNG_OPTION_CUSTOM_TEXT, "\xd9\x7e\0\0{}", 6);
    assert_int_equal(step_on(reader, &out, &at, &step), PCAPNG_BLOCK);
    assert_int_equal(step.type, PCAPNG_INTERFACE_STATISTICS);
    assert_option(&step, PCAPNG_OPTION_IF_DROPPED, "\3\0\0\0\0\0\0\0", 8);
    assert_int_equal(at, out.length);
    pcapng_reader_free(reader);
    buf_free(&out);
}

/* An option's length has 16 bits. */
static void a_value_that_is_too_long_is_cut_at_the_last_byte_that_fits(void **state)
{
    (void)state;
    static const size_t lengths[] = {PCAPNG_OPTION_BYTES_MAX - 4, PCAPNG_OPTION_BYTES_MAX - 3, PCAPNG_OPTION_BYTES_MAX,
                                     PCAPNG_OPTION_BYTES_MAX + 1, 100000};
    static char text[100001];
    memset(text, 'x', sizeof(text) - 1);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        struct buf out = buf_new(LIMIT);
        struct pcapng_option option;
        size_t at = 0, fits = lengths[i] < PCAPNG_OPTION_BYTES_MAX ? lengths[i] : PCAPNG_OPTION_BYTES_MAX;
        pcapng_put_option(&out, 1, text, lengths[i]);
        pcapng_put_custom_text(&out, 1, text, lengths[i]);
        pcapng_put_options_end(&out);
        const uint8_t *bytes = (const uint8_t *)out.data;
        assert_int_equal(pcapng_option_next(bytes, out.length, false, &at, &option), PCAPNG_OPTION);
        assert_int_equal(option.length, fits);
        assert_int_equal(pcapng_option_next(bytes, out.length, false, &at, &option), PCAPNG_OPTION);
        assert_int_equal(option.code, PCAPNG_OPTION_CUSTOM_TEXT);
        assert_int_equal(option.length, fits + 4 < PCAPNG_OPTION_BYTES_MAX ? fits + 4 : PCAPNG_OPTION_BYTES_MAX);
        assert_int_equal(pcapng_option_next(bytes, out.length, false, &at, &option), PCAPNG_OPTIONS_END);
        buf_free(&out);
    }
}

static void a_buffer_that_is_full_is_a_failure(void **state)
{
    (void)state;
    const struct pcapng_section section = {"a comment", NULL, NULL, NULL};
    for (size_t room = 0; room < 48; room++) {
        struct buf out = buf_new(room);
        int code = pcapng_write_section(&out, &section);
        assert_true(code < 0 ? out.failed : !out.failed && out.length <= room);
        assert_true(code < 0 || room >= 44);
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_of_all_blocks_is_read_back),
        cmocka_unit_test(a_value_that_is_too_long_is_cut_at_the_last_byte_that_fits),
        cmocka_unit_test(a_buffer_that_is_full_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
