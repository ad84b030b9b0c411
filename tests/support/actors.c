/* Small programs that make known socket calls: what the call recorders are tested on. */
#include "support/actors.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void need(bool good)
{
    if (!good) _exit(99);
}

static struct sockaddr_in bound_name(int fd)
{
    struct sockaddr_in name;
    socklen_t length = sizeof(name);
    need(getsockname(fd, (struct sockaddr *)&name, &length) == 0);
    return name;
}

static int listening(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    need(fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0 && listen(fd, 5) == 0);
    return fd;
}

static int connected(int listener)
{
    struct sockaddr_in name = bound_name(listener);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    need(fd >= 0 && connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0);
    return fd;
}

/* Listener, client and accepted socket on 3, 4 and 5. */
static void pair(int *ret_listener, int *ret_client, int *ret_server)
{
    *ret_listener = listening();
    *ret_client = connected(*ret_listener);
    *ret_server = accept(*ret_listener, NULL, NULL);
    need(*ret_listener == 3 && *ret_client == 4 && *ret_server == 5);
}

static void act_talk(void)
{
    int listener, client, server;
    char text[16];
    pair(&listener, &client, &server);
    need(write(client, "hello", 5) == 5);
    need(read(server, text, sizeof(text)) == 5);
    need(shutdown(client, SHUT_WR) == 0);
    need(read(server, text, sizeof(text)) == 0);
    need(close(server) == 0 && close(client) == 0 && close(listener) == 0);
}

static void act_unread(void)
{
    int listener, client, server;
    pair(&listener, &client, &server);
    need(send(client, "hello", 5, MSG_NOSIGNAL) == 5);
    need(close(server) == 0);
}

static void act_refused(void)
{
    int listener = listening();
    struct sockaddr_in name = bound_name(listener);
    close(listener);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    need(connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0 && errno == ECONNREFUSED);
}

static void act_dup2(void)
{
    int listener, client, server;
    pair(&listener, &client, &server);
    need(dup(client) == 6);
    need(dup2(0, client) == client); /* closes one of two references */
    need(dup2(0, 6) == 6);           /* closes the last */
    need(dup2(0, 7) == 7);           /* concerns no socket */
}

/* From a socket into a pipe and out of it into the socket; vectors at an offset of -1; and copies of a descriptor by fcntl(2),
 * which is asked for other things, too. */
static void act_passes(void)
{
    int listener, client, server, ends[2];
    char text[4];
    struct iovec part = {.iov_base = text, .iov_len = sizeof(text)};
    pair(&listener, &client, &server);
    need(pipe(ends) == 0 && ends[0] == 6);
    need(write(client, "word", 4) == 4);
    need(splice(server, NULL, ends[1], NULL, 4, 0) == 4);
    need(splice(ends[0], NULL, server, NULL, 4, SPLICE_F_MOVE) == 4);
    need(splice(ends[0], NULL, ends[1], NULL, 4, 0) < 0); /* concerns no socket */
    need(preadv2(client, &part, 1, -1, 0) == 4);
    need(pwritev2(client, &part, 1, -1, 0) == 4);
    need(fcntl(client, F_GETFD) == 0);
    need(fcntl(client, F_DUPFD_CLOEXEC, 20) == 20);
    need(fcntl(ends[0], F_DUPFD, 30) == 30);
    need(close(20) == 0);
}

/* A filter of its own that asks for a tracer, which it has not: the call fails. */
static void act_own_filter(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 7),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
    need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
    need(syscall(SYS_getppid) < 0 && errno == ENOSYS);
    need(socket(AF_INET, SOCK_STREAM, 0) == 3);
}

/* A child that asks not to be traced: its calls have to work all the same. */
static void act_untraced(void)
{
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);
    need(pid >= 0);
    if (pid == 0) {
        need(socket(AF_INET, SOCK_STREAM, 0) == 3);
        _exit(0);
    }
    int status;
    need(waitpid(pid, &status, 0) == pid && status == 0);
    struct {
        uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
    } arguments = {.flags = CLONE_UNTRACED, .exit_signal = SIGCHLD};
    pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
    need(pid >= 0);
    if (pid == 0) {
        need(socket(AF_INET, SOCK_DGRAM, 0) == 3);
        _exit(0);
    }
    need(waitpid(pid, &status, 0) == pid && status == 0);
}

static void act_range(void)
{
    int listener, client, server;
    pair(&listener, &client, &server);
    need(syscall(SYS_close_range, 4, 100, 0) == 0);
    need(syscall(SYS_close_range, 50, 100, 0) == 0);
}

