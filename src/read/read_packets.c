/* What becomes of the packets of one batch: segments, ICMP errors, UDP, pieces of IP datagrams. */
#include "read/read_capture.h"

#include <errno.h>
#include <netinet/in.h>
#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/filter.h"
#include "capture/stored/savefile.h"
#include "ledger/datagrams.h"
#include "out/interrupt.h"
#include "out/keeper.h"
#include "out/note.h"
#include "out/progress.h"
#include "out/status.h"
#include "out/tables.h"
#include "read/places.h"
#include "read/read_beside.h"
#include "read/read_pass.h"
#include "read/read_stories.h"
#include "read/read_unread.h"
#include "read/segment_queue.h"
#include "tcp/fragments.h"

/* Keeps what passes the filter. */
static int apply_filter(struct pass *pass, struct savefile_packet *packets, size_t *count, struct err *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        bool passes = false;
        const struct savefile_packet *packet = &packets[i];
        int code = filter_passes(pass->filter, packet->link_type, packet->bytes, packet->captured, packet->wire, &passes, err);
        if (code) return code;
        if (passes) packets[kept++] = *packet;
    }
    *count = kept;
    return 0;
}

static bool has_comment(const struct savefile_packet *packet)
{
    const char *text;
    size_t at = 0, length;
    return savefile_comment(packet, &at, &text, &length);
}

/* Gives the segments of this batch away; for stories each then has the number of its connection. */
static int read_pass_feed(struct pass *pass)
{
    uint32_t numbers[UNITS];
    size_t count = pass->room_count;
    int code = 0;
    pass->room_count = 0;
    if (pass->queue) {
        code = segment_queue_add(pass->queue, count);
        pass->room = segment_queue_room(pass->queue);
        return code;
    }
    if (pass->tables && count) tables_begin(pass->tables, pass->base_ns);
    code = ledger_feed(pass->ledger, pass->room, count, numbers);
    size_t at = count;
    for (size_t i = pass->unit_count; i-- > 0 && at > 0 && !code;)
        if (pass->units[i].is_segment) pass->units[i].conn = numbers[--at];
    return code;
}

/* All that was decoded so far is in the ledger; the next is decoded into another room. */
static int settle(struct pass *pass)
{
    int code = read_pass_feed(pass);
    if (code || !pass->queue) return code;
    code = segment_queue_settle(pass->queue);
    pass->room = segment_queue_room(pass->queue);
    return code;
}

int read_pass_give_udp_rows(struct pass *pass)
{
    int code = 0;
    tables_begin(pass->tables, pass->base_ns);
    for (size_t i = 0; i < pass->udp_row_count && !code; i++) code = tables_udp(pass->tables, &pass->udp_rows[i]);
    pass->udp_row_count = 0;
    return code;
}

int read_pass_take_udp_row(void *data, const struct datagrams_row *row)
{
    struct pass *pass = data;
    if (!pass->tables) return 0;
    int code = 0;
    if (pass->udp_row_count == UDP_ROWS && !(code = settle(pass))) code = read_pass_give_udp_rows(pass);
    if (!code) pass->udp_rows[pass->udp_row_count++] = *row;
    return code;
}

static void add_unit(struct pass *pass, const struct savefile_packet *packet, uint32_t conn, bool is_segment, bool udp)
{
    if (pass->stories) pass->units[pass->unit_count++] = (struct unit){*packet, conn, is_segment, udp};
}

static void note_time(struct pass *pass, int64_t t_ns)
{
    if (pass->any) return;
    pass->any = true;
    pass->base_ns = t_ns;
}

/* Into the next place of the room, and pass->other. */
static enum segment_result decode(struct pass *pass, const struct savefile_packet *packet)
{
    return ledger_decode(packet->link_type, packet->bytes, packet->captured, packet->wire, packet->t_ns,
                         &pass->room[pass->room_count], &pass->other);
}

static void add_segment(struct pass *pass, const struct savefile_packet *packet)
{
    struct ledger_segment *segment = &pass->room[pass->room_count++];
    segment->place = (uint8_t)places_of(&pass->places, pass->file, packet);
    note_time(pass, packet->t_ns);
    if (pass->stories) add_unit(pass, packet, 0, true, false);
}

