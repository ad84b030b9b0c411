#include "cli/output_options.h"
#include "base/lang.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "viz/view.h"

bool cli_tells_more;

enum { FORMATS_BYTES = 4096 };
enum {
    KEY_OUTPUT,
    KEY_FORMAT,
    KEY_OTLP,
    KEY_NO_CALLS,
    KEY_BRIEF,
    KEY_ONLY,
    KEY_ABSOLUTE,
    KEY_COLOR,
    KEY_ASCII,
    KEY_QUIET,
    KEY_VERBOSE
};

/* The first two list the views (say_formats). */
static struct options_row rows[] = {
    {KEY_OUTPUT, 'o', "output", "FILE", NULL},
    {KEY_FORMAT, 0, "format", "NAME", NULL},
    {KEY_OTLP, 0, "otlp", "URL", TR("send OpenTelemetry's spans to a collector, such as http://localhost:4318")},
    {KEY_NO_CALLS, 0, "no-calls", NULL, TR("the saved file (.pcapng) holds packets alone, each with its sentence")},
    {KEY_BRIEF, 0, "brief", NULL, TR("ladders in few words: the handshake and the goodbye, for a slide")},
    {KEY_ONLY, 0, "only", "PART", TR("of each ladder the handshake or the goodbye")},
    {KEY_ABSOLUTE, 0, "absolute", NULL, TR("sequence numbers of ladders as on the wire, ISNs and all")},
    {KEY_COLOR, 0, "color", "WHEN", TR("auto, always or never (auto obeys NO_COLOR)")},
    {KEY_ASCII, 0, "ascii", NULL, TR("draw with ASCII characters only")},
    {KEY_QUIET, 'q', "quiet", NULL, TR("no notes on standard error")},
    {KEY_VERBOSE, 'v', "verbose", NULL, TR("tell more; twice: kernel call chains too")},
};

int output_color_from(const char *value, enum output_color *ret_color, struct err *err)
{
    static const char *const colors[] = {"auto", "always", "never"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(value, colors[i])) return *ret_color = (enum output_color)i, 0;
    return err_set(err, -EINVAL, "--color: '%s' is not auto, always or never", value);
}

static int part_from(const char *value, enum view_part *ret_part, struct err *err)
{
    static const char *const parts[] = {[VIEW_HANDSHAKE] = "handshake", [VIEW_GOODBYE] = "goodbye"};
    for (int i = VIEW_HANDSHAKE; i <= VIEW_GOODBYE; i++)
        if (!strcmp(value, parts[i])) return *ret_part = (enum view_part)i, 0;
    return err_set(err, -EINVAL, "--only: '%s' is not handshake or goodbye", value);
}

static int take(void *target, int key, const char *value, struct err *err)
{
    struct output_options *options = target;
    switch (key) {
    case KEY_OUTPUT:
        if (options->file_count == OUTPUT_FILES_MAX) return err_set(err, -EINVAL, "-o: at most %d files", OUTPUT_FILES_MAX);
        options->files[options->file_count++] = value;
        return 0;
    case KEY_FORMAT:
        options->format = value;
        return 0;
    case KEY_OTLP:
        if (options->otlp) return err_set(err, -EINVAL, "--otlp: one collector at a time");
        options->otlp = value;
        return 0;
    case KEY_NO_CALLS:
        options->no_calls = true;
        return 0;
    case KEY_BRIEF:
        options->brief = true;
        return 0;
    case KEY_ONLY:
        return part_from(value, &options->part, err);
    case KEY_ABSOLUTE:
        options->absolute = true;
        return 0;
    case KEY_COLOR:
        return output_color_from(value, &options->color, err);
    case KEY_ASCII:
        options->ascii = true;
        return 0;
    case KEY_QUIET:
        options->quiet = true;
        return 0;
    default:
        options->verbose++;
        cli_tells_more = true;
        return 0;
    }
}

/* What there is to write, as the table of views has it. */
void output_say_formats(void)
{
    static char endings[FORMATS_BYTES], names[FORMATS_BYTES];
    size_t count = 0;
    const struct view *const *views = view_all(&count);
    int used = snprintf(endings, sizeof(endings), tr("write to FILE, as its ending says; may be repeated:"));
    for (size_t i = 0; i < count && used < FORMATS_BYTES; i++)
        used += snprintf(endings + used, sizeof(endings) - (size_t)used, "\n%s: %s", views[i]->suffix, tr(views[i]->summary));
    if (used < FORMATS_BYTES)
        snprintf(
            endings + used, sizeof(endings) - (size_t)used,
            tr("\n%s: the run as a capture, for Wireshark and for tcpwhy read: packets with their sentences, calls between them"
               "\n%s: what was recorded as text, for tcpwhy read"),
            OUTPUT_SAVED_SUFFIX, OUTPUT_EVENTS_SUFFIX);
    used = snprintf(names, sizeof(names), tr("write to standard output (default: text):"));
    for (size_t i = 0; i < count && used < FORMATS_BYTES; i++)
        used += snprintf(names + used, sizeof(names) - (size_t)used, " %s", views[i]->name);
    if (used < FORMATS_BYTES) snprintf(names + used, sizeof(names) - (size_t)used, " " OUTPUT_SAVED_NAME " " OUTPUT_EVENTS_NAME);
    rows[0].help = endings;
    rows[1].help = names;
}

struct options_group output_group(struct output_options *options)
{
    return (struct options_group){TR("Output"), rows, sizeof(rows) / sizeof(rows[0]), take, options};
}
