#include "story/chain.h"

#include <string.h>

/* Compilers split and clone functions: "tcp_send_challenge_ack.isra.0" is that function still. */
static bool is_function(const char *pattern, const char *function)
{
    size_t i = 0;
    while (pattern[i] && pattern[i] == function[i]) i++;
    return pattern[i] == '*' || (!pattern[i] && (!function[i] || function[i] == '.'));
}

static const struct chain_row *find(const char *function)
{
    size_t count;
    const struct chain_row *rows = chain_rows(&count);
    for (size_t i = 0; i < count; i++)
        if (rows[i].function[0] == function[0] && is_function(rows[i].function, function)) return &rows[i];
    return NULL;
}

/* "__x64_sys_connect" → "connect"; NULL for anything else. Compat entries count as the call they are. */
static const char *system_call(const char *function)
{
    static const char *const prefixes[] = {"__x64_sys_", "__arm64_sys_",       "__ia32_sys_",        "__do_sys_",
                                           "__se_sys_",  "__ia32_compat_sys_", "__arm64_compat_sys_"};
    if (function[0] != '_') return NULL;
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        size_t length = strlen(prefixes[i]);
        if (strncmp(function, prefixes[i], length) == 0) return function[length] ? function + length : NULL;
    }
    return NULL;
}

static bool is_border(enum chain_meaning meaning)
{
    return meaning == CHAIN_BORDER || meaning == CHAIN_BORDER_RECEIVE;
}

static bool is_one_of(const char *const *patterns, const char *function)
{
    for (; *patterns; patterns++)
        if (is_function(*patterns, function)) return true;
    return false;
}

/* What a packet goes through on its way out of IP and below, whoever made it. */
static bool is_ip_way(const char *function)
{
    static const char *const ways[] = {"__dev_queue_xmit",     "dev_queue_xmit*",     "neigh_*",
                                       "ip_finish_output*",    "__ip_finish_output*", "ip_output",
                                       "ip_mc_output",         "ip6_output",          "ip6_finish_output*",
                                       "__ip6_finish_output*", "dst_output",          NULL};
    return is_one_of(ways, function);
}

/* What names nobody besides: the way from TCP or UDP down to there, and netfilter's hooks. */
static bool is_way_out(const char *function)
{
    static const char *const ways[] = {"ip_local_out",
                                       "__ip_local_out",
                                       "__ip_queue_xmit",
                                       "ip_queue_xmit",
                                       "ip_send_skb",
                                       "ip_push_pending_frames",
                                       "ip6_local_out",
                                       "__ip6_local_out",
                                       "ip6_xmit",
                                       "inet6_csk_xmit",
                                       "nf_hook*",
                                       "nft_do_chain*",
                                       "ipt_do_table",
                                       "ip6t_do_table",
                                       "__tcp_transmit_skb",
                                       "tcp_transmit_skb",
                                       "tcp_write_xmit",
                                       "__tcp_push_pending_frames",
                                       "tcp_push",
                                       "tcp_sendmsg*",
                                       "inet_sendmsg",
                                       "inet6_sendmsg",
                                       "sock_sendmsg",
                                       "kernel_sendmsg",
                                       NULL};
    return is_ip_way(function) || is_one_of(ways, function);
}

/* A packet that goes straight from IP's input to its output is passed on: ip_forward jumped there. */
static bool is_straight_through(const struct event_chain *chain, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (!is_ip_way(chain->names[i])) return false;
    return at > 0;
}

/* Below a border, and no row decided: whose doing it was shows in what was on the way, or in no more than a function's name. */
static void decide_at_border(const struct event_chain *chain, size_t at, enum chain_meaning border, struct chain_verdict *verdict)
{
    const unsigned of_input = CHAIN_INPUT | CHAIN_HANDSHAKE | CHAIN_PASSIVE_RESET | CHAIN_REQUEST | CHAIN_TIME_WAIT;
    bool receives = border == CHAIN_BORDER_RECEIVE;
    verdict->decided_at = at;
    if (verdict->notes & CHAIN_PASSED_ON || (receives && is_straight_through(chain, at))) {
        verdict->meaning = verdict->notes & CHAIN_ICMP ? CHAIN_KERNEL : CHAIN_FORWARD;
        verdict->name = verdict->notes & CHAIN_ICMP ? "router" : NULL;
        return;
    }
    if (receives && verdict->notes & of_input) {
        verdict->meaning = CHAIN_RECEIVE;
        return;
    }
    verdict->meaning = CHAIN_OTHER;
    for (size_t i = 0; i <= at && !verdict->name; i++)
        if (i == at || !is_way_out(chain->names[i])) verdict->name = chain->names[i];
}

/* Small queues empty what the pacing timer let go, so within one context that timer is the reason. */
static void look_for_pacing(const struct event_chain *chain, struct chain_verdict *verdict)
{
    for (size_t i = verdict->decided_at + 1; i < chain->count; i++) {
        const struct chain_row *row = find(chain->names[i]);
        if (row && is_border(row->meaning)) return;
        if (!row || !row->name || strcmp(row->name, "pacing") != 0) continue;
        verdict->name = row->name;
        verdict->decided_at = i;
        return;
    }
}

