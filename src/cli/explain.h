/* tcpwhy explain: what a word of the output means. */
#ifndef TCPWHY_CLI_EXPLAIN_H
#define TCPWHY_CLI_EXPLAIN_H

#include "base/err.h"
#include "base/lang.h"

#define EXPLAIN_USAGE "[ID…]"
#define EXPLAIN_SUMMARY TR("what a word of the output means")

int cli_explain(int argc, char **argv, struct err *err);

#endif
