#include "cli/echo.h"
#include "base/lang.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/options.h"
#include "echo/client.h"
#include "echo/server.h"
#include "out/note.h"
#include "out/status.h"
#include "viz/pen/escape.h"

enum { MS_MAX = 24 * 3600 * 1000, BACKLOG_MAX = 1 << 20, OUTPUT_LIMIT = 1 << 24 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One for both roles, so that they share the rows they have in common. */
struct echo {
    struct server_options server;
    struct client_options client;
    const char **messages; /* what client.messages points to */
    const char *name;      /* of the process; NULL: the role's own */
    const char *tcp_only;  /* an option that means nothing to UDP; NULL: none was given */
    bool udp, quiet;
    bool server_closes_first, has_message_limit;
    long timeout_ms;
    bool to_terminal;
};

enum key {
    KEY_UDP,
    KEY_TIMEOUT,
    KEY_NAME,
    KEY_CLOSE_FIRST,
    KEY_SERVE,
    KEY_BACKLOG,
    KEY_ACCEPT_DELAY,
    KEY_MESSAGES,
    KEY_MAX_CONNECTIONS,
    KEY_READY_FD,
    KEY_QUIET,
    KEY_MESSAGE,
    KEY_COUNT
};

static const struct options_row server_rows[] = {
    {KEY_SERVE, 's', "serve", "STYLE",
     TR("iterative: one connection after the other (the default);\nfork: a child for each; epoll: one event loop")},
    {KEY_UDP, 'u', "udp", NULL, TR("datagrams instead of connections")},
    {KEY_BACKLOG, 'b', "backlog", "N", TR("listen()'s second argument; default 128")},
    {KEY_ACCEPT_DELAY, 'd', "accept-delay", "MS", TR("sleep before each accept(): the handshake does not wait for it")},
    {KEY_CLOSE_FIRST, 0, "close-first", "WHO",
     TR("client (the default): close when the client has;\nserver: close by itself after --messages")},
    {KEY_MESSAGES, 0, "messages", "N",
     TR("with --close-first server: lines to echo before closing;\ndefault 1; what comes behind them is not echoed")},
    {KEY_MAX_CONNECTIONS, 'n', "max-connections", "N", TR("end after so many connections (with --udp: datagrams)")},
    {KEY_TIMEOUT, 't', "timeout", "MS", TR("give a connection up when nothing moves for so long")},
    {KEY_READY_FD, 0, "ready-fd", "N", TR("write the port and a newline to this descriptor once\nlistening, and close it")},
    {KEY_NAME, 0, "name", "NAME", TR("the process's name; default echo-server")},
    {KEY_QUIET, 'q', "quiet", NULL, TR("say nothing on standard error but why it failed")},
};

static const struct options_row client_rows[] = {
    {KEY_MESSAGE, 'm', "message", "TEXT", TR("send this line; may be given again")},
    {KEY_COUNT, 'c', "count", "N", TR("send the messages N times; without any \"hello 1\" to \"hello N\"")},
    {KEY_UDP, 'u', "udp", NULL, TR("datagrams instead of a connection")},
    {KEY_CLOSE_FIRST, 0, "close-first", "WHO",
     TR("client (the default): close after the last echo;\nserver: wait for the server's end of file first")},
    {KEY_TIMEOUT, 't', "timeout", "MS", TR("how long to wait for the server at each step;\ndefault: for ever, with --udp 1000")},
    {KEY_NAME, 0, "name", "NAME", TR("the process's name; default echo-client")},
};

static int choose(const char *option, const char *value, const char *const *words, size_t count, size_t *ret_index, struct err *err)
{
    struct buf list = buf_new(256);
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(value, words[i])) {
            buf_free(&list);
            *ret_index = i;
            return 0;
        }
        buf_printf(&list, "%s%s", i == 0 ? "" : i + 1 == count ? tr(" or ") : ", ", words[i]);
    }
    err_set(err, -EINVAL, "%s: '%s' is not %s", option, value, buf_string(&list));
    buf_free(&list);
    return -EINVAL;
}

