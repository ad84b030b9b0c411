/* Each test makes its network in a child process, as this user and as an ordinary one. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "lab/network/network.h"
#include "support/lab_child.h"
#include "support/sleeper.h"

static struct err err;

static bool read_sysctl(const char *path, char *text, size_t bytes)
{
    FILE *file = fopen(path, "re");
    bool read = file && fgets(text, (int)bytes, file);
    if (file) fclose(file);
    return read;
}

/* Whether a file of /proc has a line with all of these words. */
static bool has_line(const char *path, const char *one, const char *two, const char *three)
{
    char line[512];
    bool found = false;
    FILE *file = fopen(path, "re");
    while (file && !found && fgets(line, sizeof(line), file)) found = strstr(line, one) && strstr(line, two) && strstr(line, three);
    if (file) fclose(file);
    return found;
}

static int interface_flags(const char *name)
{
    struct ifreq request = {.ifr_name = ""};
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    int flags = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0 ? request.ifr_flags : -1;
    if (fd >= 0) close(fd);
    return flags;
}

static int feature(const char *name, uint32_t command)
{
    struct ethtool_value value = {.cmd = command};
    struct ifreq request = {.ifr_data = (char *)&value};
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    int is = fd >= 0 && ioctl(fd, SIOCETHTOOL, &request) == 0 ? (int)value.data : -1;
    if (fd >= 0) close(fd);
    return is;
}

static int two_hosts_body(void)
{
    struct network *network;
    uint64_t before = host_netns();
    if (network_open(&network, NULL, &err)) fprintf(stderr, "%s\n", err.text);
    HOLDS(network != NULL);
    uint64_t home = host_netns();
    HOLDS(network_kind(network) == (geteuid() == 0 ? HOST_PRIVATE : HOST_PRIVATE_USER));
    HOLDS((network_kind(network) == HOST_PRIVATE) == (home == before));
    for (int place = 0; place < NETWORK_PLACES; place++) {
        struct stat status;
        uint64_t netns = network_netns(network, (enum network_place)place);
        HOLDS(network_enter(network, (enum network_place)place, &err) == 0);
        HOLDS(host_netns() == netns && netns != home);
        HOLDS(interface_flags("lo") & IFF_UP);
        HOLDS(fstat(network_fd(network, (enum network_place)place), &status) == 0 && status.st_ino == netns);
        HOLDS(network_leave(network, &err) == 0);
        HOLDS(host_netns() == home);
        for (int other = 0; other < place; other++) HOLDS(network_netns(network, (enum network_place)other) != netns);
    }
    network_close(network);
    network_close(NULL);
    return 0;
}

static int host_interface_body(void)
{
    struct network *network;
    HOLDS(network_open(&network, NULL, &err) == 0);
    static const uint32_t features[] = {ETHTOOL_GTXCSUM, ETHTOOL_GTSO, ETHTOOL_GGSO, ETHTOOL_GGRO};
    for (enum network_place place = NETWORK_CLIENT; place <= NETWORK_SERVER; place++) {
        bool client = place == NETWORK_CLIENT;
        HOLDS(network_enter(network, place, &err) == 0);
        HOLDS(interface_flags("eth0") & IFF_UP);
        for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) HOLDS(feature("eth0", features[i]) == 0);
        HOLDS(has_line("/proc/self/net/arp", client ? "192.0.2.2 " : "192.0.2.1 ", "0x6", "eth0")); /* ATF_COM | ATF_PERM */
        HOLDS(has_line("/proc/self/net/if_inet6", client ? "20010db8000000000000000000000001" : "20010db8000000000000000000000002",
                       " 40 00 ", "eth0"));
        HOLDS(!has_line("/proc/self/net/if_inet6", "fe80", "", "eth0"));
        /* A listener on a low port: no privilege is needed in one's own network. */
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80)};
        inet_pton(AF_INET, client ? NETWORK_CLIENT_V4 : NETWORK_SERVER_V4, &address.sin_addr);
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        HOLDS(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
        close(fd);
        HOLDS(network_leave(network, &err) == 0);
    }
    HOLDS(network_enter(network, NETWORK_WIRE, &err) == 0);
    HOLDS(interface_flags("client") & IFF_UP);
    HOLDS(interface_flags("server") & IFF_UP);
    HOLDS(!has_line("/proc/self/net/if_inet6", "", "", "client"));
    network_close(network);
    return 0;
}

static int sysctl_body(void)
{
    struct network *network;
    char text[32] = "";
    HOLDS(network_open(&network, NULL, &err) == 0);
    uint64_t home = host_netns();
    HOLDS(network_sysctl(network, NETWORK_SERVER, "net.ipv4.tcp_syncookies", "2", &err) == 0);
    HOLDS(network_sysctl(network, NETWORK_CLIENT, "net.ipv4.conf.eth0.forwarding", "1", &err) == 0);
    HOLDS(host_netns() == home);
    HOLDS(network_enter(network, NETWORK_SERVER, &err) == 0);
    HOLDS(read_sysctl("/proc/sys/net/ipv4/tcp_syncookies", text, sizeof(text)) && strcmp(text, "2\n") == 0);
    HOLDS(network_leave(network, &err) == 0 && network_enter(network, NETWORK_CLIENT, &err) == 0);
    HOLDS(read_sysctl("/proc/sys/net/ipv4/tcp_syncookies", text, sizeof(text)) && strcmp(text, "1\n") == 0);
    HOLDS(read_sysctl("/proc/sys/net/ipv4/conf/eth0/forwarding", text, sizeof(text)) && strcmp(text, "1\n") == 0);
    HOLDS(network_leave(network, &err) == 0);
    HOLDS(network_sysctl(network, NETWORK_SERVER, "net.ipv4.no_such_thing", "1", &err) == -EINVAL);
    HOLDS(strstr(err.text, "net.ipv4.no_such_thing") && strstr(err.text, "server"));
    HOLDS(network_sysctl(network, NETWORK_SERVER, "net.ipv4.tcp_syncookies", "many", &err) == -EINVAL);
    HOLDS(strstr(err.text, "'many'"));
    static const char *const outside[] = {"kernel.hostname", "net.../kernel/hostname", "net/ipv4/tcp_syncookies", "net.", ""};
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
        HOLDS(network_sysctl(network, NETWORK_SERVER, outside[i], "1", &err) == -EINVAL);
    HOLDS(host_netns() == home);
    network_close(network);
    return 0;
}

