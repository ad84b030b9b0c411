/* The records of what is open: flows, their packets, sockets, calls and threads; and the teller that holds them.
 *
 * Internal to src/story. Calls are shared by the sockets they concern and counted by reference; everything else has one owner: the
 * teller its tables, a flow its packets. */
#ifndef TCPWHY_STORY_TRACK_RECORDS_H
#define TCPWHY_STORY_TRACK_RECORDS_H

#include "base/arena.h"
#include "base/list.h"
#include "base/table.h"
#include "conn/conn.h"
#include "event/call_traits.h"
#include "event/event.h"
#include "story/bounds.h"
#include "story/chain.h"
#include "story/story.h"
#include "story/track/holder.h"
#include "story/track/keys.h"
#include "story/track/lookups.h"
#include "story/track/networks.h"
#include "story/track/tombs.h"
#include "story/track/translate.h"
#include "story/vantages.h"

/* So much later than asked for may a timer of a minute run: the timer wheel (kernel/time/timer.c) keeps it to the eighth part of
 * its time, 4.1 s at HZ=1000 and 5.12 s at HZ=100. */
static const int64_t TIMER_LATE_NS = 6000000000;

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
    bool watch_cut;                            /* there were more than these */
    struct event_watch watch[EVENT_WATCH_MAX]; /* cookies resolved */
    uint64_t attached[CALL_SOCKETS_MAX];       /* the cookies of the sockets that list it */
    uint8_t attached_count;
    size_t place;            /* in the story that is being told; a hint, to be checked */
    bool told;               /* in a story */
    struct lookup *lookup;   /* connect: what its process had looked up for it; NULL: nothing that is known */
    struct holder still;     /* close: another descriptor that held the socket after it; pid 0: none was seen */
    enum holder_made copied; /* of `still` and the one that was closed: how the one that is a copy was made; FIRST: unseen */
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
    struct event_congestion congestion;
    struct call *call; /* that the marking thread was in, or had just left; owns a reference */
    bool call_over;    /* it had left: deferred work */
    bool copy;         /* seen at its receiver alone, and a second time: made by the network, sent by nobody */
    uint32_t folded;   /* it stands for so many plain ones, and no more is known of it; 0: it is one */
    bool left_unseen;  /* marked, and captured only where it came to: no vantage (origin 0) saw it leave */
    bool stuck;        /* marked, and thrown away before it came to a device: no capture can see it */
    bool unsent;       /* with copy: there is no first one either; its sender's host was watched, and never sent it */
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

/* Linux sends a SYN seven times (net.ipv4.tcp_syn_retries). */
enum { QUESTIONS_MAX = 8 };

struct flow {
    struct flow_key key;
    uint32_t number;
    bool udp;
    bool apart; /* there was another one with these ends in other networks: one of teller.apart_flows */
    struct networks networks;
    struct address end[STORY_SIDES]; /* STORY_CLIENT: who sent the first SYN, or is taken for it */
    bool roles_sure;                 /* by a SYN, a known server port, or a socket that listens at one end */
    bool beside;                     /* of packets that are beside: not told */
    bool succeeded;                  /* another connection has its place: how it ended was not captured, if it was not over */
    bool after_time_wait;            /* it took the place of a connection with an end in TIME_WAIT: the next three say which */
    uint32_t after_number;
    enum story_side after_side;          /* the end of this flow that had been waiting, */
    enum story_side after_role;          /* and what it was there: roles may have turned */
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
    bool holds_reset;           /* a RST came to this side that may not fit: the kernel has not said so far that it was taken */
    enum story_side held_side;
    struct conn_segment held_reset;
    struct sock *sock[STORY_SIDES];
    struct sighting *packets;
    size_t packet_count, packet_room;
    size_t joined;          /* of the packets: those before this one, or too old to be joined, have mark and capture */
    size_t fold_at;         /* so many packets are looked through for what can be folded; 0: as bounds.packets_max says */
    uint64_t folded;        /* packets that others stand for */
    bool attempt_over;      /* of a run without end: its client's kernel has given the attempt up (no segment need show that) */
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
    struct queue_note *queues;
    size_t queue_count, queue_room, drop_count, drop_room;
    struct extra_call *extra;
    size_t extra_count, extra_room;
    struct process *ender[2];    /* who ended as a FIN or RST left: references */
    struct address ender_end[2]; /* and of which end that was */
    uint32_t sights;             /* captured packets that were a packet before, once more */
    int64_t sights_gap_ns;       /* with `sights`: the least time between a packet and its next sight */
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
    bool found_name;       /* a connect() followed what was looked up through it */
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
    bool submits; /* it hands operations to the kernel by a ring (io_uring) */
    int64_t ended_ns;
    struct process_end *ends; /* oldest first */
    size_t end_count, end_room;
    uint64_t *held; /* cookies of the sockets that it holds, and of some that it held */
    size_t held_count, held_room;
    struct lookups *lookups; /* that no connect() has followed yet; NULL: none */
    struct list threads, epolls;
    struct list_link ended_link; /* with `ended`, while the table has it */
};

