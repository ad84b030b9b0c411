/* What the teller does while connections are open: the doors of each of its files. The records are in records.h.
 *
 * Internal to src/story. */
#ifndef TCPWHY_STORY_TRACK_TRACK_H
#define TCPWHY_STORY_TRACK_TRACK_H

#include "story/track/records.h"

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
/* The cookies of those that are wanted, each with a call at least, in the order in which they were opened: the table's own order is
 * another each time. To be freed; NULL: out of memory. */
uint64_t *sockets_in_order(const struct teller *teller, bool (*is_wanted)(const struct sock *sock), size_t *ret_count);
/* The one that has the addresses of this end and no flow yet; NULL none. */
struct sock *sockets_waiting(struct teller *teller, const struct flow *flow, enum story_side side);
/* A bind() to that port was refused, because it is another's; a connect() to it found no port of its own. 0 or -ENOMEM. */
int sockets_note_refused(struct teller *teller, struct sock *sock, struct call *call, uint16_t port);
void sockets_forget_refused(struct teller *teller, const struct sock *sock);
/* One after the other, the first with *at NULL, without those that are known to be of another network; NULL: no more. */
struct call *sockets_next_refused(const struct teller *teller, uint16_t port, uint64_t netns, const void **at);

/* holders.c: who holds which socket. Each takes the event of its name and changes the tables; 0 or -ENOMEM. */
/* Whether this close_range() has in its list every descriptor through which the socket was seen to be held. */
bool holders_close_among_many(const struct call *call, const struct sock *sock);
int holders_take_call(struct teller *teller, struct call *call, struct sock *sock, struct sock *other);
int holders_take_process(struct teller *teller, const struct event_process *process);

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

/* flow.c */
/* The flow of this pair of ends now, or NULL. */
struct flow *flow_find(struct teller *teller, const struct address *a, const struct address *b, uint8_t protocol, uint64_t netns);
/* The same of a packet that was seen there, whose numbers may tell more. */
struct flow *flow_find_packet(struct teller *teller, const struct event_packet_header *header, uint64_t netns);
/* There is a flow of this socket's two ends, whosever that is. */
bool flow_is_taken(const struct teller *teller, const struct sock *sock, uint8_t protocol);
/* A new one of which no packet was seen; there must be none between these two. Unless its roles are sure they are chosen as for a
 * segment in mid-life from "client" to "server". NULL: out of memory. */
struct flow *flow_make(struct teller *teller, const struct address *client, const struct address *server, uint8_t protocol,
                       bool roles_sure);
/* Takes it out and tells it. 0 or what telling returned. */
int open_tell(struct teller *teller, struct flow *flow);
/* Where packets are captured nowhere, a socket that knows both its ends is a connection by its calls alone. 0 or -ENOMEM, or what
 * telling returned. */
int calls_alone_bind(struct teller *teller, struct sock *sock);
/* At the end, where packets were captured: connections of which none was, as those in another network or that a filter left out. */
int calls_alone_find_all(struct teller *teller);
/* A packet of no flow that the kernel threw away: a SYN that did not leave its host is remembered for the connection that is told
 * by its calls alone. 0 or -ENOMEM. */
int calls_alone_keep_drop(struct teller *teller, const struct event *event);
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
/* An end in this state is a whole socket, and no request or timewait socket, of which the kernel does not say that a RST ended it.
 */
static inline bool flow_is_whole(uint8_t state)
{
    return state == STATE_ESTABLISHED || state == STATE_CLOSE_WAIT;
}
/* Whether this RST waits for the kernel's word. */
bool flow_hold_reset(const struct teller *teller, struct flow *flow, const struct event_packet *packet,
                     const struct conn_segment *segment);
/* The kernel says that a RST ended this side's socket: one that was held until it said so. */
void flow_take_held_reset(struct teller *teller, struct flow *flow, enum story_side side);
/* This end's socket is in that network: where somebody listened there it is the server's, unless more is known. */
void flow_take_listener(struct teller *teller, struct flow *flow, const struct address *own, uint64_t netns);
static inline bool flow_roles_are_guessed(const struct flow *flow)
{
    return !flow->roles_sure && !(flow->conn.flags & CONN_OPENED);
}
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
/* Where the mark's chain says that a process ends: that process is part of the flow's story. */
void flow_note_ender(struct teller *teller, struct flow *flow, const struct event_mark *mark);
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

/* listeners.c: who listened already as recording began; such a port no client there is given (Linux: __inet_hash_connect). */
int listeners_take(struct teller *teller, const struct event *event);
bool listeners_serve(const struct teller *teller, const struct address *local, uint64_t netns);
void listeners_forget(struct teller *teller, const struct address *local, uint64_t netns);

/* socket.c */
int socket_take_enter(struct teller *teller, const struct event *event);
int socket_take_exit(struct teller *teller, const struct event *event);
/* The call concerns this socket, which does not have it yet. 0 or -ENOMEM. */
int socket_list_call(struct teller *teller, struct sock *sock, struct call *call);
int socket_take_wake(struct teller *teller, const struct event *event);
/* The socket with this cookie, made when new; NULL for cookie 0 or out of memory. Learns the addresses. */
struct sock *socket_get(struct teller *teller, const struct event_socket *seen);
struct thread *socket_thread(struct teller *teller, const struct event_thread *seen);
/* The call that a thread (NULL: not known) is in, or on its way back from; NULL: none that was recorded. */
struct call *thread_call_at(const struct thread *thread, const struct event_context *context);
/* UDP: a datagram of this flow reached, or left, the unconnected socket that serves it. */
int socket_take_datagram(struct teller *teller, struct flow *flow, const struct event_packet_header *header,
                         struct call *marked_by);
/* The listening (or unconnected UDP) socket that served this address in this network (0: in any) at that time (0: at any); NULL
 * none known. */
struct sock *socket_serving(struct teller *teller, const struct address *local, uint8_t protocol, uint64_t netns, int64_t at_ns);
/* Whether it is served in two networks that are known: which of the two is meant the address does not say. */
bool sockets_serve_twice(const struct teller *teller, const struct address *local, uint8_t protocol);
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
struct flow *flow_rise(struct teller *teller, const struct flow_key *key, const struct event_packet *packet, uint64_t netns,
                       bool *ret_used);

#endif
