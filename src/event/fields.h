/* What each kind of event is made of: its word and its fields, each with a key, a type and a place.
 *
 * One table that the writer and the reader of event lines share, so that they can't drift apart. A field that is added to a struct
 * of event.h gets a row here; a test compares the rows with the structs byte by byte. */
#ifndef TCPWHY_EVENT_FIELDS_H
#define TCPWHY_EVENT_FIELDS_H

#include "event/event.h"

enum field_type {
    FIELD_UNSIGNED, /* decimal; 1, 2, 4 or 8 bytes */
    FIELD_SIGNED,   /* decimal */
    FIELD_BOOL,     /* 1 */
    FIELD_WORD,     /* one byte that `word` names; a number where it has no name */
    FIELD_BITS,     /* one byte of bits that `word` names, joined by commas; unnamed bits as a number */
    FIELD_FLAGS,    /* TCP flags as tcpdump's letters */
    FIELD_TEXT,     /* a char array */
    FIELD_ADDRESS,  /* 127.0.0.1:3333, [::1]:3333, and ?:3333 where only the port is known */
    FIELD_PORTS,    /* an array of port numbers, 0 ends: 3333,8080 */
    FIELD_CHAIN,    /* function names, innermost first, joined by semicolons */
    FIELD_WATCHES,  /* a call's `watch_count` entries of `watch`: cookie:data:events,… */
    FIELD_HEX,      /* a packet's captured bytes */
    FIELD_TYPES
};

struct event_field {
    const char *key;
    enum field_type type;
    size_t offset, bytes;                /* within struct event */
    const char *(*word)(unsigned value); /* WORD, BITS: the name of a value, or NULL */
};

/* "packet" …; NULL outside the enum and for EVENT_NONE. Static storage. */
const char *event_fields_word(enum event_kind kind);
/* The rows of a kind in the order of writing, *ret_count of them (0 outside the enum). Static storage. */
const struct event_field *event_fields_of(enum event_kind kind, size_t *ret_count);

#endif
