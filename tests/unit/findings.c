/* Every finding by the events that prove it, and by the nearest events that don't. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support/lines.h"
#include "support/tell.h"

/* The same ends on a wire, where what arrives is seen apart. */
#define S_FIN "flags=F. seq=501 ack=102"
#define CHAIN(frames) " chain=" frames
#define OPTION(t, who, sock, level, name, value)                                                                                   \
    "enter t=" #t US " " who "name=setsockopt fd=3 level=" level " how=" name " value=" value " " sock "\n"                        \
    "exit t=" #t US " " who "name=setsockopt fd=3 level=" level " how=" name " slept=-1 ret=0 " sock "\n"
#define CLOSE(from, to, who, sock, more) ENTER(from, who, "close", sock, more) EXIT(to, who, "close", sock, "")
#define FAILS(from, to, who, name, sock, ret)                                                                                      \
    ENTER(from, who, name, sock, "") "exit t=" #to US " " who "name=" name " fd=3 how=-1 level=-1 slept=-1 ret=" ret " " sock "\n"
#define LISTENER "sock.cookie=5 sock.proto=tcp sock.local=127.0.0.1:3333 sock.state=LISTEN"
#define LISTEN                                                                                                                     \
    "enter t=900" US " " S_THREAD "name=listen fd=3 how=0 level=-1 " LISTENER "\n"                                                 \
    "exit t=901" US " " S_THREAD "name=listen fd=3 how=0 level=-1 slept=-1 " LISTENER "\n"
#define ACCEPT(t, fd)                                                                                                              \
    "enter t=" #t US " " S_THREAD "name=accept fd=3 how=-1 level=-1 " LISTENER "\n"                                                \
    "exit t=" #t US " " S_THREAD "name=accept fd=3 how=-1 level=-1 slept=-1 ret=" fd " " LISTENER                                  \
    " other.cookie=8 other.proto=tcp other.local=127.0.0.1:3333 other.remote=127.0.0.1:40000\n"
#define C_RST "flags=R. seq=101 ack=501"
#define SENT_BY_CLOSE(frames)                                                                                                      \
    ENTER(1990, C_THREAD, "close", C_SOCK, "")                                                                                     \
    MARK(2000, C, C_RST, C_CUR C_SOCK CHAIN(frames ";__x64_sys_close"))                                                            \
    PACKET(2001, C, C_RST) EXIT(2010, C_THREAD, "close", C_SOCK, "")
#define ICMP(t, protocol, type, code, about)                                                                                       \
    PACKET(t, "src=127.0.0.1:0 dst=127.0.0.1:0 proto=" protocol " ",                                                               \
           "icmp.type=" type " icmp.code=" code " icmp.quotes=1 icmp.proto=" about                                                 \
           " icmp.src=127.0.0.1:40000 icmp.dst=127.0.0.1:3333")
#define LINGER_0 OPTION(1500, C_THREAD, C_SOCK, "1", "13", "1")

struct finding_case {
    const char *id;
    bool there;
    const char *text;
};

