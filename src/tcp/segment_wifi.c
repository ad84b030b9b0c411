/* IEEE 802.11: data frames that are not encrypted, with or without a radiotap header. */
#include "tcp/segment_walk.h"

static unsigned read_wifi_frame(struct walk *walk, bool padded, bool swapped);

/* | version | 0 | length (2) | present (4) … | fields … |, all little-endian (radiotap.org). The only field of interest is the
 * flags' byte: "the header is padded to a multiple of 4". It comes second, behind a timestamp of 8 bytes that is aligned to 8. */
unsigned walk_radiotap(struct walk *walk)
{
    enum { PRESENT_TIMESTAMP = 1, PRESENT_FLAGS = 2, FLAG_PADDED = 0x20 };
    const uint8_t *start = walk->bytes.at;
    struct bytes header = walk_take(walk, 8);
    const uint8_t *at = bytes_take(&header, 8);
    if (!at) return NEXT_END;
    size_t length = (size_t)at[3] << 8 | at[2];
    unsigned present = at[4];
    if (at[0] != 0 || length < 8) {
        walk_stop(walk, SEGMENT_MALFORMED);
        return NEXT_END;
    }
    if (!walk_skip(walk, length - 8)) return NEXT_END;
    /* Each word of `present` says in its highest bit whether another follows. */
    size_t field = 8;
    while (field + 4 <= length && (start[field - 1] & 0x80)) field += 4;
    if (present & PRESENT_TIMESTAMP) field = ((field + 7) & ~(size_t)7) + 8;
    bool padded = (present & PRESENT_FLAGS) && field < length && (start[field] & FLAG_PADDED);
    return read_wifi_frame(walk, padded, false);
}

unsigned walk_wifi(struct walk *walk)
{
    return read_wifi_frame(walk, false, false);
}

unsigned walk_wifi_swapped(struct walk *walk)
{
    return read_wifi_frame(walk, false, true);
}

/* | frame control (2) | duration (2) | address (6) × 3 | sequence (2) | address (6)? | QoS (2)? | HT (4)? |: IEEE 802.11
 * section 9.3.2 */
static unsigned read_wifi_frame(struct walk *walk, bool padded, bool swapped)
{
    enum { VERSION = 0x03, TYPE = 0x0c, TYPE_DATA = 0x08, SUBTYPE_NO_DATA = 0x40, SUBTYPE_QOS = 0x80 };
    enum { TO_DS = 0x01, FROM_DS = 0x02, MORE_FRAGMENTS = 0x04, PROTECTED = 0x40, ORDER = 0x80, QOS_SEVERAL = 0x80 };
    unsigned control = walk_peek(walk, swapped, 0), flags = walk_peek(walk, !swapped, 0);
    size_t length = 24;
    if ((control & VERSION) || (control & TYPE) != TYPE_DATA || (control & SUBTYPE_NO_DATA)) {
        if (walk_skip(walk, 2)) walk_stop_at(walk, SEGMENT_OTHER, CONTENT_NAMED, NAMED_WIFI);
        return NEXT_END;
    }
    if ((flags & TO_DS) && (flags & FROM_DS)) length += 6;
    size_t qos_at = length;
    if (control & SUBTYPE_QOS) length += flags & ORDER ? 6 : 2;
    struct bytes header = walk_take(walk, length);
    const uint8_t *at = bytes_take(&header, length);
    if (!at) return NEXT_END;
    bool several = (control & SUBTYPE_QOS) && (at[qos_at] & QOS_SEVERAL);
    if (flags & PROTECTED) {
        walk_stop_at(walk, SEGMENT_ENCRYPTED, CONTENT_NAMED, NAMED_WIFI_PROTECTED);
        return NEXT_END;
    }
    if (at[22] & 0x0f) {
        walk_stop_at(walk, SEGMENT_FRAGMENT, CONTENT_NAMED, NAMED_WIFI);
        return NEXT_END;
    }
    walk->partial = walk->partial || (flags & MORE_FRAGMENTS);
    if (padded) walk_skip(walk, (4 - length % 4) % 4);
    /* Several frames in one (A-MSDU), each | destination | source | length |: the first is read. */
    if (several) {
        header = walk_take(walk, 14);
        bytes_take(&header, 12);
        size_t first = bytes_u16(&header);
        if (!header.failed) walk_limit(walk, first);
    }
    return NEXT_LLC;
}
