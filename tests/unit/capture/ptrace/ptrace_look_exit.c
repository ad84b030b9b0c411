/* What the ptrace recorder sees where a call ends. */
#include <errno.h>
#include <string.h>

#include "ptrace_look_own.h"

static int made(int type, int protocol)
{
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, protocol);
    assert_true(fd >= 0);
    return fd;
}

void a_connect_that_failed_or_is_under_way_says_whom_it_was_for(void **state)
{
    (void)state;
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(0xc0000201)}, any = peer,
                       none = peer;
    any.sin_addr.s_addr = 0;
    none.sin_family = AF_UNSPEC;
    const struct {
        const char *name;
        long number;
        const struct sockaddr_in *address;
        bool is_connected;
        uint16_t remote;
    } cases[] = {
        {"connect that failed", SYS_connect, &peer, false, 80},
        {"to any address", SYS_connect, &any, false, 0},
        {"that dissolves", SYS_connect, &none, false, 0},
        {"bind says where it is itself", SYS_bind, &peer, false, 0},
        {"a connected one says it itself", SYS_connect, &peer, true, own_port(own.listener)},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = made(SOCK_STREAM, 0);
        assert_true(
            ENTER(cases[i].number, (uint64_t)(cases[i].is_connected ? own.client : fd), AT(cases[i].address), sizeof(peer)));
        struct event_call call = own_exit(-ECONNREFUSED);
        if (call.socket.remote.port != cases[i].remote) fail_msg("%s: %u", cases[i].name, call.socket.remote.port);
        if (call.ret != -ECONNREFUSED || call.slept_ns != -1) fail_msg("%s: its end", cases[i].name);
        close(fd);
        own_end(), own_begin(true);
    }
}

void only_what_can_have_changed_its_addresses_is_looked_at_again(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        long number;
        bool is_settled, looks;
    } cases[] = {
        {"write", SYS_write, true, false},
        {"write, not settled", SYS_write, false, true},
        {"connect", SYS_connect, true, true},
        {"bind", SYS_bind, true, false},
        {"listen", SYS_listen, true, true},
        {"shutdown", SYS_shutdown, true, true},
        {"close", SYS_close, true, false},
        {"close, not settled", SYS_close, false, false},
        {"accept", SYS_accept, true, false},
        {"dup3", SYS_dup3, true, false},
        {"dup3, not settled", SYS_dup3, false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        own_remember(own.client, KERNEL_STATE_UNKNOWN, 1, 2);
        assert_true(ENTER(cases[i].number, (uint64_t)own.client, 10000));
        own.me->enter.socket.has_unread = true, own.me->enter.socket.unread_bytes = 4; /* as it was */
        own.me->enter.socket.local.port = 1;
        own.me->enter.socket.remote.port = cases[i].is_settled ? 2 : 0;
        struct event_call call = own_exit(-1);
        if ((call.socket.local.port == own_port(own.client)) != cases[i].looks)
            fail_msg("%s: %u", cases[i].name, call.socket.local.port);
        if (!call.socket.has_unread || call.socket.unread_bytes != 4) fail_msg("%s: what was unread", cases[i].name);
        if (call.watch_count || call.watch_total || call.args[0] || call.watch[0].cookie)
            fail_msg("%s: of its beginning", cases[i].name);
        own_end(), own_begin(true);
    }
}

/* Another thread has put it there while the call was under way. */
void another_socket_behind_the_number_is_not_the_calls(void **state)
{
    (void)state;
    own.me->files.shared = true;
    int fd = dup(own.client);
    assert_true(ENTER(SYS_shutdown, (uint64_t)fd));
    assert_int_equal(dup2(own.server, fd), fd);
    struct event_call call = own_exit(0);
    assert_int_equal(call.socket.cookie, own_cookie(own.client));
    assert_int_equal(call.socket.local.port, own_port(own.client));
    assert_true(ENTER(SYS_shutdown, (uint64_t)fd));
    assert_int_equal(dup2(own.pipe[0], fd), fd);
    call = own_exit(0);
    assert_int_equal(call.socket.cookie, own_cookie(own.server));
    close(fd);
}