static const struct finding_case cases[] = {
    {"refused", true, TRACE PACKET(1000, C, SYN) PACKET(1010, S, "flags=R. seq=0 ack=101")},
    {"refused", false, TRACE HANDSHAKE PACKET(1100, S, "flags=R. seq=501 ack=101")},
    {"reset-unread-data", true,
     TRACE HANDSHAKE PACKET(1100, S, S_DATA) ENTER(1990, C_THREAD, "close", C_SOCK " sock.unread=5", "") PACKET(2000, C, C_RST)
         EXIT(2010, C_THREAD, "close", C_SOCK, "")},
    {"linger-zero", true, TRACE HANDSHAKE LINGER_0 SENT_BY_CLOSE("tcp_send_active_reset;tcp_disconnect;__tcp_close")},
    {"linger-zero", false, TRACE HANDSHAKE SENT_BY_CLOSE("tcp_send_active_reset;tcp_disconnect;__tcp_close")},
    {"linger-zero", false, TRACE HANDSHAKE LINGER_0 SENT_BY_CLOSE("tcp_send_active_reset;__tcp_close")},
    {"closed-listener", true,
     TRACE HANDSHAKE MARK(
         2000, S, "flags=R. seq=501 ack=101",
         S_CUR S_SOCK CHAIN("tcp_send_active_reset;tcp_disconnect;inet_csk_listen_stop;__tcp_close;__x64_sys_close"))
         PACKET(2001, S, "flags=R. seq=501 ack=101")},
    {"reset-late-data", true,
     TRACE HANDSHAKE CLOSE(1990, 2010, S_THREAD, S_SOCK, "") PACKET(2000, S, "flags=F. seq=501 ack=101")
         PACKET(2100, C, "flags=P. seq=101 ack=502 len=5") PACKET(2110, S, "flags=R seq=502")},
    {"reset-late-data", false, TRACE HANDSHAKE PACKET(2100, C, C_DATA) PACKET(2110, S, "flags=R seq=501")},
    {"half-open-rst", true,
     TRACE TWO_ENDS PACKET(1000, WC, SYN) ARRIVES(1001, WC, SYN) PACKET(1010, WS, SYN_ACK) ARRIVES(1011, WS, SYN_ACK)
         PACKET(1020, WC, HANDSHAKE_ACK) ARRIVES(1021, WC, HANDSHAKE_ACK) PACKET(1500, WS, "flags=R. seq=501 ack=101") PACKET(
             2100, WC, C_DATA) ARRIVES(2101, WC, C_DATA) PACKET(2110, WS, "flags=R seq=501") ARRIVES(2111, WS, "flags=R seq=501")},
    {"fin-wait-2-timeout", true,
     TRACE HANDSHAKE CLOSE(1990, 2010, C_THREAD, C_SOCK, "") PACKET(2000, C, C_FIN) PACKET(2005, S, "flags=. seq=501 ack=102")
         PACKET(9000000, S, S_FIN) PACKET(9000010, C, "flags=R seq=102")},
    {"fin-wait-2-timeout", false,
     TRACE HANDSHAKE CLOSE(1990, 2010, C_THREAD, C_SOCK, "") PACKET(2000, C, C_FIN) PACKET(2005, S, "flags=. seq=501 ack=102")
         PACKET(9000000, S, "flags=P. seq=501 ack=102 len=5") PACKET(9000010, C, "flags=R seq=102")},
    {"time-wait-assassination", true,
     TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN) PACKET(2020, C, "flags=. seq=102 ack=502")
         PACKET(2030, S, "flags=R seq=502")},
    {"epipe-after-rst", true,
     TRACE HANDSHAKE PACKET(2000, S, "flags=R. seq=501 ack=101") FAILS(2100, 2110, C_THREAD, "sendto", C_SOCK, "-32")},
    {"epipe-after-rst", false, TRACE HANDSHAKE FAILS(2100, 2110, C_THREAD, "sendto", C_SOCK, "-32")},
    {"simultaneous-open", true,
     TRACE PACKET(1000, C, SYN) PACKET(1001, S, "flags=S seq=500") PACKET(1002, C, "flags=S. seq=100 ack=501")
         PACKET(1003, S, SYN_ACK)},
    {"simultaneous-open", false, TRACE HANDSHAKE},
    {"self-connect", true,
     TRACE PACKET(1000, "src=127.0.0.1:40000 dst=127.0.0.1:40000 proto=tcp ", SYN)
         PACKET(1001, "src=127.0.0.1:40000 dst=127.0.0.1:40000 proto=tcp ", "flags=S. seq=100 ack=101")},
    {"simultaneous-close", true,
     TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2000, S, "flags=F. seq=501 ack=101") PACKET(2010, C, "flags=. seq=102 ack=502")
         PACKET(2010, S, "flags=. seq=502 ack=102")},
    {"half-close", true,
     TRACE HANDSHAKE ENTER(1990, C_THREAD, "shutdown", C_SOCK, "") PACKET(2000, C, C_FIN)
         EXIT(2010, C_THREAD, "shutdown", C_SOCK, "") PACKET(2005, S, "flags=. seq=501 ack=102")
             PACKET(3000, S, "flags=P. seq=501 ack=102 len=5")},
    {"time-wait-answers", true,
     TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN) PACKET(2020, C, "flags=. seq=102 ack=502")
         PACKET(300000, S, S_FIN) PACKET(300010, C, "flags=. seq=102 ack=502")},
    {"black-hole", true,
     TRACE ENTER(999, C_THREAD, "connect", C_SOCK, "") PACKET(1000, C, SYN)
         PACKET(1001000, C, SYN) "exit t=3001000000 " C_THREAD "name=connect fd=3 how=-1 level=-1 slept=-1 ret=-110 " C_SOCK "\n"},
    {"user-timeout", true,
     TRACE HANDSHAKE OPTION(1500, C_THREAD, C_SOCK, "6", "18", "1000") FAILS(1600, 3000000, C_THREAD, "recvfrom", C_SOCK, "-110")},
    {"keepalive-dead", true,
     TRACE HANDSHAKE PACKET(1000000, C, "flags=. seq=100 ack=501") FAILS(1600, 3000000, C_THREAD, "recvfrom", C_SOCK, "-110")},
    {"syn-dropped-full-queue", true,
     TRACE LISTEN PACKET(1000, C, SYN) PACKET(1001000, C, SYN) PACKET(1001010, S, SYN_ACK) PACKET(1001020, C, HANDSHAKE_ACK)},
    {"syn-dropped-full-queue", false, TRACE LISTEN PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(1001000, C, SYN)},
    {"syn-dropped-full-queue", false,
     TRACE TWO_ENDS LISTEN PACKET(1000, WC, SYN) PACKET(1001000, WC, SYN) ARRIVES(1001005, WC, SYN) PACKET(1001010, WS, SYN_ACK)},
    {"ack-dropped-full-queue", true, TRACE LISTEN HANDSHAKE PACKET(1001000, S, SYN_ACK)},
    {"reset-full-queue", true, TRACE LISTEN HANDSHAKE PACKET(1030, S, "flags=R seq=501")},
    {"deferred-accept", true, TRACE OPTION(800, S_THREAD, LISTENER, "6", "9", "5") LISTEN HANDSHAKE PACKET(1100, C, C_DATA)},
    {"deferred-accept", false, TRACE LISTEN HANDSHAKE PACKET(1100, C, C_DATA)},
    {"fast-open", true,
     TRACE PACKET(1000, C, "flags=S seq=100 len=5 opt=fastopen opt.cookie_bytes=8") PACKET(1010, S, "flags=S. seq=500 ack=106")},
    {"fast-open", false, TRACE PACKET(1000, C, "flags=S seq=100 len=5") PACKET(1010, S, "flags=S. seq=500 ack=106")},
    {"syn-data", true, TRACE PACKET(1000, C, "flags=S seq=100 len=5") PACKET(1010, S, "flags=S. seq=500 ack=106")},
    {"syn-data", false, TRACE PACKET(1000, C, "flags=S seq=100 len=5 opt=fastopen opt.cookie_bytes=8")},
    {"fast-open", false, TRACE HANDSHAKE},
    {"time-wait-reuse", true,
     TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN) PACKET(2020, C, "flags=. seq=102 ack=502")
         PACKET(9000, C, "flags=S seq=9000")},
    {"time-wait-reuse", false, TRACE HANDSHAKE PACKET(2000, C, C_RST) PACKET(9000, C, "flags=S seq=9000")},
    {"address-in-use", true,
     TRACE LISTEN HANDSHAKE PACKET(
         2000, S,
         "flags=F. seq=501 ack=101") "enter t=5000000 " S_THREAD
                                     "name=bind fd=9 how=-1 level=-1 args=\"9, 0.0.0.0:3333\" sock.cookie=77 sock.proto=tcp\n"
                                     "exit t=5001000 " S_THREAD
                                     "name=bind fd=9 how=-1 level=-1 slept=-1 ret=-98 sock.cookie=77 sock.proto=tcp\n"},
    {"address-in-use", false,
     TRACE LISTEN HANDSHAKE PACKET(
         2000, S,
         "flags=F. seq=501 ack=101") "enter t=5000000 " S_THREAD
                                     "name=bind fd=9 how=-1 level=-1 args=\"9, 0.0.0.0:3334\" sock.cookie=77 sock.proto=tcp\n"
                                     "exit t=5001000 " S_THREAD
                                     "name=bind fd=9 how=-1 level=-1 slept=-1 ret=-98 sock.cookie=77 sock.proto=tcp\n"},
    {"close-not-last", true,
     TRACE LISTEN HANDSHAKE ACCEPT(1030, "4") "process t=1100000 pid=21 tid=21 comm=worker change=fork parent=20\n"
                                              "enter t=1200000 " S_THREAD "name=close fd=4 how=-1 level=-1 " S_SOCK "\n"
                                              "exit t=1201000 " S_THREAD "name=close fd=4 how=-1 level=-1 slept=-1 " S_SOCK "\n"},
    {"close-not-last", false, /* the child has started another program: whether it still holds the socket nobody saw */
     TRACE LISTEN HANDSHAKE ACCEPT(1030, "4") "process t=1100000 pid=21 tid=21 comm=worker change=fork parent=20\n"
                                              "process t=1150000 pid=21 tid=21 comm=other change=exec\n"
                                              "enter t=1200000 " S_THREAD "name=close fd=4 how=-1 level=-1 " S_SOCK "\n"
                                              "exit t=1201000 " S_THREAD "name=close fd=4 how=-1 level=-1 slept=-1 " S_SOCK "\n"},
    {"close-not-last", false, /* a FIN left: it was the last one, whatever was seen of copies */
     TRACE LISTEN HANDSHAKE ACCEPT(1030, "4") "process t=1100000 pid=21 tid=21 comm=worker change=fork parent=20\n"
                                              "enter t=1200000 " S_THREAD "name=close fd=4 how=-1 level=-1 " S_SOCK "\n"
                                              "packet t=1200500 vantage=1 number=1 " S "flags=F. seq=501 ack=101\n"
                                              "exit t=1201000 " S_THREAD "name=close fd=4 how=-1 level=-1 slept=-1 " S_SOCK "\n"},
    {"close-not-last", false,
     TRACE LISTEN HANDSHAKE ACCEPT(1030, "4") "enter t=1200000 " S_THREAD "name=close fd=4 how=-1 level=-1 " S_SOCK "\n"
                                              "exit t=1201000 " S_THREAD "name=close fd=4 how=-1 level=-1 slept=-1 " S_SOCK "\n"},
    {"close-wait-leak", true,
     TRACE LISTEN HANDSHAKE ACCEPT(1030, "4") "process t=1100000 pid=21 tid=21 comm=worker change=fork parent=20\n" PACKET(1150, C,
                                                                                                                           C_FIN)
         PACKET(1151, S, "flags=. seq=501 ack=102") "enter t=1200000 " S_THREAD "name=close fd=4 how=-1 level=-1 " S_SOCK "\n"
                                                    "exit t=1201000 " S_THREAD "name=close fd=4 how=-1 level=-1 slept=-1 " S_SOCK
                                                    "\n"},
    {"close-wait-leak", false,
     TRACE LISTEN HANDSHAKE ACCEPT(1030, "4") PACKET(1150, C, C_FIN) PACKET(1151, S, "flags=. seq=501 ack=102")},
    {"orphaned-socket", true, TRACE HANDSHAKE CLOSE(1990, 2010, C_THREAD, C_SOCK, "") PACKET(2000, C, C_FIN)},
    {"orphaned-socket", false,
     TRACE HANDSHAKE CLOSE(1990, 2010, C_THREAD, C_SOCK, "") PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN)
         PACKET(2020, C, "flags=. seq=102 ack=502")},
    {"duplicated", true, TRACE TWO_ENDS PACKET(1000, WC, SYN) ARRIVES(1010, WC, SYN) ARRIVES(1011, WC, SYN)},
    {"duplicated", false, TRACE TWO_ENDS PACKET(1000, WC, SYN) PACKET(1001000, WC, SYN) ARRIVES(1001010, WC, SYN)},
    {"syn-cookies", true,
     TRACE HANDSHAKE "state t=1021000 from=LISTEN to=SYN_RECV netns=9 " S_SOCK " " S_CUR
                     "chain=inet_csk_clone_lock;cookie_v4_check;tcp_v4_do_rcv;tcp_v4_rcv\n"},
    {"closed-by-signal", true,
     TRACE HANDSHAKE CALL(1900, 1910, C_THREAD, "write", C_SOCK) PACKET(2000, C, C_FIN) "process t=2050000 " C_THREAD
                                                                                        "change=exit status=-1 signal=9\n"},
    {"closed-by-exec", true,
     TRACE HANDSHAKE CALL(1900, 1910, C_THREAD, "write", C_SOCK) ENTER(1990, C_THREAD, "execve", C_SOCK, "")
         MARK(2000, C, C_FIN, C_CUR C_SOCK CHAIN("tcp_send_fin;sock_close;__x64_sys_execve")) PACKET(2001, C, C_FIN)
             EXIT(2010, C_THREAD, "execve", C_SOCK, "")},
    {"reset-by-disconnect", true,
     TRACE HANDSHAKE ENTER(1990, C_THREAD, "connect", C_SOCK, "")
         MARK(2000, C, C_RST, C_CUR C_SOCK CHAIN("tcp_send_active_reset;tcp_disconnect;__inet_stream_connect;__x64_sys_connect"))
             PACKET(2001, C, C_RST) EXIT(2010, C_THREAD, "connect", C_SOCK, "")},
    {"accept-late", true, TRACE LISTEN HANDSHAKE ACCEPT(21020, "4")},
    {"accept-late", false, TRACE LISTEN HANDSHAKE ACCEPT(1060, "4")},
    {"accept-late", false, /* it is the data that was awaited */
     TRACE OPTION(800, S_THREAD, LISTENER, "6", "9", "5") LISTEN HANDSHAKE ACCEPT(21020, "4")},
    {"fast-open-cookie", true, TRACE PACKET(1000, C, SYN " opt=fastopen opt.cookie_bytes=0") PACKET(1010, S, SYN_ACK)},
    {"fast-open-cookie", false, TRACE PACKET(1000, C, SYN " opt=fastopen opt.cookie_bytes=8") PACKET(1010, S, SYN_ACK)},
    {"fast-open-cookie", false, TRACE HANDSHAKE},
    {"udp-unreachable", true, TRACE PACKET(1000, UDP_C, "len=5") ICMP(1010, "icmp", "3", "3", "udp")},
    {"udp-unreachable", true, TRACE PACKET(1000, UDP_C, "len=5") ICMP(1010, "icmp6", "1", "4", "udp")},
    {"udp-unreachable", false, TRACE PACKET(1000, UDP_C, "len=5") ICMP(1010, "icmp", "3", "1", "udp")},
    {"udp-unreachable", false, TRACE PACKET(1000, C, SYN) ICMP(1010, "icmp", "3", "3", "tcp")},
    {"retransmitted", true, TRACE PACKET(1000, C, SYN) PACKET(1001000, C, SYN)},
    {"retransmitted", false, TRACE HANDSHAKE PACKET(2000, C, C_DATA) PACKET(3000, C, "flags=P. seq=106 ack=501 len=5")},
    {"retransmitted", false, TRACE TWO_ENDS PACKET(1000, WC, SYN) ARRIVES(1010, WC, SYN) ARRIVES(1011, WC, SYN)},
    {"half-open-forgotten", true,
     TRACE LISTEN PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(1001010, S, SYN_ACK) PACKET(3500000, C, HANDSHAKE_ACK)
         PACKET(3500010, S, "flags=R seq=501")},
    {"half-open-forgotten", false, /* the request socket is still there: tcp_abort_on_overflow */
     TRACE LISTEN PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(1001010, S, SYN_ACK) PACKET(2500000, C, HANDSHAKE_ACK)
         PACKET(2500010, S, "flags=R seq=501")},
    {"reset-full-queue", false,
     TRACE LISTEN PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(1300000, C, HANDSHAKE_ACK)
         PACKET(1300010, S, "flags=R seq=501")},
    {"linger-blocked", true,
     TRACE HANDSHAKE LINGER_0 ENTER(1990, C_THREAD, "close", C_SOCK, "")
         PACKET(2000, C, C_FIN) "exit t=9000000 " C_THREAD "name=close fd=3 how=-1 level=-1 slept=5000000 " C_SOCK "\n"},
    /* Before Linux 6.6: it works, and waits, behind the exit that was recorded. */
    {"linger-blocked", true,
     TRACE HANDSHAKE LINGER_0 ENTER(1990, C_THREAD, "close", C_SOCK, "") EXIT(1995, C_THREAD, "close", C_SOCK, "")
         MARK(2000, C, C_FIN, C_CUR C_SOCK CHAIN("tcp_send_fin;__tcp_close;sock_close;task_work_run;exit_to_user_mode_loop"))
             PACKET(2001, C, C_FIN) PACKET(9000, S, "flags=. seq=501 ack=102")},
    {"linger-blocked", false,
     TRACE HANDSHAKE ENTER(1990, C_THREAD, "close", C_SOCK, "") EXIT(1995, C_THREAD, "close", C_SOCK, "")
         MARK(2000, C, C_FIN, C_CUR C_SOCK CHAIN("tcp_send_fin;__tcp_close;sock_close;task_work_run;exit_to_user_mode_loop"))
             PACKET(2001, C, C_FIN) PACKET(9000, S, "flags=. seq=501 ack=102")},
    {"linger-blocked", false,
     TRACE HANDSHAKE LINGER_0 ENTER(1990, C_THREAD, "close", C_SOCK, "") EXIT(1995, C_THREAD, "close", C_SOCK, "")
         MARK(2000, C, C_FIN, C_CUR C_SOCK CHAIN("tcp_send_fin;__tcp_close;sock_close;task_work_run;exit_to_user_mode_loop"))
             PACKET(2001, C, C_FIN)},
};

