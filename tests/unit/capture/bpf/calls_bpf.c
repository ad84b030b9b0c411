/* The BPF recorder, for real: a child makes connections on the loopback of a network namespace of its own, and what is recorded of
 * it is looked at. Needs the privileges that the recorder needs, and fails without them. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/bpf/calls_bpf.h"

enum { PORT = 3333, CLOSED_PORT = 9, OTHER_PORT = 4444, CONNECTIONS = 100, MS = 1000000 };

/* ---- what the child does ---- */

static void need(int ok)
{
    if (!ok) _exit(99);
}

static void sleep_ms(long ms)
{
    struct timespec time = {.tv_nsec = ms * MS};

    nanosleep(&time, NULL);
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int listening(uint16_t port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    need(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0);
    need(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 8) == 0);
    return fd;
}

static int connected(uint16_t port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    need(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    return fd;
}

static void say_hello_and_close(int listener, int client)
{
    int server = accept(listener, NULL, NULL);
    char byte;

    need(send(client, "hello", 5, 0) == 5);
    need(recv(server, (char[8]){0}, 8, 0) == 5);
    close(client);
    need(read(server, &byte, 1) == 0);
    close(server);
    close(listener);
}

static void talk_once(void)
{
    int listener = listening(PORT);

    say_hello_and_close(listener, connected(PORT));
}

static void talk_once_over_ipv6(void)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(PORT), .sin6_addr = in6addr_loopback};
    int listener = socket(AF_INET6, SOCK_STREAM, 0), client = socket(AF_INET6, SOCK_STREAM, 0);

    need(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(listener, 1) == 0);
    need(connect(client, (struct sockaddr *)&address, sizeof(address)) == 0);
    need(accept(listener, NULL, NULL) >= 0);
}

static void talk_once_over_mptcp(void)
{
    struct sockaddr_in address = loopback(PORT);
    int listener = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP), client = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);

    need(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(listener, 1) == 0);
    need(connect(client, (struct sockaddr *)&address, sizeof(address)) == 0);
    say_hello_and_close(listener, client);
}

static void accept_a_late_client(void)
{
    int listener = listening(PORT);
    pid_t client = fork();

    if (client == 0) {
        sleep_ms(60);
        connected(PORT);
        _exit(0);
    }
    need(accept(listener, NULL, NULL) >= 0);
    waitpid(client, NULL, 0);
}

/* Of this namespace: whether a socket waits for the FIN of its peer at that port, or for the ACK before it; orphans, too. */
static bool waits_for_fin(uint16_t port)
{
    FILE *file = fopen("/proc/self/net/tcp", "re");
    char line[512];
    unsigned peer, state;
    bool waits = false;

    need(file != NULL);
    while (fgets(line, sizeof(line), file))
        if (sscanf(line, "%*u: %*8x:%*4x %*8x:%4x %2x", &peer, &state) == 2 && peer == port)
            waits = waits || state == KERNEL_FIN_WAIT1 || state == KERNEL_FIN_WAIT2;
    fclose(file);
    return waits;
}

static void leave_an_orphan_in_fin_wait_2(void)
{
    int listener = listening(PORT), client = connected(PORT), server = accept(listener, NULL, NULL), seconds = 1;
    char byte;

    need(setsockopt(client, IPPROTO_TCP, 8 /* TCP_LINGER2 */, &seconds, sizeof(seconds)) == 0);
    close(client);
    need(read(server, &byte, 1) == 0);
    /* A busy processor's timers are late; and a row may be passed over where others leave the table meanwhile. */
    for (int gone = 0; gone < 3; sleep_ms(20)) gone = waits_for_fin(PORT) ? 0 : gone + 1;
}

static void connect_to_a_closed_port(void)
{
    struct sockaddr_in address = loopback(CLOSED_PORT);

    need(connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof(address)) == -1 && errno == ECONNREFUSED);
}

static void close_with_unread_bytes(void)
{
    int listener = listening(PORT), client = connected(PORT), server = accept(listener, NULL, NULL);

    need(send(client, "never read", 10, 0) == 10);
    close(server);
}

static void be_killed_with_a_connection(void)
{
    int listener = listening(PORT), server;
    pid_t client = fork();
    char byte;

    if (client == 0) {
        connected(PORT);
        pause();
    }
    server = accept(listener, NULL, NULL);
    kill(client, SIGKILL);
    need(read(server, &byte, 1) == 0);
    waitpid(client, NULL, 0);
}

static void send_a_datagram_to_nobody(void)
{
    struct sockaddr_in address = loopback(CLOSED_PORT);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    char byte;

    need(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && send(fd, "hey", 3, 0) == 3);
    need(recv(fd, &byte, 1, 0) == -1 && errno == ECONNREFUSED);
}

static void poll_two_sockets(void)
{
    int listener = listening(PORT), client = connected(PORT);
    int silent[2];

    need(pipe(silent) == 0);

    struct pollfd list[] = {{listener, POLLIN, 0}, {silent[0], POLLIN, 0}, {client, POLLIN, 0}};

    need(poll(list, 3, 1000) == 1);
}

static void close_by_dup2(void)
{
    int listener = listening(PORT), client = connected(PORT), server = accept(listener, NULL, NULL);
    int other[2];
    char byte;

    need(pipe(other) == 0 && dup2(other[0], client) == client);
    need(read(server, &byte, 1) == 0);
}

/* Out of a pipe into a socket, and a copy of a descriptor by fcntl(2), which is asked for other things, too. */
static void pass_on(void)
{
    int listener = listening(PORT), client = connected(PORT), server = accept(listener, NULL, NULL);
    int ends[2];

    need(pipe(ends) == 0 && write(ends[1], "word", 4) == 4);
    need(splice(ends[0], NULL, client, NULL, 4, 0) == 4);
    need(splice(ends[0], NULL, ends[1], NULL, 4, SPLICE_F_NONBLOCK) < 0);
    need(fcntl(server, F_GETFD) == 0 && fcntl(server, F_DUPFD, 900) == 900 && fcntl(ends[0], F_DUPFD, 910) == 910);
}

