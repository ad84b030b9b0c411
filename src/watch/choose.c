#include "watch/choose.h"

#include <errno.h>
#include <fnmatch.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "capture/filter.h"

enum { LINK_RAW = 12 /* DLT_RAW: an IP packet and nothing before it */, IPV4_BYTES = 20, IPV6_BYTES = 40, TCP_BYTES = 20 };

struct chooser {
    struct watch_wishes wishes;
    struct filter *filter; /* NULL: everything */
};

int chooser_new(struct chooser **ret_chooser, const struct watch_wishes *wishes, struct err *err)
{
    struct chooser *chooser = calloc(1, sizeof(*chooser));
    if (!chooser) return err_set_errno(err, -ENOMEM, "can't choose among connections");
    chooser->wishes = *wishes;
    int code = wishes->expression ? filter_open(&chooser->filter, wishes->expression, err) : 0;
    if (code) {
        chooser_free(chooser);
        return code;
    }
    *ret_chooser = chooser;
    return 0;
}

void chooser_free(struct chooser *chooser)
{
    if (!chooser) return;
    filter_close(chooser->filter);
    free(chooser);
}

static void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* A SYN from one to the other, as an expression about ends sees it. Its length. */
static size_t make_packet(const struct address *from, const struct address *to, uint8_t packet[IPV6_BYTES + TCP_BYTES])
{
    size_t header = from->version == 4 ? IPV4_BYTES : IPV6_BYTES;
    memset(packet, 0, IPV6_BYTES + TCP_BYTES);
    if (from->version == 4) {
        packet[0] = 0x45;
        put16(packet + 2, IPV4_BYTES + TCP_BYTES);
        packet[8] = 64;
        packet[9] = IPPROTO_TCP;
        memcpy(packet + 12, from->ip, 4);
        memcpy(packet + 16, to->ip, 4);
    } else {
        packet[0] = 0x60;
        put16(packet + 4, TCP_BYTES);
        packet[6] = IPPROTO_TCP;
        packet[7] = 64;
        memcpy(packet + 8, from->ip, 16);
        memcpy(packet + 24, to->ip, 16);
    }
    put16(packet + header, from->port);
    put16(packet + header + 2, to->port);
    packet[header + 12] = (TCP_BYTES / 4) << 4;
    packet[header + 13] = 0x02;
    return header + TCP_BYTES;
}

/* In either direction. */
static bool passes(struct chooser *chooser, const struct address end[STORY_SIDES])
{
    struct err ignored;
    uint8_t packet[IPV6_BYTES + TCP_BYTES];
    if (!chooser->filter) return true;
    for (int from = 0; from < STORY_SIDES; from++) {
        bool through = false;
        size_t length = make_packet(&end[from], &end[!from], packet);
        if (filter_passes(chooser->filter, LINK_RAW, packet, (uint32_t)length, (uint32_t)length, &through, &ignored)) return false;
        if (through) return true;
    }
    return false;
}

static bool has_port(const struct watch_wishes *wishes, const struct address end[STORY_SIDES])
{
    for (size_t i = 0; i < wishes->port_count; i++)
        if (end[0].port == wishes->ports[i] || end[1].port == wishes->ports[i]) return true;
    return !wishes->port_count;
}

static bool has_process(const struct watch_wishes *wishes, const struct story_process process[STORY_SIDES])
{
    bool pid = !wishes->pid_count, comm = !wishes->comm_count;
    for (int side = 0; side < STORY_SIDES; side++) {
        for (size_t i = 0; i < wishes->pid_count; i++) pid = pid || (process[side].pid && process[side].pid == wishes->pids[i]);
        for (size_t i = 0; i < wishes->comm_count; i++)
            comm = comm || (process[side].comm && fnmatch(wishes->comms[i], process[side].comm, 0) == 0);
    }
    return pid && comm;
}

bool chooser_wants_ends(struct chooser *chooser, const struct address end[STORY_SIDES],
                        const struct story_process process[STORY_SIDES])
{
    return has_port(&chooser->wishes, end) && has_process(&chooser->wishes, process) && passes(chooser, end);
}

bool chooser_wants(struct chooser *chooser, const struct story *story)
{
    const struct address end[STORY_SIDES] = {story->end[STORY_CLIENT].address, story->end[STORY_SERVER].address};
    const struct story_process process[STORY_SIDES] = {story->end[STORY_CLIENT].process, story->end[STORY_SERVER].process};
    if (chooser->wishes.only_findings && !story->finding_count) return false;
    return chooser_wants_ends(chooser, end, process);
}