static void every_finding_is_made_by_its_proof_and_by_nothing_less(void **data)
{
    (void)data;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct told *told = tell_text(cases[i].text, 0);
        bool there = false;
        for (size_t k = 0; k < told->count; k++)
            for (size_t j = 0; j < told->stories[k]->finding_count; j++)
                if (strcmp(told->stories[k]->findings[j].id, cases[i].id) == 0) there = true;
        if (there != cases[i].there) {
            for (size_t k = 0; k < told->count; k++)
                for (size_t j = 0; j < told->stories[k]->finding_count; j++)
                    print_error("found %s: %s\n", told->stories[k]->findings[j].id, told->stories[k]->findings[j].text);
            fail_msg("case %zu: %s is %sexpected", i, cases[i].id, cases[i].there ? "" : "not ");
        }
        told_free(told);
    }
}

static void what_was_lost_does_not_arrive_with_its_repetition(void **data)
{
    (void)data;
    struct told *told =
        tell_text(TRACE TWO_ENDS PACKET(1000, WC, SYN " opt=ts opt.ts_value=1") PACKET(1001000, WC, SYN " opt=ts opt.ts_value=1001")
                      ARRIVES(1001010, WC, SYN " opt=ts opt.ts_value=1001"),
                  0);
    assert_int_equal(told_segment(told->stories[0], STORY_CLIENT, "SYN", 1)->received_ns, 0);
    assert_int_equal(told_segment(told->stories[0], STORY_CLIENT, "SYN", 2)->received_ns, 1001010000);
    told_free(told);
}

