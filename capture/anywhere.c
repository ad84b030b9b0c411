#include "capture/anywhere.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture/anywhere_take.h"

struct anywhere {
    struct ring *ring;
    struct anywhere_taken taken;
};

int anywhere_open(struct anywhere **ret_anywhere, int fd, const struct anywhere_options *options, struct err *err)
{
    struct anywhere *anywhere = calloc(1, sizeof(*anywhere));
    struct ring *ring = NULL;
    if (!anywhere) {
        close(fd);
        return err_set_errno(err, -ENOMEM, "can't capture packets");
    }
    int code = ring_open(&ring, fd, &options->ring, err);
    if (code) {
        free(anywhere);
        return code;
    }
    anywhere->ring = ring;
    anywhere->taken.options = *options;
    *ret_anywhere = anywhere;
    return 0;
}

int anywhere_fd(const struct anywhere *anywhere)
{
    return ring_fd(anywhere->ring);
}

int anywhere_drain(struct anywhere *anywhere, struct event_log *log, struct err *err)
{
    struct ring_packet packet;
    int appended = 0;
    /* What it holds, and once more, so that the last is given back: a busy network could keep this loop for ever. */
    for (size_t i = 0; i <= ring_frames(anywhere->ring) && ring_next(anywhere->ring, &packet); i++) {
        int got = anywhere_take(&anywhere->taken, &packet, log);
        if (got < 0) return err_set_errno(err, got, "can't keep captured packets");
        appended += got;
    }
    return appended;
}

int anywhere_report(struct anywhere *anywhere, struct event_log *log, struct err *err)
{
    int code = anywhere_take_report(&anywhere->taken, ring_dropped(anywhere->ring), log);
    return code ? err_set_errno(err, code, "can't keep captured packets") : 0;
}

void anywhere_close(struct anywhere *anywhere)
{
    if (!anywhere) return;
    ring_close(anywhere->ring);
    free(anywhere);
}
