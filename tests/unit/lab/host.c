/* Each test makes its host in a child process: a network namespace can't be left again. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lab/network/host.h"
#include "support/lab_child.h"

static int loopback_is_up(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    int up = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP);
    if (fd >= 0) close(fd);
    return up;
}

/* A listener on a port the kernel chooses; false where that failed. */
static int listener(int *ret_fd, struct sockaddr_in *ret_address)
{
    socklen_t length = sizeof(*ret_address);
    *ret_address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    *ret_fd = socket(AF_INET, SOCK_STREAM, 0);
    return *ret_fd >= 0 && bind(*ret_fd, (struct sockaddr *)ret_address, length) == 0 && listen(*ret_fd, 5) == 0 &&
           getsockname(*ret_fd, (struct sockaddr *)ret_address, &length) == 0;
}

static int private_body(void)
{
    struct err err = {""};
    enum host_kind kind = HOST_SHARED;
    uint64_t before = host_netns();
    HOLDS(before != 0);
    HOLDS(host_make_private(&kind, &err) == 0);
    HOLDS(host_netns() != 0 && host_netns() != before);
    HOLDS(loopback_is_up());
    HOLDS(kind == (geteuid() == 0 ? HOST_PRIVATE : HOST_PRIVATE_USER));
    return 0;
}
static void a_private_host_has_its_own_network_with_loopback_up(void **state)
{
    (void)state;
    assert_int_equal(in_child(private_body), 0);
}

static int ordinary_body(void)
{
    uid_t uid = geteuid() == 0 ? NOBODY : geteuid();
    if (geteuid() == 0) {
        HOLDS(setresgid(NOBODY, NOBODY, NOBODY) == 0);
        HOLDS(setresuid(NOBODY, NOBODY, NOBODY) == 0);
        HOLDS(prctl(PR_SET_DUMPABLE, 1) == 0); /* or /proc/self belongs to root after the change */
    }
    HOLDS(private_body() == 0);
    HOLDS(geteuid() == uid); /* not turned into a root of the namespace */
    /* What a capture needs there. */
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    HOLDS(fd >= 0);
    close(fd);
    return 0;
}
static void an_ordinary_user_gets_a_private_host_and_keeps_the_uid(void **state)
{
    (void)state;
    assert_int_equal(in_child(ordinary_body), 0);
}

/* A container's seccomp filter in small: unshare(2) is refused. */
static int refuse_unshare(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof(program) / sizeof(program[0]), program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}
static int refused_body(void)
{
    struct err err = {""};
    enum host_kind kind;
    uint64_t before = host_netns();
    HOLDS(refuse_unshare());
    HOLDS(host_make_private(&kind, &err) == -EPERM);
    HOLDS(strstr(err_long_story(&err), "CAP_SYS_ADMIN"));
    HOLDS(strstr(err_long_story(&err), "unshare(CLONE_NEWUSER|CLONE_NEWNET)"));
    HOLDS(strstr(err.text, "seccomp") || strstr(err.text, "sysctl")); /* a sysctl that refuses too is named first */
    HOLDS(host_netns() == before);
    return 0;
}
static void where_it_is_refused_the_sentence_says_by_whom_and_the_network_stays(void **state)
{
    (void)state;
    assert_int_equal(in_child(refused_body), 0);
}

static int active_body(void)
{
    struct err err = {""};
    enum host_kind kind;
    struct sockaddr_in address, mine;
    socklen_t length = sizeof(mine);
    int listening, ours, theirs;
    HOLDS(host_make_private(&kind, &err) == 0);
    HOLDS(listener(&listening, &address));
    uint16_t port = ntohs(address.sin_port);
    HOLDS(!host_has_active_socket(port)); /* a listener alone sends nothing */
    HOLDS((ours = socket(AF_INET, SOCK_STREAM, 0)) >= 0);
    HOLDS(connect(ours, (struct sockaddr *)&address, sizeof(address)) == 0);
    HOLDS(getsockname(ours, (struct sockaddr *)&mine, &length) == 0);
    HOLDS(host_has_active_socket(port));
    HOLDS(host_has_active_socket(ntohs(mine.sin_port)));
    HOLDS(!host_has_active_socket(1));
    HOLDS((theirs = accept(listening, NULL, NULL)) >= 0);
    close(listening);
    close(ours); /* FIN_WAIT_2 now: the other FIN is still to come */
    HOLDS(host_has_active_socket(port));
    close(theirs); /* nothing but TIME_WAIT is left */
    HOLDS(!host_has_active_socket(port));
    return 0;
}
static void a_socket_is_active_until_only_time_wait_is_left(void **state)
{
    (void)state;
    assert_int_equal(in_child(active_body), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_private_host_has_its_own_network_with_loopback_up),
        cmocka_unit_test(an_ordinary_user_gets_a_private_host_and_keeps_the_uid),
        cmocka_unit_test(where_it_is_refused_the_sentence_says_by_whom_and_the_network_stays),
        cmocka_unit_test(a_socket_is_active_until_only_time_wait_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
