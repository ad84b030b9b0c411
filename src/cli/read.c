#include "cli/read.h"
#include "base/lang.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "capture/stored/savefile_stream.h"
#include "cli/options.h"
#include "cli/output_options.h"
#include "out/interrupt.h"
#include "out/keeper.h"
#include "out/status.h"
#include "out/tables.h"
#include "read/read_capture.h"
#include "read/read_events.h"
#include "read/read_merge.h"
#include "rights/rights.h"

enum { HEAD_BYTES = READ_EVENTS_HEAD_BYTES, FIRST_BYTES = 16, FILTER_BYTES = 1 << 16 };

struct reading { /* what the command line says */
    struct read_options options;
    struct options_given given;
};

enum { KEY_CONN, KEY_SUMMARY, KEY_FILTER, KEY_OPEN_MAX, KEY_PACKETS_MAX, KEY_MERGE, KEY_SORT, KEY_ONLY_FINDINGS };

static const struct options_row rows[] = {
    {KEY_CONN, 'n', "conn", "N[-[M]]",
     TR("tell the whole story of connection N (N to M, or from N on; u1, u2 … are UDP flows) of the list: ladders, event lines; "
        "may "
        "be "
        "repeated")},
    {KEY_SORT, 0, "sort", "BY",
     TR("the list by finding (the worst first), took (the longest first), start or bytes (the most first); rows are held in memory "
        "until all have come, "
        "of more than 262144 the first")},
    {KEY_ONLY_FINDINGS, 0, "only-findings", NULL, TR("of the list the connections in which something was found")},
    {KEY_SUMMARY, 's', "summary", NULL, TR("the totals alone")},
    {KEY_MERGE, 0, "merge", NULL, TR("two captures of the same connections, taken at two places: one story each, with both times")},
    {KEY_FILTER, 0, "filter", "EXPR", TR("only packets that match, as pcap-filter(7) says; also as words behind the files")},
    {KEY_OPEN_MAX, 0, "open-max", "N", TR("keep at most N open connections in memory, 256 bytes and some each (default 4194304)")},
    {KEY_PACKETS_MAX, 0, "packets-max", "N", TR("tell stories of the first N packets at most, about 2 KB each (default 500000)")},
};

static int take_range(struct read_options *options, const char *value, struct err *err)
{
    if (options->conn_count == READ_CONNS_MAX) return err_set(err, -EINVAL, "--conn: at most %d of them", READ_CONNS_MAX);
    char first[16] = "";
    bool udp = value[0] == 'u';
    if (udp) value++;
    const char *dash = strchr(value, '-');
    long from = 0, to = 0;
    size_t length = dash ? (size_t)(dash - value) : strlen(value);
    if (length < sizeof(first)) memcpy(first, value, length);
    int code = options_number("--conn", length < sizeof(first) ? first : value, 1, UINT32_MAX, &from, err);
    if (!code) to = from;
    if (!code && dash) to = UINT32_MAX; /* "N-": and all behind it */
    const char *last = dash && udp && dash[1] == 'u' ? dash + 2 : dash ? dash + 1 : "";
    if (!code && last[0]) code = options_number("--conn", last, from, UINT32_MAX, &to, err);
    if (!code) options->conns[options->conn_count++] = (struct read_range){(uint32_t)from, (uint32_t)to, udp};
    return code;
}

static int take_order(struct read_options *options, const char *value, struct err *err)
{
    static const char *const names[HELD_ORDERS] = {
        [HELD_FINDING] = "finding", [HELD_TOOK] = "took", [HELD_START] = "start", [HELD_BYTES] = "bytes"};
    for (int i = 0; i < HELD_ORDERS; i++) {
        if (strcmp(value, names[i]) != 0) continue;
        options->sorted = true;
        options->order = (enum held_order)i;
        return 0;
    }
    return err_set(err, -EINVAL, "--sort: '%s' is not finding, took, start or bytes", value);
}

static int take(void *target, int key, const char *value, struct err *err)
{
    struct read_options *options = target;
    long number = 0;
    int code = 0;
    switch (key) {
    case KEY_CONN:
        return take_range(options, value, err);
    case KEY_SUMMARY:
        options->summary = true;
        return 0;
    case KEY_SORT:
        return take_order(options, value, err);
    case KEY_ONLY_FINDINGS:
        options->only_findings = true;
        return 0;
    case KEY_MERGE:
        options->merge = true;
        return 0;
    case KEY_FILTER:
        options->filter = value;
        return 0;
    case KEY_PACKETS_MAX:
        code = options_number("--packets-max", value, 1, 1L << 26, &number, err);
        if (!code) options->packets_max = (size_t)number;
        return code;
    default:
        code = options_number("--open-max", value, 1, 1L << 30, &number, err);
        if (!code) options->open_max = (size_t)number;
        return code;
    }
}

