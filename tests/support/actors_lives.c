/* The actors that have more than one process or thread, are signalled or stopped, or bring a filter of their own. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/actors_own.h"

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
    actor_need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
    actor_need(syscall(SYS_getppid) < 0 && errno == ENOSYS);
    actor_need(socket(AF_INET, SOCK_STREAM, 0) == 3);
}

/* A child that asks not to be traced: its calls have to work all the same. */
static void act_untraced(void)
{
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);
    actor_need(pid >= 0);
    if (pid == 0) {
        actor_need(socket(AF_INET, SOCK_STREAM, 0) == 3);
        _exit(0);
    }
    int status;
    actor_need(waitpid(pid, &status, 0) == pid && status == 0);
    struct {
        uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
    } arguments = {.flags = CLONE_UNTRACED, .exit_signal = SIGCHLD};
    pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
    actor_need(pid >= 0);
    if (pid == 0) {
        actor_need(socket(AF_INET, SOCK_DGRAM, 0) == 3);
        _exit(0);
    }
    actor_need(waitpid(pid, &status, 0) == pid && status == 0);
}

static int reader_fd;

static void *reading_body(void *data)
{
    actor_need(read(reader_fd, data, 8) == 1);
    return NULL;
}

/* While a thread reads from a socket, its descriptor becomes another socket. */
static void act_swap(void)
{
    int listener, client, server;
    char text[8];
    pthread_t thread;
    actor_pair(&listener, &client, &server);
    reader_fd = server;
    actor_need(pthread_create(&thread, NULL, reading_body, text) == 0);
    usleep(200000);
    actor_need(dup2(client, server) == server);
    actor_need(write(client, "x", 1) == 1);
    actor_need(pthread_join(thread, NULL) == 0);
}

/* A datagram that is not there is asked for, on a socket that is new at descriptor 5. */
static void ask_in_vain(void)
{
    char text[8];
    actor_need(socket(AF_INET, SOCK_DGRAM, 0) == 5);
    for (int i = 0; i < 2; i++) actor_need(recv(5, text, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN);
}

static void read_at_5(const char *there)
{
    char text[8];
    actor_need(read(5, text, 1) == (*there ? 1 : 0) && (!*there || text[0] == *there));
}

static void *renumbering_body(void *data)
{
    actor_need(close(5) == 0 && open("/dev/null", O_RDONLY) == 5);
    return data;
}

/* What is at descriptor 5 is one socket after the other, and each time something else before the next: by dup2, by closing and
 * opening, by close_range, by a child that shares the descriptors, by a thread. */
static void act_renumbers(void)
{
    int ends[2], status;
    pthread_t thread;
    actor_need(pipe(ends) == 0 && ends[1] == 4 && write(ends[1], "ab", 2) == 2);
    ask_in_vain();
    actor_need(dup2(ends[0], 5) == 5);
    read_at_5("a");
    read_at_5("b");
    actor_need(close(5) == 0);
    ask_in_vain();
    actor_need(close(5) == 0 && open("/dev/null", O_RDONLY) == 5);
    read_at_5("");
    actor_need(close(5) == 0);
    ask_in_vain();
    actor_need(syscall(SYS_close_range, 5, 5, 0) == 0 && open("/dev/null", O_RDONLY) == 5);
    read_at_5("");
    actor_need(close(5) == 0);
    ask_in_vain();
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
    actor_need(pid >= 0);
    if (pid == 0) _exit(close(5) || open("/dev/null", O_RDONLY) != 5);
    actor_need(waitpid(pid, &status, 0) == pid && status == 0);
    read_at_5("");
    actor_need(close(5) == 0);
    ask_in_vain();
    actor_need(pthread_create(&thread, NULL, renumbering_body, NULL) == 0 && pthread_join(thread, NULL) == 0);
    read_at_5("");
}

static void act_fork(void)
{
    int listener = actor_listening();
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_NAME, "the child");
        actor_connected(listener);
        _exit(7);
    }
    int status, server = accept(listener, NULL, NULL);
    actor_need(server >= 0 && waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
    prctl(PR_SET_NAME, "a\033[31m\nb\"<");
}

