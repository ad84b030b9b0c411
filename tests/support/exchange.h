/* A connection before the judge, said step by step as text. A step is "who:flags:seq:ack:length[:window[:look[:interface]]]": who
 * is c or s, flags are of FSRPA (k: it carries SACK blocks; u: its checksum is not known; - for none), numbers are relative to each
 * side's ISN, and may be negative.
 * "+20ms" lets time pass (s, ms, us, ns, and negative too); besides, a millisecond passes between two segments. */
#ifndef TCPWHY_TESTS_EXCHANGE_H
#define TCPWHY_TESTS_EXCHANGE_H

#include "conn/conn.h"

struct exchange {
    struct conn conn; /* first: its second record is found by it */
    struct conn_more more;
    bool has_more;
    bool no_memory; /* there is no second record to be had */
    bool begun;
    char first;    /* who is end 0 */
    unsigned anew; /* how many segments began another connection; `conn` is the last one */
    struct conn_judge judge;
    struct conn_verdict verdict; /* of the last segment */
    char classes[1024];          /* of all in the last exchange_say, as names, a blank between them */
    int64_t t_ns;
    uint32_t isn[2]; /* c's, s's */
};

void exchange_begin(struct exchange *exchange);
/* As a capture from one place shows it: as the ledger feeds its judge. */
void exchange_say(struct exchange *exchange, const char *steps);
/* The segment of one step, and which end sends it. */
struct conn_segment exchange_segment(const struct exchange *exchange, const char *step, unsigned *ret_side);

unsigned exchange_side(const struct exchange *exchange, char who);
const struct conn_end *exchange_end(const struct exchange *exchange, char who);
const struct conn_more_end *exchange_more(const struct exchange *exchange, char who);
uint64_t exchange_bytes(const struct exchange *exchange, char who);
uint64_t exchange_missed(struct exchange *exchange, char who);
/* Fails unless it stands so: "FIN_WAIT_1 CLOSE_WAIT open c", which are the states of c and s, the outcome, and who closed first (c,
 * s or -). */
#define assert_stands(exchange, stand) exchange_assert_stands(exchange, stand, __FILE__, __LINE__)
void exchange_assert_stands(struct exchange *exchange, const char *stand, const char *file, int line);
/* The same as text. Valid until the next call. */
const char *exchange_stand(const struct exchange *exchange);
#define assert_classes(exchange, names) exchange_assert_classes(exchange, names, __FILE__, __LINE__)
void exchange_assert_classes(const struct exchange *exchange, const char *names, const char *file, int line);

const char *exchange_outcome(enum conn_outcome outcome);

#define HANDSHAKE "c:S:0:0:0 s:SA:0:1:0 c:A:1:1:0 "

#endif
