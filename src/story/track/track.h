/* What the teller keeps while connections are open: flows, their packets, sockets, calls and threads.
 *
 * Internal to src/story. A flow is a connection (or a UDP exchange) before it is told. Calls are shared by the sockets they
 * concern and counted by reference; everything else has one owner: the teller its tables, a flow its packets. */
#ifndef TCPWHY_STORY_TRACK_TRACK_H
#define TCPWHY_STORY_TRACK_TRACK_H

#include "base/arena.h"
#include "base/list.h"
#include "base/table.h"
#include "conn/conn.h"
#include "event/call_traits.h"
#include "event/event.h"
#include "story/bounds.h"
#include "story/chain.h"
#include "story/story.h"
#include "story/track/tombs.h"

/* So much later than asked for may a timer of a minute run: the timer wheel (kernel/time/timer.c) keeps it to the eighth part of
 * its time, 4.1 s at HZ=1000 and 5.12 s at HZ=100. */
static const int64_t TIMER_LATE_NS = 6000000000;

/* A descriptor through which a process holds a socket, as far as calls and forks were seen. */
struct holder {
    int32_t pid, fd;
    char comm[EVENT_COMM_BYTES];
};

/* Of all that one call can concern: its socket, another, what it watches, what the next accept takes. */
enum { CALL_SOCKETS_MAX = EVENT_WATCH_MAX + 3 };

/* One system call, both of its sides. */
struct call {
    unsigned refs;
    struct process *process; /* thread.pid's; a reference */
    struct event_thread thread;
    char name[EVENT_NAME_BYTES];
    uint32_t traits; /* CALL_*, of its name */
    char args[EVENT_ARGS_BYTES];
    int32_t fd, how, level, value[2];
    struct event_socket socket; /* behind fd, as last seen */
    struct event_socket other;  /* accept's new socket, or the one that dup2 closed */
    uint32_t unread_bytes;      /* of `socket` when the call began */
    bool has_unread;
    bool entered, exited;
    int64_t enter_ns, exit_ns, ret, slept_ns;
    uint64_t order; /* of its first event */
    bool woken;
    bool wake_unseen; /* and perhaps once more, unseen */
    bool overtaken;   /* its thread went on: it had returned, though nobody saw it */
    bool ended;       /* its process ended before it was seen to return */
    int64_t woken_ns;
    struct event_context waker;
    uint32_t epoll;
    uint8_t watch_count;
    struct event_watch watch[EVENT_WATCH_MAX]; /* cookies resolved */
    uint64_t attached[CALL_SOCKETS_MAX];       /* the cookies of the sockets that list it */
    uint8_t attached_count;
    size_t place;        /* in the story that is being told; a hint, to be checked */
    bool told;           /* in a story */
    struct holder still; /* close: another descriptor that held the socket after it; pid 0: none was seen */
};

/* A packet of a flow: captured, marked by the kernel, or (the rule) both. */
struct sighting {
    struct event_packet packet; /* where only marked: the header alone; bytes are owned by the flow */
    bool captured, marked;
    int64_t captured_ns;                        /* at the first vantage */
    int64_t arrived_ns;                         /* at a vantage on another host, or on loopback: 0 not seen to arrive */
    uint64_t arrived_at;                        /* other vantages where it was seen: a bit each, its number modulo 64 */
    const struct event_chain *further_comments; /* that stood beside a later sight of it */
    uint32_t origin;                            /* the vantage where it was seen first; of a copy, where its original was */
    int64_t mark_ns;
    uint64_t order;
    uint64_t netns;
    struct event_context context; /* of the mark */
    struct call *call;            /* that the marking thread was in, or had just left; owns a reference */
    bool call_over;               /* it had left: deferred work */
    bool copy;                    /* seen at its receiver alone, and a second time: made by the network, sent by nobody */
    uint32_t folded;              /* it stands for so many plain ones, and no more is known of it; 0: it is one */
    bool unsent;                  /* with copy: there is no first one either; its sender's host was watched, and never sent it */
};

/* The kernel's own transition. */
struct change {
    int64_t t_ns;
    uint64_t order;
    enum story_side side;
    uint8_t from, to; /* enum event_kernel_state */
    struct event_context context;
    struct call *call; /* the running thread's; owns a reference */
};

