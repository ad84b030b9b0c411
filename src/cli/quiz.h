/* tcpwhy quiz: questions from a real story, asked in the terminal or written as a paper. */
#ifndef TCPWHY_CLI_QUIZ_H
#define TCPWHY_CLI_QUIZ_H

#include "base/lang.h"
#include "cli/cli.h"

#define QUIZ_USAGE "[OPTIONS] SCENARIO|FILE"
#define QUIZ_SUMMARY TR("questions from what happened; for a class, too")

cli_verb cli_quiz;

#endif
