#include "capture/filter.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "capture/pcap_library.h"

enum { SNAP_BYTES = 262144, LINKTYPE_RAW = 101 };

/* The expression as compiled for one link type. */
struct program {
    int link_type;
    bool none; /* it can't match any packet of that type: there is no code */
    struct bpf_program code;
};

struct filter {
    struct pcap_library lib;
    char *expression;
    struct program *programs;
    size_t count, last; /* `last`: the one used last, most often the one needed next */
};

static int out_of_memory(struct err *err)
{
    return err_set(err, -ENOMEM, "out of memory for the filter");
}

/* What libpcap says of an expression that is right but can't be true of this link type, such as "ip6" on one that has IPv4 only. */
static bool rejects_all(const char *reason)
{
    return strcmp(reason, "expression rejects all packets") == 0;
}

/* `ret_program` may be NULL: only look whether it compiles. */
static int compile(const struct pcap_library *lib, const char *expression, int link_type, struct program *ret_program,
                   struct err *err)
{
    pcap_t *pcap = lib->pcap_open_dead(link_type == LINKTYPE_RAW ? DLT_RAW : link_type, SNAP_BYTES);
    if (!pcap) return out_of_memory(err);
    struct program program = {.link_type = link_type};
    int code = 0;
    if (lib->pcap_compile(pcap, &program.code, expression, 1, PCAP_NETMASK_UNKNOWN) < 0) {
        program.none = rejects_all(lib->pcap_geterr(pcap));
        if (!program.none)
            code = err_set(err, -EINVAL, "the filter \"%s\" can't be used on packets of %s (see pcap-filter(7)): %s", expression,
                           lib->pcap_datalink_val_to_description_or_dlt(link_type), lib->pcap_geterr(pcap));
    }
    lib->pcap_close(pcap);
    if (!code && ret_program)
        *ret_program = program;
    else
        lib->pcap_freecode(&program.code);
    return code;
}

int filter_open(struct filter **ret_filter, const char *expression, struct err *err)
{
    /* An expression may be about one kind of link alone ("wlan type data"): it has to be right for one of these. */
    static const int common[] = {DLT_EN10MB, DLT_IEEE802_11_RADIO, DLT_LINUX_SLL2, DLT_RAW, DLT_PPP};
    *ret_filter = NULL;
    struct pcap_library lib;
    struct err first, other;
    int code = pcap_library_load(&lib, err);
    if (code) return code;
    code = compile(&lib, expression, common[0], NULL, &first);
    for (size_t i = 1; code == -EINVAL && i < sizeof(common) / sizeof(common[0]); i++)
        if (compile(&lib, expression, common[i], NULL, &other) == 0) code = 0;
    if (code) return err_set(err, code, "%s", first.text);
    struct filter *filter = calloc(1, sizeof(*filter));
    if (filter) filter->lib = lib;
    if (filter) filter->expression = strdup(expression);
    if (!filter || !filter->expression) {
        filter_close(filter);
        return out_of_memory(err);
    }
    *ret_filter = filter;
    return 0;
}

void filter_close(struct filter *filter)
{
    if (!filter) return;
    for (size_t i = 0; i < filter->count; i++) filter->lib.pcap_freecode(&filter->programs[i].code);
    free(filter->programs);
    free(filter->expression);
    free(filter);
}

static int find(struct filter *filter, int link_type, struct err *err)
{
    for (size_t i = 0; i < filter->count; i++) {
        if (filter->programs[i].link_type != link_type) continue;
        filter->last = i;
        return 0;
    }
    struct program *programs = reallocarray(filter->programs, filter->count + 1, sizeof(*programs));
    if (!programs) return out_of_memory(err);
    filter->programs = programs;
    int code = compile(&filter->lib, filter->expression, link_type, &programs[filter->count], err);
    if (!code) filter->last = filter->count++;
    return code;
}

int filter_passes(struct filter *filter, int link_type, const uint8_t *bytes, uint32_t captured, uint32_t wire, bool *ret_passes,
                  struct err *err)
{
    if (filter->last >= filter->count || filter->programs[filter->last].link_type != link_type) {
        int code = find(filter, link_type, err);
        if (code) return code;
    }
    const struct program *program = &filter->programs[filter->last];
    struct pcap_pkthdr header = {.caplen = captured, .len = wire < captured ? captured : wire};
    *ret_passes = !program->none && filter->lib.pcap_offline_filter(&program->code, &header, bytes) != 0;
    return 0;
}
