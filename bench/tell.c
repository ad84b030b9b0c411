/* What telling costs a connection, and whether that stays so: stored runs of 1,000 to 50,000 short connections with full evidence,
 * told one after the other as they would be while they are recorded.
 *
 *     bench_tell EVENTS [--processes] [--stored] [--events] [COUNT...]
 *
 * EVENTS: one connection (tests/golden/events/echo.events), of which each run is stamped out, at 10,000 a second. Each size runs in
 * a process of its own, five times, and the fastest counts. Printed: µs of CPU a connection on one core (what making the events
 * costs left out), the same as a share of a fixed piece of work done just before, and the most memory that the process had.
 * --events writes the run of the first COUNT as text instead, for `tcpwhy read`. With --stored the teller has the bounds of a
 * stored run, else those of a run without end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "event/extent.h"
#include "event/text.h"
#include "stamp.h"
#include "story/tell/teller.h"

struct told {
    struct teller *teller;
    size_t stories;
};

/* What a run of one size came to. */
struct measure {
    double connection_us, work_us, peak_mb;
    size_t stories;
};

static double cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The fixed piece of work: 100,000 numbers sorted, five times, the fastest. */
static double work_us(void)
{
    enum { NUMBERS = 100000 };
    static uint64_t numbers[NUMBERS];
    double best = 0;
    for (int round = 0; round < 5; round++) {
        uint64_t number = 88172645463325252u;
        for (size_t i = 0; i < NUMBERS; i++) {
            number ^= number << 13;
            number ^= number >> 7;
            number ^= number << 17;
            numbers[i] = number;
        }
        double begun = cpu_us();
        qsort(numbers, NUMBERS, sizeof(numbers[0]), by_value);
        double took = cpu_us() - begun;
        if (!best || took < best) best = took;
    }
    return best;
}

static int take_story(void *data, struct story *story)
{
    struct told *told = data;
    told->stories++;
    story_free(story);
    return 0;
}

static int pass_by(void *data, const struct event *event)
{
    *(int64_t *)data += event->t_ns; /* so that nothing is left out as unused */
    return 0;
}

static int feed(void *data, const struct event *event)
{
    return teller_feed(((struct told *)data)->teller, event);
}

static bool stored; /* --stored */

static struct measure measure(const struct stamp *stamp, size_t count)
{
    struct measure result = {.work_us = work_us()};
    struct told told = {.teller = teller_new(take_story, &told)};
    int64_t sum = 0;
    double begun = cpu_us();
    stamp_run(stamp, count, pass_by, &sum);
    double making = cpu_us() - begun;
    if (told.teller) teller_set_bounds(told.teller, stored ? &teller_stored : &teller_live);
    begun = cpu_us();
    int code = told.teller ? stamp_run(stamp, count, feed, &told) : -1;
    if (!code) code = teller_finish(told.teller);
    result.connection_us = (cpu_us() - begun - making) / (double)count;
    teller_free(told.teller);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    result.peak_mb = (double)usage.ru_maxrss / 1024;
    result.stories = code ? 0 : told.stories;
    return result;
}

/* In a process of its own, so that its memory is its own. */
static bool measure_apart(const struct stamp *stamp, size_t count, struct measure *ret_measure)
{
    int ends[2];
    if (pipe(ends)) return false;
    pid_t child = fork();
    if (child == 0) {
        struct measure result = measure(stamp, count);
        _exit(write(ends[1], &result, sizeof(result)) == sizeof(result) ? 0 : 1);
    }
    close(ends[1]);
    bool got = child > 0 && read(ends[0], ret_measure, sizeof(*ret_measure)) == sizeof(*ret_measure);
    close(ends[0]);
    if (child > 0) waitpid(child, NULL, 0);
    return got;
}

/* Of a few runs: what else the machine does only adds. */
static bool measure_fastest(const struct stamp *stamp, size_t count, struct measure *ret_measure)
{
    enum { TIMES = 5 };
    for (int i = 0; i < TIMES; i++) {
        struct measure result;
        if (!measure_apart(stamp, count, &result)) return false;
        if (i == 0 || result.connection_us / result.work_us < ret_measure->connection_us / ret_measure->work_us)
            *ret_measure = result;
    }
    return true;
}

static int write_line(void *data, const struct event *event)
{
    struct buf *line = data;
    struct event bare;
    event_assign(&bare, event);
    bare.packet.bytes = event->kind == EVENT_PACKET ? NULL : bare.packet.bytes;
    int code = event_text_write(line, event->kind == EVENT_PACKET ? &bare : event);
    if (!code) fwrite(line->data, 1, line->length, stdout);
    line->length = 0;
    return code;
}

static int write_events(const struct stamp *stamp, size_t count)
{
    struct buf line = buf_new(1 << 20);
    puts(EVENT_TEXT_FIRST_LINE);
    int code = stamp_run(stamp, count, write_line, &line);
    buf_free(&line);
    return code ? 1 : 0;
}

static int run(const struct stamp *stamp, const size_t *counts, size_t count)
{
    double least = 0, most = 0;
    printf("%zu events a connection, 10,000 connections a second\n", stamp_event_count(stamp));
    printf("%12s %10s %12s %12s %10s\n", "connections", "stories", "us each", "of the work", "peak MB");
    for (size_t i = 0; i < count; i++) {
        struct measure result;
        if (!measure_fastest(stamp, counts[i], &result) || result.stories < counts[i]) {
            fprintf(stderr, "bench_tell: %zu connections were not all told\n", counts[i]);
            return 1;
        }
        printf("%12zu %10zu %12.1f %11.2f%% %10.1f\n", counts[i], result.stories, result.connection_us,
               100 * result.connection_us / result.work_us, result.peak_mb);
        fflush(stdout);
        double ratio = result.connection_us / result.work_us;
        if (!least || ratio < least) least = ratio;
        if (ratio > most) most = ratio;
    }
    printf("flat within %.0f %% (the work: 100,000 numbers sorted)\n", 100 * (most / least - 1));
    return 0;
}

int main(int argc, char **argv)
{
    size_t counts[16] = {1000, 10000, 20000, 50000}, count = 0;
    struct stamp_how how = {.period_ns = 100000};
    bool events = false;
    struct err err = {0};
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--processes") == 0)
            how.processes = true;
        else if (strcmp(argv[i], "--stored") == 0)
            stored = true;
        else if (strcmp(argv[i], "--events") == 0)
            events = true;
        else if (count < sizeof(counts) / sizeof(counts[0]))
            counts[count++] = strtoul(argv[i], NULL, 10);
    }
    struct stamp *stamp = argc > 1 ? stamp_new(argv[1], &how, &err) : NULL;
    if (!stamp) {
        fprintf(stderr, "bench_tell: %s\n",
                argc > 1 ? err.text : "usage: bench_tell EVENTS [--processes] [--stored] [--events] [COUNT...]");
        return 2;
    }
    int code = events ? write_events(stamp, counts[0]) : run(stamp, counts, count ? count : 4);
    stamp_free(stamp);
    return code;
}
