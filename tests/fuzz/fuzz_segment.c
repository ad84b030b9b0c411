/* Any frame decodes within its bounds, and the same in the short cut for common frames as on the long way: the first two bytes
 * choose the link type and how much longer the wire's frame was. */
#include <stdlib.h>
#include <string.h>

#include "tcp/segment_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Field by field: what lies between the fields is nobody's. */
static int same(const struct event_packet *a, const struct event_packet *b)
{
    const struct event_options *one = &a->options, *other = &b->options;
    const struct event_icmp *error = &a->icmp, *error_b = &b->icmp;
    return memcmp(&a->header, &b->header, sizeof(a->header)) == 0 && one->present == other->present &&
           one->wscale == other->wscale && one->fastopen_cookie_bytes == other->fastopen_cookie_bytes && one->mss == other->mss &&
           one->mptcp == other->mptcp && one->ts_value == other->ts_value && one->ts_echo == other->ts_echo &&
           error->type == error_b->type && error->code == error_b->code && error->quotes == error_b->quotes &&
           error->protocol == error_b->protocol && address_equal(&error->src, &error_b->src) &&
           address_equal(&error->dst, &error_b->dst) && error->seq == error_b->seq && error->mtu == error_b->mtu &&
           a->tunnel.kind == b->tunnel.kind && a->tunnel.levels == b->tunnel.levels && a->tunnel.id == b->tunnel.id &&
           a->flags_high == b->flags_high && a->window_cut == b->window_cut;
}

static int untouched(const void *now, const void *before)
{
    return memcmp(now, before, sizeof(struct event_packet)) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* At its place in this list a stored input finds its link type: append, don't insert. */
    static const int links[64] = {1,   113, 276, 12,  101, 0,   108, 127, 105, 192, 9,   50, 51,
                                  204, 104, 8,   228, 229, 239, 242, 129, 178, 14,  220, 10, [63] = -1};
    if (size < 2) return 0;
    int link = links[data[0] % (sizeof(links) / sizeof(links[0]))];
    uint32_t captured = (uint32_t)size - 2, wire = captured + data[1];
    struct event_packet packet, before, walked;
    memset(&packet, 0xee, sizeof(packet));
    memcpy(&before, &packet, sizeof(packet));
    memcpy(&walked, &packet, sizeof(packet));
    enum segment_result result = segment_decode(link, data + 2, captured, wire, &packet);
    if (result >= SEGMENT_RESULTS) abort();
    struct segment_beside beside;
    if (segment_decode_walk(link, data + 2, captured, wire, &walked, &beside) != result) abort();
    const struct segment_fragment *piece = &beside.fragment;
    if (piece->version && (piece->bytes < data + 2 || piece->bytes + piece->captured > data + size)) abort();
    char content[SEGMENT_CONTENT_BYTES];
    if (!segment_content_name(beside.content, content)[0]) abort();
    if ((result == SEGMENT_OTHER || result == SEGMENT_ENCRYPTED || result == SEGMENT_LINK) && !beside.content) abort();
    if (result != SEGMENT_OK) {
        if (!untouched(&packet, &before)) abort();
        return 0;
    }
    if (!same(&packet, &walked)) abort();
    /* Only what travels in a first fragment may claim more than the frame held. */
    if (packet.header.length_bytes > wire && packet.header.length_bytes > 65535) abort();
    if (packet.header.src.version != packet.header.dst.version && packet.header.src.version + packet.header.dst.version != 10)
        abort();
    char text[9];
    if (strlen(segment_flags(packet.header.flags, text)) > 8) abort();
    return 0;
}
