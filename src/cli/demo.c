#include "cli/demo.h"
#include "base/lang.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/output_options.h"
#include "out/keeper.h"
#include "out/output.h"
#include "out/place.h"
#include "out/status.h"
#include "play/catalogue/scene.h"
#include "play/pair/pair_run.h"

struct demo {
    struct pair_run_options run;
    struct scene_options scene;
    struct options_given given;
};

enum {
    KEY_PORT,
    KEY_IPV4,
    KEY_IPV6,
    KEY_UDP,
    KEY_SERVE,
    KEY_BACKLOG,
    KEY_ACCEPT_DELAY,
    KEY_CLIENTS,
    KEY_MESSAGE,
    KEY_COUNT,
    KEY_CLOSE_FIRST,
    KEY_CLOSED_PORT,
    KEY_NAME,
    KEY_HOST_NETWORK,
    KEY_RECORDER,
    KEY_VERIFIER_LOG,
    KEY_TIMEOUT
};

static const struct options_row rows[] = {
    {KEY_PORT, 'p', "port", "N", TR("the server's port (default 3333)")},
    {KEY_IPV4, '4', "ipv4", NULL, TR("talk over IPv4 (the default)")},
    {KEY_IPV6, '6', "ipv6", NULL, TR("talk over IPv6")},
    {KEY_UDP, 'u', "udp", NULL, TR("datagrams instead of a connection")},
    {KEY_SERVE, 0, "serve", "STYLE", TR("iterative (the default), fork or epoll")},
    {KEY_BACKLOG, 0, "backlog", "N", TR("what the server gives to listen()")},
    {KEY_ACCEPT_DELAY, 0, "accept-delay", "MS", TR("the server waits before each accept()")},
    {KEY_CLIENTS, 0, "clients", "N", TR("that many clients at once (default 1)")},
    {KEY_MESSAGE, 'm', "message", "TEXT", TR("what a client sends; may be repeated")},
    {KEY_COUNT, 0, "count", "N", TR("how often it sends that (default 1)")},
    {KEY_CLOSE_FIRST, 0, "close-first", "END", TR("client (the default) or server")},
    {KEY_CLOSED_PORT, 0, "closed-port", NULL, TR("no server: the client talks to a port that nobody listens on")},
    {KEY_NAME, 0, "name", "NAME", TR("the name of the pair's processes")},
    {KEY_HOST_NETWORK, 0, "host-network", NULL, TR("use this host's own loopback, not a private network")},
    {KEY_RECORDER, 0, "recorder", "NAME", TR("who records the calls: auto (the default), bpf, ptrace or none")},
    {KEY_VERIFIER_LOG, 0, "verifier-log", "FILE",
     TR("write what the kernel's verifier says of the bpf recorder's programs to FILE")},
    {KEY_TIMEOUT, 0, "timeout", "MS", TR("end the pair after that long (default 10000)")},
};

enum { KEY_LIST, KEY_ALL, KEY_EXPLAIN, KEY_STEP, KEY_WHOLE };

static const struct options_row scene_rows[] = {
    {KEY_LIST, 'l', "list", NULL, TR("the scenarios of the catalogue, by groups; those with a WORD in name, title or group")},
    {KEY_ALL, 0, "all", NULL, TR("run the whole catalogue (or the scenarios named) and end with a table")},
    {KEY_EXPLAIN, 0, "explain", NULL, TR("tell it sentence by sentence, each with its section of the RFC")},
    {KEY_STEP, 0, "step", NULL,
     TR("let the ladder grow row by row: Enter or → goes on, ← back, q ends; with --explain the sentences")},
    {KEY_WHOLE, 0, "whole", NULL, TR("the whole ladder on a terminal, too, which else gets one screen")},
};

static int take_scene(void *target, int key, const char *value, struct err *err)
{
    struct scene_options *scene = target;
    (void)value, (void)err;
    scene->list = scene->list || key == KEY_LIST;
    scene->all = scene->all || key == KEY_ALL;
    scene->explain = scene->explain || key == KEY_EXPLAIN;
    scene->whole = scene->whole || key == KEY_WHOLE;
    scene->step = scene->step || key == KEY_STEP;
    return 0;
}

static int take_number(const char *option, const char *text, long low, long high, long *ret_number, struct err *err)
{
    return options_number(option, text, low, high, ret_number, err);
}

static int take_word(const char *option, const char *text, const char *const *words, const char **ret_word, struct err *err)
{
    for (size_t i = 0; words[i]; i++)
        if (!strcmp(words[i], text)) return *ret_word = text, 0;
    char list[128] = "";
    for (size_t i = 0; words[i]; i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", words[i]);
    }
    return err_set(err, -EINVAL, "%s: '%s' is not one of %s", option, text, list);
}

