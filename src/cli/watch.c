#include "cli/watch.h"
#include "base/lang.h"

#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/options.h"
#include "cli/output_options.h"
#include "out/output.h"
#include "out/status.h"
#include "watch/cgroups.h"
#include "watch/endpoint.h"
#include "watch/tui/tui.h"
#include "watch/watch.h"

struct watch {
    struct watch_options options;
    struct output_options look; /* ascii */
    struct buf expression;      /* the operands, joined */
    char *names;                /* that --on gave, cut at their commas */
    bool tui, has_color;
    const char *ring_option; /* one that means nothing without --ring; NULL: none was given */
};

enum key {
    KEY_RING,
    KEY_ON,
    KEY_OUTPUT,
    KEY_FILES,
    KEY_BYTES,
    KEY_EVENTS,
    KEY_FORMAT,
    KEY_PID,
    KEY_COMM,
    KEY_PORT,
    KEY_NETNS,
    KEY_CGROUP,
    KEY_INTERFACE,
    KEY_ONLY_FINDINGS,
    KEY_MEMORY,
    KEY_PROMETHEUS,
    KEY_OTLP,
    KEY_TUI,
    KEY_COLOR,
    KEY_FOR,
    KEY_ASCII,
    KEY_QUIET
};

static const struct options_row what_rows[] = {
    {KEY_PID, 'p', "pid", "PID", TR("only connections that this process holds; may be given again")},
    {KEY_COMM, 0, "comm", "NAME", TR("of processes of this name, as the shell matches: 'nginx*'")},
    {KEY_PORT, 0, "port", "N[,N...]", TR("with one of these ports at either end: others cost little, the kernel tells them apart")},
    {KEY_NETNS, 0, "netns", "NAME",
     TR("in this network namespace: this, a name of ip-netns(8), or a file such as /proc/PID/ns/net")},
    {KEY_CGROUP, 0, "cgroup", "PATH|NAME",
     TR("of processes in this cgroup or below it, or in this container: a name, or its id's beginning")},
    {KEY_INTERFACE, 'i', "interface", "NAME", TR("that leave by this interface of this network; may be given again")},
    {KEY_ONLY_FINDINGS, 0, "only-findings", NULL, TR("show only those with findings; totals and metrics are of all")},
};
static const struct options_row how_rows[] = {
    {KEY_TUI, 0, "tui", NULL, TR("on the whole screen: connections live, ladders that grow; ? shows the keys")},
    {KEY_EVENTS, 0, "events", NULL, TR("besides, a line for each step of handshake and goodbye, as it happens")},
    {KEY_FORMAT, 0, "format", "NAME", TR("text or jsonl: one JSON object a line")},
    {KEY_FOR, 0, "for", "SECONDS", TR("end after so long; default: when you press ^C")},
    {KEY_MEMORY, 0, "memory", "SIZE",
     TR("for open connections, such as 64M; default 256M: some 16,000. Of more the one that was silent longest is followed no "
        "further")},
    {KEY_PROMETHEUS, 0, "prometheus", "ADDR:PORT", TR("metrics by HTTP, for Prometheus; a port alone: on loopback")},
    {KEY_OTLP, 0, "otlp", "URL",
     TR("send connections that ended to a collector of OpenTelemetry's, such as http://localhost:4318")},
    {KEY_COLOR, 0, "color", "WHEN", TR("with --tui: auto, always or never (auto obeys NO_COLOR)")},
    {KEY_ASCII, 0, "ascii", NULL, TR("write ASCII characters only")},
    {KEY_QUIET, 'q', "quiet", NULL, TR("no notes on standard error")},
};

static const struct options_row ring_rows[] = {
    {KEY_RING, 0, "ring", "SECONDS", TR("keep the last seconds of all events in memory, and write them when something happens")},
    {KEY_ON, 0, "on", "NAMES",
     TR("what: findings and troubles, such as reset-unread-data,close-wait; no-answer: all that waited in vain; default: all but "
        "notes")},
    {KEY_OUTPUT, 'o', "output", "DIR", TR("into this folder: a capture each time, for tcpwhy read, Wireshark and tcpdump")},
    {KEY_FILES, 0, "files", "N", TR("so many at most, the oldest go; default 100")},
    {KEY_BYTES, 0, "bytes", "SIZE", TR("and so large together, but that the newest stays; default 1G")},
};

