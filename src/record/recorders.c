#include "record/recorders.h"

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
