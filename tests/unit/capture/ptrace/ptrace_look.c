/* What the ptrace recorder sees where a call begins: which are its concern, what of a socket it asks anew, what it reads of the
 * caller's memory. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "ptrace_look_own.h"

static void a_call_is_of_concern_where_its_descriptor_is_a_socket_of_inet(void **state)
{
    (void)state;
    uint64_t tcp = (uint64_t)own.client, listener = (uint64_t)own.listener, pipe = (uint64_t)own.pipe[0], none = 10000;
    int stranger = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
    const struct {
        const char *name;
        long number;
        uint64_t args[3];
        bool is_ours;
        int fd; /* whose socket the call has; -1: none */
    } cases[] = {
        {"read of a socket", SYS_read, {tcp}, true, own.client},
        {"read of a pipe", SYS_read, {pipe}, false, -1},
        {"read of nothing", SYS_read, {none}, false, -1},
        {"read of -1", SYS_read, {(uint64_t)-1}, false, -1},
        {"read of an AF_UNIX socket", SYS_read, {(uint64_t)stranger}, false, -1},
        {"read of a raw socket", SYS_read, {(uint64_t)raw}, false, -1},
        {"fcntl F_DUPFD", SYS_fcntl, {tcp, SYSCALL_F_DUPFD}, true, own.client},
        {"fcntl F_DUPFD_CLOEXEC", SYS_fcntl, {tcp, SYSCALL_F_DUPFD_CLOEXEC}, true, own.client},
        {"fcntl F_GETFL", SYS_fcntl, {tcp, F_GETFL}, false, -1},
        {"fcntl F_DUPFD of a pipe", SYS_fcntl, {pipe, SYSCALL_F_DUPFD}, false, -1},
        {"splice out of a socket", SYS_splice, {tcp, 0, pipe}, true, own.client},
        {"splice into a socket", SYS_splice, {pipe, 0, tcp}, true, own.client},
        {"splice between pipes", SYS_splice, {pipe, 0, pipe}, false, -1},
        {"sendfile, whose third argument is none", SYS_sendfile, {pipe, 0, tcp}, false, -1},
        {"epoll_ctl of a socket", SYS_epoll_ctl, {pipe, EPOLL_CTL_DEL, tcp}, true, own.client},
        {"epoll_ctl of a pipe", SYS_epoll_ctl, {tcp, EPOLL_CTL_DEL, pipe}, false, -1},
        {"dup3 of a socket", SYS_dup3, {tcp, none}, true, own.client},
        {"dup3 onto a socket", SYS_dup3, {pipe, listener}, true, -1},
        {"dup3 of a pipe onto a pipe", SYS_dup3, {pipe, (uint64_t)own.pipe[1]}, false, -1},
        {"exit_group", SYS_exit_group, {0}, true, -1},
    };
    assert_true(stranger >= 0);
    for (int is_alone = 0; is_alone < 2; is_alone++)
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            own_end();
            own_begin(is_alone);
            const uint64_t *args = cases[i].args;
            if (raw < 0 && args[0] == (uint64_t)raw) continue; /* it takes a right */
            if (ENTER(cases[i].number, args[0], args[1], args[2]) != cases[i].is_ours) fail_msg("%s", cases[i].name);
            uint64_t cookie = cases[i].fd < 0 ? 0 : own_cookie(cases[i].fd);
            if (own.me->enter.socket.cookie != cookie) fail_msg("%s: another socket", cases[i].name);
            if (own.me->lost_looks || own.me->nameless) fail_msg("%s: nothing was lost", cases[i].name);
            if ((own.me->raw.second != 0) != (cases[i].number == SYS_splice && args[0] == pipe && cases[i].is_ours))
                fail_msg("%s: second", cases[i].name);
        }
    close(stranger);
    if (raw >= 0) close(raw);
}

/* Of a program that was begun without standard input a handle may have the number 0. */
static void a_handle_of_0_is_one(void **state)
{
    (void)state;
    int saved = fcntl(0, F_DUPFD_CLOEXEC, 3);
    close(0);
    bool is_ours = ENTER(SYS_read, (uint64_t)own.client);
    if (saved >= 0) dup2(saved, 0), close(saved);
    assert_true(is_ours);
    assert_int_equal(own.me->enter.socket.cookie, own_cookie(own.client));
    assert_int_equal(own.me->handle, 0);
    own.me->handle = -1; /* standard input again */
}