static void a_lost_fin_moves_its_receiver_only_when_it_comes_again(void **data)
{
    (void)data;
    struct told *told =
        tell_text(TRACE TWO_ENDS PACKET(1000, WC, SYN) ARRIVES(1001, WC, SYN) PACKET(1010, WS, SYN_ACK) ARRIVES(1011, WS, SYN_ACK)
                      PACKET(1020, WC, HANDSHAKE_ACK) ARRIVES(1021, WC, HANDSHAKE_ACK) PACKET(2000, WC, C_FIN),
                  0);
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1");
    told_states(told->stories[0], STORY_SERVER, "LISTEN SYN_RCVD ESTABLISHED");
    told_free(told);
}

/* tcp_release_cb(): chains as recorded on Linux 6.18, where it is jumped to and leaves no frame of its own. */
static void an_ack_put_off_until_the_call_lets_go_answers_what_it_acknowledges(void **data)
{
    (void)data;
    struct told *told = tell_text(TRACE HANDSHAKE ENTER(1400, C_THREAD, "sendto", C_SOCK, "") PACKET(1500, S, S_DATA)
                                      MARK(1600, C, "flags=. seq=101 ack=506",
                                           C_CUR C_SOCK CHAIN("__tcp_transmit_skb;release_sock;tcp_sendmsg;__x64_sys_sendto"))
                                          PACKET(1601, C, "flags=. seq=101 ack=506") EXIT(1700, C_THREAD, "sendto", C_SOCK, ""),
                                  0);
    const struct story *story = told->stories[0];
    const struct story_cause *cause = &told_segment(story, STORY_CLIENT, "ACK", 2)->cause;
    assert_int_equal(cause->kind, CAUSE_SEGMENT);
    assert_string_equal(story->steps[cause->step].segment->label, "data");
    told_free(told);
}

