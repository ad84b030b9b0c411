#include "play/pair/pair_run.h"
#include "base/lang.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "lab/network/host.h"
#include "out/note.h"
#include "out/place.h"
#include "out/status.h"
#include "play/stage/port.h"
#include "record/loop.h"
#include "rights/rights.h"

/* How long to wait for what should take no time. */
enum { STEP_MS = 20, SHORT_STEP_MS = 1, SERVER_ASLEEP_MS = 1000, REST_MS = 2000, SETTLE_MS = 5, GRACE_MS = 1000 };

struct demo {
    const struct pair_run_options *options;
    bool shared; /* it runs on a network that others use too */
    struct session *session;
    struct pair *processes;
    struct loop loop;
    struct output *output;
    bool telling; /* it takes from the session's stream */
    int verifier_fd;
};

/* ---- the stage: a network, a recorder, a capture ---- */

static int choose_host(struct demo *demo, enum host_kind *ret_kind, struct err *ret_refusal, struct err *err)
{
    if (demo->options->host_network) return 0;
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
                remedy && as_root   ? tr(". Two ways: ")
                : remedy || as_root ? tr(". One way: ")
                                    : "",
                as_root ? tr("run it as root (sudo)") : "", remedy && as_root ? tr(", or ") : "", remedy ? remedy : "");
        err_more(err, "%.200s. And %.150s: %.100s", err_long_story(refusal), why.text, err_long_story(&why));
        return;
    }
    bool may_be_private = demo->options->host_network && host_may_be_private();
    err_set(err, 0, "%.300s%s%s", why.text, as_root ? tr(": run it as root (sudo)") : "",
            may_be_private ? as_root ? tr(", or without --host-network") : tr(": run it without --host-network") : "");
    err_more(err, "%s", err_long_story(&why));
}

static int open_capture(struct demo *demo, const struct err *refusal, struct err *err)
{
    char filter[256];
    /* The server's end, and not just any socket of that port: the network may be shared. */
    const char *protocol = demo->options->pair.udp ? "udp" : "tcp",
               *host = demo->options->pair.ipv6 ? "ip6 host ::1" : "ip host 127.0.0.1";
    snprintf(filter, sizeof(filter),
             "(%s and %s port %u) or (icmp and (icmp[0] = 3 or icmp[0] = 11 or icmp[0] = 12)) or (icmp6 and ip6[40] < 5)", host,
             protocol, (unsigned)demo->options->pair.port);
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
        enum lang was = lang_use(LANG_EN); /* it becomes part of an event */
        err_set(&no_bpf, 0, "no BPF program loads in the user namespace of the private network (--host-network does without it)");
        lang_use(was);
    }
    demo->shared = demo->options->host_network || refusal.text[0];
    /* Where others are, what is captured at a port that they have would be theirs; a closed one would not be closed. */
    const struct port port = {demo->options->pair.port, demo->options->pair.udp, demo->options->pair.ipv6};
    if (!code && demo->shared) code = port_check(&port, err);
    if (code) return code;
    struct session_options options = {
        .recorder = demo->options->recorder,
        .calls = {.ports = {demo->options->pair.port},
                  .port_count = 1,
                  .netns = {host_netns()},
                  .netns_count = 1,
                  .verifier_fd = demo->verifier_fd},
        .server_ports = {demo->options->pair.port},
        .unfiltered = !demo->shared,
        .forgets = true,
        .no_bpf = bpf_refused ? &no_bpf : NULL,
    };
    code = session_open(&demo->session, &options, err);
    if (!code) code = open_capture(demo, &refusal, err);
    if (!code && refusal.text[0]) note_say(demo->options->output.quiet, "using this host's own loopback: %s", refusal.text);
    if (!code && refusal.text[0])
        note_say(demo->options->output.quiet || !demo->options->output.verbose, "%s", err_long_story(&refusal));
    return code;
}

/* ---- the play ---- */

