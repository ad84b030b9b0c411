#include "cli/read.h"

#include <errno.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/stored.h"

static int tell(const char *path, struct output *output, struct err *err)
{
    struct event_log *log = event_log_new();
    int code = log ? stored_load(path, NULL, 0, log, err) : err_set_errno(err, -ENOMEM, "can't read %s", path);
    if (!code) code = output_tell(output, log, err);
    event_log_free(log);
    return code;
}

int cli_read(int argc, char **argv, struct err *err)
{
    struct output_options options = {0};
    struct options_group groups[] = {output_group(&options)};
    const struct options_verb verb = {"read", READ_USAGE, READ_SUMMARY, groups, 1, NULL};
    int operand = 0;
    int code = options_parse(&verb, argc, argv, &operand, err);
    if (code) return code == OPTIONS_HELPED ? CLI_DONE : CLI_USAGE;
    if (operand == argc) return err_set(err, CLI_USAGE, "read: a file is missing ('-' is standard input): see tcpwhy read --help");
    if (operand + 1 < argc) return err_set(err, CLI_USAGE, "read: one file at a time, so what is '%s'?", argv[operand + 1]);
    struct output *output = NULL;
    code = output_open(&output, &options, err);
    if (code) return code == -EINVAL ? CLI_USAGE : CLI_FAILED;
    code = tell(argv[operand], output, err);
    output_close(output);
    return code == -EPIPE ? code : code ? CLI_FAILED : CLI_DONE;
}