static int take_error(struct pass *pass, const struct savefile_packet *packet)
{
    const struct event_packet *error = &pass->other.packet;
    uint32_t conn = 0;
    int code = 0;
    pass->seen.icmp_errors++;
    if (error->icmp.protocol == IPPROTO_UDP) {
        conn = datagrams_icmp(pass->datagrams, error);
    } else {
        code = settle(pass); /* what came before it comes before it */
        if (!code) conn = ledger_icmp(pass->ledger, error);
    }
    add_unit(pass, packet, conn, false, error->icmp.protocol == IPPROTO_UDP);
    return code;
}

static int take_datagram(struct pass *pass, const struct savefile_packet *packet)
{
    uint32_t conn = 0;
    note_time(pass, packet->t_ns);
    int code = datagrams_feed(pass->datagrams, &pass->other, packet->t_ns, &conn);
    if (pass->other.beside.content) read_unread_count(&pass->seen, pass->other.beside.content);
    add_unit(pass, packet, conn, false, true);
    return code;
}

/* What is no common segment; `pass->other` says what it is. */
static int take_other(struct pass *pass, const struct savefile_packet *packet, enum segment_result result)
{
    const struct event_packet *read = &pass->other.packet;
    pass->seen.results[result]++;
    if (result == SEGMENT_LINK && !pass->trouble) pass->trouble = segment_link_trouble(packet->link_type);
    if (result == SEGMENT_OTHER && read->header.protocol == IPPROTO_UDP) return take_datagram(pass, packet);
    if (result == SEGMENT_OTHER && read->icmp.quotes) return take_error(pass, packet);
    if (pass->other.beside.content) read_unread_count(&pass->seen, pass->other.beside.content);
    return 0;
}

/* What was put together, or will not be, is decoded in its turn. Inside it there may be another piece, of a datagram in a tunnel.
 */
static int take_ready(struct pass *pass, const struct savefile_packet *piece, size_t from)
{
    const struct fragments_datagram *ready;
    for (; (ready = fragments_out(&pass->fragments, from)); from++) {
        struct savefile_packet packet = *piece;
        packet.bytes = ready->bytes;
        packet.captured = ready->captured;
        packet.wire = ready->wire;
        packet.link_type = DLT_RAW;
        packet.t_ns = ready->t_ns;
        packet.number = ready->number;
        packet.options_bytes = 0;
        enum segment_result result = decode(pass, &packet);
        if (result != SEGMENT_OK) {
            int code = take_other(pass, &packet, result);
            if (code) return code;
            continue;
        }
        pass->seen.results[SEGMENT_OK]++;
        add_segment(pass, &packet);
    }
    return 0;
}

static void header_of(const struct ledger_segment *segment, struct event_packet_header *header)
{
    *header =
        (struct event_packet_header){.protocol = IPPROTO_TCP, .flags = segment->flags, .seq = segment->seq, .ack = segment->ack};
    header->src = segment->version == 4 ? address_v4(segment->src, segment->src_port) : address_v6(segment->src, segment->src_port);
    header->dst = segment->version == 4 ? address_v4(segment->dst, segment->dst_port) : address_v6(segment->dst, segment->dst_port);
}

/* A piece of a datagram, or a segment while pieces wait for others. */
static int take_in_pieces(struct pass *pass, const struct savefile_packet *packet, enum segment_result result)
{
    size_t from = 0;
    while (fragments_out(&pass->fragments, from)) from++;
    struct ledger_segment segment = pass->room[pass->room_count]; /* its place in the room may be wanted before its turn */
    if (result == SEGMENT_OK && !segment.is_piece) {
        struct event_packet_header header;
        header_of(&segment, &header);
        fragments_due(&pass->fragments, &header);
        int code = take_ready(pass, packet, from);
        pass->room[pass->room_count] = segment;
        pass->seen.results[SEGMENT_OK]++;
        add_segment(pass, packet);
        return code;
    }
    const bool whole_header = segment.is_piece || pass->other.packet.header.protocol;
    pass->seen.results[SEGMENT_FRAGMENT]++;
    fragments_take(&pass->fragments, &pass->other.beside.fragment, whole_header ? &pass->other.packet.header : NULL, packet->t_ns,
                   packet->number);
    return take_ready(pass, packet, from);
}

