/* Drawing the figure to files or to standard output. */
#include "base/lang.h"
#include "cli/states.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/nearest.h"
#include "cli/options.h"
#include "cli/output_options.h"
#include "cli/states_own.h"
#include "lab/scenario/catalogue.h"
#include "out/interrupt.h"
#include "out/keeper.h"
#include "out/note.h"
#include "out/output.h"
#include "out/place.h"
#include "out/status.h"
#include "play/catalogue/beside.h"
#include "play/catalogue/scene.h"
#include "play/stage/play.h"
#include "read/stored.h"
#include "record/session.h"
#include "rights/rights.h"
#include "viz/svg/states_figure.h"

static const size_t picture_limit = (size_t)1 << 22;

/* To a file, or with NULL to standard output. */
static int draw_to(const struct states *states, const char *path, struct err *err)
{
    struct buf picture = buf_new(picture_limit);
    struct place place;
    int code = place_open(&place, path, states->look.keeper, err);
    struct view_options options = output_view_options(&states->look, place.fd);
    options.figure_blanks = states->blanks;
    int drawn = path && states_ends_with(path, ".svg")
                    ? states_draw_svg(&states->map, buf_string(&states->names), &options, &picture)
                    : states_draw(&states->map, &options, &picture);
    if (!code && drawn) code = err_set_errno(err, drawn, "can't draw the states");
    if (!code) {
        place_write(&place, picture.data, picture.length);
        code = place_finish(&place);
        if (code && code != -EPIPE) *err = place.err;
    }
    if (!code && path) note_say(states->look.quiet, "wrote %s", path);
    place_close(&place);
    buf_free(&picture);
    return code;
}

bool states_writes_text(const struct states *states)
{
    for (size_t i = 0; i < states->look.file_count; i++)
        if (!states_ends_with(states->look.files[i], ".svg")) return true;
    return states->look.file_count == 0;
}

int states_draw_all(const struct states *states, struct err *err)
{
    if (!states->look.file_count) return draw_to(states, NULL, err);
    int code = 0;
    for (size_t i = 0; i < states->look.file_count && !code; i++) code = draw_to(states, states->look.files[i], err);
    return code;
}
