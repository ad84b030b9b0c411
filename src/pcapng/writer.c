#include "pcapng/writer.h"

#include <errno.h>

enum {
    HARDWARE = 2, /* of a section header */
    SYSTEM = 3,
    APPLICATION = 4,
    IF_NAME = 2, /* of an interface */
    IF_TSRESOL = 9,
    IF_RECEIVED = 4, /* of its statistics */
    NANOSECONDS = 9
};

static void pad(struct buf *out, size_t length)
{
    static const char zeros[4] = "";
    buf_append(out, zeros, -length & 3);
}

void pcapng_put_u16(struct buf *out, uint16_t value)
{
    buf_append(out, &value, sizeof(value));
}

void pcapng_put_u32(struct buf *out, uint32_t value)
{
    buf_append(out, &value, sizeof(value));
}

static void put_time(struct buf *out, int64_t t_ns)
{
    pcapng_put_u32(out, (uint32_t)((uint64_t)t_ns >> 32));
    pcapng_put_u32(out, (uint32_t)(uint64_t)t_ns);
}

size_t pcapng_begin(struct buf *out, uint32_t type)
{
    size_t begin = out->length;
    pcapng_put_u32(out, type);
    pcapng_put_u32(out, 0);
    return begin;
}

int pcapng_end(struct buf *out, size_t begin)
{
    pad(out, out->length - begin);
    uint32_t length = (uint32_t)(out->length - begin + sizeof(length));
    pcapng_put_u32(out, length);
    if (!out->failed) memcpy(out->data + begin + 4, &length, sizeof(length));
    return out->failed ? -ENOMEM : 0;
}

void pcapng_put_option(struct buf *out, uint16_t code, const void *value, size_t length)
{
    if (length > PCAPNG_OPTION_BYTES_MAX) length = PCAPNG_OPTION_BYTES_MAX;
    pcapng_put_u16(out, code);
    pcapng_put_u16(out, (uint16_t)length);
    buf_append(out, value, length);
    pad(out, length);
}

void pcapng_put_option_text(struct buf *out, uint16_t code, const char *text)
{
    if (text && *text) pcapng_put_option(out, code, text, strlen(text));
}

void pcapng_put_custom_text(struct buf *out, uint32_t enterprise, const char *text, size_t length)
{
    if (length > PCAPNG_OPTION_BYTES_MAX - sizeof(enterprise)) length = PCAPNG_OPTION_BYTES_MAX - sizeof(enterprise);
    pcapng_put_u16(out, PCAPNG_OPTION_CUSTOM_TEXT);
    pcapng_put_u16(out, (uint16_t)(sizeof(enterprise) + length));
    pcapng_put_u32(out, enterprise);
    buf_append(out, text, length);
    pad(out, length);
}

void pcapng_put_options_end(struct buf *out)
{
    pcapng_put_u32(out, 0);
}

int pcapng_write_section(struct buf *out, const struct pcapng_section *section)
{
    size_t begin = pcapng_begin(out, PCAPNG_SECTION_HEADER);
    pcapng_put_u32(out, PCAPNG_MAGIC);
    pcapng_put_u16(out, 1); /* version 1.0 */
    pcapng_put_u16(out, 0);
    pcapng_put_u32(out, UINT32_MAX); /* the section's length: not said */
    pcapng_put_u32(out, UINT32_MAX);
    pcapng_put_option_text(out, PCAPNG_OPTION_COMMENT, section->comment);
    pcapng_put_option_text(out, HARDWARE, section->hardware);
    pcapng_put_option_text(out, SYSTEM, section->system);
    pcapng_put_option_text(out, APPLICATION, section->application);
    pcapng_put_options_end(out);
    return pcapng_end(out, begin);
}

int pcapng_write_interface(struct buf *out, uint16_t link_type, uint32_t snap_bytes, const char *name)
{
    static const uint8_t resolution = NANOSECONDS;
    size_t begin = pcapng_begin(out, PCAPNG_INTERFACE);
    pcapng_put_u16(out, link_type);
    pcapng_put_u16(out, 0);
    pcapng_put_u32(out, snap_bytes);
    pcapng_put_option_text(out, IF_NAME, name);
    pcapng_put_option(out, IF_TSRESOL, &resolution, sizeof(resolution));
    pcapng_put_options_end(out);
    return pcapng_end(out, begin);
}

int pcapng_write_journal(struct buf *out, const char *entry, size_t length)
{
    size_t begin = pcapng_begin(out, PCAPNG_JOURNAL);
    buf_append(out, entry, length);
    return pcapng_end(out, begin);
}

int pcapng_write_statistics(struct buf *out, uint32_t interface, int64_t t_ns, uint64_t received, uint64_t dropped,
                            const char *comment)
{
    size_t begin = pcapng_begin(out, PCAPNG_INTERFACE_STATISTICS);
    pcapng_put_u32(out, interface);
    put_time(out, t_ns);
    pcapng_put_option_text(out, PCAPNG_OPTION_COMMENT, comment);
    pcapng_put_option(out, IF_RECEIVED, &received, sizeof(received));
    pcapng_put_option(out, PCAPNG_OPTION_IF_DROPPED, &dropped, sizeof(dropped));
    pcapng_put_options_end(out);
    return pcapng_end(out, begin);
}

size_t pcapng_begin_packet(struct buf *out, uint32_t interface, int64_t t_ns, const void *bytes, uint32_t captured, uint32_t wire)
{
    size_t begin = pcapng_begin(out, PCAPNG_ENHANCED_PACKET);
    pcapng_put_u32(out, interface);
    put_time(out, t_ns);
    pcapng_put_u32(out, captured);
    pcapng_put_u32(out, wire);
    buf_append(out, bytes, captured);
    pad(out, captured);
    return begin;
}