/* A folder that happens to be called "src" or "host" is a word of a filter all the same; one with a slash is somebody's mistake. */
static bool is_file(const char *operand)
{
    struct stat status;
    if (!strcmp(operand, "-")) return true;
    return stat(operand, &status) == 0 && (!S_ISDIR(status.st_mode) || strchr(operand, '/'));
}

/* Operands are files, in their order, as long as such files exist; what follows is a filter. The first is a file in any case. */
static size_t count_files(int count, char **operands)
{
    size_t files = 1;
    while (files < (size_t)count && is_file(operands[files])) files++;
    return files;
}

static int join_filter(int count, char **words, struct buf *text, struct err *err)
{
    for (int i = 0; i < count; i++) {
        if (i) buf_char(text, ' ');
        buf_text(text, words[i]);
    }
    return text->failed ? err_set(err, -EINVAL, "the filter is longer than %d bytes", FILTER_BYTES) : 0;
}

/* What a file begins with, unpacked where it is compressed. */
struct head {
    char bytes[HEAD_BYTES];
    size_t length;
    size_t taken; /* of standard input, for those who read on */
};

/* What is compressed is looked into where it can be read from its beginning again. */
static int unpack_head(int fd, struct head *head, struct err *err)
{
    struct stat status;
    struct savefile_stream stream;
    const off_t begin = lseek(fd, 0, SEEK_CUR) - (off_t)head->length;
    if (!unpack_find((const uint8_t *)head->bytes, head->length)) return 0;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || lseek(fd, begin, SEEK_SET) < 0) return 0;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int code = copy < 0 ? -errno : stream_open(&stream, copy, NULL, 0, interrupt_asked, err);
    if (copy < 0) return err_set_errno(err, code, "can't look into it");
    if (!code) {
        (void)stream_need(&stream, HEAD_BYTES);
        head->length = stream_left(&stream) < HEAD_BYTES ? stream_left(&stream) : HEAD_BYTES;
        memcpy(head->bytes, stream.at, head->length);
    }
    stream_close(&stream);
    head->taken = 0;
    return lseek(fd, begin, SEEK_SET) < 0 ? err_set_errno(err, -errno, "can't look into it") : code;
}

static int read_head(const char *path, struct keeper *keeper, struct head *head, struct err *err)
{
    bool is_stdin = !strcmp(path, "-");
    const char *name = is_stdin ? tr("standard input") : path;
    int code = 0, fd = is_stdin ? STDIN_FILENO : keeper_open(keeper, path);
    if (fd < 0) {
        code = -errno;
        return err_set_errno(err, code, "can't open %s", name);
    }
    struct stoppable from = stoppable_new(fd, interrupt_asked);
    size_t wanted = FIRST_BYTES;
    ssize_t more = 1;
    while (head->length < wanted && more > 0) {
        more = stoppable_read(&from, head->bytes + head->length, wanted - head->length);
        if (more > 0) head->length += (size_t)more;
        if (head->length == FIRST_BYTES) wanted = read_events_needs(head->bytes, head->length);
    }
    head->taken = is_stdin ? head->length : 0;
    if (more < 0)
        code = err_set_errno(err, (int)more, "can't read %s", name);
    else if ((code = unpack_head(fd, head, err)))
        err_prefix(err, "can't read %s", name);
    if (!is_stdin) close(fd);
    return code;
}

