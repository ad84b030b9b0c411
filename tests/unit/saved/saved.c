/* The saved file: what is written comes back, and bytes that are none are refused where they are wrong. */
#include <errno.h>
#include <pcap/dlt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "event/text.h"
#include "pcapng/reader.h"
#include "saved/saved.h"
#include "saved/saved_read.h"
#include "support/guard.h"

enum { LIMIT = 1 << 20 };

static int append(void *data, const char *bytes, size_t length)
{
    return buf_append(data, bytes, length);
}

static struct event_log *log_of(const char *text)
{
    struct event_log *log = event_log_new();
    struct err err = {""};
    assert_non_null(log);
    if (event_text_read("text", text, strlen(text), log, &err)) fail_msg("%s", err.text);
    return log;
}

static struct buf saved_with(const struct event_log *log, const struct saved_options *options)
{
    struct buf file = buf_new(LIMIT);
    const struct sink sink = {append, &file};
    struct saved *saved = saved_new(options, &sink);
    assert_non_null(saved);
    for (size_t i = 0; i < event_log_count(log); i++) assert_int_equal(saved_event(saved, event_log_at(log, i)), 0);
    assert_int_equal(saved_finish(saved), 0);
    saved_free(saved);
    return file;
}

static struct buf saved_of(const struct event_log *log)
{
    return saved_with(log, &(struct saved_options){0});
}

static void assert_comes_back(const struct event_log *log, const struct buf *file)
{
    struct event_log *again = event_log_new();
    struct err err = {""};
    struct buf before = buf_new(LIMIT), behind = buf_new(LIMIT);
    if (saved_read("x.pcapng", file->data, file->length, again, &err)) fail_msg("%s", err.text);
    assert_int_equal(event_text_write_log(&before, log), 0);
    assert_int_equal(event_text_write_log(&behind, again), 0);
    assert_string_equal(buf_string(&before), buf_string(&behind));
    buf_free(&before);
    buf_free(&behind);
    event_log_free(again);
}

static const char run[] = EVENT_TEXT_FIRST_LINE
    "\n"
    "trace t=1700000000000000000 recorder=bpf reason=\"asked for\" ports=3333\n"
    "vantage t=1700000000000000001 vantage=1 netns=7 name=lo\n"
    "enter t=1700000000000000100 pid=7 tid=7 comm=\"a\\x0ab\\x1b\" name=connect fd=3 args=\"3, 127.0.0.1:3333\" sock.cookie=9 "
    "how=-1 level=-1\n"
    "mark t=1700000000000000200 src=127.0.0.1:40112 dst=127.0.0.1:3333 proto=tcp flags=S seq=7 win=9 chain=a;b\n"
    "packet t=1700000000000000203 vantage=1 number=1 src=127.0.0.1:40112 dst=127.0.0.1:3333 proto=tcp flags=S seq=7 "
    "comments=\"by \\\"me\\\"\" link=1 wire=60 captured=5 bytes=0102030405\n"
    "packet t=1700000000000000202 vantage=1 number=2 src=127.0.0.1:3333 dst=127.0.0.1:40112 proto=tcp flags=R. ack=8 link=1 "
    "wire=54 "
    "captured=4 bytes=0a0b0c0d\n"
    "packet t=1700000000000000300 vantage=2 number=1 src=127.0.0.1:3333 dst=127.0.0.1:40112 proto=tcp flags=R. ack=8\n"
    "exit t=1700000000000000400 pid=7 tid=7 comm=x name=connect fd=3 ret=-111 slept=100 sock.cookie=9 sock.local=127.0.0.1:40112 "
    "sock.remote=127.0.0.1:3333 sock.proto=tcp how=-1 level=-1\n"
    "wake t=1700000000000000401 pid=7 tid=7\n"
    "lost t=1700000000000000500 source=\"capture lo\" what=\"dropped by kernel\" received=2 count=3\n"
    "wake t=1700000000000000501 pid=8 tid=8\n";

static void every_event_comes_back_in_its_order(void **state)
{
    (void)state;
    struct event_log *log = log_of(run);
    struct buf file = saved_of(log);
    assert_comes_back(log, &file);
    event_log_free(log);
    buf_free(&file);
}

static void what_is_too_much_to_hold_is_written_before_the_end_and_comes_back(void **state)
{
    (void)state;
    struct event_log *log = log_of(run);
    for (size_t i = 1; i < 20; i++) {
        struct buf file = saved_with(log, &(struct saved_options){.hold_bytes_most = i * 700});
        assert_comes_back(log, &file);
        buf_free(&file);
    }
    event_log_free(log);
}