static void connect_many_times(void)
{
    int listener = listening(PORT);

    for (int i = 0; i < CONNECTIONS; i++) {
        int client = connected(PORT), server = accept(listener, NULL, NULL);

        need(server >= 0);
        close(client);
        close(server);
    }
}

/* A connect() that has not much time for its answer. */
static void try_to_connect(uint16_t port)
{
    struct sockaddr_in address = loopback(port);
    struct timeval patience = {.tv_usec = 50000};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    need(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0);
    (void)connect(fd, (struct sockaddr *)&address, sizeof(address));
}

static void knock_at_a_socket_that_takes_nothing(void)
{
    struct sock_filter nothing = {.code = BPF_RET | BPF_K, .k = 0};
    struct sock_fprog filter = {.len = 1, .filter = &nothing};
    int listener = listening(PORT);

    need(setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) == 0);
    try_to_connect(PORT);
}

static void knock_at_a_full_listener(void)
{
    struct sockaddr_in address = loopback(PORT);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    need(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(listener, 1) == 0);
    for (int i = 0; i < 3; i++) try_to_connect(PORT);
}

static void send_very_many_datagrams(void)
{
    struct sockaddr_in address = loopback(PORT);
    int receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);

    need(bind(receiver, (struct sockaddr *)&address, sizeof(address)) == 0);
    need(connect(sender, (struct sockaddr *)&address, sizeof(address)) == 0);
    for (int i = 0; i < 8000; i++) need(send(sender, "x", 1, 0) == 1);
}

/* ---- more than a map holds ---- */

enum { ENTRIES_MOST = 64, CROWD = 200 };

static void listen_with_very_many_sockets(void)
{
    int listeners[CROWD];

    for (int i = 0; i < CROWD; i++) {
        listeners[i] = socket(AF_INET, SOCK_STREAM, 0);
        need(listeners[i] >= 0 && listen(listeners[i], 1) == 0);
    }
    for (int i = 0; i < CROWD; i++) close(listeners[i]);
}

static int about_to_wait; /* threads, of the child alone */

static void *wait_for_the_end(void *fd)
{
    char byte;

    __atomic_fetch_add(&about_to_wait, 1, __ATOMIC_RELAXED);
    need(recv(*(int *)fd, &byte, 1, 0) == 0);
    return NULL;
}

static void sleep_in_very_many_threads(void)
{
    pthread_t threads[CROWD];
    int listener = listening(PORT), client = connected(PORT), served = accept(listener, NULL, NULL);

    for (int i = 0; i < CROWD; i++) need(pthread_create(&threads[i], NULL, wait_for_the_end, &client) == 0);
    while (__atomic_load_n(&about_to_wait, __ATOMIC_RELAXED) < CROWD) sleep_ms(1);
    sleep_ms(300); /* now they sleep */
    shutdown(served, SHUT_WR);
    for (int i = 0; i < CROWD; i++) need(pthread_join(threads[i], NULL) == 0);
}

static void have_very_many_children(void)
{
    int gate[2], fd = socket(AF_INET, SOCK_STREAM, 0);
    char byte;

    need(pipe(gate) == 0);
    for (int i = 0; i < CROWD; i++) {
        if (fork()) continue;
        close(gate[1]);
        need(read(gate[0], &byte, 1) == 0);
        _exit(shutdown(fd, SHUT_WR) == 0);
    }
    close(gate[1]);
    while (wait(NULL) > 0) continue;
}

/* ---- recording it ---- */

static void enter_namespace(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd;

    assert_int_equal(unshare(CLONE_NEWNET), 0);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
    close(fd);
}

static uint64_t own_netns(void)
{
    struct stat about;

    assert_int_equal(stat("/proc/self/ns/net", &about), 0);
    return about.st_ino;
}

static struct calls *opened(const struct calls_options *options)
{
    struct calls *calls = NULL;
    struct err err = {{0}};

    if (calls_bpf.open(&calls, options, &err)) fail_msg("%s", err.text);
    return calls;
}

/* A child that waits for one byte on `gate` before it does its part. */
static pid_t child_at_gate(void (*part)(void), int gate[2])
{
    pid_t pid;

    assert_int_equal(pipe(gate), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char byte;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(gate[1]);
        if (read(gate[0], &byte, 1) != 1) _exit(98);
        part();
        _exit(7);
    }
    close(gate[0]);
    return pid;
}

static void gate_open(int gate[2])
{
    assert_int_equal(write(gate[1], "x", 1), 1);
    close(gate[1]);
}

static struct event_log *recorded_with(void (*part)(void), const struct calls_options *options, bool drains)
{
    struct calls *calls = opened(options);
    struct event_log *log = event_log_new();
    struct err err = {{0}};
    int gate[2], status = -1;
    pid_t pid = child_at_gate(part, gate);

    if (calls_bpf.follow(calls, pid, &err)) fail_msg("%s", err.text);
    gate_open(gate);
    if (!drains) {
        siginfo_t info;

        assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    }
    /* By the clock, not by rounds: a busy ring makes rounds short, a busy machine makes the child slow. */
    for (time_t deadline = time(NULL) + 30; time(NULL) < deadline && !calls_bpf.ended(calls, pid, &status);) {
        struct pollfd readable = {calls_bpf.fd(calls), POLLIN, 0};

        poll(&readable, 1, 20);
        if (calls_bpf.drain(calls, log, &err) < 0) fail_msg("%s", err.text);
    }
    sleep_ms(20);
    if (calls_bpf.drain(calls, log, &err) < 0 || calls_bpf.report(calls, log, &err)) fail_msg("%s", err.text);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    calls_bpf.close(calls);
    event_log_sort(log);
    return log;
}