/* A named pipe gives its bytes once: nothing may be read ahead of those who read it. */
static bool can_look_ahead(const char *path)
{
    struct stat status;
    return !strcmp(path, "-") || stat(path, &status) < 0 || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What means nothing to an event log, which holds one run with its calls. */
static int check_events(const struct options_given *given, const char *file, struct err *err)
{
    static const struct options_misfit of_captures[] = {
        {"summary", TR("it works on captures, and this is a stored run")},
        {"filter", TR("it works on captures, and this is a stored run")},
        {"open-max", TR("it works on captures, and this is a stored run")},
        {"packets-max", TR("it works on captures, and this is a stored run")},
    };
    int code = options_refuse(given, of_captures, COUNT(of_captures), err);
    if (code) err_prefix(err, "%s", file);
    return code;
}

/* What would be forgotten without a word. */
static int check_misfits(const struct reading *reading, bool tables, struct err *err)
{
    const struct read_options *options = &reading->options;
    const struct options_given *given = &reading->given;
    static const struct options_misfit of_stories[] = {
        {"packets-max",
         TR("it bounds stories, and this is a table of connections (--conn tells stories, and so does --format text)")},
        {"brief", TR("it is about ladders, and this is a table of connections (--conn tells stories, and so does --format text)")},
        {"absolute",
         TR("it is about ladders, and this is a table of connections (--conn tells stories, and so does --format text)")},
        {"only", TR("it is about ladders, and this is a table of connections (--conn tells stories, and so does --format text)")},
        {"no-calls", TR("it is about saved files (-o FILE.pcapng), and none is written")},
    };
    static const struct options_misfit of_tables[] = {
        {"summary", TR("it goes with tables of connections, not with stories")},
        {"sort", TR("it goes with tables of connections, not with stories")},
        {"only-findings", TR("it goes with tables of connections, not with stories")},
    };
    static const struct options_misfit of_summary[] = {{"sort", TR("totals have no rows to sort")},
                                                       {"only-findings", TR("totals have no rows to choose from")}};
    static const struct options_misfit of_merged[] = {
        {"packets-max", TR("with --merge the bound is fixed: choose with a filter")},
        {"only-findings", TR("the list of merged captures does not say what was found (--conn N tells it)")},
    };
    static const struct options_misfit of_merged_stories[] = {
        {"open-max", TR("with --merge it bounds tables, and these are stories")}};
    int code = options->merge ? options_refuse(given, of_merged, COUNT(of_merged), err) : 0;
    if (!code && options->merge && !tables) code = options_refuse(given, of_merged_stories, COUNT(of_merged_stories), err);
    if (!code && tables) code = options_refuse(given, of_stories, COUNT(of_stories), err);
    if (!code && !tables) code = options_refuse(given, of_tables, COUNT(of_tables), err);
    const char *format = options->output.format;
    if (!code && (options->summary || (format && !strcmp(format, "summary"))))
        code = options_refuse(given, of_summary, COUNT(of_summary), err);
    if (!code && options->merge && options->sorted && options->order == HELD_FINDING)
        code = err_set(err, -EINVAL, "--sort finding: the list of merged captures does not say what was found (--conn N tells it)");
    return code;
}

/* Whether tables of connections are asked for, not stories. 0, or -EINVAL with a sentence where the options don't fit together. */
static int choose_tables(struct reading *reading, struct err *err)
{
    struct read_options *options = &reading->options;
    const char *format = options->output.format;
    if (options->conn_count && options->summary)
        return err_set(err, -EINVAL, "--summary tells of all connections, --conn of some: one of them");
    int code = options->conn_count ? 0 : tables_wanted(&options->output, &options->tables, err);
    if (!code) code = check_misfits(reading, options->tables, err);
    if (!code && options->summary && format && strcmp(format, "summary") != 0)
        code = err_set(err, -EINVAL, "--summary is a format of its own: --format %s tells of each connection", format);
    return code;
}

/* Two files are merged, and no two of the same. */
static int check_merged(const struct read_source *source, const struct read_options *options, struct err *err)
{
    if (source->count != 2 && options->filter_word)
        return err_set(err, -EINVAL, "--merge takes two captures, and there is no file '%s'", options->filter_word);
    if (source->count != 2)
        return err_set(
            err, -EINVAL,
            "--merge takes exactly two captures, taken at two places, and there %s %zu (of several files of one place, make "
            "one with mergecap)",
            source->count == 1 ? "is" : "are", source->count);
    if (!strcmp(source->paths[0], source->paths[1]))
        return err_set(err, -EINVAL, "--merge: both captures are %s", source->paths[0]);
    return 0;
}

/* All at once, before a file is opened: that is the keeper's. A filter may hold names that have to be looked up, and a
 * collector is reached through a socket. */
static int give_up_rights(const struct read_options *options, struct err *err)
{
    int code = rights_drop(RIGHTS_NONE, err);
    return code ? code : rights_confine(options->filter != NULL || options->output.otlp != NULL, err);
}

/* Files alone, and few bytes. Asked while there are rights. */
static bool is_small(char *const *files, size_t count)
{
    off_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        struct stat status;
        bool known = strcmp(files[i], "-") != 0 && stat(files[i], &status) == 0;
        if (!known || !S_ISREG(status.st_mode) || status.st_size > READ_SMALL_BYTES - sum) return false;
        sum += status.st_size;
    }
    return true;
}

/* Of a saved run: its list, totals, or what passes a filter are asked for. Its packets are a capture as any other. */
static bool wants_packets_alone(const struct reading *reading)
{
    static const char *const of_captures[] = {"summary", "filter", "open-max", "packets-max"};
    const char *format = reading->options.output.format;
    for (size_t i = 0; i < COUNT(of_captures); i++)
        if (options_was_given(&reading->given, of_captures[i])) return true;
    return reading->options.filter || (format && rows_by_name(format) && !view_by_name(format));
}

