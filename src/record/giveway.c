#include "record/giveway.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { HASTE = -5, /* as nice(1) has it */ NICE_MOST = 20, TICK_NS = 10000000, NS_A_SECOND = 1000000000 };

/* Only the thread beside raises, only the thread that gives way lowers itself: so neither waits for a lock that the other holds,
 * which would be held for long where an idle one is not let go on. */
struct giveway {
    struct giveway_options options;
    pid_t tid;
    _Atomic int64_t done_ns;
    atomic_bool hurries;
    pthread_t beside;
    pthread_mutex_t lock; /* of what follows; nobody who gives way takes it */
    pthread_cond_t news;
    enum { CHANCE_UNKNOWN, CHANCE_IS, CHANCE_NONE } chance; /* to come back */
    bool over;
};

static bool schedule(pid_t tid, int policy)
{
    const struct sched_param none = {.sched_priority = 0};
    return syscall(SYS_sched_setscheduler, tid, policy, &none) == 0; /* of a thread */
}

bool giveway_permit(void)
{
    const struct rlimit most = {NICE_MOST - HASTE, NICE_MOST - HASTE};
    (void)setpriority(PRIO_PROCESS, 0, HASTE);
    return setrlimit(RLIMIT_NICE, &most) == 0; /* from SCHED_IDLE nobody comes back without it */
}

static void look(struct giveway *giveway)
{
    const struct giveway_options *options = &giveway->options;
    /* Each time anew: the other may be about to lower itself, for what it had taken before. */
    bool waits_long = clock_steady_ns() - atomic_load(&giveway->done_ns) > options->patience_ns;
    if (!waits_long && options->filled(options->data) < options->filled_most) return;
    if (schedule(giveway->tid, SCHED_OTHER)) atomic_store(&giveway->hurries, true);
}

static struct timespec tick_end(void)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK_NS;
    until.tv_sec += until.tv_nsec / NS_A_SECOND;
    until.tv_nsec %= NS_A_SECOND;
    return until;
}

/* Tried by the thread beside, which has the same rights. */
static bool can_come_back(pid_t tid)
{
    return schedule(tid, SCHED_IDLE) && schedule(tid, SCHED_OTHER);
}

static void *look_after(void *data)
{
    struct giveway *giveway = data;
    bool can = can_come_back((pid_t)syscall(SYS_gettid));
    pthread_mutex_lock(&giveway->lock);
    giveway->chance = can ? CHANCE_IS : CHANCE_NONE;
    pthread_cond_signal(&giveway->news);
    while (can && !giveway->over) {
        struct timespec until = tick_end();
        pthread_cond_timedwait(&giveway->news, &giveway->lock, &until);
        look(giveway);
    }
    pthread_mutex_unlock(&giveway->lock);
    return NULL;
}

static int begin_beside(struct giveway *giveway)
{
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_mutex_init(&giveway->lock, NULL);
    pthread_cond_init(&giveway->news, &steady);
    pthread_condattr_destroy(&steady);
    return pthread_create(&giveway->beside, NULL, look_after, giveway);
}

static void free_all(struct giveway *giveway)
{
    pthread_cond_destroy(&giveway->news);
    pthread_mutex_destroy(&giveway->lock);
    free(giveway);
}

struct giveway *giveway_begin(const struct giveway_options *options)
{
    struct giveway *giveway = calloc(1, sizeof(*giveway));
    if (!giveway) return NULL;
    giveway->options = *options;
    giveway->tid = (pid_t)syscall(SYS_gettid);
    giveway->done_ns = clock_steady_ns();
    if (begin_beside(giveway)) {
        free_all(giveway);
        return NULL;
    }
    pthread_mutex_lock(&giveway->lock);
    while (giveway->chance == CHANCE_UNKNOWN) pthread_cond_wait(&giveway->news, &giveway->lock);
    pthread_mutex_unlock(&giveway->lock);
    if (giveway->chance == CHANCE_IS && schedule(giveway->tid, SCHED_IDLE)) return giveway;
    giveway_end(giveway);
    return NULL;
}

void giveway_done(struct giveway *giveway)
{
    if (!giveway) return;
    atomic_store(&giveway->done_ns, clock_steady_ns());
    if (atomic_exchange(&giveway->hurries, false)) schedule(giveway->tid, SCHED_IDLE);
}

void giveway_end(struct giveway *giveway)
{
    if (!giveway) return;
    schedule(giveway->tid, SCHED_OTHER); /* before it takes the lock */
    pthread_mutex_lock(&giveway->lock);
    giveway->over = true;
    pthread_cond_signal(&giveway->news);
    pthread_mutex_unlock(&giveway->lock);
    pthread_join(giveway->beside, NULL);
    free_all(giveway);
}