static struct event_log *recorded(void (*part)(void))
{
    struct calls_options options = {.netns = {own_netns()}, .netns_count = 1};

    return recorded_with(part, &options, true);
}

/* ---- looking at it ---- */

typedef bool event_test(const struct event *event, const void *data);

static size_t count_where(const struct event_log *log, event_test *test, const void *data, const struct event **ret_last)
{
    size_t count = 0;

    for (size_t i = 0; i < event_log_count(log); i++) {
        if (!test(event_log_at(log, i), data)) continue;
        *ret_last = event_log_at(log, i);
        count++;
    }
    return count;
}

/* The one event that passes. */
static const struct event *only(const struct event_log *log, event_test *test, const void *data, const char *what)
{
    const struct event *event = NULL;
    size_t count = count_where(log, test, data, &event);

    if (count != 1) fail_msg("%zu events instead of one: %s", count, what);
    return event;
}

struct wanted_mark {
    uint8_t flags;
    uint16_t src, dst; /* 0: any */
};

static bool is_mark(const struct event *event, const void *data)
{
    const struct wanted_mark *wanted = data;
    const struct event_packet_header *header = &event->mark.header;

    return event->kind == EVENT_MARK && header->flags == wanted->flags && (!wanted->src || header->src.port == wanted->src) &&
           (!wanted->dst || header->dst.port == wanted->dst);
}
#define MARK(log, ...) (&only(log, is_mark, &(struct wanted_mark){.flags = __VA_ARGS__}, "mark " #__VA_ARGS__)->mark)

/* The C library makes one of several calls of a function: which, depends on the architecture. */
static bool name_is(const char *name, const char *wanted)
{
    static const char *const same[][2] = {{"accept", "accept4"}, {"poll", "ppoll"}, {"dup2", "dup3"}};

    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        if (strcmp(wanted, same[i][0]) == 0 && strcmp(name, same[i][1]) == 0) return true;
    }
    return strcmp(name, wanted) == 0;
}

static bool is_enter(const struct event *event, const void *name)
{
    return event->kind == EVENT_ENTER && name_is(event->call.name, name);
}
static bool is_exit(const struct event *event, const void *name)
{
    return event->kind == EVENT_EXIT && name_is(event->call.name, name);
}
#define ENTER(log, name) (&only(log, is_enter, name, "enter " name)->call)
#define EXIT(log, name) (&only(log, is_exit, name, "exit " name)->call)

static bool is_state(const struct event *event, const void *data)
{
    const uint8_t *change = data;

    return event->kind == EVENT_STATE && event->state.from == change[0] && event->state.to == change[1];
}
#define STATE(log, ...) (&only(log, is_state, &(uint8_t[2]){__VA_ARGS__}, "state " #__VA_ARGS__)->state)

static bool is_kind(const struct event *event, const void *kind)
{
    return event->kind == *(const enum event_kind *)kind;
}

static bool is_process(const struct event *event, const void *change)
{
    return event->kind == EVENT_PROCESS && event->process.change == *(const uint8_t *)change;
}

static bool is_lost(const struct event *event, const void *what)
{
    return event->kind == EVENT_LOST && strcmp(event->lost.what, what) == 0;
}

static bool chain_has(const struct event_chain *chain, const char *name)
{
    for (size_t i = 0; chain && i < chain->count; i++) {
        if (strcmp(chain->names[i], name) == 0) return true;
    }
    return false;
}

static bool chain_has_call(const struct event_chain *chain, const char *name)
{
    char x86[64], arm[64];

    snprintf(x86, sizeof(x86), "__x64_sys_%s", name);
    snprintf(arm, sizeof(arm), "__arm64_sys_%s", name);
    return chain_has(chain, x86) || chain_has(chain, arm);
}

/* ---- the tests ---- */

static void each_segment_leaves_one_mark_in_the_context_that_made_it(void **state)
{
    struct event_log *log = recorded(talk_once);
    const struct event_mark *syn = MARK(log, TCP_SYN), *syn_ack = MARK(log, TCP_SYN | TCP_ACK);
    const struct event_mark *data = MARK(log, TCP_PSH | TCP_ACK);
    const struct event_mark *client_fin = MARK(log, TCP_FIN | TCP_ACK, .dst = PORT);
    const struct event_mark *server_fin = MARK(log, TCP_FIN | TCP_ACK, .src = PORT);

    (void)state;
    assert_true(chain_has_call(syn->context.chain, "connect"));
    assert_true(chain_has(syn->context.chain, "tcp_connect"));
    assert_false(syn->context.receiving);
    assert_int_equal(syn->netns, own_netns());
    assert_int_equal(syn->interface, 1);

    assert_true(chain_has(syn_ack->context.chain, "tcp_conn_request"));
    assert_true(syn_ack->context.receiving && syn_ack->context.softirq);
    assert_int_equal(syn_ack->context.received.flags, TCP_SYN);
    assert_int_equal(syn_ack->context.received.seq, syn->header.seq);
    assert_int_equal(syn_ack->header.ack, syn->header.seq + 1);
    assert_int_equal(syn_ack->socket.cookie, 0);
    assert_int_equal(syn_ack->socket.state, KERNEL_NEW_SYN_RECV);

    assert_int_equal(data->header.length_bytes, 5);
    assert_int_equal(data->header.seq, syn->header.seq + 1);
    assert_true(chain_has_call(client_fin->context.chain, "close"));
    assert_true(chain_has_call(server_fin->context.chain, "close"));
    assert_true(syn->header.src.port == client_fin->header.src.port);
    event_log_free(log);
}

