#include "cli/demo.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/options.h"
#include "cli/output_options.h"
#include "lab/network/host.h"
#include "out/keeper.h"
#include "out/note.h"
#include "out/output.h"
#include "out/place.h"
#include "out/status.h"
#include "play/pair.h"
#include "play/port.h"
#include "play/scene.h"
#include "record/session.h"
#include "rights/rights.h"

/* How long to wait for what should take no time. */
enum { STEP_MS = 20, SHORT_STEP_MS = 1, SERVER_ASLEEP_MS = 1000, REST_MS = 2000, SETTLE_MS = 5, GRACE_MS = 1000 };

struct demo {
    struct output_options output;
    struct pair_options pair;
    const char *recorder;
    bool host_network;
    const char *verifier_log; /* NULL: nobody asks */
    int verifier_fd;
    long timeout_ms;
    struct scene_options scene;
    struct options_given given;
    /* while it runs */
    bool shared; /* it runs on a network that others use too */
    struct session *session;
    struct pair *processes;
    int64_t deadline_ms;
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
    {KEY_PORT, 'p', "port", "N", "the server's port (default 3333)"},
    {KEY_IPV4, '4', "ipv4", NULL, "talk over IPv4 (the default)"},
    {KEY_IPV6, '6', "ipv6", NULL, "talk over IPv6"},
    {KEY_UDP, 'u', "udp", NULL, "datagrams instead of a connection"},
    {KEY_SERVE, 0, "serve", "STYLE", "iterative (the default), fork or epoll"},
    {KEY_BACKLOG, 0, "backlog", "N", "what the server gives to listen()"},
    {KEY_ACCEPT_DELAY, 0, "accept-delay", "MS", "the server waits before each accept()"},
    {KEY_CLIENTS, 0, "clients", "N", "that many clients at once (default 1)"},
    {KEY_MESSAGE, 'm', "message", "TEXT", "what a client sends; may be repeated"},
    {KEY_COUNT, 0, "count", "N", "how often it sends that (default 1)"},
    {KEY_CLOSE_FIRST, 0, "close-first", "END", "client (the default) or server"},
    {KEY_CLOSED_PORT, 0, "closed-port", NULL, "no server: the client talks to a port that nobody listens on"},
    {KEY_NAME, 0, "name", "NAME", "the name of the pair's processes"},
    {KEY_HOST_NETWORK, 0, "host-network", NULL, "use this host's own loopback, not a private network"},
    {KEY_RECORDER, 0, "recorder", "NAME", "who records the calls: auto (the default), bpf, ptrace or none"},
    {KEY_VERIFIER_LOG, 0, "verifier-log", "FILE", "write what the kernel's verifier says of the bpf recorder's programs to FILE"},
    {KEY_TIMEOUT, 0, "timeout", "MS", "end the pair after that long (default 10000)"},
};

enum { KEY_LIST, KEY_ALL, KEY_EXPLAIN, KEY_STEP };

static const struct options_row scene_rows[] = {
    {KEY_LIST, 'l', "list", NULL, "the scenarios of the catalogue, a line each; those with a WORD in name or title"},
    {KEY_ALL, 0, "all", NULL, "run the whole catalogue (or the scenarios named) and end with a table"},
    {KEY_EXPLAIN, 0, "explain", NULL, "tell it sentence by sentence, each with its section of the RFC"},
    {KEY_STEP, 0, "step", NULL, "the same, and wait for Enter after each step"},
};

static int take_scene(void *target, int key, const char *value, struct err *err)
{
    struct scene_options *scene = target;
    (void)value, (void)err;
    scene->list = scene->list || key == KEY_LIST;
    scene->all = scene->all || key == KEY_ALL;
    scene->explain = scene->explain || key == KEY_EXPLAIN || key == KEY_STEP;
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
    struct pair_options *pair = &demo->pair;
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
        demo->host_network = true;
        return 0;
    case KEY_RECORDER:
        return take_word("--recorder", value, recorders, &demo->recorder, err);
    case KEY_VERIFIER_LOG:
        demo->verifier_log = value;
        return 0;
    default:
        return take_number("--timeout", value, 1, 3600000, &demo->timeout_ms, err);
    }
}

/* ---- the stage: a network, a recorder, a capture ---- */

static int choose_host(struct demo *demo, enum host_kind *ret_kind, struct err *ret_refusal, struct err *err)
{
    if (demo->host_network) return 0;
    int code = host_make_private(ret_kind, ret_refusal);
    if (code && code != -EPERM) *err = *ret_refusal;
    return code == -EPERM ? 0 : code; /* then this host's own loopback has to do */
}