static void act_waits(void)
{
    int listener = listening(), client = connected(listener);
    struct pollfd fds[3] = {{.fd = -1, .events = POLLIN}, {.fd = 0, .events = POLLIN}, {.fd = listener, .events = POLLIN}};
    need(syscall(SYS_ppoll, fds, 3, NULL, NULL, 8) >= 1 && fds[2].revents == POLLIN);
    int server = accept(listener, NULL, NULL);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(client, &set);
    need(syscall(SYS_pselect6, client + 1, NULL, &set, NULL, NULL, NULL) == 1);
    need(dup2(client, 64) == 64); /* the first of a set's second word */
    FD_ZERO(&set);
    FD_SET(64, &set);
    need(syscall(SYS_pselect6, 65, NULL, &set, NULL, NULL, NULL) == 1);
    close(64);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x123456789a}, got[4];
    need(epoll_ctl(epoll, EPOLL_CTL_ADD, server, &event) == 0);
    need(write(client, "x", 1) == 1);
    need(epoll_pwait(epoll, got, 4, 1000, NULL) == 1);
    need(epoll_ctl(epoll, EPOLL_CTL_DEL, server, NULL) == 0);
    struct epoll_event same = {.events = EPOLLOUT}; /* two that can't be told apart */
    int vague = epoll_create1(EPOLL_CLOEXEC);
    need(epoll_ctl(vague, EPOLL_CTL_ADD, server, &same) == 0 && epoll_ctl(vague, EPOLL_CTL_ADD, client, &same) == 0);
    need(epoll_pwait(vague, got, 4, 1000, NULL) == 2);
    need(epoll_pwait(epoll, got, 4, 0, NULL) == 0);                        /* watches nothing any more */
    need(syscall(SYS_ppoll, fds, 2, &(struct timespec){0}, NULL, 8) >= 0); /* no socket among them */
}

static int reader_fd;

static void *reading_body(void *data)
{
    need(read(reader_fd, data, 8) == 1);
    return NULL;
}

/* While a thread reads from a socket, its descriptor becomes another socket. */
static void act_swap(void)
{
    int listener, client, server;
    char text[8];
    pthread_t thread;
    pair(&listener, &client, &server);
    reader_fd = server;
    need(pthread_create(&thread, NULL, reading_body, text) == 0);
    usleep(200000);
    need(dup2(client, server) == server);
    need(write(client, "x", 1) == 1);
    need(pthread_join(thread, NULL) == 0);
}

static void act_fork(void)
{
    int listener = listening();
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_NAME, "the child");
        connected(listener);
        _exit(7);
    }
    int status, server = accept(listener, NULL, NULL);
    need(server >= 0 && waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
    prctl(PR_SET_NAME, "a\033[31m\nb\"<");
}

static void *thread_body(void *data)
{
    connected(*(int *)data);
    return NULL;
}

static void act_thread(void)
{
    int listener = listening();
    pthread_t thread;
    need(pthread_create(&thread, NULL, thread_body, &listener) == 0);
    need(accept(listener, NULL, NULL) >= 0);
    need(pthread_join(thread, NULL) == 0);
}

static void *executing_body(void *data)
{
    char *const *argv = data;
    usleep(200000); /* the first thread is in accept by then */
    execv(argv[0], argv);
    _exit(98);
}

/* execve by a thread that is not the first, while others are in calls. */
static void act_thread_exec(void)
{
    int listener = listening();
    char *argv[] = {(char[]){"/proc/self/exe"}, (char[]){"actor"}, (char[]){"nothing"}, NULL};
    pthread_t thread;
    need(pthread_create(&thread, NULL, executing_body, argv) == 0);
    accept(listener, NULL, NULL);
    _exit(97);
}

static void make_children(int count, void (*act)(void))
{
    for (int i = 0; i < count; i++) {
        pid_t pid = fork();
        need(pid >= 0);
        if (pid) continue;
        if (act) act();
        _exit(0);
    }
    while (wait(NULL) > 0) continue;
}

static void make_short_lived(void)
{
    make_children(25, NULL);
}

/* Children that end at once, and whose ends nobody asks for meanwhile, of many parents: a tracer finds several stops at a time. */
static void act_short_lived(void)
{
    make_children(8, make_short_lived);
}

static void act_nothing(void)
{
}