void what_a_call_has_made_is_looked_at_where_it_was_made(void **state)
{
    (void)state;
    int saved = dup(0), fd = made(SOCK_STREAM, 0);
    assert_int_equal(dup2(fd, 0), 0); /* 0 is a descriptor as well */
    assert_true(ENTER(SYS_socket, AF_INET, SOCK_STREAM));
    struct event_call call = own_exit(0);
    assert_int_equal(call.socket.cookie, own_cookie(fd));
    assert_int_equal(call.other.cookie, 0);
    assert_true(ENTER(SYS_socket, AF_INET, SOCK_STREAM));
    call = own_exit(-EMFILE);
    assert_int_equal(call.socket.cookie, 0);
    assert_true(ENTER(SYS_accept, (uint64_t)own.listener));
    call = own_exit(own.server);
    assert_int_equal(call.socket.cookie, own_cookie(own.listener));
    assert_int_equal(call.other.cookie, own_cookie(own.server));
    assert_true(ENTER(SYS_read, (uint64_t)own.client));
    call = own_exit(own.server); /* bytes, and no descriptor */
    assert_int_equal(call.other.cookie, 0);
    if (saved >= 0) dup2(saved, 0), close(saved);
    close(fd);
}

/* Here what is behind the descriptor is another kind than what the call says: who believes the call does not find that out. */
void what_socket_has_made_need_not_be_asked(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int type, protocol;
        bool is_alone;
        int behind;
        uint8_t told, state;
    } cases[] = {
        {"streams", SOCK_STREAM, 0, true, SOCK_DGRAM, IPPROTO_TCP, KERNEL_CLOSE},
        {"with flags", SOCK_STREAM | SOCK_NONBLOCK, 0, true, SOCK_DGRAM, IPPROTO_TCP, KERNEL_CLOSE},
        {"TCP by name", SOCK_STREAM, IPPROTO_TCP, true, SOCK_DGRAM, IPPROTO_TCP, KERNEL_CLOSE},
        {"datagrams", SOCK_DGRAM, 0, true, SOCK_STREAM, IPPROTO_UDP, KERNEL_STATE_UNKNOWN},
        {"UDP by name", SOCK_DGRAM, IPPROTO_UDP, true, SOCK_STREAM, IPPROTO_UDP, KERNEL_STATE_UNKNOWN},
        {"others may have put it there", SOCK_STREAM, 0, false, SOCK_DGRAM, IPPROTO_UDP, KERNEL_STATE_UNKNOWN},
        {"and datagrams", SOCK_DGRAM, 0, false, SOCK_STREAM, IPPROTO_TCP, KERNEL_CLOSE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        own_end(), own_begin(cases[i].is_alone);
        int fd = made(cases[i].behind, 0);
        assert_true(ENTER(SYS_socket, AF_INET, (uint64_t)cases[i].type, (uint64_t)cases[i].protocol));
        struct event_call call = own_exit(fd);
        if (call.socket.protocol != cases[i].told) fail_msg("%s: protocol %u", cases[i].name, call.socket.protocol);
        if (call.socket.state != cases[i].state) fail_msg("%s: state %u", cases[i].name, call.socket.state);
        if (call.socket.cookie != own_cookie(fd)) fail_msg("%s: cookie", cases[i].name);
        /* What was seen to be made is fresh until its next call; what only looks so may have begun something. */
        if (cases[i].told == IPPROTO_TCP) {
            assert_int_equal(listen(fd, 1) == 0, cases[i].behind == SOCK_STREAM);
            assert_true(ENTER(SYS_listen, (uint64_t)fd));
            if (own.me->enter.socket.state != (cases[i].is_alone ? KERNEL_CLOSE : KERNEL_LISTEN))
                fail_msg("%s: fresh", cases[i].name);
        }
        close(fd);
    }
}

/* SCTP, MPTCP, UDP-Lite: by its type alone it would be taken for TCP or UDP. */
void of_another_protocol_the_socket_itself_says_what_it_is(void **state)
{
    (void)state;
    static const struct {
        int type, protocol, behind;
    } cases[] = {
        {SOCK_STREAM, IPPROTO_SCTP, SOCK_DGRAM},
        {SOCK_STREAM, IPPROTO_UDP, SOCK_DGRAM},
        {SOCK_DGRAM, IPPROTO_UDPLITE, SOCK_STREAM},
        {SOCK_DGRAM, IPPROTO_TCP, SOCK_STREAM},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = made(cases[i].behind, 0);
        assert_true(ENTER(SYS_socket, AF_INET, (uint64_t)cases[i].type, (uint64_t)cases[i].protocol));
        struct event_call call = own_exit(fd);
        if (call.socket.protocol != (cases[i].behind == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP)) fail_msg("case %zu", i);
        close(fd);
        own_end(), own_begin(true);
    }
}

