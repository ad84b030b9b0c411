/* The output as a tap: stories come out while the run goes on, and are the same as those of a run that is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "event/text.h"
#include "out/output.h"

static const int64_t SECOND_NS = 1000000000;

/* Two connections that are refused, the second long after the first. */
static const char run[] = "# tcpwhy events 1\n"
                          "trace t=1000000000 recorder=none reason=\"asked for\"\n"
                          "vantage t=1000000001 vantage=1 name=lo\n"
                          "packet t=2000000000 vantage=1 number=1 src=127.0.0.1:1001 dst=127.0.0.1:9 proto=tcp flags=S seq=7\n"
                          "packet t=2000001000 vantage=1 number=2 src=127.0.0.1:9 dst=127.0.0.1:1001 proto=tcp flags=R. ack=8\n"
                          "packet t=90000000000 vantage=1 number=3 src=127.0.0.1:1002 dst=127.0.0.1:9 proto=tcp flags=S seq=7\n"
                          "packet t=90000001000 vantage=1 number=4 src=127.0.0.1:9 dst=127.0.0.1:1002 proto=tcp flags=R. ack=8\n";

struct pipes {
    char folder[32], path[64];
    int fd;
};

static int make_pipe(void **state)
{
    static struct pipes pipes;
    snprintf(pipes.folder, sizeof(pipes.folder), "/tmp/output.XXXXXX");
    assert_non_null(mkdtemp(pipes.folder));
    snprintf(pipes.path, sizeof(pipes.path), "%s/x.jsonl", pipes.folder);
    assert_int_equal(mkfifo(pipes.path, 0600), 0);
    pipes.fd = open(pipes.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(pipes.fd >= 0);
    *state = &pipes;
    return 0;
}

static int drop_pipe(void **state)
{
    struct pipes *pipes = *state;
    close(pipes->fd);
    unlink(pipes->path);
    rmdir(pipes->folder);
    return 0;
}

static struct event_log *read_run(void)
{
    struct event_log *log = event_log_new();
    struct err err = {""};
    assert_non_null(log);
    if (event_text_read("run", run, strlen(run), log, &err)) fail_msg("%s", err.text);
    return log;
}

static struct output *open_output(const struct pipes *pipes)
{
    const struct output_options options = {.files = {pipes->path}, .file_count = 1, .quiet = true};
    struct output *output = NULL;
    struct err err = {""};
    if (output_open(&output, &options, &err)) fail_msg("%s", err.text);
    return output;
}

/* What has been written since the last time. */
static size_t read_pipe(const struct pipes *pipes, char *text, size_t room)
{
    ssize_t length = read(pipes->fd, text, room - 1);
    text[length > 0 ? length : 0] = '\0';
    return length > 0 ? (size_t)length : 0;
}

static size_t count(const char *text, const char *word)
{
    size_t found = 0;
    for (; (text = strstr(text, word)); text++) found++;
    return found;
}

static void a_story_that_is_over_comes_out_while_the_run_goes_on(void **state)
{
    static char early[1 << 16], late[1 << 16], whole[1 << 16];
    const struct pipes *pipes = *state;
    struct err err = {""};
    struct event_log *log = read_run();
    struct stream *stream = stream_new(log, true);
    struct output *output = open_output(pipes);
    assert_int_equal(output_join(output, stream, &err), 0);
    assert_int_equal(stream_flow(stream, 60 * SECOND_NS), 0);
    assert_int_equal(read_pipe(pipes, early, sizeof(early)), 0); /* its TIME_WAIT might not be over */
    assert_int_equal(stream_flow(stream, 91 * SECOND_NS), 0);
    size_t length = read_pipe(pipes, early, sizeof(early));
    assert_int_equal(count(early, "127.0.0.1:1002"), 0);
    assert_true(count(early, "127.0.0.1:1001") > 0);
    assert_int_equal(event_log_count(log), 0); /* and what it was told from is gone */
    assert_int_equal(stream_finish(stream), 0);
    assert_int_equal(output_finish(output, &err), 0);
    read_pipe(pipes, late, sizeof(late));
    assert_int_equal(count(late, "127.0.0.1:1001"), 0);
    assert_true(count(late, "127.0.0.1:1002") > 0);
    output_close(output);
    stream_free(stream);
    event_log_free(log);

    log = read_run();
    output = open_output(pipes);
    assert_int_equal(output_tell(output, log, &err), 0);
    read_pipe(pipes, whole, sizeof(whole));
    assert_memory_equal(whole, early, length);
    assert_string_equal(whole + length, late);
    output_close(output);
    event_log_free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_story_that_is_over_comes_out_while_the_run_goes_on, make_pipe, drop_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