/* A call that concerns no connection: see apart.h. */
struct apart_call {
    struct call *call; /* a reference */
    uint64_t cookie;   /* its socket's; 0 none */
};

/* What is remembered of a connection that was told: enough to know a segment of it that went under another address. */
enum { TOLD_FLOWS = 64 };
/* A server that answered a SYN: the newest of each place of the table. */
enum { ANSWERED_SLOTS = 1024 };
struct answered {
    struct address server;
    int64_t t_ns;
    uint32_t number; /* of the connection: flow_shown_number */
    struct networks networks;
    bool elsewhere; /* other networks had such a server, too */
};

struct told_flow {
    uint32_t number;
    struct address end[STORY_SIDES];
    struct {
        bool known;
        uint32_t from, to; /* the numbers that it sent: the first, and one past the last */
    } numbers[STORY_SIDES];
    int64_t from_ns, to_ns, syn_ack_ns; /* the last: of its first SYN-ACK; 0: none was captured */
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

struct listener_key {
    uint64_t netns;
    struct address local;
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
    struct table *listeners; /* listener_key of those that listened already as recording began */
    struct list loose_sockets, gone_sockets, idle_threads; /* the least recently seen first */
    struct list ended;                                     /* processes, in order of their ends */
    int64_t processes_swept_ns;
    uint64_t serial; /* of tellings */
    struct forgotten forgotten;
    struct tombs *tombs;
    struct teller_bounds bounds;
    size_t closed_count; /* in the queue */
    int64_t look_ns;     /* until then none of those that wait there is looked at */
    struct list open[OPEN_KINDS];
    struct flow *too_long;                  /* to be told; NULL: none */
    bool finishing;                         /* nothing comes any more */
    struct table *chains;                   /* interned event_chain (its address) → its verdict */
    struct flow *closed_head, *closed_tail; /* closed flows in order of closing, to be told after a while */
    struct vantage *vantages;
    size_t vantage_count, vantage_room;
    uint64_t marked[16]; /* networks in which packets were marked and perhaps not captured */
    size_t marked_count;
    struct told_flow *told_flows; /* TOLD_FLOWS of them, the newest over the oldest */
    size_t told_flow_count;       /* that there ever were */
    struct drop_note *stuck;      /* SYNs of no flow that did not leave their host (calls_alone.c) */
    size_t stuck_count;           /* that there ever were */
    struct sighting *icmp_marks;  /* of ICMP errors, which quote the flow only in the captured packet */
    size_t icmp_mark_count, icmp_mark_room;
    struct translations *translations; /* NULL: no host translates what it sends itself */
    struct answered *answered;         /* ANSWERED_SLOTS of them, by the server's address: the newest over the older */
    uint32_t flow_count;
    size_t apart_flows; /* in the table, whose ends are another connection's in other networks: their key names a network */
    bool any_apart;     /* there was one */
    int64_t now_ns;
    uint16_t server_ports[8];
    struct apart_call *apart;
    size_t apart_count, apart_room;
    bool unfiltered;    /* event_trace */
    bool course_only;   /* event_trace */
    bool chosen;        /* event_trace */
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

#endif
