/* Reading captures: one pass over the files, through the ledger, into tables; or, for the connections that were chosen, into
 * stories. */
#ifndef TCPWHY_READ_READ_CAPTURE_H
#define TCPWHY_READ_READ_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "out/held.h"
#include "out/output.h"

enum { READ_CONNS_MAX = 64, READ_SMALL_BYTES = 8 << 20 };

struct read_range { /* of connection numbers, both ends in */
    uint32_t from, to;
    bool udp; /* of UDP flows, which have numbers of their own */
};

struct read_options {
    struct output_options output;
    struct read_range conns[READ_CONNS_MAX];
    size_t conn_count; /* 0: all */
    bool tables;       /* of connections; else stories */
    bool summary;      /* with tables: the totals alone */
    bool sorted;       /* with tables: `order` was asked for; else lists of what is `small` are given the worst first */
    enum held_order order;
    bool only_findings; /* with tables: rows in which something was found alone */
    bool small;         /* the source is files of READ_SMALL_BYTES together at most: what it holds is looked at as stories, too */
    bool merge;         /* read_merge is meant */
    const char *filter; /* pcap-filter(7); NULL: everything */
    const char *filter_word; /* its first word, where it stood behind the files, and is no file itself; NULL: it did not */
    size_t open_max;         /* connections at once; 0: the ledger's own bound */
    size_t packets_max;      /* of stories; 0: the usual bound */
};

struct read_source {
    const char *const *paths; /* "-": standard input */
    size_t count;
    const void *head; /* what has been read of standard input already */
    size_t head_bytes;
};

/* 0; CLI_FAILED with a sentence where a file is damaged (everything else was told); CLI_INTERRUPTED plus the
 * signal where it was interrupted (what was read is told); -EINVAL for a filter or a format that is none; -EPIPE;
 * else -errno. */
int read_capture(const struct read_source *source, const struct read_options *options, struct err *err);

#endif
