/* What was missed, as the kernel side and the kernel count it. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>

#include "capture/bpf/bpf_config.h"
#include "capture/bpf/bpf_load.h"

uint64_t bpf_load_count(const struct bpf_load *load, enum record_count what)
{
    return load->counts ? __atomic_load_n(&load->counts->missed[what], __ATOMIC_RELAXED) : 0;
}

/* How many entries there are; where the kernel lets nobody without rights look (before 5.19), as many as can be: so that no more
 * are called pushed out than were. */
static int64_t entries_there(const struct bpf_load *load, const char *name, int64_t most)
{
    int fd = bpf_load_map(load, name);
    uint64_t key, next;
    int64_t count = 0;
    int code = bpf_map_get_next_key(fd, NULL, &next);

    for (; code == 0 && count < most; count++) {
        key = next;
        code = bpf_map_get_next_key(fd, &key, &next);
    }
    return code && errno != ENOENT ? most : count;
}

uint64_t bpf_load_pushed_out(const struct bpf_load *load, enum record_map map, uint64_t put_in)
{
    static const char *const names[MAPS] = {"processes", "threads", "sockets"};
    static const int64_t most[MAPS] = {RECORD_PROCESSES_MAX, RECORD_THREADS_MAX, RECORD_SOCKETS_MAX};
    int64_t entries = (int64_t)put_in;

    for (size_t i = 0; load->counts && i < RECORD_COUNTERS; i++)
        entries += __atomic_load_n(&load->counts->entries[i].of[map], __ATOMIC_RELAXED);

    int64_t there = entries > 0 ? entries_there(load, names[map], load->entries_most ? load->entries_most : most[map]) : 0;

    return entries > there ? (uint64_t)(entries - there) : 0;
}

/* As bpf_obj_get_info_by_fd() has it, which older kernels let nobody without rights ask. */
static uint64_t program_missed(const struct bpf_program *program)
{
    char path[64], line[128];
    unsigned long long misses = 0;

    if (bpf_program__fd(program) < 0) return 0;
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", bpf_program__fd(program));
    FILE *file = fopen(path, "re");

    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "recursion_misses: %llu", &misses) == 1) break;
    if (file) fclose(file);
    return misses;
}

uint64_t bpf_load_missed(const struct bpf_load *load)
{
    struct bpf_program *program, *again;
    uint64_t sum = 0;

    bpf_object__for_each_program(program, load->object)
    {
        char name[64];

        if (bpf_config_is_again(bpf_program__name(program))) continue;
        uint64_t missed = program_missed(program), also = missed;

        /* What one of the two missed, the other one told. */
        snprintf(name, sizeof(name), "%s_again", bpf_program__name(program));
        again = bpf_object__find_program_by_name(load->object, name);
        if (again && bpf_program__fd(again) >= 0) also = program_missed(again);
        sum += also < missed ? also : missed;
    }
    return sum;
}