/* The kernel ran the timer of this end's request or timewait socket, and the socket is gone; or it cancelled that timer. */
struct expiry {
    int64_t t_ns;
    uint64_t order;
    enum story_side side;
    uint8_t state; /* that it stood for: KERNEL_NEW_SYN_RECV, KERNEL_TIME_WAIT, KERNEL_FIN_WAIT2 */
    bool cancelled;
    struct event_context context; /* with `cancelled` */
};

struct reset_note {
    int64_t t_ns;
    enum story_side side; /* that the reporting socket is, or would be, the end of */
    bool sent;            /* else received */
    bool told;            /* its segment has it */
    char reason[EVENT_NAME_BYTES];
};

/* The kernel threw a packet of this flow away. */
struct drop_note {
    int64_t t_ns;
    struct event_drop drop;
};

/* A listener's queues when a segment of this flow came to it. */
struct queue_note {
    int64_t t_ns;
    struct event_queue queue;
};

/* A call on an unconnected UDP socket, which serves many flows: this one concerns this flow. */
struct extra_call {
    struct call *call; /* a reference */
    enum story_side side;
};

/* Sockets by the port where they serve; by their own port and the address of their peer. */
struct port_key {
    uint16_t port, protocol;
};
struct ends_key {
    struct address remote;
    uint32_t local_port;
};

struct flow_key {
    struct address low, high; /* the two ends in memcmp order */
    uint64_t netns;           /* of loopback addresses only: 127.0.0.1 is another host in each namespace, 192.0.2.1 is not */
    uint32_t protocol;
    uint32_t connection; /* flow_shown_number of one whose place another took before it was over; 0 else */
};

/* Linux sends a SYN seven times (net.ipv4.tcp_syn_retries). */
enum { QUESTIONS_MAX = 8 };

struct flow {
    struct flow_key key;
    uint32_t number;
    bool udp;
    struct address end[STORY_SIDES]; /* STORY_CLIENT: who sent the first SYN, or is taken for it */
    bool roles_sure;                 /* by a SYN, or a known server port */
    bool after_time_wait;            /* it took the place of a connection with an end in TIME_WAIT: the next two say which */
    uint32_t after_number;
    enum story_side after_side;          /* the end of this flow that had been waiting */
    uint32_t elder;                      /* flow_shown_number of the connection whose place it took before that was over; 0 none */
    uint32_t challenged_by;              /* the connection out of which its SYN was answered; 0 none */
    uint32_t questioned_by;              /* the connection whose SYN came while this one was open, 0 none, */
    enum story_side questioned;          /* to which end, */
    int64_t questions_ns[QUESTIONS_MAX]; /* and when: it came again; of more than fit the first */
    uint32_t question_count;
    bool at_both_ends;   /* captured at both ends: what was seen at its sender's alone was lost */
    bool calls_alone;    /* packets are captured nowhere */
    bool to_itself;      /* both ends are one: a socket that is connected to itself */
    uint32_t connection; /* event_packet.connection of its packets */
    struct conn conn;    /* TCP: judged in the order in which its packets came, for what is asked before it is told */
    struct conn_more more;
    enum story_side first_side; /* conn.end[0] */
    struct sock *sock[STORY_SIDES];
    struct sighting *packets;
    size_t packet_count, packet_room;
    size_t fold_at;         /* so many packets are looked through for what can be folded; 0: as bounds.packets_max says */
    uint64_t folded;        /* packets that others stand for */
    bool too_long;          /* so much of it is out of the ordinary that it is told as it is, and goes on as its sequel */
    bool has_marks;         /* of packets that were not captured, or not yet */
    struct table *compared; /* event_packet.same → its packet's index plus 1; NULL until the first such */
    struct change *changes;
    size_t change_count, change_room;
    struct expiry *expiries;
    size_t expiry_count, expiry_room;
    struct reset_note *resets;
    size_t reset_count, reset_room;
    struct drop_note *drops;
    size_t drop_count, drop_room;
    struct queue_note *queues;
    size_t queue_count, queue_room;
    struct extra_call *extra;
    size_t extra_count, extra_room;
    uint32_t sights;       /* captured packets that were a packet before, once more */
    int64_t sights_gap_ns; /* with `sights`: the least time between a packet and its next sight */
    int64_t last_ns;
    struct flow *before_closed, *next_closed;
    bool queued;
    bool sequel;           /* its connection was told before; this came later */
    struct conn told_conn; /* with `sequel`: how it stood then */
    struct list *open;     /* one of teller.open; NULL: in none */
    struct list_link open_link;
    bool filed; /* in teller.clients, under this key */
    struct ends_key client_key;
    struct list_link client_link;
};

