#include "play/stage/cast.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture/procinfo.h"

struct player {
    enum cast_state state;
    struct child child; /* client and server only */
    pid_t pid;
    int channel;
    size_t step; /* that it is at, or was at last */
    bool done;
    struct actor_report report;
};

struct cast {
    struct session *session;
    const struct scenario *scenario;
    struct player players[SCENARIO_ACTORS_MAX];
    int leash; /* the writing end */
    int poll_fd, null_fd;
};

/* Both ends; *ret_theirs survives an exec only where it is kept. */
static int make_channel(int *ret_mine, int *ret_theirs, struct err *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0) {
        *ret_mine = ends[0], *ret_theirs = ends[1];
        return 0;
    }
    int code = -errno;
    return err_set_errno(err, code, "no channel to an actor (socketpair)");
}

static int listen_to(struct cast *cast, size_t actor, struct err *err)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = actor};
    if (epoll_ctl(cast->poll_fd, EPOLL_CTL_ADD, cast->players[actor].channel, &event) == 0) return 0;
    int code = -errno;
    return err_set_errno(err, code, "can't listen to an actor (epoll_ctl)");
}

static int start(struct cast *cast, struct network *network, size_t actor, int leash, struct err *err)
{
    struct player *player = &cast->players[actor];
    const struct scenario_actor *who = &cast->scenario->actors[actor];
    char name[SCENARIO_NAME_BYTES], channel_text[16], leash_text[16];
    int theirs = -1;
    int code = make_channel(&player->channel, &theirs, err);
    if (code) return code;
    snprintf(name, sizeof(name), "%s", who->name);
    snprintf(channel_text, sizeof(channel_text), "%d", theirs);
    snprintf(leash_text, sizeof(leash_text), "%d", leash);
    char *argv[] = {(char[]){"/proc/self/exe"}, (char[]){"actor"}, name, channel_text, leash_text, NULL};
    struct child_options options = {
        .argv = argv, .stdin_fd = cast->null_fd, .stdout_fd = cast->null_fd, .stderr_fd = -1, .keep_fds = {theirs, leash, -1, -1}};
    struct err leave_err = {""};
    if (network) code = network_enter(network, who->host == SCENARIO_CLIENT ? NETWORK_CLIENT : NETWORK_SERVER, err);
    if (!code) {
        code = session_spawn(cast->session, &options, &player->child, err);
        player->state = code ? CAST_ABSENT : CAST_COMING;
        if (network && network_leave(network, &leave_err) && !code) code = -EIO, *err = leave_err;
    }
    close(theirs);
    if (!code) player->pid = player->child.pid;
    if (!code) code = child_release(&player->child, err);
    if (!code) code = listen_to(cast, actor, err);
    if (code) err_prefix(err, "can't bring on the %s", who->name);
    return code;
}

int cast_open(struct cast **ret_cast, struct session *session, struct network *network, const struct scenario *scenario,
              struct err *err)
{
    struct cast *cast = calloc(1, sizeof(*cast));
    int leash[2] = {-1, -1};
    if (!cast) return err_set_errno(err, -ENOMEM, "can't bring on the actors");
    cast->session = session;
    cast->scenario = scenario;
    for (size_t i = 0; i < SCENARIO_ACTORS_MAX; i++)
        cast->players[i] = (struct player){.channel = -1, .child = {.gate_fd = -1, .error_fd = -1}};
    cast->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    cast->poll_fd = epoll_create1(EPOLL_CLOEXEC);
    int code = pipe2(leash, O_CLOEXEC) < 0 || cast->null_fd < 0 || cast->poll_fd < 0 ? -errno : 0;
    cast->leash = leash[1];
    if (code) err_set_errno(err, code, "can't bring on the actors");
    for (size_t i = 0; i < 2 && !code; i++) code = start(cast, network, i, leash[0], err);
    if (leash[0] >= 0) close(leash[0]);
    if (code)
        cast_close(cast);
    else
        *ret_cast = cast;
    return code;
}

int cast_fd(const struct cast *cast)
{
    return cast->poll_fd;
}

static void lose(struct player *player)
{
    player->state = CAST_GONE;
    if (player->channel >= 0) close(player->channel); /* leaves the epoll set with it */
    player->channel = -1;
}

