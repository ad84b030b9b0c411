/* The ptrace recorder gets hold of a process that runs already, and lets it go: the process notices neither. */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/procinfo.h"
#include "capture/ptrace/calls_ptrace.h"

enum { LIMIT_S = 60, EXIT_NUMBER = 7 };

static int connected_to(int listener)
{
    struct sockaddr_in name;
    socklen_t length = sizeof(name);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (getsockname(listener, (struct sockaddr *)&name, &length) || connect(fd, (struct sockaddr *)&name, sizeof(name))) return -1;
    return fd;
}

/* ---- the process that is looked at: any call that does not do what it is for ends it with another status ---- */

static void *read_slowly(void *fd)
{
    char byte;
    struct timeval hour = {.tv_sec = 3600}; /* with a timeout, an interrupted call is not begun again by itself */
    setsockopt(*(int *)fd, SOL_SOCKET, SO_RCVTIMEO, &hour, sizeof(hour));
    if (recv(*(int *)fd, &byte, 1, 0) != 1) _exit(50 + errno);
    return NULL;
}

static void live(int listener, int stream)
{
    pthread_t reader;
    int polls = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    if (pthread_create(&reader, NULL, read_slowly, &stream) || epoll_ctl(polls, EPOLL_CTL_ADD, listener, &event)) _exit(1);
    if (epoll_wait(polls, &event, 1, -1) != 1) _exit(2);
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) _exit(3);
    char text[8];
    if (recv(fd, text, sizeof(text), 0) != 2 || send(fd, "ok", 2, 0) != 2) _exit(4);
    close(fd);
    pthread_join(reader, NULL);
    _exit(EXIT_NUMBER);
}

/* ---- the test ---- */

struct scene {
    int listener, stream; /* `stream` is the far end of what the process's second thread reads */
    pid_t pid;
    struct calls *calls;
    struct event_log *log;
    struct err err;
};