static void a_packet_of_another_link_layer_is_turned_and_comes_back_as_it_was(void **state)
{
    (void)state;
    static const struct {
        int first, second;
        const char *hex;
    } pairs[] = {
        {DLT_EN10MB, DLT_RAW, "4500000000000000"},
        {DLT_RAW, DLT_EN10MB, "00000000000000000000000008004500001400000000400600007f000001"},
        {DLT_RAW, DLT_EN10MB, "0000000000000000000000008100000508004500001400000000400600007f"},
        {DLT_EN10MB, DLT_LINUX_SLL, "000403040006000000000000000008004500001400"},
        {DLT_EN10MB, DLT_LINUX_SLL2, "08000000000000020304040600000000000000006500001400"},
        {DLT_EN10MB, DLT_NULL, "0200000045000000"},
        /* What can't be turned is a row. */
        {DLT_EN10MB, DLT_RAW, "ff"},
        {DLT_LINUX_SLL, DLT_RAW, "4500"},
        {DLT_EN10MB, DLT_LINUX_SLL2, "0800"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        char text[1024];
        snprintf(text, sizeof(text),
                 EVENT_TEXT_FIRST_LINE "\npacket t=5 vantage=1 link=%d wire=2 captured=2 bytes=0102\n"
                                       "packet t=6 vantage=2 link=%d wire=%zu captured=%zu bytes=%s\n",
                 pairs[i].first, pairs[i].second, strlen(pairs[i].hex) / 2, strlen(pairs[i].hex) / 2, pairs[i].hex);
        struct event_log *log = log_of(text);
        struct buf file = saved_of(log);
        assert_comes_back(log, &file);
        struct pcapng_reader *reader = pcapng_reader_new();
        struct pcapng_step step;
        uint16_t link = 0;
        for (size_t at = 0; at < file.length; at += step.used) {
            enum pcapng_result result = pcapng_reader_next(reader, (const uint8_t *)file.data + at, file.length - at, &step);
            assert_true(result == PCAPNG_BLOCK || result == PCAPNG_PACKET);
            if (result != PCAPNG_PACKET) continue;
            if (!link) link = step.packet.link_type;
            assert_int_equal(step.packet.link_type, link);
        }
        pcapng_reader_free(reader);
        event_log_free(log);
        buf_free(&file);
    }
}

static void packets_alone_are_no_run(void **state)
{
    (void)state;
    struct event_log *log = log_of(run);
    struct buf file = saved_with(log, &(struct saved_options){.packets_alone = true}), whole = saved_of(log);
    assert_false(saved_is_run(file.data, file.length));
    assert_true(saved_is_run(whole.data, whole.length));
    assert_true(saved_head_needs(whole.data, 12) <= SAVED_HEAD_BYTES_MOST);
    assert_true(saved_is_run(whole.data, saved_head_needs(whole.data, 12)));
    assert_false(saved_is_run(whole.data, 40));
    event_log_free(log);
    buf_free(&file);
    buf_free(&whole);
}

/* Reads bytes that end where memory ends. */
static int read_guarded(const void *bytes, size_t length, struct err *err)
{
    struct guard guard = guard_new(bytes, length);
    struct event_log *log = event_log_new();
    (void)saved_head_needs(guard.bytes, length);
    (void)saved_is_run(guard.bytes, length);
    int code = saved_read("x.pcapng", guard.bytes, length, log, err);
    event_log_free(log);
    guard_free(&guard);
    return code;
}

static void what_is_cut_is_refused_with_packet_and_offset(void **state)
{
    (void)state;
    struct event_log *log = log_of(run);
    struct buf file = saved_of(log);
    for (size_t length = 0; length < file.length; length++) {
        struct err err = {""};
        int code = read_guarded(file.data, length, &err);
        if (!code) continue; /* between two blocks: it may be all */
        assert_int_equal(code, -EBADMSG);
        assert_true(strstr(err.text, "x.pcapng: packet ") || strstr(err.text, "holds no events"));
    }
    event_log_free(log);
    buf_free(&file);
}

static void no_byte_that_changes_leads_out_of_bounds(void **state)
{
    (void)state;
    struct event_log *log = log_of(run);
    struct buf file = saved_of(log);
    for (size_t at = 0; at < file.length; at++)
        for (int bit = 0; bit < 8; bit += 1 + (int)(at % 3)) {
            struct err err = {""};
            file.data[at] = (char)(file.data[at] ^ 1 << bit);
            int code = read_guarded(file.data, file.length, &err);
            if (code) assert_int_equal(code, -EBADMSG);
            assert_true(!code || err.text[0]);
            file.data[at] = (char)(file.data[at] ^ 1 << bit);
        }
    event_log_free(log);
    buf_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_comes_back_in_its_order),
        cmocka_unit_test(what_is_too_much_to_hold_is_written_before_the_end_and_comes_back),
        cmocka_unit_test(a_packet_of_another_link_layer_is_turned_and_comes_back_as_it_was),
        cmocka_unit_test(packets_alone_are_no_run),
        cmocka_unit_test(what_is_cut_is_refused_with_packet_and_offset),
        cmocka_unit_test(no_byte_that_changes_leads_out_of_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
