#include "capture/bpf/bpf_chains.h"

#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 64, FORGOTTEN = 1 };

/* A chain's functions, innermost first, without the recorder's own; and where in the stack as it was unwound they begin. */
struct names {
    const char *name[RECORD_FRAMES_MAX];
    size_t count, begin;
};

/* One that is known by heart, as the events tell it. */
struct learned {
    struct names names;
    struct bpf_chain told;
    const struct event_log *log; /* that `told` belongs to */
};

struct sample {
    uint64_t number;
    struct bpf_chain told;
};

struct bpf_chains {
    struct record_known *known;
    struct learned *learned[RECORD_KNOWN_MAX];
    struct sample samples[SAMPLES]; /* the last ones: each record comes soon after its own */
    size_t next_sample;
    struct bpf_chains_counts counts;
};

struct bpf_chains *bpf_chains_new(struct record_known *known)
{
    struct bpf_chains *chains = calloc(1, sizeof(*chains));

    if (chains) chains->known = known;
    return chains;
}

void bpf_chains_free(struct bpf_chains *chains)
{
    if (!chains) return;
    for (size_t i = 0; i < RECORD_KNOWN_MAX; i++) free(chains->learned[i]);
    free(chains);
}

struct bpf_chains_counts bpf_chains_counts(const struct bpf_chains *chains)
{
    return chains->counts;
}

/* ---- names ---- */

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* The stack begins in the program that took it: everything up to the tracepoint is not the kernel's story. */
static bool is_tracing(const char *name)
{
    static const char *const tracing[] = {"bpf_prog_",       "bpf_get_stack", "bpf_trace_run",   "__bpf_trace_", "__traceiter_",
                                          "bpf_trampoline_", "__bpf_prog_",   "bpf_dispatcher_", "__do_trace_",  "__SCT__"};

    for (size_t i = 0; i < sizeof(tracing) / sizeof(tracing[0]); i++) {
        if (starts_with(name, tracing[i])) return true;
    }
    return false;
}

/* Where the kernel's story begins in the stack: behind the tracepoint's functions, which the kernel itself has. What is before them
 * is the program's, and need not have a name. Only the beginning: further on, an interrupt may have hit a program, and then the
 * chain goes through it. */
static size_t story_begins(const struct kernel_symbols *symbols, const uint64_t *stack, size_t frames)
{
    size_t begin = 0;

    for (size_t i = 0; i < frames; i++) {
        const char *name = kernel_symbols_own_name(symbols, stack[i] - 1);

        if (name && is_tracing(name))
            begin = i + 1;
        else if (name || begin)
            break;
    }
    return begin;
}

static struct names names_of(struct bpf_chains *chains, const struct kernel_symbols *symbols, const uint64_t *stack, size_t frames)
{
    struct names names = {.begin = story_begins(symbols, stack, frames)};

    for (size_t i = names.begin; i < frames && names.count < EVENT_CHAIN_MAX; i++) {
        /* A frame is the address that a call returns to, which can be the next function's first. */
        const char *name = kernel_symbols_name(symbols, stack[i] - 1);

        if (!name) chains->counts.unknown_frames++;
        names.name[names.count++] = name ? name : "?";
    }
    return names;
}

/* What decides whether the kernel is at work on the packet that was received last: the innermost of these in the chain. */
enum frame_meaning { FRAME_OTHER, FRAME_RECEIVES, FRAME_RECEIVES_LIST, FRAME_DOES_NOT };