static bool server_ready(void *data, size_t unused)
{
    const struct demo *demo = data;
    (void)unused;
    return pair_server_ready(demo->processes) || pair_server_ended(demo->processes);
}
static bool server_waits(void *data, size_t unused)
{
    const struct demo *demo = data;
    (void)unused;
    return pair_server_waits(demo->processes) || pair_server_ended(demo->processes);
}
static bool clients_ended(void *data, size_t unused)
{
    const struct demo *demo = data;
    (void)unused;
    return pair_clients_ended(demo->processes);
}
static bool all_ended(void *data, size_t unused)
{
    const struct demo *demo = data;
    (void)unused;
    return pair_clients_ended(demo->processes) && pair_server_ended(demo->processes);
}
static bool has_socket(void *data)
{
    const struct demo *demo = data;
    return host_has_active_socket(demo->options->pair.port);
}

static int look(void *data, struct err *err)
{
    struct demo *demo = data;
    (void)err;
    pair_look(demo->processes);
    demo->loop.fd = pair_ready_fd(demo->processes);
    return 0;
}

/* Stories come out while the pair runs: from when it is known that what is seen is its own. */
static int begin_telling(struct demo *demo, struct err *err)
{
    if (demo->telling) return 0;
    demo->telling = true;
    return output_join(demo->output, session_stream(demo->session), err);
}

static int start_server(struct demo *demo, struct err *err)
{
    struct loop *loop = &demo->loop;
    int code = pair_start_server(demo->processes, err);
    loop->fd = pair_ready_fd(demo->processes);
    if (!code) code = loop_until(loop, server_ready, 0, -1, STEP_MS, err);
    /* A client that comes later than accept() makes the usual story; a delayed accept() is to be seen late. */
    if (code || demo->options->pair.accept_delay_ms > 0) return code;
    code = loop_until(loop, server_waits, 0, SERVER_ASLEEP_MS, SHORT_STEP_MS, err);
    return code > 0 ? 0 : code;
}

static int play(struct demo *demo, struct err *err)
{
    struct pair *pair = demo->processes;
    bool no_server = demo->options->pair.no_server;
    int code = no_server ? 0 : start_server(demo, err);
    if (!code && !no_server && pair_server_ended(pair)) return 0; /* the verdict has its words */
    if (!code) code = begin_telling(demo, err);
    if (!code) code = pair_start_clients(pair, err);
    if (!code) code = loop_until(&demo->loop, clients_ended, 0, -1, STEP_MS, err);
    /* The server counts the connections it served: with a failed client it would wait for one that never comes. */
    if (!code && pair_has_failed(pair)) pair_signal_server(pair, SIGTERM);
    if (!code) code = loop_until(&demo->loop, all_ended, 0, -1, STEP_MS, err);
    return code;
}

/* Ends what still runs: in order first, then without asking; a second signal from the keyboard means now. The kill is waited for,
 * however impatient the person is. */
static void stop(struct demo *demo)
{
    static const int signals[] = {SIGTERM, SIGKILL};
    struct err ignored;
    demo->loop.deadline_ms = INT64_MAX;
    for (size_t i = 0; i < 2 && !all_ended(demo, 0); i++) {
        loop_heed(&demo->loop);
        pair_signal(demo->processes, signals[i]);
        loop_until(&demo->loop, all_ended, 0, GRACE_MS, STEP_MS, &ignored);
    }
}

/* Segments may come after the processes are gone: FINs, their ACKs, retransmissions. TIME_WAIT itself is not sat out. */
static void come_to_rest(struct demo *demo, int64_t limit_ms)
{
    struct err ignored;
    demo->loop.deadline_ms = INT64_MAX;
    loop_heed(&demo->loop);
    int code = loop_rest(&demo->loop, SETTLE_MS, limit_ms, has_socket, &ignored);
    if (code && has_socket(demo) && !session_signal(demo->session, NULL))
        note_say(demo->options->output.quiet,
                 "a connection was still open %ld ms after its processes ended: the story may lack its end", (long)limit_ms);
}

