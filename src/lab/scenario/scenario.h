/* A scenario: the model of a text in the language of docs/SCENARIOS.md, and the mistakes found in one.
 *
 * Pure: text in, model out; no I/O, nothing is looked up or run. A scenario owns its memory (one arena); strings in it live as
 * long. All mistakes of a text are reported, each with its place. */
#ifndef TCPWHY_LAB_SCENARIO_SCENARIO_H
#define TCPWHY_LAB_SCENARIO_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/arena.h"
#include "base/buf.h"
#include "lab/scenario/scenario_expect.h"
#include "lab/wire/router.h"
#include "lab/wire/wire_forge.h"

enum {
    SCENARIO_NAME_BYTES = 24, /* of an actor, a socket, a held segment, with the NUL */
    SCENARIO_ACTORS_MAX = 16,
    SCENARIO_SOCKETS_MAX = 16, /* of one actor */
    SCENARIO_STEPS_MAX = 10000,
    SCENARIO_CLAIMS_MAX = 16,
    SCENARIO_ROUNDS_MAX = 1000,      /* of a repeat */
    SCENARIO_DATA_BYTES = 1024,      /* of a text to send */
    SCENARIO_SEND_BYTES = 16 << 20,  /* of `send N bytes` */
    SCENARIO_SOURCE_BYTES = 1 << 20, /* of a scenario's text */
    SCENARIO_MISTAKES_MAX = 100
};

enum scenario_place { SCENARIO_WIRE, SCENARIO_LOOPBACK };

/* How long a wire takes in each direction until a step says otherwise: long enough for a segment's way to be seen, and for two runs
 * to look alike. */
enum { SCENARIO_WAY_NS = 20000000 };

enum {
    SCENARIO_NEEDS_IO_URING = 1,
    SCENARIO_NEEDS_MPTCP = 2,
    SCENARIO_NEEDS_IPV6 = 4,
    SCENARIO_NEEDS_NFTABLES = 8,
    SCENARIO_NEEDS_DESTROY = 16
};

enum scenario_verb {
    /* an actor's */
    SCENARIO_BIND,
    SCENARIO_SET,
    SCENARIO_LISTEN,
    SCENARIO_CONNECT,
    SCENARIO_ACCEPT,
    SCENARIO_SEND,
    SCENARIO_RECV,
    SCENARIO_SHUTDOWN,
    SCENARIO_CLOSE,
    SCENARIO_POLL,
    SCENARIO_ERROR,
    SCENARIO_DISCONNECT,
    SCENARIO_DUP,
    SCENARIO_REPLACE,
    SCENARIO_FORK,
    SCENARIO_EXEC,
    SCENARIO_EXIT,
    SCENARIO_ACTOR_VERBS, /* those above are commands that an actor carries out; those below are the runner's */
    SCENARIO_SYSCTL = SCENARIO_ACTOR_VERBS,
    SCENARIO_FIREWALL,
    SCENARIO_DESTROY,
    SCENARIO_DONE,
    SCENARIO_KILL,
    SCENARIO_WAIT,
    SCENARIO_WAIT_FOR,
    SCENARIO_TELL,
    /* the wire's */
    SCENARIO_WIRE_DELAY,
    SCENARIO_WIRE_RULE,
    SCENARIO_WIRE_RELEASE,
    SCENARIO_WIRE_CUT,
    SCENARIO_WIRE_MEND,
    SCENARIO_WIRE_FORGET,
    SCENARIO_ROUTER,
    SCENARIO_WIRE_INJECT,
    SCENARIO_VERBS
};

/* Whose address a step means. */
enum scenario_host {
    SCENARIO_HOST_ANY,
    SCENARIO_HOST_CLIENT,
    SCENARIO_HOST_SERVER,
    SCENARIO_HOST_ROUTER, /* on the side of the actor */
    SCENARIO_HOST_LITERAL
};

enum { SCENARIO_READ = 1, SCENARIO_WRITE = 2 }; /* bits: shutdown's and poll's `how` */

