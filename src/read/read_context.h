/* What other connections say of the chosen ones: so that a story is the same whether it is told alone or among all.
 *
 * A SYN of the next connection between the same ends, which the chosen one questions; segments of one before it, which still held
 * the ends; a SYN,ACK out of the listener that a chosen SYN was for. Only what comes behind a chosen connection's first packet is
 * known: of what was over before nothing is told. In bounded number: beyond it stories say less. */
#ifndef TCPWHY_READ_READ_CONTEXT_H
#define TCPWHY_READ_READ_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/stored/savefile.h"
#include "event/event.h"

struct context;

/* NULL: out of memory. Release with context_free (NULL is fine). */
struct context *context_new(void);
void context_free(struct context *context);
/* A segment of chosen connection `conn`. 0 or -ENOMEM. */
int context_chosen(struct context *context, const struct event_packet_header *header, uint32_t conn);
/* Whether this packet of connection `conn`, which is not chosen, says something of one that is. */
bool context_wants(struct context *context, const struct savefile_packet *packet, uint32_t conn);

#endif
