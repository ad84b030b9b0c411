#include "watch/choose.h"

#include <errno.h>
#include <fnmatch.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "capture/filter.h"
#include "capture/filter_ports.h"
#include "event/packet_bytes.h"
#include "record/recent.h"
#include "watch/cgroups.h"

enum { LINK_RAW = 12 /* DLT_RAW: an IP packet and nothing before it */ };

struct chooser {
    struct watch_wishes wishes;
    struct filter *filter; /* NULL: everything */
    const struct cgroups *cgroups;
    uint64_t netns;      /* this one */
    struct recent *left; /* struct pair → 1, of those of which a segment left by one of the interfaces; NULL: any will do */
};

/* Both ends of a connection, the smaller first. */
struct pair {
    struct address end[2];
};

bool choose_ports(const struct watch_wishes *wishes, struct port_set *ret_ports)
{
    memset(ret_ports, 0, sizeof(*ret_ports));
    for (size_t i = 0; i < wishes->port_count; i++) port_set_add(ret_ports, wishes->ports[i]);
    return wishes->port_count || (wishes->expression && filter_ports(wishes->expression, ret_ports));
}

int chooser_new(struct chooser **ret_chooser, const struct watch_wishes *wishes, const struct cgroups *cgroups, struct err *err)
{
    struct chooser *chooser = calloc(1, sizeof(*chooser));
    if (!chooser) return err_set_errno(err, -ENOMEM, "can't choose among connections");
    chooser->wishes = *wishes;
    chooser->cgroups = cgroups;
    if (wishes->interface_count) {
        struct stat netns;
        chooser->left = recent_new(sizeof(struct pair));
        if (stat("/proc/self/ns/net", &netns) == 0) chooser->netns = netns.st_ino;
        if (!chooser->left) {
            free(chooser);
            return err_set_errno(err, -ENOMEM, "can't choose among connections");
        }
    }
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
    recent_free(chooser->left);
    free(chooser);
}

/* In either direction: a SYN from one to the other, as an expression about ends sees it. */
static bool passes(struct chooser *chooser, const struct address end[STORY_SIDES])
{
    struct err ignored;
    uint8_t packet[PACKET_BYTES_MAX];
    if (!chooser->filter) return true;
    for (int from = 0; from < STORY_SIDES; from++) {
        bool through = false;
        const struct event_packet_header syn = {.protocol = IPPROTO_TCP, .flags = TCP_SYN, .src = end[from], .dst = end[!from]};
        size_t length = packet_bytes_make(&syn, packet, NULL);
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

static bool has_cgroup(const struct chooser *chooser, const struct story_process process[STORY_SIDES])
{
    const struct watch_wishes *wishes = &chooser->wishes;
    for (int side = 0; side < STORY_SIDES && wishes->cgroup_count && chooser->cgroups; side++) {
        const char *path = cgroups_path(chooser->cgroups, process[side].pid);
        for (size_t i = 0; path && i < wishes->cgroup_count; i++)
            if (cgroups_match(wishes->cgroups[i], path)) return true;
    }
    return !wishes->cgroup_count;
}

static struct pair pair_of(const struct address *one, const struct address *other)
{
    struct pair pair;
    bool swapped = memcmp(one, other, sizeof(*one)) > 0;
    memset(&pair, 0, sizeof(pair)); /* a key: its bytes are compared */
    pair.end[0] = swapped ? *other : *one;
    pair.end[1] = swapped ? *one : *other;
    return pair;
}

void chooser_take(struct chooser *chooser, const struct event *event)
{
    if (!chooser->left || event->kind != EVENT_MARK || event->mark.netns != chooser->netns) return;
    for (size_t i = 0; i < chooser->wishes.interface_count; i++) {
        if (event->mark.interface != chooser->wishes.interfaces[i]) continue;
        const struct pair pair = pair_of(&event->mark.header.src, &event->mark.header.dst);
        (void)recent_put(chooser->left, &pair, 1); /* out of memory: it is not shown */
        return;
    }
}

static bool has_left(const struct chooser *chooser, const struct address end[STORY_SIDES])
{
    if (!chooser->left) return true;
    const struct pair pair = pair_of(&end[STORY_CLIENT], &end[STORY_SERVER]);
    return recent_get(chooser->left, &pair) != 0;
}

bool chooser_wants_ends(struct chooser *chooser, const struct address end[STORY_SIDES],
                        const struct story_process process[STORY_SIDES])
{
    return has_port(&chooser->wishes, end) && has_process(&chooser->wishes, process) && has_cgroup(chooser, process) &&
           has_left(chooser, end) && passes(chooser, end);
}

bool chooser_by_ends(const struct chooser *chooser)
{
    const struct watch_wishes *wishes = &chooser->wishes;
    return !wishes->pid_count && !wishes->comm_count && !wishes->cgroup_count;
}

bool chooser_wants(struct chooser *chooser, const struct story *story)
{
    const struct address end[STORY_SIDES] = {story->end[STORY_CLIENT].address, story->end[STORY_SERVER].address};
    const struct story_process process[STORY_SIDES] = {story->end[STORY_CLIENT].process, story->end[STORY_SERVER].process};
    return chooser_wants_ends(chooser, end, process);
}

bool chooser_shows(const struct chooser *chooser, const struct story *story)
{
    return !chooser->wishes.only_findings || story->finding_count > 0;
}
