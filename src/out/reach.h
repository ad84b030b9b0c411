/* The way to a file that shall be written: which folder it lies in, under which name, and what is there now.
 *
 * A path is walked a component at a time, each held by a descriptor, so that nobody can change it between a look and its use. Of
 * symbolic links, a program that runs as root follows its own, root's, and those of the person who called sudo; anybody else
 * follows what the kernel lets them follow with fs.protected_symlinks (in a sticky folder that everybody may write to: their own
 * links, and those of the folder's owner), whether that is set here or not. In such a folder, what is there must belong to one of
 * these, too, or be left alone (as fs.protected_regular and fs.protected_fifos have it). Links of /proc are the kernel's own:
 * /dev/stdout. */
#ifndef TCPWHY_OUT_REACH_H
#define TCPWHY_OUT_REACH_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"

struct reach {
    int folder_fd; /* O_PATH; -1: `object_fd` is all there is, behind a link of /proc */
    char name[NAME_MAX + 2];
    bool exists;
    int object_fd;      /* O_PATH; -1: there is nothing yet */
    struct stat status; /* where it exists */
    struct stat folder;
};

/* 0, or -errno with a sentence: -EACCES where a link or a file of somebody else is in the way, -EISDIR. Release with reach_close,
 * after a failure too. */
int reach_open(struct reach *reach, const char *path, struct err *err) __attribute__((warn_unused_result));
void reach_close(struct reach *reach);

/* The user and group that called sudo(8), where this is root and they are not; else those of this process. */
void reach_person(uid_t *ret_user, gid_t *ret_group);

#endif
