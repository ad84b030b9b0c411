/* Which connections are looked at, and which of them are shown: what the command line's filters say, all of which must hold. */
#ifndef TCPWHY_WATCH_CHOOSE_H
#define TCPWHY_WATCH_CHOOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "capture/port_set.h"
#include "event/event.h"
#include "story/story.h"

struct filter;

enum { CHOOSE_MAX = 16 };

/* Zero it to begin; strings borrowed. Of one kind several may be given: one of them must hold. */
struct watch_wishes {
    const char *expression; /* pcap-filter(7); NULL: everything */
    int32_t pids[CHOOSE_MAX];
    size_t pid_count;
    const char *comms[CHOOSE_MAX]; /* as a shell would match: fnmatch(3) */
    size_t comm_count;
    uint16_t ports[CHOOSE_MAX]; /* of either end */
    size_t port_count;
    const char *cgroups[CHOOSE_MAX]; /* as cgroups_match */
    size_t cgroup_count;
    uint32_t interfaces[CHOOSE_MAX]; /* of this network, by their indices: those by which one of its segments left */
    size_t interface_count;
    bool only_findings;
};

/* The ports without which no connection is chosen, whatever else it is: what the kernel may look for. False: there are none such.
 */
bool choose_ports(const struct watch_wishes *wishes, struct port_set *ret_ports);

struct chooser;
struct cgroups;

/* `cgroups` (borrowed) knows who is in which; NULL: nobody is chosen by that. 0; -EINVAL for an expression that libpcap does not
 * understand; -ENOMEM. Release with chooser_free. */
int chooser_new(struct chooser **ret_chooser, const struct watch_wishes *wishes, const struct cgroups *cgroups, struct err *err);
void chooser_free(struct chooser *chooser);
/* Learns by which interfaces connections leave. */
void chooser_take(struct chooser *chooser, const struct event *event);
/* Whether a connection between these ends is one of them, whatever becomes of it. */
bool chooser_wants_ends(struct chooser *chooser, const struct address end[STORY_SIDES],
                        const struct story_process process[STORY_SIDES]);
/* Whether both ends' addresses say it all: no process or cgroup is asked for. */
bool chooser_by_ends(const struct chooser *chooser);
/* The same of a story. */
bool chooser_wants(struct chooser *chooser, const struct story *story);
/* Whether one of them is to be shown: only those with findings may be. */
bool chooser_shows(const struct chooser *chooser, const struct story *story);

#endif
