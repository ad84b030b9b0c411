#include "cli/attach.h"
#include "base/lang.h"

#include <errno.h>
#include <string.h>

#include "cli/options.h"
#include "cli/output_options.h"
#include "cli/watch_options.h"
#include "out/keeper.h"
#include "out/status.h"
#include "run/run.h"

enum { KEY_PID, KEY_PORT, PID_MOST = 4194304 /* PID_MAX_LIMIT */ };

static const struct options_row rows[] = {
    {KEY_PID, 'p', "pid", "PID", TR("that process, as a PID without an option; may be repeated")},
    {KEY_PORT, 0, "port", "N", TR("whoever listens at TCP port N; may be repeated")},
};

static int take_process(struct targets_options *targets, const char *option, const char *value, struct err *err)
{
    long pid = 0;
    if (targets->process_count == TARGETS_MAX) return err_set(err, -EINVAL, "attach: at most %d processes", TARGETS_MAX);
    int code = options_number(option, value, 1, PID_MOST, &pid, err);
    if (!code) targets->processes[targets->process_count++] = (pid_t)pid;
    return code;
}

static int take(void *target, int key, const char *value, struct err *err)
{
    struct targets_options *targets = target;
    long number = 0;
    if (key == KEY_PID) return take_process(targets, "--pid", value, err);
    if (targets->port_count == TARGETS_MAX) return err_set(err, -EINVAL, "--port: at most %d of them", TARGETS_MAX);
    int code = options_number("--port", value, 1, 65535, &number, err);
    if (!code) targets->ports[targets->port_count++] = (uint16_t)number;
    return code;
}

static int take_processes(struct targets_options *targets, char **operands, int count, struct err *err)
{
    int code = 0;
    for (int i = 0; i < count && !code; i++) code = take_process(targets, "attach", operands[i], err);
    return code;
}

int cli_attach(int argc, char **argv, struct err *err)
{
    struct run_options run = {.output = {.format = NULL}};
    struct options_given given = {0};
    struct options_group groups[] = {
        {TR("Whom"), rows, sizeof(rows) / sizeof(rows[0]), take, &run.targets},
        watch_group(&run),
        output_group(&run.output),
    };
    static const char notes[] = TR(
        "They are followed with their threads and descendants until ^C, or until all have ended; nothing stays behind in them. "
        "Calls "
        "that wait already and sockets that are open already are followed, too. Without bpf they are stopped at every system call "
        "(ptrace), which slows them.");
    const struct options_verb verb = {"attach", ATTACH_USAGE, ATTACH_SUMMARY, groups, 3, notes, &given, output_say_formats};
    int operand = 0;
    int code = options_parse(&verb, argc, argv, &operand, err);
    if (code) return code == OPTIONS_HELPED ? CLI_DONE : CLI_USAGE;
    if (take_processes(&run.targets, argv + operand, argc - operand, err)) return CLI_USAGE;
    if (!run.targets.process_count && !run.targets.port_count)
        return err_set(err, CLI_USAGE, "attach: a process is missing, or a --port: see tcpwhy attach --help");
    const struct keeper_files kept = {NULL, 0, run.output.files, run.output.file_count};
    if (keeper_new(&run.output.keeper, &kept, err)) return CLI_FAILED;
    int status = run_watch(&run, err);
    keeper_free(run.output.keeper);
    return status;
}
