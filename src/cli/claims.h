/* tcpwhy claims: what people say of TCP, and what the kernel shows. */
#ifndef TCPWHY_CLI_CLAIMS_H
#define TCPWHY_CLI_CLAIMS_H

#include "base/lang.h"
#include "cli/cli.h"

#define CLAIMS_USAGE "[OPTIONS] [NUMBER|WORD…]"
#define CLAIMS_SUMMARY TR("what people say of TCP, and what a run shows")

cli_verb cli_claims;

#endif
