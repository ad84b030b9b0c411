#include "cli/output_options.h"

#include <errno.h>
#include <string.h>

bool cli_tells_more;

enum { KEY_OUTPUT, KEY_FORMAT, KEY_COLOR, KEY_ASCII, KEY_QUIET, KEY_VERBOSE };

static const struct options_row rows[] = {
    {KEY_OUTPUT, 'o', "output", "FILE", "write to FILE; its ending picks the format; may be repeated"},
    {KEY_FORMAT, 0, "format", "NAME", "write this format to standard output (default: text)"},
    {KEY_COLOR, 0, "color", "WHEN", "auto, always or never (auto obeys NO_COLOR)"},
    {KEY_ASCII, 0, "ascii", NULL, "draw with ASCII characters only"},
    {KEY_QUIET, 'q', "quiet", NULL, "no notes on standard error"},
    {KEY_VERBOSE, 'v', "verbose", NULL, "tell more; twice: kernel call chains too"},
};

int output_color_from(const char *value, enum output_color *ret_color, struct err *err)
{
    static const char *const colors[] = {"auto", "always", "never"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(value, colors[i])) return *ret_color = (enum output_color)i, 0;
    return err_set(err, -EINVAL, "--color: '%s' is not auto, always or never", value);
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

struct options_group output_group(struct output_options *options)
{
    return (struct options_group){"Output", rows, sizeof(rows) / sizeof(rows[0]), take, options};
}
