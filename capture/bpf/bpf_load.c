#include "capture/bpf/bpf_load.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/lang.h"
#include "capture/bpf/bpf_ability.h"
#include "capture/bpf/bpf_config.h"
#include "capture/syscalls.h"

/* Enough for the whole of what the verifier says of one program: before 6.4 it keeps the beginning, and the reason stands at the
 * end. */
enum { KERNEL_LOG_BYTES = 1 << 23, PROGRAM_LOG_BYTES = 1 << 26 };

/* From calls_bpf_object.S. */
extern const char tcpwhy_bpf_object[], tcpwhy_bpf_object_end[], tcpwhy_bpf_cast_object[], tcpwhy_bpf_cast_object_end[];

/* libbpf would write to standard error. What matters of it comes back as an errno and the kernel's log. */
static int silent(enum libbpf_print_level level, const char *format, va_list arguments)
{
    (void)level, (void)format, (void)arguments;
    return 0;
}

int bpf_load_map(const struct bpf_load *load, const char *name)
{
    return bpf_object__find_map_fd_by_name(load->object, name);
}

uint32_t bpf_load_entries(const struct bpf_load *load, const char *name)
{
    return bpf_map__max_entries(bpf_object__find_map_by_name(load->object, name));
}

static const char *program_tracepoint(const struct bpf_program *program)
{
    const char *slash = strchr(bpf_program__section_name(program), '/');

    return slash ? slash + 1 : "";
}

static void add_absent(struct bpf_load *load, const char *name)
{
    if (load->absent_count < BPF_PROGRAMS_MAX) load->absent[load->absent_count++] = name;
}

/* Switches off the programs whose tracepoint does not exist here, and the second ones where one of each is enough. */
static void programs_choose(struct bpf_load *load, const struct calls_options *options, const struct btf *btf)
{
    bool twice = options->twice || bpf_programs_are_preempted(btf);
    struct bpf_program *program;

    bpf_object__for_each_program(program, load->object)
    {
        if (!bpf_config_wants(options, program_tracepoint(program)) ||
            (!twice && bpf_config_is_again(bpf_program__name(program)))) {
            bpf_program__set_autoload(program, false);
            continue;
        }
        if (bpf_tracepoint_arguments(btf, program_tracepoint(program)) >= 0) continue;
        bpf_program__set_autoload(program, false);
        add_absent(load, program_tracepoint(program));
    }
}

/* Names go with the arguments that are numbers of them. */
static void reasons_read(struct bpf_load *load, const struct btf *btf, struct bpf_convert *names)
{
    if (bpf_config_reset_has_reason(btf))
        bpf_enum_names(btf, "sk_rst_reason", "SK_RST_REASON_", names->reasons, BPF_REASONS_MAX);
    else
        load->unnamed[load->unnamed_count++] = "sk_rst_reason";
    if (bpf_config_drop_has_reason(btf))
        bpf_enum_names(btf, "skb_drop_reason", "SKB_DROP_REASON_", names->drops, BPF_DROPS_MAX);
    else
        load->unnamed[load->unnamed_count++] = "skb_drop_reason";
}

static int config_set(struct bpf_load *load, const struct calls_options *options, const struct btf *btf,
                      const struct bpf_convert *names)
{
    struct record_config config = bpf_config(options, btf, names, (unsigned)libbpf_num_possible_cpus());
    struct bpf_map *map = bpf_object__find_map_by_name(load->object, ".rodata.config"),
                   *ports = bpf_object__find_map_by_name(load->object, ".rodata.ports");

    if (config.only_ports) {
        int result = ports ? bpf_map__set_initial_value(ports, options->only_ports, sizeof(*options->only_ports)) : -ENOENT;
        if (result) return result;
    }
    return map ? bpf_map__set_initial_value(map, &config, sizeof(config)) : -ENOENT;
}

static int syscalls_set(struct bpf_load *load, const struct calls_options *options)
{
    size_t count;
    const struct syscall_row *rows = syscall_rows(&count);

    for (size_t i = 0; i < count; i++) {
        uint32_t number = (uint32_t)rows[i].number;

        if (!bpf_config_wants_call(options, &rows[i])) continue;

        if (number < RECORD_SYSCALLS_MAX && bpf_map_update_elem(bpf_load_map(load, "syscalls"), &number, &rows[i].flags, BPF_ANY))
            return -errno;
    }
    return 0;
}

