/* What an output looks like: how wide, in which characters, with colours or not. */
#include "base/lang.h"
#include "out/output.h"

#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "out/note.h"
#include "out/output_own.h"

enum { SCREEN_LEAST = 40, WIDTH_LEAST = 60, WIDTH_USUAL = 80, WIDTH_MOST = 1000 };

/* The terminal's behind that descriptor, or else that of standard output. */
static int output_width(int fd)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    long width = columns ? strtol(columns, NULL, 10) : 0;
    if (width <= 0 && (ioctl(fd, TIOCGWINSZ, &size) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)) width = size.ws_col;
    if (width <= 0) return WIDTH_USUAL;
    return width < WIDTH_LEAST ? WIDTH_LEAST : width > WIDTH_MOST ? WIDTH_MOST : (int)width;
}

int output_screen_width(int fd)
{
    struct winsize size;
    if (!isatty(fd)) return 0;
    const char *columns = getenv("COLUMNS");
    long width = columns ? strtol(columns, NULL, 10) : 0;
    if (width <= 0 && ioctl(fd, TIOCGWINSZ, &size) == 0) width = size.ws_col;
    return width <= 0 ? WIDTH_USUAL : width < SCREEN_LEAST ? SCREEN_LEAST : width > WIDTH_MOST ? WIDTH_MOST : (int)width;
}

bool output_ascii(const struct output_options *options)
{
    return options->ascii || (strcmp(nl_langinfo(CODESET), "UTF-8") != 0 && lang_now() == LANG_EN);
}

static bool choose_color(enum output_color wish, int fd)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if (wish != OUTPUT_COLOR_AUTO) return wish == OUTPUT_COLOR_ALWAYS;
    return isatty(fd) && !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
}

struct view_options output_view_options(const struct output_options *options, int fd)
{
    return (struct view_options){
        .width = output_width(fd),
        .screen = output_screen_width(fd),
        .color = choose_color(options->color, fd),
        .ascii = output_ascii(options),
        .brief = options->brief,
        .brief_rows = options->brief_rows,
        .absolute = options->absolute,
        .part = options->part,
        .order = options->order,
        .only_findings = options->only_findings,
        .recorded = options->recorded,
        .verbose = options->verbose,
    };
}
