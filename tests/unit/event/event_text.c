/* Event lines: what is written is read back, field by field, and nothing else is accepted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "event/extent.h"
#include "event/fields.h"
#include "event/text.h"
#include "event_text_own.h"
#include "support/guard.h"

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static uint64_t random_below(uint64_t limit)
{
    return random_number() % limit;
}

/* Zero, the largest, the largest signed, and anything. */
static void random_fill(void *place, size_t bytes)
{
    static const uint64_t edges[] = {0, 1, UINT64_MAX, INT64_MAX, (uint64_t)INT64_MIN, 0x8000, 0x80000000u, 0x7fffffffu};
    uint64_t value = random_below(3) ? random_number() : edges[random_below(sizeof(edges) / sizeof(edges[0]))];
    memcpy(place, &value, bytes);
}

static struct address random_address(void)
{
    uint8_t ip[16];
    for (size_t i = 0; i < sizeof(ip); i++) ip[i] = (uint8_t)random_below(random_below(2) ? 2 : 256);
    ip[0] |= 0x20; /* never ::ffff:a.b.c.d, which is IPv4 */
    uint16_t port = (uint16_t)random_below(65536);
    if (!random_below(3)) return (struct address){.port = port};
    return random_below(2) ? address_v4(ip, port) : address_v6(ip, port);
}

static void random_text(char *place, size_t bytes)
{
    size_t length = random_below(3) ? random_below(bytes) : bytes - 1;
    bool wild = random_below(2);
    for (size_t i = 0; i < length; i++) place[i] = wild ? (char)(1 + random_below(255)) : (char)('a' + random_below(26));
}

static const struct event_chain *random_chain(struct event_log *log)
{
    static const char *const pool[] = {"tcp_connect", "tcp_v4_connect",     "odd;name", "",        "back\\slash",
                                       "quote\"",     "0xffffffff81000000", "bell\a",   "\xc3\xa9"};
    const char *names[EVENT_CHAIN_MAX];
    size_t count = random_below(4) ? random_below(6) : EVENT_CHAIN_MAX;
    for (size_t i = 0; i < count; i++) names[i] = pool[random_below(sizeof(pool) / sizeof(pool[0]))];
    return event_log_chain(log, names, count);
}

static void random_field(const struct event_field *field, struct event *event, struct event_log *log)
{
    char *place = (char *)event + field->offset;
    struct address address;
    const struct event_chain *chain;
    uint8_t bytes[300];
    switch (field->type) {
    case FIELD_BOOL:
        *(bool *)place = random_below(2);
        break;
    case FIELD_TEXT:
        random_text(place, field->bytes);
        break;
    case FIELD_ADDRESS:
        address = random_address();
        memcpy(place, &address, sizeof(address));
        break;
    case FIELD_CHAIN:
        chain = random_chain(log);
        memcpy(place, &chain, sizeof(chain));
        break;
    case FIELD_PORTS:
        for (size_t i = 0; i < field->bytes / 2; i++) random_fill(place + 2 * i, 2);
        break;
    case FIELD_WATCHES:
        event->call.watch_count = (uint8_t)random_below(EVENT_WATCH_MAX + 1);
        for (size_t i = 0; i < event->call.watch_count; i++) {
            random_fill(&event->call.watch[i].cookie, 8);
            random_fill(&event->call.watch[i].data, 8);
            random_fill(&event->call.watch[i].events, 4);
        }
        break;
    case FIELD_HEX:
        if (random_below(2)) break;
        for (size_t i = 0; i < sizeof(bytes); i++) bytes[i] = (uint8_t)random_number();
        event->packet.captured_bytes = (uint32_t)(1 + random_below(sizeof(bytes)));
        event->packet.bytes = event_log_bytes(log, bytes, event->packet.captured_bytes);
        break;
    default:
        random_fill(place, field->bytes);
        break;
    }
}

static struct event random_event(enum event_kind kind, struct event_log *log)
{
    struct event event;
    memset(&event, 0, sizeof(event));
    event.kind = kind;
    size_t count;
    const struct event_field *fields = event_fields_of(kind, &count);
    for (size_t i = 0; i < count; i++)
        if (random_below(8)) random_field(&fields[i], &event, log);
    return event;
}

