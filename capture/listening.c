#include "capture/listening.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/table.h"
#include "capture/procsockets.h"

enum { PATH_BYTES = 64 };

struct reading {
    struct event_log *log;
    const struct listening_options *options;
    struct table *seen; /* inodes of networks */
    uint64_t netns;
    struct address last;
    int code;
};

/* Of a port that several processes share (SO_REUSEPORT) the rows follow each other. */
static void take_local(void *data, const struct address *local)
{
    struct reading *reading = data;
    const uint8_t *ports = reading->options->ports;
    if (reading->code || address_equal(local, &reading->last)) return;
    reading->last = *local;
    if (ports && !(ports[local->port / 8] >> local->port % 8 & 1)) return;
    const struct event event = {
        .kind = EVENT_LISTENER, .t_ns = reading->options->t_ns, .listener = {.local = *local, .netns = reading->netns}};
    reading->code = event_log_append(reading->log, &event);
}

static bool is_asked_for(const struct listening_options *options, uint64_t netns)
{
    for (size_t i = 0; i < options->netns_count; i++)
        if (options->netns[i] == netns) return true;
    return !options->netns_count;
}

static void read_network_of(struct reading *reading, pid_t pid)
{
    char path[PATH_BYTES];
    struct stat netns;
    snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
    if (stat(path, &netns)) return;
    reading->netns = netns.st_ino;
    if (!is_asked_for(reading->options, reading->netns) || table_get(reading->seen, &reading->netns)) return;
    reading->last = (struct address){.version = 0};
    if (procsockets_listening(pid, take_local, reading)) return; /* it ended meanwhile: another of that network may be there */
    if (!reading->code) reading->code = table_put(reading->seen, &reading->netns, reading);
}

int listening_append(struct event_log *log, const struct listening_options *options)
{
    struct reading reading = {.log = log, .options = options, .seen = table_new(sizeof(uint64_t))};
    if (!reading.seen) return -ENOMEM;
    read_network_of(&reading, getpid());
    DIR *folder = opendir("/proc");
    /* What is no process's folder reads as 0, and of that there is none. */
    for (struct dirent *entry = folder ? readdir(folder) : NULL; entry && !reading.code; entry = readdir(folder))
        read_network_of(&reading, (pid_t)strtol(entry->d_name, NULL, 10));
    if (folder) closedir(folder);
    table_free(reading.seen);
    return reading.code;
}