/* A packet that lies decoded in the room, and in `pass->other`. */
static int take_rare(struct pass *pass, const struct savefile_packet *packet, enum segment_result result)
{
    bool is_segment = result == SEGMENT_OK;
    if (is_segment ? pass->room[pass->room_count].is_piece || fragments_any(&pass->fragments)
                   : pass->other.beside.fragment.version != 0)
        return take_in_pieces(pass, packet, result);
    if (!is_segment) return take_other(pass, packet, result);
    pass->seen.results[SEGMENT_OK]++;
    add_segment(pass, packet);
    return 0;
}

/* Nearly all packets of nearly all captures are segments and nothing else, of one place after the other: those are taken here, from
 * `at` on. Returns where the first is that is something else, decoded; *ret_result is what it is. */
static size_t take_segments(struct pass *pass, const struct savefile_packet *packets, size_t at, size_t count,
                            enum segment_result *ret_result)
{
    struct ledger_segment *segment = &pass->room[pass->room_count];
    size_t from = at;
    for (; at < count; at++, segment++) {
        const struct savefile_packet *packet = &packets[at];
        *ret_result =
            ledger_decode(packet->link_type, packet->bytes, packet->captured, packet->wire, packet->t_ns, segment, &pass->other);
        uint32_t place = places_same(&pass->places, packet);
        if (*ret_result != SEGMENT_OK || !place || segment->is_piece) break;
        segment->place = (uint8_t)place;
        if (pass->stories) add_unit(pass, packet, 0, true, false);
    }
    pass->room_count += at - from;
    pass->seen.results[SEGMENT_OK] += at - from;
    return at;
}

static int tell_units(struct pass *pass, struct err *err)
{
    int code = 0;
    for (size_t i = 0; i < pass->unit_count && !code; i++)
        code = stories_take(pass->stories, pass->file, &pass->units[i].packet, pass->units[i].conn, pass->units[i].udp, err);
    pass->unit_count = 0;
    if (code != STORIES_FULL || !pass->tables) return code;
    pass->stories_full = true; /* the list goes on */
    return 0;
}

static int tell_units_that_fit(struct pass *pass, struct err *err)
{
    if (!pass->stories_full) return tell_units(pass, err);
    pass->unit_count = 0;
    return 0;
}

int read_pass_take_batch(struct pass *pass, struct savefile_packet *packets, size_t count, struct err *err)
{
    int code = pass->filter ? apply_filter(pass, packets, &count, err) : 0;
    if (code) return code;
    pass->room = pass->queue ? segment_queue_room(pass->queue) : pass->own_room;
    for (size_t i = 0; i < count; i++) pass->seen.wire_bytes += packets[i].wire;
    for (size_t i = 0; i < count && !code; i++) {
        enum segment_result result = SEGMENT_OK;
        if (pass->any && !fragments_any(&pass->fragments))
            i = take_segments(pass, packets, i, count, &result);
        else
            result = decode(pass, &packets[i]);
        if (i == count) break;
        if (packets[i].options_bytes) pass->seen.commented += has_comment(&packets[i]);
        code = take_rare(pass, &packets[i], result);
    }
    if (!code) code = read_pass_feed(pass);
    pass->seen.packets += count;
    code = read_pass_told(code, err);
    if (!code && pass->stories) code = tell_units_that_fit(pass, err);
    fragments_clear(&pass->fragments);
    return code;
}

/* What still waits for its other pieces at the end. */
int read_pass_take_last(struct pass *pass, struct err *err)
{
    const struct savefile_packet nothing = {0};
    pass->room = pass->queue ? segment_queue_room(pass->queue) : pass->own_room;
    fragments_finish(&pass->fragments);
    int code = take_ready(pass, &nothing, 0);
    if (!code) code = read_pass_feed(pass);
    code = read_pass_told(code, err);
    return !code && pass->stories ? tell_units_that_fit(pass, err) : code;
}