static void chains_begin_at_the_tracepoint_not_in_the_recorder(void **state)
{
    struct event_log *log = recorded(talk_once);
    const struct event_chain *chain = MARK(log, TCP_SYN)->context.chain;

    (void)state;
    assert_non_null(chain);
    for (size_t i = 0; i < chain->count; i++) {
        assert_null(strstr(chain->names[i], "bpf"));
        assert_true(chain->names[i][0] >= 'A'); /* a name, not an address */
    }
    assert_string_equal(chain->names[0], "__dev_queue_xmit");
    event_log_free(log);
}

static void a_socket_has_one_identity_from_socket_to_its_last_state(void **state)
{
    struct event_log *log = recorded(talk_once);
    uint64_t client = ENTER(log, "connect")->socket.cookie, server = EXIT(log, "accept")->other.cookie;

    (void)state;
    assert_true(client != 0 && server != 0 && client != server);
    assert_int_equal(EXIT(log, "connect")->socket.cookie, client);
    assert_int_equal(MARK(log, TCP_SYN)->socket.cookie, client);
    assert_int_equal(STATE(log, KERNEL_CLOSE, KERNEL_SYN_SENT)->socket.cookie, client);
    assert_int_equal(STATE(log, KERNEL_FIN_WAIT2, KERNEL_CLOSE)->socket.cookie, client);
    assert_int_equal(MARK(log, TCP_FIN | TCP_ACK, .dst = PORT)->socket.cookie, client);
    assert_int_equal(STATE(log, KERNEL_LISTEN, KERNEL_SYN_RECV)->socket.cookie, server);
    assert_int_equal(STATE(log, KERNEL_SYN_RECV, KERNEL_ESTABLISHED)->socket.cookie, server);
    assert_int_equal(MARK(log, TCP_FIN | TCP_ACK, .src = PORT)->socket.cookie, server);
    assert_int_equal(ENTER(log, "accept")->socket.cookie, ENTER(log, "listen")->socket.cookie);
    event_log_free(log);
}

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* Sockets come and go at the same few addresses in the kernel. */
static void sockets_of_many_connections_are_told_apart(void **state)
{
    struct event_log *log = recorded(connect_many_times);
    uint64_t ids[2 * CONNECTIONS + 1];
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < event_log_count(log); i++) {
        const struct event *event = event_log_at(log, i);
        bool makes = is_exit(event, "socket"), takes = is_exit(event, "accept");

        if (!makes && !takes) continue;
        assert_true(count < sizeof(ids) / sizeof(ids[0]));
        ids[count++] = makes ? event->call.socket.cookie : event->call.other.cookie;
    }
    assert_int_equal(count, 2 * CONNECTIONS + 1);
    qsort(ids, count, sizeof(ids[0]), by_value);
    assert_int_not_equal(ids[0], 0);
    for (size_t i = 1; i < count; i++) assert_int_not_equal(ids[i - 1], ids[i]);
    event_log_free(log);
}

static void a_new_child_has_both_addresses_at_once(void **state)
{
    struct event_log *log = recorded(talk_once);
    const struct event_state *born = STATE(log, KERNEL_LISTEN, KERNEL_SYN_RECV);

    (void)state;
    assert_int_equal(born->socket.local.port, PORT);
    assert_int_equal(born->socket.remote.port, MARK(log, TCP_SYN)->header.src.port);
    event_log_free(log);
}

static void a_call_has_its_arguments_and_result(void **state)
{
    struct event_log *log = recorded(talk_once);
    const struct event_call *enter = ENTER(log, "connect"), *exit = EXIT(log, "connect");

    (void)state;
    assert_non_null(strstr(enter->args, "127.0.0.1:3333"));
    assert_int_equal(exit->ret, 0);
    assert_int_equal(exit->fd, enter->fd);
    assert_int_equal(exit->socket.remote.port, PORT);
    assert_int_equal(exit->socket.local.port, MARK(log, TCP_SYN)->header.src.port);
    assert_int_equal(enter->thread.pid, exit->thread.pid);
    assert_int_equal(ENTER(log, "setsockopt")->value[0], 1);
    assert_int_equal(ENTER(log, "listen")->how, 8);
    event_log_free(log);
}

static void bytes_not_read_yet_are_seen_when_a_call_begins(void **state)
{
    struct event_log *log = recorded(talk_once);
    const struct event_call *first = ENTER(log, "recv");

    (void)state;
    assert_true(first->socket.has_unread);
    assert_int_equal(first->socket.unread_bytes, 5);
    /* The FIN that waits behind the last byte is no byte. */
    assert_false(EXIT(log, "recv")->socket.has_unread);
    event_log_free(log);
}

static void ipv6_is_recorded_as_well(void **state)
{
    struct event_log *log = recorded(talk_once_over_ipv6);
    const struct event_mark *syn = MARK(log, TCP_SYN), *syn_ack = MARK(log, TCP_SYN | TCP_ACK);

    (void)state;
    assert_int_equal(syn->header.dst.version, 6);
    assert_int_equal(syn->header.dst.port, PORT);
    assert_int_equal(syn->socket.remote.version, 6);
    assert_int_equal(syn_ack->context.received.src.version, 6);
    assert_true(chain_has(syn->context.chain, "tcp_v6_connect"));
    event_log_free(log);
}

static bool is_wake_of(const struct event *event, const void *tid)
{
    return event->kind == EVENT_WAKE && event->wake.thread.tid == *(const int32_t *)tid;
}

