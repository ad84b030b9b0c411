/* Which cgroup a process was in as it made its last call on a socket, and which container that is, where the cgroup's name tells.
 *
 * The kernel gives the cgroup's number with the call. Its path is looked up when the number is first seen: in the process's own
 * /proc/PID/cgroup, else by a walk through the hierarchy, which learns all that are there. Walks have at most a twentieth of the
 * time; what was not found is asked for again a second later. A cgroup that has gone by then stays unknown. cgroup v2 alone. */
#ifndef TCPWHY_WATCH_CGROUPS_H
#define TCPWHY_WATCH_CGROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "event/event.h"

struct cgroups;

enum { CGROUPS_LABEL_BYTES = 64 };

/* Of the hierarchy below `root`; NULL: where cgroup2 is mounted. NULL: out of memory. */
struct cgroups *cgroups_new(const char *root);
void cgroups_free(struct cgroups *cgroups);
/* Where the hierarchy is; "": nowhere. */
const char *cgroups_root(const struct cgroups *cgroups);
/* Learns from calls, the sooner the better: a container may be gone soon. */
void cgroups_take(struct cgroups *cgroups, const struct event *event);
/* Walks, where something is not known and the last walk is long enough ago: now and then, whether or not anything happens. */
void cgroups_look(struct cgroups *cgroups);
/* The path below the hierarchy's root, "/" for that; NULL: not known. Raw. Lives until the next
 * cgroups_take or cgroups_look. */
const char *cgroups_path(const struct cgroups *cgroups, int32_t pid);

/* The container that the path names: "docker-0123456789ab", "libpod-…", "kube-…", "lxc-NAME", "machine-NAME". False: it names none.
 */
bool cgroups_container(const char *path, char label[CGROUPS_LABEL_BYTES]);
/* Whether a wish (a path, which means what is below it too; or a name, as the shell matches, of a container, its id's beginning or
 * of one of the path's components) means this path. */
bool cgroups_match(const char *wish, const char *path);
/* 0; -EINVAL with a sentence: it is a path, and there is none such. */
int cgroups_check(const char *wish, struct err *err);

#endif
