#include "cli/interrupt.h"

#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t asked;
const volatile sig_atomic_t *const interrupt_asked = &asked;

static bool is_ours[NSIG]; /* a signal that was ignored stays ignored */

static void put_back(void)
{
    if (is_ours[SIGINT]) signal(SIGINT, SIG_DFL);
    if (is_ours[SIGTERM]) signal(SIGTERM, SIG_DFL);
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

void interrupt_begin(void)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    struct sigaction before;
    asked = 0;
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm}, NULL);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (sigaction(numbers[i], NULL, &before) != 0 || before.sa_handler == SIG_IGN) continue;
        is_ours[numbers[i]] = sigaction(numbers[i], &(struct sigaction){.sa_handler = on_stop}, NULL) == 0;
    }
}

void interrupt_end(void)
{
    alarm(0);
    put_back();
}