struct sock {
    uint64_t cookie;
    uint8_t protocol;
    bool listening;
    bool handed_out;       /* accept() returned a connection of it */
    bool gone;             /* closed, as far as was seen: nobody holds it any more */
    bool has_refused;      /* a bind() of it was refused */
    bool arrivals_unknown; /* more had waited than are remembered: what comes next is anybody's */
    uint64_t netns;        /* of its host, as a state change of it says; 0: not known */
    struct address local, remote;
    struct call **calls; /* each a reference */
    size_t call_count, call_room;
    size_t fold_at;             /* as a flow's */
    uint32_t folded_calls;      /* that are no longer there, */
    uint64_t folded_order;      /* with them: the first one's order, */
    uint64_t folded_read_bytes; /* and what they read */
    struct change *changes;     /* before its flow was known */
    size_t change_count, change_room;
    struct flow_key *arrivals; /* unconnected UDP: flows whose datagrams wait to be received, oldest first */
    size_t arrival_count, arrival_room;
    struct holder *holders;
    size_t holder_count, holder_room;
    struct list epolls; /* that watch it */
    struct flow *flow;  /* NULL: not bound */
    enum story_side side;
    bool serves, waits; /* it is in teller.serving, teller.waiting, under these keys */
    struct port_key port_key;
    struct ends_key ends_key;
    struct list_link serves_link, waits_link;
    struct list *loose; /* without a flow: teller.loose_sockets or teller.gone_sockets; else NULL */
    struct list_link loose_link;
};

/* What an epoll_event's data stands for. Leaves with its process and with its socket. */
struct epoll_key {
    int64_t pid;
    uint64_t epoll, data;
};
struct epoll {
    struct epoll_key key;
    struct sock *sock;
    struct process *process;
    struct list_link sock_link, process_link;
};

struct thread {
    int32_t tid;
    struct process *process;     /* a reference */
    struct call *current, *last; /* references */
    struct call *waited;         /* the last waiting call that returned; a reference */
    struct list_link process_link, idle_link;
};

struct process_end {
    int64_t t_ns;
    uint64_t order;
    struct event_thread thread;
    int32_t status, signal;
};

/* The teller's table has it until some time after its end; its calls have it as long as they are. */
struct process {
    int32_t pid;
    unsigned refs;
    uint64_t serial; /* of the telling that has looked at it last */
    bool ended;
    int64_t ended_ns;
    struct process_end *ends; /* oldest first */
    size_t end_count, end_room;
    uint64_t *held; /* cookies of the sockets that it holds, and of some that it held */
    size_t held_count, held_room;
    struct list threads, epolls;
    struct list_link ended_link; /* with `ended`, while the table has it */
};

/* A call that concerns no connection: see apart.h. */
struct apart_call {
    struct call *call; /* a reference */
    uint64_t cookie;   /* its socket's; 0 none */
};

struct vantage {
    uint32_t number;
    uint64_t netns;
    char name[EVENT_NAME_BYTES];
    struct address v4, v6; /* its interface's own */
};

/* What is remembered of a connection that was told: enough to know a segment of it that went under another address. */
enum { TOLD_FLOWS = 64 };
/* A server that answered a SYN: the newest of each place of the table. */
enum { ANSWERED_SLOTS = 1024 };
struct answered {
    struct address server;
    int64_t t_ns;
    uint32_t number; /* of the connection: flow_shown_number */
};

struct told_flow {
    uint32_t number;
    struct address end[STORY_SIDES];
    struct {
        bool known;
        uint32_t from, to; /* the numbers that it sent: the first, and one past the last */
    } numbers[STORY_SIDES];
    int64_t from_ns, to_ns;
};

