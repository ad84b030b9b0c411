/* Writing the blocks of a pcapng file, one after the other, into a buffer, in this machine's byte order.
 *
 * Pure: values in, bytes out. The buffer remembers a failure (base/buf.h), so that a writer asks once at a block's end. Rests on
 * the IETF draft "PCAP Next Generation (pcapng) Capture File Format", sections 3 and 4. */
#ifndef TCPWHY_PCAPNG_WRITER_H
#define TCPWHY_PCAPNG_WRITER_H

#include "base/buf.h"
#include "pcapng/block.h"

enum {
    PCAPNG_OPTION_BYTES_MAX = 65535, /* of an option's value: its length has 16 bits */
    PCAPNG_IN = 1,                   /* of packets' flags: which way it went */
    PCAPNG_OUT = 2
};

/* Begins a block; returns where, for pcapng_end. */
size_t pcapng_begin(struct buf *out, uint32_t type);
/* Ends the block that began there: fills it to 32 bits and sets both lengths. 0 or the buffer's failure. */
int pcapng_end(struct buf *out, size_t begin);
void pcapng_put_u16(struct buf *out, uint16_t value);
void pcapng_put_u32(struct buf *out, uint32_t value);
/* An option with its padding. A value that is longer than PCAPNG_OPTION_BYTES_MAX is cut there. */
void pcapng_put_option(struct buf *out, uint16_t code, const void *value, size_t length);
void pcapng_put_option_text(struct buf *out, uint16_t code, const char *text);
/* A custom option of text that is copied with its block (code 2988): the enterprise number, then the text. Text that is longer than
 * PCAPNG_OPTION_BYTES_MAX - 4 is cut there. */
void pcapng_put_custom_text(struct buf *out, uint32_t enterprise, const char *text, size_t length);
/* The mark behind the last option. */
void pcapng_put_options_end(struct buf *out);

/* What a section header says of who wrote it; NULL: nothing. */
struct pcapng_section {
    const char *comment, *hardware, *system, *application;
};
/* Whole blocks. 0 or the buffer's failure. */
int pcapng_write_section(struct buf *out, const struct pcapng_section *section);
/* With a clock of nanoseconds. `name` may be NULL. */
int pcapng_write_interface(struct buf *out, uint16_t link_type, uint32_t snap_bytes, const char *name);
/* A journal entry: lines KEY=value, each with its newline. */
int pcapng_write_journal(struct buf *out, const char *entry, size_t length);
/* Statistics of an interface: `t_ns` when they were taken, what it received and dropped. `comment` may be NULL. */
int pcapng_write_statistics(struct buf *out, uint32_t interface, int64_t t_ns, uint64_t received, uint64_t dropped,
                            const char *comment);
/* Begins a packet block, up to its options; they and pcapng_end follow. */
size_t pcapng_begin_packet(struct buf *out, uint32_t interface, int64_t t_ns, const void *bytes, uint32_t captured, uint32_t wire);

#endif