struct scenario_step {
    enum scenario_verb verb;
    uint32_t line;
    const char *text;   /* the line as it stands, without comment and surrounding blanks */
    bool runs_on;       /* & */
    uint8_t actor;      /* index into scenario.actors; for KILL the victim */
    const char *socket; /* the socket it works on; NULL: none */
    const char *name;   /* the new socket's (LISTEN, CONNECT, ACCEPT, DUP), the new actor's (FORK), the held segment's; else NULL */
    bool fresh;         /* BIND, SET, LISTEN, CONNECT: makes the socket first where there is none of that name */
    bool ipv6, udp, mptcp, uring, nonblocking;
    enum scenario_host host; /* BIND, LISTEN, CONNECT */
    struct address address;  /* its port; with SCENARIO_HOST_LITERAL its IP too; LISTEN: port 0 where a bind came before, or the
                                kernel is to choose one */
    const char *data;        /* SEND, CONNECT (Fast Open): the bytes; NULL for `send N bytes`. FIREWALL: a rule as nft has it; NULL:
                                number, answer */
    int64_t number;          /* bytes (SEND, RECV), backlog, EXIT's status, KILL's signal, SET's value, SHUTDOWN's and POLL's bits,
                                FIREWALL's and DESTROY's port, ROUTER_MTU's bytes */
    bool all, until_end;     /* RECV */
    bool off;                /* SET SO_LINGER off; FIREWALL: its rules go */
    int64_t duration_ns;     /* WAIT, POLL (-1: for ever), WIRE_DELAY, a rule's extra delay, SET of a time value */
    const char *option;      /* SET: "SO_LINGER"; SYSCTL: its name */
    const char *value;       /* SYSCTL */
    enum wire_action action; /* WIRE_RULE */
    enum scenario_side side; /* WIRE_DELAY, CUT, MEND: from whom; SCENARIO_BOTH: both directions. ROUTER_TRANSLATE: whose */
    struct scenario_match match;  /* WIRE_RULE, WAIT_FOR; ROUTER_REFUSE, SKIP; WIRE_INJECT: its kind and whose name it has */
    struct wire_forgery *forgery; /* WIRE_INJECT */
    enum router_verb router;      /* ROUTER */
    enum router_answer answer;    /* ROUTER, FIREWALL */
    bool outgoing;                /* FIREWALL: a rule for what the host sends */
};

struct scenario_actor {
    const char *name;
    enum scenario_side host; /* where it lives */
    int parent;              /* index of the actor that it is forked from; -1: there from the start */
};

/* What a lesson is about, in the order in which a course takes them. SCENARIO_GROUPS: it has none. */
enum scenario_group {
    SCENARIO_GROUP_HANDSHAKE,
    SCENARIO_GROUP_GOODBYE,
    SCENARIO_GROUP_RESETS,
    SCENARIO_GROUP_LOSS,
    SCENARIO_GROUP_QUEUES,
    SCENARIO_GROUP_OPTIONS,
    SCENARIO_GROUP_CALLS,
    SCENARIO_GROUP_UDP,
    SCENARIO_GROUP_PATH,
    SCENARIO_GROUPS
};

/* What a run that does as it is expected to shows of a claim. */
enum scenario_claim_verdict { SCENARIO_CLAIM_WRONG, SCENARIO_CLAIM_HALF, SCENARIO_CLAIM_RIGHT, SCENARIO_CLAIM_VERDICTS };

/* Something that people say of TCP. Its verdict holds in a run in which its expectations are met, and in no other. */
struct scenario_claim {
    uint32_t line;
    uint32_t number; /* in the catalogue; 0: it has none */
    enum scenario_claim_verdict verdict;
    const char *text, *zh;             /* zh: in Chinese; NULL none */
    const char *because, *because_zh;  /* a sentence each; NULL none */
    size_t first_expect, expect_count; /* among the scenario's expects, at least one (half: two) */
};

struct scenario_section {
    uint32_t rfc;
    const char *section; /* NULL: the whole RFC */
};