static void a_blocked_accept_is_woken_by_the_handshakes_last_segment(void **state)
{
    struct event_log *log = recorded(accept_a_late_client);
    const struct event_call *accepted = EXIT(log, "accept");
    const struct event_wake *wake = &only(log, is_wake_of, &accepted->thread.tid, "wake of accept")->wake;

    (void)state;
    assert_true(accepted->slept_ns > 30 * MS && accepted->slept_ns < 1000L * MS);
    assert_true(chain_has(wake->context.chain, "sock_def_readable"));
    assert_true(wake->context.receiving);
    assert_int_equal(wake->context.received.flags, TCP_ACK);
    assert_int_equal(wake->context.received.dst.port, PORT);
    assert_int_not_equal(wake->context.current.pid, accepted->thread.pid);
    event_log_free(log);
}

static void a_call_that_found_what_it_wanted_never_slept(void **state)
{
    struct event_log *log = recorded(talk_once);

    (void)state;
    assert_int_equal(EXIT(log, "accept")->slept_ns, 0);
    assert_int_equal(EXIT(log, "recv")->slept_ns, 0);
    event_log_free(log);
}

static bool is_reset(const struct event *event, const void *sent)
{
    return event->kind == EVENT_RESET && event->reset.sent == *(const bool *)sent;
}

/* A descriptor of Multipath TCP leads to a socket that sends nothing: its first subflow does, and is the same to a story. */
static void a_socket_of_multipath_tcp_and_its_first_subflow_have_one_identity(void **state)
{
    int trial = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);

    (void)state;
    if (trial < 0) { /* a kernel without it: then there is nothing to be taken apart */
        assert_int_equal(errno, EPROTONOSUPPORT);
        return;
    }
    close(trial);

    struct event_log *log = recorded(talk_once_over_mptcp);
    const struct event_mark *syn = MARK(log, TCP_SYN);
    const struct event_call *connects = EXIT(log, "connect"), *accepts = EXIT(log, "accept");
    const struct event_state *child = STATE(log, KERNEL_LISTEN, KERNEL_SYN_RECV);

    const struct event *made = NULL; /* the client's own is the second */

    assert_int_equal(count_where(log, is_exit, "socket", &made), 2);
    assert_int_equal(made->call.socket.cookie, syn->socket.cookie);
    assert_int_not_equal(syn->socket.cookie, 0);
    assert_int_equal(ENTER(log, "connect")->socket.cookie, syn->socket.cookie);
    assert_int_equal(connects->socket.cookie, syn->socket.cookie);
    assert_true(address_equal(&connects->socket.remote, &syn->header.dst));
    assert_true(address_equal(&connects->socket.local, &syn->header.src));
    assert_int_equal(EXIT(log, "send")->socket.cookie, syn->socket.cookie);
    assert_int_equal(accepts->other.cookie, child->socket.cookie);
    assert_int_equal(EXIT(log, "recv")->socket.cookie, child->socket.cookie);
    assert_int_not_equal(child->socket.cookie, ENTER(log, "listen")->socket.cookie);
    assert_int_equal(STATE(log, KERNEL_CLOSE, KERNEL_LISTEN)->socket.cookie, ENTER(log, "listen")->socket.cookie);
    event_log_free(log);
}

static void the_timer_of_a_timewait_socket_names_its_connection(void **state)
{
    struct event_log *log = recorded(leave_an_orphan_in_fin_wait_2);
    const enum event_kind kind = EVENT_TIMER;
    const struct event *event = only(log, is_kind, &kind, "timer");
    const struct event_timer *timer = &event->timer;
    const struct event_mark *fin = MARK(log, TCP_FIN | TCP_ACK, .dst = PORT);

    (void)state;
    assert_string_equal(timer->function, "tw_timer_handler");
    assert_int_equal(timer->socket.state, KERNEL_FIN_WAIT2);
    assert_int_equal(timer->netns, own_netns());
    assert_true(address_equal(&timer->socket.local, &fin->header.src));
    assert_true(address_equal(&timer->socket.remote, &fin->header.dst));
    assert_int_equal(timer->socket.cookie, ENTER(log, "connect")->socket.cookie);
    event_log_free(log);
}

static void a_closed_port_answers_with_a_reset_that_no_socket_made(void **state)
{
    struct event_log *log = recorded(connect_to_a_closed_port);
    const struct event_mark *reset = MARK(log, TCP_RST | TCP_ACK);
    const struct event_reset *received = &only(log, is_reset, &(bool){false}, "reset received")->reset;

    (void)state;
    assert_int_equal(reset->socket.cookie, 0);
    assert_int_equal(reset->socket.protocol, 0);
    assert_true(chain_has(reset->context.chain, "tcp_v4_send_reset"));
    assert_int_equal(reset->context.received.flags, TCP_SYN);
    assert_int_equal(received->socket.cookie, ENTER(log, "connect")->socket.cookie);
    assert_int_equal(EXIT(log, "connect")->ret, -ECONNREFUSED);
    event_log_free(log);
}

static void closing_with_unread_bytes_is_an_active_reset_with_its_reason(void **state)
{
    struct event_log *log = recorded(close_with_unread_bytes);
    const struct event_reset *sent = &only(log, is_reset, &(bool){true}, "reset sent")->reset;

    (void)state;
    assert_true(chain_has(MARK(log, TCP_RST | TCP_ACK)->context.chain, "tcp_send_active_reset"));
    assert_int_equal(sent->socket.cookie, EXIT(log, "accept")->other.cookie);
    assert_int_equal(ENTER(log, "close")->socket.unread_bytes, 10);
    /* Linux 6.10 and later give reasons, and have this one. */
    if (sent->reason[0]) assert_string_equal(sent->reason, "TCP_ABORT_ON_CLOSE");
    event_log_free(log);
}