/* Options whose value is a number, and where it goes. */
static int take_number(struct echo *echo, int key, const char *value, struct err *err)
{
    static const struct {
        enum key key;
        const char *option;
        long low, high;
        bool tcp_only;
    } rows[] = {
        {KEY_TIMEOUT, "--timeout", 1, MS_MAX, false},
        {KEY_BACKLOG, "--backlog", 0, BACKLOG_MAX, true},
        {KEY_ACCEPT_DELAY, "--accept-delay", 0, MS_MAX, true},
        {KEY_MESSAGES, "--messages", 1, LONG_MAX, true},
        {KEY_MAX_CONNECTIONS, "--max-connections", 1, LONG_MAX, false},
        {KEY_READY_FD, "--ready-fd", 0, INT_MAX, false},
        {KEY_COUNT, "--count", 1, LONG_MAX, false},
    };
    size_t row = 0;
    while (rows[row].key != (enum key)key) row++;
    long number;
    int code = options_number(rows[row].option, value, rows[row].low, rows[row].high, &number, err);
    if (code) return code;
    if (rows[row].tcp_only) echo->tcp_only = rows[row].option;
    switch ((enum key)key) {
    case KEY_TIMEOUT:
        echo->timeout_ms = number;
        break;
    case KEY_BACKLOG:
        echo->server.backlog = (int)number;
        break;
    case KEY_ACCEPT_DELAY:
        echo->server.accept_delay_ms = (int)number;
        break;
    case KEY_MESSAGES:
        echo->server.messages = (uint64_t)number;
        echo->has_message_limit = true;
        break;
    case KEY_MAX_CONNECTIONS:
        echo->server.max_connections = (uint64_t)number;
        break;
    case KEY_COUNT:
        echo->client.count = (uint64_t)number;
        break;
    default:
        echo->server.ready_fd = (int)number;
        if (fcntl((int)number, F_GETFD) < 0) return err_set(err, -EINVAL, "--ready-fd: descriptor %ld is not open", number);
    }
    return 0;
}

static int take(void *target, int key, const char *value, struct err *err)
{
    static const char *const styles[] = {[SERVER_ITERATIVE] = "iterative", [SERVER_FORK] = "fork", [SERVER_EPOLL] = "epoll"};
    static const char *const sides[] = {"client", "server"};
    struct echo *echo = target;
    size_t index;
    int code = 0;
    switch ((enum key)key) {
    case KEY_UDP:
        echo->udp = true;
        return 0;
    case KEY_QUIET:
        echo->quiet = true;
        return 0;
    case KEY_NAME:
        echo->name = value;
        return 0;
    case KEY_MESSAGE:
        echo->messages[echo->client.message_count++] = value;
        return 0;
    case KEY_SERVE:
        code = choose("--serve", value, styles, COUNT(styles), &index, err);
        if (!code) echo->server.style = (enum server_style)index;
        echo->tcp_only = "--serve";
        return code;
    case KEY_CLOSE_FIRST:
        code = choose("--close-first", value, sides, COUNT(sides), &index, err);
        if (!code) echo->server_closes_first = index == 1;
        echo->tcp_only = "--close-first";
        return code;
    default:
        return take_number(echo, key, value, err);
    }
}

/* Everything that can be wrong with the command line; 0, or -EINVAL with a sentence. */
static int check(const struct echo *echo, struct err *err)
{
    if (echo->udp && echo->tcp_only)
        return err_set(err, -EINVAL, "%s is about connections, and --udp has none: leave one of them out", echo->tcp_only);
    if (echo->has_message_limit && !echo->server_closes_first)
        return err_set(err, -EINVAL, "--messages says when the server closes first: it needs --close-first server");
    return 0;
}

/* One of these would be forgotten without a word. */
static int check_server(const struct echo *echo, struct err *err)
{
    if (echo->udp && echo->timeout_ms)
        return err_set(err, -EINVAL, "--timeout is about connections, and --udp has none: leave one of them out");
    return 0;
}

static void note(void *data, const char *text)
{
    const struct echo *echo = data;
    note_say(echo->quiet, "echo server: %s", text);
}

static int write_all(const char *bytes, size_t length)
{
    while (length) {
        ssize_t n = write(STDOUT_FILENO, bytes, length);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        bytes += n;
        length -= (size_t)n;
    }
    return 0;
}

/* What comes back is the peer's word: on a terminal it must not move the cursor. Lines, tabs and backslashes stay as they are. */
static int output(void *data, const char *bytes, size_t length)
{
    const struct echo *echo = data;
    if (!echo->to_terminal) return write_all(bytes, length);
    struct buf shown = buf_new(OUTPUT_LIMIT);
    for (size_t at = 0; at < length;) {
        uint32_t point;
        char piece[ESCAPE_PIECE_BYTES];
        size_t taken = escape_decode(bytes + at, length - at, &point);
        if (point == '\n' || point == '\t' || (point != ESCAPE_INVALID && escape_columns(point) > 0)) {
            buf_append(&shown, bytes + at, taken);
        } else {
            taken = escape_next(bytes + at, length - at, false, piece);
            buf_text(&shown, piece);
        }
        at += taken;
    }
    int code = shown.failed ? -ENOMEM : write_all(buf_string(&shown), shown.length);
    buf_free(&shown);
    return code;
}

/* A wrong endpoint is wrong usage, like a wrong option. */
static int status_of(int code)
{
    return code == -EINVAL ? CLI_USAGE : code;
}