static int mtu_body(void)
{
    struct network *network;
    HOLDS(network_open(&network, &(struct network_options){.mtu_bytes = 1279}, &err) == -EINVAL);
    HOLDS(network_open(&network, &(struct network_options){.mtu_bytes = 1400}, &err) == 0);
    HOLDS(network_enter(network, NETWORK_SERVER, &err) == 0);
    struct ifreq request = {.ifr_name = "eth0"};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    HOLDS(ioctl(fd, SIOCGIFMTU, &request) == 0 && request.ifr_mtu == 1400);
    return 0;
}

static int routed_body(void)
{
    struct network *network;
    HOLDS(network_open(&network, &(struct network_options){.routed = true}, &err) == 0);
    for (enum network_place place = NETWORK_CLIENT; place <= NETWORK_SERVER; place++) {
        bool client = place == NETWORK_CLIENT;
        HOLDS(network_enter(network, place, &err) == 0);
        /* The only neighbour is the router, and all that is not near goes there: /proc/net/route has addresses as the CPU reads
         * them. */
        HOLDS(has_line("/proc/self/net/arp", client ? "192.0.2.254 " : "198.51.100.254 ", "0x6", "02:00:00:00:00:fe"));
        HOLDS(has_line("/proc/self/net/route", "00000000", client ? "FE0200C0" : "FE6433C6", "eth0"));
        HOLDS(has_line("/proc/self/net/if_inet6", client ? "20010db8000000000000000000000001" : "20010db8000000010000000000000002",
                       " 40 00 ", "eth0"));
        HOLDS(has_line("/proc/self/net/ipv6_route", "00000000000000000000000000000000 00",
                       client ? "20010db80000000000000000000000fe" : "20010db80000000100000000000000fe", "eth0"));
        HOLDS(network_leave(network, &err) == 0);
    }
    network_close(network);
    return 0;
}

static int refused_body(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof(program) / sizeof(program[0]), program};
    struct network *network;
    uint64_t before = host_netns();
    HOLDS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
    HOLDS(network_open(&network, NULL, &err) == -EPERM);
    HOLDS(network == NULL);
    HOLDS(strstr(err.text, "namespace"));
    HOLDS(host_netns() == before);
    return 0;
}

FOR_ROOT_AND_OTHERS(a_network_is_three_namespaces_and_the_way_back, two_hosts_body)
FOR_ROOT_AND_OTHERS(each_host_has_one_quiet_interface, host_interface_body)
FOR_ROOT_AND_OTHERS(a_setting_is_one_hosts_own, sysctl_body)
FOR_ROOT_AND_OTHERS(the_largest_packet_can_be_chosen, mtu_body)
FOR_ROOT_AND_OTHERS(with_a_router_each_host_is_in_a_network_of_its_own, routed_body)
FOR_ROOT_AND_OTHERS(where_it_is_refused_the_process_stays_where_it_was, refused_body)

/* Whether a process of that session is in this namespace, or has a descriptor of it. Other sessions' processes say nothing: the
 * kernel gives a namespace the number of one that has just gone. */
static bool is_anywhere(pid_t session, uint64_t netns)
{
    char command[256];
    snprintf(command, sizeof(command),
             "for p in $(pgrep -s %d); do ls -l /proc/$p/ns/net /proc/$p/fd; done 2>/dev/null | grep -q 'net:\\[%llu\\]'",
             (int)session, (unsigned long long)netns);
    int status = system(command); /* NOLINT(cert-env33-c): a fixed command of a test, with numbers in it */
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void a_killed_process_leaves_no_namespace_behind(void **state)
{
    int ends[2];
    uint64_t netns[NETWORK_PLACES] = {0};
    (void)state;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t parent = getpid(), pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct network *network;
        if (setsid() < 0 || network_open(&network, NULL, &err)) _exit(1);
        for (int i = 0; i < NETWORK_PLACES; i++) netns[i] = network_netns(network, (enum network_place)i);
        if (write(ends[1], netns, sizeof(netns)) != (ssize_t)sizeof(netns)) _exit(1);
        sleep_until_killed(parent);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], netns, sizeof(netns)), sizeof(netns));
    close(ends[0]);
    for (int i = 0; i < NETWORK_PLACES; i++) assert_true(is_anywhere(pid, netns[i])); /* the look finds what is there */
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    for (int i = 0; i < NETWORK_PLACES; i++) assert_false(is_anywhere(pid, netns[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_is_three_namespaces_and_the_way_back),
        cmocka_unit_test(each_host_has_one_quiet_interface),
        cmocka_unit_test(a_setting_is_one_hosts_own),
        cmocka_unit_test(the_largest_packet_can_be_chosen),
        cmocka_unit_test(with_a_router_each_host_is_in_a_network_of_its_own),
        cmocka_unit_test(where_it_is_refused_the_process_stays_where_it_was),
        cmocka_unit_test(a_killed_process_leaves_no_namespace_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
