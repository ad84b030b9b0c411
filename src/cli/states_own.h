/* Internal to src/cli: the verb states, as its files share it. */
#ifndef TCPWHY_CLI_STATES_OWN_H
#define TCPWHY_CLI_STATES_OWN_H

#include "base/buf.h"
#include "base/lang.h"
#include "base/nearest.h"
#include "cli/options.h"
#include "cli/output_options.h"
#include "cli/states.h"
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

struct states {
    struct output_options look; /* files, color, ascii, quiet */
    struct buf names;           /* of what was taken, the first few */
    size_t named;
    const char *recorder;
    bool dry;
    unsigned blanks; /* enum view_figure_blank */
    struct options_given given;
    struct arrow_map map;
    const char *const *operands; /* none: the whole catalogue */
    size_t operand_count;
    size_t taken;  /* operands, up to the last that was played */
    size_t failed; /* scenarios that gave no story */
    int signal;    /* that broke one off; 0 none */
};

bool states_ends_with(const char *text, const char *end);
bool states_writes_text(const struct states *states);
int states_draw_all(const struct states *states, struct err *err);

#endif