/* The ways out that are open here, as far as that can be told; the long story is each one's own. */
static void advise_capture(const struct demo *demo, const struct err *refusal, struct err *err)
{
    struct err why = *err;
    bool as_root = geteuid() != 0;
    const char *remedy = refusal->text[0] ? host_remedy() : NULL;
    if (refusal->text[0]) {
        err_set(err, 0, "%.300s%s%s%s%s", refusal->text,
                remedy && as_root   ? ". Two ways: "
                : remedy || as_root ? ". One way: "
                                    : "",
                as_root ? "run it as root (sudo)" : "", remedy && as_root ? ", or " : "", remedy ? remedy : "");
        err_more(err, "%.200s. And %.150s: %.100s", err_long_story(refusal), why.text, err_long_story(&why));
        return;
    }
    bool may_be_private = demo->host_network && host_may_be_private();
    err_set(err, 0, "%.300s%s%s", why.text, as_root ? ": run it as root (sudo)" : "",
            may_be_private ? as_root ? ", or without --host-network" : ": run it without --host-network" : "");
    err_more(err, "%s", err_long_story(&why));
}

static int open_capture(struct demo *demo, const struct err *refusal, struct err *err)
{
    char filter[256];
    /* The server's end, and not just any socket of that port: the network may be shared. */
    const char *protocol = demo->pair.udp ? "udp" : "tcp", *host = demo->pair.ipv6 ? "ip6 host ::1" : "ip host 127.0.0.1";
    snprintf(filter, sizeof(filter),
             "(%s and %s port %u) or (icmp and (icmp[0] = 3 or icmp[0] = 11 or icmp[0] = 12)) or (icmp6 and ip6[40] < 5)", host,
             protocol, (unsigned)demo->pair.port);
    struct packets_options options = {.interface = "lo", .filter = filter, .keep_bytes = true};
    struct err why = {""};
    int code = session_capture(demo->session, &options, &why);
    if (!code) return 0;
    *err = why;
    if (code == -EPERM || code == -EACCES) advise_capture(demo, refusal, err);
    return code;
}

static int set_stage(struct demo *demo, struct err *err)
{
    struct err refusal = {""}, no_bpf = {""};
    enum host_kind kind = HOST_SHARED;
    /* Root loads its programs where it is going to be; for an ordinary user the way into a user namespace ends that. */
    bool bpf_refused = geteuid() != 0 && session_try_bpf(&no_bpf);
    int code = choose_host(demo, &kind, &refusal, err);
    if (!bpf_refused && geteuid() != 0 && kind == HOST_PRIVATE_USER) {
        bpf_refused = true;
        err_set(&no_bpf, 0, "no BPF program loads in the user namespace of the private network (--host-network does without it)");
    }
    demo->shared = demo->host_network || refusal.text[0];
    /* Where others are, what is captured at a port that they have would be theirs; a closed one would not be closed. */
    const struct port port = {demo->pair.port, demo->pair.udp, demo->pair.ipv6};
    if (!code && demo->shared) code = port_check(&port, err);
    if (code) return code;
    struct session_options options = {
        .recorder = demo->recorder,
        .calls = {.ports = {demo->pair.port},
                  .port_count = 1,
                  .netns = {host_netns()},
                  .netns_count = 1,
                  .verifier_fd = demo->verifier_fd},
        .server_ports = {demo->pair.port},
        .unfiltered = !demo->shared,
        .no_bpf = bpf_refused ? &no_bpf : NULL,
    };
    code = session_open(&demo->session, &options, err);
    if (!code) code = open_capture(demo, &refusal, err);
    if (!code && refusal.text[0]) note_say(demo->output.quiet, "using this host's own loopback: %s", refusal.text);
    if (!code && refusal.text[0]) note_say(demo->output.quiet || !demo->output.verbose, "%s", err_long_story(&refusal));
    return code;
}

/* ---- the play ---- */

static bool server_ready(struct demo *demo)
{
    return pair_server_ready(demo->processes) || pair_server_ended(demo->processes);
}
static bool server_waits(struct demo *demo)
{
    return pair_server_waits(demo->processes) || pair_server_ended(demo->processes);
}
static bool clients_ended(struct demo *demo)
{
    return pair_clients_ended(demo->processes);
}
static bool all_ended(struct demo *demo)
{
    return pair_clients_ended(demo->processes) && pair_server_ended(demo->processes);
}

