/* The sockets of a call that concerns many: what it waits for, what was ready, what it closes. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>

#include "ptrace_look_own.h"

static void a_poll_watches_its_sockets_and_reports_those_that_are_ready(void **state)
{
    (void)state;
    struct pollfd fds[] = {
        {.fd = own.client, .events = POLLIN},
        {.fd = own.pipe[0], .events = POLLIN, .revents = POLLIN},
        {.fd = -1, .events = POLLIN, .revents = POLLIN},
        {.fd = own.server, .events = POLLIN | POLLOUT, .revents = POLLOUT},
        {.fd = own.listener, .events = 0},
    };
    assert_true(ENTER(SYS_ppoll, AT(fds), 5));
    assert_string_equal(own_watched(&own.me->enter), "client 1, server 5, listener 0");
    assert_int_equal(own.me->enter.watch[1].data, own.server);
    struct event_call call = own_exit(2);
    assert_string_equal(own_watched(&call), "server 4");
    assert_int_equal(call.watch_total, 1);
    call = own_exit(0); /* it timed out: what stands there is of nobody */
    assert_int_equal(call.watch_total, 0);
    call = own_exit(-EINTR);
    assert_int_equal(call.watch_total, 0);
    /* Without sockets it is no concern. */
    assert_false(ENTER(SYS_ppoll, AT(fds + 1), 2));
    assert_false(ENTER(SYS_ppoll, AT(fds), 0));
    assert_true(ENTER(SYS_ppoll, AT(fds), (1ULL << 32) + 1)); /* the number is an int */
    assert_string_equal(own_watched(&own.me->enter), "client 1");
    /* 0 is a descriptor as well. */
    int saved = dup(0);
    assert_int_equal(dup2(own.client, 0), 0);
    own_end(), own_begin(true);
    fds[0].fd = 0;
    assert_true(ENTER(SYS_ppoll, AT(fds), 1));
    if (saved >= 0) dup2(saved, 0), close(saved);
}

/* Read in pieces, as far as there is memory, and 4096 of them at most. */
static void a_long_poll_is_looked_at_from_its_first_to_its_last(void **state)
{
    (void)state;
    enum { MANY = 4200, PAGE = 4096 };
    static struct pollfd fds[MANY];
    static const struct {
        uint64_t count;
        size_t at;
        bool is_seen;
    } cases[] = {
        {1, 0, true},      {127, 127, false},  {128, 127, true},   {129, 128, true},    {257, 256, true},
        {257, 257, false}, {4096, 4095, true}, {4200, 4095, true}, {4200, 4096, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t k = 0; k < MANY; k++) fds[k] = (struct pollfd){.fd = -1};
        fds[cases[i].at] = (struct pollfd){.fd = own.client, .events = POLLIN};
        if (ENTER(SYS_ppoll, AT(fds), cases[i].count) != cases[i].is_seen)
            fail_msg("%zu of %lu", cases[i].at, (unsigned long)cases[i].count);
        if (own.me->enter.watch_total > 1) fail_msg("%zu: once", cases[i].at);
    }
    /* The array ends with the memory: what could be read is looked at, and nothing of the piece before a second time. */
    struct pollfd *memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    assert_int_equal(munmap((char *)memory + PAGE, PAGE), 0);
    struct pollfd *last = memory + PAGE / sizeof(*memory) - 2;
    last[0] = last[1] = (struct pollfd){.fd = own.client, .events = POLLIN};
    assert_true(ENTER(SYS_ppoll, AT(last), 300));
    assert_int_equal(own.me->enter.watch_total, 2);
    munmap(memory, PAGE);
}

static void of_more_sockets_than_an_event_lists_the_number_is_told(void **state)
{
    (void)state;
    struct pollfd fds[EVENT_WATCH_MAX + 1];
    for (size_t i = 0; i <= EVENT_WATCH_MAX; i++) fds[i] = (struct pollfd){.fd = own.client, .events = POLLIN};
    assert_true(ENTER(SYS_ppoll, AT(fds), EVENT_WATCH_MAX));
    assert_int_equal(own.me->enter.watch_count, EVENT_WATCH_MAX);
    assert_int_equal(own.me->enter.watch_total, EVENT_WATCH_MAX);
    assert_true(ENTER(SYS_ppoll, AT(fds), EVENT_WATCH_MAX + 1));
    assert_int_equal(own.me->enter.watch_count, EVENT_WATCH_MAX);
    assert_int_equal(own.me->enter.watch_total, EVENT_WATCH_MAX + 1);
}

