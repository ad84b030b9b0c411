#include "cli/watch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/options.h"
#include "out/output.h"
#include "out/status.h"
#include "watch/watch.h"

struct watch {
    struct watch_options options;
    struct output_options look; /* ascii */
    struct buf expression;      /* the operands, joined */
};

enum key { KEY_EVENTS, KEY_FORMAT, KEY_PID, KEY_COMM, KEY_PORT, KEY_ONLY_FINDINGS, KEY_MEMORY, KEY_FOR, KEY_ASCII, KEY_QUIET };

static const struct options_row what_rows[] = {
    {KEY_PID, 'p', "pid", "PID", "only connections that this process holds; may be given again"},
    {KEY_COMM, 0, "comm", "NAME", "of processes of this name, as the shell matches: 'nginx*'"},
    {KEY_PORT, 0, "port", "N", "with this port at either end"},
    {KEY_ONLY_FINDINGS, 0, "only-findings", NULL, "that show something to act on"},
};
static const struct options_row how_rows[] = {
    {KEY_EVENTS, 0, "events", NULL, "besides, a line for each step of handshake and goodbye"},
    {KEY_FORMAT, 0, "format", "NAME", "text or jsonl: one JSON object a line"},
    {KEY_FOR, 0, "for", "SECONDS", "end after so long; default: when you press ^C"},
    {KEY_MEMORY, 0, "memory", "SIZE",
     "for open connections, such as 64M; default 256M: some 16,000.\nOf more the one that was silent longest is told as it stands"},
    {KEY_ASCII, 0, "ascii", NULL, "write ASCII characters only"},
    {KEY_QUIET, 'q', "quiet", NULL, "no notes on standard error"},
};

static int take_size(const char *text, uint64_t *ret_bytes, struct err *err)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    unsigned shift = *end == 'K' || *end == 'k' ? 10 : *end == 'M' || *end == 'm' ? 20 : *end == 'G' || *end == 'g' ? 30 : 0;
    if (shift) end++;
    if (errno || end == text || *end || text[0] == '-' || number > (UINT64_MAX >> 4) >> shift ||
        number << shift < WATCH_MEMORY_LEAST)
        return err_set(err, -EINVAL, "--memory: '%s' is not a size of at least 8M, such as 64M or 1G", text);
    *ret_bytes = (uint64_t)number << shift;
    return 0;
}

static int too_many(const char *option, struct err *err)
{
    return err_set(err, -EINVAL, "%s: at most %d of them", option, CHOOSE_MAX);
}

static int take_wish(void *target, int key, const char *value, struct err *err)
{
    struct watch_wishes *wishes = &((struct watch *)target)->options.wishes;
    long number = 0;
    int code = 0;
    switch ((enum key)key) {
    case KEY_PID:
        if (wishes->pid_count == CHOOSE_MAX) return too_many("--pid", err);
        code = options_number("--pid", value, 1, INT_MAX, &number, err);
        if (!code) wishes->pids[wishes->pid_count++] = (int32_t)number;
        return code;
    case KEY_COMM:
        if (wishes->comm_count == CHOOSE_MAX) return too_many("--comm", err);
        wishes->comms[wishes->comm_count++] = value;
        return 0;
    case KEY_PORT:
        if (wishes->port_count == CHOOSE_MAX) return too_many("--port", err);
        code = options_number("--port", value, 1, UINT16_MAX, &number, err);
        if (!code) wishes->ports[wishes->port_count++] = (uint16_t)number;
        return code;
    default:
        wishes->only_findings = true;
        return 0;
    }
}

static int take_look(void *target, int key, const char *value, struct err *err)
{
    struct watch *watch = target;
    long seconds;
    int code;
    switch ((enum key)key) {
    case KEY_EVENTS:
        watch->options.lines.course = true;
        return 0;
    case KEY_FORMAT:
        if (strcmp(value, "text") != 0 && strcmp(value, "jsonl") != 0)
            return err_set(err, -EINVAL, "--format: '%s' is not text or jsonl", value);
        watch->options.lines.json = value[0] == 'j';
        return 0;
    case KEY_FOR:
        code = options_number("--for", value, 1, INT_MAX / 1000, &seconds, err);
        if (!code) watch->options.for_ms = seconds * 1000;
        return code;
    case KEY_MEMORY:
        return take_size(value, &watch->options.memory_bytes, err);
    case KEY_ASCII:
        watch->look.ascii = true;
        return 0;
    default:
        watch->options.quiet = true;
        return 0;
    }
}

static int run(struct watch *watch, int argc, char **argv, int operand, struct err *err)
{
    for (int i = operand; i < argc; i++) buf_printf(&watch->expression, "%s%s", i > operand ? " " : "", argv[i]);
    if (watch->expression.failed) return err_set(err, -EINVAL, "watch: the filter is too long");
    if (operand < argc) watch->options.wishes.expression = buf_string(&watch->expression);
    watch->options.lines.width = output_screen_width(STDOUT_FILENO);
    watch->options.lines.ascii = output_ascii(&watch->look);
    return watch_run(&watch->options, err);
}

int cli_watch(int argc, char **argv, struct err *err)
{
    struct watch watch = {.expression = buf_new(4096)};
    const struct options_group groups[] = {
        {"Which connections", what_rows, sizeof(what_rows) / sizeof(what_rows[0]), take_wish, &watch},
        {"What is said", how_rows, sizeof(how_rows) / sizeof(how_rows[0]), take_look, &watch},
    };
    const struct options_verb verb = {
        "watch",
        WATCH_USAGE,
        WATCH_SUMMARY,
        groups,
        2,
        "FILTER is a pcap-filter(7) expression about either direction of a connection: 'host 192.0.2.1 and not port 22'. "
        "All of the host's networks and processes are watched, by BPF: it takes root, or CAP_BPF and CAP_PERFMON, "
        "which are given up before the first connection is looked at. "
        "Of each connection the segments that tell of its course are recorded, not its data.",
        NULL};
    int operand = 0, code = options_parse(&verb, argc, argv, &operand, err);
    if (!code) code = run(&watch, argc, argv, operand, err);
    buf_free(&watch.expression);
    if (code == OPTIONS_HELPED) return CLI_DONE;
    if (code == -EINVAL) return CLI_USAGE;
    if (code == -EPERM || code == -EACCES) return CLI_DENIED;
    if (code == -EPIPE) return code;
    return code ? CLI_FAILED : CLI_DONE;
}
