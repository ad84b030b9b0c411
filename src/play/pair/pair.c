#include "play/pair/pair.h"
#include "base/lang.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/procinfo.h"
#include "event/call_traits.h"
enum { ARGUMENTS_MAX = 2 * PAIR_MESSAGES_MAX + 40, NUMBERS_MAX = 12, WORDS_BYTES = 600 };

struct process {
    struct child child;
    const char *role;
    int words_fd; /* a memory file: its standard error */
    bool started, released, execed, ended;
    int status; /* wait(2)'s */
    struct err exec_err;
};

struct pair {
    struct session *session;
    const struct pair_options *options;
    struct process server;
    struct process *clients;
    size_t prepared_count, client_count; /* that wait at their gates; that began */
    int null_fd;
    int ready_fd;
    bool ready;
    bool server_inside;
};

/* An argument vector; numbers are kept beside it. */
struct arguments {
    char *list[ARGUMENTS_MAX];
    size_t count;
    char numbers[NUMBERS_MAX][24];
    size_t number_count;
};

/* execve(2) promises not to write to the strings. */
static void add(struct arguments *arguments, const char *text)
{
    if (arguments->count < ARGUMENTS_MAX - 1) arguments->list[arguments->count++] = (char *)(uintptr_t)text;
}

static void add_number(struct arguments *arguments, const char *option, long number)
{
    if (arguments->number_count == NUMBERS_MAX) return;
    char *text = arguments->numbers[arguments->number_count++];
    snprintf(text, sizeof(arguments->numbers[0]), "%ld", number);
    if (option) add(arguments, option);
    add(arguments, text);
}

static void add_common(struct arguments *arguments, const char *role, const struct pair_options *options)
{
    add(arguments, "/proc/self/exe");
    add(arguments, "echo");
    add(arguments, role);
    if (options->udp) add(arguments, "--udp");
    if (options->name) add(arguments, "--name"), add(arguments, options->name);
    if (options->close_first) add(arguments, "--close-first"), add(arguments, options->close_first);
}

static void add_endpoint(struct arguments *arguments, const struct pair_options *options)
{
    add(arguments, "--");
    add(arguments, options->ipv6 ? "::1" : "127.0.0.1");
    add_number(arguments, NULL, options->port);
}

static long messages_each(const struct pair_options *options)
{
    long messages = options->message_count ? (long)options->message_count : 1;
    return messages * (options->rounds ? options->rounds : 1);
}

static void server_arguments(const struct pair_options *options, int ready_fd, struct arguments *arguments)
{
    add_common(arguments, "server", options);
    add(arguments, "--quiet"); /* what it says on standard error is then why it failed */
    if (options->serve) add(arguments, "--serve"), add(arguments, options->serve);
    if (options->backlog >= 0) add_number(arguments, "--backlog", options->backlog);
    if (options->accept_delay_ms >= 0) add_number(arguments, "--accept-delay", options->accept_delay_ms);
    if (options->close_first && !strcmp(options->close_first, "server"))
        add_number(arguments, "--messages", messages_each(options));
    /* A datagram is all there is to a UDP exchange. */
    add_number(arguments, "--max-connections", options->clients * (options->udp ? messages_each(options) : 1));
    add_number(arguments, "--ready-fd", ready_fd);
    add_endpoint(arguments, options);
}

static void client_arguments(const struct pair_options *options, struct arguments *arguments)
{
    add_common(arguments, "client", options);
    for (size_t i = 0; i < options->message_count; i++) add(arguments, "--message"), add(arguments, options->messages[i]);
    add_number(arguments, "--count", options->rounds ? options->rounds : 1); /* with neither it would read standard input */
    add_endpoint(arguments, options);
}

static int spawn(struct pair *pair, struct process *process, const char *role, const struct arguments *arguments, int keep_fd,
                 struct err *err)
{
    process->role = role;
    process->words_fd = memfd_create("words", MFD_CLOEXEC);
    if (process->words_fd < 0) {
        int code = -errno;
        return err_set_errno(err, code, "can't keep what the %s says (memfd_create)", role);
    }
    struct child_options options = {
        .argv = arguments->list,
        .stdin_fd = pair->null_fd,
        .stdout_fd = pair->options->show_output ? STDERR_FILENO : pair->null_fd,
        .stderr_fd = process->words_fd,
        .keep_fds = {keep_fd, -1, -1, -1},
    };
    int code = session_spawn(pair->session, &options, &process->child, err);
    if (code) {
        err_prefix(err, "can't start the %s", role);
        return code;
    }
    process->started = true;
    return 0;
}

