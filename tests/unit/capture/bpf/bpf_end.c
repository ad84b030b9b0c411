/* What outlives the BPF recorder: a process that holds its maps alone, and ends whom it followed. Needs the privileges that the
 * recorder needs, and fails without them. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/bpf/calls_bpf.h"
#include "support/sleeper.h"

enum { SPARE_FDS = 3 };

struct scene {
    struct calls *calls;
    struct event_log *log;
    struct child child;
    pid_t started; /* by the child */
    pid_t bystander, warden;
    int leash; /* the end of a pipe that the warden waits for */
    int alive; /* ends when the followed processes are gone, all of them */
    int spare[SPARE_FDS];
};

static pid_t sleeping(void)
{
    pid_t parent = getpid(), pid = fork();
    assert_true(pid >= 0);
    if (!pid) sleep_until_killed(parent);
    return pid;
}

/* A shell and what it starts are followed; both hold the writing end of a pipe, and nobody else does. */
static void begin(struct scene *scene)
{
    struct err err = {0};
    int alive[2], leash[2];
    char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, (char[]){"sleep 100 & wait $!"}, NULL};
    *scene = (struct scene){0};
    scene->log = event_log_new();
    assert_non_null(scene->log);
    if (calls_bpf.open(&scene->calls, &(struct calls_options){0}, &err)) fail_msg("%s", err_long_story(&err));
    assert_int_equal(pipe2(alive, O_CLOEXEC), 0);
    struct child_options options = {
        .argv = argv, .stdin_fd = -1, .stdout_fd = alive[1], .stderr_fd = -1, .keep_fds = {-1, -1, -1, -1}};
    assert_int_equal(child_spawn(&options, &scene->child, &err), 0);
    if (calls_bpf.follow(scene->calls, scene->child.pid, &err)) fail_msg("%s", err.text);
    assert_int_equal(child_release(&scene->child, &err), 0);
    close(alive[1]);
    scene->alive = alive[0];
    scene->bystander = sleeping();
    for (size_t i = 0; i < SPARE_FDS; i++) scene->spare[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    /* The shell has forked: its child is followed as well. */
    for (int i = 0; i < 1000 && !scene->started; i++) {
        usleep(10000);
        assert_true(calls_bpf.drain(scene->calls, scene->log, &err) >= 0);
        for (size_t k = 0; k < event_log_count(scene->log); k++) {
            const struct event *event = event_log_at(scene->log, k);
            if (event->kind == EVENT_PROCESS && event->process.change == PROCESS_FORK && event->process.parent == scene->child.pid)
                scene->started = event->process.thread.pid;
        }
    }
    assert_true(scene->started > 0);
    assert_int_equal(pipe2(leash, O_CLOEXEC), 0);
    scene->warden = fork();
    assert_true(scene->warden >= 0);
    if (scene->warden == 0) {
        close(leash[1]);
        calls_bpf.outlive(scene->calls, leash[0]);
        _exit(0);
    }
    close(leash[0]);
    scene->leash = leash[1];
}

static bool warden_ends(const struct scene *scene)
{
    for (int i = 0; i < 1000; i++) {
        if (waitpid(scene->warden, NULL, WNOHANG) == scene->warden) return true;
        usleep(10000);
    }
    return false;
}

static bool are_gone(const struct scene *scene, int within_ms)
{
    struct pollfd ended = {.fd = scene->alive, .events = POLLIN};
    return poll(&ended, 1, within_ms) == 1 && ended.revents & POLLHUP;
}

static void end(struct scene *scene)
{
    for (size_t i = 0; i < SPARE_FDS; i++) close(scene->spare[i]);
    close(scene->alive);
    child_close(&scene->child);
    calls_bpf.close(scene->calls);
    event_log_free(scene->log);
    assert_int_equal(kill(scene->bystander, SIGKILL), 0);
    assert_int_equal(waitpid(scene->bystander, NULL, 0), scene->bystander);
}

static void who_was_followed_ends_with_the_recorder_and_nobody_else(void **state)
{
    (void)state;
    struct scene scene;
    int status = 0;
    begin(&scene);
    assert_false(are_gone(&scene, 100));
    close(scene.leash); /* without a word */
    assert_true(are_gone(&scene, 10000));
    assert_int_equal(waitpid(scene.child.pid, &status, 0), scene.child.pid);
    /* One after the other is killed: the shell may see its child's end, and end with it, before its own turn. */
    bool saw_it = WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGKILL;
    assert_true(saw_it || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    assert_true(warden_ends(&scene));
    assert_int_equal(waitpid(scene.bystander, &status, WNOHANG), 0);
    end(&scene);
}

static void who_was_followed_goes_on_when_all_is_well(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    assert_int_equal(write(scene.leash, "", 1), 1);
    close(scene.leash);
    assert_true(warden_ends(&scene));
    assert_false(are_gone(&scene, 300));
    assert_int_equal(kill(scene.started, SIGKILL), 0);
    assert_int_equal(waitpid(scene.child.pid, NULL, 0), scene.child.pid); /* the shell has waited for it */
    end(&scene);
}

/* What it kept open would stay open behind tcpwhy's end: a pipe's reader would wait for ever. */
static void it_holds_the_recorders_descriptors_and_its_pipe_alone(void **state)
{
    (void)state;
    struct scene scene;
    char path[64], target[64];
    begin(&scene);
    size_t kept = 0, others = 1;
    for (int i = 0; i < 1000 && others; i++) { /* until it has come so far */
        usleep(10000);
        kept = others = 0;
        for (int fd = 0; fd < 256; fd++) {
            snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)scene.warden, fd);
            ssize_t length = readlink(path, target, sizeof(target) - 1);
            if (length < 0) continue;
            target[length] = '\0';
            if (strncmp(target, "anon_inode:bpf", strlen("anon_inode:bpf")) == 0)
                kept++;
            else if (strncmp(target, "pipe:", strlen("pipe:")) != 0)
                others++;
        }
    }
    assert_int_equal(others, 0);
    assert_true(kept > 10);
    close(scene.leash);
    assert_true(are_gone(&scene, 10000));
    waitpid(scene.child.pid, NULL, 0);
    assert_true(warden_ends(&scene));
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_was_followed_ends_with_the_recorder_and_nobody_else),
        cmocka_unit_test(who_was_followed_goes_on_when_all_is_well),
        cmocka_unit_test(it_holds_the_recorders_descriptors_and_its_pipe_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
