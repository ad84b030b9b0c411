#include "cli/watch_options.h"
#include "base/lang.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { SNAP_MOST = 262144, FD_MOST = 1 << 20 };
enum { KEY_INTERFACE, KEY_FILTER, KEY_SNAP, KEY_RECORDER, KEY_LIVE, KEY_CONN, KEY_SORT, KEY_OUT_FD };

static const struct options_row rows[] = {
    {KEY_INTERFACE, 'i', "interface", "NAME",
     TR("capture packets there (default: on all interfaces that are up); may be repeated")},
    {KEY_FILTER, 0, "filter", "EXPR", TR("only packets that match, as pcap-filter(7) says")},
    {KEY_SNAP, 's', "snaplen", "N", TR("keep N bytes of each packet (default: its headers)")},
    {KEY_RECORDER, 0, "recorder", "NAME", TR("who records the calls: auto (the default), bpf, ptrace or none")},
    {KEY_LIVE, 0, "live", NULL, TR("a line for each connection on standard error when it is over")},
    {KEY_CONN, 'n', "conn", "N", TR("tell connection N alone, with its ladder")},
    {KEY_SORT, 0, "sort", "BY", TR("the rows of a list by finding (the worst first), took, start or bytes")},
    {KEY_OUT_FD, 0, "out-fd", "N", TR("write to descriptor N (run: to 2, standard error, where nothing else is said)")},
};

static int take_recorder(struct run_options *options, const char *value, struct err *err)
{
    static const char *const names[] = {"auto", "bpf", "ptrace", "none"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(names[i], value)) return options->recorder = value, 0;
    return err_set(err, -EINVAL, "--recorder: '%s' is not one of auto, bpf, ptrace, none", value);
}

static int take_order(struct run_options *options, const char *value, struct err *err)
{
    static const char *const names[VIEW_ORDERS] = {
        [VIEW_BY_FINDING] = "finding", [VIEW_BY_TOOK] = "took", [VIEW_BY_START] = "start", [VIEW_BY_BYTES] = "bytes"};
    for (int i = 0; i < VIEW_ORDERS; i++)
        if (!strcmp(names[i], value)) return options->output.order = (enum view_order)i, 0;
    return err_set(err, -EINVAL, "--sort: '%s' is not finding, took, start or bytes", value);
}

static int take(void *target, int key, const char *value, struct err *err)
{
    struct run_options *options = target;
    struct captures_options *captures = &options->captures;
    long number = 0;
    int code;
    switch (key) {
    case KEY_INTERFACE:
        if (captures->interface_count == CAPTURES_NAMED_MAX)
            return err_set(err, -EINVAL, "-i: at most %d interfaces", CAPTURES_NAMED_MAX);
        captures->interfaces[captures->interface_count++] = value;
        return 0;
    case KEY_FILTER:
        captures->filter = value;
        return 0;
    case KEY_SNAP: /* 0 is the whole packet, as tcpdump has it */
        code = options_number("--snaplen", value, 0, SNAP_MOST, &number, err);
        captures->snap_bytes = number ? (uint32_t)number : SNAP_MOST;
        return code;
    case KEY_RECORDER:
        return take_recorder(options, value, err);
    case KEY_LIVE:
        options->live = true;
        return 0;
    case KEY_CONN:
        code = options_number("--conn", value, 1, UINT32_MAX, &number, err);
        options->output.conn = (uint32_t)number;
        return code;
    case KEY_SORT:
        return take_order(options, value, err);
    default:
        code = options_number("--out-fd", value, 1, FD_MOST, &number, err);
        if (!code && fcntl((int)number, F_GETFD) < 0) return err_set(err, -EINVAL, "--out-fd: descriptor %ld is not open", number);
        options->output.stream_fd = (int)number;
        return code;
    }
}

struct options_group watch_group(struct run_options *options)
{
    return (struct options_group){TR("Watching"), rows, sizeof(rows) / sizeof(rows[0]), take, options};
}
