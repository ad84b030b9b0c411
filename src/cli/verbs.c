#include "cli/verbs.h"
#include "base/lang.h"

#include <stdio.h>
#include <string.h>

#include "cli/actor.h"
#include "cli/attach.h"
#include "cli/claims.h"
#include "cli/demo.h"
#include "cli/echo.h"
#include "cli/explain.h"
#include "cli/options.h"
#include "cli/quiz.h"
#include "cli/read.h"
#include "cli/run.h"
#include "cli/states.h"
#include "cli/watch.h"
#include "out/interrupt.h"

static const struct verb verbs[] = {
    {"demo", DEMO_USAGE, DEMO_SUMMARY, cli_demo},
    {"run", RUN_USAGE, RUN_SUMMARY, cli_run},
    {"attach", ATTACH_USAGE, ATTACH_SUMMARY, cli_attach},
    {"read", READ_USAGE, READ_SUMMARY, cli_read},
    {"quiz", QUIZ_USAGE, QUIZ_SUMMARY, cli_quiz},
    {"states", STATES_USAGE, STATES_SUMMARY, cli_states},
    {"claims", CLAIMS_USAGE, CLAIMS_SUMMARY, cli_claims},
    {"watch", WATCH_USAGE, WATCH_SUMMARY, cli_watch},
    {"explain", EXPLAIN_USAGE, EXPLAIN_SUMMARY, cli_explain},
    {"echo", "server|client …", TR("the echo pair by itself"), cli_echo},
    {"actor", NULL, NULL, cli_actor}, /* what a scenario's processes run; not for people */
};
enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static int help(void)
{
    printf(tr("tcpwhy shows why every TCP segment was sent, and what every socket call was\nwaiting for.\n\nUsage:\n"));
    for (size_t i = 0; i < VERBS; i++) {
        if (!verbs[i].usage) continue;
        /* The ellipsis is one column and three bytes. */
        int used = printf(tr("  tcpwhy %s %s"), verbs[i].name, verbs[i].usage) - (strstr(verbs[i].usage, "…") ? 2 : 0);
        printf("%s%*s%s\n", used < 34 ? "" : "\n", used < 34 ? 34 - used : 34, "", tr(verbs[i].summary));
    }
    printf(tr("  tcpwhy --version\n\n'tcpwhy VERB --help' tells the options of a verb.\n"
              "Exit status: 0 done, 1 it ran and failed, 2 wrong usage, 3 not permitted.\n"));
    return CLI_DONE;
}

static int version(void)
{
    printf(tr("tcpwhy %s\n"), TCPWHY_VERSION);
    return CLI_DONE;
}

static const struct verb *find(const char *name)
{
    for (size_t i = 0; i < VERBS; i++)
        if (!strcmp(verbs[i].name, name)) return &verbs[i];
    return NULL;
}

static int unknown(const char *word, struct err *err)
{
    const char *names[VERBS];
    for (size_t i = 0; i < VERBS; i++) names[i] = verbs[i].usage ? verbs[i].name : NULL;
    const char *near = options_nearest(word, names, VERBS);
    if (near && word[0] != '-') return err_set(err, CLI_USAGE, "no verb '%s': did you mean '%s'?", word, near);
    if (word[0] == '-') return err_set(err, CLI_USAGE, "no option '%s': see tcpwhy --help", word);
    return err_set(err, CLI_USAGE, "no verb '%s': see tcpwhy --help", word);
}

int verbs_run(int argc, char **argv, struct err *err)
{
    if (argc > 2 && !strcmp(argv[1], "--lang")) { /* before the verb, for --help as well */
        if (options_language(argv[2], err)) return CLI_USAGE;
        argc -= 2;
        argv += 2;
    }
    if (argc < 2) return err_set(err, CLI_USAGE, "a verb is missing, such as demo: see tcpwhy --help");
    const char *word = argv[1];
    if (!strcmp(word, "--help") || !strcmp(word, "-h")) return help();
    if (!strcmp(word, "--version") || !strcmp(word, "-V")) return version();
    if (!strcmp(word, "help")) {
        const struct verb *asked = argc > 2 ? find(argv[2]) : NULL;
        if (argc > 2 && (!asked || !asked->usage)) return unknown(argv[2], err);
        char option[] = "--help", *words[] = {argv[argc > 2 ? 2 : 1], option, NULL};
        return asked ? asked->run(2, words, err) : help();
    }
    const struct verb *verb = find(word);
    /* Whoever takes signals for a while does so from here on. What is not for people has nothing to say to them. */
    if (!verb || verb->usage) interrupt_say();
    return verb ? verb->run(argc - 1, argv + 1, err) : unknown(word, err);
}