static void data_put_off_until_the_call_lets_go_is_not_that_call_s(void **data)
{
    (void)data;
    struct told *told = tell_text(
        TRACE HANDSHAKE ENTER(1400, C_THREAD, "recvfrom", C_SOCK, "")
            MARK(1600, C, C_DATA, C_CUR C_SOCK CHAIN("tcp_write_xmit;tcp_release_cb;release_sock;tcp_recvmsg;__x64_sys_recvfrom"))
                PACKET(1601, C, C_DATA) EXIT(1700, C_THREAD, "recvfrom", C_SOCK, ""),
        0);
    const struct story_cause *cause = &told_segment(told->stories[0], STORY_CLIENT, "data", 1)->cause;
    assert_int_equal(cause->kind, CAUSE_KERNEL);
    assert_string_equal(cause->name, "held-back");
    told_free(told);
}

/* A RST without ACK answers a segment; close() acknowledges when it aborts. */
static void a_reset_that_answers_is_not_taken_for_the_close_around_it(void **data)
{
    (void)data;
    struct told *told = tell_text(TRACE HANDSHAKE ENTER(1400, S_THREAD, "close", S_SOCK, "") PACKET(1500, C, C_DATA)
                                      PACKET(1510, S, "flags=R seq=501") EXIT(1600, S_THREAD, "close", S_SOCK, ""),
                                  0);
    assert_int_equal(told_segment(told->stories[0], STORY_SERVER, "RST", 1)->cause.kind, CAUSE_SEGMENT);
    told_free(told);
    told = tell_text(TRACE HANDSHAKE PACKET(1500, C, C_DATA) PACKET(1510, S, "flags=R. seq=501 ack=106"), 0);
    assert_int_equal(told_segment(told->stories[0], STORY_SERVER, "RST", 1)->cause.kind, CAUSE_UNKNOWN);
    told_free(told);
}

