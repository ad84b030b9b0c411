#include "run/command.h"

#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEP_MS = 100, NOT_FOUND = 127, NOT_EXECUTED = 126, BY_SIGNAL = 128 };

struct command {
    const struct command_options *options;
    struct session *session;
    struct child child;
    struct child_person person;
    char **environment;
    bool started, released, ended, execed;
    int status;    /* wait(2)'s */
    int exec_code; /* -errno */
    struct err exec_err;
    int waiting; /* SIGINT, … : ended the waiting for descendants */
};

void command_note_descriptors(struct command_options *options, int but)
{
    DIR *folder = opendir("/proc/self/fd");
    for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
        char *end;
        long fd = strtol(entry->d_name, &end, 10);
        bool is_its = end != entry->d_name && fd > STDERR_FILENO && fd != dirfd(folder) && fd != but;
        if (is_its && options->inherited_count < COMMAND_FDS_MAX) options->inherited[options->inherited_count++] = (int)fd;
    }
    if (folder) closedir(folder);
}

static int find_person(struct command *command, struct err *err)
{
    const char *name = command->options->user;
    errno = 0;
    const struct passwd *known = getpwnam(name);
    if (!known) return err_set(err, -EINVAL, "-u: there is no user '%s'", name);
    if (geteuid() != 0 && known->pw_uid != geteuid())
        return err_set(err, -EPERM, "-u %s: only root can run a command as another user", name);
    command->person = (struct child_person){.name = name, .user = known->pw_uid, .group = known->pw_gid};
    return 0;
}

static size_t name_length(const char *change)
{
    return strcspn(change, "=");
}

/* The environment with its changes; the strings stay whose they are. */
static char **change_environment(const struct command_options *options)
{
    size_t count = 0;
    while (environ[count]) count++;
    char **changed = calloc(count + options->change_count + 1, sizeof(*changed));
    if (!changed) return NULL;
    memcpy(changed, environ, count * sizeof(*changed));
    for (size_t i = 0; i < options->change_count; i++) {
        const char *change = options->changes[i];
        size_t length = name_length(change), kept = 0;
        for (size_t k = 0; k < count; k++)
            if (strncmp(changed[k], change, length) != 0 || changed[k][length] != '=') changed[kept++] = changed[k];
        if (change[length] == '=') changed[kept++] = (char *)(uintptr_t)change; /* execve(2) does not write to it */
        changed[kept] = NULL;
        count = kept;
    }
    return changed;
}

int command_new(struct command **ret_command, const struct command_options *options, struct session *session, struct err *err)
{
    struct command *command = calloc(1, sizeof(*command));
    if (!command) return err_set_errno(err, -ENOMEM, "can't run %s", options->argv[0]);
    command->options = options;
    command->session = session;
    command->environment = change_environment(options);
    int code = command->environment ? 0 : err_set_errno(err, -ENOMEM, "can't run %s", options->argv[0]);
    if (!code && options->user) code = find_person(command, err);
    bool changes = options->user && command->person.user != geteuid();
    struct child_options child = {
        .argv = options->argv,
        .stdin_fd = -1,
        .stdout_fd = -1,
        .stderr_fd = -1,
        .keep_fds = {-1, -1, -1, -1},
        .inherited = options->inherited,
        .inherited_count = options->inherited_count,
        .environment = command->environment,
        .person = changes || (options->user && geteuid() == 0) ? &command->person : NULL,
    };
    if (!code) code = session_spawn(session, &child, &command->child, err);
    command->started = !code;
    if (code)
        command_close(command);
    else
        *ret_command = command;
    return code;
}

/* What the terminal and others say to this process, and what has become of the command. */
static void stop_with(struct command *command)
{
    int signal = session_stopped(command->session, &command->child);
    if (signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU) return; /* SIGSTOP: whoever sent it knows whom to continue */
    kill(getpid(), SIGSTOP);
    kill(command->child.pid, SIGCONT); /* where only this process was continued */
}

static void look(struct command *command)
{
    command->ended = command->ended || session_ended(command->session, &command->child, &command->status);
    if (!command->ended) stop_with(command);
    for (int signal = session_take_signal(command->session); signal; signal = session_take_signal(command->session)) {
        if (command->ended)
            command->waiting = signal;
        else if (signal == SIGTERM || signal == SIGHUP)
            kill(command->child.pid, signal);
    }
    if (!command->execed && command->released && !command->exec_code) {
        int code = child_exec_error(&command->child, &command->exec_err);
        command->execed = !code;
        if (code && code != -EAGAIN) command->exec_code = code;
    }
}

int command_wait(struct command *command, struct loop *loop, void (*told)(void *data), void *data, struct err *err)
{
    bool said = false;
    int code = child_release(&command->child, err);
    if (code) return code;
    command->released = true;
    for (;;) {
        look(command);
        if (command->ended && command->exec_code) break;
        if (command->ended && (command->waiting || !session_alive(command->session))) break;
        if (command->ended && !said) {
            said = true;
            told(data);
        }
        loop_heed(loop);
        code = loop_step(loop, STEP_MS, err);
        if (code < 0) return code;
    }
    if (command->exec_code) {
        *err = command->exec_err;
        return -ENOEXEC;
    }
    return session_alive(command->session) ? 1 : 0;
}

int command_status(const struct command *command, int *ret_signal)
{
    *ret_signal = 0;
    if (command->exec_code) return command->exec_code == -ENOENT ? NOT_FOUND : NOT_EXECUTED;
    if (!WIFSIGNALED(command->status)) return WEXITSTATUS(command->status);
    *ret_signal = WTERMSIG(command->status);
    return BY_SIGNAL + *ret_signal;
}

const char *command_name(const struct command *command)
{
    const char *name = command->options->argv[0], *slash = strrchr(name, '/');
    return slash && slash[1] ? slash + 1 : name;
}

void command_close(struct command *command)
{
    if (!command) return;
    if (command->started && !command->ended) kill(command->child.pid, SIGKILL);
    if (command->started) child_close(&command->child);
    free(command->environment);
    free(command);
}