static void rename_process(const struct echo *echo, const char *name)
{
    prctl(PR_SET_NAME, echo->name ? echo->name : name);
}

static int run_server(struct echo *echo, int count, char **operands, struct err *err)
{
    if (count < 1 || count > 2)
        return err_set(err, CLI_USAGE,
                       "echo server takes [HOST] PORT, as in 'tcpwhy echo server 3333': see tcpwhy echo server --help");
    if (check_server(echo, err)) return CLI_USAGE;
    struct server_options *options = &echo->server;
    options->host = count == 2 ? operands[0] : NULL;
    options->port = operands[count - 1];
    options->udp = echo->udp;
    options->close_first = echo->server_closes_first;
    options->timeout_ms = (int)echo->timeout_ms;
    options->note = note;
    options->note_data = echo;
    rename_process(echo, "echo-server");
    struct server_result result;
    int code = server_run(options, &result, err);
    /* SIGTERM asks for an end in order, ^C breaks off. */
    return code == 0 && result.signal == SIGINT ? CLI_INTERRUPTED + SIGINT : status_of(code);
}

static int run_client(struct echo *echo, int count, char **operands, struct err *err)
{
    if (count != 2)
        return err_set(err, CLI_USAGE,
                       "echo client takes HOST PORT, as in 'tcpwhy echo client 127.0.0.1 3333': see tcpwhy echo client --help");
    struct client_options *options = &echo->client;
    options->host = operands[0];
    options->port = operands[1];
    options->udp = echo->udp;
    options->messages = echo->messages;
    options->input_fd = STDIN_FILENO;
    options->await_close = echo->server_closes_first;
    options->timeout_ms = (int)echo->timeout_ms;
    options->output = output;
    options->output_data = echo;
    echo->to_terminal = isatty(STDOUT_FILENO);
    rename_process(echo, "echo-client");
    struct client_result result;
    int code = client_run(options, &result, err);
    return code == 0 && result.signal ? CLI_INTERRUPTED + result.signal : status_of(code);
}

static const struct role {
    const char *name;
    struct options_verb verb;
    const struct options_row *rows;
    size_t row_count;
    int (*run)(struct echo *echo, int count, char **operands, struct err *err);
} roles[] = {
    {"server",
     {.name = TR("echo server"),
      .usage = "[OPTIONS] [HOST] PORT",
      .summary =
          TR("Sends back what it is sent, until ^C. HOST is an address of this host; without it all of them, IPv6 and IPv4.\n"
             "PORT 0 takes any free one and says which."),
      .notes = TR("With --udp an answer leaves from the address that the route back has: on a host with several, give HOST.")},
     server_rows,
     COUNT(server_rows),
     run_server},
    {"client",
     {.name = TR("echo client"),
      .usage = "[OPTIONS] HOST PORT",
      .summary = TR("Sends messages to an echo server and checks what comes back, byte for byte.\n"
                    "Without --message and --count the messages are the lines of standard input."),
      .notes = TR("What came back goes to standard output; on a terminal control characters are escaped.")},
     client_rows,
     COUNT(client_rows),
     run_client},
};

static int run(const struct role *role, int argc, char **argv, struct err *err)
{
    struct echo echo = {.server = {.backlog = SERVER_BACKLOG, .messages = 1, .ready_fd = -1}};
    echo.messages = calloc((size_t)argc, sizeof(*echo.messages)); /* an option takes at least one word */
    if (!echo.messages) return err_set_errno(err, -ENOMEM, "can't hold the messages");
    struct options_group group = {"Options", role->rows, role->row_count, take, &echo};
    struct options_verb verb = role->verb;
    verb.groups = &group;
    verb.group_count = 1;
    int operand, status = options_parse(&verb, argc, argv, &operand, err);
    if (status == OPTIONS_HELPED)
        status = CLI_DONE;
    else if (status == OPTIONS_GO_ON && (status = check(&echo, err)) == 0)
        status = role->run(&echo, argc - operand, argv + operand, err);
    else
        status = status_of(status);
    free(echo.messages);
    return status;
}

int cli_echo(int argc, char **argv, struct err *err)
{
    for (size_t i = 0; argc > 1 && i < COUNT(roles); i++)
        if (!strcmp(argv[1], roles[i].name)) return run(&roles[i], argc - 1, argv + 1, err);
    if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
        for (size_t i = 0; i < COUNT(roles); i++) {
            char help[] = "--help", *words[] = {argv[0], help, NULL};
            if (i) putchar('\n');
            run(&roles[i], 2, words, err);
        }
        return CLI_DONE;
    }
    if (argc > 1) return err_set(err, CLI_USAGE, "echo: '%s' is neither server nor client: see tcpwhy echo --help", argv[1]);
    return err_set(err, CLI_USAGE, "echo: server or client? See tcpwhy echo --help");
}
