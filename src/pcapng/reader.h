/* Reading a pcapng file block by block: sections, interfaces with their clocks, and packets with their times.
 *
 * No I/O: it is given the bytes that begin at the next block and says what they are, or how many more it has to see. It owns the
 * table of the interfaces of the section (PCAPNG_INTERFACES_MAX at most). Bad bytes are a result, never an error. */
#ifndef TCPWHY_PCAPNG_READER_H
#define TCPWHY_PCAPNG_READER_H

#include "pcapng/block.h"

struct pcapng_reader;

enum { PCAPNG_INTERFACES_MAX = 65536, PCAPNG_NAME_BYTES = 32, PCAPNG_TEXT_BYTES = 192 };

struct pcapng_interface {
    uint16_t link_type;           /* LINKTYPE_* */
    uint32_t snap;                /* 0: not limited */
    char name[PCAPNG_NAME_BYTES]; /* if_name as it stands in the file, cut to fit; "" unknown */
    int64_t offset_s;
    uint64_t ticks_to_ns;  /* what a tick of its clock is to be multiplied with; 0: see below */
    uint64_t ticks_per_ns; /* a finer decimal clock: ticks are divided by it; 0: see below */
    uint8_t binary_digits; /* a clock of 2^-n seconds */
};

enum pcapng_result {
    PCAPNG_PACKET,  /* step->packet */
    PCAPNG_BLOCK,   /* a block that carries no packet, step->type: pass over it */
    PCAPNG_MORE,    /* step->need bytes from here on have to be seen first */
    PCAPNG_DAMAGED, /* step->text; when `used` is 0 nothing here can be believed, the next block has to be searched for */
    PCAPNG_NO_MEMORY
};

struct pcapng_packet {
    int64_t t_ns; /* clamped to what base/moment.h says */
    const uint8_t *bytes;
    uint32_t captured, wire;
    uint32_t interface; /* counted over all sections */
    uint16_t link_type; /* LINKTYPE_* */
    bool untimed;       /* its block has no time: t_ns is 0 */
    bool swapped;       /* as pcapng_option_next wants it for the options */
    const uint8_t *options;
    uint32_t options_bytes; /* 0: none */
};

struct pcapng_step {
    size_t need;
    uint64_t used;  /* bytes to move on by: may be more than were given, for a block too large to look into */
    bool unchecked; /* the second length of that large block was not compared */
    struct pcapng_packet packet;
    /* PCAPNG_BLOCK: what it is, and the options of a section header, an interface or its statistics (0 bytes: none). */
    uint32_t type;
    uint32_t interface; /* of a description or statistics: its number over all sections */
    bool swapped;
    const uint8_t *options; /* borrowed from the bytes */
    uint32_t options_bytes;
    char text[PCAPNG_TEXT_BYTES];
};

/* NULL: no memory. Release with pcapng_reader_free. */
struct pcapng_reader *pcapng_reader_new(void);
void pcapng_reader_free(struct pcapng_reader *reader);

/* What begins at `bytes`, `available` of them. Fills what its result says and `used`; the packet borrows from `bytes`. A first
 * block that is no section header is PCAPNG_DAMAGED. */
enum pcapng_result pcapng_reader_next(struct pcapng_reader *reader, const uint8_t *bytes, size_t available,
                                      struct pcapng_step *ret_step);
/* Whether the next sound block of this section may begin here (behind damage; in a section of an unknown version, a section header
 * only). */
enum pcapng_likeness pcapng_reader_like(const struct pcapng_reader *reader, const uint8_t *bytes, size_t available, size_t longest,
                                        size_t *ret_need);
/* An interface of the section that is being read, by its number over all sections; NULL: none. Borrowed until the next block. */
const struct pcapng_interface *pcapng_reader_interface(const struct pcapng_reader *reader, uint32_t interface);
/* The number of the section's first interface. */
uint32_t pcapng_reader_first(const struct pcapng_reader *reader);
/* How many interfaces all sections so far had. */
uint32_t pcapng_reader_interfaces(const struct pcapng_reader *reader);
/* The time of a clock reading, ns since the epoch, clamped to what base/moment.h says. */
int64_t pcapng_time_ns(const struct pcapng_interface *interface, uint64_t ticks);

#endif