static bool both_sleep(pid_t pid)
{
    return procinfo_status(pid, "Threads") == 2 && procinfo_sleeps(pid);
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static void scene_begin(struct scene *scene)
{
    *scene = (struct scene){.log = event_log_new(), .listener = socket(AF_INET, SOCK_STREAM, 0)};
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(scene->listener, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(listen(scene->listener, 8), 0);
    scene->stream = connected_to(scene->listener);
    int near = accept(scene->listener, NULL, NULL);
    scene->pid = fork();
    if (scene->pid == 0) {
        close(scene->stream);
        live(scene->listener, near);
    }
    close(near);
    for (time_t limit = time(NULL) + LIMIT_S; !both_sleep(scene->pid);) {
        if (time(NULL) > limit) fail_msg("it does not come to rest");
        pause_ms(1);
    }
    pause_ms(20); /* the reader may sleep in its start still */
    assert_int_equal(calls_ptrace.open(&scene->calls, &(struct calls_options){0}, &scene->err), 0);
}

/* The first event of this kind and call; NULL: none yet. */
static const struct event *seen(struct scene *scene, enum event_kind kind, const char *name)
{
    assert_true(calls_ptrace.drain(scene->calls, scene->log, &scene->err) >= 0);
    for (size_t i = 0; i < event_log_count(scene->log); i++) {
        const struct event *event = event_log_at(scene->log, i);
        if (event->kind == kind && strcmp(event->call.name, name) == 0) return event;
    }
    return NULL;
}

static const struct event *awaited(struct scene *scene, enum event_kind kind, const char *name)
{
    const struct event *event;
    for (time_t limit = time(NULL) + LIMIT_S; !(event = seen(scene, kind, name)); pause_ms(1))
        if (time(NULL) > limit) fail_msg("no %s", name);
    return event;
}

static void scene_end(struct scene *scene)
{
    int status = 0;
    assert_int_equal(send(scene->stream, "x", 1, 0), 1);
    assert_int_equal(waitpid(scene->pid, &status, 0), scene->pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_NUMBER);
    close(scene->stream);
    close(scene->listener);
    event_log_free(scene->log);
}

static void a_running_process_is_recorded_and_let_go_and_no_call_of_its_fails(void **state)
{
    (void)state;
    struct scene scene;
    char text[8];
    scene_begin(&scene);
    if (calls_ptrace.attach(scene.calls, scene.pid, &scene.err)) fail_msg("%s", scene.err.text);
    assert_string_equal(scene.err.text, "");
    for (int i = 0; i < 20; i++) { /* its first stops */
        seen(&scene, EVENT_EXIT, "none");
        pause_ms(2);
    }
    assert_null(seen(&scene, EVENT_ENTER, "epoll_wait")); /* it began before anybody looked */
    int fd = connected_to(scene.listener);
    assert_int_equal(send(fd, "hi", 2, 0), 2);

    const struct event *woke = awaited(&scene, EVENT_EXIT, "epoll_wait");
    assert_int_equal(woke->call.ret, 1);
    assert_int_equal(woke->call.watch_count, 1);
    assert_true(awaited(&scene, EVENT_ENTER, "accept")->call.socket.state == KERNEL_LISTEN);
    assert_true(awaited(&scene, EVENT_EXIT, "accept")->call.other.remote.port != 0);
    assert_int_equal(awaited(&scene, EVENT_EXIT, "send")->call.ret, 2);
    assert_int_equal(awaited(&scene, EVENT_EXIT, "close")->call.thread.pid, scene.pid);
    assert_int_equal(recv(fd, text, sizeof(text), MSG_WAITALL), 2);
    assert_true(calls_ptrace.alive(scene.calls));

    calls_ptrace.close(scene.calls); /* while its second thread sleeps in a recv that has a timeout */
    assert_int_equal(procinfo_status(scene.pid, "TracerPid"), 0);
    close(fd);
    scene_end(&scene);
}

static void its_end_is_told_and_its_status_is_its_own(void **state)
{
    (void)state;
    struct scene scene;
    int status = -1;
    scene_begin(&scene);
    assert_int_equal(calls_ptrace.attach(scene.calls, scene.pid, &scene.err), 0);
    kill(scene.pid, SIGTERM);
    for (time_t limit = time(NULL) + LIMIT_S; !calls_ptrace.ended(scene.calls, scene.pid, &status); pause_ms(1)) {
        assert_true(time(NULL) < limit);
        assert_true(calls_ptrace.drain(scene.calls, scene.log, &scene.err) >= 0);
    }
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
    assert_false(calls_ptrace.alive(scene.calls));
    calls_ptrace.close(scene.calls);
    close(scene.stream);
    close(scene.listener);
    event_log_free(scene.log);
}

static void who_can_not_be_traced_is_named(void **state)
{
    (void)state;
    struct scene scene;
    struct calls *other = NULL;
    scene_begin(&scene);
    assert_int_equal(calls_ptrace.attach(scene.calls, scene.pid, &scene.err), 0);
    assert_int_equal(calls_ptrace.open(&other, &(struct calls_options){0}, &scene.err), 0);
    assert_int_equal(calls_ptrace.attach(other, scene.pid, &scene.err), -EPERM);
    assert_non_null(strstr(scene.err.text, "is traced already, by "));
    assert_int_equal(calls_ptrace.attach(other, 0x3fffffff, &scene.err), -ESRCH);
    assert_string_equal(scene.err.text, "there is no process 1073741823");
    calls_ptrace.close(other);
    calls_ptrace.close(scene.calls);
    int fd = connected_to(scene.listener);
    assert_int_equal(send(fd, "hi", 2, 0), 2);
    scene_end(&scene);
    close(fd);
}

int main(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_running_process_is_recorded_and_let_go_and_no_call_of_its_fails),
        cmocka_unit_test(its_end_is_told_and_its_status_is_its_own),
        cmocka_unit_test(who_can_not_be_traced_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