struct scenario {
    struct arena arena;
    const char *title; /* never NULL in a scenario without mistakes */
    enum scenario_group group;
    enum scenario_place place;
    unsigned needs; /* SCENARIO_NEEDS_* bits */
    bool routed;    /* a router stands between the hosts */
    bool marked;    /* the text began with a byte order mark, which is none of it */
    int64_t limit_ns;
    struct scenario_section *sections;
    size_t section_count;
    struct scenario_actor actors[SCENARIO_ACTORS_MAX]; /* 0 is client, 1 is server */
    size_t actor_count;
    struct scenario_step *steps;
    size_t step_count;
    struct scenario_expect *expects;
    size_t expect_count;
    struct scenario_claim *claims;
    size_t claim_count;
    uint16_t ports[8];        /* that steps bind, listen at or connect to, in their order; 0 ends. More are not kept */
    uint16_t server_ports[8]; /* those that are listened at, or connected to; 0 ends */
};

/* Words that expectations may use and that belong to others: a text is held to them. */
struct scenario_vocabulary {
    const char *const *findings; /* their ids; NULL: any name will do */
    size_t finding_count;
    const char *const *calls; /* names of system calls besides the words of the language; NULL: any name will do */
    size_t call_count;
};

struct scenario_mistake {
    uint32_t line, column; /* from 1; columns count characters, not bytes */
    uint32_t width;        /* columns to underline, at least 1 */
    char text[240];        /* what was expected; no full stop */
};

struct scenario_mistakes {
    struct scenario_mistake list[SCENARIO_MISTAKES_MAX];
    size_t count; /* of `list`; there may be more */
    size_t total;
};

/* Parses `length` bytes, of which a byte order mark at the beginning is none. 0 and a scenario (release with scenario_free);
 * -EINVAL and at least one mistake; -ENOMEM. The text isn't needed afterwards. */
int scenario_parse(const char *text, size_t length, const struct scenario_vocabulary *vocabulary, struct scenario **ret_scenario,
                   struct scenario_mistakes *mistakes);
void scenario_free(struct scenario *scenario);

/* The mistakes as a person reads them: "file:line:column: what was expected", the line, a caret; control characters of the text are
 * replaced. 0 or -errno of the buffer. */
int scenario_explain(struct buf *out, const char *file, const char *text, size_t length, const struct scenario_mistakes *mistakes);

/* "connect" …: the word of the language; NULL for the wire's. Static storage. */
const char *scenario_verb_name(enum scenario_verb verb);

/* "handshake" …; NULL for SCENARIO_GROUPS. Static storage. */
const char *scenario_group_name(enum scenario_group group);
/* "wrong", "half", "right": the word of the language. Static storage. */
const char *scenario_claim_verdict(enum scenario_claim_verdict verdict);

/* Whether a step is a rule of the wire or of the router: something that acts on segments that match. */
bool scenario_is_rule(const struct scenario_step *step);
/* Whether a captured packet is such an ICMP error (RFC 792, RFC 4443). */
bool scenario_icmp_matches(enum scenario_icmp icmp, const struct event_packet *packet);
/* The index of an actor by its name; -1: there is none. */
int scenario_find_actor(const struct scenario *scenario, const char *name);

/* An option of `set`, by its name: *ret_level (-1: a flag of the descriptor) and *ret_name as setsockopt(2) takes them, how the
 * value is given, and the unit of a value that is a time (0: it is none). False: no such option. */
enum scenario_value {
    SCENARIO_VALUE_INT,
    SCENARIO_VALUE_LINGER,
    SCENARIO_VALUE_TIMEVAL,
    SCENARIO_VALUE_CLOEXEC,
    SCENARIO_VALUE_NONBLOCK
};
bool scenario_option(const char *option, int *ret_level, int *ret_name, enum scenario_value *ret_value, int64_t *ret_unit_ns);
/* The names of all of them; *ret_count. Static storage. */
const char *const *scenario_option_words(size_t *ret_count);

#endif