static int release(struct process *process, struct err *err)
{
    int code = child_release(&process->child, err);
    if (code)
        err_prefix(err, "can't start the %s", process->role);
    else
        process->released = true;
    return code;
}

/* Of each call of the server's, as it comes. */
static int look_inside(void *data, const struct event *event)
{
    struct pair *pair = data;
    if (event->kind != EVENT_ENTER && event->kind != EVENT_EXIT) return 0;
    if (pair->server.started && event->call.thread.pid == pair->server.child.pid)
        pair->server_inside =
            event->kind == EVENT_ENTER && call_traits(event->call.name) & (CALL_ACCEPTS | CALL_READS | CALL_WAITS_FOR_MANY);
    return 0;
}

int pair_new(struct pair **ret_pair, struct session *session, const struct pair_options *options, struct err *err)
{
    struct pair *pair = calloc(1, sizeof(*pair));
    if (pair) pair->clients = calloc((size_t)options->clients, sizeof(*pair->clients));
    if (!pair || !pair->clients) {
        free(pair);
        return err_set_errno(err, -ENOMEM, "can't start the echo pair");
    }
    pair->session = session;
    pair->options = options;
    pair->ready_fd = -1;
    pair->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (pair->null_fd < 0) {
        int code = -errno;
        pair_close(pair);
        return err_set_errno(err, code, "can't open /dev/null");
    }
    int code = stream_tap_arrivals(session_stream(session), look_inside, pair);
    if (code) {
        pair_close(pair);
        return err_set_errno(err, code, "can't look at what the server does");
    }
    *ret_pair = pair;
    return 0;
}

static int prepare_server(struct pair *pair, struct err *err)
{
    int ends[2];
    struct arguments arguments = {0};
    if (pipe2(ends, O_CLOEXEC) < 0) {
        int code = -errno;
        return err_set_errno(err, code, "can't start the server (pipe2)");
    }
    server_arguments(pair->options, ends[1], &arguments);
    int code = spawn(pair, &pair->server, "server", &arguments, ends[1], err);
    close(ends[1]); /* its end of file tells that the server is gone */
    pair->ready_fd = ends[0];
    return code;
}

int pair_prepare(struct pair *pair, struct err *err)
{
    struct arguments arguments = {0};
    client_arguments(pair->options, &arguments);
    int code = pair->options->no_server ? 0 : prepare_server(pair, err);
    for (long i = 0; i < pair->options->clients && !code; i++)
        code = spawn(pair, &pair->clients[pair->prepared_count++], "client", &arguments, -1, err);
    return code;
}

int pair_start_server(struct pair *pair, struct err *err)
{
    return release(&pair->server, err);
}

int pair_start_clients(struct pair *pair, struct err *err)
{
    int code = 0;
    pair->client_count = pair->prepared_count;
    for (size_t i = 0; i < pair->client_count && !code; i++) code = release(&pair->clients[i], err);
    return code;
}

int pair_ready_fd(const struct pair *pair)
{
    return pair->ready_fd;
}

static void look_ready(struct pair *pair)
{
    char text[16];
    if (pair->ready_fd < 0 || fcntl(pair->ready_fd, F_SETFL, O_NONBLOCK) < 0) return;
    ssize_t length = read(pair->ready_fd, text, sizeof(text));
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (length > 0) pair->ready = true;
    close(pair->ready_fd);
    pair->ready_fd = -1;
}

static void look_process(struct pair *pair, struct process *process)
{
    if (!process->started || process->ended) return;
    if (process->released && !process->execed) process->execed = child_exec_error(&process->child, &process->exec_err) != -EAGAIN;
    process->ended = session_ended(pair->session, &process->child, &process->status);
}

void pair_look(struct pair *pair)
{
    look_ready(pair);
    look_process(pair, &pair->server);
    for (size_t i = 0; i < pair->client_count; i++) look_process(pair, &pair->clients[i]);
}

bool pair_server_ready(const struct pair *pair)
{
    return pair->ready;
}

