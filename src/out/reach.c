#include "out/reach.h"
#include "base/lang.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { LINKS_MOST = 40 /* as the kernel: MAXSYMLINKS */ };

struct walk {
    struct reach *reach;
    const char *path; /* as it was given, for sentences */
    char left[PATH_MAX];
    int links;
};

static bool number_from(const char *text, unsigned *ret_number)
{
    char *end = NULL;
    errno = 0;
    unsigned long number = text && *text ? strtoul(text, &end, 10) : 0;
    *ret_number = (unsigned)number;
    return end && !*end && !errno && number < UINT_MAX;
}

void reach_person(uid_t *ret_user, gid_t *ret_group)
{
    unsigned user, group;
    *ret_user = geteuid();
    *ret_group = getegid();
    if (*ret_user != 0 || !number_from(secure_getenv("SUDO_UID"), &user) || !number_from(secure_getenv("SUDO_GID"), &group)) return;
    *ret_user = user;
    *ret_group = group;
}

static bool is_crowded(const struct stat *folder)
{
    return folder->st_mode & S_ISVTX && folder->st_mode & S_IWOTH;
}

/* Whether what this user left there may be gone through, or written to. */
static bool is_trusted(uid_t owner, const struct stat *folder)
{
    uid_t person, self = geteuid();
    gid_t group;
    reach_person(&person, &group);
    return owner == self || owner == person || owner == 0 || (self != 0 && owner == folder->st_uid);
}

static bool may_follow(uid_t owner, const struct stat *folder)
{
    return (geteuid() != 0 && !is_crowded(folder)) || is_trusted(owner, folder);
}

static int refuse(const struct walk *walk, const char *what, const char *name, uid_t owner, struct err *err)
{
    return err_set(err, -EACCES, "can't write '%s': %s '%s' belongs to another user (uid %lu)", walk->path, what, name,
                   (unsigned long)owner);
}

static int fail(const struct walk *walk, int code, struct err *err)
{
    return err_set_errno(err, code, "can't write '%s'", walk->path);
}

static int enter(struct walk *walk, int fd, struct err *err)
{
    if (walk->reach->folder_fd >= 0) close(walk->reach->folder_fd);
    walk->reach->folder_fd = fd;
    return fd < 0 || fstat(fd, &walk->reach->folder) < 0 ? fail(walk, -errno, err) : 0;
}

static int begin(struct walk *walk, struct err *err)
{
    size_t slashes = strspn(walk->left, "/");
    int fd = open(slashes ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    memmove(walk->left, walk->left + slashes, strlen(walk->left + slashes) + 1);
    return enter(walk, fd, err);
}

/* Takes the next component off the path; false: there is none. */
static bool next(struct walk *walk, char name[NAME_MAX + 2], bool *ret_last, bool *ret_folder)
{
    size_t length = strcspn(walk->left, "/"), behind = strspn(walk->left + length, "/");
    if (!length) return false;
    snprintf(name, NAME_MAX + 2, "%.*s", (int)(length > NAME_MAX ? NAME_MAX + 1 : length), walk->left);
    *ret_folder = behind;
    memmove(walk->left, walk->left + length + behind, strlen(walk->left + length + behind) + 1);
    *ret_last = !walk->left[0];
    return true;
}

/* A link of /proc leads to what a process has open, which its text may not name. */
static int follow_kernel(struct walk *walk, const char *name, bool last, struct err *err)
{
    struct reach *reach = walk->reach;
    int fd = openat(reach->folder_fd, name, O_PATH | O_CLOEXEC);
    if (fd < 0) return fail(walk, -errno, err);
    if (!last) return enter(walk, fd, err);
    close(reach->folder_fd);
    reach->folder_fd = -1;
    reach->object_fd = fd;
    reach->exists = true;
    return fstat(fd, &reach->status) < 0 ? fail(walk, -errno, err) : 0;
}

/* Puts what the link says before what is left of the path. */
static int follow(struct walk *walk, int link_fd, struct err *err)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(link_fd, "", target, sizeof(target));
    if (length < 0) return fail(walk, -errno, err);
    if (++walk->links > LINKS_MOST) return fail(walk, -ELOOP, err);
    size_t rest = strlen(walk->left), before = (size_t)length + 1;
    if (before + rest + 1 > sizeof(walk->left)) return fail(walk, -ENAMETOOLONG, err);
    memmove(walk->left + before, walk->left, rest + 1);
    memcpy(walk->left, target, (size_t)length);
    walk->left[length] = rest ? '/' : '\0';
    return target[0] == '/' ? begin(walk, err) : 0;
}

static int arrive(struct walk *walk, int fd, const struct stat *status, const char *name, bool wants_folder, struct err *err)
{
    struct reach *reach = walk->reach;
    if (S_ISDIR(status->st_mode) || wants_folder) {
        if (fd >= 0) close(fd);
        return fail(walk, fd < 0 || S_ISDIR(status->st_mode) ? -EISDIR : -ENOTDIR, err);
    }
    snprintf(reach->name, sizeof(reach->name), "%s", name);
    reach->object_fd = fd;
    reach->exists = fd >= 0;
    reach->status = *status;
    if (fd >= 0 && is_crowded(&reach->folder) && !is_trusted(status->st_uid, &reach->folder) &&
        status->st_uid != reach->folder.st_uid)
        return refuse(walk, tr("in a folder that everybody may write to,"), name, status->st_uid, err);
    return 0;
}

/* One component. *ret_done: it was the last. */
static int step(struct walk *walk, const char *name, bool last, bool wants_folder, bool *ret_done, struct err *err)
{
    struct reach *reach = walk->reach;
    struct stat status = {0};
    struct statfs system;
    int fd = openat(reach->folder_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && (errno != ENOENT || !last)) return fail(walk, -errno, err);
    if (fd >= 0 && fstat(fd, &status) < 0) return close(fd), fail(walk, -errno, err);
    if (fd < 0 || (last && !S_ISLNK(status.st_mode))) {
        *ret_done = true;
        return arrive(walk, fd, &status, name, wants_folder, err);
    }
    if (!S_ISLNK(status.st_mode)) return enter(walk, fd, err);
    int code = 0;
    if (fstatfs(reach->folder_fd, &system) == 0 && system.f_type == PROC_SUPER_MAGIC) {
        code = follow_kernel(walk, name, last, err);
        *ret_done = last;
    } else if (!may_follow(status.st_uid, &reach->folder))
        code = refuse(walk, tr("the symbolic link"), name, status.st_uid, err);
    else
        code = follow(walk, fd, err);
    close(fd);
    return code;
}

int reach_open(struct reach *reach, const char *path, struct err *err)
{
    struct walk walk = {.reach = reach, .path = path};
    char name[NAME_MAX + 2];
    bool done = false, last, wants_folder;
    *reach = (struct reach){.folder_fd = -1, .object_fd = -1};
    if (strlen(path) >= sizeof(walk.left)) return fail(&walk, -ENAMETOOLONG, err);
    if (!*path) return fail(&walk, -ENOENT, err);
    strcpy(walk.left, path);
    int code = begin(&walk, err);
    while (!code && !done) {
        if (!next(&walk, name, &last, &wants_folder)) return fail(&walk, -EISDIR, err);
        code = step(&walk, name, last, wants_folder, &done, err);
    }
    return code;
}

void reach_close(struct reach *reach)
{
    if (reach->folder_fd >= 0) close(reach->folder_fd);
    if (reach->object_fd >= 0) close(reach->object_fd);
    reach->folder_fd = reach->object_fd = -1;
}
