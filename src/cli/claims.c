#include "cli/claims.h"
#include "base/lang.h"

#include <errno.h>
#include <string.h>

#include "cli/options.h"
#include "cli/output_options.h"
#include "out/status.h"
#include "play/catalogue/claims.h"
#include "record/session.h"

enum { KEY_ALL, KEY_FORMAT, KEY_RECORDER, KEY_COLOR, KEY_ASCII, KEY_QUIET };

static const struct options_row rows[] = {
    {KEY_ALL, 0, "all", NULL, TR("play all of them (or those with a WORD), beside each other, and end with a table")},
    {KEY_FORMAT, 0, "format", "NAME", TR("of the list and of --all: text (the default) or jsonl")},
    {KEY_RECORDER, 0, "recorder", "NAME", TR("who records the calls: auto (the default), bpf, ptrace or none")},
    {KEY_COLOR, 0, "color", "WHEN", TR("auto, always or never (auto obeys NO_COLOR)")},
    {KEY_ASCII, 0, "ascii", NULL, TR("draw with ASCII characters only")},
    {KEY_QUIET, 'q', "quiet", NULL, TR("no notes on standard error")},
};

static const char claims_notes[] = TR(
    "Without NUMBER and WORD all are listed: number, verdict, scenario, claim. With one, its scenario is played, and one screen "
    "shows the claim, what this run shows of it, the rows that prove it (◀), and why. A verdict is never stored: it stands where "
    "the "
    "scenario's expectations were met, and where they were not the exit status is 1. A file that ends in .scn may make claims of "
    "its own (docs/SCENARIOS.md).");

struct claims {
    struct claims_options options;
    struct options_given given;
};

static int take(void *target, int key, const char *value, struct err *err)
{
    struct claims_options *options = target;
    switch (key) {
    case KEY_ALL:
        options->all = true;
        return 0;
    case KEY_FORMAT:
        options->jsonl = strcmp(value, "jsonl") == 0;
        return options->jsonl || strcmp(value, "text") == 0
                   ? 0
                   : err_set(err, -EINVAL, "--format: claims are written as text or jsonl, not '%s'", value);
    case KEY_RECORDER:
        options->recorder = value;
        return session_knows_recorder(value) ? 0
                                             : err_set(err, -EINVAL, "--recorder: '%s' is not auto, bpf, ptrace or none", value);
    case KEY_COLOR:
        return output_color_from(value, &options->look.color, err);
    case KEY_ASCII:
        options->look.ascii = true;
        return 0;
    default:
        options->look.quiet = true;
        return 0;
    }
}

/* What means nothing where a list is written, or a single screen. */
static int check(const struct claims *claims, int operands, struct err *err)
{
    static const struct options_misfit of_list[] = {{"recorder", TR("the list plays nothing")},
                                                    {"quiet", TR("the list has no notes")}};
    static const struct options_misfit of_screen[] = {{"format", TR("a claim's screen is text (the list and --all can be jsonl)")}};
    if (claims->options.all) return 0;
    if (operands) return options_refuse(&claims->given, of_screen, 1, err);
    return options_refuse(&claims->given, of_list, 2, err);
}

int cli_claims(int argc, char **argv, struct err *err)
{
    struct claims claims = {.options = {.all = false}};
    const struct options_group groups[] = {{TR("Options"), rows, sizeof(rows) / sizeof(rows[0]), take, &claims.options}};
    const struct options_verb verb = {"claims", CLAIMS_USAGE, CLAIMS_SUMMARY, groups, 1, claims_notes, &claims.given, NULL};
    int operand = 0, code = options_parse(&verb, argc, argv, &operand, err);
    if (code) return code == OPTIONS_HELPED ? CLI_DONE : CLI_USAGE;
    if (check(&claims, argc - operand, err)) return CLI_USAGE;
    claims.options.operands = argv + operand;
    claims.options.operand_count = (size_t)(argc - operand);
    return claims_run(&claims.options, err);
}
