#include "echo/stop.h"

#include <errno.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t asked;

/* alarm(2) is async-signal-safe (signal-safety(7)); setitimer is not promised to be. */
static void on_stop(int number)
{
    asked = number;
    alarm(1);
}

static void on_alarm(int number)
{
    (void)number;
    alarm(1);
}

static const struct {
    int number;
    void (*handler)(int);
    bool keep_ignored;
} rows[STOP_SIGNALS] = {
    {SIGINT, on_stop, true},
    {SIGTERM, on_stop, true},
    {SIGALRM, on_alarm, false},
    {SIGPIPE, SIG_IGN, false},
};

int stop_begin(struct stop *ret_stop, struct err *err)
{
    asked = 0;
    for (int i = 0; i < STOP_SIGNALS; i++) {
        struct sigaction action = {.sa_handler = rows[i].handler};
        if (sigaction(rows[i].number, NULL, &ret_stop->before[i]) != 0)
            return err_set_errno(err, -errno, "can't ask for the handler of signal %d", rows[i].number);
        if (rows[i].keep_ignored && ret_stop->before[i].sa_handler == SIG_IGN) continue;
        sigaction(rows[i].number, &action, NULL);
    }
    return 0;
}

int stop_asked(void)
{
    return asked;
}

void stop_end(const struct stop *stop)
{
    alarm(0);
    for (int i = 0; i < STOP_SIGNALS; i++) sigaction(rows[i].number, &stop->before[i], NULL);
    asked = 0;
}

void stop_sleep_ms(int milliseconds)
{
    struct timespec left = {.tv_sec = milliseconds / 1000, .tv_nsec = (long)(milliseconds % 1000) * 1000000};
    while (!stop_asked() && nanosleep(&left, &left) != 0 && errno == EINTR) continue;
}
