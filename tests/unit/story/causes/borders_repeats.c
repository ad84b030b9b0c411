/* Repeats and recovery, and the borders of reasons. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "borders_own.h"
#include "support/lines.h"
#include "support/tell.h"

#define RTO " chain=__tcp_retransmit_skb;tcp_retransmit_timer;tcp_write_timer;call_timer_fn"
#define BY_ACK " chain=__tcp_retransmit_skb;tcp_xmit_retransmit_queue;tcp_ack;tcp_rcv_established;tcp_v4_rcv;net_rx_action"

/* tcp_xmit_retransmit_queue sends both: until what had been sent before a timeout is acknowledged, it is that timeout's work. */
void a_timeouts_recovery_lasts_until_all_that_was_sent_before_is_acknowledged(void **data)
{
    (void)data;
    struct told *told =
        tell_text(TRACE HANDSHAKE PACKET(2000, S, S_DATA) PACKET(2001, S, S_DATA_2) MARK(5250000, S, S_DATA, S_CUR S_SOCK RTO)
                      PACKET(5250001, S, S_DATA) PACKET(5250010, C, "flags=. seq=101 ack=506")
                          MARK(5250020, S, S_DATA_2, S_CUR S_SOCK BY_ACK) PACKET(5250021, S, S_DATA_2)
                              PACKET(5250030, C, "flags=. seq=101 ack=511") PACKET(5260000, S, "flags=P. seq=511 ack=101 len=5")
                                  MARK(9260100, S, "flags=P. seq=511 ack=101 len=5", S_CUR S_SOCK BY_ACK)
                                      PACKET(9260101, S, "flags=P. seq=511 ack=101 len=5"),
                  0);
    const struct story *story = told->stories[0];
    assert_int_equal(told_segment(story, STORY_SERVER, "data", 3)->repeat, STORY_REPEAT_RTO);
    assert_int_equal(told_segment(story, STORY_SERVER, "data", 4)->repeat, STORY_REPEAT_RECOVERY);
    assert_int_equal(told_segment(story, STORY_SERVER, "data", 6)->repeat, STORY_REPEAT_FAST);
    told_free(told);
}

#define RESET(t, reason, sock) "reset t=" #t US " sent=1 reason=" reason " netns=9 " S_CUR sock "\n"

static const char *reason_of(const char *text, struct told **ret_told)
{
    *ret_told = tell_text(text, 0);
    return told_segment((*ret_told)->stories[0], STORY_SERVER, "RST", 1)->reset_reason;
}

void a_reset_has_the_kernels_reason_that_was_reported_with_it(void **data)
{
    (void)data;
    static const struct {
        const char *text, *reason;
    } cases[] = {
        /* an aborting end reports behind the segment, an answering one before */
        {TRACE HANDSHAKE PACKET(2000, S, S_RST_LATER) RESET(2003, "TCP_ABORT_ON_CLOSE", S_SOCK), "TCP_ABORT_ON_CLOSE"},
        {TRACE HANDSHAKE RESET(1998, "NO_SOCKET", S_SOCK) PACKET(2000, S, S_RST_LATER), "NO_SOCKET"},
        {TRACE HANDSHAKE RESET(1000, "OTHER", S_SOCK) RESET(1998, "NO_SOCKET", S_SOCK) PACKET(2000, S, S_RST_LATER), "NO_SOCKET"},
        /* the other end's; a kernel that gives none; too far away, and just not */
        {TRACE HANDSHAKE PACKET(2000, S, S_RST_LATER) RESET(2003, "TCP_STATE", C_SOCK), NULL},
        {TRACE HANDSHAKE PACKET(2000, S, S_RST_LATER) "reset t=2003000 sent=1 netns=9 " S_CUR S_SOCK "\n", NULL},
        {TRACE HANDSHAKE PACKET(2000, S, S_RST_LATER) RESET(7001, "TCP_STATE", S_SOCK), NULL},
        {TRACE HANDSHAKE PACKET(2000, S, S_RST_LATER) RESET(7000, "TCP_STATE", S_SOCK), "TCP_STATE"},
        {TRACE HANDSHAKE PACKET(2000, S, S_RST_LATER), NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct told *told;
        const char *reason = reason_of(cases[i].text, &told);
        if (strcmp(reason ? reason : "-", cases[i].reason ? cases[i].reason : "-") != 0) fail_msg("case %zu: %s", i, reason);
        told_free(told);
    }
}

void a_firewalls_reset_does_not_take_the_reason_of_anothers(void **data)
{
    (void)data;
    struct told *told;
    const char *reason =
        reason_of(TRACE HANDSHAKE RESET(1999, "NO_SOCKET", S_SOCK)
                      MARK(2000, S, S_RST_LATER, C_CUR "chain=nf_send_reset;nf_hook_slow;ip_local_deliver;net_rx_action")
                          PACKET(2001, S, S_RST_LATER),
                  &told);
    assert_null(reason);
    told_free(told);
}

/* What a ring's operation closes only the kernel's own evidence shows. */
void who_hands_over_operations_by_a_ring_may_have_closed_before_its_end(void **data)
{
    (void)data;
#define RUN_BY(recorder) "# tcpwhy events 1\ntrace t=1 recorder=" recorder " ports=3333\nvantage t=1 vantage=1 netns=9 name=lo\n"
#define RING "enter t=1500000 " C_THREAD "name=io_uring_enter fd=-1 how=-1 level=-1\n"
#define ENDS_AT(ns) "process t=" ns " " C_THREAD "change=exit status=0 signal=0\n"
    static const struct {
        const char *text;
        enum story_cause_kind kind;
    } cases[] = {
        {RUN_BY("ptrace") HANDSHAKE CALL(1900, 1901, C_THREAD, "write", C_SOCK) PACKET(2000, C, C_FIN) ENDS_AT("2000001"),
         CAUSE_EXIT},
        {RUN_BY("ptrace") HANDSHAKE RING CALL(1900, 1901, C_THREAD, "write", C_SOCK) PACKET(2000, C, C_FIN) ENDS_AT("2000001"),
         CAUSE_UNKNOWN},
        {RUN_BY("ptrace") HANDSHAKE RING CALL(1900, 1901, C_THREAD, "write", C_SOCK) ENDS_AT("2000000") PACKET(2000, C, C_FIN),
         CAUSE_EXIT},
        {RUN_BY("bpf") HANDSHAKE RING CALL(1900, 1901, C_THREAD, "write", C_SOCK) PACKET(2000, C, C_FIN) ENDS_AT("2000001"),
         CAUSE_EXIT},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct told *told = tell_text(cases[i].text, 0);
        enum story_cause_kind kind = told_segment(told->stories[0], STORY_CLIENT, "FIN", 1)->cause.kind;
        if (kind != cases[i].kind) fail_msg("text %zu: %s", i, story_cause_name(kind));
        told_free(told);
    }
}
