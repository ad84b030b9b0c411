/* The blocks of a pcapng file: their types, their frame (type, length … length again), and the options that many end with.
 *
 * Pure: bytes in, plain values out. Rests on the IETF draft "PCAP Next Generation (pcapng) Capture File Format", sections 3 and 4.
 */
#ifndef TCPWHY_PCAPNG_BLOCK_H
#define TCPWHY_PCAPNG_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    PCAPNG_SECTION_HEADER = 0x0a0d0d0a, /* reads the same in both byte orders */
    PCAPNG_INTERFACE = 1,
    PCAPNG_OLD_PACKET = 2,
    PCAPNG_SIMPLE_PACKET = 3,
    PCAPNG_NAME_RESOLUTION = 4,
    PCAPNG_INTERFACE_STATISTICS = 5,
    PCAPNG_ENHANCED_PACKET = 6,
    PCAPNG_JOURNAL = 9,
    PCAPNG_DECRYPTION_SECRETS = 10,
    PCAPNG_CUSTOM = 0xbad,
    PCAPNG_CUSTOM_NO_COPY = 0x40000bad
};

enum {
    PCAPNG_FRAME_BYTES = 12, /* type, length and the length again: the least a block has */
    PCAPNG_SECTION_BYTES_MIN = 28,
    PCAPNG_MAGIC = 0x1a2b3c4d,
    PCAPNG_BLOCK_BYTES_MAX = 16 << 20 /* of a block that is looked into (libpcap has the same limit); larger ones are passed over */
};

/* Numbers of a section that was written in the other byte order than this machine's. */
static inline uint32_t pcapng_u32(const uint8_t *at, bool swapped)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return swapped ? __builtin_bswap32(value) : value;
}
static inline uint16_t pcapng_u16(const uint8_t *at, bool swapped)
{
    uint16_t value;
    memcpy(&value, at, sizeof(value));
    return swapped ? __builtin_bswap16(value) : value;
}

enum {
    PCAPNG_OPTION_COMMENT = 1,        /* of every block, any number of times: text in UTF-8 */
    PCAPNG_OPTION_FLAGS = 2,          /* of packets: 32 bits, the lowest two say which way it went */
    PCAPNG_OPTION_IF_DROPPED = 5,     /* of interface statistics: packets that the interface dropped, 64 bits */
    PCAPNG_OPTION_HOST_DROPPED = 7,   /* … and the operating system */
    PCAPNG_OPTION_THREAD = 8,         /* of packets: process and thread, 32 bits each (epb_processid_threadid) */
    PCAPNG_OPTION_CUSTOM_TEXT = 2988, /* of every block: an enterprise's number (32 bits) and text in UTF-8, to be copied with it */
};

/* A number of 64 bits in the section's byte order. */
static inline uint64_t pcapng_u64(const uint8_t *at, bool swapped)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return swapped ? __builtin_bswap64(value) : value;
}

/* An option's value, padded to 4 bytes in the file. */
struct pcapng_option {
    uint16_t code;
    uint16_t length;
    const uint8_t *value; /* `length` bytes, borrowed */
};
enum pcapng_option_result { PCAPNG_OPTION, PCAPNG_OPTIONS_END, PCAPNG_OPTIONS_BAD };
/* Walks options: begin with *at = 0. PCAPNG_OPTIONS_BAD: one that ends behind the `length` bytes there are. */
enum pcapng_option_result pcapng_option_next(const uint8_t *options, size_t length, bool swapped, size_t *at,
                                             struct pcapng_option *ret_option);

/* A section header's byte order from its first 12 bytes: false when the magic number is neither. */
bool pcapng_section_order(const uint8_t *block, bool *ret_swapped);

/* For finding the way again behind damage: how far this may be the beginning of a sound block. */
enum pcapng_likeness { PCAPNG_UNLIKE, PCAPNG_UNDECIDED /* *ret_need bytes would tell */, PCAPNG_LIKE };
/* A block of a known type whose two lengths agree. `available` bytes are there, `longest` is the longest block to be believed. */
enum pcapng_likeness pcapng_block_like(const uint8_t *bytes, size_t available, bool swapped, size_t longest, size_t *ret_need);

#endif