static int verdict(struct demo *demo, int code, const struct err *play_err, struct err *err)
{
    if (code == -EINTR) return CLI_INTERRUPTED + session_signal(demo->session, NULL);
    if (code == -ETIMEDOUT)
        return err_set(err, CLI_FAILED, "the pair was not done after %ld ms and was ended (--timeout gives it longer)",
                       demo->options->timeout_ms);
    if (code) {
        *err = *play_err;
        return CLI_FAILED;
    }
    struct err words = {""};
    if (!pair_verdict(demo->processes, &words)) {
        if (words.text[0]) note_say(demo->options->output.quiet, "%s", words.text);
        return CLI_DONE;
    }
    *err = words;
    /* Only a network that others use has taken ports. */
    if (demo->shared && !demo->options->pair.no_server && !pair_server_ready(demo->processes))
        err_set(err, CLI_FAILED, "%.900s. The demo takes another port with --port N", words.text);
    return CLI_FAILED;
}

static int run(struct demo *demo, struct err *err)
{
    struct err play_err = {""};
    bool traces = !strcmp(session_recorder(demo->session), "ptrace");
    int code = pair_new(&demo->processes, demo->session, &demo->options->pair, err);
    if (code) return CLI_FAILED;
    code = pair_prepare(demo->processes, err);
    if (!code) code = rights_drop(RIGHTS_SIGNAL | (traces ? RIGHTS_TRACE : 0), err);
    if (code) return CLI_FAILED;
    demo->loop = (struct loop){
        .session = demo->session, .fd = -1, .look = look, .data = demo, .deadline_ms = clock_ms() + demo->options->timeout_ms};
    code = play(demo, &play_err);
    if (code) stop(demo);
    come_to_rest(demo, code ? REST_MS / 10 : REST_MS);
    if (session_signal(demo->session, NULL)) code = -EINTR; /* it may have come while the rest was waited for */
    return verdict(demo, code, &play_err, err);
}

static int tell(struct demo *demo, int status, struct err *err)
{
    struct err mine = {""};
    struct stream *stream = session_stream(demo->session);
    int code = session_report(demo->session, &mine);
    session_give_signals_back(demo->session); /* all that is left is writing, which may wait for a reader for ever */
    if (!code) code = rights_drop(RIGHTS_NONE, &mine);
    if (!code) code = rights_confine(false, &mine);
    if (!code) code = begin_telling(demo, &mine);
    if (!code) stream_finish(stream); /* the output knows of its failures */
    if (!code) code = output_finish(demo->output, &mine);
    if (stream_late(stream))
        note_say(demo->options->output.quiet, "%llu events were recorded too late to be told in their order",
                 (unsigned long long)stream_late(stream));
    if (code == -EPIPE && !status) return code;
    if (!code || code == -EPIPE || status) return status;
    *err = mine;
    return CLI_FAILED;
}

/* The verifier's log is complete once the recorder is open, or could not be. */
static int set_stage_with_log(struct demo *demo, struct err *err)
{
    struct place log;
    if (!demo->options->verifier_log) return set_stage(demo, err);
    int code = place_open(&log, demo->options->verifier_log, demo->options->output.keeper, err);
    demo->verifier_fd = log.fd;
    if (!code) code = set_stage(demo, err);
    if (log.fd >= 0 && place_finish(&log) && !code) {
        *err = log.err;
        code = -EIO;
    }
    place_close(&log);
    return code;
}

int pair_run(const struct pair_run_options *options, struct err *err)
{
    struct demo demo = {.options = options};
    int code = output_open(&demo.output, &options->output, err);
    if (code) return code == -EINVAL ? CLI_USAGE : CLI_FAILED;
    code = set_stage_with_log(&demo, err);
    int status = code == -EPERM || code == -EACCES ? CLI_DENIED : CLI_FAILED;
    if (!code) {
        status = run(&demo, err);
        /* Somebody took the port at the last moment: what was seen there was not the demo's. */
        bool is_ours = !demo.shared || options->pair.no_server || (demo.processes && pair_server_ready(demo.processes));
        if (is_ours) status = tell(&demo, status, err);
    }
    pair_close(demo.processes);
    session_close(demo.session);
    output_close(demo.output);
    return status;
}
