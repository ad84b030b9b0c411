/* The ledger's short cut reads every frame as segment_decode does, or leaves it to it: the first two bytes choose the link type and
 * how much longer the wire's frame was. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int links[8] = {1, 1, 1, 113, 276, 12, 101, 0};
    if (size < 2) return 0;
    int link = links[data[0] % 8];
    uint32_t captured = (uint32_t)size - 2, wire = captured + data[1];
    struct event_packet packet;
    struct ledger_segment segment;
    struct ledger_other other;
    struct segment_beside beside;
    memset(&packet, 0, sizeof(packet));
    enum segment_result said = segment_decode_beside(link, data + 2, captured, wire, &packet, &beside);
    enum segment_result result = ledger_decode(link, data + 2, captured, wire, 7, &segment, &other);
    bool tcp = said == SEGMENT_OK && packet.header.protocol == IPPROTO_TCP;
    if (result != (tcp || said != SEGMENT_OK ? said : SEGMENT_OTHER)) abort();
    if (!tcp) return 0;
    const struct event_packet_header *header = &packet.header;
    if (segment.t_ns != 7 || segment.seq != header->seq || segment.ack != header->ack || segment.flags != header->flags ||
        segment.length_bytes != header->length_bytes || segment.src_port != header->src.port ||
        segment.dst_port != header->dst.port)
        abort();
    if (!packet.window_cut && segment.window != header->window) abort();
    if (segment.tunnel != packet.tunnel.kind) abort();
    if (segment.ip_id != beside.ip_id || segment.hops != beside.hops || segment.checksum != beside.checksum) abort();
    if (segment.is_piece != (beside.fragment.version != 0)) abort();
    if (header->src.version == header->dst.version &&
        (segment.version != header->src.version || memcmp(segment.src, header->src.ip, 16) != 0 ||
         memcmp(segment.dst, header->dst.ip, 16) != 0))
        abort();
    if (segment.ip_bytes && segment.ip_bytes < segment.length_bytes + 40) abort();
    return 0;
}
