/* What the parts of the saved file's writer share; nobody else includes it. */
#ifndef TCPWHY_SAVED_SAVED_OWN_H
#define TCPWHY_SAVED_SAVED_OWN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/table.h"
#include "saved/saved.h"

enum { SAVED_VANTAGES_MAX = 64, SAVED_LINES_BYTES = 40000, SAVED_BLOCK_BYTES = 1 << 24, SAVED_WORDS_KEY_BYTES = 16 };

/* A packet, or an event that becomes a row between them. */
struct saved_record {
    int64_t place_ns; /* never earlier than the one before it */
    struct event event;
    char *lines; /* of the events that travel with it, its own last: each with its newline */
    size_t lines_bytes;
    uint8_t *bytes; /* a packet's, as many as were captured; NULL: not kept */
};

/* A row that a story brings: a change of state, a finding. */
struct saved_row {
    int64_t t_ns;
    size_t order; /* among those of one time */
    char *entry;  /* the journal entry's lines, without its time */
    size_t entry_bytes;
};

/* What a story says of one packet. */
struct saved_sentence {
    char *text; /* the comment */
    char *json; /* members of the JSON object, without braces */
    int32_t pid, tid;
};

struct saved_vantage {
    uint32_t number;
    char name[EVENT_NAME_BYTES];
    struct address v4, v6;
    bool written; /* its interface block is */
    uint32_t interface;
    uint64_t packets, dropped;
};

struct saved {
    struct saved_options options;
    struct sink sink;
    int code; /* the first failure */
    struct saved_record *records;
    size_t record_count, record_room;
    struct saved_row *rows;
    size_t row_count, row_room, row_order;
    size_t held_bytes;
    struct buf pending; /* lines that wait for the next record */
    struct table *sentences, *sockets, *words;
    struct saved_vantage vantages[SAVED_VANTAGES_MAX];
    size_t vantage_count;
    uint32_t interfaces;
    bool begun;    /* the section header is written */
    int link_type; /* of the file; -1: no packet yet */
    char recorder[EVENT_NAME_BYTES];
    bool course_only; /* of segments the headers alone were recorded */
    uint64_t lost, dropped;
    int64_t last_ns;         /* the place of the last record taken */
    int64_t written_ns;      /* the time of the last block written */
    struct buf block, entry; /* in the making */
};

/* ---- saved_sentences.c: what stories say of packets ---- */

/* How packets and sentences find each other: a packet's time and numbers. */
struct saved_key {
    int64_t t_ns;
    uint32_t seq, ack, length_bytes;
    uint16_t src_port, dst_port;
};
int saved_take_sentences(struct saved *saved, const struct story *story);
/* NULL: no story speaks of this packet. */
const struct saved_sentence *saved_sentence_of(const struct saved *saved, const struct event *packet);
/* Those of packets before that time. */
int saved_forget_sentences(struct saved *saved, int64_t before_ns);

/* ---- saved_told.c: the rows and words that stories bring ---- */

/* Changes of state, findings, and what calls waited for. */
int saved_take_rows(struct saved *saved, const struct story *story);
/* What a story says of a call's end: "connect(3) = 0 · slept 43 µs, woken by the SYN-ACK (#2)"; NULL: nothing. */
const char *saved_words_of(const struct saved *saved, const struct event *leave);

/* ---- saved_rows.c: journal entries, without their time ---- */

/* syslog(3)'s levels. */
enum { LEVEL_ERROR = 3, LEVEL_WARNING = 4, LEVEL_NOTICE = 5, LEVEL_INFO = 6, LEVEL_DEBUG = 7 };
/* KEY=value with its newline; text is made harmless. */
void saved_put_text(struct buf *out, const char *key, const char *text);
void saved_put_number(struct buf *out, const char *key, int64_t number);
/* What all entries have, last. */
void saved_end_entry(struct buf *out, int level, const char *kind);

/* Whether an event is a row of its own; else it travels with the next. */
bool saved_is_row(const struct event *event);
/* Its entry, into saved->entry. */
void saved_entry(struct saved *saved, const struct saved_record *record);
/* Learns the addresses of an event's sockets. */
int saved_note_sockets(struct saved *saved, const struct event *event);

/* ---- saved_packet.c: packet blocks ---- */

/* Into saved->block. False: it can't stand in this file as a packet. */
bool saved_packet(struct saved *saved, const struct saved_record *record);
/* Its interface block into saved->block, unless it was written. */
void saved_interface(struct saved *saved, struct saved_vantage *vantage);
struct saved_vantage *saved_vantage_of(struct saved *saved, uint32_t number);

/* ---- saved_link.c: one link type in a file ---- */

/* How a packet of one link type becomes one of another: so many bytes of its own go, and these stand before what is left. */
struct saved_turn {
    uint32_t cut;
    uint8_t head[16];
    uint32_t head_bytes;
};
/* False: that can't be done. Link types are DLT_*. */
bool saved_turn_link(int from, int to, const uint8_t *bytes, uint32_t captured, struct saved_turn *ret_turn);
/* DLT_* as libpcap says it on Linux, to LINKTYPE_* as files hold it. */
uint16_t saved_file_link(int link_type);

#endif