static void a_reset_after_unanswered_probes_is_the_keepalive_timer_s(void **data)
{
    (void)data;
    struct told *told =
        tell_text(TRACE HANDSHAKE PACKET(1000000, C, "flags=. seq=100 ack=501") PACKET(2000000, C, "flags=R. seq=101 ack=501"), 0);
    const struct story_cause *cause = &told_segment(told->stories[0], STORY_CLIENT, "RST", 1)->cause;
    assert_int_equal(cause->kind, CAUSE_TIMER);
    assert_string_equal(cause->name, "keepalive");
    told_free(told);
}

static void an_ack_of_a_fin_that_took_forty_ms_at_its_own_host_was_delayed(void **data)
{
    (void)data;
    struct told *told = tell_text(TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(42000, S, "flags=. seq=501 ack=102"), 0);
    assert_int_equal(told_segment(told->stories[0], STORY_SERVER, "ACK", 1)->cause.kind, CAUSE_TIMER);
    told_free(told);
    /* a few ms may be a short delay, or a busy host */
    told = tell_text(TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(5000, S, "flags=. seq=501 ack=102"), 0);
    assert_int_equal(told_segment(told->stories[0], STORY_SERVER, "ACK", 1)->cause.kind, CAUSE_UNKNOWN);
    told_free(told);
    told = tell_text(TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2050, S, "flags=. seq=501 ack=102"), 0);
    assert_int_equal(told_segment(told->stories[0], STORY_SERVER, "ACK", 1)->cause.kind, CAUSE_SEGMENT);
    told_free(told);
    /* seen on the way alone, it may as well have travelled that long */
    told = tell_text(TRACE PACKET(1000, WC, SYN) PACKET(1010, WS, SYN_ACK) PACKET(1020, WC, HANDSHAKE_ACK) PACKET(2000, WC, C_FIN)
                         PACKET(42000, WS, "flags=. seq=501 ack=102"),
                     0);
    assert_int_equal(told_segment(told->stories[0], STORY_SERVER, "ACK", 1)->cause.kind, CAUSE_SEGMENT);
    told_free(told);
}

static void a_deferred_accept_is_woken_by_data(void **data)
{
    (void)data;
    struct told *told = tell_text(
        TRACE OPTION(800, S_THREAD, LISTENER, "6", "9", "5") LISTEN
        "enter t=950" US " " S_THREAD "name=accept fd=3 how=-1 level=-1 " LISTENER "\n" HANDSHAKE PACKET(
            300000, C, C_DATA) "exit t=300100" US " " S_THREAD "name=accept fd=3 how=-1 level=-1 slept=-1 ret=4 " LISTENER
                               " other.cookie=8 other.proto=tcp other.local=127.0.0.1:3333 other.remote=127.0.0.1:40000\n",
        0);
    const struct story *story = told->stories[0];
    const struct story_call *accept = told_call(story, STORY_SERVER, "accept", 1);
    assert_int_equal(accept->wake.kind, WAKE_SEGMENT);
    assert_string_equal(story->steps[accept->wake.step].segment->label, "data");
    told_free(told);
}