static void of_sockets_that_are_made_those_of_inet_with_streams_or_datagrams_are_ours(void **state)
{
    (void)state;
    static const struct {
        uint64_t domain, type;
        bool is_ours;
    } cases[] = {
        {AF_INET, SOCK_STREAM, true},
        {AF_INET, SOCK_DGRAM, true},
        {AF_INET6, SOCK_STREAM, true},
        {AF_INET6, SOCK_DGRAM, true},
        {AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, true},
        {AF_INET, SOCK_RAW, false},
        {AF_INET6, SOCK_SEQPACKET, false},
        {AF_UNIX, SOCK_STREAM, false},
        {AF_UNIX, SOCK_DGRAM, false},
        {AF_NETLINK, SOCK_RAW, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (ENTER(SYS_socket, cases[i].domain, cases[i].type) != cases[i].is_ours) fail_msg("case %zu", i);
}

/* What is remembered stands for the socket where nothing of it can have changed. */
static void how_much_of_a_known_socket_is_asked_anew(void **state)
{
    (void)state;
    enum known { FRESH, BOUND, SETTLED };
    static const struct {
        uint8_t state;
        uint16_t local, remote;
    } known[] = {[FRESH] = {KERNEL_CLOSE, 0, 0}, [BOUND] = {KERNEL_STATE_UNKNOWN, 1, 0}, [SETTLED] = {KERNEL_STATE_UNKNOWN, 1, 2}};
    enum answer { NOTHING, STATE, ALL };
    static const struct {
        const char *name;
        long number;
        enum known known;
        bool has_rings;
        enum answer asked;
    } cases[] = {
        {"write, settled", SYS_write, SETTLED, false, NOTHING},
        {"write, bound", SYS_write, BOUND, false, ALL},
        {"write, fresh", SYS_write, FRESH, false, ALL},
        {"accept, fresh", SYS_accept, FRESH, false, ALL},
        {"close, settled", SYS_close, SETTLED, false, STATE},
        {"close, bound", SYS_close, BOUND, false, ALL},
        {"close, fresh", SYS_close, FRESH, false, ALL},
        {"shutdown, settled", SYS_shutdown, SETTLED, false, STATE},
        {"connect, settled", SYS_connect, SETTLED, false, NOTHING},
        {"connect, bound", SYS_connect, BOUND, false, ALL},
        {"connect, fresh", SYS_connect, FRESH, false, NOTHING},
        {"bind, fresh", SYS_bind, FRESH, false, NOTHING},
        {"listen, fresh", SYS_listen, FRESH, false, NOTHING},
        {"setsockopt, fresh", SYS_setsockopt, FRESH, false, NOTHING},
        {"connect, fresh, but a ring may have used it", SYS_connect, FRESH, true, ALL},
        {"close, settled, with a ring", SYS_close, SETTLED, true, STATE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum known of = cases[i].known;
        own_remember(own.client, known[of].state, known[of].local, known[of].remote);
        own.tasks.has_rings = cases[i].has_rings;
        if (!ENTER(cases[i].number, (uint64_t)own.client)) fail_msg("%s", cases[i].name);
        const struct event_socket *seen = &own.me->enter.socket;
        bool is_all = cases[i].asked == ALL;
        if (seen->local.port != (is_all ? own_port(own.client) : known[of].local)) fail_msg("%s: local port", cases[i].name);
        if (seen->remote.port != (is_all ? own_port(own.listener) : known[of].remote)) fail_msg("%s: remote", cases[i].name);
        if (seen->state != (cases[i].asked != NOTHING ? KERNEL_ESTABLISHED : known[of].state)) fail_msg("%s: state", cases[i].name);
        if (seen->unread_bytes != (cases[i].asked != NOTHING ? 3 : 0)) fail_msg("%s: unread", cases[i].name);
    }
}

/* The first call that can begin something with a fresh one is the last that finds it so; an option begins nothing. */
static void a_fresh_socket_is_so_until_it_is_used(void **state)
{
    (void)state;
    own_remember(own.client, KERNEL_CLOSE, 0, 0);
    for (int i = 0; i < 2; i++) {
        assert_true(ENTER(SYS_setsockopt, (uint64_t)own.client));
        assert_int_equal(own.me->enter.socket.state, KERNEL_CLOSE);
    }
    assert_true(ENTER(SYS_bind, (uint64_t)own.client));
    assert_int_equal(own.me->enter.socket.state, KERNEL_CLOSE);
    assert_true(ENTER(SYS_connect, (uint64_t)own.client));
    assert_int_equal(own.me->enter.socket.state, KERNEL_ESTABLISHED);
    /* That one listens stays known. */
    own_remember(own.listener, KERNEL_LISTEN, 1, 0);
    for (int i = 0; i < 2; i++) {
        assert_true(ENTER(SYS_accept, (uint64_t)own.listener));
        assert_int_equal(own.me->enter.socket.local.port, 1);
        assert_int_equal(own.me->enter.socket.state, KERNEL_LISTEN);
    }
}

/* Where it is nobody's but its own, what is behind a descriptor is known until a call changes it. */
static void what_is_behind_a_descriptor_is_known_only_where_nobody_else_changes_it(void **state)
{
    (void)state;
    for (int is_alone = 0; is_alone < 2; is_alone++) {
        own_end();
        own_begin(is_alone);
        int fd = dup(own.pipe[0]);
        assert_false(ENTER(SYS_read, (uint64_t)fd));
        assert_true(ptrace_files_get(own.me, fd) == (is_alone ? PTRACE_SOCKETS_OTHER : 0));
        assert_int_equal(dup2(own.client, fd), fd); /* unseen */
        assert_int_equal(ENTER(SYS_read, (uint64_t)fd), !is_alone);
        close(fd);
    }
    own_end();
    own_begin(true);
    assert_true(ENTER(SYS_read, (uint64_t)own.client));
    assert_true(ptrace_files_get(own.me, own.client) == own_inode(own.client));
}

/* Whose descriptors' names may not be read: a duplicate says what they are. */
static void without_names_a_socket_is_known_by_its_cookie(void **state)
{
    (void)state;
    own.me->nameless = true;
    assert_true(ENTER(SYS_read, (uint64_t)own.client));
    assert_int_equal(own.me->enter.socket.cookie, own_cookie(own.client));
    assert_int_equal(own.me->enter.socket.local.port, own_port(own.client));
    assert_true(ptrace_files_get(own.me, own.client) == (own_cookie(own.client) | PTRACE_SOCKETS_COOKIE));
    assert_false(ENTER(SYS_read, (uint64_t)own.pipe[0]));
    assert_true(ptrace_files_get(own.me, own.pipe[0]) == PTRACE_SOCKETS_OTHER);
    assert_false(ENTER(SYS_read, 10000));
    assert_int_equal(own.me->lost_looks, 0);
    /* Known by that cookie, and settled: it is not asked once more. */
    struct event_socket known = own.me->enter.socket;
    assert_true(ptrace_sockets_find(&own.tasks.sockets, own_cookie(own.client) | PTRACE_SOCKETS_COOKIE, &known));
    known.local.port = 1;
    ptrace_sockets_learn(&own.tasks.sockets, own_cookie(own.client) | PTRACE_SOCKETS_COOKIE, &known);
    for (int is_alone = 0; is_alone < 2; is_alone++) {
        own.me->files.apart = is_alone;
        assert_true(ENTER(SYS_read, (uint64_t)own.client));
        assert_int_equal(own.me->enter.socket.local.port, 1);
    }
}

/* What could not be seen is counted, what is not there is not. */
static void a_look_without_a_descriptor_to_spare_is_counted(void **state)
{
    (void)state;
    struct rlimit before, few;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int next = dup(0);
    close(next);
    few = before, few.rlim_cur = (rlim_t)next;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    assert_false(ENTER(SYS_read, (uint64_t)own.client)); /* no handle of the thread */
    uint32_t without_handle = own.me->lost_looks;
    few.rlim_cur++;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    assert_false(ENTER(SYS_read, (uint64_t)own.client)); /* the handle is kept, and no room for a duplicate left */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(without_handle, 1);
    assert_int_equal(own.me->lost_looks, 2);
    assert_true(ENTER(SYS_read, (uint64_t)own.client));
    own.me->tid = 0x3fffffff; /* there is no such thread */
    assert_false(ENTER(SYS_read, 0));
    own.me->nameless = true;
    close(own.me->handle), own.me->handle = -1, own.tasks.handles--;
    assert_false(ENTER(SYS_read, 0));
    assert_int_equal(own.me->lost_looks, 2);
}

int main(void)
{
#define OWN(test) cmocka_unit_test_setup_teardown(test, own_setup, own_teardown)
    const struct CMUnitTest tests[] = {
        OWN(a_call_is_of_concern_where_its_descriptor_is_a_socket_of_inet),
        OWN(a_handle_of_0_is_one),
        OWN(of_sockets_that_are_made_those_of_inet_with_streams_or_datagrams_are_ours),
        OWN(how_much_of_a_known_socket_is_asked_anew),
        OWN(a_fresh_socket_is_so_until_it_is_used),
        OWN(what_is_behind_a_descriptor_is_known_only_where_nobody_else_changes_it),
        OWN(without_names_a_socket_is_known_by_its_cookie),
        OWN(a_look_without_a_descriptor_to_spare_is_counted),
        OWN(memory_is_read_up_to_what_is_not_there),
        OWN(a_calls_address_is_read_as_far_as_it_says),
        OWN(what_may_not_be_looked_at_is_counted),
        OWN(an_options_value_and_an_epolls_events_are_read),
        OWN(a_connect_that_failed_or_is_under_way_says_whom_it_was_for),
        OWN(only_what_can_have_changed_its_addresses_is_looked_at_again),
        OWN(another_socket_behind_the_number_is_not_the_calls),
        OWN(what_a_call_has_made_is_looked_at_where_it_was_made),
        OWN(what_socket_has_made_need_not_be_asked),
        OWN(of_another_protocol_the_socket_itself_says_what_it_is),
        OWN(an_accepted_one_is_of_its_listeners_protocol),
        OWN(what_dup2_closes_is_told_where_it_has_closed_it),
        OWN(its_network_is_asked_where_it_may_be_another),
        OWN(what_is_its_own_alone_can_wait),
    };
    return cmocka_run_group_tests_name("ptrace_look", tests, NULL, NULL);
}