static int take(void *target, int key, const char *value, struct err *err)
{
    static const char *const styles[] = {"iterative", "fork", "epoll", NULL}, *const ends[] = {"client", "server", NULL};
    static const char *const recorders[] = {"auto", "bpf", "ptrace", "none", NULL};
    struct demo *demo = target;
    struct pair_options *pair = &demo->run.pair;
    long number = 0;
    int code;
    switch (key) {
    case KEY_PORT:
        code = take_number("--port", value, 1, 65535, &number, err);
        pair->port = (uint16_t)number;
        return code;
    case KEY_IPV4:
    case KEY_IPV6:
        pair->ipv6 = key == KEY_IPV6;
        return 0;
    case KEY_UDP:
        pair->udp = true;
        return 0;
    case KEY_SERVE:
        return take_word("--serve", value, styles, &pair->serve, err);
    case KEY_BACKLOG:
        return take_number("--backlog", value, 0, 65535, &pair->backlog, err);
    case KEY_ACCEPT_DELAY:
        return take_number("--accept-delay", value, 0, 60000, &pair->accept_delay_ms, err);
    case KEY_CLIENTS:
        return take_number("--clients", value, 1, PAIR_CLIENTS_MAX, &pair->clients, err);
    case KEY_MESSAGE:
        if (pair->message_count == PAIR_MESSAGES_MAX)
            return err_set(err, -EINVAL, "--message: at most %d of them", PAIR_MESSAGES_MAX);
        pair->messages[pair->message_count++] = value;
        return 0;
    case KEY_COUNT:
        return take_number("--count", value, 1, 100000, &pair->rounds, err);
    case KEY_CLOSE_FIRST:
        return take_word("--close-first", value, ends, &pair->close_first, err);
    case KEY_CLOSED_PORT:
        pair->no_server = true;
        return 0;
    case KEY_NAME:
        pair->name = value;
        return 0;
    case KEY_HOST_NETWORK:
        demo->run.host_network = true;
        return 0;
    case KEY_RECORDER:
        return take_word("--recorder", value, recorders, &demo->run.recorder, err);
    case KEY_VERIFIER_LOG:
        demo->run.verifier_log = value;
        return 0;
    default:
        return take_number("--timeout", value, 1, 3600000, &demo->run.timeout_ms, err);
    }
}

static const char demo_notes[] = TR("A SCENARIO is a name from --list, or a file: a name that ends in .scn or holds a /.\n"
                                    "Its expectations are checked; the exit status is 1 when one is not met.");

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What the pair's options say does not fit together. */
static int check_pair(const struct demo *demo, struct err *err)
{
    static const struct options_misfit of_connections[] = {
        {"close-first", TR("it is about connections, and --udp has none")},
        {"serve", TR("it is about connections, and --udp has none")},
        {"backlog", TR("it is about connections, and --udp has none")},
        {"accept-delay", TR("it is about connections, and --udp has none")},
    };
    static const struct options_misfit of_server[] = {
        {"serve", TR("with --closed-port there is no server")},
        {"backlog", TR("with --closed-port there is no server")},
        {"accept-delay", TR("with --closed-port there is no server")},
        {"close-first", TR("with --closed-port there is nothing to close")},
    };
    static const struct options_misfit of_data[] = {
        {"message", TR("with --closed-port no connection comes about that could carry it (--udp sends it)")},
        {"count", TR("with --closed-port no connection comes about that could carry a message (--udp sends them)")},
    };
    const struct options_given *given = &demo->given;
    if (options_was_given(given, "ipv4") && options_was_given(given, "ipv6"))
        return err_set(err, -EINVAL, "--ipv4 and --ipv6: one of them");
    int code = demo->run.pair.udp ? options_refuse(given, of_connections, COUNT(of_connections), err) : 0;
    if (!code && demo->run.pair.no_server) code = options_refuse(given, of_server, COUNT(of_server), err);
    if (!code && demo->run.pair.no_server && !demo->run.pair.udp) code = options_refuse(given, of_data, COUNT(of_data), err);
    return code;
}