bool pair_server_waits(struct pair *pair)
{
    bool is_recorded = strcmp(session_recorder(pair->session), "none") != 0;
    return (pair->server_inside || !is_recorded) && procinfo_sleeps(pair->server.child.pid);
}

bool pair_server_ended(const struct pair *pair)
{
    return !pair->server.started || pair->server.ended;
}

bool pair_clients_ended(const struct pair *pair)
{
    for (size_t i = 0; i < pair->client_count; i++)
        if (pair->clients[i].started && !pair->clients[i].ended) return false;
    return true;
}

static bool has_failed(const struct process *process)
{
    return process->ended && process->status != 0;
}

bool pair_has_failed(const struct pair *pair)
{
    bool failed = has_failed(&pair->server);
    for (size_t i = 0; i < pair->client_count && !failed; i++) failed = has_failed(&pair->clients[i]);
    return failed;
}

static void send_signal(struct process *process, int signal)
{
    if (process->started && !process->ended) kill(process->child.pid, process->released ? signal : SIGKILL);
}

void pair_signal_server(struct pair *pair, int signal)
{
    send_signal(&pair->server, signal);
}

void pair_signal(struct pair *pair, int signal)
{
    for (size_t i = 0; i < pair->client_count; i++) send_signal(&pair->clients[i], signal);
    send_signal(&pair->server, signal);
}

/* What a process said at its end, on one line, without the program's name before each sentence. */
static void read_words(const struct process *process, char words[WORDS_BYTES])
{
    static const char mine[] = "tcpwhy: ";
    ssize_t length = pread(process->words_fd, words, WORDS_BYTES - 1, 0);
    words[length > 0 ? length : 0] = '\0';
    size_t used = strlen(words), skip = !strncmp(words, mine, strlen(mine)) ? strlen(mine) : 0;
    while (used && words[used - 1] == '\n') words[--used] = '\0';
    memmove(words, words + skip, used >= skip ? used - skip + 1 : 1);
    for (char *at = words; (at = strchr(at, '\n'));) *at = ' ';
}

static int describe(const struct process *process, struct err *err)
{
    char words[WORDS_BYTES], how[64];
    read_words(process, words);
    if (process->exec_err.text[0]) snprintf(words, sizeof(words), "%.500s", process->exec_err.text);
    if (WIFSIGNALED(process->status))
        snprintf(how, sizeof(how), tr("was ended by SIG%s"), sigabbrev_np(WTERMSIG(process->status)));
    else
        snprintf(how, sizeof(how), tr("failed (exit status %d)"), WEXITSTATUS(process->status));
    return err_set(err, -ECHILD, "the %s %s%s%s", process->role, how, words[0] ? ": " : "", words);
}

int pair_verdict(struct pair *pair, struct err *err)
{
    const struct process *first = NULL;
    size_t failed = 0;
    if (has_failed(&pair->server)) return describe(&pair->server, err);
    for (size_t i = 0; i < pair->client_count; i++) {
        if (!has_failed(&pair->clients[i])) continue;
        if (!failed++) first = &pair->clients[i];
    }
    if (pair->options->no_server && failed == pair->client_count) {
        if (first) describe(first, err);
        return 0;
    }
    if (pair->options->no_server)
        return err_set(err, -ECHILD, "somebody answered at port %u, where nobody should listen", (unsigned)pair->options->port);
    if (!pair->client_count) return err_set(err, -ECHILD, "the server ended before a client came");
    if (!failed) return 0;
    describe(first, err);
    if (failed > 1) err_prefix(err, "%zu of %zu clients failed; the first of them", failed, pair->client_count);
    return -ECHILD;
}

static void close_process(struct process *process)
{
    if (!process->role) return;                                                    /* it was never begun */
    if (process->started && !process->released) kill(process->child.pid, SIGKILL); /* it still waits at its gate */
    if (process->started) child_close(&process->child);
    if (process->words_fd >= 0) close(process->words_fd);
}

void pair_close(struct pair *pair)
{
    if (!pair) return;
    close_process(&pair->server);
    for (size_t i = 0; i < pair->prepared_count; i++) close_process(&pair->clients[i]);
    if (pair->null_fd >= 0) close(pair->null_fd);
    if (pair->ready_fd >= 0) close(pair->ready_fd);
    free(pair->clients);
    free(pair);
}
