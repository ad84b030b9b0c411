/* The numbers that an exercise with Wireshark asks of one connection: what the data's sender sent, when it was acknowledged, how
 * fast that was. Pure: from a story alone. Times are those of the place where the packets were captured. */
#ifndef TCPWHY_VIZ_LAB_FACTS_H
#define TCPWHY_VIZ_LAB_FACTS_H

#include "story/story.h"

enum { LAB_SEGMENTS_MOST = 6 };

/* A data segment that was sent for the first time. */
struct lab_sample {
    const struct story_segment *segment;
    const struct story_segment *ack; /* the first that covers it; NULL: none did */
    const struct story_segment
        *again;          /* it was sent again before that, and its RTT is nobody's (Karn: RFC 6298 section 3); NULL: no */
    int64_t rtt_ns;      /* -1: none */
    double estimated_ms; /* after it: 0.875 of the one before, and 0.125 of this; the first is the RTT itself */
    double before_ms;    /* -1: it is the first */
};

struct lab_facts {
    enum story_side sender;                       /* who sent more bytes, else the client */
    const struct story_segment *syn[STORY_SIDES]; /* the first of each end; NULL: not captured */
    const struct story_segment *handshake_ack;    /* the first of the client with an ACK behind both; NULL */
    struct lab_sample samples[LAB_SEGMENTS_MOST];
    size_t sample_count;
    const struct story_segment *least_window; /* of the receiver's segments behind its SYN; NULL: no window is known */
    uint32_t in_flight_most;                  /* bytes sent and not acknowledged, at most */
    const struct story_segment *in_flight_at; /* as this was sent; NULL: nothing was */
    uint32_t repeats;                         /* segments of the sender that were sent again */
    uint32_t acks;                            /* of the receiver, that acknowledged data for the first time */
    uint32_t acks_many;                       /* … of more than one data segment */
    uint32_t acked_least, acked_most, acked_usual, usual_count; /* bytes an ACK; which number most often, and how often */
    uint64_t bytes;                                             /* acknowledged in all */
    const struct story_segment *fin;                            /* of the sender; NULL: none */
    const struct story_segment *first_data, *last_ack;          /* NULL: there was no data, or nothing was acknowledged */
};

/* Looks through the whole story, which is no UDP flow's. 0 or -ENOMEM. */
int lab_facts(const struct story *story, struct lab_facts *ret_facts);
/* The segment of step i where it counts: captured once, and no probe. NULL else. */
const struct story_segment *lab_segment(const struct story *story, size_t i);
/* How many bytes of data this segment acknowledges for the first time; *acked is the highest number acknowledged so far. The number
 * that the sender's FIN takes is no byte. */
uint32_t lab_acked(const struct lab_facts *facts, const struct story_segment *segment, uint32_t *acked);
/* When the packet came to where its receiver's packets are captured, or was captured at all. */
int64_t lab_arrival_ns(const struct story_segment *segment);

#endif
