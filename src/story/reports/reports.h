/* What the kernel reports of connections, taken into the flows and sockets that are open: states, resets and timers of sockets
 * (sock:inet_sock_set_state, tcp:tcp_send_reset and tcp:tcp_receive_reset, timer:timer_expire_entry), what was thrown away
 * (skb:kfree_skb), how full a listener's queues were. Internal to src/story: tell/ passes the events of each kind here. */
#ifndef TCPWHY_STORY_REPORTS_REPORTS_H
#define TCPWHY_STORY_REPORTS_REPORTS_H

#include "story/track/track.h"

/* reports.c. All of these return 0 or -ENOMEM; an event that concerns nothing that is open changes nothing. */
int flow_take_state(struct teller *teller, const struct event *event);
int flow_take_reset(struct teller *teller, const struct event *event);
int flow_take_timer(struct teller *teller, const struct event *event);

/* stuck.c: a SYN that was thrown away while its TCP was sending it, before it came to a device: a segment that was sent, and that
 * no capture shows. 0 or -ENOMEM; of any other drop 0. */
int stuck_take_drop(struct teller *teller, const struct event *event);

/* drops.c */
int drops_take_drop(struct teller *teller, const struct event *event);
int drops_take_queue(struct teller *teller, const struct event *event);

#endif