static int step(struct demo *demo, int timeout_ms, struct err *err)
{
    int ready_fd = demo->processes ? pair_ready_fd(demo->processes) : -1;
    int got = session_step(demo->session, ready_fd, timeout_ms, err);
    if (demo->processes) pair_look(demo->processes);
    return got;
}

/* Records until `done`. 0; -ETIMEDOUT after `limit_ms` or the demo's own time; -EINTR after a signal; or what failed. */
static int record_until(struct demo *demo, bool (*done)(struct demo *), int64_t limit_ms, int step_ms, struct err *err)
{
    int64_t limit = clock_ms() + limit_ms;
    if (limit > demo->deadline_ms) limit = demo->deadline_ms;
    while (!done(demo)) {
        if (session_signal(demo->session, NULL)) return -EINTR;
        if (clock_ms() >= limit) return -ETIMEDOUT;
        int got = step(demo, step_ms, err);
        if (got < 0) return got;
    }
    return 0;
}

static int play(struct demo *demo, struct err *err)
{
    struct pair *pair = demo->processes;
    int code = 0;
    if (!demo->pair.no_server) {
        code = pair_start_server(pair, err);
        if (!code) code = record_until(demo, server_ready, demo->timeout_ms, STEP_MS, err);
        /* A client that comes later than accept() makes the usual story; a delayed accept() is to be seen late. */
        if (!code && demo->pair.accept_delay_ms <= 0) {
            code = record_until(demo, server_waits, SERVER_ASLEEP_MS, SHORT_STEP_MS, err);
            if (code == -ETIMEDOUT) code = 0;
        }
        if (!code && pair_server_ended(pair)) return 0; /* the verdict has its words */
    }
    if (!code) code = pair_start_clients(pair, err);
    if (!code) code = record_until(demo, clients_ended, demo->timeout_ms, STEP_MS, err);
    /* The server counts the connections it served: with a failed client it would wait for one that never comes. */
    if (!code && pair_has_failed(pair)) pair_signal_server(pair, SIGTERM);
    if (!code) code = record_until(demo, all_ended, demo->timeout_ms, STEP_MS, err);
    return code;
}

/* Ends what still runs: in order first, then without asking; a second signal from the keyboard means now. */
static void stop(struct demo *demo)
{
    static const int signals[] = {SIGTERM, SIGKILL};
    int count_before, count = 0;
    struct err ignored;
    session_signal(demo->session, &count_before);
    for (size_t i = 0; i < 2 && !all_ended(demo); i++) {
        int64_t limit = clock_ms() + GRACE_MS;
        pair_signal(demo->processes, signals[i]);
        for (; !all_ended(demo) && clock_ms() < limit && count <= count_before; session_signal(demo->session, &count))
            if (step(demo, STEP_MS, &ignored) < 0) break;
        count_before = count; /* the kill is waited for, however impatient the person is */
    }
}

/* Segments may come after the processes are gone: FINs, their ACKs, retransmissions. TIME_WAIT itself is not sat out. */
static void come_to_rest(struct demo *demo, int64_t limit_ms)
{
    int64_t limit = clock_ms() + limit_ms;
    bool active = true;
    struct err ignored;
    int before = session_signal(demo->session, NULL);
    for (int got = 1; got > 0 || active;) {
        if (clock_ms() >= limit || session_signal(demo->session, NULL) != before) break;
        got = step(demo, SETTLE_MS, &ignored);
        if (got < 0) break;
        active = host_has_active_socket(demo->pair.port);
    }
    if (active && !session_signal(demo->session, NULL))
        note_say(demo->output.quiet, "a connection was still open %ld ms after its processes ended: the story may lack its end",
                 (long)limit_ms);
}

static int verdict(struct demo *demo, int code, const struct err *play_err, struct err *err)
{
    if (code == -EINTR) return CLI_INTERRUPTED + session_signal(demo->session, NULL);
    if (code == -ETIMEDOUT)
        return err_set(err, CLI_FAILED, "the pair was not done after %ld ms and was ended (--timeout gives it longer)",
                       demo->timeout_ms);
    if (code) {
        *err = *play_err;
        return CLI_FAILED;
    }
    struct err words = {""};
    if (!pair_verdict(demo->processes, &words)) {
        if (words.text[0]) note_say(demo->output.quiet, "%s", words.text);
        return CLI_DONE;
    }
    *err = words;
    /* Only a network that others use has taken ports. */
    if (demo->shared && !demo->pair.no_server && !pair_server_ready(demo->processes))
        err_set(err, CLI_FAILED, "%.900s. The demo takes another port with --port N", words.text);
    return CLI_FAILED;
}