static int take_size(const char *option, unsigned least_mib, const char *text, uint64_t *ret_bytes, struct err *err)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    unsigned shift = *end == 'K' || *end == 'k' ? 10 : *end == 'M' || *end == 'm' ? 20 : *end == 'G' || *end == 'g' ? 30 : 0;
    if (shift) end++;
    bool is_size = !errno && end != text && !*end && text[0] != '-' && number <= (UINT64_MAX >> 4) >> shift;
    if (!is_size || number << shift < (uint64_t)least_mib << 20)
        return err_set(err, -EINVAL, "%s: '%s' is not a size of at least %uM, such as 64M or 1G", option, text, least_mib);
    *ret_bytes = (uint64_t)number << shift;
    return 0;
}

/* Names behind commas; they are kept in one piece of memory that lives as long as the command line does. */
static int take_names(struct watch *watch, const char *value, struct err *err)
{
    struct watch_ring *ring = &watch->options.ring;
    char *names = strdup(value), *rest = names;
    if (!names) return err_set_errno(err, -ENOMEM, "--on");
    free(watch->names);
    watch->names = names;
    ring->on_count = 0;
    for (char *name; (name = strsep(&rest, ","));) {
        const char *near = NULL;
        if (!watch_knows(name, &near))
            return err_set(err, -EINVAL, "--on: no finding or trouble is called '%s'%s%s%s", name,
                           near ? tr(": did you mean '") : tr(": tcpwhy explain lists the findings"), near ? near : "",
                           near ? "'?" : "");
        if (ring->on_count == WATCH_ON_MAX) return err_set(err, -EINVAL, "--on: at most %d names", WATCH_ON_MAX);
        ring->on[ring->on_count++] = name;
    }
    return 0;
}

static int take_ring(void *target, int key, const char *value, struct err *err)
{
    struct watch *watch = target;
    struct watch_ring *ring = &watch->options.ring;
    long number = 0;
    int code;
    switch ((enum key)key) {
    case KEY_RING:
        code = options_number("--ring", value, 1, 3600, &number, err);
        ring->seconds = number;
        return code;
    case KEY_ON:
        watch->ring_option = "--on";
        return take_names(watch, value, err);
    case KEY_OUTPUT:
        watch->ring_option = "--output";
        ring->folder = value;
        return 0;
    case KEY_FILES:
        watch->ring_option = "--files";
        code = options_number("--files", value, 1, 1000000, &number, err);
        ring->limits.files = (uint64_t)number;
        return code;
    default:
        watch->ring_option = "--bytes";
        return take_size("--bytes", 1, value, &ring->limits.bytes, err);
    }
}

static int too_many(const char *option, struct err *err)
{
    return err_set(err, -EINVAL, "%s: at most %d of them", option, CHOOSE_MAX);
}

static int take_netns(struct watch_options *options, const char *value, struct err *err)
{
    char path[PATH_MAX];
    struct stat netns;
    bool is_path = strchr(value, '/');
    if (options->netns_count == CALLS_NETNS_MAX) return err_set(err, -EINVAL, "--netns: at most %d of them", CALLS_NETNS_MAX);
    if (strcmp(value, "this") == 0)
        snprintf(path, sizeof(path), "/proc/self/ns/net");
    else
        snprintf(path, sizeof(path), "%s%s", is_path ? "" : "/run/netns/", value);
    if (stat(path, &netns))
        return err_set(err, -EINVAL, "--netns: there is no network namespace '%s': %s", value, err_errno_text(errno));
    options->netns[options->netns_count++] = netns.st_ino;
    return 0;
}

static int take_ports(struct watch_wishes *wishes, const char *value, struct err *err)
{
    char text[256], *rest = text;
    if (strlen(value) >= sizeof(text)) return too_many("--port", err);
    strcpy(text, value);
    for (char *word; (word = strsep(&rest, ","));) {
        long number = 0;
        if (wishes->port_count == CHOOSE_MAX) return too_many("--port", err);
        int code = options_number("--port", word, 1, UINT16_MAX, &number, err);
        if (code) return code;
        wishes->ports[wishes->port_count++] = (uint16_t)number;
    }
    return 0;
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
    case KEY_NETNS:
        return take_netns(&((struct watch *)target)->options, value, err);
    case KEY_CGROUP:
        if (wishes->cgroup_count == CHOOSE_MAX) return too_many("--cgroup", err);
        wishes->cgroups[wishes->cgroup_count++] = value;
        return cgroups_check(value, err);
    case KEY_INTERFACE:
        if (wishes->interface_count == CHOOSE_MAX) return too_many("--interface", err);
        wishes->interfaces[wishes->interface_count] = if_nametoindex(value);
        if (wishes->interfaces[wishes->interface_count++]) return 0;
        return err_set(err, -EINVAL, "--interface: there is no interface '%s'", value);
    case KEY_COMM:
        if (wishes->comm_count == CHOOSE_MAX) return too_many("--comm", err);
        wishes->comms[wishes->comm_count++] = value;
        return 0;
    case KEY_PORT:
        return take_ports(wishes, value, err);
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
        return take_size("--memory", WATCH_MEMORY_LEAST >> 20, value, &watch->options.memory_bytes, err);
    case KEY_TUI:
        watch->tui = true;
        return 0;
    case KEY_COLOR:
        watch->has_color = true;
        return output_color_from(value, &watch->look.color, err);
    case KEY_PROMETHEUS:
        if (!endpoint_is_address(value))
            return err_set(err, -EINVAL, "--prometheus: '%s' is not a port, or an address with one, such as 127.0.0.1:9464", value);
        watch->options.prometheus = value;
        return 0;
    case KEY_OTLP:
        if (watch->options.otlp) return err_set(err, -EINVAL, "--otlp: one collector at a time");
        watch->options.otlp = value;
        return 0;
    case KEY_ASCII:
        watch->look.ascii = true;
        return 0;
    default:
        watch->options.quiet = true;
        return 0;
    }
}

