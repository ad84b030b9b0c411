#include "lab/wire/firewall.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/lang.h"

#define TABLE "inet tcpwhy"

/* Where programs for root are, though an ordinary user's PATH may lack it. */
static const char *const usual_places[] = {"/usr/sbin/nft", "/sbin/nft", "/usr/local/sbin/nft"};

static bool is_program(const char *path)
{
    return access(path, X_OK) == 0;
}

/* False: it is not installed. */
static bool find_nft(char *path, size_t path_bytes)
{
    const char *folders = getenv("PATH");
    while (folders && *folders) {
        size_t length = strcspn(folders, ":");
        int wrote = snprintf(path, path_bytes, "%.*s/nft", (int)length, folders);
        if (length && *folders == '/' && wrote > 0 && (size_t)wrote < path_bytes && is_program(path)) return true;
        folders += length + (folders[length] == ':');
    }
    for (size_t i = 0; i < sizeof(usual_places) / sizeof(usual_places[0]); i++)
        if (is_program(usual_places[i])) return snprintf(path, path_bytes, "%s", usual_places[i]) > 0;
    return false;
}

int firewall_check(struct err *err)
{
    char path[256];
    if (find_nft(path, sizeof(path))) return 0;
    return err_set(err, -ENOTSUP, "it needs nft for a host's firewall, which is not installed: the package is called nftables");
}

bool firewall_is_rule(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:/@_-+=!<>&|^()[]{}*";
    size_t length = strlen(text);
    return length > 0 && length < FIREWALL_RULE_BYTES && strspn(text, allowed) == length;
}

const char *firewall_rule_text(uint16_t port, enum router_answer answer, char *text, size_t text_bytes)
{
    /* icmpx: the kinds that both versions have, each as its own (nft(8), "reject statement"). */
    static const char *const verdicts[ROUTER_ANSWERS] = {
        [ROUTER_SILENCE] = "drop",
        [ROUTER_RST] = "reject with tcp reset",
        [ROUTER_NET_UNREACHABLE] = "reject with icmpx type no-route",
        [ROUTER_HOST_UNREACHABLE] = "reject with icmpx type host-unreachable",
        [ROUTER_PORT_UNREACHABLE] = "reject with icmpx type port-unreachable",
        [ROUTER_ADMIN_PROHIBITED] = "reject with icmpx type admin-prohibited",
    };
    snprintf(text, text_bytes, "tcp dport %u %s", (unsigned)port, verdicts[answer]);
    return text;
}

/* An ordinary user has CAP_NET_ADMIN in the user namespace of the network, and would lose it with execve(2): capabilities(7),
 * "ambient". Root keeps what it has, so failing is no failure. */
static void keep_net_admin(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &header, data) < 0) return;
    data[0].inheritable |= 1U << CAP_NET_ADMIN;
    if (syscall(SYS_capset, &header, data) < 0) return;
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0);
}

/* In the child: nft, in that network, with what it says written to `out_fd`. */
static void become_nft(const char *path, const char *commands, int netns_fd, int out_fd, pid_t parent)
{
    static char *const environment[] = {NULL};
    char *const arguments[] = {"nft", (char *)(uintptr_t)commands, NULL};
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent) _exit(1);
    if (netns_fd >= 0 && setns(netns_fd, CLONE_NEWNET) < 0) _exit(1);
    int null_fd = open("/dev/null", O_RDWR);
    if (dup2(null_fd, STDIN_FILENO) < 0 || dup2(out_fd, STDOUT_FILENO) < 0 || dup2(out_fd, STDERR_FILENO) < 0) _exit(1);
    keep_net_admin();
    execve(path, arguments, environment);
    _exit(127);
}

/* Its first line, as text that can be shown. */
static void read_words(int fd, char *words, size_t words_bytes)
{
    size_t used = 0;
    char rest[256];
    ssize_t got;
    while (used + 1 < words_bytes && (got = read(fd, words + used, words_bytes - 1 - used)) > 0) used += (size_t)got;
    while (read(fd, rest, sizeof(rest)) > 0) continue; /* so that it is not stopped by a full pipe */
    words[used] = '\0';
    words[strcspn(words, "\n")] = '\0';
    for (char *at = words; *at; at++)
        if ((unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7f) *at = '?';
}

static int run_nft(const char *commands, int netns_fd, const char *what, struct err *err)
{
    char path[256], words[300];
    int ends[2], status = -1;
    if (!find_nft(path, sizeof(path))) return firewall_check(err);
    if (pipe2(ends, O_CLOEXEC) < 0) {
        int code = -errno;
        return err_set_errno(err, code, "can't run nft (pipe2)");
    }
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) become_nft(path, commands, netns_fd, ends[1], parent);
    int code = pid < 0 ? -errno : 0;
    close(ends[1]);
    if (!code) read_words(ends[0], words, sizeof(words));
    close(ends[0]);
    if (code) return err_set_errno(err, code, "can't run nft (fork)");
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
    return err_set(err, -EINVAL, "nft does not take %s: %s", what, words[0] ? words : tr("it said nothing"));
}

int firewall_add(int netns_fd, bool output, const char *rule, struct err *err)
{
    char commands[FIREWALL_RULE_BYTES + 400], what[FIREWALL_RULE_BYTES + 32];
    if (!firewall_is_rule(rule)) return err_set(err, -EINVAL, "not the text of a rule: '%.200s'", rule);
    snprintf(commands, sizeof(commands),
             "add table " TABLE "; "
             "add chain " TABLE " input { type filter hook input priority 0 ; }; "
             "add chain " TABLE " output { type filter hook output priority 0 ; }; "
             "add rule " TABLE " %s %s",
             output ? "output" : "input", rule);
    snprintf(what, sizeof(what), tr("the rule '%s'"), rule);
    return run_nft(commands, netns_fd, what, err);
}

int firewall_open(int netns_fd, struct err *err)
{
    return run_nft("add table " TABLE "; delete table " TABLE, netns_fd, tr("the end of the firewall"), err);
}
