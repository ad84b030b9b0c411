#include "record/recorders.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/lang.h"
#include "capture/bpf/calls_bpf.h"
#include "capture/ptrace/calls_ptrace.h"

/* The one list of recorders, best first. */
static const struct calls_recorder *const recorders[] = {&calls_bpf, &calls_ptrace, &calls_none};

const struct calls_recorder *recorder_find(const char *name)
{
    for (size_t i = 0; i < sizeof(recorders) / sizeof(recorders[0]); i++)
        if (strcmp(recorders[i]->name, name) == 0) return recorders[i];
    return NULL;
}

void recorder_advise(const char *name, bool host_wide, struct err *err)
{
    struct err why = *err;
    bool is_bpf = !strcmp(name, "bpf"), is_root = geteuid() == 0;
    const char *helps = host_wide ? (is_root ? TR("a whole host is seen by bpf alone; 'tcpwhy run' and 'attach' do without it")
                                             : TR("run it as root (sudo)"))
                        : !is_bpf ? TR("--recorder none explains by the packets alone")
                        : is_root ? TR("--recorder ptrace needs no privilege")
                                  : TR("run it as root (sudo), or with --recorder ptrace");
    err_set(err, 0, "%.600s; %s", tr(why.text), tr(helps));
    err_more(err, "%s", tr(err_long_story(&why)));
}

static int open_bpf(const struct session_options *options, struct calls **ret_calls, struct err *err)
{
    enum lang was = lang_use(LANG_EN);
    int code = options->no_bpf ? -EPERM : calls_bpf.open(ret_calls, &options->calls, err);
    if (options->no_bpf) *err = *options->no_bpf;
    lang_use(was);
    return code;
}

int recorder_choose(const struct session_options *options, const struct calls_recorder **ret_recorder, struct calls **ret_calls,
                    char *reason, size_t reason_bytes, struct err *err)
{
    const char *name = options->recorder ? options->recorder : "auto";
    struct err bpf_err = {""}, ptrace_err = {""};
    if (strcmp(name, "auto") != 0) {
        const struct calls_recorder *recorder = *ret_recorder = recorder_find(name);
        if (!recorder) return err_set(err, -EINVAL, "no recorder '%s': there are auto, bpf, ptrace and none", name);
        int code = recorder == &calls_bpf && options->no_bpf ? open_bpf(options, ret_calls, err)
                                                             : recorder->open(ret_calls, &options->calls, err);
        if (code) recorder_advise(name, options->calls.host_wide, err);
        snprintf(reason, reason_bytes, "%s", TR("asked for")); /* an event: views translate it */
        return code ? -EACCES : 0;
    }
    *ret_recorder = &calls_bpf;
    if (!open_bpf(options, ret_calls, &bpf_err)) {
        snprintf(reason, reason_bytes, "%s", TR("auto: the kernel lets BPF programs be loaded"));
        return 0;
    }
    *ret_recorder = &calls_ptrace;
    if (!calls_ptrace.open(ret_calls, &options->calls, &ptrace_err)) {
        snprintf(reason, reason_bytes, "auto: no bpf: %s", bpf_err.text); /* viz/plan/facts.c takes it apart */
        return 0;
    }
    *ret_recorder = NULL;
    err_set(err, -EACCES, "no recorder of calls can work here: %.400s; --recorder none explains by the packets alone",
            ptrace_err.text);
    err_more(err, "And no bpf: %s", tr(bpf_err.text));
    return -EACCES;
}
