/* Frames that the wire keeps, in the order in which they are to go on. Internal to the wire's process. */
#ifndef TCPWHY_LAB_WIRE_WIRE_QUEUE_H
#define TCPWHY_LAB_WIRE_WIRE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "lab/wire/wire_rules.h"

struct lane;

struct wire_frame {
    struct wire_frame *next;
    struct lane *lane; /* its direction */
    int64_t due_ns;    /* CLOCK_MONOTONIC */
    bool is_known;     /* TCP or UDP: then `header` is set */
    bool routed;       /* it comes from the router: nothing more is done to it */
    struct event_packet_header header;
    char name[WIRE_NAME_BYTES]; /* of the rule that acts on it */
    uint32_t rule;              /* its id */
    const uint8_t *bytes;       /* a kept frame's stand behind this struct */
    uint32_t length;
};

struct wire_queue {
    struct wire_frame *head, *tail;
};

/* A copy of the frame and its bytes, in memory of its own: free(3) it. NULL: out of memory. */
struct wire_frame *wire_frame_copy(const struct wire_frame *frame);
/* How much memory a copy takes. */
size_t wire_frame_bytes(const struct wire_frame *frame);

/* A queue borrows its frames. */
void wire_queue_append(struct wire_queue *queue, struct wire_frame *frame);
/* Behind all that are due no later. */
void wire_queue_insert(struct wire_queue *queue, struct wire_frame *frame);
/* Takes the first one out; NULL: none. */
struct wire_frame *wire_queue_take(struct wire_queue *queue);

#endif
