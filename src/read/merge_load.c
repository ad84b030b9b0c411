/* Merging, first: both captures into memory, headers alone. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "capture/filter.h"
#include "capture/stored/savefile.h"
#include "out/keeper.h"
#include "out/note.h"
#include "read/merge.h"

/* "eth0.pcap" of "/tmp/a/eth0.pcap"; of a path that doesn't fit, its end. */
static void set_name(struct merge_capture *capture, const char *name)
{
    size_t length = strlen(name), room = sizeof(capture->name) - 1;
    snprintf(capture->name, sizeof(capture->name), "%s", length > room ? name + (length - room) : name);
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return !strcmp(path, "-") ? tr("standard input") : slash && slash[1] ? slash + 1 : path;
}

static void set_names(struct merge *merge)
{
    struct merge_capture *a = &merge->capture[MATCH_A], *b = &merge->capture[MATCH_B];
    bool same = !strcmp(last_part(a->path), last_part(b->path));
    set_name(a, same ? a->path : last_part(a->path));
    set_name(b, same ? b->path : last_part(b->path));
    if (strcmp(a->name, b->name) != 0) return;
    set_name(a, tr("the first capture"));
    set_name(b, tr("the second capture"));
}

static int make_room(struct merge_capture *capture)
{
    if (capture->count < capture->room) return 0;
    size_t room = capture->room ? capture->room * 2 : 256;
    struct merge_packet *packet = reallocarray(capture->packet, room, sizeof(*packet));
    if (packet) capture->packet = packet;
    struct match_packet *match = reallocarray(capture->match, room, sizeof(*match));
    if (match) capture->match = match;
    if (!packet || !match) return -ENOMEM;
    capture->room = room;
    return 0;
}

static int keep_icmp(struct merge_capture *capture, int64_t t_ns, const struct event_packet *packet)
{
    if (capture->icmp_count == MERGE_PACKETS_MAX) return 0;
    if (capture->icmp_count == capture->icmp_room) {
        size_t room = capture->icmp_room ? capture->icmp_room * 2 : 16;
        struct merge_icmp *icmp = reallocarray(capture->icmp, room, sizeof(*icmp));
        if (!icmp) return -ENOMEM;
        capture->icmp = icmp;
        capture->icmp_room = room;
    }
    capture->icmp[capture->icmp_count++] = (struct merge_icmp){t_ns, *packet};
    return 0;
}

/* pcapng numbers interfaces; tcpdump -i any writes the index into its own header (LINKTYPE_LINUX_SLL2: after protocol and zeroes).
 */
static uint32_t interface_of(const struct savefile_packet *from)
{
    enum { LINUX_SLL2 = 276 };
    const uint8_t *at = from->bytes + 4;
    if (from->link_type != LINUX_SLL2 || from->captured < 8) return from->interface;
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int keep(struct merge_capture *capture, const struct savefile_packet *from, struct event_packet *packet)
{
    packet->vantage = 0;
    packet->captured_bytes = from->captured;
    packet->wire_bytes = from->wire;
    packet->link_type = (uint16_t)from->link_type;
    packet->number = from->number;
    if (packet->header.protocol == IPPROTO_ICMP || packet->header.protocol == IPPROTO_ICMPV6)
        return packet->icmp.quotes && packet->icmp.protocol == IPPROTO_TCP ? keep_icmp(capture, from->t_ns, packet) : 0;
    if (packet->header.protocol != IPPROTO_TCP) return 0;
    int code = make_room(capture);
    if (code) return code;
    struct merge_packet *kept = &capture->packet[capture->count];
    *kept = (struct merge_packet){.packet = *packet};
    struct ledger_other other;
    if (ledger_decode(from->link_type, from->bytes, from->captured, from->wire, from->t_ns, &kept->segment, &other) != SEGMENT_OK)
        return 0;
    struct match_packet *match = &capture->match[capture->count++];
    *match = (struct match_packet){
        .t_ns = from->t_ns,
        .header = packet->header,
        .has_ts = packet->options.present & OPTION_TIMESTAMPS,
        .ts_value = packet->options.ts_value,
        .ts_echo = packet->options.ts_echo,
        .number = from->number,
        .interface = interface_of(from),
    };
    match_read_ip(match, from->bytes, from->captured);
    return 0;
}

static void note_time(struct merge_capture *capture, int64_t t_ns)
{
    if (!capture->any || t_ns < capture->first_ns) capture->first_ns = t_ns;
    if (!capture->any || t_ns > capture->last_ns) capture->last_ns = t_ns;
    if (t_ns % 1000) capture->micros = false;
    capture->any = true;
}

static int take(struct merge *merge, struct merge_capture *capture, const struct savefile_packet *from, struct filter *filter,
                struct err *err)
{
    struct event_packet packet = {0};
    bool passes = true;
    capture->seen.packets++;
    capture->seen.wire_bytes += from->wire;
    if (!from->untimed) note_time(capture, from->t_ns);
    int code = filter ? filter_passes(filter, from->link_type, from->bytes, from->captured, from->wire, &passes, err) : 0;
    if (code || !passes) return code;
    enum segment_result result = segment_decode(from->link_type, from->bytes, from->captured, from->wire, &packet);
    capture->seen.results[result]++;
    if (result != SEGMENT_OK || from->untimed) return 0;
    if (merge->capture[MATCH_A].count + merge->capture[MATCH_B].count == MERGE_PACKETS_MAX)
        return err_set(err, -EFBIG,
                       "more than %d segments are too many to merge: choose some with a filter, such as 'host ADDRESS and port N'",
                       MERGE_PACKETS_MAX);
    code = keep(capture, from, &packet);
    return code ? err_set_errno(err, code, "can't keep the packets of %s", capture->name) : 0;
}

static void note_damage(const struct merge *merge, struct merge_capture *capture, const struct savefile *file)
{
    struct err sentence;
    savefile_damage_say(file, &sentence);
    if (!capture->seen.damages++)
        capture->damage = sentence;
    else
        note_say(merge->options->output.quiet, "%s", sentence.text);
}

static int load(struct merge *merge, struct merge_capture *capture, const struct savefile_options *how, struct filter *filter,
                struct err *err)
{
    struct savefile *file = NULL;
    struct savefile_packet packet;
    capture->micros = true;
    int code = savefile_open(&file, capture->path, how, err);
    if (code == -EINVAL) code = -EBADMSG; /* a file that can't be read is no wrong usage */
    while (!code) {
        enum savefile_result result = savefile_next(file, &packet);
        if (result == SAVEFILE_END) break;
        if (result == SAVEFILE_FAILED)
            code = savefile_failure(file, err);
        else if (result == SAVEFILE_DAMAGED)
            note_damage(merge, capture, file);
        else
            code = take(merge, capture, &packet, filter, err);
    }
    savefile_close(file);
    return code;
}

int merge_load(struct merge *merge, const struct read_source *source, struct err *err)
{
    struct filter *filter = NULL;
    int code = merge->options->filter ? filter_open(&filter, merge->options->filter, err) : 0;
    for (int i = 0; i < MATCH_CAPTURES; i++) merge->capture[i].path = source->paths[i];
    set_names(merge);
    for (int i = 0; i < MATCH_CAPTURES && !code; i++) {
        const struct savefile_options how = {.head = source->head,
                                             .head_bytes = i == 0 ? source->head_bytes : 0,
                                             .open = keeper_open,
                                             .open_data = merge->options->output.keeper};
        code = load(merge, &merge->capture[i], &how, filter, err);
    }
    filter_close(filter);
    return code;
}
