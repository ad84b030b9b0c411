#include "support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct conn_more *more_of(void *owner, struct conn *conn, bool make)
{
    struct exchange *exchange = owner;
    assert_ptr_equal(conn, &exchange->conn);
    if (exchange->no_memory) return NULL;
    if (make) exchange->has_more = true;
    return exchange->has_more ? &exchange->more : NULL;
}

void exchange_begin(struct exchange *exchange)
{
    memset(exchange, 0, sizeof(*exchange));
    conn_judge_init(&exchange->judge, more_of, exchange);
    exchange->t_ns = 1700000000000000000;
    exchange->isn[0] = 0xfffffff0u; /* c's numbers wrap around */
    exchange->isn[1] = 5000;
}

unsigned exchange_side(const struct exchange *exchange, char who)
{
    return exchange->begun && who != exchange->first;
}

struct conn_segment exchange_segment(const struct exchange *exchange, const char *step, unsigned *ret_side)
{
    struct conn_segment segment = {.t_ns = exchange->t_ns};
    char who, flags[8];
    long long seq, ack;
    unsigned length, window = 1000, look = 0, interface = 0;
    int read = sscanf(step, "%c:%7[A-Zku-]:%lld:%lld:%u:%u:%u:%u", &who, flags, &seq, &ack, &length, &window, &look, &interface);
    if (read < 5 || !strchr("cs", who)) fail_msg("no step: %s", step);
    for (const char *at = flags; *at; at++) {
        const char *letters = "FSRPA", *found = strchr(letters, *at);
        if (*at == 'k') segment.sack = true;
        if (*at == 'u') segment.unsummed = true;
        if (found) segment.flags = (uint8_t)(segment.flags | 1 << (found - letters));
    }
    unsigned ours = who == 's';
    segment.seq = exchange->isn[ours] + (uint32_t)seq;
    if (segment.flags & TCP_ACK) segment.ack = exchange->isn[!ours] + (uint32_t)ack;
    segment.length_bytes = length;
    segment.window = (uint16_t)window;
    segment.look = look;
    segment.interface = (uint8_t)interface;
    *ret_side = exchange_side(exchange, who);
    return segment;
}

static int64_t pause_of(const char *step)
{
    char *unit;
    int64_t count = strtoll(step + 1, &unit, 10);
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {{"s", 1000000000}, {"ms", 1000000}, {"us", 1000}, {"ns", 1}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(unit, units[i].name) == 0) return count * units[i].ns;
    fail_msg("no time: %s", step);
    return 0;
}

static void note_class(struct exchange *exchange, enum conn_class class)
{
    size_t at = strlen(exchange->classes);
    snprintf(exchange->classes + at, sizeof(exchange->classes) - at, "%s%s", at ? " " : "", conn_class_name(class));
}

static void take(struct exchange *exchange, const char *step)
{
    unsigned side;
    struct conn_segment segment = exchange_segment(exchange, step, &side);
    if (exchange->begun && conn_begins_anew(&exchange->conn, &segment, side)) {
        exchange->anew++;
        exchange->begun = exchange->has_more = false;
        memset(&exchange->conn, 0, sizeof(exchange->conn));
        memset(&exchange->more, 0, sizeof(exchange->more));
        side = 0;
    }
    if (!exchange->begun) {
        exchange->begun = true;
        exchange->first = step[0];
        conn_begin(&exchange->conn, &segment, step[0] == 'c');
    }
    conn_settle_roles(&exchange->conn, &segment, side);
    exchange->verdict = (struct conn_verdict){.class = CONN_SIGHT};
    if (!conn_is_sight(&exchange->judge, &exchange->conn, &segment, side))
        conn_take(&exchange->judge, &exchange->conn, side, &segment, &exchange->verdict);
    note_class(exchange, (enum conn_class)exchange->verdict.class);
    exchange->t_ns += 1000000;
}

void exchange_say(struct exchange *exchange, const char *steps)
{
    char *text = strdup(steps), *rest = NULL;
    assert_non_null(text);
    exchange->classes[0] = '\0';
    for (char *step = strtok_r(text, " ", &rest); step; step = strtok_r(NULL, " ", &rest)) {
        if (step[0] == '+')
            exchange->t_ns += pause_of(step);
        else
            take(exchange, step);
    }
    free(text);
}

const struct conn_end *exchange_end(const struct exchange *exchange, char who)
{
    return &exchange->conn.end[exchange_side(exchange, who)];
}

const struct conn_more_end *exchange_more(const struct exchange *exchange, char who)
{
    return &exchange->more.end[exchange_side(exchange, who)];
}

uint64_t exchange_bytes(const struct exchange *exchange, char who)
{
    return conn_bytes(&exchange->conn, exchange_side(exchange, who));
}

uint64_t exchange_missed(struct exchange *exchange, char who)
{
    return conn_missed(&exchange->judge, &exchange->conn, exchange_side(exchange, who));
}

const char *exchange_outcome(enum conn_outcome outcome)
{
    static const char *const names[] = {[CONN_OUT_OPEN] = "open",
                                        [CONN_OUT_CLOSED] = "closed",
                                        [CONN_OUT_RESET] = "reset",
                                        [CONN_OUT_REFUSED] = "refused",
                                        [CONN_OUT_HALF_OPEN] = "half-open"};
    assert_in_range(outcome, 0, sizeof(names) / sizeof(names[0]) - 1);
    return names[outcome];
}

const char *exchange_stand(const struct exchange *exchange)
{
    static char text[96];
    const struct conn *conn = &exchange->conn;
    char closer = '-';
    unsigned first = conn_first_closer(conn);
    if (first) closer = exchange_side(exchange, 'c') == first - 1u ? 'c' : 's';
    snprintf(text, sizeof(text), "%s %s %s %c", tcp_state_name(conn_state(conn, exchange_side(exchange, 'c'))),
             tcp_state_name(conn_state(conn, exchange_side(exchange, 's'))), exchange_outcome(conn_outcome(conn)), closer);
    return text;
}

void exchange_assert_stands(struct exchange *exchange, const char *stand, const char *file, int line)
{
    _assert_string_equal(exchange_stand(exchange), stand, file, line);
}

void exchange_assert_classes(const struct exchange *exchange, const char *names, const char *file, int line)
{
    _assert_string_equal(exchange->classes, names, file, line);
}
