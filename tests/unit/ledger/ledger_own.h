/* Internal to ledger.c and ledger_bounds.c. */
#ifndef TCPWHY_TESTS_LEDGER_OWN_H
#define TCPWHY_TESTS_LEDGER_OWN_H

#include "ledger/ledger.h"

/* A segment of the client (side 0) or the server (1); numbers count from the ISNs, flags are letters of "FSRPA". */
struct ledger_segment segment_of(int side, const char *flags, uint32_t seq, uint32_t ack, uint32_t length, uint16_t window,
                                 int64_t t_ns, uint16_t client_port);
void a_flood_stays_within_its_bound(void **state);
void memory_is_used_again_after_connections_close(void **state);
void as_many_closed_connections_as_may_linger_wait_for_what_comes_late(void **state);
void one_closed_connection_more_than_may_linger_waits_for_some_seconds(void **state);

#endif