/* Each program gets a log of its own; of the memory only what is written to is ever there. */
static int logs_ask(struct bpf_load *load)
{
    struct bpf_program *program;

    bpf_object__for_each_program(program, load->object)
    {
        char *log = bpf_program__autoload(program) ? calloc(1, PROGRAM_LOG_BYTES) : NULL;

        if (bpf_program__autoload(program) && !log) return -ENOMEM;
        if (!log) continue;
        bpf_program__set_log_level(program, 1);
        bpf_program__set_log_buf(program, log, PROGRAM_LOG_BYTES);
    }
    return 0;
}

static int logs_write(struct bpf_load *load, int fd)
{
    struct bpf_program *program;
    int result = 0;

    bpf_object__for_each_program(program, load->object)
    {
        size_t bytes;
        char *log = (char *)(uintptr_t)bpf_program__log_buf(program, &bytes); /* it is ours */

        if (!log || bytes != PROGRAM_LOG_BYTES) continue;
        if (!result &&
            dprintf(fd, "=== %s, %zu instructions\n%s\n", bpf_program__name(program), bpf_program__insn_cnt(program), log) < 0)
            result = -errno;
        bpf_program__set_log_buf(program, NULL, 0);
        free(log);
    }
    return result;
}

static int object_load(struct bpf_load *load, int log_fd)
{
    int result = log_fd ? logs_ask(load) : 0;

    if (!result) result = bpf_object__load(load->object);
    if (!log_fd) return result;
    int written = logs_write(load, log_fd);
    return result ? result : written;
}

enum { KNOWN_BYTES = RECORD_KNOWN_MAX * sizeof(struct record_known) };

/* Mapped, so that what was missed can be read, and a chain be learned, when no right is left. */
static int memory_map(struct bpf_load *load)
{
    void *counts = mmap(NULL, sizeof(*load->counts), PROT_READ, MAP_SHARED, bpf_load_map(load, ".data.counts"), 0);

    if (counts == MAP_FAILED) return -errno;
    load->counts = counts;

    void *known = mmap(NULL, KNOWN_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_load_map(load, ".data.known"), 0);

    if (known == MAP_FAILED) return -errno;
    load->known = known;
    return 0;
}

/* For tests: maps that are full soon. */
static int maps_shrink(struct bpf_load *load, uint32_t most)
{
    static const char *const names[MAPS] = {"processes", "threads", "sockets"};
    int result = 0;

    load->entries_most = most;
    for (size_t i = 0; most && i < MAPS && !result; i++)
        result = bpf_map__set_max_entries(bpf_object__find_map_by_name(load->object, names[i]), most);
    return result;
}

struct bytes_of {
    const char *begin, *end;
};

/* What only the second programs use takes no memory where there are none. */
static int twice_shrink(struct bpf_load *load, bool twice)
{
    return twice ? 0 : bpf_map__set_max_entries(bpf_object__find_map_by_name(load->object, "crossings"), 64);
}

static int object_prepare(struct bpf_load *load, const struct bytes_of *bytes, const struct calls_options *options,
                          const struct btf *btf, const struct bpf_convert *names, char *kernel_log)
{
    struct bpf_object_open_opts open_options = {
        .sz = sizeof(open_options), .object_name = "tcpwhy", .kernel_log_buf = kernel_log, .kernel_log_size = KERNEL_LOG_BYTES};
    int result;

    load->object = bpf_object__open_mem(bytes->begin, (size_t)(bytes->end - bytes->begin), &open_options);
    if (!load->object) return -errno;
    programs_choose(load, options, btf);
    result = config_set(load, options, btf, names);
    if (!result) result = maps_shrink(load, options->entries_most);
    if (!result) result = twice_shrink(load, options->twice || bpf_programs_are_preempted(btf));
    if (!result && options->ring_bytes)
        result = bpf_map__set_max_entries(bpf_object__find_map_by_name(load->object, "ring"), options->ring_bytes);
    return result;
}

static void object_drop(struct bpf_load *load)
{
    bpf_object__close(load->object);
    load->object = NULL;
    load->absent_count = 0;
}

/* The one that reads the kernel's memory without helpers where the kernel has what that takes, and takes it; else that for all. */
static int object_choose(struct bpf_load *load, const struct calls_options *options, const struct btf *btf,
                         const struct bpf_convert *names, char *kernel_log)
{
    static const struct bytes_of plain = {tcpwhy_bpf_object, tcpwhy_bpf_object_end},
                                 cast = {tcpwhy_bpf_cast_object, tcpwhy_bpf_cast_object_end};
    int result;

    if (!options->no_casts && btf__find_by_name_kind(btf, "bpf_rdonly_cast", BTF_KIND_FUNC) > 0) {
        result = object_prepare(load, &cast, options, btf, names, kernel_log);
        if (!result) result = object_load(load, options->verifier_fd);
        if (!result) return 0;
        object_drop(load);
    }
    result = object_prepare(load, &plain, options, btf, names, kernel_log);
    return result ? result : object_load(load, options->verifier_fd);
}

