#include "record/session.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lang.h"
#include "capture/bpf/calls_bpf.h"
#include "capture/ptrace/calls_ptrace.h"
#include "record/capturing.h"
#include "record/giveway.h"
#include "record/pace.h"
#include "record/recorders.h"
#include "record/sieve.h"

/* How much later than it happened an event may reach the log. Recorders and captures hand over at once what they have; this is for
 * a machine that is busy. */
static const int64_t LATE_NS = 1000000000, FLOW_EVERY_NS = 50000000;

struct session {
    int64_t late_ns;
    int64_t offset_ns;   /* CLOCK_REALTIME minus CLOCK_MONOTONIC, as it was; 0: its events follow the system's clock */
    int64_t flowed_ns;   /* when the stream last flowed */
    size_t waiting_most; /* events that may gather before they flow; 0: none wait */
    struct event_log *log;
    struct stream *stream;
    const struct calls_recorder *recorder;
    struct calls *calls;
    struct capturing capturing;
    sigset_t mask_before;
    struct sigaction child_before;
    bool has_signals;
    int signal_fd;
    int signal, signal_count;
    uint64_t signals; /* a bit each: that came and were not taken */
    bool attends;
    struct sieve *sieve; /* NULL: everything is kept */
    struct giveway *giveway;
};

bool session_knows_recorder(const char *name)
{
    return !strcmp(name, "auto") || recorder_find(name);
}

/* Signals become readable; SIGCHLD must not be ignored, or ended children vanish unseen. */
static int take_signals(struct session *session, struct err *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    if (session->attends) {
        sigaddset(&set, SIGHUP);
        sigaddset(&set, SIGQUIT);
        sigaddset(&set, SIGTSTP);
    }
    session->has_signals = true;
    sigprocmask(SIG_BLOCK, &set, &session->mask_before);
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, &session->child_before);
    session->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (session->signal_fd >= 0) return 0;
    int code = -errno;
    return err_set_errno(err, code, "can't watch for signals (signalfd)");
}

static void read_signals(struct session *session)
{
    struct signalfd_siginfo infos[16]; /* more than there are signals: what comes at once is all there is */
    ssize_t got = read(session->signal_fd, infos, sizeof(infos));
    for (size_t i = 0; got > 0 && i < (size_t)got / sizeof(infos[0]); i++) {
        if (infos[i].ssi_signo == SIGCHLD || infos[i].ssi_signo == SIGTSTP) continue;
        session->signal = (int)infos[i].ssi_signo;
        session->signal_count++;
        session->signals |= (uint64_t)1 << infos[i].ssi_signo;
    }
}

int session_take_signal(struct session *session)
{
    for (int signal = 1; signal < 64; signal++) {
        if (!(session->signals >> signal & 1)) continue;
        session->signals &= ~((uint64_t)1 << signal);
        return signal;
    }
    return 0;
}

void session_give_signals_back(struct session *session)
{
    if (!session->has_signals) return;
    session->has_signals = false;
    if (session->attends) read_signals(session); /* what the terminal said to the command was not meant for what is told of it */
    if (session->signal_fd >= 0) close(session->signal_fd);
    session->signal_fd = -1;
    sigaction(SIGCHLD, &session->child_before, NULL);
    sigprocmask(SIG_SETMASK, &session->mask_before, NULL);
}

/* Why there is no bpf becomes part of an event, which is English: views translate it. */
int session_try_bpf(struct err *err)
{
    struct calls *calls = NULL;
    enum lang was = lang_use(LANG_EN);
    int code = calls_bpf.open(&calls, &(struct calls_options){.port_count = 0}, err);
    calls_bpf.close(calls);
    lang_use(was);
    return code;
}

static int append_trace(struct session *session, const struct session_options *options, const char *reason, struct err *err)
{
    assert(session->recorder);
    struct event event = {.kind = EVENT_TRACE, .t_ns = clock_wall_ns()};
    snprintf(event.trace.recorder, sizeof(event.trace.recorder), "%s", session->recorder->name);
    static const char ellipsis[] = "...";
    size_t length = strlen(reason);
    if (length >= sizeof(event.trace.reason)) { /* cut between words, so that it stays whole UTF-8 */
        length = sizeof(event.trace.reason) - sizeof(ellipsis);
        while (length && reason[length] != ' ') length--;
        memcpy(event.trace.reason + length, ellipsis, sizeof(ellipsis));
    }
    memcpy(event.trace.reason, reason, length);
    memcpy(event.trace.server_ports, options->server_ports, sizeof(event.trace.server_ports));
    event.trace.unfiltered = options->unfiltered;
    event.trace.course_only = options->calls.host_wide;
    int code = event_log_append(session->log, &event);
    return code ? err_set_errno(err, code, "can't begin the event log") : 0;
}

