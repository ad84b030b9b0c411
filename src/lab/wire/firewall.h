/* A firewall on a host: rules of nftables, in the host's own network namespace and nowhere else. They end with it.
 *
 * The rules are loaded by nft(8), a program of its own, which may be missing. */
#ifndef TCPWHY_LAB_WIRE_FIREWALL_H
#define TCPWHY_LAB_WIRE_FIREWALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "lab/wire/router.h"

enum { FIREWALL_RULE_BYTES = 512 };

/* 0: nft is installed; -ENOTSUP and a sentence that names the package. */
int firewall_check(struct err *err);
/* Whether a text can be one rule and nothing but a rule: no quotes, no line breaks, no ; and no #. What a rule may be, nft says. */
bool firewall_is_rule(const char *text);
/* The rule that refuses TCP to a port so: "tcp dport 3333 drop". Returns `text`. */
const char *firewall_rule_text(uint16_t port, enum router_answer answer, char *text, size_t text_bytes);
/* Appends a rule (firewall_is_rule) to what the host receives, or sends. `netns_fd`: its namespace; -1: the caller's. 0, or -errno
 * with nft's own words. */
int firewall_add(int netns_fd, bool output, const char *rule, struct err *err);
/* Takes all rules of this module away. */
int firewall_open(int netns_fd, struct err *err);

#endif