static int run(struct demo *demo, struct err *err)
{
    struct err play_err = {""};
    bool traces = !strcmp(session_recorder(demo->session), "ptrace");
    int code = pair_new(&demo->processes, demo->session, &demo->pair, err);
    if (code) return CLI_FAILED;
    code = pair_prepare(demo->processes, err);
    if (!code) code = rights_drop(RIGHTS_SIGNAL | (traces ? RIGHTS_TRACE : 0), err);
    if (code) return CLI_FAILED;
    demo->deadline_ms = clock_ms() + demo->timeout_ms;
    code = play(demo, &play_err);
    if (code) stop(demo);
    come_to_rest(demo, code ? REST_MS / 10 : REST_MS);
    if (session_signal(demo->session, NULL)) code = -EINTR; /* it may have come while the rest was waited for */
    return verdict(demo, code, &play_err, err);
}

static int tell(struct demo *demo, struct output *output, int status, struct err *err)
{
    struct err mine = {""};
    int code = session_report(demo->session, &mine);
    session_give_signals_back(demo->session); /* all that is left is writing, which may wait for a reader for ever */
    if (!code) code = rights_drop(RIGHTS_NONE, &mine);
    if (!code) code = rights_confine(false, &mine);
    if (!code) code = output_tell(output, session_log(demo->session), &mine);
    if (code == -EPIPE && !status) return code;
    if (!code || code == -EPIPE || status) return status;
    *err = mine;
    return CLI_FAILED;
}

/* The verifier's log is complete once the recorder is open, or could not be. */
static int set_stage_with_log(struct demo *demo, struct err *err)
{
    struct place log;
    if (!demo->verifier_log) return set_stage(demo, err);
    int code = place_open(&log, demo->verifier_log, demo->output.keeper, err);
    demo->verifier_fd = log.fd;
    if (!code) code = set_stage(demo, err);
    if (log.fd >= 0 && place_finish(&log) && !code) {
        *err = log.err;
        code = -EIO;
    }
    place_close(&log);
    return code;
}

static int record_and_tell(struct demo *demo, struct err *err)
{
    struct output *output = NULL;
    int code = output_open(&output, &demo->output, err);
    if (code) return code == -EINVAL ? CLI_USAGE : CLI_FAILED;
    code = set_stage_with_log(demo, err);
    int status = code == -EPERM || code == -EACCES ? CLI_DENIED : CLI_FAILED;
    if (!code) {
        status = run(demo, err);
        /* Somebody took the port at the last moment: what was seen there was not the demo's. */
        bool is_ours = !demo->shared || demo->pair.no_server || (demo->processes && pair_server_ready(demo->processes));
        if (is_ours) status = tell(demo, output, status, err);
    }
    pair_close(demo->processes);
    session_close(demo->session);
    output_close(output);
    return status;
}

static const char demo_notes[] = "A SCENARIO is a name from --list, or a file: a name that ends in .scn or holds a /.\n"
                                 "Its expectations are checked; the exit status is 1 when one is not met.";

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What the pair's options say does not fit together. */
static int check_pair(const struct demo *demo, struct err *err)
{
    static const struct options_misfit of_connections[] = {
        {"close-first", "it is about connections, and --udp has none"},
        {"serve", "it is about connections, and --udp has none"},
        {"backlog", "it is about connections, and --udp has none"},
        {"accept-delay", "it is about connections, and --udp has none"},
    };
    static const struct options_misfit of_server[] = {
        {"serve", "with --closed-port there is no server"},
        {"backlog", "with --closed-port there is no server"},
        {"accept-delay", "with --closed-port there is no server"},
        {"close-first", "with --closed-port there is nothing to close"},
    };
    static const struct options_misfit of_data[] = {
        {"message", "with --closed-port no connection comes about that could carry it (--udp sends it)"},
        {"count", "with --closed-port no connection comes about that could carry a message (--udp sends them)"},
    };
    const struct options_given *given = &demo->given;
    if (options_was_given(given, "ipv4") && options_was_given(given, "ipv6"))
        return err_set(err, -EINVAL, "--ipv4 and --ipv6: one of them");
    int code = demo->pair.udp ? options_refuse(given, of_connections, COUNT(of_connections), err) : 0;
    if (!code && demo->pair.no_server) code = options_refuse(given, of_server, COUNT(of_server), err);
    if (!code && demo->pair.no_server && !demo->pair.udp) code = options_refuse(given, of_data, COUNT(of_data), err);
    return code;
}