static void assert_same_event(const struct event *one, const struct event *other)
{
    struct event whole[2], *a = &whole[0], *b = &whole[1]; /* of what a log keeps there is the extent alone */
    event_assign(a, one);
    event_assign(b, other);
    assert_int_equal(a->kind, b->kind);
    size_t count;
    const struct event_field *fields = event_fields_of(a->kind, &count);
    for (size_t i = 0; i < count; i++) {
        const char *place_a = (const char *)a + fields[i].offset, *place_b = (const char *)b + fields[i].offset;
        if (fields[i].type == FIELD_CHAIN) {
            assert_same_chain(*(const struct event_chain *const *)place_a, *(const struct event_chain *const *)place_b);
        } else if (fields[i].type == FIELD_HEX) {
            assert_int_equal(!a->packet.bytes, !b->packet.bytes);
            if (a->packet.bytes) assert_memory_equal(a->packet.bytes, b->packet.bytes, a->packet.captured_bytes);
        } else {
            assert_memory_equal(place_a, place_b, fields[i].bytes);
        }
        if (fields[i].type == FIELD_WATCHES) assert_int_equal(a->call.watch_count, b->call.watch_count);
    }
}

void read_or_fail(const struct buf *text, struct event_log *log)
{
    struct err err = {{0}};
    if (event_text_read("log", buf_string(text), text->length, log, &err)) fail_msg("%s", err.text);
}

static void every_kind_survives_writing_and_reading(void **state)
{
    (void)state;
    struct event_log *first = event_log_new(), *second = event_log_new();
    struct buf once = buf_new(TEXT_LIMIT), twice = buf_new(TEXT_LIMIT);
    for (int round = 0; round < 200; round++) {
        for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS; kind++) {
            struct event event = random_event((enum event_kind)kind, first);
            assert_int_equal(event_log_append(first, &event), 0);
        }
    }
    assert_int_equal(event_text_write_log(&once, first), 0);
    read_or_fail(&once, second);
    assert_int_equal(event_log_count(first), event_log_count(second));
    for (size_t i = 0; i < event_log_count(first); i++) assert_same_event(event_log_at(first, i), event_log_at(second, i));
    assert_int_equal(event_text_write_log(&twice, second), 0);
    assert_string_equal(buf_string(&once), buf_string(&twice));
    buf_free(&once);
    buf_free(&twice);
    event_log_free(first);
    event_log_free(second);
}

static void an_event_is_one_line_of_printable_ascii(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    struct buf text = buf_new(TEXT_LIMIT);
    for (int round = 0; round < 50; round++) {
        for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS; kind++) {
            struct event event = random_event((enum event_kind)kind, log);
            buf_clear(&text);
            assert_int_equal(event_text_write(&text, &event), 0);
            for (size_t i = 0; i + 1 < text.length; i++) assert_in_range(text.data[i], ' ', '~');
            assert_int_equal(text.data[text.length - 1], '\n');
        }
    }
    buf_free(&text);
    event_log_free(log);
}

#if defined(__has_builtin)
#if __has_builtin(__builtin_clear_padding)
#define CAN_SEE_PADDING 1
#endif
#endif

/* Bytes of the struct that no row of the table covers and that aren't padding: a field that would be lost. */
#ifdef CAN_SEE_PADDING
#define ASSERT_ROWS_COVER(kind, member, also, also_bytes)                                                                          \
    do {                                                                                                                           \
        __typeof__(((struct event *)0)->member) real;                                                                              \
        memset(&real, 0xff, sizeof(real));                                                                                         \
        __builtin_clear_padding(&real);                                                                                            \
        assert_rows_cover(kind, offsetof(struct event, member), (const uint8_t *)&real, sizeof(real), also, also_bytes);           \
    } while (0)

static void assert_rows_cover(enum event_kind kind, size_t offset, const uint8_t *real, size_t bytes, size_t also,
                              size_t also_bytes)
{
    uint8_t covered[sizeof(struct event)] = {0};
    size_t count;
    const struct event_field *fields = event_fields_of(kind, &count);
    for (size_t i = 0; i < count; i++) memset(covered + fields[i].offset, 1, fields[i].bytes);
    memset(covered + also, 1, also_bytes);
    for (size_t i = 0; i < bytes; i++)
        if (real[i] && !covered[offset + i]) fail_msg("byte %zu of what a %s is has no row", i, event_fields_word(kind));
}
#endif

