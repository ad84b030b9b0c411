#include "run/run.h"
#include "base/lang.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "capture/procinfo.h"
#include "out/note.h"
#include "out/status.h"
#include "record/giveway.h"
#include "record/loop.h"
#include "rights/rights.h"
#include "run/networks.h"
#include "run/warden.h"
#include "viz/text/overview.h"

/* How long segments are waited for that may come when all processes are gone: of connections that have begun to close, and else. */
enum { SETTLE_MS = 5, CLOSING_MS = 1000, STEP_MS = 100, RING_BYTES = 64 << 20, PATIENCE_MS = 50, LINE_BYTES = 4096 };

/* A program may run for long and make many connections: what is closed waits for its stragglers as long as there is room, and of a
 * long one the beginning and the end are kept. */
static const struct teller_bounds bounds = {
    .quiet_ns = 60000000000, .closed_max = 4096, .open_max = 65536, .packets_max = 8192, .ends_idle = false};

struct watch {
    const struct run_options *options;
    struct session *session;
    struct output *output;
    struct command *command; /* NULL: targets are followed */
    struct targets targets;
    struct warden warden;
    struct networks networks;
    struct loop loop;
    uint64_t calls;  /* on sockets */
    uint64_t narrow; /* of 32-bit programs, which no recorder reads */
    bool packets;    /* are captured */
    struct err why_no_packets;
    bool telling;
    bool keeps_haste; /* the limit could not be set: it takes a right to go before others again */
};

/* ---- the stage ---- */

static int count_call(void *data, const struct event *event)
{
    struct watch *watch = data;
    if (event->kind == EVENT_ENTER || event->kind == EVENT_EXIT) watch->calls += event->call.socket.protocol != 0;
    if (event->kind == EVENT_LOST && !strncmp(event->lost.what, "32-bit", 6)) watch->narrow += event->lost.count;
    return 0;
}

static void say_line(void *data, struct story *story)
{
    struct watch *watch = data;
    struct buf line = buf_new(LINE_BYTES);
    overview_line(&line, story, output_ascii(&watch->options->output));
    fprintf(stderr, "tcpwhy: %s\n", buf_string(&line));
    buf_free(&line);
}

/* Without packets there are the calls alone. */
static int set_captures(struct watch *watch, struct err *err)
{
    struct err why = {""};
    int code = captures_open(watch->session, &watch->options->captures, &why);
    if (code == -ENODEV && !watch->options->captures.interface_count) code = 0; /* none is up yet: those that come are followed */
    watch->packets = !code;
    if (!code) return 0;
    bool denied = code == -EPERM || code == -EACCES;
    if (!denied || watch->options->captures.interface_count || !strcmp(session_recorder(watch->session), "none")) {
        *err = why;
        return code;
    }
    watch->why_no_packets = why;
    return 0;
}

static void say_calls_alone(const struct watch *watch)
{
    bool quiet = watch->options->output.quiet || watch->packets;
    note_say(quiet,
             "calls alone are recorded: packets, with states and causes, take CAP_NET_RAW, the kernel's own evidence takes root "
             "(sudo)");
    note_say(quiet || !watch->options->output.verbose, "%s: %s", watch->why_no_packets.text,
             err_long_story(&watch->why_no_packets));
}

static int set_stage(struct watch *watch, struct err *err)
{
    struct session_options options = {
        .recorder = watch->options->recorder,
        .calls = {.ring_bytes = RING_BYTES, .entered = networks_entered, .entered_data = &watch->networks},
        .attends = watch->options->command.argv != NULL,
        .sieves = true,
        .waits = true,
        .forgets = true,
    };
    bool attaches = !watch->options->command.argv;
    if (attaches)
        targets_ports(&watch->options->targets, options.server_ports, sizeof(options.server_ports) / sizeof(*options.server_ports));
    int code = networks_begin(&watch->networks, &watch->options->captures, watch->options->output.quiet, err);
    if (!code) code = session_open(&watch->session, &options, err);
    if (!code && attaches && !session_can_attach(watch->session)) /* it says why */
        return targets_follow(&watch->targets, &watch->options->targets, watch->session, &watch->networks, err);
    if (!code) code = set_captures(watch, err);
    if (!code) networks_set(&watch->networks, watch->session);
    if (!code) code = stream_tap_arrivals(session_stream(watch->session), count_call, watch);
    if (code) return code;
    code = watch->options->command.argv
               ? command_new(&watch->command, &watch->options->command, watch->session, err)
               : targets_follow(&watch->targets, &watch->options->targets, watch->session, &watch->networks, err);
    if (code) return code;
    if (attaches) say_calls_alone(watch);
    if (!attaches) code = warden_begin(&watch->warden, watch->session, err);
    if (code) return code;
    /* What is seen must be taken before the room for it is full; the command is a process of its own by now, and stays as it was.
     */
    watch->keeps_haste = !giveway_permit();
    return 0;
}

/* ---- the run ---- */

static void say_running_on(void *data)
{
    const struct watch *watch = data;
    bool traced = !strcmp(session_recorder(watch->session), "ptrace");
    note_say(watch->options->output.quiet, "%s has ended, and processes that it began run on: they are followed until ^C%s",
             command_name(watch->command), traced ? tr(", which ends them (the ptrace recorder can't let them go)") : "");
}

static bool is_closing(void *data)
{
    const struct watch *watch = data;
    return session_is_closing(watch->session);
}

static void come_to_rest(struct watch *watch)
{
    struct err ignored;
    loop_heed(&watch->loop);
    loop_rest(&watch->loop, SETTLE_MS, CLOSING_MS, watch->command ? is_closing : NULL, &ignored);
}