static int run_on_screen(struct watch *watch, struct err *err)
{
    const struct tui_options options = {
        .folder = ".", .ascii = watch->options.lines.ascii, .color = output_view_options(&watch->look, STDOUT_FILENO).color};
    int code = tui_check(err);
    if (code) return -EINVAL;
    struct tui *tui = tui_new(&options);
    if (!tui) return err_set_errno(err, -ENOMEM, "--tui");
    watch->options.screen = &tui_screen;
    watch->options.screen_data = tui;
    code = watch_run(&watch->options, err);
    tui_free(tui);
    return code;
}

static int run(struct watch *watch, int argc, char **argv, int operand, struct err *err)
{
    for (int i = operand; i < argc; i++) buf_printf(&watch->expression, "%s%s", i > operand ? " " : "", argv[i]);
    if (watch->expression.failed) return err_set(err, -EINVAL, "watch: the filter is too long");
    if (watch->tui && (watch->options.lines.json || watch->options.lines.course))
        return err_set(err, -EINVAL, "--%s: the screen has no lines (--tui)", watch->options.lines.json ? "format" : "events");
    if (watch->has_color && !watch->tui) return err_set(err, -EINVAL, "--color: only the screen has colours (--tui)");
    if (watch->ring_option && !watch->options.ring.seconds)
        return err_set(err, -EINVAL, "%s: there is no ring (--ring)", watch->ring_option);
    if (watch->options.ring.seconds && !watch->options.ring.folder) return err_set(err, -EINVAL, "--ring: where to? (-o DIR)");
    if (operand < argc) watch->options.wishes.expression = buf_string(&watch->expression);
    watch->options.lines.width = output_screen_width(STDOUT_FILENO);
    watch->options.lines.ascii = output_ascii(&watch->look);
    return watch->tui ? run_on_screen(watch, err) : watch_run(&watch->options, err);
}

int cli_watch(int argc, char **argv, struct err *err)
{
    struct watch watch = {.expression = buf_new(4096), .options.ring.limits = {WATCH_RING_FILES, WATCH_RING_BYTES}};
    const struct options_group groups[] = {
        {tr("Which connections"), what_rows, sizeof(what_rows) / sizeof(what_rows[0]), take_wish, &watch},
        {tr("What is said"), how_rows, sizeof(how_rows) / sizeof(how_rows[0]), take_look, &watch},
        {tr("The flight recorder"), ring_rows, sizeof(ring_rows) / sizeof(ring_rows[0]), take_ring, &watch},
    };
    const struct options_verb verb = {
        "watch",
        WATCH_USAGE,
        WATCH_SUMMARY,
        groups,
        sizeof(groups) / sizeof(groups[0]),
        tr("FILTER is a pcap-filter(7) expression about either direction of a connection: 'host 192.0.2.1 and not port 22'. "
           "All of the host's networks and processes are watched, by BPF: it takes root, or CAP_BPF and CAP_PERFMON, "
           "which are given up before the first connection is looked at. "
           "Of each connection the segments that tell of its course are recorded, not its data."),
        NULL,
        NULL};
    int operand = 0, code = options_parse(&verb, argc, argv, &operand, err);
    if (!code) code = run(&watch, argc, argv, operand, err);
    buf_free(&watch.expression);
    free(watch.names);
    if (code == OPTIONS_HELPED) return CLI_DONE;
    if (code == -EINVAL) return CLI_USAGE;
    if (code == -EPERM || code == -EACCES) return CLI_DENIED;
    if (code == -EPIPE) return code;
    return code ? CLI_FAILED : CLI_DONE;
}