int session_open(struct session **ret_session, const struct session_options *options, struct err *err)
{
    struct session *session = calloc(1, sizeof(*session));
    if (!session) return err_set_errno(err, -ENOMEM, "can't begin recording");
    char reason[ERR_TEXT_BYTES + 32] = "";
    session->attends = options->attends;
    session->capturing.may_go = options->sieves;
    session->waiting_most = options->waits ? pace_waiting_most() : 0;
    session->late_ns = options->late_ns ? options->late_ns : LATE_NS;
    int code = take_signals(session, err);
    session->log = event_log_new();
    session->offset_ns = options->calls.realtime_offset_ns;
    if (session->log) session->stream = stream_new(session->log, options->forgets);
    if (!code && !session->stream) code = err_set_errno(err, -ENOMEM, "can't begin recording");
    if (!code) code = recorder_choose(options, &session->recorder, &session->calls, reason, sizeof(reason), err);
    if (!code) code = append_trace(session, options, reason, err);
    if (!code && options->sieves && session->recorder != &calls_none) {
        session->sieve = sieve_new(session->log, session->recorder == &calls_bpf);
        if (!session->sieve) code = err_set_errno(err, -ENOMEM, "can't begin recording");
    }
    if (code) {
        session_close(session);
        return code;
    }
    *ret_session = session;
    return 0;
}

int session_capture(struct session *session, const struct packets_options *options, struct err *err)
{
    return capturing_add(&session->capturing, options, session->log, err);
}

int session_capture_network(struct session *session, int fd, const struct anywhere_options *options, struct err *err)
{
    return capturing_add_network(&session->capturing, fd, options, err);
}

bool session_captures(const struct session *session, const char *interface)
{
    return capturing_have(&session->capturing, interface);
}

int session_learn_own(struct session *session, const struct address *address, uint64_t netns)
{
    return session->sieve ? sieve_learn_own(session->sieve, address, netns) : 0;
}

int session_spawn(struct session *session, const struct child_options *options, struct child *ret_child, struct err *err)
{
    struct child_options mine = *options;
    mine.mask = &session->mask_before;
    mine.ignores_children = session->child_before.sa_handler == SIG_IGN;
    mine.setup = session->recorder->child_setup;
    mine.setup_data = NULL;
    int code = child_spawn(&mine, ret_child, err);
    if (code) return code;
    code = session->recorder->follow(session->calls, ret_child->pid, err);
    if (code) { /* it still waits at its gate, and the recorder will not reap it */
        kill(ret_child->pid, SIGKILL);
        waitpid(ret_child->pid, NULL, 0);
        child_close(ret_child);
    }
    return code;
}

/* Who is watched by the kernel side does not stand still: what comes in the next moments comes together, not with a wakeup each. */
static void gather(const struct session *session)
{
    enum { GATHER_NS = 3000000 };
    if (session->waiting_most && session->recorder != &calls_ptrace) nanosleep(&(struct timespec){.tv_nsec = GATHER_NS}, NULL);
}

int64_t session_now_ns(const struct session *session)
{
    return session->offset_ns ? clock_steady_ns() + session->offset_ns : clock_wall_ns();
}

/* Of a step that brings no more than this, what has gathered flows: in three milliseconds that many come of 2,500 short connections
 * a second, and telling keeps up with those. A traced process is at work meanwhile, or stands still: there only when nothing comes.
 */
static int quiet_most(const struct session *session)
{
    return session->recorder == &calls_ptrace ? 0 : 400;
}

