/* The flight recorder: what it keeps, what it writes, and the folder that it writes to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "event/log.h"
#include "saved/saved_read.h"
#include "watch/flight/flight.h"
#include "watch/on.h"

#define S ((int64_t)1000000000)

enum { PATIENCE_MS = 60000 };

struct fixture {
    char folder[64];
    struct drawer *drawer;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct err err;
    strcpy(fixture->folder, "/tmp/tcpwhy-flight.XXXXXX");
    if (!mkdtemp(fixture->folder)) return -1;
    *state = fixture;
    return drawer_open(&fixture->drawer, fixture->folder, &(struct drawer_limits){3, 1 << 20}, &err);
}

/* The names that can be seen there, in order; how many. */
static size_t names(const struct fixture *fixture, char found[16][256])
{
    struct dirent **entries;
    int count = scandir(fixture->folder, &entries, NULL, alphasort);
    size_t visible = 0;
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.' && visible < 16) snprintf(found[visible++], 256, "%s", entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return visible;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    struct dirent **entries;
    drawer_free(fixture->drawer);
    int count = scandir(fixture->folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", fixture->folder, entries[i]->d_name);
        unlink(path); /* "." and ".." stay */
        free(entries[i]);
    }
    free(entries);
    int code = rmdir(fixture->folder);
    free(fixture);
    return code;
}

static struct event packet(int64_t t_ns, uint32_t seq)
{
    return (struct event){.kind = EVENT_PACKET, .t_ns = t_ns, .packet = {.vantage = 1, .header = {.protocol = 6, .seq = seq}}};
}

/* Events of different lengths. */
static void feed(struct flight *flight, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        struct event event = packet((int64_t)i * S / 100, (uint32_t)i + 1);
        if (i % 3 == 1)
            event = (struct event){.kind = EVENT_ENTER, .t_ns = event.t_ns, .call = {.fd = (int32_t)i, .how = -1, .level = -1}};
        if (i % 3 == 2)
            event = (struct event){
                .kind = EVENT_PROCESS, .t_ns = event.t_ns, .process = {.change = PROCESS_EXIT, .status = (int32_t)i}};
        flight_take(flight, &event);
    }
}

/* The number of events in the one trace that is there; *ret_first: the time of the first but one, which the facts come before. */
static size_t trace_of(const struct fixture *fixture, int64_t *ret_first, int64_t *ret_last)
{
    static char text[32 << 20];
    char found[16][256], path[512];
    struct err err = {""};
    assert_int_equal(names(fixture, found), 1);
    snprintf(path, sizeof(path), "%s/%s", fixture->folder, found[0]);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t length = fread(text, 1, sizeof(text), file);
    fclose(file);
    struct event_log *log = event_log_new();
    if (saved_read("trace", text, length, log, &err)) fail_msg("%s", err.text);
    size_t count = event_log_count(log);
    assert_int_equal(event_log_at(log, 0)->kind, EVENT_TRACE);
    *ret_first = event_log_at(log, 1)->t_ns;
    *ret_last = event_log_at(log, count - 1)->t_ns;
    for (size_t i = 2; i < count; i++) assert_int_equal(event_log_at(log, i)->t_ns - event_log_at(log, i - 1)->t_ns, S / 100);
    event_log_free(log);
    return count - 1;
}

static struct flight *begun(const struct fixture *fixture, int64_t keep_ns, size_t bytes)
{
    const struct flight_options options = {keep_ns, bytes, fixture->drawer, teller_live};
    struct flight *flight = flight_new(&options);
    const struct event trace = {.kind = EVENT_TRACE, .trace = {.recorder = "bpf", .course_only = true}};
    assert_non_null(flight);
    flight_take(flight, &trace);
    return flight;
}

static void a_trace_holds_the_seconds_before(void **state)
{
    const struct fixture *fixture = *state;
    struct flight *flight = begun(fixture, 5 * S, 8 << 20);
    int64_t first, last;
    feed(flight, 0, 2000);
    flight_trigger(flight, "refused", 7, 1700000000 * S);
    feed(flight, 2000, 2100); /* what comes meanwhile is not in it */
    assert_false(flight_write(flight, PATIENCE_MS));
    assert_int_equal(trace_of(fixture, &first, &last), 501);
    assert_int_equal(last, 1999 * S / 100);
    assert_int_equal(first, 1499 * S / 100);
    struct flight_counts counts = flight_counts(flight);
    assert_int_equal(counts.written, 1);
    assert_int_equal(counts.early, 0);
    flight_free(flight);
}