/* Held back by the one or the other, and then let go by whoever released the socket: which of them it was does not show. */
static void look_for_release(const struct event_chain *chain, struct chain_verdict *verdict)
{
    for (size_t i = verdict->decided_at + 1; i < chain->count; i++) {
        const struct chain_row *row = find(chain->names[i]);
        if (row && is_border(row->meaning)) return;
        if (!row || !(row->note & CHAIN_LEFT_OVER)) continue;
        verdict->name = "held-back";
        return;
    }
}

/* Which of netfilter's hooks the answered packet was in: the innermost of these around the one that answered. */
static enum chain_hook hook_of(const struct event_chain *chain, size_t decided_at)
{
    static const struct {
        const char *function;
        enum chain_hook hook;
    } hooks[] = {{"ip_local_deliver", CHAIN_HOOK_INPUT},
                 {"ip6_input", CHAIN_HOOK_INPUT},
                 {"ip_forward", CHAIN_HOOK_FORWARD},
                 {"ip6_forward", CHAIN_HOOK_FORWARD},
                 {"br_forward*", CHAIN_HOOK_FORWARD},
                 {"__br_forward", CHAIN_HOOK_FORWARD},
                 {"__ip_local_out", CHAIN_HOOK_OUTPUT},
                 {"__ip6_local_out", CHAIN_HOOK_OUTPUT},
                 {"ip_local_out", CHAIN_HOOK_OUTPUT},
                 {"ip6_local_out", CHAIN_HOOK_OUTPUT},
                 {"__ip_queue_xmit", CHAIN_HOOK_OUTPUT},
                 {"ip6_xmit", CHAIN_HOOK_OUTPUT},
                 {"ip_rcv*", CHAIN_HOOK_ARRIVAL},
                 {"ipv6_rcv", CHAIN_HOOK_ARRIVAL},
                 {"br_handle_frame*", CHAIN_HOOK_ARRIVAL},
                 {"ip_sublist_rcv*", CHAIN_HOOK_ARRIVAL},
                 {"__netif_receive_skb*", CHAIN_HOOK_ARRIVAL}};
    for (size_t i = decided_at + 1; i < chain->count; i++) {
        for (size_t h = 0; h < sizeof(hooks) / sizeof(hooks[0]); h++)
            if (is_function(hooks[h].function, chain->names[i])) return hooks[h].hook;
        const struct chain_row *row = find(chain->names[i]);
        if (row && is_border(row->meaning)) break;
    }
    return CHAIN_HOOK_UNKNOWN;
}

/* On its way back to the program from an interrupt, not from a call: whatever call came last has left nothing to do here. */
static bool returns_from_interrupt(const struct event_chain *chain, size_t from)
{
    static const char *const entries[] = {
        "irqentry_exit_to_user_mode", "asm_sysvec_*", "asm_common_interrupt", "el0_interrupt", "el0t_64_irq*", NULL};
    for (size_t i = from; i < chain->count; i++)
        if (is_one_of(entries, chain->names[i])) return true;
    return false;
}

/* What a kernel function's name alone leaves open, and its surroundings tell. */
static void refine(const struct event_chain *chain, struct chain_verdict *verdict)
{
    if (verdict->meaning == CHAIN_DEFERRED && returns_from_interrupt(chain, verdict->decided_at)) {
        verdict->meaning = CHAIN_OTHER;
        verdict->name = chain->names[verdict->decided_at];
    }
    if (verdict->meaning != CHAIN_KERNEL) return;
    if (strcmp(verdict->name, "small-queues") == 0) {
        look_for_pacing(chain, verdict);
        if (strcmp(verdict->name, "small-queues") == 0) look_for_release(chain, verdict);
    } else if (strcmp(verdict->name, CHAIN_ICMP_ERROR) == 0 && verdict->notes & CHAIN_RETRANSMIT) {
        verdict->name = CHAIN_PATH_MTU_NAME; /* tcp_v4_mtu_reduced and tcp_simple_retransmit may have been jumped over */
        verdict->notes |= CHAIN_PATH_MTU;
    } else if (strcmp(verdict->name, CHAIN_FIREWALL) == 0 || strcmp(verdict->name, CHAIN_SYNPROXY) == 0) {
        verdict->hook = hook_of(chain, verdict->decided_at);
    }
}

struct chain_verdict chain_read(const struct event_chain *chain)
{
    struct chain_verdict verdict = {.meaning = CHAIN_SILENT};
    for (size_t i = 0; chain && i < chain->count; i++) {
        const struct chain_row *row = find(chain->names[i]);
        const char *call = row ? NULL : system_call(chain->names[i]);
        if (row) verdict.notes |= row->note;
        if (!call && (!row || row->meaning == CHAIN_SILENT)) continue;
        if (row && is_border(row->meaning)) {
            decide_at_border(chain, i, row->meaning, &verdict);
            break;
        }
        verdict.meaning = row ? row->meaning : CHAIN_CALL;
        verdict.name = row ? row->name : call;
        verdict.decided_at = i;
        refine(chain, &verdict);
        break;
    }
    return verdict;
}

bool chain_is_in_a_name(const struct chain_verdict *verdict)
{
    static const char *const names[] = {CHAIN_FIREWALL, CHAIN_SYNPROXY, "raw-socket"};
    for (size_t i = 0; verdict->meaning == CHAIN_KERNEL && i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(verdict->name, names[i]) == 0) return true;
    return false;
}
