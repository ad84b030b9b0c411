#include <errno.h>
#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>

#include "capture/stored/savefile_own.h"
#include "pcapng/block.h"

/*  a pcap file:   magic | major | minor | zone (4) | sigfigs (4) | snap (4) | link type (4)      24 bytes
 *  its records:   seconds (4) | fraction (4) | captured (4) | wire (4) | captured bytes          16 bytes and the packet
 *  "modified" records have 8 more: interface (4) | protocol (2) | packet type (1) | padding (1) */
enum { HEADER_BYTES = 24, RECORD_BYTES = 16, MODIFIED_BYTES = 24, CAPTURED_MAX = 262144, FRACTION_MAX = 1000000 };

static const struct variant {
    uint32_t magic;
    uint32_t ns_a_tick;
    uint8_t record_bytes;
    const char *name;
} variants[] = {
    {0xa1b2c3d4, 1000, RECORD_BYTES, "pcap"},
    {0xa1b23c4d, 1, RECORD_BYTES, "pcap, nanoseconds"},
    {0xa1b2cd34, 1000, MODIFIED_BYTES, "pcap, modified"}, /* Alexey Kuznetzov's, of Linux in the 1990s */
};

static const struct variant *find_variant(uint32_t magic)
{
    for (size_t i = 0; i < sizeof(variants) / sizeof(*variants); i++)
        if (variants[i].magic == magic) return &variants[i];
    return NULL;
}

bool savefile_pcap_is(const uint8_t *head, size_t length)
{
    return length >= 4 && (find_variant(pcapng_u32(head, false)) || find_variant(pcapng_u32(head, true)));
}

/* Where the number in files and the one in programs differ (libpcap's pcap-common.c). 14 is OpenBSD's number of raw IP. */
int savefile_link_type(uint32_t linktype)
{
    switch (linktype) {
    case 100:
        return DLT_ATM_RFC1483;
    case 101:
        return DLT_RAW;
    case 102:
        return DLT_SLIP_BSDOS;
    case 103:
        return DLT_PPP_BSDOS;
    case 106:
        return DLT_ATM_CLIP;
    case 14:
        return DLT_RAW;
    default:
        return (int)linktype;
    }
}

/* As libpcap: what is larger is no packet. Its 128 MiB for USB and D-Bus are cut to what the window holds. */
static uint32_t captured_max(int link_type)
{
    switch (link_type) {
    case DLT_DBUS:
    case DLT_EBHSCR:
    case DLT_USBPCAP:
    case DLT_USB_LINUX_MMAPPED:
        return STREAM_NEED_MAX - MODIFIED_BYTES;
    default:
        return CAPTURED_MAX;
    }
}

struct record {
    uint32_t s, fraction, captured, wire;
};

static inline struct record read_record(const struct savefile_pcap *pcap, const uint8_t *at, bool swapped)
{
    struct record record = {pcapng_u32(at, swapped), pcapng_u32(at + 4, swapped), pcapng_u32(at + 8, swapped),
                            pcapng_u32(at + 12, swapped)};
    if (__builtin_expect(pcap->lengths_swapped || (pcap->lengths_by_size && record.captured > record.wire), 0)) {
        uint32_t captured = record.wire;
        record.wire = record.captured;
        record.captured = captured;
    }
    return record;
}

/* The packets' path: all that lie whole in the window. */
static inline size_t take(struct savefile *file, struct savefile_packet *packets, size_t limit, bool swapped)
{
    struct savefile_pcap *pcap = &file->pcap;
    const uint8_t *at = file->stream.at, *end = file->stream.end;
    uint64_t offset = stream_offset(&file->stream), number = file->before + file->local;
    const size_t record_bytes = pcap->record_bytes;
    size_t count = 0;
    while (count < limit && (size_t)(end - at) >= record_bytes) {
        struct record record = read_record(pcap, at, swapped);
        if (record.captured > pcap->captured_max || (size_t)(end - at) - record_bytes < record.captured) break;
        pcap->last_s = record.s;
        packets[count++] =
            (struct savefile_packet){.t_ns = (int64_t)record.s * 1000000000 + (int64_t)record.fraction * pcap->ns_a_tick,
                                     .bytes = at + record_bytes,
                                     .captured = record.captured,
                                     .wire = record.wire,
                                     .link_type = pcap->link_type,
                                     .interface = file->interfaces_before,
                                     .number = ++number,
                                     .offset = offset};
        at += record_bytes + record.captured;
        offset += record_bytes + record.captured;
    }
    file->stream.at = at;
    file->local = number - file->before;
    if (count) file->last_ns = packets[count - 1].t_ns;
    return count;
}

enum { SECONDS_APART_MAX = 30 * 24 * 3600, CHAIN = 4, WIRE_MAX = 1 << 24 };

static bool is_likely(const struct savefile_pcap *pcap, const struct record *record, uint32_t near_s)
{
    long long apart = llabs((long long)record->s - near_s);
    uint32_t snap = pcap->snap && pcap->snap < pcap->captured_max ? pcap->snap : pcap->captured_max;
    return record->captured <= snap && record->captured && record->captured <= record->wire && record->wire <= WIRE_MAX &&
           record->s && apart <= SECONDS_APART_MAX &&
           record->fraction < (pcap->ns_a_tick == 1 ? 1000U * FRACTION_MAX : FRACTION_MAX);
}

