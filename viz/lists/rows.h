/* Row views: finished connections of the ledger in, a line (or an object) each out. The narrow sister of viz/view.h, for tables of
 * millions of connections.
 *
 * A row view has no memory of its own. It appends to a buffer that the caller empties when it likes. */
#ifndef TCPWHY_VIZ_ROWS_H
#define TCPWHY_VIZ_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "ledger/datagrams.h"
#include "ledger/ledger.h"
#include "story/story.h"

/* What two captures of one connection say of the way between them. [0]: what `first` sent; [1]: what the other end did. */
struct rows_path {
    struct address first;
    uint32_t lost[2];    /* sent, and never arrived */
    int64_t delay_ns[2]; /* the usual (median) time on the way; -1 not known */
};

/* What the story engine found in the connections of a capture that is small enough to tell all of it. */
enum { ROWS_FINDINGS_WORDS = 2, ROWS_FINDINGS_MAX = 64 * ROWS_FINDINGS_WORDS };
enum rows_severity { ROWS_NOTHING, ROWS_NOTE, ROWS_WARNING, ROWS_ERROR };
struct rows_found {
    uint64_t ids[ROWS_FINDINGS_WORDS]; /* bit N: the N-th of story_finding_ids */
    enum rows_severity worst;
};
struct rows_findings {
    const struct rows_found *found[2]; /* [0]: of TCP connections, by their number less 1; [1]: of UDP flows */
    size_t count[2];
    /* By the number of an id: how many have it, and the first of them with its sentence (raw bytes from outside in it). */
    struct rows_finding {
        uint32_t connections, first;
        bool first_udp;
        enum rows_severity worst;
        const char *text;
    } of[ROWS_FINDINGS_MAX];
    uint32_t connections; /* with any */
    /* Where the time of all of them went (struct story_time), and how their first bytes' times spread; NULL: not known. */
    int64_t spent_ns[SPENTS], total_ns;
    const struct quantiles *first_byte;
};

/* How numbers spread over the rows that were shown: viz/lists/quantiles.h. */
enum rows_spread { ROWS_SPREAD_CONNECT, ROWS_SPREAD_TOOK, ROWS_SPREAD_SENT, ROWS_SPREAD_RECEIVED, ROWS_SPREADS };
struct quantiles;

enum { ROWS_EXTRA_BYTES = 160 };
struct rows_options {
    int64_t base_ns;               /* time zero of relative times: the first packet; known from the first row on */
    bool ascii;                    /* no byte above 0x7e */
    int width;                     /* of the terminal that shows the list; 0: it goes elsewhere */
    size_t *address_columns;       /* list: of the longest address so far, the caller's, 0 to begin; NULL: columns don't widen */
    int verbose;                   /* list: 1: Zeek's conn_state and history too, and how clocks are known */
    const struct rows_path *paths; /* of merged captures, by the connection's number less 1; NULL: there is one capture */
    size_t path_count;
    const struct story_clock *clocks; /* of merged captures */
    size_t clock_count;
    const struct rows_findings *findings; /* NULL: nobody looked for any */
    const struct quantiles *spreads;      /* list: ROWS_SPREADS of them, complete at its end; NULL: not kept */
    bool color;                           /* list: resets, refusals and errors in red */
    const char *outcome;                  /* list: of the next row; NULL: its own (ledger_outcome_name) */
    const char *extra; /* list: stands behind its notes; harmless text of ROWS_EXTRA_BYTES at most; NULL: nothing */
};

/* Packets that were not looked into, of one kind. */
struct rows_unread {
    uint32_t content; /* for segment_content_name */
    uint64_t count;
};
enum { ROWS_UNREAD = 32 };

/* What was read, beside the ledger's own totals. */
struct rows_source {
    uint64_t packets, wire_bytes;
    uint64_t results[SEGMENT_RESULTS]; /* packets by what decoding said; SEGMENT_OK: TCP, fragments put together as one */
    uint64_t udp_flows, udp_datagrams, udp_bytes, udp_crowded;
    uint64_t icmp_errors;                   /* that quote a packet of TCP or UDP */
    uint64_t put_together, given_up;        /* datagrams that came in fragments */
    struct rows_unread unread[ROWS_UNREAD]; /* largest first; of more kinds than fit the last is all others */
    size_t unread_count;
    uint64_t damages;                                         /* places where the file was damaged */
    uint64_t dropped;                                         /* packets that the capture itself says it lost */
    uint64_t commented;                                       /* packets with a comment beside them */
    uint64_t journal, names, secrets, custom, unknown_blocks; /* blocks of pcapng that were passed over */
    const char *const *comments;                              /* of sections and interfaces: raw bytes from outside */
    size_t comment_count;
};

struct rows_view {
    const char *name;    /* --format NAME */
    const char *suffix;  /* -o FILE; NULL: only by --format */
    const char *summary; /* for --help */
    /* Each returns 0 or the buffer's error. `end` gets the totals. */
    int (*begin)(struct buf *out, const struct rows_options *options);
    int (*row)(struct buf *out, const struct rows_options *options, const struct ledger_row *row);
    /* The row of a UDP flow: with `udp_parts` only as Zeek cuts it, else only whole. */
    int (*udp)(struct buf *out, const struct rows_options *options, const struct datagrams_row *row);
    bool udp_parts;
    int (*end)(struct buf *out, const struct rows_options *options, const struct ledger_totals *totals,
               const struct rows_source *source);
};

/* All of them; *ret_count. */
const struct rows_view *const *rows_all(size_t *ret_count);
/* NULL: no such name / no row view for this file's ending. */
const struct rows_view *rows_by_name(const char *name);
const struct rows_view *rows_by_path(const char *path);

extern const struct rows_view rows_list, rows_csv, rows_zeek, rows_jsonl, rows_summary;
/* The list for a terminal: options->width has to be known. Not in rows_all: it goes by the same name. */
extern const struct rows_view rows_screen;

/* Which way of `path` is the client's: 0 or 1. NULL where there is no path. */
const struct rows_path *rows_path(const struct rows_options *options, const struct ledger_row *row, int *ret_client);

/* "" or short words for what a person should look at: "refused", "no answer", "zero window" …, separated by ", ". At most
 * ROWS_NOTES_BYTES. Returns `text`. */
enum { ROWS_NOTES_BYTES = 160 };
const char *rows_notes(const struct ledger_row *row, char text[ROWS_NOTES_BYTES]);
/* The findings of a row: NULL where it has none, or nobody looked. */
const struct rows_found *rows_found(const struct rows_options *options, uint32_t number, bool udp);
/* What the notes of a list say: the ids of its findings first, then what rows_notes (rows_udp_notes) tells beside them. */
enum { ROWS_MARKS_BYTES = 2 * ROWS_NOTES_BYTES + ROWS_EXTRA_BYTES };
const char *rows_marks(const struct rows_options *options, const struct ledger_row *row, char text[ROWS_MARKS_BYTES]);
const char *rows_udp_marks(const struct rows_options *options, const struct datagrams_row *row, char text[ROWS_MARKS_BYTES]);
/* The same of a UDP flow: what it holds, what an ICMP error said of it. */
const char *rows_udp_notes(const struct datagrams_row *row, char text[ROWS_NOTES_BYTES]);
/* "SF", "S0", "SHR": as Zeek's conn.log has it; "Dd". `turned`: the first datagram came from a port that Zeek takes for a server's,
 * so that its conn.log has the other end as the originator. Static storage. */
const char *rows_udp_conn_state(const struct datagrams_row *row, bool *ret_turned, const char **ret_history);

#endif
