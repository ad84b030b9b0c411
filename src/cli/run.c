#include "cli/run.h"
#include "base/lang.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/output_options.h"
#include "cli/watch_options.h"
#include "out/keeper.h"
#include "out/status.h"
#include "run/run.h"

enum { KEY_USER, KEY_ENVIRONMENT };

static const struct options_row rows[] = {
    {KEY_USER, 'u', "user", "NAME", TR("run the command as that user (only root can)")},
    {KEY_ENVIRONMENT, 'E', "env", "NAME[=VALUE]", TR("set a variable of its environment, or take it out; may be repeated")},
};

static int take(void *target, int key, const char *value, struct err *err)
{
    struct command_options *command = target;
    if (key == KEY_USER) return command->user = value, 0;
    if (!value[0] || value[0] == '=') return err_set(err, -EINVAL, "-E: '%s' begins with no name", value);
    if (command->change_count == COMMAND_CHANGES_MAX) return err_set(err, -EINVAL, "-E: at most %d of them", COMMAND_CHANGES_MAX);
    command->changes[command->change_count++] = value;
    return 0;
}

int cli_run(int argc, char **argv, struct err *err)
{
    struct run_options run = {.output = {.stream_fd = STDERR_FILENO}};
    struct options_given given = {0};
    struct options_group groups[] = {
        {tr("The command"), rows, sizeof(rows) / sizeof(rows[0]), take, &run.command},
        watch_group(&run),
        output_group(&run.output),
    };
    static const char notes[] = TR(
        "The command, and all that come of it, run as if nobody looked: their input, output, signals, terminal and exit status are "
        "their own. What is told comes on standard error when they have ended, or goes where -o or --out-fd say. "
        "The exit status is the command's; 127 it was not found, 126 it could not be executed.");
    const struct options_verb verb = {"run", RUN_USAGE, RUN_SUMMARY, groups, 3, notes, &given, output_say_formats};
    int operand = 0;
    int code = options_parse_command(&verb, argc, argv, &operand, err);
    if (code) return code == OPTIONS_HELPED ? CLI_DONE : CLI_USAGE;
    if (operand == argc) return err_set(err, CLI_USAGE, "run: a command is missing: see tcpwhy run --help");
    int out_fd = run.output.stream_fd > STDERR_FILENO ? run.output.stream_fd : -1;
    command_note_descriptors(&run.command, out_fd);
    run.command.argv = argv + operand;
    const struct keeper_files kept = {NULL, 0, run.output.files, run.output.file_count};
    if (keeper_new(&run.output.keeper, &kept, err)) return CLI_FAILED;
    int status = run_watch(&run, err);
    keeper_free(run.output.keeper);
    return status;
}
