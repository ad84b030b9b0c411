#include "out/place.h"
#include "base/lang.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "out/keeper.h"

enum { PENDING_BYTES = 1 << 16, NAME_TRIES = 16, LOOK_MS = 20 };

/* SIGPIPE would end the process before the files are finished, so it is held back around each write. */
static ssize_t write_unpiped(int fd, const char *bytes, size_t length)
{
    sigset_t pipe_set, before, pending;
    sigemptyset(&pipe_set);
    sigaddset(&pipe_set, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_set, &before);
    ssize_t wrote = write(fd, bytes, length);
    int number = errno;
    if (wrote < 0 && number == EPIPE && !sigismember(&pending, SIGPIPE))
        while (sigtimedwait(&pipe_set, NULL, &(struct timespec){0, 0}) < 0 && errno == EINTR) continue;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = number;
    return wrote;
}

static int write_now(struct place *place, const char *bytes, size_t length)
{
    while (length && !place->code) {
        ssize_t wrote = write_unpiped(place->fd, bytes, length);
        if (wrote >= 0) {
            bytes += wrote;
            length -= (size_t)wrote;
        } else if (errno == EAGAIN) /* somebody made this terminal or pipe non-blocking */
            poll(&(struct pollfd){.fd = place->fd, .events = POLLOUT}, 1, -1);
        else if (errno != EINTR) {
            int code = -errno;
            place->code = err_set_errno(&place->err, code, "can't write to %s", place->label);
        }
    }
    return place->code;
}

int place_flush(struct place *place)
{
    if (place->code) return place->code;
    size_t length = place->pending_bytes;
    place->pending_bytes = 0;
    return write_now(place, place->pending, length);
}

int place_write(void *data, const char *bytes, size_t length)
{
    struct place *place = data;
    if (place->code) return place->code;
    if (length > PENDING_BYTES - place->pending_bytes && place_flush(place)) return place->code;
    if (length > PENDING_BYTES) return write_now(place, bytes, length);
    memcpy(place->pending + place->pending_bytes, bytes, length);
    place->pending_bytes += length;
    return 0;
}

/* Root's files are nobody else's to read: they may hold what people sent each other. */
static mode_t new_mode(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return geteuid() == 0 || getauxval(AT_SECURE) ? 0600 : 0666 & ~mask;
}

/* Whose a new file shall be: in a folder of the person who called sudo theirs, or they could not read it. */
static void new_owner(const struct reach *reach, uid_t *ret_user, gid_t *ret_group)
{
    uid_t person;
    gid_t group;
    reach_person(&person, &group);
    *ret_user = *ret_group = (uid_t)-1; /* as it is */
    if (person == geteuid() || reach->folder.st_uid != person) return;
    *ret_user = person;
    *ret_group = group;
}

/* As the file that it replaces, but without the bits that would run it in somebody's name. */
static int dress(struct place *place, struct err *err)
{
    const struct reach *reach = &place->reach;
    mode_t mode = reach->exists ? reach->status.st_mode & 0777 : new_mode();
    uid_t user = reach->status.st_uid;
    gid_t group = reach->status.st_gid;
    if (!reach->exists) new_owner(reach, &user, &group);
    /* Who is not root can't give files away, and replaces what a folder lets them replace. */
    if (fchown(place->fd, user, group) < 0 && geteuid() == 0)
        return err_set_errno(err, -errno, "can't give '%s' its owner (uid %lu)", place->label, (unsigned long)user);
    if (fchmod(place->fd, mode) < 0) return err_set_errno(err, -errno, "can't give '%s' its mode", place->label);
    return 0;
}

/* A name beside the file's own that nobody can foretell. */
static int make_name(struct place *place)
{
    uint64_t number;
    if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number)) return -EIO;
    free(place->temporary);
    if (asprintf(&place->temporary, "%.200s.%016" PRIx64 "~", place->reach.name, number) >= 0) return 0;
    place->temporary = NULL;
    return -ENOMEM;
}

static void forget_name(struct place *place)
{
    free(place->temporary);
    place->temporary = NULL;
}

/* A file that will take the place of the one named: without a name where the file system can (a killed run leaves nothing), else
 * under a temporary one in the same folder. */
