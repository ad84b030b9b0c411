#include "record/recorders.h"

#include <string.h>

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