/* Bounds: so many are kept of what has no lifetime of its own, or whose end went unseen; what goes beyond is counted and said. */
enum {
    THREADS_MAX = 16384,
    PROCESSES_MAX = 65536,
    SOCKETS_LOOSE_MAX = 16384, /* of sockets that are held by somebody and belong to no connection */
    SOCKETS_GONE_MAX = 4096,   /* of those that are closed: a server that ended; what failed to connect */
    REFUSED_MAX = 64,          /* of a port */
    ICMP_MARKS_MAX = 4096,     /* of two seconds: sent, and not captured yet */
    LOSSES_MAX = 256,          /* of different ones; more are summed up */
    SOCKET_CALLS_MAX = 1024,   /* of a socket that serves many flows; each flow has its own besides */
    ARRIVALS_MAX = 4096        /* datagrams that wait on one socket */
};
/* Flows that are not told, by how long they may be silent: the least recently seen first. */
enum open_kind { OPEN_ATTEMPT, OPEN_UDP, OPEN_ELSE, OPEN_KINDS };
struct forgotten {
    uint64_t threads, processes, sockets, icmp_marks, arrivals, tombs, flows, calls, drops;
};

struct teller {
    int (*listener)(void *data, struct story *story); /* teller_listener */
    void *data;
    /* tell_flow, which stands above: what is over is told by what keeps it. */
    int (*tell)(struct teller *teller, struct flow *flow);
    struct table *flows;     /* flow_key → flow, the newest incarnation */
    struct table *sockets;   /* cookie → sock */
    struct table *threads;   /* tid → thread */
    struct table *processes; /* pid → process */
    struct table *epolls;    /* epoll_key → epoll */
    struct table *serving;   /* port_key → list of the sockets that listen there, or take any datagram */
    struct table *waiting;   /* ends_key → list of the sockets with two addresses and no flow yet */
    struct table *clients;   /* ends_key → list of the flows of this client's port to this server */
    struct table *refused;   /* port → list of the bind()s that it was refused to, and of the connect()s to it without a port */
    struct list loose_sockets, gone_sockets, idle_threads; /* the least recently seen first */
    struct list ended;                                     /* processes, in order of their ends */
    int64_t processes_swept_ns;
    uint64_t serial; /* of tellings */
    struct forgotten forgotten;
    struct tombs *tombs;
    struct teller_bounds bounds;
    size_t closed_count; /* in the queue */
    struct list open[OPEN_KINDS];
    struct flow *too_long;                  /* to be told; NULL: none */
    bool finishing;                         /* nothing comes any more */
    struct table *chains;                   /* interned event_chain (its address) → its verdict */
    struct flow *closed_head, *closed_tail; /* closed flows in order of closing, to be told after a while */
    struct vantage *vantages;
    size_t vantage_count, vantage_room;
    struct told_flow *told_flows; /* TOLD_FLOWS of them, the newest over the oldest */
    size_t told_flow_count;       /* that there ever were */
    struct sighting *icmp_marks;  /* of ICMP errors, which quote the flow only in the captured packet */
    size_t icmp_mark_count, icmp_mark_room;
    struct answered *answered; /* ANSWERED_SLOTS of them, by the server's address: the newest over the older */
    uint32_t flow_count;
    int64_t now_ns;
    uint16_t server_ports[8];
    struct apart_call *apart;
    size_t apart_count, apart_room;
    bool unfiltered;    /* event_trace */
    bool course_only;   /* event_trace */
    uint64_t rules_off; /* for tests: bit i switches cause rule i off */
    struct story_trace trace;
    struct arena *trace_arena;
    struct story_loss *losses;
    size_t loss_count, loss_room;
    const char **vantage_names;
    uint64_t marks_unjoined, packets_unmarked;
    bool any_mark;
    struct conn_judge judge; /* owner: NULL; of a flow's own record */
};

/* Makes room for one more element in a grown array; NULL (nothing changed) when out of memory. */
void *track_grow(void **array, size_t *count, size_t *room, size_t element_bytes);

/* So many verdicts of chains are remembered: a kernel has some hundreds of ways to send; a hostile log may have any number. */
enum { CHAINS_KNOWN_MAX = 16384 };
/* chain_read, asked of each chain once. */
struct chain_verdict chain_known(struct teller *teller, const struct event_chain *chain);

struct call *call_ref(struct call *call);
void call_unref(struct call *call);