static void every_field_of_every_struct_has_a_row(void **state)
{
    (void)state;
#ifdef CAN_SEE_PADDING
    ASSERT_ROWS_COVER(EVENT_TRACE, trace, 0, 0);
    ASSERT_ROWS_COVER(EVENT_VANTAGE, vantage, 0, 0);
    ASSERT_ROWS_COVER(EVENT_PACKET, packet, 0, 0);
    /* A list of watches says its count by its length. */
    ASSERT_ROWS_COVER(EVENT_ENTER, call, offsetof(struct event, call.watch_count), 1);
    ASSERT_ROWS_COVER(EVENT_EXIT, call, offsetof(struct event, call.watch_count), 1);
    ASSERT_ROWS_COVER(EVENT_MARK, mark, 0, 0);
    ASSERT_ROWS_COVER(EVENT_STATE, state, 0, 0);
    ASSERT_ROWS_COVER(EVENT_RESET, reset, 0, 0);
    ASSERT_ROWS_COVER(EVENT_RESEND, resend, 0, 0);
    ASSERT_ROWS_COVER(EVENT_TIMER, timer, 0, 0);
    ASSERT_ROWS_COVER(EVENT_WAKE, wake, 0, 0);
    ASSERT_ROWS_COVER(EVENT_PROCESS, process, 0, 0);
    ASSERT_ROWS_COVER(EVENT_LOST, lost, 0, 0);
    ASSERT_ROWS_COVER(EVENT_CLOCK, clock, 0, 0);
    ASSERT_ROWS_COVER(EVENT_DROP, drop, 0, 0);
    ASSERT_ROWS_COVER(EVENT_QUEUE, queue, 0, 0);
#else
    skip(); /* this compiler can't tell padding from fields (gcc can, since 11) */
#endif
}

static void no_row_shares_a_key_or_a_place_with_another(void **state)
{
    (void)state;
    for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS; kind++) {
        uint8_t covered[sizeof(struct event)] = {0};
        size_t count;
        const struct event_field *fields = event_fields_of((enum event_kind)kind, &count);
        assert_in_range(count, 2, 64);
        for (size_t i = 0; i < count; i++) {
            for (size_t j = 0; j < i; j++) assert_string_not_equal(fields[i].key, fields[j].key);
            for (size_t b = 0; b < fields[i].bytes; b++) assert_int_equal(covered[fields[i].offset + b]++, 0);
        }
    }
}

static struct event read_one(struct event_log *log, const char *line)
{
    struct buf text = buf_new(TEXT_LIMIT);
    buf_printf(&text, FIRST "%s", line);
    size_t before = event_log_count(log);
    read_or_fail(&text, log);
    buf_free(&text);
    assert_int_equal(event_log_count(log), before + 1);
    struct event event;
    event_assign(&event, event_log_at(log, before));
    return event;
}

static void a_packet_line_says_what_it_says(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    struct event event =
        read_one(log, "packet t=1700000000000000123 vantage=1 number=4 src=127.0.0.1:40112 dst=[::1]:3333 proto=tcp "
                      "flags=S. seq=4294967295 ack=8 win=65535 len=3 opt=mss,ts opt.mss=65495 opt.ts_value=9 "
                      "captured=3 wire=74 link=1 bytes=00ff7a\n");
    assert_int_equal(event.kind, EVENT_PACKET);
    assert_int_equal(event.t_ns, 1700000000000000123);
    assert_int_equal(event.packet.vantage, 1);
    assert_int_equal(event.packet.number, 4);
    assert_true(address_equal(&event.packet.header.src, &(struct address){.ip = {127, 0, 0, 1}, .port = 40112, .version = 4}));
    assert_true(address_equal(&event.packet.header.dst, &(struct address){.ip = {[15] = 1}, .port = 3333, .version = 6}));
    assert_int_equal(event.packet.header.protocol, IPPROTO_TCP);
    assert_int_equal(event.packet.header.flags, TCP_SYN | TCP_ACK);
    assert_int_equal(event.packet.header.seq, UINT32_MAX);
    assert_int_equal(event.packet.header.ack, 8);
    assert_int_equal(event.packet.header.window, 65535);
    assert_int_equal(event.packet.header.length_bytes, 3);
    assert_int_equal(event.packet.options.present, OPTION_MSS | OPTION_TIMESTAMPS);
    assert_int_equal(event.packet.options.mss, 65495);
    assert_int_equal(event.packet.options.ts_value, 9);
    assert_int_equal(event.packet.wire_bytes, 74);
    assert_int_equal(event.packet.link_type, 1);
    assert_int_equal(event.packet.captured_bytes, 3);
    assert_memory_equal(event.packet.bytes, "\x00\xff\x7a", 3);
    event_log_free(log);
}

