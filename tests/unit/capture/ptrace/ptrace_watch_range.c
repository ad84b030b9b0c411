/* The sockets that close_range, execve and an end close. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <string.h>

#include "ptrace_look_own.h"

/* The sockets stand at 40 and 41, the second to be closed at an execve; those of the setting too, of which none goes beyond. */
static void put_at_40_and_41(void)
{
    assert_int_equal(dup2(own.client, 40), 40);
    assert_int_equal(dup3(own.server, 41, O_CLOEXEC), 41);
    assert_int_equal(dup2(own.pipe[0], 42), 42);
}

void close_range_closes_the_sockets_from_its_first_to_its_last(void **state)
{
    (void)state;
    static const struct {
        unsigned first, last, flags;
        const char *told;
    } cases[] = {
        {40, 41, 0, "client 0, server 0"},
        {39, 40, 0, "client 0"},
        {40, 40, 0, "client 0"},
        {39, 39, 0, ""},
        {41, ~0U, 0, "server 0"},
        {42, 42, 0, ""},
        {41, 40, 0, ""},
        {42, ~0U, 0, ""},
        {40, 41, CLOSE_RANGE_CLOEXEC, ""},
        {40, 41, CLOSE_RANGE_UNSHARE, "client 0, server 0"},
    };
    put_at_40_and_41();
    for (int is_listed = 0; is_listed < 2; is_listed++)
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            own_end(), own_begin(false);
            if (!is_listed) { /* /proc says nothing of that thread, a handle alone leads to it */
                own.me->handle = sockinfo_open(getpid());
                own.me->nameless = true;
                own.tasks.handles = 1;
                own.me->tid = 0x3fffffff;
            }
            bool is_ours = ENTER(SYS_close_range, cases[i].first, cases[i].last, cases[i].flags);
            if (strcmp(own_watched(&own.me->enter), cases[i].told) != 0) fail_msg("case %zu: %s", i, own_watched(&own.me->enter));
            if (is_ours != (cases[i].told[0] != '\0')) fail_msg("case %zu: of concern", i);
            if (!is_ours) continue;
            /* The call is on the first of them. */
            assert_int_equal(own.me->enter.fd, own.me->enter.watch[0].data);
            assert_int_equal(own.me->enter.socket.cookie, own.me->enter.watch[0].cookie);
            struct event_call call = own_exit(0);
            assert_int_equal(call.watch_total, own.me->enter.watch_total);
            assert_int_equal(call.watch_count, own.me->enter.watch_count);
            for (size_t k = 0; k < call.watch_count; k++) assert_int_equal(call.watch[k].events, POLLNVAL);
            assert_int_equal(call.watch[0].data, own.me->enter.watch[0].data);
            call = own_exit(-EINVAL);
            assert_int_equal(call.watch_total, 0);
        }
    close(40), close(41), close(42);
}

static bool closes(int fd)
{
    for (size_t i = 0; i < own.me->enter.watch_count; i++)
        if (own.me->enter.watch[i].data == (uint64_t)fd) return true;
    return false;
}

void execve_closes_what_is_marked_so_and_an_end_closes_all(void **state)
{
    (void)state;
    static const struct {
        long number;
        bool closes_40, closes_41;
    } cases[] = {{SYS_execve, false, true}, {SYS_execveat, false, true}, {SYS_exit_group, true, true}, {SYS_exit, false, false}};
    put_at_40_and_41();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(ENTER(cases[i].number, 0));
        if (closes(40) != cases[i].closes_40 || closes(41) != cases[i].closes_41) fail_msg("case %zu", i);
        assert_false(closes(42)); /* a pipe */
        assert_int_equal(own.me->enter.fd, -1);
    }
    assert_true(ENTER(SYS_execve, 0));
    struct event_call call = own_exit(0);
    assert_int_equal(call.watch_total, own.me->enter.watch_total);
    assert_int_equal(call.watch[0].events, POLLNVAL);
    close(40), close(41), close(42);
}

/* 4096 descriptors are looked at: with the last of them the socket is. */
void of_very_many_descriptors_the_first_are_looked_at(void **state)
{
    (void)state;
    enum { FIRST = 100, LOOKED_AT = 4096 };
    own_room();
    for (int behind = 0; behind < 2; behind++) {
        own_end(), own_begin(false);
        own.me->handle = sockinfo_open(getpid());
        own.me->nameless = true;
        own.tasks.handles = 1;
        own.me->tid = 0x3fffffff;
        int fd = FIRST + LOOKED_AT - 1 + behind;
        assert_int_equal(dup2(own.client, fd), fd);
        assert_int_equal(ENTER(SYS_close_range, FIRST, ~0U, 0), !behind);
        close(fd);
    }
    for (int fd = FIRST; fd < FIRST + LOOKED_AT; fd++) assert_int_equal(dup2(own.pipe[0], fd), fd);
    for (int behind = 0; behind < 2; behind++) {
        own_end(), own_begin(false);
        int fd = FIRST + LOOKED_AT - 1 + behind;
        assert_int_equal(dup2(own.client, fd), fd); /* listed behind the others */
        assert_int_equal(ENTER(SYS_close_range, FIRST, ~0U, 0), !behind);
        assert_int_equal(dup2(own.pipe[0], fd), fd);
    }
    close_range(FIRST, FIRST + LOOKED_AT, 0);
}