/* Options that shape what a list, a table or sentences have not. */
static int check_scene(const struct demo *demo, struct err *err)
{
    static const struct options_misfit of_play[] = {
        {"no-calls", TR("--list records nothing")},
        {"all", TR("--list plays nothing")},
        {"explain", TR("--list plays nothing")},
        {"step", TR("--list plays nothing")},
        {"host-network", TR("--list plays nothing")},
        {"recorder", TR("--list plays nothing")},
        {"output", TR("--list writes to standard output")},
        {"format", TR("--list has one format")},
        {"otlp", TR("--list plays nothing")},
        {"brief", TR("--list draws nothing")},
        {"absolute", TR("--list draws nothing")},
        {"whole", TR("--list draws nothing")},
        {"only", TR("--list draws nothing")},
        {"color", TR("--list has no colours")},
        {"verbose", TR("--list has no more to tell: play the scenario, or --explain it")},
        {"quiet", TR("--list has no notes")},
    };
    static const struct options_misfit of_table[] = {
        {"explain", TR("--all runs many scenarios, and this tells one")},
        {"step", TR("--all runs many scenarios, and this tells one")},
        {"otlp", TR("--all has a row a scenario: play one of them alone")},
        {"no-calls", TR("--all saves no runs: play one scenario alone")},
        {"brief", TR("the table of --all has no ladders")},
        {"absolute", TR("the table of --all has no ladders")},
        {"whole", TR("the table of --all has no ladders")},
        {"only", TR("the table of --all has no ladders")},
        {"color", TR("the table of --all has no colours")},
        {"verbose", TR("--all has a row a scenario: play one of them alone")},
    };
    static const struct options_misfit of_drawing[] = {
        {"brief", TR("--explain draws nothing (with --format text it does)")},
        {"absolute", TR("--explain draws nothing (with --format text it does)")},
        {"whole", TR("--explain draws nothing (with --format text it does)")},
        {"only", TR("--explain draws nothing (with --format text it does)")},
        {"color", TR("--explain draws nothing (with --format text it does)")},
        {"verbose", TR("--explain tells all there is (with --format text it draws, too)")},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].key != KEY_HOST_NETWORK && rows[i].key != KEY_RECORDER && options_was_given(&demo->given, rows[i].name))
            return err_set(err, -EINVAL, "--%s: it is about the echo pair, %s", rows[i].name,
                           demo->scene.list ? tr("and --list plays nothing") : tr("and a scenario says such things itself"));
    if (demo->scene.list) return options_refuse(&demo->given, of_play, COUNT(of_play), err);
    if (demo->scene.all) return options_refuse(&demo->given, of_table, COUNT(of_table), err);
    if (demo->scene.explain && !demo->run.output.format && !demo->run.output.file_count)
        return options_refuse(&demo->given, of_drawing, COUNT(of_drawing), err);
    return 0;
}

static int play_scene(struct demo *demo, char **operands, int count, struct err *err)
{
    if (check_scene(demo, err)) return CLI_USAGE;
    static char echo[] = "echo", *usual[] = {echo}; /* --explain alone tells the normal story */
    demo->scene.output = demo->run.output;
    demo->scene.recorder = demo->run.recorder;
    demo->scene.host_network = demo->run.host_network;
    bool takes_many = demo->scene.all || demo->scene.list;
    demo->scene.operands = count || takes_many ? operands : usual;
    demo->scene.operand_count = count || takes_many ? (size_t)count : 1;
    return scene_run(&demo->scene, err);
}

/* On a terminal the pair of one client is a lesson as well: on one screen, unless somebody asks for something else. */
static void fit_pair(struct demo *demo)
{
    enum { ROWS = 13 };
    struct output_options *output = &demo->run.output;
    bool shaped = output->format || output->file_count || output->otlp || output->verbose || output->brief || output->absolute ||
                  output->part != VIEW_WHOLE;
    if (shaped || demo->scene.whole || demo->run.pair.clients > 1 || !output_screen_width(STDOUT_FILENO)) return;
    output->brief = true;
    output->brief_rows = ROWS;
}

int cli_demo(int argc, char **argv, struct err *err)
{
    struct demo demo = {
        .run = {.pair = {.port = 3333, .backlog = -1, .accept_delay_ms = -1, .clients = 1},
                .timeout_ms = 10000,
                .output = {.recorded = true}},
    };
    struct options_group groups[] = {
        {TR("Scenarios"), scene_rows, sizeof(scene_rows) / sizeof(scene_rows[0]), take_scene, &demo.scene},
        {tr("The pair"), rows, sizeof(rows) / sizeof(rows[0]), take, &demo},
        output_group(&demo.run.output),
    };
    const struct options_verb verb = {"demo", DEMO_USAGE, DEMO_SUMMARY, groups, 3, demo_notes, &demo.given, output_say_formats};
    int operand = 0;
    int code = options_parse(&verb, argc, argv, &operand, err);
    if (code) return code == OPTIONS_HELPED ? CLI_DONE : CLI_USAGE;
    bool is_scene = operand < argc || demo.scene.list || demo.scene.all || demo.scene.explain || demo.scene.step;
    if (!is_scene && check_pair(&demo, err)) return CLI_USAGE;
    /* The catalogue is played by processes that each give up their own rights. */
    const struct output_options *output = &demo.run.output;
    const char *outputs[OUTPUT_FILES_MAX + 1];
    struct keeper_files kept = {NULL, 0, outputs, output->file_count};
    memcpy(outputs, output->files, sizeof(output->files));
    if (demo.run.verifier_log) outputs[kept.output_count++] = demo.run.verifier_log;
    if (!demo.scene.list && !demo.scene.all && keeper_new(&demo.run.output.keeper, &kept, err)) return CLI_FAILED;
    demo.run.pair.show_output = output->verbose > 0;
    if (!is_scene) fit_pair(&demo);
    int status = is_scene ? play_scene(&demo, argv + operand, argc - operand, err) : pair_run(&demo.run, err);
    keeper_free(demo.run.output.keeper);
    return status;
}