void an_accepted_one_is_of_its_listeners_protocol(void **state)
{
    (void)state;
    int fd = made(SOCK_DGRAM, 0);
    for (int is_alone = 0; is_alone < 2; is_alone++) {
        own_end(), own_begin(is_alone);
        assert_true(ENTER(SYS_accept, (uint64_t)own.listener));
        struct event_call call = own_exit(fd);
        assert_int_equal(call.other.protocol, is_alone ? IPPROTO_TCP : IPPROTO_UDP);
        assert_true(ENTER(SYS_accept, (uint64_t)own.listener));
        call = own_exit(own.server); /* its addresses are its own */
        assert_int_equal(call.other.remote.port, own_port(own.client));
        assert_int_equal(call.other.state, KERNEL_ESTABLISHED);
    }
    close(fd);
}

void what_dup2_closes_is_told_where_it_has_closed_it(void **state)
{
    (void)state;
    const struct {
        int from, to;
        int64_t ret;
        int closed; /* -1: none */
    } cases[] = {
        {own.pipe[0], own.client, own.client, own.client}, {own.server, own.client, own.client, own.client},
        {own.server, own.client, 0, own.client},           {own.server, own.client, -EBADF, -1},
        {own.client, own.client, own.client, -1}, /* onto itself: it stays open */
        {own.client, own.pipe[0], own.pipe[0], -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        own_end(), own_begin(true);
        own_remember(own.client, KERNEL_STATE_UNKNOWN, 1, 2); /* the one that goes is asked all the same */
        assert_true(ENTER(SYS_dup3, (uint64_t)cases[i].from, (uint64_t)cases[i].to));
        struct event_call call = own_exit(cases[i].ret);
        if (call.other.cookie != (cases[i].closed < 0 ? 0 : own_cookie(cases[i].closed))) fail_msg("case %zu", i);
        if (call.other.unread_bytes != (cases[i].closed < 0 ? 0 : 3)) fail_msg("case %zu: unread", i);
        if (cases[i].closed >= 0 && call.other.state != KERNEL_ESTABLISHED) fail_msg("case %zu: state", i);
    }
}

void its_network_is_asked_where_it_may_be_another(void **state)
{
    (void)state;
    uint64_t here = sockinfo_network(own.client);
    int fd = made(SOCK_STREAM, 0);
    for (int is_at_home = 0; is_at_home < 2; is_at_home++) {
        own_end(), own_begin(true);
        own.me->at_home = is_at_home;
        assert_true(ENTER(SYS_socket, AF_INET, SOCK_STREAM));
        (void)own_exit(fd);
        assert_true(own.me->network == (is_at_home ? 0 : here));
        assert_true(ENTER(SYS_read, (uint64_t)own.client));
        assert_true(own.me->network == 0);
        assert_true(ENTER(SYS_accept, (uint64_t)own.listener));
        (void)own_exit(own.server);
        assert_true(own.me->network == 0);
        assert_true(ENTER(SYS_socket, AF_INET, SOCK_STREAM));
        (void)own_exit(own.pipe[0]); /* another thread's */
        assert_true(own.me->network == 0);
        int stranger = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(ENTER(SYS_socket, AF_INET, SOCK_STREAM));
        own.me->files.shared = true;
        (void)own_exit(stranger);
        assert_true(own.me->network == 0);
        close(stranger);
    }
    close(fd);
}

void what_is_its_own_alone_can_wait(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        long number;
        bool is_alone, is_at_home, can_wait;
    } cases[] = {
        {"write", SYS_write, true, false, true},
        {"write, where others change descriptors", SYS_write, false, false, false},
        {"accept", SYS_accept, true, false, true},
        {"socket at home", SYS_socket, true, true, true},
        {"socket elsewhere: it stands still while others enter", SYS_socket, true, false, false},
        {"socket at home, where others change descriptors", SYS_socket, false, true, false},
        {"ppoll: its memory is read", SYS_ppoll, true, true, false},
        {"pselect6", SYS_pselect6, true, true, false},
        {"epoll_pwait", SYS_epoll_pwait, true, true, false},
        {"close_range", SYS_close_range, true, true, false},
        {"execve", SYS_execve, true, true, false},
        {"execveat", SYS_execveat, true, true, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        own_end(), own_begin(cases[i].is_alone);
        own.me->row = syscall_find(cases[i].number);
        own.me->at_home = cases[i].is_at_home;
        if (ptrace_look_can_wait(own.me) != cases[i].can_wait) fail_msg("%s", cases[i].name);
    }
}