static void a_call_line_says_what_it_says(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    struct event event =
        read_one(log, "exit t=-5 pid=812 tid=813 comm=\"a\\x1b[31m\\x0ab\\\"<\" name=connect fd=-1 "
                      "args=\"3, 127.0.0.1:3333\" ret=-111 slept=43000 sock.cookie=17 sock.state=SYN_SENT "
                      "sock.local=?:40112 other.cookie=18 value=1 value2=-2 watch=17:3:1,0:18446744073709551615:8");
    assert_int_equal(event.kind, EVENT_EXIT);
    assert_int_equal(event.t_ns, -5);
    assert_int_equal(event.call.thread.pid, 812);
    assert_int_equal(event.call.thread.tid, 813);
    assert_string_equal(event.call.thread.comm, "a\033[31m\nb\"<");
    assert_string_equal(event.call.name, "connect");
    assert_string_equal(event.call.args, "3, 127.0.0.1:3333");
    assert_int_equal(event.call.fd, -1);
    assert_int_equal(event.call.ret, -111);
    assert_int_equal(event.call.slept_ns, 43000);
    assert_int_equal(event.call.socket.cookie, 17);
    assert_int_equal(event.call.socket.state, KERNEL_SYN_SENT);
    assert_int_equal(event.call.socket.local.port, 40112);
    assert_int_equal(event.call.socket.local.version, 0);
    assert_int_equal(event.call.other.cookie, 18);
    assert_int_equal(event.call.value[0], 1);
    assert_int_equal(event.call.value[1], -2);
    assert_int_equal(event.call.watch_count, 2);
    assert_int_equal(event.call.watch[0].cookie, 17);
    assert_int_equal(event.call.watch[0].data, 3);
    assert_int_equal(event.call.watch[0].events, 1);
    assert_true(event.call.watch[1].data == UINT64_MAX);
    assert_int_equal(event.call.watch[1].events, 8);
    event_log_free(log);
}

static void a_mark_line_says_who_ran_and_what_was_received(void **state)
{
    (void)state;
    struct event_log *log = event_log_new();
    struct event event = read_one(log, "mark t=1 src=127.0.0.1:3333 proto=tcp flags=S. netns=4026531840 if=1 cur.pid=812 "
                                       "cur.comm=echo-client softirq=1 receiving=1 rx.flags=S rx.seq=7 "
                                       "chain=\"tcp_v4_send_synack;odd\\x3bname\"");
    assert_int_equal(event.mark.header.flags, TCP_SYN | TCP_ACK);
    assert_true(event.mark.netns == 4026531840u);
    assert_int_equal(event.mark.interface, 1);
    assert_int_equal(event.mark.context.current.pid, 812);
    assert_string_equal(event.mark.context.current.comm, "echo-client");
    assert_true(event.mark.context.softirq && event.mark.context.receiving);
    assert_int_equal(event.mark.context.received.flags, TCP_SYN);
    assert_int_equal(event.mark.context.received.seq, 7);
    assert_non_null(event.mark.context.chain);
    assert_int_equal(event.mark.context.chain->count, 2);
    assert_string_equal(event.mark.context.chain->names[0], "tcp_v4_send_synack");
    assert_string_equal(event.mark.context.chain->names[1], "odd;name");
    event_log_free(log);
}

static void fields_at_zero_are_left_out(void **state)
{
    (void)state;
    struct buf text = buf_new(TEXT_LIMIT);
    struct event event = {.kind = EVENT_PROCESS};
    assert_int_equal(event_text_write(&text, &event), 0);
    event.process.change = PROCESS_EXEC;
    event.process.thread.pid = -1;
    assert_int_equal(event_text_write(&text, &event), 0);
    assert_string_equal(buf_string(&text), "process\nprocess pid=-1 change=exec\n");
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_survives_writing_and_reading),
        cmocka_unit_test(an_event_is_one_line_of_printable_ascii),
        cmocka_unit_test(every_field_of_every_struct_has_a_row),
        cmocka_unit_test(no_row_shares_a_key_or_a_place_with_another),
        cmocka_unit_test(a_packet_line_says_what_it_says),
        cmocka_unit_test(a_call_line_says_what_it_says),
        cmocka_unit_test(a_mark_line_says_who_ran_and_what_was_received),
        cmocka_unit_test(fields_at_zero_are_left_out),
        cmocka_unit_test(a_kind_outside_the_enum_is_not_written),
        cmocka_unit_test(a_full_buffer_is_reported),
        cmocka_unit_test(comments_and_empty_lines_are_skipped),
        cmocka_unit_test(a_mistake_is_named_with_line_and_column),
        cmocka_unit_test(a_nul_byte_is_not_accepted_anywhere),
        cmocka_unit_test(a_chain_longer_than_a_log_takes_is_refused),
        cmocka_unit_test(what_stands_before_a_mistake_stays),
        cmocka_unit_test(a_text_cut_anywhere_is_read_within_its_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