/* Bit 0 of the first word is descriptor 0, bit 0 of the second 64: the client is put at the number in question. */
static void select_watches_the_bits_of_its_three_sets(void **state)
{
    (void)state;
    static const struct {
        int fd, nfds;
        const char *sets; /* r, w, e: the sets that it is in */
        const char *told;
    } cases[] = {
        {40, 41, "r", "client 1"},
        {40, 41, "w", "client 4"},
        {40, 41, "e", "client 2"},
        {40, 41, "rwe", "client 7"},
        {40, 40, "rwe", ""},
        {63, 64, "r", "client 1"},
        {63, 63, "r", ""},
        {64, 65, "w", "client 4"},
        {64, 64, "w", ""},
        {65, 66, "r", "client 1"},
        {127, 128, "r", "client 1"},
        {128, 129, "r", "client 1"},
        {200, 1024, "r", "client 1"},
        {40, 0, "r", ""},
        {40, -1, "r", ""},
        {200, 4097, "r", "client 1"},
        {40, 41, "", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t sets[3][80] = {0};
        int fd = cases[i].fd;
        assert_int_equal(dup2(own.client, fd), fd);
        for (const char *set = cases[i].sets; *set; set++)
            sets[*set == 'w' ? 1 : *set == 'e' ? 2 : 0][fd / 64] |= (uint64_t)1 << fd % 64;
        bool is_ours = ENTER(SYS_pselect6, (uint64_t)(uint32_t)cases[i].nfds, AT(sets[0]), AT(sets[1]), AT(sets[2]));
        if (strcmp(own_watched(&own.me->enter), cases[i].told) != 0) fail_msg("case %zu: %s", i, own_watched(&own.me->enter));
        if (is_ours != (cases[i].told[0] != '\0')) fail_msg("case %zu: of concern", i);
        if (is_ours) {
            assert_int_equal(own.me->enter.watch[0].data, fd);
            struct event_call call = own_exit(1); /* the sets as they are now */
            assert_string_equal(own_watched(&call), cases[i].told);
            call = own_exit(0);
            assert_int_equal(call.watch_total, 0);
        }
        close(fd);
        own_end(), own_begin(true);
    }
    /* A set that is not given; one of which the words for nfds alone can be read. */
    fd_set one;
    FD_ZERO(&one);
    FD_SET(own.client, &one);
    assert_true(ENTER(SYS_pselect6, (uint64_t)own.client + 1, 0, AT(&one), 0));
    assert_string_equal(own_watched(&own.me->enter), "client 4");
    uint64_t *memory = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *last = memory + 511;
    assert_true(memory != MAP_FAILED);
    assert_int_equal(munmap((char *)memory + 4096, 4096), 0);
    *last = (uint64_t)1 << own.client;
    assert_true(ENTER(SYS_pselect6, 64, AT(last)));
    munmap(memory, 4096);
}

static void epoll_add(int epoll, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event event = {.events = events, .data.u64 = data};
    assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
}

static void an_epoll_watches_its_entries_and_reports_by_their_data(void **state)
{
    (void)state;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[130] = {{.events = EPOLLIN, .data.u64 = 70}, {.events = EPOLLOUT, .data.u64 = 71}};
    assert_false(ENTER(SYS_epoll_pwait, (uint64_t)epoll, AT(events), 2)); /* empty */
    epoll_add(epoll, own.pipe[0], EPOLLIN, 69);
    assert_false(ENTER(SYS_epoll_pwait, (uint64_t)epoll, AT(events), 2));
    epoll_add(epoll, own.client, EPOLLIN, 70);
    epoll_add(epoll, own.server, EPOLLOUT, 71);
    assert_true(ENTER(SYS_epoll_pwait, (uint64_t)epoll, AT(events), 2));
    assert_int_equal(own.me->enter.watch_total, 2);
    assert_false(own.me->cut);
    struct event_call call = own_exit(2);
    assert_string_equal(own_watched(&call), "client 1, server 4");
    assert_int_equal(call.watch_total, 2);
    assert_int_equal(call.watch[1].data, 71);
    call = own_exit(1);
    assert_string_equal(own_watched(&call), "client 1");
    call = own_exit(0);
    assert_int_equal(call.watch_total, 0);
    events[1].data.u64 = 72; /* of an entry that was added meanwhile */
    call = own_exit(2);
    assert_string_equal(own_watched(&call), "client 1, ? 4");
    /* Reported are more than are read. */
    for (size_t i = 0; i < 130; i++) events[i] = events[0];
    for (int64_t n = 127; n <= 130; n++) {
        call = own_exit(n);
        assert_int_equal(call.watch_total, n);
        assert_int_equal(call.watch_count, EVENT_WATCH_MAX);
    }
    close(epoll);
    assert_false(ENTER(SYS_epoll_pwait, (uint64_t)epoll, AT(events), 2)); /* there is none any more */
}

/* Where two entries share what is reported, or not all could be listed, the report says nothing of whose it is. */
static void an_epoll_that_can_not_say_which_one_says_none(void **state)
{
    (void)state;
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0};
    static const struct {
        size_t count;     /* entries, with the data 0, 1, 2 … */
        uint64_t doubled; /* one more with this; -1: none */
        const char *told;
    } cases[] = {
        {2, (uint64_t)-1, "client 1"},
        {2, 0, "? 1"},
        {2, 1, "? 1"},
        {EVENT_WATCH_MAX, (uint64_t)-1, "client 1"},
        {EVENT_WATCH_MAX + 1, (uint64_t)-1, "? 1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int epoll = epoll_create1(EPOLL_CLOEXEC), fds[EVENT_WATCH_MAX + 2];
        for (size_t k = 0; k < cases[i].count; k++) epoll_add(epoll, fds[k] = dup(own.client), EPOLLIN, k);
        fds[cases[i].count] = dup(own.server);
        if (cases[i].doubled != (uint64_t)-1) epoll_add(epoll, fds[cases[i].count], EPOLLIN, cases[i].doubled);
        assert_true(ENTER(SYS_epoll_pwait, (uint64_t)epoll, AT(&event), 1));
        struct event_call call = own_exit(1);
        if (strcmp(own_watched(&call), cases[i].told) != 0) fail_msg("case %zu: %s", i, own_watched(&call));
        for (size_t k = 0; k <= cases[i].count; k++) close(fds[k]);
        close(epoll);
        own_end(), own_begin(true);
    }
    /* Up to 1024 entries are looked at, sockets or not. */
    enum { LOOKED_AT = 1024 };
    int epoll = epoll_create1(EPOLL_CLOEXEC), pipes[LOOKED_AT];
    own_room();
    epoll_add(epoll, own.client, EPOLLIN, 0);
    for (size_t k = 0; k < LOOKED_AT; k++) {
        epoll_add(epoll, pipes[k] = dup(own.pipe[0]), EPOLLIN, k + 1);
        if (k + 2 < LOOKED_AT) continue;
        (void)ENTER(SYS_epoll_pwait, (uint64_t)epoll, AT(&event), 1); /* the socket may be the one that is not looked at */
        if (own.me->cut != (k + 2 > LOOKED_AT)) fail_msg("of %zu", k + 2);
    }
    for (size_t k = 0; k < LOOKED_AT; k++) close(pipes[k]);
    close(epoll);
}

static void epoll_ctl_says_what_it_enters(void **state)
{
    (void)state;
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = 99};
    assert_true(ENTER(SYS_epoll_ctl, 3, EPOLL_CTL_ADD, (uint64_t)own.client, AT(&event)));
    assert_string_equal(own_watched(&own.me->enter), "client 80000001");
    struct event_call call = own_exit(0);
    assert_string_equal(own_watched(&call), "client 80000001");
    assert_int_equal(call.watch[0].data, 99);
    assert_int_equal(call.watch_total, 1);
    call = own_exit(-EEXIST);
    assert_int_equal(call.watch_total, 0);
    assert_true(ENTER(SYS_epoll_ctl, 3, EPOLL_CTL_DEL, (uint64_t)own.client, AT(&event)));
    assert_int_equal(own.me->enter.watch_total, 0);
}

int main(void)
{
#define OWN(test) cmocka_unit_test_setup_teardown(test, own_setup, own_teardown)
    const struct CMUnitTest tests[] = {
        OWN(a_poll_watches_its_sockets_and_reports_those_that_are_ready),
        OWN(a_long_poll_is_looked_at_from_its_first_to_its_last),
        OWN(of_more_sockets_than_an_event_lists_the_number_is_told),
        OWN(select_watches_the_bits_of_its_three_sets),
        OWN(an_epoll_watches_its_entries_and_reports_by_their_data),
        OWN(an_epoll_that_can_not_say_which_one_says_none),
        OWN(epoll_ctl_says_what_it_enters),
        OWN(close_range_closes_the_sockets_from_its_first_to_its_last),
        OWN(execve_closes_what_is_marked_so_and_an_end_closes_all),
        OWN(of_very_many_descriptors_the_first_are_looked_at),
    };
    return cmocka_run_group_tests_name("ptrace_watch", tests, NULL, NULL);
}