int session_step(struct session *session, int extra_fd, int timeout_ms, struct err *err)
{
    struct pollfd fds[CAPTURING_INTERFACES + CAPTURING_NETWORKS + 3]; /* poll(2) passes over descriptors of -1 */
    nfds_t count = 0;
    int64_t began_ns = session_now_ns(session);
    fds[count++] = (struct pollfd){.fd = session->signal_fd, .events = POLLIN};
    fds[count++] = (struct pollfd){.fd = session->recorder->fd(session->calls), .events = POLLIN};
    fds[count++] = (struct pollfd){.fd = extra_fd, .events = POLLIN};
    count += capturing_wait(&session->capturing, fds + count);
    bool has_more = stream_has_more(session->stream);
    if (poll(fds, count, has_more ? 0 : timeout_ms) < 0 && errno != EINTR) {
        int code = -errno;
        return err_set_errno(err, code, "can't wait for events");
    }
    gather(session);
    read_signals(session);
    /* Calls first: a followed process stands still (ptrace) until its recorder has looked. */
    int total = session->recorder->drain(session->calls, session->log, err);
    if (session->sieve && sieve_settle(session->sieve) && total >= 0) total = err_set(err, -ENOMEM, "out of memory for packets");
    if (total >= 0) {
        int got = capturing_drain(&session->capturing, session->log, err);
        total = got < 0 ? got : total + got;
    }
    giveway_done(session->giveway);
    bool waits = total > quiet_most(session) && event_log_count(session->log) < session->waiting_most;
    /* What has not had its turn is sorted anew each time: not at every step, of which there may be thousands a second. */
    bool rests = !has_more && began_ns >= session->flowed_ns && began_ns - session->flowed_ns < FLOW_EVERY_NS;
    if (waits || rests) {
        stream_arrive(session->stream); /* a tap that fails knows it */
    } else {
        int (*flow)(struct stream *, int64_t) = total ? stream_flow : stream_pass;
        session->flowed_ns = began_ns;
        stream_bound(session->stream, pace_portion(total));
        flow(session->stream, began_ns - session->late_ns);
    }
    return total;
}

bool session_ended(const struct session *session, const struct child *child, int *ret_status)
{
    return session->recorder->ended(session->calls, child->pid, ret_status);
}

int session_signal(const struct session *session, int *ret_count)
{
    if (ret_count) *ret_count = session->signal_count;
    return session->signal;
}

int session_stopped(struct session *session, const struct child *child)
{
    return session->recorder->stopped(session->calls, child->pid);
}

bool session_alive(struct session *session)
{
    return session->recorder->alive(session->calls);
}

bool session_is_closing(const struct session *session)
{
    return session->sieve && sieve_is_closing(session->sieve);
}

bool session_can_attach(const struct session *session)
{
    return session->recorder->attach;
}

int session_attach(struct session *session, pid_t pid, struct err *err)
{
    if (!session->recorder->attach)
        return err_set(
            err, -EOPNOTSUPP,
            "process %d runs already, and the %s recorder follows only what it has started: attach needs the bpf recorder, "
            "so run it as root (sudo)",
            (int)pid, session->recorder->name);
    return session->recorder->attach(session->calls, pid, err);
}

int session_want(struct session *session, const struct event_socket *socket, uint32_t netns)
{
    int code = session->recorder->want ? session->recorder->want(session->calls, socket, netns) : 0;
    return code || !session->sieve ? code : sieve_want(session->sieve, socket, netns);
}

uint64_t session_missed(const struct session *session)
{
    return session->recorder->missed ? session->recorder->missed(session->calls) : 0;
}

static unsigned filled(const void *data)
{
    const struct session *session = data;
    return session->recorder->filled(session->calls);
}

void session_give_way(struct session *session, int patience_ms)
{
    enum { FILLED_MOST = 25, NS_A_MS = 1000000 };
    const struct giveway_options options = {filled, session, FILLED_MOST, (int64_t)patience_ms * NS_A_MS};
    if (session->recorder->filled) session->giveway = giveway_begin(&options);
}

void session_hurry(struct session *session)
{
    giveway_end(session->giveway);
    session->giveway = NULL;
}

int session_report(struct session *session, struct err *err)
{
    int code = session->sieve ? sieve_settle(session->sieve) : 0;
    if (code) return err_set_errno(err, code, "can't keep the last packets");
    code = session->recorder->report(session->calls, session->log, err);
    return code ? code : capturing_report(&session->capturing, session->log, err);
}

const char *session_recorder(const struct session *session)
{
    return session->recorder->name;
}

struct stream *session_stream(struct session *session)
{
    return session->stream;
}

struct event_log *session_log(struct session *session)
{
    return session->log;
}

bool session_can_be_outlived(const struct session *session)
{
    return session->recorder->outlive != NULL;
}

void session_outlive(struct session *session, int fd)
{
    session->recorder->outlive(session->calls, fd);
}

void session_close(struct session *session)
{
    if (!session) return;
    session_hurry(session);
    capturing_close(&session->capturing);
    if (session->recorder && session->calls) session->recorder->close(session->calls);
    session_give_signals_back(session);
    sieve_free(session->sieve);
    stream_free(session->stream);
    event_log_free(session->log);
    free(session);
}
