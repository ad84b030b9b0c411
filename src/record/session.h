/* A recording session: one recorder of calls, any number of captures, children, one event log and the stream that comes out of it.
 *
 * While it is open SIGINT, SIGTERM and SIGCHLD are its own (a signalfd); children are given the mask there was before. It owns
 * the log. A signal does not end anything by itself: it is remembered, and the verb decides. */
#ifndef TCPWHY_RECORD_SESSION_H
#define TCPWHY_RECORD_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "capture/anywhere.h"
#include "capture/calls.h"
#include "capture/child.h"
#include "capture/packets.h"
#include "event/log.h"
#include "event/stream.h"

struct session;

struct session_options {
    const char *recorder; /* "auto", "bpf", "ptrace", "none"; NULL: auto */
    struct calls_options calls;
    uint16_t server_ports[8]; /* ports known to be the serving side's; 0 ends */
    bool unfiltered;          /* the network was made for this run, and nothing filters in it */
    bool attends;             /* on a person's command in their terminal: see session_take_signal */
    bool sieves;              /* of what captures and the kernel show only what concerns those that are followed is kept
                                 (record/sieve.h); with a recorder that follows nobody all is */
    bool waits;      /* the stream flows when little comes just now, or when too much has gathered: recording goes before telling */
    bool forgets;    /* what all taps of its stream have been given is not needed any more */
    int64_t late_ns; /* how much later than it happened an event may reach the log; 0: a second */
    const struct err *no_bpf; /* why bpf can't work, where session_try_bpf has found out before; NULL: try it */
};

/* Whether the bpf recorder works for this process as it is now: before it moves into a user namespace, where it never does, and
 * where the reason would sound as if nothing else were missing. 0 or -errno with the recorder's sentence. */
int session_try_bpf(struct err *err);

/* Whether session_open knows the recorder's name. */
bool session_knows_recorder(const char *name);
/* Opens the recorder and begins the log with EVENT_TRACE. 0; -EACCES where the recorder asked for (or, with auto, every one)
 * can't work here, with its sentence; else -errno. */
int session_open(struct session **ret_session, const struct session_options *options, struct err *err);
/* Adds a capture; its vantage number is the session's to give. 0, or as packets_open. */
int session_capture(struct session *session, const struct packets_options *options, struct err *err);
/* Adds a capture by a packet socket, which is the session's from now on, in failure too; its vantages are the session's to number.
 * 0, or as anywhere_open. */
int session_capture_network(struct session *session, int fd, const struct anywhere_options *options, struct err *err);
/* Whether the interface of that name is captured by itself. */
bool session_captures(const struct session *session, const char *interface);
/* An address that this network has: the host's own, or one that a followed process has entered (`sieves`). 0 or -errno. */
int session_learn_own(struct session *session, const struct address *address, uint64_t netns);
/* Forks a child that waits at its gate and is followed; child_options' mask and setup are the session's to fill. */
int session_spawn(struct session *session, const struct child_options *options, struct child *ret_child, struct err *err);
/* Waits until something happens, `extra_fd` (-1: none) can be read, or `timeout_ms` is over; appends what was seen, and lets the
 * stream flow to a second before now. The number of events appended (0 is no sign of rest: a signal may have come), or -errno. */
int session_step(struct session *session, int extra_fd, int timeout_ms, struct err *err);
/* From now on the calling thread gives way to what is watched (record/giveway.h), where giveway_permit was called, and the recorder
 * is one that nobody has to wait for; it may go `patience_ms` without a step. Until session_hurry. */
void session_give_way(struct session *session, int patience_ms);
void session_hurry(struct session *session);
/* How late it is, by the clock that its events' times are of: the system's, unless calls_options says otherwise. */
int64_t session_now_ns(const struct session *session);
/* Whether the child has ended; then *ret_status is wait(2)'s. */
bool session_ended(const struct session *session, const struct child *child, int *ret_status);
/* The last SIGINT or SIGTERM that came, 0 for none; *ret_count (may be NULL) says how many came. */
int session_signal(const struct session *session, int *ret_count);
/* A signal that came and was not taken yet; 0: none. With `attends` SIGHUP and SIGQUIT are the session's, too, and SIGTSTP goes by
 * without a word: who runs a command stops when that does. */
int session_take_signal(struct session *session);
/* The signal that stopped the child since this was last asked; 0: none did. */
int session_stopped(struct session *session, const struct child *child);
/* Whether any that are followed, descendants too, have not ended. */
bool session_alive(struct session *session);
/* Whether a connection of interest has begun to close and is not closed yet (`sieves`). */
bool session_is_closing(const struct session *session);
/* Whether its recorder can follow what runs already. */
bool session_can_attach(const struct session *session);
/* Follows a process that runs already. 0; -EOPNOTSUPP where the recorder can't; else -errno. */
int session_attach(struct session *session, pid_t pid, struct err *err);
/* What an attached process holds open already is of interest: `netns` is the inode of its network. 0 or -errno. */
int session_want(struct session *session, const struct event_socket *socket, uint32_t netns);
/* Whether it takes a process beside this one to end all that are followed when this one is killed; and what that does (calls.h,
 * `outlive`). */
bool session_can_be_outlived(const struct session *session);
void session_outlive(struct session *session, int fd);
/* How many events the recorder had no room for, so far. */
uint64_t session_missed(const struct session *session);
/* Appends what every source missed. */
int session_report(struct session *session, struct err *err);
/* From here on SIGINT and SIGTERM do what they did before the session, so that telling the story can be broken off. No more
 * session_step after it. */
void session_give_signals_back(struct session *session);
/* "bpf", "ptrace" or "none". */
const char *session_recorder(const struct session *session);
struct event_log *session_log(struct session *session);
/* On that log. Its end (stream_finish) is the caller's to say, after session_report. */
struct stream *session_stream(struct session *session);
/* Ends recording; followed processes run on. Frees the log. NULL is fine. */
void session_close(struct session *session);

#endif