static void giving_up_ends_in_closed(void **data)
{
    (void)data;
    struct told *told = tell_text(TRACE ENTER(999, C_THREAD, "connect", C_SOCK, "")
                                      PACKET(1000, C, SYN) "exit t=3001000000 " C_THREAD
                                                           "name=connect fd=3 how=-1 level=-1 slept=-1 ret=-110 " C_SOCK "\n",
                                  0);
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT CLOSED");
    const struct story *story = told->stories[0];
    for (size_t i = 0; i < story->step_count; i++)
        if (story->steps[i].kind == STEP_STATE && story->steps[i].state->to_state == STATE_CLOSED) {
            assert_int_equal(story->steps[i].state->cause.kind, CAUSE_TIMER);
            assert_int_equal(story->steps[i].state->cause.evidence, EVIDENCE_RULE);
        }
    told_free(told);
}

static void the_kernel_shows_the_timer_that_gave_up(void **data)
{
    (void)data;
    struct told *told =
        tell_text(TRACE HANDSHAKE CALL(1030, 1040, C_THREAD, "write", C_SOCK) "state t=5000000 from=ESTABLISHED "
                                                                              "to=CLOSE netns=9 " C_SOCK " " C_CUR
                                                                              "softirq=1 chain=tcp_done;tcp_write_err;"
                                                                              "tcp_retransmit_timer;tcp_write_timer\n",
                  0);
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT ESTABLISHED CLOSED");
    told_free(told);
}

/* Linux 6.18: reqsk_timer_handler() lets a second pass, then two, four, … A RST before that is not the forgetful listener's. */
static void a_request_whose_time_is_over_never_was_a_connection(void **data)
{
    (void)data;
    struct told *told = tell_text(TRACE LISTEN PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(1001010, S, SYN_ACK)
                                      PACKET(3500000, C, HANDSHAKE_ACK) PACKET(3500010, S, "flags=R seq=501"),
                                  0);
    const struct story *story = told->stories[0];
    told_states(story, STORY_SERVER, "CLOSED LISTEN SYN_RCVD CLOSED");
    assert_int_equal(story->outcome, OUTCOME_RESET);
    for (size_t i = 0; i < story->step_count; i++)
        if (story->steps[i].kind == STEP_STATE && story->steps[i].state->from_state == STATE_SYN_RCVD) {
            assert_int_equal(story->steps[i].state->cause.kind, CAUSE_TIMER);
            assert_string_equal(story->steps[i].state->cause.name, "syn-ack");
            assert_int_equal(story->steps[i].state->cause.evidence, EVIDENCE_RULE);
        }
    told_free(told);
}

static void a_late_ack_that_is_taken_completes_the_handshake(void **data)
{
    (void)data;
    struct told *told = tell_text(TRACE LISTEN PACKET(1000, C, SYN) PACKET(1010, S, SYN_ACK) PACKET(3500000, C, HANDSHAKE_ACK), 0);
    told_states(told->stories[0], STORY_SERVER, "CLOSED LISTEN SYN_RCVD ESTABLISHED");
    told_free(told);
}

static void a_connection_that_an_end_gave_up_timed_out(void **data)
{
    (void)data;
    struct told *told =
        tell_text(TRACE HANDSHAKE CALL(1030, 1040, C_THREAD, "write", C_SOCK)
                      PACKET(2000, C, C_FIN) "state t=5000000 from=FIN_WAIT1 to=CLOSE netns=9 " C_SOCK " " C_CUR
                                             "softirq=1 chain=tcp_done;tcp_write_err;tcp_retransmit_timer;tcp_write_timer\n",
                  0);
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 CLOSED");
    assert_int_equal(told->stories[0]->outcome, OUTCOME_TIMED_OUT);
    told_free(told);
    /* an orphan's FIN_WAIT_2 ends too, but there nothing was left to acknowledge */
    told = tell_text(TRACE HANDSHAKE CALL(1030, 1040, C_THREAD, "write", C_SOCK) PACKET(2000, C, C_FIN)
                         PACKET(2010, S, "flags=. seq=501 ack=102") "state t=5000000 from=FIN_WAIT2 to=CLOSE netns=9 " C_SOCK
                                                                    " " C_CUR "softirq=1 chain=tcp_done;tcp_keepalive_timer\n",
                     0);
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 CLOSED");
    assert_int_equal(told->stories[0]->outcome, OUTCOME_OPEN);
    told_free(told);
}

/* What the sentence of a finding must and must not say. */
static void check_words(const char *text, const char *id, const char *says, const char *never)
{
    struct told *told = tell_text(text, 0);
    const char *found = NULL;
    for (size_t i = 0; i < told->stories[0]->finding_count; i++)
        if (strcmp(told->stories[0]->findings[i].id, id) == 0) found = told->stories[0]->findings[i].text;
    if (!found) fail_msg("%s was not found", id);
    if (!strstr(found, says) || strstr(found, never)) fail_msg("%s says: %s", id, found);
    told_free(told);
}

