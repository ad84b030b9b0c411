/* The one place that prints failures and chooses the exit status. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/lang.h"
#include "cli/output_options.h"
#include "cli/verbs.h"

/* A descriptor 0, 1 or 2 that is closed would be given to the next file opened; taken by a /dev/null of the wrong direction it
 * fails like a closed one instead. */
static void hold_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd) return;
}

/* Ends by the signal itself, so that a shell sees what happened; returns where the signal is ignored. */
static int end_by(int number)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    signal(number, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
    return CLI_INTERRUPTED + number;
}

/* As the command that was run; its core is its own, and this program leaves none beside it. */
static int end_as(int status)
{
    const struct rlimit none = {0, 0};
    if (status < CLI_KILLED) return status - CLI_EXACTLY;
    setrlimit(RLIMIT_CORE, &none);
    end_by(status - CLI_KILLED);
    return CLI_INTERRUPTED + status - CLI_KILLED;
}

int main(int argc, char **argv)
{
    struct err err = {""};
    hold_standard_descriptors();
    setlocale(LC_CTYPE, ""); /* not LC_ALL: numbers stay the same everywhere */
    lang_use(lang_of_environment());
    int status = verbs_run(argc, argv, &err);
    if (fflush(stdout)) {
        if (errno == EPIPE) return end_by(SIGPIPE);
        fprintf(stderr, "tcpwhy: can't write to standard output: %m\n");
        return CLI_FAILED;
    }
    if (status == -EPIPE) return end_by(SIGPIPE);
    if (status > CLI_INTERRUPTED && status < CLI_EXACTLY && !err.text[0]) err_set(&err, 0, "interrupted");
    if (err.text[0]) fprintf(stderr, "tcpwhy: %s\n", err.text);
    if (err.text[0] && *err_long_story(&err) && cli_tells_more) fprintf(stderr, "tcpwhy: %s\n", err_long_story(&err));
    if (status >= CLI_EXACTLY) return end_as(status);
    if (status > CLI_INTERRUPTED) return end_by(status - CLI_INTERRUPTED);
    if (status < 0) return status == -EPERM || status == -EACCES ? CLI_DENIED : CLI_FAILED;
    return status;
}