static void act_exec_close(void)
{
    int listener = listening();
    need(fcntl(listener, F_SETFD, FD_CLOEXEC) == 0);
    need(listening() == 4); /* stays open */
    execl("/no/such/file", "x", NULL);
    execl("/proc/self/exe", "again", "actor", "nothing", NULL);
    _exit(98);
}

static void act_accept_forever(void)
{
    int listener = listening();
    accept(listener, NULL, NULL);
    _exit(97);
}

static void act_two_forever(void)
{
    int listener = listening();
    fork();
    accept(listener, NULL, NULL);
    _exit(97);
}

static volatile sig_atomic_t alarms;

static void on_alarm(int signal)
{
    (void)signal;
    alarms++;
}

/* One call that the kernel starts again by itself, and one that it gives up. */
static void act_interrupted(void)
{
    int listener = listening();
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    if (fork() == 0) {
        usleep(100000);
        kill(getppid(), SIGALRM);
        usleep(100000);
        connected(listener);
        _exit(0);
    }
    need(accept(listener, NULL, NULL) >= 0);
    need(wait(NULL) > 0 && alarms == 1);
}

static bool is_stopped(pid_t pid)
{
    char path[64], text[256] = "";
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *stat = fopen(path, "re");
    need(stat && fgets(text, sizeof(text), stat));
    fclose(stat);
    const char *behind_name = strrchr(text, ')');
    return behind_name && (behind_name[2] == 'T' || behind_name[2] == 't');
}

/* Stopped and continued within a poll: the kernel goes on with restart_syscall. */
static void act_stopped(void)
{
    int listener = listening();
    pid_t self = getpid();
    int status;
    if (fork() == 0) {
        usleep(100000);
        kill(self, SIGSTOP);
        usleep(100000);
        bool stopped = is_stopped(self);
        kill(self, SIGCONT);
        usleep(100000);
        connected(listener);
        _exit(!stopped);
    }
    struct pollfd fd = {.fd = listener, .events = POLLIN};
#ifdef SYS_poll
    need(syscall(SYS_poll, &fd, 1, 20000) == 1); /* the one that goes on by restart_syscall */
#else
    need(syscall(SYS_ppoll, &fd, 1, &(struct timespec){.tv_sec = 20}, NULL, 8) == 1);
#endif
    need(wait(&status) > 0 && status == 0);
}

static void act_udp(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char text[16];
    int server = socket(AF_INET, SOCK_DGRAM, 0), client = socket(AF_INET, SOCK_DGRAM, 0);
    need(bind(server, (struct sockaddr *)&any, sizeof(any)) == 0);
    struct sockaddr_in name = bound_name(server);
    struct iovec part = {.iov_base = text, .iov_len = 2};
    struct msghdr message = {.msg_name = &name, .msg_namelen = sizeof(name), .msg_iov = &part, .msg_iovlen = 1};
    need(sendto(client, "ab", 2, 0, (struct sockaddr *)&name, sizeof(name)) == 2);
    need(sendmsg(client, &message, 0) == 2);
    need(recv(server, text, sizeof(text), 0) == 2);
}

static void act_mute(void)
{
    int unix_pair[2];
    char text[8];
    need(socketpair(AF_UNIX, SOCK_STREAM, 0, unix_pair) == 0);
    need(write(unix_pair[0], "x", 1) == 1 && read(unix_pair[1], text, 1) == 1);
    need(close(unix_pair[0]) == 0 && close(1234) < 0);
}

static const struct actor {
    const char *name;
    void (*act)(void);
} actors[] = {
    {"talk", act_talk},
    {"unread", act_unread},
    {"refused", act_refused},
    {"dup2", act_dup2},
    {"passes", act_passes},
    {"own-filter", act_own_filter},
    {"untraced", act_untraced},
    {"range", act_range},
    {"waits", act_waits},
    {"fork", act_fork},
    {"short-lived", act_short_lived},
    {"thread", act_thread},
    {"nothing", act_nothing},
    {"thread-exec", act_thread_exec},
    {"exec-close", act_exec_close},
    {"accept-forever", act_accept_forever},
    {"swap", act_swap},
    {"two-forever", act_two_forever},
    {"udp", act_udp},
    {"interrupted", act_interrupted},
    {"stopped", act_stopped},
    {"mute", act_mute},
};

int actors_act(const char *name)
{
    for (size_t i = 0; i < sizeof(actors) / sizeof(actors[0]); i++) {
        if (strcmp(actors[i].name, name) != 0) continue;
        actors[i].act();
        _exit(0);
    }
    return 96;
}
