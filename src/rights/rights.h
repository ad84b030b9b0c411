/* What this process may do: given up once all is open that it takes rights to open, before the first byte from outside is looked
 * at.
 *
 * Root becomes nobody (65534), where there is that user, so that what is left has no files either; its capabilities go, those of a
 * program that was given some (setcap) too, from the bounding set on; no program that it executes gets them back
 * (PR_SET_NO_NEW_PRIVS). Single-threaded callers only: the kernel gives and takes rights by thread. */
#ifndef TCPWHY_RIGHTS_RIGHTS_H
#define TCPWHY_RIGHTS_RIGHTS_H

#include <stdbool.h>

#include "base/err.h"

enum { RIGHTS_NOBODY = 65534 }; /* the kernel's overflow uid and gid, which own nothing */

/* What a run still needs. */
enum rights_kept {
    RIGHTS_NONE = 0,
    RIGHTS_SIGNAL = 1 << 0,   /* CAP_KILL: to end children that are still root's */
    RIGHTS_TRACE = 1 << 1,    /* CAP_SYS_PTRACE: to read the memory of those */
    RIGHTS_NETWORKS = 1 << 3, /* CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_NET_RAW: to open captures in networks that others are in */
    RIGHTS_HASTE = 1 << 4,    /* CAP_SYS_NICE: to go before others again after having given way to them */
    RIGHTS_STAGE = 1 << 2 /* CAP_SYS_ADMIN, CAP_NET_ADMIN, the user, and what it takes to give up the rest later: to change networks
                             of its own meanwhile */
};

/* Whether there is something to give up: this is root, or has capabilities. */
bool rights_any(void);
/* Gives up all but `keep` (bits of enum rights_kept), for good. 0; or -errno, and then the caller must not go on: some of it may
 * still be there. */
int rights_drop(unsigned keep, struct err *err) __attribute__((warn_unused_result));
/* From here on no new socket (unless `resolves`: names may have to be looked up), program, BPF program, user, namespace, mount or
 * trace; tried all the same, it fails with EPERM. Rests on seccomp(2); where the kernel has none, 0 all the same. For all threads
 * that come after. 0 or -errno. */
int rights_confine(bool resolves, struct err *err) __attribute__((warn_unused_result));
/* From here on a file is opened to be read alone, and only one of `readable` (files, or folders with all that is below; NULL ends;
 * "" and what is not there is passed over); tried all the same, it fails with EACCES. After rights_drop. Rests on Landlock; where
 * the kernel has none, 0 all the same. What is open stays open. 0 or -errno. */
int rights_close_files(const char *const *readable, struct err *err) __attribute__((warn_unused_result));

#endif