static enum frame_meaning frame_meaning(const char *name)
{
    static const struct {
        const char *name;
        enum frame_meaning meaning;
    } frames[] = {
        {"ip_sublist_rcv", FRAME_RECEIVES_LIST},
        {"ip6_sublist_rcv", FRAME_RECEIVES_LIST},
        {"__netif_receive_skb_core", FRAME_RECEIVES},
        {"__netif_receive_skb_one_core", FRAME_RECEIVES},
        {"__netif_receive_skb", FRAME_RECEIVES},
        {"__netif_receive_skb_list_core", FRAME_RECEIVES_LIST},
        {"__release_sock", FRAME_DOES_NOT}, /* the backlog: packets received earlier */
        {"run_timer_softirq", FRAME_DOES_NOT},
        {"call_timer_fn", FRAME_DOES_NOT},
        {"__run_timers", FRAME_DOES_NOT},
        {"tmigr_handle_remote", FRAME_DOES_NOT},
        {"__hrtimer_run_queues", FRAME_DOES_NOT}, /* an interrupt on top of the reception */
        {"hrtimer_interrupt", FRAME_DOES_NOT},
        {"tcp_tasklet_func", FRAME_DOES_NOT},
        {"net_tx_action", FRAME_DOES_NOT},
    };

    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        if (strcmp(name, frames[i].name) == 0) return frames[i].meaning;
    }
    return FRAME_OTHER;
}

static enum frame_meaning names_meaning(const struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        enum frame_meaning meaning = frame_meaning(names->name[i]);

        if (meaning != FRAME_OTHER) return meaning;
    }
    return FRAME_DOES_NOT;
}

/* Between two devices (a VLAN and what carries it, a bond, a bridge) a packet is queued once more: the chain shows the first device
 * transmitting. */
static bool names_are_stacked_device(const struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->name[i], "dev_hard_start_xmit") == 0) return true;
        if (frame_meaning(names->name[i]) != FRAME_OTHER) return false;
    }
    return false;
}

static struct bpf_chain told_of(const struct names *names, struct event_log *log)
{
    return (struct bpf_chain){
        .chain = event_log_chain(log, names->name, names->count),
        /* A list of packets is announced before the first of them is worked on: the last one announced need not be it. */
        .receives = names_meaning(names) == FRAME_RECEIVES,
        .is_stacked_device = names_are_stacked_device(names),
    };
}

/* ---- by heart ---- */

/* Where a system call or a softirq begins: who called that names no cause, and may stand elsewhere (on another stack; at random,
 * with randomize_kstack_offset). */
static bool is_end(const char *name)
{
    static const char *const ends[] = {"do_syscall_64",  "do_syscall_x64", "invoke_syscall",   "el0_svc_common.constprop.0",
                                       "el0_svc_common", "do_el0_svc",     "el0_svc",          "handle_softirqs",
                                       "__do_softirq",   "ret_from_fork",  "ret_from_fork_asm"};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (strcmp(name, ends[i]) == 0) return true;
    return false;
}

/* How many names lead to the end; 0: it is not among them. */
static size_t names_to_end(const struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (is_end(names->name[i])) return i + 1;
    return 0;
}

/* Where in the window the return addresses `stack` may stand, in their order: from the earliest to the latest place of each. False:
 * one is not there. */
static bool places_find(const uint64_t *stack, size_t frames, const struct record_chain *chain, uint32_t *earliest,
                        uint32_t *latest)
{
    uint32_t at = 0, end = chain->word_count;

    for (size_t i = 0; i < frames; i++, at++) {
        while (at < chain->word_count && chain->words[at] != stack[i]) at++;
        if (at == chain->word_count) return false;
        earliest[i] = at;
    }
    for (size_t i = frames; i-- > 0;) {
        do end--; /* it is there: one has just been found */
        while (chain->words[end] != stack[i]);
        latest[i] = end;
    }
    return true;
}

/* All places that may hold one of the addresses: those that do are among them. False: too many. */
static bool known_fill(struct record_known *known, const struct record_chain *chain, const uint64_t *stack, size_t frames)
{
    uint32_t earliest[RECORD_FRAMES_MAX], latest[RECORD_FRAMES_MAX];

    *known = (struct record_known){.signature = chain->signature};
    if (!places_find(stack, frames, chain, earliest, latest)) return false;
    for (uint32_t at = earliest[0]; at <= latest[frames - 1]; at++) {
        bool holds = false;

        for (size_t i = 0; i < frames && !holds; i++) holds = chain->words[at] == stack[i] && earliest[i] <= at && at <= latest[i];
        if (!holds) continue;
        if (known->count == RECORD_KNOWN_WORDS) return false;
        known->at[known->count] = (uint16_t)at;
        known->word[known->count++] = chain->words[at];
        known->check ^= chain->words[at];
        known->bytes = (at + 1) * (uint32_t)sizeof(chain->words[0]);
    }
    return true;
}

