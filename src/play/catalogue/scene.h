/* `tcpwhy demo SCENARIO`: scenarios of the catalogue and of files, played, shown and judged. */
#ifndef TCPWHY_PLAY_CATALOGUE_SCENE_H
#define TCPWHY_PLAY_CATALOGUE_SCENE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "out/output.h"
#include "play/judge/judge.h"
#include "play/stage/play.h"

/* Zero it to begin. */
struct scene_options {
    struct output_options output;
    const char *recorder;
    bool host_network;
    bool list, all;
    bool explain; /* in sentences */
    bool step;    /* bit by bit: a growing ladder, or with `explain` sentence by sentence */
    bool whole;   /* the whole ladder on a terminal, too */
    char *const *operands;
    size_t operand_count;
};

/* The scenario of that name in the catalogue, or in that file (a name that ends in .scn or holds a slash). 0 and *ret_scenario
 * (scenario_free); -EINVAL: it has mistakes, and they are on standard error; -ENOENT; else -errno. */
int scene_load(const char *operand, struct scenario **ret_scenario, struct err *err);
/* Does what the options say. Returns as a verb does (cli.h). */
int scene_run(const struct scene_options *options, struct err *err);
/* --list: the catalogue by groups, or those of its scenarios that have all the words in name, title or group (scene_list.c). */
int scene_list(const struct scene_options *options, struct err *err);
/* --all: every scenario of the catalogue, or of the operands; and the table (catalogue_run.c). */
int scene_run_all(const struct scene_options *options, struct err *err);
/* One line to standard error for each expectation that was not met or could not be told. */
void scene_report(const char *name, const struct judgement *judgement, bool quiet);

#endif
