#include "capture/bpf/bpf_end.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "capture/procinfo.h"

enum { NUMBERS_MAX = 1024, ROUNDS = 3000, ROUND_NS = 10000000 };

static bool is_bpf(int folder, const char *name)
{
    static const char first[] = "anon_inode:bpf";
    char target[64] = "";
    return readlinkat(folder, name, target, sizeof(target)) != -1 && strncmp(target, first, sizeof(first) - 1) == 0;
}

/* The folder changes as its descriptors go: they are gathered first. */
static size_t others(int keep, int numbers[NUMBERS_MAX])
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;
    if (!folder) return 0;
    for (const struct dirent *entry; count < NUMBERS_MAX && (entry = readdir(folder));) {
        int fd = (int)strtol(entry->d_name, NULL, 10);
        bool is_other = entry->d_name[0] != '.' && fd != keep && fd != dirfd(folder);
        if (is_other && !is_bpf(dirfd(folder), entry->d_name)) numbers[count++] = fd;
    }
    closedir(folder);
    return count;
}

void bpf_end_keep(int keep)
{
    int numbers[NUMBERS_MAX];
    size_t count = others(keep, numbers);
    while (count) close(numbers[--count]);
}

/* One round; false: there was nobody any more. */
static bool end_round(int processes)
{
    uint32_t pid, next;
    bool any = false;
    for (const uint32_t *key = NULL; bpf_map_get_next_key(processes, key, &next) == 0; key = &pid) {
        uint64_t began_ns = 0;
        pid = next;
        (void)bpf_map_lookup_elem(processes, &pid, &began_ns); /* 0: it has left the map meanwhile, or its beginning is unknown */
        if (!began_ns || !procinfo_began_at((pid_t)pid, (int64_t)began_ns)) continue;
        if (kill((pid_t)pid, SIGKILL) == 0) any = true;
    }
    return any;
}

void bpf_end_all(const struct bpf_load *load)
{
    int processes = bpf_load_map(load, "processes");
    for (int round = 0; round < ROUNDS && end_round(processes); round++) nanosleep(&(struct timespec){.tv_nsec = ROUND_NS}, NULL);
}