static int hear(struct cast *cast, size_t actor, struct err *err)
{
    struct player *player = &cast->players[actor];
    struct actor_report report;
    int got;
    while ((got = actor_hear(player->channel, &report)) > 0) {
        if (report.kind == ACTOR_READY) {
            if (!player->pid) player->pid = report.pid;
            if (player->state == CAST_BUSY) { /* it has executed itself anew: that was the command */
                player->done = true;
                player->report = (struct actor_report){.kind = ACTOR_DONE, .pid = report.pid, .call = "execve"};
            }
            player->state = CAST_IDLE;
        } else if (report.kind == ACTOR_BEGUN)
            player->state = CAST_BUSY;
        else {
            player->state = CAST_IDLE;
            player->done = true;
            player->report = report;
        }
    }
    if (got == -EPIPE) lose(player);
    if (got < 0 && got != -EPIPE) return err_set_errno(err, got, "can't hear the %s", cast->scenario->actors[actor].name);
    return 0;
}

int cast_look(struct cast *cast, struct err *err)
{
    int code = 0;
    for (size_t i = 0; i < cast->scenario->actor_count && !code; i++) {
        struct player *player = &cast->players[i];
        struct err exec_err = {""};
        if (player->channel < 0) continue;
        code = hear(cast, i, err);
        if (i < 2 && player->state == CAST_GONE && !player->report.kind && player->child.error_fd >= 0 &&
            child_exec_error(&player->child, &exec_err) && exec_err.text[0])
            return *err = exec_err, -ECHILD;
    }
    return code;
}

enum cast_state cast_state(const struct cast *cast, size_t actor)
{
    return cast->players[actor].state;
}

pid_t cast_pid(const struct cast *cast, size_t actor)
{
    return cast->players[actor].pid;
}

int cast_tell(struct cast *cast, size_t actor, size_t step, const struct actor_command *command, struct err *err)
{
    struct player *player = &cast->players[actor];
    int theirs = -1, code = 0;
    if (command->verb == SCENARIO_FORK) {
        int child = scenario_find_actor(cast->scenario, command->name);
        code = make_channel(&cast->players[child].channel, &theirs, err);
        if (!code) code = listen_to(cast, (size_t)child, err);
        cast->players[child].state = CAST_COMING;
        if (code) return code;
    }
    player->done = false;
    player->step = step;
    player->state = CAST_TOLD;
    code = actor_tell(player->channel, command, theirs);
    if (theirs >= 0) close(theirs);
    if (code == -EPIPE || code == -ECONNRESET) return lose(player), 0; /* it has ended: the next look would have told */
    return code ? err_set_errno(err, code, "can't tell the %s what to do", cast->scenario->actors[actor].name) : 0;
}

bool cast_done(const struct cast *cast, size_t actor, size_t *ret_step, struct actor_report *ret_report)
{
    const struct player *player = &cast->players[actor];
    *ret_step = player->step;
    if (player->done) *ret_report = player->report;
    return player->done;
}

bool cast_sleeps(const struct cast *cast, size_t actor)
{
    const struct player *player = &cast->players[actor];
    if (player->state != CAST_BUSY || !procinfo_sleeps(player->pid)) return false;
    /* It may sleep because it is done and waits for the next command: then its report is here. */
    char peek;
    return recv(player->channel, &peek, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

int cast_kill(struct cast *cast, size_t actor, int signal, struct err *err)
{
    const struct player *player = &cast->players[actor];
    if (player->pid <= 0 || player->state == CAST_GONE || kill(player->pid, signal) == 0) return 0;
    int code = -errno;
    return code == -ESRCH ? 0 : err_set_errno(err, code, "can't send a signal to the %s", cast->scenario->actors[actor].name);
}

void cast_close(struct cast *cast)
{
    if (!cast) return;
    for (size_t i = 0; i < 2; i++) {
        struct player *player = &cast->players[i];
        if (player->state != CAST_ABSENT && player->state != CAST_GONE) kill(player->child.pid, SIGKILL);
        if (player->state != CAST_ABSENT) child_close(&player->child);
    }
    if (cast->leash >= 0) close(cast->leash); /* ends the forked ones */
    for (size_t i = 0; i < SCENARIO_ACTORS_MAX; i++)
        if (cast->players[i].channel >= 0) close(cast->players[i].channel);
    if (cast->poll_fd >= 0) close(cast->poll_fd);
    if (cast->null_fd >= 0) close(cast->null_fd);
    free(cast);
}
