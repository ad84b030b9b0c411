/* A command that a person runs under watch: started as if nobody looked, waited for, and how it ended.
 *
 * It stays in this process's group and session, with the terminal as it is. SIGINT and SIGQUIT, which the terminal sends to both,
 * are the command's alone; SIGTERM and SIGHUP are passed on; when it is stopped (^Z) this process stops as well, so that the shell
 * sees a stopped job, and when the shell continues one it continues both. */
#ifndef TCPWHY_RUN_COMMAND_H
#define TCPWHY_RUN_COMMAND_H

#include <stdbool.h>

#include "base/err.h"
#include "record/loop.h"

enum { COMMAND_CHANGES_MAX = 64, COMMAND_FDS_MAX = 256 };

struct command_options {
    char *const *argv;                        /* NULL-terminated */
    const char *user;                         /* whose rights it has; NULL: this process's */
    const char *changes[COMMAND_CHANGES_MAX]; /* of its environment: "NAME=VALUE", or "NAME": taken out */
    size_t change_count;
    int inherited[COMMAND_FDS_MAX]; /* descriptors above 2 that this process was given for it (command_note_descriptors) */
    size_t inherited_count;
};

struct command;

/* The descriptors above 2 that are open now: to be called before this process opens any. `but` (-1: none) is its own. */
void command_note_descriptors(struct command_options *options, int but);
/* Forks it; it waits at its gate. Borrows the options. 0 or -errno. Release with command_close. */
int command_new(struct command **ret_command, const struct command_options *options, struct session *session, struct err *err);
/* Lets it begin and waits for its end, and then for that of its descendants. `told` is said once, when it has ended and they have
 * not. 0; 1: its descendants run on, a signal has ended the waiting; -ENOEXEC: it could not be executed (command_status knows); or
 * what failed. */
int command_wait(struct command *command, struct loop *loop, void (*told)(void *data), void *data, struct err *err);
/* As env(1) and a shell have it: its exit status, 128 and its signal's number, 126 or 127 where it was not executed.
 * *ret_signal: what ended it, 0 else. */
int command_status(const struct command *command, int *ret_signal);
/* Its name for sentences: argv[0] without folders. Borrowed, raw. */
const char *command_name(const struct command *command);
/* One that runs still is ended with SIGKILL. NULL is fine. */
void command_close(struct command *command);

#endif