static int load_with_log(struct bpf_load *load, const struct calls_options *options, const struct btf *btf,
                         const struct bpf_convert *names, char *kernel_log, struct err *err)
{
    int result = object_choose(load, options, btf, names, kernel_log);

    if (!load->object) return bpf_ability_refused(result, TR("Reading the bpf recorder's kernel side"), NULL, err);
    if (result) return bpf_ability_refused(result, TR("Loading the bpf recorder into the kernel"), kernel_log, err);
    result = memory_map(load);
    if (result) return bpf_ability_refused(result, TR("Mapping the bpf recorder's memory"), NULL, err);
    result = syscalls_set(load, options);
    if (result) return bpf_ability_refused(result, TR("Giving the bpf recorder its table of system calls"), NULL, err);
    return 0;
}

int bpf_load_open(struct bpf_load *load, const struct calls_options *options, struct bpf_convert *names, struct err *err)
{
    char *kernel_log = calloc(1, KERNEL_LOG_BYTES);
    struct timespec tick; /* the coarse clock goes on with each */
    struct btf *btf;
    int result;

    if (!kernel_log) return err_set_errno(err, -ENOMEM, "Opening the bpf recorder");
    libbpf_set_print(silent);
    btf = btf__load_vmlinux_btf();
    if (btf) {
        reasons_read(load, btf, names);
        if (!clock_getres(CLOCK_MONOTONIC_COARSE, &tick)) names->tick_ns = tick.tv_nsec;
        names->preempted = bpf_this_kernel_is_preempted();
        if (names->preempted) load->unnamed[load->unnamed_count++] = "softirq context (RT)";
        result = load_with_log(load, options, btf, names, kernel_log, err);
    } else
        result = err_set_errno(err, -errno, "Reading the kernel's type information (/sys/kernel/btf/vmlinux)");
    btf__free(btf);
    free(kernel_log);
    return result;
}

static int programs_attach(struct bpf_load *load, bool of_timers, struct err *err)
{
    struct bpf_program *program;

    bpf_object__for_each_program(program, load->object)
    {
        struct bpf_link *link;

        if (!bpf_program__autoload(program) || load->link_count == BPF_PROGRAMS_MAX) continue;
        if (bpf_config_is_of_timers(program_tracepoint(program)) != of_timers) continue;
        link = bpf_program__attach(program);
        if (!link)
            return err_set_errno(err, -errno, "Attaching the bpf recorder to the kernel's tracepoint %s",
                                 program_tracepoint(program));
        load->links[load->link_count++] = link;
    }
    return 0;
}

int bpf_load_attach(struct bpf_load *load, struct err *err)
{
    return programs_attach(load, false, err);
}

static bool is_absent(const struct bpf_load *load, const char *name)
{
    for (size_t i = 0; i < load->absent_count; i++)
        if (strcmp(load->absent[i], name) == 0) return true;
    return false;
}

/* Where the function begins; where that can't be told, it is counted as absent. */
static uint64_t timer_handler(struct bpf_load *load, const struct kernel_symbols *symbols, const char *name)
{
    uint64_t address = symbols ? kernel_symbols_address(symbols, name) : 0;

    if (address) return address;
    add_absent(load, name);
    return RECORD_NO_FUNCTION;
}

int bpf_load_attach_timers(struct bpf_load *load, const struct kernel_symbols *symbols, struct err *err)
{
    struct record_timer_handlers handlers = {
        .timewait = timer_handler(load, symbols, TW_TIMER_HANDLER),
        .request = timer_handler(load, symbols, REQSK_TIMER_HANDLER),
    };
    uint32_t zero = 0;

    /* That a timer was not set again is known only where that would be seen. */
    if (is_absent(load, "timer_start")) handlers.request = RECORD_NO_FUNCTION;
    if (handlers.timewait == RECORD_NO_FUNCTION && handlers.request == RECORD_NO_FUNCTION) return 0;
    if (bpf_map_update_elem(bpf_load_map(load, ".data.timer"), &zero, &handlers, BPF_ANY))
        return err_set_errno(err, -errno, "Telling the bpf recorder's kernel side which timers to look at");
    return programs_attach(load, true, err);
}

void bpf_load_close(struct bpf_load *load)
{
    for (size_t i = 0; i < load->link_count; i++) bpf_link__destroy(load->links[i]);
    if (load->counts) munmap(load->counts, sizeof(*load->counts));
    if (load->known) munmap(load->known, KNOWN_BYTES);
    bpf_object__close(load->object);
}