/* The child's listener, taken out of it and closed again; and its pipe, which is no socket. */
static void act_takes(void)
{
    int told[2], done[2], numbers[2], status;
    actor_need(pipe(told) == 0 && pipe(done) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(done[1]);
        numbers[0] = actor_listening();
        numbers[1] = done[0];
        actor_need(write(told[1], numbers, sizeof(numbers)) == sizeof(numbers));
        _exit(read(done[0], &status, 1) != 0);
    }
    close(done[0]);
    actor_need(read(told[0], numbers, sizeof(numbers)) == sizeof(numbers));
    int process = (int)syscall(SYS_pidfd_open, pid, 0);
    actor_need(process >= 0);
    int copy = (int)syscall(SYS_pidfd_getfd, process, numbers[0], 0), other = (int)syscall(SYS_pidfd_getfd, process, numbers[1], 0);
    actor_need(copy >= 0 && other >= 0 && syscall(SYS_pidfd_getfd, process, 999, 0) < 0);
    actor_need(close(copy) == 0);
    close(done[1]);
    actor_need(waitpid(pid, &status, 0) == pid && status == 0);
}

static void *thread_body(void *data)
{
    actor_connected(*(int *)data);
    return NULL;
}

static void act_thread(void)
{
    int listener = actor_listening();
    pthread_t thread;
    actor_need(pthread_create(&thread, NULL, thread_body, &listener) == 0);
    actor_need(accept(listener, NULL, NULL) >= 0);
    actor_need(pthread_join(thread, NULL) == 0);
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
    int listener = actor_listening();
    char *argv[] = {(char[]){"/proc/self/exe"}, (char[]){"actor"}, (char[]){"nothing"}, NULL};
    pthread_t thread;
    actor_need(pthread_create(&thread, NULL, executing_body, argv) == 0);
    accept(listener, NULL, NULL);
    _exit(97);
}

static void make_children(int count, void (*act)(void))
{
    for (int i = 0; i < count; i++) {
        pid_t pid = fork();
        actor_need(pid >= 0);
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
    int listener = actor_listening();
    actor_need(fcntl(listener, F_SETFD, FD_CLOEXEC) == 0);
    actor_need(actor_listening() == 4); /* stays open */
    execl("/no/such/file", "x", NULL);
    execl("/proc/self/exe", "again", "actor", "nothing", NULL);
    _exit(98);
}

static void act_accept_forever(void)
{
    int listener = actor_listening();
    accept(listener, NULL, NULL);
    _exit(97);
}

static void act_two_forever(void)
{
    int listener = actor_listening();
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
    int listener = actor_listening();
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    if (fork() == 0) {
        usleep(100000);
        kill(getppid(), SIGALRM);
        usleep(100000);
        actor_connected(listener);
        _exit(0);
    }
    actor_need(accept(listener, NULL, NULL) >= 0);
    actor_need(wait(NULL) > 0 && alarms == 1);
}

static bool is_stopped(pid_t pid)
{
    char path[64], text[256] = "";
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *stat = fopen(path, "re");
    actor_need(stat && fgets(text, sizeof(text), stat));
    fclose(stat);
    const char *behind_name = strrchr(text, ')');
    return behind_name && (behind_name[2] == 'T' || behind_name[2] == 't');
}

/* Stopped and continued within a poll: the kernel goes on with restart_syscall. */
static void act_stopped(void)
{
    int listener = actor_listening();
    pid_t self = getpid();
    int status;
    if (fork() == 0) {
        usleep(100000);
        kill(self, SIGSTOP);
        usleep(100000);
        bool stopped = is_stopped(self);
        kill(self, SIGCONT);
        usleep(100000);
        actor_connected(listener);
        _exit(!stopped);
    }
    struct pollfd fd = {.fd = listener, .events = POLLIN};
#ifdef SYS_poll
    actor_need(syscall(SYS_poll, &fd, 1, 20000) == 1); /* the one that goes on by restart_syscall */
#else
    actor_need(syscall(SYS_ppoll, &fd, 1, &(struct timespec){.tv_sec = 20}, NULL, 8) == 1);
#endif
    actor_need(wait(&status) > 0 && status == 0);
}

static const struct actor lives[] = {
    {"own-filter", act_own_filter},
    {"untraced", act_untraced},
    {"fork", act_fork},
    {"short-lived", act_short_lived},
    {"thread", act_thread},
    {"nothing", act_nothing},
    {"thread-exec", act_thread_exec},
    {"exec-close", act_exec_close},
    {"accept-forever", act_accept_forever},
    {"swap", act_swap},
    {"renumbers", act_renumbers},
    {"takes", act_takes},
    {"two-forever", act_two_forever},
    {"interrupted", act_interrupted},
    {"stopped", act_stopped},
};

const struct actor *actors_lives(const char *name)
{
    for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++)
        if (!strcmp(lives[i].name, name)) return &lives[i];
    return NULL;
}