static void a_simultaneous_close_that_is_cut_short_is_not_said_to_end_in_time_wait(void **data)
{
    (void)data;
#define W_FIN "flags=F. seq=501 ack=101"
#define W_SENDS_BOTH                                                                                                               \
    TRACE TWO_ENDS PACKET(1000, WC, SYN) ARRIVES(1001, WC, SYN) PACKET(1010, WS, SYN_ACK) ARRIVES(1011, WS, SYN_ACK)               \
        PACKET(1020, WC, HANDSHAKE_ACK) ARRIVES(1021, WC, HANDSHAKE_ACK) PACKET(2000, WC, C_FIN) PACKET(2001, WS, W_FIN)
#define W_CROSSED W_SENDS_BOTH ARRIVES(2005, WS, W_FIN) ARRIVES(2005, WC, C_FIN)
#define W_ACK(t, from, what) PACKET(t, from, what) ARRIVES(t, from, what)
    check_words(W_CROSSED W_ACK(2010, WC, "flags=. seq=102 ack=502") W_ACK(2010, WS, "flags=. seq=502 ack=102"),
                "simultaneous-close", "both hold TIME_WAIT", "the client");
    check_words(W_CROSSED W_ACK(2010, WC, "flags=R. seq=102 ack=502"), "simultaneous-close", "both pass through CLOSING",
                "TIME_WAIT");
    check_words(W_SENDS_BOTH ARRIVES(2005, WS, W_FIN), "simultaneous-close", "the client, whose own was not acknowledged yet",
                "both pass");
}

static void a_time_wait_that_an_abort_ended_was_not_assassinated_by_an_old_segment(void **data)
{
    (void)data;
    check_words(TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN) PACKET(2020, C, "flags=. seq=102 ack=502")
                    PACKET(2030, S, "flags=R seq=502"),
                "time-wait-assassination", "an old segment", "aborted");
    check_words(TRACE HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN) ENTER(2025, S_THREAD, "close", S_SOCK, "")
                    PACKET(2030, S, "flags=R. seq=502 ack=102") EXIT(2040, S_THREAD, "close", S_SOCK, ""),
                "time-wait-assassination", "the peer aborted", "an old segment");
}

static void a_simultaneous_open_passes_syn_rcvd_at_both_ends(void **data)
{
    (void)data;
    struct told *told =
        tell_text(TRACE TWO_ENDS PACKET(1000, WC, SYN) PACKET(1001, WS, "flags=S seq=500") ARRIVES(1010, WC, SYN)
                      ARRIVES(1011, WS, "flags=S seq=500") PACKET(1020, WC, "flags=S. seq=100 ack=501") PACKET(1021, WS, SYN_ACK)
                          ARRIVES(1030, WC, "flags=S. seq=100 ack=501") ARRIVES(1031, WS, SYN_ACK),
                  0);
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT SYN_RCVD ESTABLISHED");
    told_states(told->stories[0], STORY_SERVER, "CLOSED SYN_SENT SYN_RCVD ESTABLISHED");
    told_free(told);
}

static void a_socket_connected_to_itself_is_one_end(void **data)
{
    (void)data;
#define SELF "src=127.0.0.1:40000 dst=127.0.0.1:40000 proto=tcp "
    struct told *told = tell_text(TRACE PACKET(1000, SELF, SYN) PACKET(1001, SELF, "flags=S. seq=100 ack=101"), 0);
    told_states(told->stories[0], STORY_CLIENT, "CLOSED SYN_SENT SYN_RCVD ESTABLISHED");
    assert_int_equal(told_segment(told->stories[0], STORY_CLIENT, "SYN-ACK", 1)->cause.kind, CAUSE_SEGMENT);
    told_free(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_finding_is_made_by_its_proof_and_by_nothing_less),
        cmocka_unit_test(what_was_lost_does_not_arrive_with_its_repetition),
        cmocka_unit_test(a_lost_fin_moves_its_receiver_only_when_it_comes_again),
        cmocka_unit_test(an_ack_put_off_until_the_call_lets_go_answers_what_it_acknowledges),
        cmocka_unit_test(data_put_off_until_the_call_lets_go_is_not_that_call_s),
        cmocka_unit_test(a_reset_that_answers_is_not_taken_for_the_close_around_it),
        cmocka_unit_test(a_reset_after_unanswered_probes_is_the_keepalive_timer_s),
        cmocka_unit_test(an_ack_of_a_fin_that_took_forty_ms_at_its_own_host_was_delayed),
        cmocka_unit_test(a_deferred_accept_is_woken_by_data),
        cmocka_unit_test(giving_up_ends_in_closed),
        cmocka_unit_test(the_kernel_shows_the_timer_that_gave_up),
        cmocka_unit_test(a_request_whose_time_is_over_never_was_a_connection),
        cmocka_unit_test(a_late_ack_that_is_taken_completes_the_handshake),
        cmocka_unit_test(a_connection_that_an_end_gave_up_timed_out),
        cmocka_unit_test(a_simultaneous_close_that_is_cut_short_is_not_said_to_end_in_time_wait),
        cmocka_unit_test(a_time_wait_that_an_abort_ended_was_not_assassinated_by_an_old_segment),
        cmocka_unit_test(a_simultaneous_open_passes_syn_rcvd_at_both_ends),
        cmocka_unit_test(a_socket_connected_to_itself_is_one_end),
    };
    return cmocka_run_group_tests_name("findings", tests, NULL, NULL);
}
