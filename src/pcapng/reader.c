#include "pcapng/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/lang.h"
#include "base/moment.h"

static const int64_t NS_A_SECOND = 1000000000;

struct pcapng_reader {
    bool in_section;
    bool swapped;
    bool unknown_version; /* nothing of this section is looked into */
    uint32_t first;       /* the number of the section's interface 0 over all sections */
    struct pcapng_interface *interfaces;
    uint32_t count, room;
};

struct pcapng_reader *pcapng_reader_new(void)
{
    return calloc(1, sizeof(struct pcapng_reader));
}

void pcapng_reader_free(struct pcapng_reader *reader)
{
    if (reader) free(reader->interfaces);
    free(reader);
}

static enum pcapng_result pcapng_damaged(struct pcapng_step *step, uint64_t used, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum pcapng_result pcapng_damaged(struct pcapng_step *step, uint64_t used, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(step->text, sizeof(step->text), tr(format), args);
    va_end(args);
    step->used = used;
    return PCAPNG_DAMAGED;
}

static int64_t clamp(__int128 value)
{
    return value > MOMENT_MOST_NS ? MOMENT_MOST_NS : value < -MOMENT_MOST_NS ? -MOMENT_MOST_NS : (int64_t)value;
}

int64_t pcapng_time_ns(const struct pcapng_interface *interface, uint64_t ticks)
{
    __int128 ns;
    if (interface->ticks_to_ns)
        ns = (__int128)ticks * interface->ticks_to_ns;
    else if (interface->ticks_per_ns)
        ns = ticks / interface->ticks_per_ns;
    else
        ns = ((__int128)ticks * NS_A_SECOND) >> interface->binary_digits;
    return clamp(ns + (__int128)interface->offset_s * NS_A_SECOND);
}

/* if_tsresol: 10^-n seconds, or 2^-n with the highest bit set. */
static void set_clock(struct pcapng_interface *interface, uint8_t resolution)
{
    interface->ticks_to_ns = interface->ticks_per_ns = 0;
    interface->binary_digits = resolution & 0x7f;
    if (resolution & 0x80) return;
    uint64_t factor = 1;
    int digits = resolution - 9;
    if (digits > 19) { /* no number of its ticks makes a nanosecond: as in the finest clock there is */
        interface->binary_digits = 0x7f;
        return;
    }
    for (int i = digits < 0 ? -digits : digits; i > 0; i--) factor *= 10;
    if (digits <= 0)
        interface->ticks_to_ns = factor;
    else
        interface->ticks_per_ns = factor;
}

enum { OPTION_IF_NAME = 2, OPTION_IF_TSRESOL = 9, OPTION_IF_TSOFFSET = 14 };

/* A damaged option leaves the interface with what was read before it: packets refer to interfaces by their count. */
static const char *read_options(struct pcapng_interface *interface, const uint8_t *options, size_t length, bool swapped)
{
    struct pcapng_option option;
    enum pcapng_option_result result;
    size_t at = 0;
    while ((result = pcapng_option_next(options, length, swapped, &at, &option)) == PCAPNG_OPTION) {
        switch (option.code) {
        case OPTION_IF_NAME: {
            size_t bytes = strnlen((const char *)option.value, option.length);
            if (bytes > sizeof(interface->name) - 1) bytes = sizeof(interface->name) - 1;
            memcpy(interface->name, option.value, bytes);
            interface->name[bytes] = '\0';
            break;
        }
        case OPTION_IF_TSRESOL:
            if (option.length != 1) return TR("its clock's resolution (if_tsresol) is not one byte");
            set_clock(interface, option.value[0]);
            break;
        case OPTION_IF_TSOFFSET: {
            if (option.length != 8) return TR("its clock's offset (if_tsoffset) is not eight bytes");
            uint64_t high = pcapng_u32(option.value + (swapped == (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) ? 4 : 0), swapped);
            uint64_t low = pcapng_u32(option.value + (swapped == (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) ? 0 : 4), swapped);
            interface->offset_s = (int64_t)(high << 32 | low);
            break;
        }
        default:
            break; /* a comment, a name, whatever else: nothing that packets need */
        }
    }
    return result == PCAPNG_OPTIONS_BAD ? TR("one of its options ends behind it") : NULL;
}

static enum pcapng_result read_section(struct pcapng_reader *reader, const uint8_t *block, uint32_t length,
                                       struct pcapng_step *step)
{
    uint16_t major = pcapng_u16(block + 12, reader->swapped), minor = pcapng_u16(block + 14, reader->swapped);
    reader->first += reader->count;
    reader->count = 0;
    reader->in_section = true;
    /* 1.2 was written by some programs and is the same (section 4.1 of the draft). */
    reader->unknown_version = major != 1 || (minor != 0 && minor != 2);
    if (reader->unknown_version)
        return pcapng_damaged(step, length,
                              "this section is of pcapng version %u.%u, and only 1.0 (and 1.2, which is the same) is known", major,
                              minor);
    step->options = block + 24;
    step->options_bytes = length - PCAPNG_SECTION_BYTES_MIN;
    return PCAPNG_BLOCK;
}

static enum pcapng_result read_interface(struct pcapng_reader *reader, const uint8_t *block, uint32_t length,
                                         struct pcapng_step *step)
{
    if (length < 20) return pcapng_damaged(step, length, "the interface description block is only %u bytes long", length);
    if (reader->count == PCAPNG_INTERFACES_MAX)
        return pcapng_damaged(step, length, "this section describes more than %d interfaces", PCAPNG_INTERFACES_MAX);
    if (reader->count == reader->room) {
        uint32_t room = reader->room ? reader->room * 2 : 4;
        struct pcapng_interface *interfaces = realloc(reader->interfaces, room * sizeof(*interfaces));
        if (!interfaces) return PCAPNG_NO_MEMORY;
        reader->interfaces = interfaces;
        reader->room = room;
    }
    struct pcapng_interface *interface = &reader->interfaces[reader->count++];
    *interface = (struct pcapng_interface){.link_type = pcapng_u16(block + 8, reader->swapped),
                                           .snap = pcapng_u32(block + 12, reader->swapped)};
    set_clock(interface, 6);
    const char *wrong = read_options(interface, block + 16, length - 20, reader->swapped);
    if (wrong) return pcapng_damaged(step, length, "the description of interface %u: %s", reader->count - 1, tr(wrong));
    step->interface = reader->first + reader->count - 1;
    step->options = block + 16;
    step->options_bytes = length - 20;
    return PCAPNG_BLOCK;
}

/* Where the parts of a packet block are. */
static const struct layout {
    const char *too_short;
    uint8_t header, interface, ticks, captured;
    bool short_interface; /* 16 bits */
} enhanced = {TR("the enhanced packet block is only %u bytes long"), 28, 8, 12, 20, false},
  old = {TR("the packet block is only %u bytes long"), 28, 8, 12, 20, true};

static enum pcapng_result read_packet(const struct pcapng_reader *reader, const struct layout *layout, const uint8_t *block,
                                      uint32_t length, struct pcapng_step *step)
{
    bool swapped = reader->swapped;
    if (length < layout->header + 4U) return pcapng_damaged(step, length, layout->too_short, length);
    uint32_t number =
        layout->short_interface ? pcapng_u16(block + layout->interface, swapped) : pcapng_u32(block + layout->interface, swapped);
    uint32_t captured = pcapng_u32(block + layout->captured, swapped);
    if (number >= reader->count)
        return pcapng_damaged(step, length, "the packet is of interface %u, and the section has described only %u so far", number,
                              reader->count);
    if (captured > length - layout->header - 4U)
        return pcapng_damaged(step, length, "the packet claims %u captured bytes, and its block has room for %u", captured,
                              length - layout->header - 4U);
    const struct pcapng_interface *interface = &reader->interfaces[number];
    uint32_t padded = (captured + 3) & ~3U; /* no more than the block, which is padded too */
    uint64_t ticks = (uint64_t)pcapng_u32(block + layout->ticks, swapped) << 32 | pcapng_u32(block + layout->ticks + 4, swapped);
    step->packet = (struct pcapng_packet){.t_ns = pcapng_time_ns(interface, ticks),
                                          .bytes = block + layout->header,
                                          .captured = captured,
                                          .wire = pcapng_u32(block + layout->captured + 4, swapped),
                                          .interface = reader->first + number,
                                          .link_type = interface->link_type,
                                          .swapped = swapped,
                                          .options = block + layout->header + padded,
                                          .options_bytes = length - layout->header - 4U - padded};
    return PCAPNG_PACKET;
}

static enum pcapng_result read_simple(const struct pcapng_reader *reader, const uint8_t *block, uint32_t length,
                                      struct pcapng_step *step)
{
    if (length < 16) return pcapng_damaged(step, length, "the simple packet block is only %u bytes long", length);
    if (!reader->count) return pcapng_damaged(step, length, "a packet comes before any interface is described");
    uint32_t wire = pcapng_u32(block + 8, reader->swapped), captured = wire, snap = reader->interfaces[0].snap;
    if (snap && captured > snap) captured = snap;
    if (captured > length - 16)
        return pcapng_damaged(step, length, "the packet claims %u captured bytes, and its block has room for %u", captured,
                              length - 16);
    step->packet = (struct pcapng_packet){.bytes = block + 12,
                                          .captured = captured,
                                          .wire = wire,
                                          .interface = reader->first,
                                          .link_type = reader->interfaces[0].link_type,
                                          .untimed = true};
    return PCAPNG_PACKET;
}

/* Statistics are of no interface that packets could have come from where they are damaged: then they say nothing. */
static enum pcapng_result read_statistics(const struct pcapng_reader *reader, const uint8_t *block, uint32_t length,
                                          struct pcapng_step *step)
{
    uint32_t number = length < 24 ? UINT32_MAX : pcapng_u32(block + 8, reader->swapped);
    if (number >= reader->count) return PCAPNG_BLOCK;
    step->interface = reader->first + number;
    step->options = block + 20;
    step->options_bytes = length - 24;
    return PCAPNG_BLOCK;
}

static enum pcapng_result read_block(struct pcapng_reader *reader, uint32_t type, const uint8_t *block, uint32_t length,
                                     struct pcapng_step *step)
{
    if (type == PCAPNG_SECTION_HEADER) return read_section(reader, block, length, step);
    if (reader->unknown_version) return PCAPNG_BLOCK;
    switch (type) {
    case PCAPNG_ENHANCED_PACKET:
        return read_packet(reader, &enhanced, block, length, step);
    case PCAPNG_OLD_PACKET:
        return read_packet(reader, &old, block, length, step);
    case PCAPNG_SIMPLE_PACKET:
        return read_simple(reader, block, length, step);
    case PCAPNG_INTERFACE:
        return read_interface(reader, block, length, step);
    case PCAPNG_INTERFACE_STATISTICS:
        return read_statistics(reader, block, length, step);
    default:
        return PCAPNG_BLOCK;
    }
}

enum pcapng_result pcapng_reader_next(struct pcapng_reader *reader, const uint8_t *bytes, size_t available,
                                      struct pcapng_step *ret_step)
{
    struct pcapng_step *step = ret_step;
    step->used = 0;
    step->unchecked = false;
    step->need = PCAPNG_FRAME_BYTES;
    if (available < PCAPNG_FRAME_BYTES) return PCAPNG_MORE;
    bool swapped = reader->swapped;
    uint32_t type = pcapng_u32(bytes, swapped);
    if (type == PCAPNG_SECTION_HEADER) {
        if (!pcapng_section_order(bytes, &swapped))
            return pcapng_damaged(step, 0, "the section header's byte-order magic is 0x%08x", pcapng_u32(bytes + 8, false));
    } else if (!reader->in_section)
        return pcapng_damaged(step, 0, "a block of type 0x%08x stands where a section header has to", type);
    uint32_t length = pcapng_u32(bytes + 4, swapped);
    /* Some programs write the length without its padding: both ways of reading it have to find it again at the end. */
    uint64_t padded = ((uint64_t)length + 3) & ~(uint64_t)3;
    if (length < PCAPNG_FRAME_BYTES || (type == PCAPNG_SECTION_HEADER && length < PCAPNG_SECTION_BYTES_MIN))
        return pcapng_damaged(step, 0, "the block of type 0x%08x claims a length of %u bytes", type, length);
    if (padded > PCAPNG_BLOCK_BYTES_MAX) {
        if (type == PCAPNG_SECTION_HEADER ||
            (type >= PCAPNG_INTERFACE && type <= PCAPNG_ENHANCED_PACKET && type != PCAPNG_NAME_RESOLUTION))
            return pcapng_damaged(step, 0, "the block of type 0x%08x claims a length of %u bytes, more than %d", type, length,
                                  PCAPNG_BLOCK_BYTES_MAX);
        step->used = padded;
        step->type = type;
        step->options_bytes = 0;
        step->unchecked = true;
        return PCAPNG_BLOCK;
    }
    step->need = (size_t)padded;
    if (available < padded) return PCAPNG_MORE;
    uint32_t again = pcapng_u32(bytes + padded - 4, swapped);
    if (again != length)
        return pcapng_damaged(step, 0, "the block of type 0x%08x says that it is %u bytes long at its beginning and %u at its end",
                              type, length, again);
    if (type == PCAPNG_SECTION_HEADER) reader->swapped = swapped;
    step->used = padded;
    step->type = type;
    step->swapped = reader->swapped;
    step->options_bytes = 0;
    return read_block(reader, type, bytes, (uint32_t)padded, step);
}

enum pcapng_likeness pcapng_reader_like(const struct pcapng_reader *reader, const uint8_t *bytes, size_t available, size_t longest,
                                        size_t *ret_need)
{
    enum pcapng_likeness likeness = pcapng_block_like(bytes, available, reader->swapped, longest, ret_need);
    if (likeness != PCAPNG_UNLIKE && available >= 4 && (!reader->in_section || reader->unknown_version) &&
        pcapng_u32(bytes, false) != PCAPNG_SECTION_HEADER)
        return PCAPNG_UNLIKE;
    return likeness;
}

const struct pcapng_interface *pcapng_reader_interface(const struct pcapng_reader *reader, uint32_t interface)
{
    uint32_t number = interface - reader->first;
    return number < reader->count ? &reader->interfaces[number] : NULL;
}

uint32_t pcapng_reader_first(const struct pcapng_reader *reader)
{
    return reader->first;
}

uint32_t pcapng_reader_interfaces(const struct pcapng_reader *reader)
{
    return reader->first + reader->count;
}