static void what_the_kernel_throws_away_has_its_own_reason(void **state)
{
    struct event_log *log = recorded(knock_at_a_socket_that_takes_nothing);
    const enum event_kind kind = EVENT_DROP;
    const struct event *event = NULL;

    (void)state;
    if (count_where(log, is_lost, "without skb_drop_reason", &event)) { /* before Linux 5.17: it is said that there are none */
        assert_int_equal(count_where(log, is_kind, &kind, &event), 0);
        event_log_free(log);
        return;
    }
    assert_true(count_where(log, is_kind, &kind, &event) >= 1); /* the SYN is sent once, or again */
    assert_string_equal(event->drop.reason, "SOCKET_FILTER");
    assert_int_equal(event->drop.header.flags, TCP_SYN);
    assert_int_equal(event->drop.header.dst.port, PORT);
    assert_int_equal(event->drop.netns, own_netns());
    assert_false(event->drop.outgoing);
    event_log_free(log);
}

static void a_syn_finds_the_queues_of_its_listener_as_they_are(void **state)
{
    static const uint32_t waiting[] = {0, 1, 2}; /* a backlog of 1 lets two wait */
    struct event_log *log = recorded(knock_at_a_full_listener);
    uint64_t listener = ENTER(log, "listen")->socket.cookie;
    uint16_t client = 0;
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; i < event_log_count(log); i++) {
        const struct event *event = event_log_at(log, i);

        if (event->kind != EVENT_QUEUE || event->queue.dropped) continue;
        assert_int_equal(event->queue.header.flags, TCP_SYN);
        assert_int_equal(event->queue.socket.cookie, listener);
        assert_int_equal(event->queue.accept_most, 1);
        if (event->queue.header.src.port == client) continue; /* sent again */
        assert_true(seen < 3);
        assert_int_equal(event->queue.accept_length, waiting[seen++]);
        client = event->queue.header.src.port;
    }
    assert_int_equal(seen, 3);
    event_log_free(log);
}

static void a_killed_process_is_seen_to_end_before_its_fin_leaves(void **state)
{
    struct event_log *log = recorded(be_killed_with_a_connection);
    const struct event *fork = only(log, is_process, &(uint8_t){PROCESS_FORK}, "fork"), *killed = NULL;
    const struct event_mark *fin = MARK(log, TCP_FIN | TCP_ACK, .dst = PORT);

    (void)state;
    for (size_t i = 0; i < event_log_count(log) && !killed; i++) {
        const struct event *event = event_log_at(log, i);

        if (event->kind == EVENT_PROCESS && event->process.change == PROCESS_EXIT) killed = event;
        assert_false(event->kind == EVENT_MARK && event->mark.header.flags & TCP_FIN);
    }
    assert_non_null(killed);
    assert_int_equal(killed->process.signal, SIGKILL);
    assert_int_equal(killed->process.status, -1);
    assert_int_equal(killed->process.thread.pid, fork->process.thread.pid);
    assert_int_not_equal(fork->process.parent, fork->process.thread.pid);
    assert_true(chain_has(fin->context.chain, "do_exit"));
    event_log_free(log);
}

static bool is_mark_of(const struct event *event, const void *protocol)
{
    return event->kind == EVENT_MARK && event->mark.header.protocol == *(const uint8_t *)protocol;
}

static void a_datagram_to_a_closed_port_is_answered_by_icmp(void **state)
{
    struct event_log *log = recorded(send_a_datagram_to_nobody);
    const struct event_mark *datagram = &only(log, is_mark_of, &(uint8_t){IPPROTO_UDP}, "datagram")->mark;
    const struct event_mark *error = &only(log, is_mark_of, &(uint8_t){IPPROTO_ICMP}, "ICMP")->mark;

    (void)state;
    assert_int_equal(datagram->header.length_bytes, 3);
    assert_int_equal(datagram->socket.cookie, ENTER(log, "connect")->socket.cookie);
    assert_int_equal(datagram->socket.protocol, IPPROTO_UDP);
    assert_true(error->context.receiving);
    assert_int_equal(error->context.received.protocol, IPPROTO_UDP);
    assert_int_equal(error->context.received.dst.port, CLOSED_PORT);
    assert_int_equal(error->socket.cookie, 0);
    event_log_free(log);
}

static void poll_says_what_it_watches_and_what_was_ready(void **state)
{
    struct event_log *log = recorded(poll_two_sockets);
    const struct event_call *enter = ENTER(log, "poll"), *exit = EXIT(log, "poll");
    uint64_t listener = ENTER(log, "listen")->socket.cookie;

    (void)state;
    assert_int_equal(enter->watch_count, 2); /* a pipe is no socket */
    assert_int_equal(enter->watch[0].cookie, listener);
    assert_int_equal(enter->watch[0].events, POLLIN);
    assert_int_equal(enter->watch[1].cookie, ENTER(log, "connect")->socket.cookie);
    assert_int_equal(exit->watch_count, 1);
    assert_int_equal(exit->watch[0].cookie, listener);
    assert_int_equal(exit->watch[0].events, POLLIN);
    event_log_free(log);
}

static void dup2_names_the_socket_that_it_closes(void **state)
{
    struct event_log *log = recorded(close_by_dup2);

    (void)state;
    assert_int_equal(EXIT(log, "dup2")->other.cookie, ENTER(log, "connect")->socket.cookie);
    assert_int_equal(EXIT(log, "dup2")->socket.cookie, 0);
    event_log_free(log);
}

static void splice_names_the_socket_and_fcntl_the_one_that_it_copies(void **state)
{
    struct event_log *log = recorded(pass_on);

    (void)state;
    assert_int_equal(EXIT(log, "splice")->socket.cookie, ENTER(log, "connect")->socket.cookie);
    assert_int_equal(ENTER(log, "splice")->how, 1);
    assert_int_equal(EXIT(log, "splice")->how, 1);
    assert_int_equal(EXIT(log, "splice")->fd, ENTER(log, "connect")->fd);
    assert_int_equal(EXIT(log, "fcntl")->ret, 900);
    assert_int_equal(EXIT(log, "fcntl")->socket.cookie, EXIT(log, "accept")->other.cookie);
    event_log_free(log);
}