static int open_beside(struct place *place, struct err *err)
{
    int folder = place->reach.folder_fd;
    place->fd = openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    for (int i = 0; i < NAME_TRIES && place->fd < 0; i++) {
        if (make_name(place)) break;
        place->fd = openat(folder, place->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (place->fd < 0 && errno != EEXIST) break;
    }
    if (place->fd >= 0) return dress(place, err);
    int code = -errno;
    forget_name(place);
    return err_set_errno(err, code, "can't write '%s'", place->label);
}

/* A device or a pipe: there is nothing to take the place of. So it is where a link of /proc leads (/dev/stdout): behind what is
 * there already, if it is a file. */
static int open_object(struct place *place, struct err *err)
{
    char path[64];
    const struct reach *reach = &place->reach;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", reach->object_fd);
    bool waits = S_ISFIFO(reach->status.st_mode) && place->leash_fd >= 0;
    struct pollfd leash = {.fd = place->leash_fd, .events = POLLIN};
    int append = S_ISREG(reach->status.st_mode) ? O_APPEND : 0;
    do place->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | append | (waits ? O_NONBLOCK : 0));
    while (waits && place->fd < 0 && errno == ENXIO && poll(&leash, 1, LOOK_MS) == 0);
    if (waits && place->fd >= 0 && fcntl(place->fd, F_SETFL, append) < 0)
        return err_set_errno(err, -errno, "can't write '%s'", place->label);
    int code = place->fd < 0 ? -errno : 0;
    return code ? err_set_errno(err, code, "can't write '%s'", place->label) : 0;
}

static int open_file(struct place *place, struct err *err)
{
    struct reach *reach = &place->reach;
    int code = reach_open(reach, place->label, err);
    if (code) return code;
    place->settles = !reach->exists || (S_ISREG(reach->status.st_mode) && reach->folder_fd >= 0);
    if (!place->settles) return open_object(place, err);
    if (reach->exists && faccessat(reach->folder_fd, reach->name, W_OK, AT_EACCESS) < 0)
        return err_set_errno(err, -errno, "can't write '%s'", place->label);
    return open_beside(place, err);
}

struct place place_nowhere(void)
{
    return (struct place){.fd = -1, .leash_fd = -1, .reach = {.folder_fd = -1, .object_fd = -1}};
}

int place_open_on_leash(struct place *place, const char *name, int leash_fd, struct err *err)
{
    *place = place_nowhere();
    place->label = name;
    place->leash_fd = leash_fd;
    return open_file(place, err);
}

int place_open(struct place *place, const char *name, struct keeper *keeper, struct err *err)
{
    *place = place_nowhere();
    place->label = name ? name : tr("standard output");
    place->pending = malloc(PENDING_BYTES);
    if (!place->pending) return err_set_errno(err, -ENOMEM, "can't open %s", place->label);
    if (name) return keeper ? keeper_open_place(keeper, place, name, err) : open_file(place, err);
    place->fd = STDOUT_FILENO;
    return 0;
}

void place_keep_private(struct place *place)
{
    /* The keeper is root's, and so are new files then. */
    if (place->keeper || !place->settles || place->reach.exists || place->fd < 0) return;
    (void)fchmod(place->fd, 0600); /* where that can't be, it is as the person's mask has it */
}

int place_open_fd(struct place *place, int fd, struct err *err)
{
    *place = place_nowhere();
    place->label = fd == STDERR_FILENO ? tr("standard error") : tr("the descriptor of --out-fd");
    place->pending = malloc(PENDING_BYTES);
    if (!place->pending) return err_set_errno(err, -ENOMEM, "can't open %s", place->label);
    place->fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (place->fd >= 0) return 0;
    int code = -errno;
    return err_set_errno(err, code, "can't write to descriptor %d", fd);
}

void place_fail(struct place *place, int code, const struct err *err)
{
    if (!code || place->code) return;
    place->code = code;
    place->err = *err;
}

/* A file without a name gets one: link(2) replaces nothing, so it is not yet the right one. */
static int link_beside(struct place *place)
{
    char self[64];
    snprintf(self, sizeof(self), "/proc/self/fd/%d", place->fd);
    for (int i = 0; i < NAME_TRIES; i++) {
        int code = make_name(place);
        if (!code && linkat(AT_FDCWD, self, place->reach.folder_fd, place->temporary, AT_SYMLINK_FOLLOW) == 0) return 0;
        code = code ? code : -errno;
        forget_name(place);
        if (code != -EEXIST) return code;
    }
    return -EEXIST;
}

int place_settle(struct place *place, struct err *err)
{
    int folder = place->reach.folder_fd;
    int code = place->temporary ? 0 : link_beside(place);
    if (!code && renameat(folder, place->temporary, folder, place->reach.name) < 0) code = -errno;
    if (code) return err_set_errno(err, code, "can't write '%s'", place->label);
    forget_name(place);
    return 0;
}

int place_finish(struct place *place)
{
    if (!place->code) place_flush(place);
    if (!place->code && place->settles)
        place->code = place->keeper ? keeper_settle_place(place->keeper, place, &place->err) : place_settle(place, &place->err);
    if (place->fd > STDERR_FILENO && close(place->fd) < 0 && !place->code) { /* NFS tells a full disk here */
        int code = -errno;
        place->code = err_set_errno(&place->err, code, "can't write to %s", place->label);
    }
    place->fd = -1;
    return place->code;
}

void place_close(struct place *place)
{
    if (place->temporary) unlinkat(place->reach.folder_fd, place->temporary, 0);
    if (place->fd > STDERR_FILENO) close(place->fd);
    free(place->temporary);
    free(place->pending);
    reach_close(&place->reach);
    *place = place_nowhere();
}