/* Options that shape what a list, a table or sentences have not. */
static int check_scene(const struct demo *demo, struct err *err)
{
    static const struct options_misfit of_play[] = {
        {"all", "--list plays nothing"},      {"explain", "--list plays nothing"},
        {"step", "--list plays nothing"},     {"host-network", "--list plays nothing"},
        {"recorder", "--list plays nothing"}, {"output", "--list writes to standard output"},
        {"format", "--list has one format"},  {"otlp", "--list plays nothing"},
        {"brief", "--list draws nothing"},    {"only", "--list draws nothing"},
        {"color", "--list has no colours"},   {"verbose", "--list has no more to tell: play the scenario, or --explain it"},
        {"quiet", "--list has no notes"},
    };
    static const struct options_misfit of_table[] = {
        {"explain", "--all runs many scenarios, and this tells one"},
        {"step", "--all runs many scenarios, and this tells one"},
        {"otlp", "--all has a row a scenario: play one of them alone"},
        {"brief", "the table of --all has no ladders"},
        {"only", "the table of --all has no ladders"},
        {"color", "the table of --all has no colours"},
        {"verbose", "--all has a row a scenario: play one of them alone"},
    };
    static const struct options_misfit of_drawing[] = {
        {"brief", "--explain draws nothing (with --format text it does)"},
        {"only", "--explain draws nothing (with --format text it does)"},
        {"color", "--explain draws nothing (with --format text it does)"},
        {"verbose", "--explain tells all there is (with --format text it draws, too)"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].key != KEY_HOST_NETWORK && rows[i].key != KEY_RECORDER && options_was_given(&demo->given, rows[i].name))
            return err_set(err, -EINVAL, "--%s: it is about the echo pair, %s", rows[i].name,
                           demo->scene.list ? "and --list plays nothing" : "and a scenario says such things itself");
    if (demo->scene.list) return options_refuse(&demo->given, of_play, COUNT(of_play), err);
    if (demo->scene.all) return options_refuse(&demo->given, of_table, COUNT(of_table), err);
    if (demo->scene.explain && !demo->output.format && !demo->output.file_count)
        return options_refuse(&demo->given, of_drawing, COUNT(of_drawing), err);
    return 0;
}

static int play_scene(struct demo *demo, char **operands, int count, struct err *err)
{
    if (check_scene(demo, err)) return CLI_USAGE;
    static char echo[] = "echo", *usual[] = {echo}; /* --explain alone tells the normal story */
    demo->scene.output = demo->output;
    demo->scene.recorder = demo->recorder;
    demo->scene.host_network = demo->host_network;
    bool takes_many = demo->scene.all || demo->scene.list;
    demo->scene.operands = count || takes_many ? operands : usual;
    demo->scene.operand_count = count || takes_many ? (size_t)count : 1;
    return scene_run(&demo->scene, err);
}

int cli_demo(int argc, char **argv, struct err *err)
{
    struct demo demo = {.pair = {.port = 3333, .backlog = -1, .accept_delay_ms = -1, .clients = 1}, .timeout_ms = 10000};
    struct options_group groups[] = {
        {"Scenarios", scene_rows, sizeof(scene_rows) / sizeof(scene_rows[0]), take_scene, &demo.scene},
        {"The pair", rows, sizeof(rows) / sizeof(rows[0]), take, &demo},
        output_group(&demo.output),
    };
    const struct options_verb verb = {"demo", DEMO_USAGE, DEMO_SUMMARY, groups, 3, demo_notes, &demo.given};
    int operand = 0;
    int code = options_parse(&verb, argc, argv, &operand, err);
    if (code) return code == OPTIONS_HELPED ? CLI_DONE : CLI_USAGE;
    bool is_scene = operand < argc || demo.scene.list || demo.scene.all || demo.scene.explain;
    if (!is_scene && check_pair(&demo, err)) return CLI_USAGE;
    /* The catalogue is played by processes that each give up their own rights. */
    const char *outputs[OUTPUT_FILES_MAX + 1];
    struct keeper_files kept = {NULL, 0, outputs, demo.output.file_count};
    memcpy(outputs, demo.output.files, sizeof(demo.output.files));
    if (demo.verifier_log) outputs[kept.output_count++] = demo.verifier_log;
    if (!demo.scene.list && !demo.scene.all && keeper_new(&demo.output.keeper, &kept, err)) return CLI_FAILED;
    demo.pair.show_output = demo.output.verbose > 0;
    int status = is_scene ? play_scene(&demo, argv + operand, argc - operand, err) : record_and_tell(&demo, err);
    keeper_free(demo.output.keeper);
    return status;
}