static void given_ports_leave_others_out_and_other_namespaces_too(void **state)
{
    struct calls_options other_port = {.netns = {own_netns()}, .netns_count = 1, .ports = {OTHER_PORT}, .port_count = 1};
    struct calls_options right_port = {.netns = {own_netns()}, .netns_count = 1, .ports = {OTHER_PORT, PORT}, .port_count = 2};
    struct calls_options other_netns = {.netns = {own_netns() + 1}, .netns_count = 1};
    struct calls_options second_netns = {.netns = {own_netns() + 1, own_netns()}, .netns_count = 2};
    struct event_log *log;
    const struct event *ignored;

    (void)state;
    log = recorded_with(talk_once, &other_port, true);
    assert_int_equal(count_where(log, is_kind, &(enum event_kind){EVENT_MARK}, &ignored), 0);
    assert_int_equal(count_where(log, is_kind, &(enum event_kind){EVENT_STATE}, &ignored), 0);
    assert_non_null(ENTER(log, "connect")); /* calls are recorded all the same */
    event_log_free(log);
    log = recorded_with(talk_once, &other_netns, true);
    assert_int_equal(count_where(log, is_kind, &(enum event_kind){EVENT_MARK}, &ignored), 0);
    event_log_free(log);
    log = recorded_with(talk_once, &second_netns, true);
    assert_non_null(MARK(log, TCP_SYN));
    event_log_free(log);
    log = recorded_with(talk_once, &right_port, true);
    assert_non_null(MARK(log, TCP_SYN));
    event_log_free(log);
}

static void without_stacks_the_context_remains(void **state)
{
    struct calls_options options = {.netns = {own_netns()}, .netns_count = 1, .no_stacks = true};
    struct event_log *log = recorded_with(talk_once, &options, true);
    const struct event_mark *syn_ack = MARK(log, TCP_SYN | TCP_ACK), *syn = MARK(log, TCP_SYN);

    (void)state;
    assert_null(syn_ack->context.chain);
    assert_true(syn_ack->context.receiving);
    assert_int_equal(syn_ack->context.received.flags, TCP_SYN);
    assert_false(syn->context.receiving);
    event_log_free(log);
}

static void a_process_that_is_not_followed_is_not_recorded(void **state)
{
    struct calls *calls = opened(&(struct calls_options){0});
    struct event_log *log = event_log_new();
    struct err err = {{0}};
    int gate[2];
    pid_t pid = child_at_gate(talk_once, gate);

    (void)state;
    gate_open(gate);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(calls_bpf.drain(calls, log, &err), 0);
    calls_bpf.close(calls);
    event_log_free(log);
}

