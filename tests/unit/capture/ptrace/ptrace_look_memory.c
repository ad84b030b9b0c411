/* What the ptrace recorder reads of the caller's memory where a call begins. */
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "ptrace_look_own.h"

void memory_is_read_up_to_what_is_not_there(void **state)
{
    (void)state;
    enum { PAGE = 4096 };
    static const struct {
        size_t at, wanted, got;
    } cases[] = {
        {0, 0, 0},
        {0, PAGE, PAGE},
        {1, PAGE, PAGE},             /* of two pages */
        {0, 2 * PAGE, 2 * PAGE},     /* to the last byte there is */
        {0, 2 * PAGE + 1, 2 * PAGE}, /* and one behind it */
        {2 * PAGE - 3, 3, 3},
        {2 * PAGE - 3, 4, 3},
        {2 * PAGE, 1, 0},
    };
    uint8_t *memory = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), bytes[3 * PAGE];
    assert_true(memory != MAP_FAILED);
    for (size_t i = 0; i < 2 * PAGE; i++) memory[i] = (uint8_t)(i % 251 + 1);
    assert_int_equal(munmap(memory + 2 * PAGE, PAGE), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(bytes, 0, sizeof(bytes));
        if (ptrace_look_memory(own.me, AT(memory + cases[i].at), bytes, cases[i].wanted) != cases[i].got) fail_msg("case %zu", i);
        assert_memory_equal(bytes, memory + cases[i].at, cases[i].got);
        assert_int_equal(bytes[cases[i].got], 0);
    }
    assert_int_equal(own.me->lost_looks, 0);
    munmap(memory, 2 * PAGE);
}

void a_calls_address_is_read_as_far_as_it_says(void **state)
{
    (void)state;
    struct sockaddr_storage name[2] = {{.ss_family = AF_INET}};
    struct msghdr message = {.msg_name = name, .msg_namelen = 16};
    char path[200];
    memset(path, '/', sizeof(path));
    const struct {
        const char *name;
        long number;
        uint64_t args[6];
        uint32_t bytes;
    } cases[] = {
        {"connect", SYS_connect, {0, AT(name), 16}, 16},
        {"of 128 bytes", SYS_connect, {0, AT(name), 128}, 128},
        {"more than a sockaddr has", SYS_connect, {0, AT(name), 129}, 128},
        {"the length is an int", SYS_connect, {0, AT(name), (1ULL << 32) + 16}, 16},
        {"no address", SYS_connect, {0, 0, 16}, 0},
        {"one that can't be read", SYS_connect, {0, 8, 16}, 0},
        {"sendto", SYS_sendto, {0, 0, 0, 0, AT(name), 28}, 28},
        {"sendmsg", SYS_sendmsg, {0, AT(&message)}, 16},
        {"sendmsg of nothing that can be read", SYS_sendmsg, {0, 8}, 0},
        {"read has none", SYS_read, {0, AT(name), 16}, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint64_t *args = cases[i].args;
        if (!ENTER(cases[i].number, (uint64_t)own.client, args[1], args[2], args[3], args[4], args[5]))
            fail_msg("%s", cases[i].name);
        if (own.me->raw.address_bytes != cases[i].bytes) fail_msg("%s: %u bytes", cases[i].name, own.me->raw.address_bytes);
    }
    (void)ENTER(SYS_execve, AT(path));
    assert_int_equal(own.me->raw.address_bytes, 128);
    (void)ENTER(SYS_execveat, 0, AT(path));
    assert_int_equal(own.me->raw.address_bytes, 128);
}

void an_options_value_and_an_epolls_events_are_read(void **state)
{
    (void)state;
    const int32_t value[3] = {7, 8, 9};
    static const struct {
        bool is_given;
        uint64_t length;
        uint32_t bytes;
    } cases[] = {{true, 4, 4}, {true, 8, 8}, {true, 9, 8}, {true, 12, 8}, {true, 0, 0}, {false, 4, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(
            ENTER(SYS_setsockopt, (uint64_t)own.client, SOL_TCP, TCP_NODELAY, cases[i].is_given ? AT(value) : 0, cases[i].length));
        if (own.me->raw.option_bytes != cases[i].bytes) fail_msg("case %zu: %u bytes", i, own.me->raw.option_bytes);
        if (own.me->raw.option_value[0] != (cases[i].bytes ? 7 : 0)) fail_msg("case %zu: value", i);
    }
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 99};
    assert_true(ENTER(SYS_epoll_ctl, 0, EPOLL_CTL_ADD, (uint64_t)own.client, AT(&event)));
    assert_int_equal(own.me->raw.epoll_events, EPOLLIN);
    assert_int_equal(own.me->raw.epoll_data, 99);
    assert_true(ENTER(SYS_epoll_ctl, 0, EPOLL_CTL_DEL, (uint64_t)own.client, AT(&event)));
    assert_int_equal(own.me->raw.epoll_events, 0);
    assert_int_equal(own.me->raw.epoll_data, 0);
}

/* Another user's process: neither its memory nor the names of its descriptors, and no duplicate of them. */
void what_may_not_be_looked_at_is_counted(void **state)
{
    (void)state;
    char byte;
    int status;
    pid_t parent = getpid();
    assert_int_equal(prctl(PR_SET_DUMPABLE, 0), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        if (getuid() == 0 && setresuid(65534, 65534, 65534)) _exit(1);
        own.me->tid = parent;
        if (ptrace_look_memory(own.me, AT(&byte), &byte, 1) || own.me->lost_looks != 1) _exit(2);
        if (ENTER(SYS_read, (uint64_t)own.client) || !own.me->nameless || own.me->lost_looks != 2) _exit(3);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(prctl(PR_SET_DUMPABLE, 1), 0);
    assert_int_equal(status, 0);
}
