#include "out/interrupt.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/lang.h"

static volatile sig_atomic_t asked;
const volatile sig_atomic_t *const interrupt_asked = &asked;

static pid_t whose;        /* word it is */
static bool is_ours[NSIG]; /* a signal that was ignored stays ignored */

/* SA_RESETHAND: raised again, it ends the program as if nobody had looked. */
static void on_end(int number)
{
    const char *word = tr("tcpwhy: interrupted\n"); /* it looks into memory that never changes: a handler may */
    ssize_t written = getpid() == whose ? write(STDERR_FILENO, word, strlen(word)) : 0; /* not those it forked */
    (void)written;                                                                      /* nobody is there to be told */
    raise(number);
}

static void put_back(void)
{
    const struct sigaction ending = {.sa_handler = whose ? on_end : SIG_DFL, .sa_flags = (int)SA_RESETHAND};
    if (is_ours[SIGINT]) sigaction(SIGINT, &ending, NULL);
    if (is_ours[SIGTERM]) sigaction(SIGTERM, &ending, NULL);
}

static void on_stop(int number)
{
    asked = number;
    put_back();
    alarm(1);
}

static void on_alarm(int number)
{
    (void)number;
    alarm(1);
}

static void take(const struct sigaction *action)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    struct sigaction before;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (sigaction(numbers[i], NULL, &before) != 0 || before.sa_handler == SIG_IGN) continue;
        is_ours[numbers[i]] = sigaction(numbers[i], action, NULL) == 0;
    }
}

void interrupt_begin(void)
{
    asked = 0;
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm}, NULL);
    take(&(struct sigaction){.sa_handler = on_stop});
}

void interrupt_say(void)
{
    whose = getpid();
    take(&(struct sigaction){.sa_handler = on_end, .sa_flags = (int)SA_RESETHAND});
}

void interrupt_end(void)
{
    alarm(0);
    put_back();
}