static void a_process_that_is_gone_cannot_be_followed(void **state)
{
    struct calls *calls = opened(&(struct calls_options){0});
    struct err err = {{0}};
    pid_t pid = fork();

    (void)state;
    if (pid == 0) _exit(0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(calls_bpf.follow(calls, pid, &err), -ESRCH);
    assert_true(err.text[0]);
    calls_bpf.close(calls);
}

static void nothing_is_lost_in_a_quiet_run_and_that_is_said(void **state)
{
    struct event_log *log = recorded(talk_once);
    const struct event *ignored;
    const struct event_lost *lost = &only(log, is_lost, "ring full", "lost")->lost;

    (void)state;
    assert_string_equal(lost->source, "bpf");
    assert_int_equal(lost->count, 0);
    assert_int_equal(lost->received, event_log_count(log) - count_where(log, is_kind, &(enum event_kind){EVENT_LOST}, &ignored));
    event_log_free(log);
}

static void a_full_ring_is_counted(void **state)
{
    struct calls_options options = {0};
    struct event_log *log = recorded_with(send_very_many_datagrams, &options, false);
    const struct event_lost *lost = &only(log, is_lost, "ring full", "lost")->lost;

    (void)state;
    assert_true(lost->count > 1000);
    assert_true(lost->received > 1000);
    event_log_free(log);
}

static struct event_log *recorded_crowd(void (*part)(void))
{
    struct calls_options options = {.netns = {own_netns()}, .netns_count = 1, .entries_most = ENTRIES_MOST};

    return recorded_with(part, &options, true);
}

/* Some are pushed out a little before a map is full. */
static void assert_pushed_out(const struct event_log *log, const char *what)
{
    uint64_t count = only(log, is_lost, what, "lost")->lost.count;

    if (count < CROWD - ENTRIES_MOST - 8 || count > 3 * CROWD) fail_msg("%llu %s", (unsigned long long)count, what);
}

static void a_socket_that_was_pushed_out_is_counted_and_never_another_one(void **state)
{
    struct event_log *log = recorded_crowd(listen_with_very_many_sockets);
    uint64_t made[1024] = {0}, ids[CROWD]; /* by descriptor: the recorder has some, too */
    size_t count = 0, closed = 0;

    (void)state;
    assert_pushed_out(log, "sockets not told apart");
    for (size_t i = 0; i < event_log_count(log); i++) {
        const struct event *event = event_log_at(log, i);

        if (is_exit(event, "socket") && count < CROWD && event->call.ret < 1024)
            made[event->call.ret] = ids[count++] = event->call.socket.cookie;
        if (!is_enter(event, "close")) continue;
        closed++;
        assert_int_equal(event->call.socket.cookie, made[event->call.fd]);
    }
    assert_int_equal(closed, CROWD);
    assert_int_equal(count, CROWD);
    qsort(ids, count, sizeof(ids[0]), by_value);
    for (size_t i = 1; i < count; i++) assert_int_not_equal(ids[i - 1], ids[i]);
    event_log_free(log);
}

static void a_call_that_was_pushed_out_is_counted_and_has_no_end(void **state)
{
    struct event_log *log = recorded_crowd(sleep_in_very_many_threads);
    size_t begun = 0, ended = 0;

    (void)state;
    assert_pushed_out(log, "calls whose end was not seen");
    for (size_t i = 0; i < event_log_count(log); i++) {
        const struct event *event = event_log_at(log, i);

        if (is_enter(event, "recv")) begun++;
        if (!is_exit(event, "recv")) continue;
        ended++;
        assert_int_equal(event->call.ret, 0);
    }
    assert_int_equal(begun, CROWD);
    assert_true(ended > 0 && ended <= ENTRIES_MOST);
    event_log_free(log);
}

static void a_process_that_was_pushed_out_is_counted_and_tells_nothing(void **state)
{
    struct event_log *log = recorded_crowd(have_very_many_children);
    const struct event *ignored;
    size_t calls = count_where(log, is_enter, "shutdown", &ignored);

    (void)state;
    assert_pushed_out(log, "processes no longer followed");
    assert_true(calls > 0 && calls <= ENTRIES_MOST);
    event_log_free(log);
}

/* ---- without the privilege ---- */

/* Opens in a child that `drops` something first; the child's exit status is 0 when it is refused with a sentence that has `word`,
 * and a long story.
 */
static int refusal(void (*drops)(void), const char *word)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        struct calls *calls = NULL;
        struct err err = {{0}};
        int result;

        drops();
        result = calls_bpf.open(&calls, &(struct calls_options){0}, &err);
        if (!strstr(err.text, word) || !*err_long_story(&err)) fprintf(stderr, "%d: %s\n", result, err.text);
        _exit(result != -EPERM ? 1 : !strstr(err.text, word) ? 2 : !*err_long_story(&err) ? 3 : 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

static void become_nobody(void)
{
    need(setgid(65534) == 0 && setuid(65534) == 0);
}
static void become_root_of_a_user_namespace(void)
{
    become_nobody();
    need(unshare(CLONE_NEWUSER) == 0);
}

static void an_ordinary_user_is_told_which_privilege_is_missing(void **state)
{
    (void)state;
    assert_int_equal(refusal(become_nobody, "CAP_BPF"), 0);
    assert_int_equal(refusal(become_nobody, "CAP_PERFMON"), 0);
}

static void root_of_a_user_namespace_is_told_that_this_is_it(void **state)
{
    (void)state;
    assert_int_equal(refusal(become_root_of_a_user_namespace, "user namespace"), 0);
}

static int group_setup(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        fprintf(stderr, "the BPF recorder can only be tested as root\n");
        return -1;
    }
    enter_namespace();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_segment_leaves_one_mark_in_the_context_that_made_it),
        cmocka_unit_test(chains_begin_at_the_tracepoint_not_in_the_recorder),
        cmocka_unit_test(a_socket_has_one_identity_from_socket_to_its_last_state),
        cmocka_unit_test(sockets_of_many_connections_are_told_apart),
        cmocka_unit_test(a_new_child_has_both_addresses_at_once),
        cmocka_unit_test(a_call_has_its_arguments_and_result),
        cmocka_unit_test(bytes_not_read_yet_are_seen_when_a_call_begins),
        cmocka_unit_test(ipv6_is_recorded_as_well),
        cmocka_unit_test(a_blocked_accept_is_woken_by_the_handshakes_last_segment),
        cmocka_unit_test(a_call_that_found_what_it_wanted_never_slept),
        cmocka_unit_test(a_socket_of_multipath_tcp_and_its_first_subflow_have_one_identity),
        cmocka_unit_test(the_timer_of_a_timewait_socket_names_its_connection),
        cmocka_unit_test(a_closed_port_answers_with_a_reset_that_no_socket_made),
        cmocka_unit_test(closing_with_unread_bytes_is_an_active_reset_with_its_reason),
        cmocka_unit_test(what_the_kernel_throws_away_has_its_own_reason),
        cmocka_unit_test(a_syn_finds_the_queues_of_its_listener_as_they_are),
        cmocka_unit_test(a_killed_process_is_seen_to_end_before_its_fin_leaves),
        cmocka_unit_test(a_datagram_to_a_closed_port_is_answered_by_icmp),
        cmocka_unit_test(poll_says_what_it_watches_and_what_was_ready),
        cmocka_unit_test(dup2_names_the_socket_that_it_closes),
        cmocka_unit_test(splice_names_the_socket_and_fcntl_the_one_that_it_copies),
        cmocka_unit_test(given_ports_leave_others_out_and_other_namespaces_too),
        cmocka_unit_test(without_stacks_the_context_remains),
        cmocka_unit_test(a_process_that_is_not_followed_is_not_recorded),
        cmocka_unit_test(a_process_that_is_gone_cannot_be_followed),
        cmocka_unit_test(nothing_is_lost_in_a_quiet_run_and_that_is_said),
        cmocka_unit_test(a_full_ring_is_counted),
        cmocka_unit_test(a_socket_that_was_pushed_out_is_counted_and_never_another_one),
        cmocka_unit_test(a_call_that_was_pushed_out_is_counted_and_has_no_end),
        cmocka_unit_test(a_process_that_was_pushed_out_is_counted_and_tells_nothing),
        cmocka_unit_test(an_ordinary_user_is_told_which_privilege_is_missing),
        cmocka_unit_test(root_of_a_user_namespace_is_told_that_this_is_it),
    };

    return cmocka_run_group_tests(tests, group_setup, NULL);
}