static bool is_known(const struct record_known *place, const struct record_known *known)
{
    return place->signature == known->signature && place->count == known->count &&
           memcmp(place->at, known->at, sizeof(known->at)) == 0 && memcmp(place->word, known->word, sizeof(known->word)) == 0;
}

static void publish(struct record_known *place, const struct record_known *known)
{
    memcpy(place->at, known->at, sizeof(known->at));
    memcpy(place->word, known->word, sizeof(known->word));
    place->bytes = known->bytes;
    place->check = known->check;
    place->count = known->count;
    __atomic_store_n(&place->signature, known->signature, __ATOMIC_RELEASE);
}

static void learn(struct bpf_chains *chains, const struct record_chain *chain, const struct names *names)
{
    size_t frames = names_to_end(names);
    struct record_known known;

    if (!chains->known || !frames || !known_fill(&known, chain, (const uint64_t *)chain->stack + names->begin, frames)) return;
    for (uint32_t i = 0; i < RECORD_KNOWN_TRIES; i++) {
        uint32_t place = (record_known_place(chain->signature) + i) & (RECORD_KNOWN_MAX - 1);

        if (is_known(&chains->known[place], &known)) return;
        if (chains->known[place].signature) continue;
        chains->learned[place] = calloc(1, sizeof(*chains->learned[place]));
        if (!chains->learned[place]) return;
        chains->learned[place]->names = *names;
        chains->learned[place]->names.count = frames;
        publish(&chains->known[place], &known);
        return;
    }
}

/* What was known by heart has been unwound once more: is it that? */
static void verify(struct bpf_chains *chains, uint32_t place, const struct names *names)
{
    const struct learned *learned = chains->learned[place];
    bool same = learned && learned->names.count <= names->count;

    for (size_t i = 0; same && i < learned->names.count; i++) same = strcmp(learned->names.name[i], names->name[i]) == 0;
    if (same) return;
    chains->counts.mistaken++;
    if (chains->known) __atomic_store_n(&chains->known[place].signature, FORGOTTEN, __ATOMIC_RELEASE);
}

void bpf_chains_take(struct bpf_chains *chains, const struct kernel_symbols *symbols, const struct record_chain *chain,
                     struct event_log *log)
{
    struct sample *sample = &chains->samples[chains->next_sample++ % SAMPLES];
    struct names names;

    *sample = (struct sample){.number = chain->sample};
    if (chain->stack_bytes <= 0) return;
    if (!symbols) {
        chains->counts.unnamed++;
        return;
    }
    names = names_of(chains, symbols, (const uint64_t *)chain->stack, (size_t)chain->stack_bytes / sizeof(chain->stack[0]));
    sample->told = told_of(&names, log);
    if (chain->known)
        verify(chains, chain->known - 1, &names);
    else
        learn(chains, chain, &names);
}

struct bpf_chain bpf_chains_find(struct bpf_chains *chains, const struct record_context *context, struct event_log *log)
{
    struct learned *learned = context->known && context->known <= RECORD_KNOWN_MAX ? chains->learned[context->known - 1] : NULL;

    if (learned && learned->log != log) {
        learned->told = told_of(&learned->names, log);
        learned->log = log;
    }
    if (learned) return learned->told;
    for (size_t i = 0; i < SAMPLES; i++) { /* of those that were never filled `told` is nothing */
        const struct sample *sample = &chains->samples[(chains->next_sample - 1 - i) % SAMPLES];

        if (sample->number == context->sample) return sample->told;
    }
    return (struct bpf_chain){.chain = NULL};
}
