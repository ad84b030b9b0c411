/* Which cgroup a process was in as it made its last call on a socket, and which container that is, where the cgroup's name tells.
 *
 * The kernel gives the cgroup's number with the call. Its path is looked up once, when the number is first seen: in the process's
 * own /proc/PID/cgroup, else in the hierarchy; a cgroup that has gone by then stays unknown. cgroup v2 alone. */
#ifndef TCPWHY_WATCH_CGROUPS_H
#define TCPWHY_WATCH_CGROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "event/event.h"

struct cgroups;

enum { CGROUPS_LABEL_BYTES = 64 };

/* NULL: out of memory. */
struct cgroups *cgroups_new(void);
void cgroups_free(struct cgroups *cgroups);
/* Learns from calls. */
void cgroups_take(struct cgroups *cgroups, const struct event *event);
/* The path below the hierarchy's root, "/" for that; NULL: not known. Raw. Lives until the next cgroups_take. */
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