/* processes.c. The process of this number, made when new; NULL: out of memory. */
struct process *process_get(struct teller *teller, int32_t pid);
struct process *process_ref(struct process *process);
void process_unref(struct process *process);
int processes_take(struct teller *teller, const struct event *event);
/* Time has gone on: lets go of what ended long enough ago. */
void processes_pass(struct teller *teller);
void processes_free(struct teller *teller);
/* The thread, made when new; NULL: out of memory. */
struct thread *thread_get(struct teller *teller, const struct event_thread *seen);

/* sockets.c. Call sockets_file whenever a socket's addresses, its flow, or what it serves may have changed. 0 or -ENOMEM. */
int sockets_file(struct teller *teller, struct sock *sock);
void sockets_take_out(struct teller *teller, struct sock *sock);
/* Something of it was seen. */
void sockets_touch(struct teller *teller, struct sock *sock);
/* Lets go of those without a connection that are too many. No pointer to a socket without a flow outlives it. 0 or -errno. */
int sockets_pass(struct teller *teller);
struct ends_key ends_key(uint16_t local_port, const struct address *remote);
/* All that serve a port, one after the other: the first with `behind` NULL; NULL: no more. */
struct sock *sockets_next_serving(const struct teller *teller, uint16_t port, uint8_t protocol, const struct sock *behind);
/* The one that has the addresses of this end and no flow yet; NULL none. */
struct sock *sockets_waiting(const struct teller *teller, const struct flow *flow, enum story_side side);
/* A bind() to that port was refused, because it is another's; a connect() to it found no port of its own. 0 or -ENOMEM. */
int sockets_note_refused(struct teller *teller, struct sock *sock, struct call *call, uint16_t port);
void sockets_forget_refused(struct teller *teller, const struct sock *sock);
/* One after the other, the first with *at NULL; NULL: no more. */
struct call *sockets_next_refused(const struct teller *teller, uint16_t port, const void **at);

/* holders.c: who holds which socket. Each takes the event of its name and changes the tables; 0 or -ENOMEM. */
int holders_take_call(struct teller *teller, struct call *call, struct sock *sock, struct sock *other);
int holders_take_process(struct teller *teller, const struct event_process *process);

/* drops.c */
int drops_take_drop(struct teller *teller, const struct event *event);
int drops_take_queue(struct teller *teller, const struct event *event);

/* fold.c. Of a connection that is longer than bounds.packets_max the middle is made short; of its socket's calls likewise. */
void flow_fold(struct teller *teller, struct flow *flow);
void sock_fold(const struct teller *teller, struct sock *sock);

/* icmp_marks.c. Keeps a mark until its packet comes: 0 or -ENOMEM; the mark of this packet, NULL none; forgets all, counting those
 * without a packet. */
int icmp_keep_mark(struct teller *teller, const struct sighting *mark);
const struct sighting *icmp_take_mark(struct teller *teller, const struct event *event);
void icmp_forget_marks(struct teller *teller);

/* join.c */
int flow_take_packet(struct teller *teller, const struct event *event);
int flow_take_mark(struct teller *teller, const struct event *event);

/* reports.c */
int flow_take_state(struct teller *teller, const struct event *event);
int flow_take_reset(struct teller *teller, const struct event *event);
int flow_take_timer(struct teller *teller, const struct event *event);

/* flow.c */
/* The flow of this pair of ends now, or NULL. */
struct flow *flow_find(struct teller *teller, const struct address *a, const struct address *b, uint8_t protocol, uint64_t netns);
/* A new one of which no packet was seen; there must be none between these two. NULL: out of memory. */
struct flow *flow_make(struct teller *teller, const struct address *client, const struct address *server, uint8_t protocol);
/* Takes it out and tells it. 0 or what telling returned. */
int open_tell(struct teller *teller, struct flow *flow);
/* Where packets are captured nowhere, a socket that knows both its ends is a connection by its calls alone. 0 or -ENOMEM, or what
 * telling returned. */