static int read_files(char **files, size_t count, struct reading *reading, struct err *err)
{
    const struct read_options *options = &reading->options;
    struct head head = {.length = 0};
    bool looks_ahead = can_look_ahead(files[0]);
    interrupt_begin();
    int code = give_up_rights(options, err);
    if (!code && looks_ahead) code = read_head(files[0], options->output.keeper, &head, err);
    if (code) return code;
    bool is_events = read_is_events(head.bytes, head.length);
    if (is_events && read_is_saved(head.bytes, head.length) && wants_packets_alone(reading)) is_events = false;
    if (options->merge || is_events) interrupt_end(); /* half of it tells nothing: from here on ^C is the end */
    if ((options->merge || is_events) && *interrupt_asked) return CLI_INTERRUPTED + *interrupt_asked;
    if (is_events && !options->merge) {
        if (count > 1) return err_set(err, -EINVAL, "stored runs are read one at a time, so what is '%s'?", files[1]);
        if (options->filter_word)
            return err_set(err, -EINVAL, "'%s' is no file, and a filter works on captures: %s is a stored run",
                           options->filter_word, files[0]);
        code = check_events(&reading->given, files[0], err);
        if (code) return code;
        return read_events(files[0], head.bytes, head.taken, options, err);
    }
    const struct read_source source = {(const char *const *)files, count, head.bytes, head.taken};
    if (options->merge) code = check_merged(&source, options, err);
    if (!code) code = choose_tables(reading, err);
    if (code) return code;
    return options->merge ? read_merge(&source, options, err) : read_capture(&source, options, err);
}

int cli_read(int argc, char **argv, struct err *err)
{
    struct reading reading = {0};
    struct read_options *options = &reading.options;
    struct options_group groups[] = {{TR("Reading"), rows, sizeof(rows) / sizeof(rows[0]), take, options},
                                     output_group(&options->output)};
    static const char notes[] = TR(
        "Captures (pcap and pcapng, plain or compressed) become a list, a line a connection. Formats for it: list, csv, "
        "zeek (conn.log), jsonl, summary. Of files up to 8 MB the list begins with what was found, and connections stand the worst "
        "first; else they stand in the order in which they ended (see --sort). Their numbers count in the order in "
        "which they began: Wireshark's tcp.stream plus 1, and for UDP flows, u1, u2 …, its udp.stream plus 1 (sort -V puts the "
        "list "
        "into that order). A terminal gets the columns that fit, a pipe or file all of them. "
        "With --conn, or with a format such as text, the packets are told as stories. ^C ends the reading of a pipe, and what "
        "was seen so far is told. --merge takes two captures of the same connections, made at two places, and finds out by "
        "itself how far apart their clocks were. A stored run (-o FILE.pcapng or FILE.events) is told again, with its calls; with "
        "a "
        "filter, --summary or a format of lists, a FILE.pcapng is a capture as any other.");
    const struct options_verb verb = {"read", READ_USAGE, READ_SUMMARY, groups, 2, notes, &reading.given, output_say_formats};
    int operand = 0;
    int code = options_parse(&verb, argc, argv, &operand, err);
    if (code) return code == OPTIONS_HELPED ? CLI_DONE : CLI_USAGE;
    if (operand == argc) return err_set(err, CLI_USAGE, "read: a file is missing ('-' is standard input): see tcpwhy read --help");
    size_t files = count_files(argc - operand, argv + operand);
    int words = argc - operand - (int)files;
    struct buf filter = buf_new(FILTER_BYTES);
    if (words && options->filter)
        code = err_set(err, -EINVAL, "read: '%s' is no file, and there is a --filter already", argv[operand + (int)files]);
    if (!code && words) code = join_filter(words, argv + operand + files, &filter, err);
    if (!code && words) options->filter = buf_string(&filter);
    options->filter_word = words ? argv[operand + (int)files] : NULL;
    const struct keeper_files kept = {(const char *const *)argv + operand, files, options->output.files,
                                      options->output.file_count};
    if (!code) code = keeper_new(&options->output.keeper, &kept, err);
    options->small = is_small(argv + operand, files);
    if (!code) code = read_files(argv + operand, files, &reading, err);
    buf_free(&filter);
    keeper_free(options->output.keeper);
    return code == -EPIPE || code > 0 ? code : code == -EINVAL ? CLI_USAGE : code ? CLI_FAILED : CLI_DONE;
}