/* Whether a chain of records begins here: several headers, each of which makes sense and leads to the next, or to the end of the
 * file. */
static bool begins_chain(struct savefile *file)
{
    struct savefile_pcap *pcap = &file->pcap;
    size_t at = 0;
    for (int i = 0; i < CHAIN; i++) {
        if (!stream_need(&file->stream, at + pcap->record_bytes)) return i > 1 || (i == 1 && at == stream_left(&file->stream));
        struct record record = read_record(pcap, file->stream.at + at, pcap->swapped);
        uint32_t near_s = pcap->last_s ? pcap->last_s : record.s;
        if (!is_likely(pcap, &record, near_s)) return false;
        at += pcap->record_bytes + record.captured;
        if (!stream_need(&file->stream, at)) return i > 1;
    }
    return true;
}

/* The format does not mark where a record begins: the next one is searched for byte by byte. */
static bool search(struct savefile *file)
{
    struct savefile_stream *stream = &file->stream;
    while (stream_need(stream, (size_t)file->pcap.record_bytes + 1)) {
        stream->at++;
        if (begins_chain(file)) return true;
    }
    stream_skip(stream, stream_left(stream));
    return false;
}

static enum savefile_result resume(struct savefile *file, uint64_t offset)
{
    file->damage.resumed = search(file);
    file->damage.skipped = stream_offset(&file->stream) - offset;
    return SAVEFILE_DAMAGED;
}

/* The next record is not whole in the window: gets more of it, or says why there is none. */
static enum savefile_result next_record(struct savefile *file)
{
    struct savefile_pcap *pcap = &file->pcap;
    struct savefile_stream *stream = &file->stream;
    if (!stream_need(stream, pcap->record_bytes))
        return savefile_at_end(file, "the file ends inside the header of this packet's record: %zu of its %u bytes are there",
                               stream_left(stream), pcap->record_bytes);
    struct record record = read_record(pcap, stream->at, pcap->swapped);
    uint64_t offset = stream_offset(stream);
    if (record.captured > pcap->captured_max) {
        savefile_damaged(file, offset, "its record claims %u captured bytes, and no packet of this link type has more than %u",
                         record.captured, pcap->captured_max);
        return resume(file, offset);
    }
    if (stream_need(stream, (size_t)pcap->record_bytes + record.captured)) return SAVEFILE_PACKET;
    size_t left = stream_left(stream) - pcap->record_bytes;
    if (stream->code || stream->stopped || stream->broken || is_likely(pcap, &record, pcap->last_s ? pcap->last_s : record.s))
        return savefile_at_end(file, "the file ends inside this packet: %zu of its %u captured bytes are there", left,
                               record.captured);
    /* The length may be what is wrong, and good packets lie behind. */
    savefile_damaged(file, offset, "its record claims %u captured bytes, and %zu are left in the file", record.captured, left);
    return resume(file, offset);
}

static enum savefile_result batch(struct savefile *file, struct savefile_packet *packets, size_t limit, size_t *ret_count)
{
    for (;;) {
        *ret_count = file->pcap.swapped ? take(file, packets, limit, true) : take(file, packets, limit, false);
        if (*ret_count) return SAVEFILE_PACKET;
        enum savefile_result result = next_record(file);
        if (result != SAVEFILE_PACKET) return result;
    }
}

int savefile_pcap_begin(struct savefile *file, struct err *err)
{
    struct savefile_stream *stream = &file->stream;
    struct savefile_pcap *pcap = &file->pcap;
    if (!stream_need(stream, HEADER_BYTES))
        return err_set(err, -EINVAL, "it ends inside the file header of pcap: %zu of its %d bytes are there", stream_left(stream),
                       HEADER_BYTES);
    const uint8_t *at = stream->at;
    const struct variant *variant = find_variant(pcapng_u32(at, false));
    *pcap = (struct savefile_pcap){.swapped = !variant};
    if (!variant) variant = find_variant(pcapng_u32(at, true));
    uint16_t major = pcapng_u16(at + 4, pcap->swapped), minor = pcapng_u16(at + 6, pcap->swapped);
    uint32_t link = pcapng_u32(at + 20, pcap->swapped);
    if (!(major == 2 && minor <= 4) && !(major == 543 && minor == 0))
        return err_set(err, -EINVAL, "it is a pcap file of version %u.%u, and only 2.0 to 2.4 (and Novell's 543.0) are known",
                       major, minor);
    /* The upper bits tell how long a frame check sequence is; bits 16 to 25 are reserved. */
    if (link & 0x03ff0000) return err_set(err, -EINVAL, "its pcap header is damaged: the link type is 0x%08x", link);
    pcap->lengths_swapped = major == 543 || minor < 3;
    pcap->lengths_by_size = major == 2 && minor == 3;
    pcap->record_bytes = variant->record_bytes;
    pcap->ns_a_tick = variant->ns_a_tick;
    pcap->snap = pcapng_u32(at + 16, pcap->swapped);
    pcap->link_type = savefile_link_type(link & 0xffff);
    pcap->captured_max = captured_max(pcap->link_type);
    strcpy(file->format, variant->name);
    file->batch = batch;
    stream->at += HEADER_BYTES;
    return 0;
}