static void a_full_memory_goes_round_and_says_so(void **state)
{
    const struct fixture *fixture = *state;
    struct flight *flight = begun(fixture, 1000 * S, 1 << 20);
    int64_t first, last;
    feed(flight, 0, 50000);
    struct flight_counts counts = flight_counts(flight);
    assert_true(counts.early > 40000 && counts.holds_ns < 1000 * S);
    flight_trigger(flight, "refused", 7, 1700000000 * S);
    assert_false(flight_write(flight, PATIENCE_MS));
    size_t count = trace_of(fixture, &first, &last);
    assert_int_equal(count, 50000 - counts.early);
    assert_int_equal(last, 49999 * S / 100);
    flight_free(flight);
}

static void one_that_is_given_up_leaves_nothing(void **state)
{
    const struct fixture *fixture = *state;
    struct dirent **entries;
    struct flight *flight = begun(fixture, 1000 * S, 8 << 20);
    feed(flight, 0, 20000);
    flight_trigger(flight, "refused", 7, 1700000000 * S);
    flight_free(flight);
    int count = scandir(fixture->folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) free(entries[i]);
    free(entries);
    assert_int_equal(count, 2); /* "." and ".." */
}

static void a_second_wish_meanwhile_is_counted(void **state)
{
    const struct fixture *fixture = *state;
    char found[16][256];
    struct flight *flight = begun(fixture, 5 * S, 8 << 20);
    feed(flight, 0, 10);
    flight_trigger(flight, "refused", 7, 1700000000 * S);
    flight_trigger(flight, "refused", 8, 1700000000 * S);
    assert_int_equal(names(fixture, found), 0); /* it appears when it is whole */
    assert_false(flight_write(flight, PATIENCE_MS));
    assert_int_equal(names(fixture, found), 1);
    assert_int_equal(flight_counts(flight).skipped, 1);
    flight_free(flight);
}

static void of_too_many_files_the_oldest_goes(void **state)
{
    const struct fixture *fixture = *state;
    char found[16][256];
    struct flight *flight = begun(fixture, 5 * S, 8 << 20);
    feed(flight, 0, 10);
    for (int i = 0; i < 5; i++) {
        flight_trigger(flight, "refused", (uint32_t)i, (1700000000 + i) * S);
        assert_false(flight_write(flight, PATIENCE_MS));
    }
    assert_int_equal(names(fixture, found), 3);
    assert_non_null(strstr(found[0], "-2.pcapng"));
    assert_int_equal(flight_counts(flight).removed, 2);
    flight_free(flight);
}

static void a_name_that_leaves_the_folder_is_refused(void **state)
{
    const struct fixture *fixture = *state;
    static const char *const names_[] = {"", ".", "../x", "a/b", ".x", "a b", "a\n"};
    uint64_t removed;
    for (size_t i = 0; i < sizeof(names_) / sizeof(names_[0]); i++)
        assert_int_equal(drawer_begin(fixture->drawer, names_[i]), -EINVAL);
    assert_int_equal(drawer_end(fixture->drawer, &removed), -EINVAL);
}

/* As one is called that was asked for by two names, of a connection late in a long watch. */
static void the_longest_name_is_taken(void **state)
{
    const struct fixture *fixture = *state;
    char found[16][256], longest[ON_NAMES_BYTES];
    struct flight *flight = begun(fixture, 5 * S, 8 << 20);
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = 0;
    longest[9] = '+';
    flight_trigger(flight, longest, UINT32_MAX, 1700000000 * S);
    assert_false(flight_write(flight, PATIENCE_MS));
    assert_int_equal(flight_counts(flight).failed, 0);
    assert_int_equal(names(fixture, found), 1);
    assert_non_null(strstr(found[0], "xxxxxxxxx+x"));
    assert_non_null(strstr(found[0], "x-4294967295.pcapng"));
    flight_free(flight);
}

static void somebody_elses_file_is_left_alone(void **state)
{
    const struct fixture *fixture = *state;
    char path[512];
    struct stat status;
    uint64_t removed;
    snprintf(path, sizeof(path), "%s/x.pcapng", fixture->folder);
    FILE *file = fopen(path, "we");
    fputs("mine", file);
    fclose(file);
    int fd = drawer_begin(fixture->drawer, "x.pcapng");
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(drawer_end(fixture->drawer, &removed), -EEXIST);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_trace_holds_the_seconds_before),    TEST(a_full_memory_goes_round_and_says_so),
        TEST(one_that_is_given_up_leaves_nothing), TEST(a_second_wish_meanwhile_is_counted),
        TEST(of_too_many_files_the_oldest_goes),   TEST(a_name_that_leaves_the_folder_is_refused),
        TEST(somebody_elses_file_is_left_alone),   TEST(the_longest_name_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