int calls_alone_bind(struct teller *teller, struct sock *sock);
/* The flow a packet belongs to, made when it is new. NULL: out of memory. */
struct flow *flow_of_packet(struct teller *teller, const struct event_packet *packet, uint64_t netns);
/* By which people know it: the number that the list gave to its connection, or its own. */
static inline uint32_t flow_shown_number(const struct flow *flow)
{
    return flow->connection ? flow->connection : flow->number;
}
/* Something of the flow was seen. */
void flow_touch(struct teller *teller, struct flow *flow);
/* A packet of it that is no second sight and no copy: what it means decides about incarnations, roles and when the flow is
 * finished. */
void flow_judge(struct teller *teller, struct flow *flow, const struct event_packet *packet, int64_t t_ns);
/* answered.c. A SYN,ACK of this server was seen; and the newest that there was, NULL none that is still known. */
void answered_note(struct teller *teller, const struct flow *flow, const struct event_packet_header *header);
const struct answered *answered_find(const struct teller *teller, const struct address *server);
/* What the judge asks of a packet. */
struct conn_segment flow_segment(const struct event_packet *packet, int64_t t_ns);
/* Which of conn.end a side is. */
static inline unsigned flow_conn_end(enum story_side first_side, enum story_side side)
{
    return side == first_side ? 0 : 1;
}
bool flow_is_loopback(const struct address *address);
/* Binds a socket with both addresses known to its flow, if there is one that lacks it. */
void flow_bind(struct teller *teller, struct sock *sock);
/* Whether the socket is this end of the flow. */
bool flow_is_end(const struct flow *flow, enum story_side side, const struct sock *sock);
/* Which side sent a packet with this source. */
enum story_side flow_side(const struct flow *flow, const struct address *source);
/* Whether the payload, SYN and FIN of `part` lie within those of `whole` (a segment of a larger GSO packet). */
bool flow_covers(const struct event_packet_header *whole, const struct event_packet_header *part);
/* struct conn_judge.more for a flow's own record. */
struct conn_more *flow_own_more(void *owner, struct conn *conn, bool make);
/* Nothing more is to come of it but late segments. */
bool flow_is_over(const struct flow *flow);
/* Into, and out of, the queue of those that wait to be told. */
void flow_queue(struct teller *teller, struct flow *flow);
void flow_leave_queue(struct teller *teller, struct flow *flow);
void flow_free(struct teller *teller, struct flow *flow);
/* This socket is that end of the flow from now on. */
void flow_set_sock(struct teller *teller, struct flow *flow, enum story_side side, struct sock *sock);
void flow_unset_sock(struct teller *teller, struct flow *flow, enum story_side side);

/* socket.c */
int socket_take_enter(struct teller *teller, const struct event *event);
int socket_take_exit(struct teller *teller, const struct event *event);
int socket_take_wake(struct teller *teller, const struct event *event);
/* The socket with this cookie, made when new; NULL for cookie 0 or out of memory. Learns the addresses. */
struct sock *socket_get(struct teller *teller, const struct event_socket *seen);
struct thread *socket_thread(struct teller *teller, const struct event_thread *seen);
/* UDP: a datagram of this flow reached, or left, the unconnected socket that serves it. */
int socket_take_datagram(struct teller *teller, struct flow *flow, const struct event_packet_header *header,
                         struct call *marked_by);
/* The listening (or unconnected UDP) socket that served this address at that time (0: at any); NULL none known. */
struct sock *socket_serving(struct teller *teller, const struct address *local, uint8_t protocol, int64_t at_ns);
void sock_free(struct teller *teller, struct sock *sock);
void epoll_forget(struct teller *teller, struct epoll *epoll);

/* open.c. How long a closed connection may still be heard of. */
int64_t open_linger_ns(const struct teller *teller);
/* Something of it was seen; it is told. */
void open_touch(struct teller *teller, struct flow *flow);
void open_leave(struct flow *flow);
/* Time has gone on: tells what is due. 0 or as tell_flow. */
int open_pass(struct teller *teller);
/* All, in order of their numbers, to be freed; NULL: out of memory. */
struct flow **open_flows(const struct teller *teller, size_t *ret_count);

/* A connection between these two that was told a short while ago, as a flow that takes what comes late; *ret_used: there was one.
 * NULL: none (or out of memory). Whether the packet is of it, the caller asks. */
struct flow *flow_rise(struct teller *teller, const struct flow_key *key, const struct event_packet *packet, bool *ret_used);

#endif