static int begin_telling(struct watch *watch, struct err *err)
{
    if (watch->options->live) output_look(watch->output, say_line, watch);
    watch->telling = true;
    return output_join(watch->output, session_stream(watch->session), err);
}

static void say_followed(const struct watch *watch)
{
    const struct targets *targets = &watch->targets;
    char comm[EVENT_COMM_BYTES] = "?", more[64] = "";
    procinfo_comm(targets->pids[0], comm);
    if (targets->count > 1) snprintf(more, sizeof(more), tr(" and %zu more"), targets->count - 1);
    bool traces = !strcmp(session_recorder(watch->session), "ptrace");
    note_say(watch->options->output.quiet, "following %s[%d]%s with %zu open socket%s, until ^C%s", comm, (int)targets->pids[0],
             more, targets->sockets, targets->sockets == 1 ? "" : "s",
             traces ? tr("; ptrace stops them at every system call, which slows them") : "");
}

static bool targets_ended(void *data, size_t unused)
{
    struct watch *watch = data;
    (void)unused;
    return !session_alive(watch->session);
}

static int watch_targets(struct watch *watch, struct err *err)
{
    say_followed(watch);
    int code = loop_until(&watch->loop, targets_ended, 0, -1, STEP_MS, err);
    if (code == -EINTR) code = 0; /* that is how it ends */
    return code;
}

static int look(void *data, struct err *err)
{
    struct watch *watch = data;
    return networks_look(&watch->networks, err);
}

static int watch_all(struct watch *watch, struct err *err)
{
    bool traces = !strcmp(session_recorder(watch->session), "ptrace");
    int code = rights_drop(RIGHTS_SIGNAL | (traces ? RIGHTS_TRACE : 0) | (watch->keeps_haste ? RIGHTS_HASTE : 0), err);
    if (!code) code = begin_telling(watch, err);
    watch->loop =
        (struct loop){.session = watch->session, .fd = watch->networks.news, .look = look, .data = watch, .deadline_ms = INT64_MAX};
    if (!code) session_give_way(watch->session, PATIENCE_MS);
    if (!code && !watch->command) code = watch_targets(watch, err);
    if (!code && watch->command) code = command_wait(watch->command, &watch->loop, say_running_on, watch, err);
    session_hurry(watch->session);
    if (code < 0) return code;
    come_to_rest(watch);
    return 0;
}

/* ---- what is told ---- */

/* No connection is an answer, too. */
static void say_nothing_seen(const struct watch *watch)
{
    bool quiet = watch->options->output.quiet;
    note_say(quiet || !watch->narrow,
             "a 32-bit program ran, whose calls no recorder here reads: its connections are not told; --recorder none explains all "
             "packets that it and others sent, by the packets alone");
    if (output_stories(watch->output) || watch->narrow) return;
    if (!watch->command) {
        note_say(quiet, "nothing was said on a connection of theirs meanwhile");
        return;
    }
    const char *name = command_name(watch->command);
    if (!watch->calls && strcmp(session_recorder(watch->session), "none") != 0)
        note_say(quiet, "%s made no TCP connection and sent no datagram", name);
    else if (watch->packets)
        note_say(quiet, "no packet of a connection was seen while %s ran", name);
}

static int tell(struct watch *watch, struct err *err)
{
    struct stream *stream = session_stream(watch->session);
    int code = session_report(watch->session, err);
    session_give_signals_back(watch->session); /* all that is left is writing, which may wait for a reader for ever */
    if (!code) code = rights_drop(RIGHTS_NONE, err);
    if (!code) code = rights_confine(false, err);
    if (code) return code;
    if (watch->command) say_calls_alone(watch); /* beside what it explains, and not where the command could not even begin */
    stream_finish(stream);                      /* the output knows of its failures */
    code = output_finish(watch->output, err);
    if (stream_late(stream))
        note_say(watch->options->output.quiet, "%llu events were recorded too late to be told in their order",
                 (unsigned long long)stream_late(stream));
    say_nothing_seen(watch);
    return code;
}

/* The command's, once it has run; a report that could not be written is a failure where the command had none. */
static int status_of(const struct watch *watch, int code)
{
    if (!watch->command) return code ? CLI_FAILED : CLI_DONE;
    int signal = 0, status = command_status(watch->command, &signal);
    if (signal) return CLI_KILLED + signal;
    return status || !code ? CLI_EXACTLY + status : CLI_FAILED;
}

int run_watch(const struct run_options *options, struct err *err)
{
    struct watch watch = {.options = options};
    struct output_options output = options->output;
    output.text = &view_overview;
    output.recorded = true;
    output.bounds = options->live ? &teller_live : &bounds;
    int code = output_open(&watch.output, &output, err);
    if (code) return code == -EINVAL ? CLI_USAGE : CLI_FAILED;
    code = set_stage(&watch, err);
    int status = code == -EPERM || code == -EACCES || code == -EOPNOTSUPP ? CLI_DENIED : code == -EINVAL ? CLI_USAGE : CLI_FAILED;
    if (!code) {
        code = watch_all(&watch, err);
        if (code == -ENOEXEC) {
            status = status_of(&watch, code);
        } else if (!code) {
            code = tell(&watch, err);
            status = status_of(&watch, code);
        }
    }
    warden_end(&watch.warden);
    command_close(watch.command);
    targets_free(&watch.targets);
    session_close(watch.session);
    networks_end(&watch.networks);
    output_close(watch.output);
    return status;
}
