/* Captures for a program that may talk to anybody: on all interfaces, or on those that a person names. */
#ifndef TCPWHY_RUN_CAPTURES_H
#define TCPWHY_RUN_CAPTURES_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "record/session.h"

enum { CAPTURES_NAMED_MAX = 32, CAPTURES_FILTER_BYTES = 1 << 16 };

struct captures_options {
    const char *interfaces[CAPTURES_NAMED_MAX]; /* none: all that are up and carry IP */
    size_t interface_count;
    const char *filter;  /* pcap-filter(7), beside what is of interest anyway; NULL: none */
    uint32_t snap_bytes; /* 0: headers alone */
};

/* What is captured, as a filter of libpcap's. 0; -EINVAL: it is too long. */
int captures_filter(const struct captures_options *options, struct buf *filter, struct err *err);
/* 0; -EPERM, -EACCES: packets may not be captured (with a sentence); else as packets_open. */
int captures_open(struct session *session, const struct captures_options *options, struct err *err);

#endif
