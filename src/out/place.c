#include "out/place.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PENDING_BYTES = 1 << 16 };

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

/* A file that will take the place of `path`: without a name where the file system can (a killed run leaves nothing), else under a
 * temporary one in the same folder. */
static int open_beside(struct place *place, struct err *err)
{
    char *folder = strdup(place->path);
    if (!folder) return err_set_errno(err, -ENOMEM, "can't open '%s'", place->path);
    char *slash = strrchr(folder, '/');
    if (slash) slash[slash == folder] = '\0';
    place->fd = open(slash ? folder : ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    free(folder);
    if (place->fd >= 0) return 0;
    if (asprintf(&place->temporary, "%s.XXXXXX", place->path) < 0) {
        place->temporary = NULL;
        return err_set_errno(err, -ENOMEM, "can't open '%s'", place->path);
    }
    place->fd = mkostemp(place->temporary, O_CLOEXEC);
    if (place->fd >= 0) {
        mode_t mask = umask(0);
        umask(mask);
        fchmod(place->fd, 0666 & ~mask);
        return 0;
    }
    int code = -errno;
    free(place->temporary);
    place->temporary = NULL;
    return err_set_errno(err, code, "can't write '%s'", place->path);
}

static int open_file(struct place *place, const char *name, struct err *err)
{
    struct stat status;
    bool exists = stat(name, &status) == 0;
    if (exists && !S_ISREG(status.st_mode)) { /* a device or a pipe: nothing to take the place of */
        place->fd = open(name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (place->fd >= 0) return 0;
        int code = -errno;
        return err_set_errno(err, code, "can't write '%s'", name);
    }
    if (exists && access(name, W_OK) < 0) {
        int code = -errno;
        return err_set_errno(err, code, "can't write '%s'", name);
    }
    /* A symbolic link stays; what it points to is replaced. */
    place->path = exists ? realpath(name, NULL) : strdup(name);
    if (!place->path) return err_set_errno(err, -errno, "can't write '%s'", name);
    int code = open_beside(place, err);
    if (!code && exists) fchmod(place->fd, status.st_mode & 07777);
    return code;
}

int place_open(struct place *place, const char *name, struct err *err)
{
    *place = (struct place){.fd = -1, .label = name ? name : "standard output"};
    place->pending = malloc(PENDING_BYTES);
    if (!place->pending) return err_set_errno(err, -ENOMEM, "can't open %s", place->label);
    if (name) return open_file(place, name, err);
    place->fd = STDOUT_FILENO;
    return 0;
}

void place_fail(struct place *place, int code, const struct err *err)
{
    if (!code || place->code) return;
    place->code = code;
    place->err = *err;
}

/* Lets the finished file take its place. */
static int settle(struct place *place)
{
    char self[64];
    int code = 0;
    if (!place->temporary) { /* it has no name, and link(2) replaces nothing: give it one, then rename */
        snprintf(self, sizeof(self), "/proc/self/fd/%d", place->fd);
        if (asprintf(&place->temporary, "%s.%ld~", place->path, (long)getpid()) < 0) {
            place->temporary = NULL;
            return err_set_errno(&place->err, -ENOMEM, "can't write '%s'", place->path);
        }
        unlink(place->temporary); /* left by a killed run with our number */
        if (linkat(AT_FDCWD, self, AT_FDCWD, place->temporary, AT_SYMLINK_FOLLOW) < 0) {
            code = -errno;
            free(place->temporary);
            place->temporary = NULL;
        }
    }
    if (!code && rename(place->temporary, place->path) < 0) code = -errno;
    if (code) return err_set_errno(&place->err, code, "can't write '%s'", place->path);
    free(place->temporary);
    place->temporary = NULL;
    return 0;
}

int place_finish(struct place *place)
{
    if (!place->code) place_flush(place);
    if (!place->code && place->path) place->code = settle(place);
    if (place->fd > STDERR_FILENO && close(place->fd) < 0 && !place->code) { /* NFS tells a full disk here */
        int code = -errno;
        place->code = err_set_errno(&place->err, code, "can't write to %s", place->label);
    }
    place->fd = -1;
    return place->code;
}

void place_close(struct place *place)
{
    if (place->temporary) unlink(place->temporary);
    if (place->fd > STDERR_FILENO) close(place->fd);
    free(place->temporary);
    free(place->path);
    free(place->pending);
    *place = (struct place){.fd = -1};
}
