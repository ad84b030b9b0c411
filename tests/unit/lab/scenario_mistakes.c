/* Mistakes: each says where and what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/scenario/catalogue.h"
#include "lab/scenario/scenario.h"
#include "scenario_own.h"
#include "support/guard.h"

void an_icmp_error_is_expected_of_a_host_or_of_the_router(void **state)
{
    (void)state;
    const struct scenario_expect *expect = only_expect("router\nexpect icmp too-big from router");
    assert_true(expect->kind == EXPECT_ICMP && expect->icmp == SCENARIO_TOO_BIG && expect->side == SCENARIO_BOTH);
    assert_int_equal(only_expect("wait 1s\nexpect icmp port-unreachable from server")->side, SCENARIO_SERVER);
    struct event_packet packet = {.header = {.protocol = IPPROTO_ICMP}, .icmp = {.type = 3, .code = 4}};
    assert_true(scenario_icmp_matches(SCENARIO_TOO_BIG, &packet));
    assert_false(scenario_icmp_matches(SCENARIO_PORT_UNREACHABLE, &packet));
    packet.header.protocol = IPPROTO_ICMPV6;
    assert_false(scenario_icmp_matches(SCENARIO_TOO_BIG, &packet));
    packet.icmp = (struct event_icmp){.type = 2};
    assert_true(scenario_icmp_matches(SCENARIO_TOO_BIG, &packet));
    packet.header.protocol = IPPROTO_TCP;
    for (unsigned kind = 0; kind < SCENARIO_ICMP_KINDS; kind++)
        assert_false(scenario_icmp_matches((enum scenario_icmp)kind, &packet));
}

void an_expectation_may_stand_before_its_step(void **state)
{
    (void)state;
    const struct scenario_expect *expect = only_expect("expect worker recv 2 fails with EAGAIN\nserver listen 1\nserver accept\n"
                                                       "server fork as worker\nworker recv\nworker recv");
    assert_int_equal(expect->kind, EXPECT_FAILS);
    assert_int_equal(expect->actor, 2);
    assert_int_equal(expect->nth, 2);
    expect = only_expect("client connect server:1\nexpect client connect woken by SYN-ACK");
    assert_int_equal(expect->wake, SCENARIO_WOKEN_BY_SEGMENT);
    assert_int_equal(expect->origin.from, SCENARIO_SERVER);
    assert_int_equal(only_expect("client connect server:1\nexpect client connect never slept")->wake, SCENARIO_NEVER_SLEPT);
    assert_int_equal(only_expect("client connect server:1\nexpect client connect returns 0")->kind, EXPECT_RETURNS);
}

/* A line, and where and how it is reported. */
static const struct wrong {
    const char *line;
    uint32_t column, width;
    const char *says;
} wrongs[] = {
    {"titel what", 1, 5, "did you mean 'title'"},
    {"group handshakes", 7, 10, "did you mean 'handshake'"},
    {"group", 6, 1, "expected a group: handshake, goodbye"},
    {"claim maybe \"x\"", 7, 5, "a verdict: wrong, half, right"},
    {"claim wrng \"x\"", 7, 4, "did you mean 'wrong'"},
    {"claim wrong", 12, 1, "expected the claim here, in quotes"},
    {"claim wrong \"x\" zh", 19, 1, "expected the claim here, in quotes"},
    {"claim wrong \"x\" de \"y\"", 17, 2, "nothing more was expected"},
    {"claim 0 wrong \"x\"", 7, 1, "the claim's number"},
    {"claim wrong \"x\"", 1, 5, "needs lines 'expect …' directly below it"},
    {"because \"x\"", 1, 7, "stands below a claim"},
    {"section three", 9, 5, "expected a section"},
    {"section RFC x", 13, 1, "RFC's number"},
    {"place wires", 7, 5, "did you mean 'wire'"},
    {"limit 5 hours", 7, 1, "the longest time"},
    {"limit 1000s", 7, 5, "at most 120s"},
    {"limit 0s", 7, 2, "at most 120s"},
    {"needs magic", 7, 5, "a thing to need: io_uring, mptcp, ipv6"},
    {"tell", 5, 1, "expected a sentence"},
    {"server lisen 3333", 8, 5, "did you mean 'listen'"},
    {"server fly", 8, 3, "expected a verb"},
    {"server", 7, 1, "expected a verb"},
    {"server listen 99999", 15, 5, "number from 1 to 65535"},
    {"server listen 0", 15, 1, "number from 1 to 65535"},
    {"server listen port 3333", 15, 4, "'port' can't stand here; behind 'listen' there may be"},
    {"client connect sever:3333", 16, 10, "no host 'sever': did you mean 'server'?"},
    {"end", 1, 3, "no repeat to end"},
    {"repeat 3 times", 1, 6, "no line 'end'"},
    {"server listen 3333 backlog many", 28, 4, "the backlog"},
    {"server listen 3333 on nowhere", 23, 7, "expected an IP address"},
    {"server listen 3333 udp", 20, 3, "'udp' can't stand here"},
    {"client connect server", 16, 6, "HOST:PORT"},
    {"client connect mars:3333", 16, 9, "'mars' is neither"},
    {"client connect server:0", 16, 8, "HOST:PORT"},
    {"client connect server:3333 nonblockin", 28, 10, "Did you mean 'nonblocking'"},
    {"client connect server:3333 with hello", 33, 5, "double quotes"},
    {"client send hello", 13, 5, "what to send"},
    {"client send \"hello", 13, 1, "no closing quote"},
    {"client send \"a\\qb\"", 15, 2, "behind a backslash"},
    {"client send \"a\"b", 16, 1, "a blank behind the closing quote"},
    {"client send \"\"", 13, 2, "1 to 1024 bytes"},
    {"client recv 5", 14, 1, "expected 'bytes'"},
    {"client set SO_LINGR 0", 12, 8, "did you mean 'SO_LINGER'"},
    {"client set TCP_KEEPIDLE 1500ms", 25, 6, "in whole seconds"},
    {"client set TCP_NODELAY yes", 24, 3, "the option's value"},
    {"client shutdown", 16, 1, "a way to shut down: read, write, both"},
    {"client recv", 8, 4, "client has no socket here"},
    {"server accept", 8, 6, "server does not listen"},
    {"client dup as x", 8, 3, "no socket here"},
    {"client connect server:1 as a b", 30, 1, "can't stand here"},
    {"worker close", 1, 6, "there is no 'worker' here"},
    {"\"client\" close", 1, 8, "a line begins with who acts"},
    {"server fork as client", 16, 6, "there is a 'client' already"},
    {"server fork as wire", 16, 4, "a word of the language"},
    {"server fork as sixteen-letters-", 16, 16, "15 characters"},
    {"client exit &", 8, 4, "can't run on"},
    {"client exit 256", 13, 3, "exit status"},
    {"client sysctl kernel.x 1", 15, 8, "name of a sysctl"},
    {"client sysctl net.ipv4.x", 25, 1, "the sysctl's value"},
    {"wire drop SIN 1 from client", 11, 3, "did you mean 'SYN'"},
    {"wire drop SYN 0 from client", 15, 1, "which of them"},
    {"wire drop SYN from mars", 20, 4, "a side: client, server"},
    {"wire drop every SYN 2 from client", 21, 1, "expected 'from'"},
    {"wire drop SYN from client &", 1, 4, "can't run on"},
    {"wire delay soon", 12, 4, "a kind of segment"},
    {"wire delay ACK from client", 27, 1, "expected 'by'"},
    {"wire burn", 6, 4, "a thing for the wire to do"},
    {"wire inject any from client", 13, 3, "a kind of segment to make: SYN, SYN-ACK, ACK, data, FIN, RST"},
    {"wire inject RST", 16, 1, "expected 'from'"},
    {"wire inject RST from client seqq 1", 29, 4, "did you mean 'seq'"},
    {"wire inject RST from client seq", 32, 1, "next, next+N, next-N"},
    {"wire inject RST from client seq +5", 33, 2, "next, next+N, next-N"},
    {"wire inject RST from client seq next5", 33, 5, "next, next+N, next-N"},
    {"wire inject RST from client seq next+", 33, 5, "next, next+N, next-N"},
    {"wire inject RST from client seq 4294967296", 33, 10, "next, next+N, next-N"},
    {"wire inject RST from client ack \"1\"", 33, 3, "next, next+N, next-N"},
    {"wire inject data from client", 13, 4, "say 'length N' or 'with'"},
    {"wire inject data from client length 1401", 37, 4, "number from 0 to 1400"},
    {"wire inject data from client with abc", 35, 3, "double quotes"},
    {"wire inject ACK from client window big", 36, 3, "the window, in bytes"},
    {"wire inject ACK from client in 2", 32, 1, "expected 'connection'"},
    {"wire mend now", 11, 3, "nothing more was expected"},
    {"router burn", 8, 4, "a thing for the router to do"},
    {"router reject SYN from client", 30, 1, "expected 'with'"},
    {"router reject SYN from client with admin-prohibted", 36, 15, "did you mean 'admin-prohibited'"},
    {"router drop SYN from client with RST", 29, 4, "nothing more was expected"},
    {"router translate both", 18, 4, "a side: client, server"},
    {"router forget with port-unreachable", 15, 4, "'with RST', or (without a word) not at all"},
    {"router mtu 575", 12, 3, "from 576 to 65535"},
    {"router drop SYN from client &", 29, 1, "only a step of an actor"},
    {"routre drop SYN from client", 1, 6, "did you mean 'router'"},
    {"server fork as router", 16, 6, "a word of the language"},
    {"server firewall", 16, 1, "a thing for the firewall to do"},
    {"server firewall drop", 21, 1, "the port (of TCP)"},
    {"server firewall reject 3333", 28, 1, "expected 'with'"},
    {"server firewall output drop", 24, 4, "a rule in double quotes"},
    {"server firewall \"drop; flush ruleset\"", 17, 21, "without quotes, ; and #"},
    {"server firewall drop 3333 &", 8, 8, "can't run on"},
    {"kill nobody SIGKILL", 6, 6, "whom to kill"},
    {"kill client SIGNOPE", 13, 7, "such as SIGKILL"},
    {"wait a while", 6, 1, "how long to wait"},
    {"wait 1s &", 9, 1, "only a step of an actor"},
    {"expect", 7, 1, "expected what is expected"},
    {"expect finding", 15, 1, "the id of a finding"},
    {"expect no finding reset-unread-dta", 19, 16, "no finding 'reset-unread-dta': did you mean 'reset-unread-data'?"},
    {"expect finding nosuch", 16, 6, "there is no finding 'nosuch'"},
    {"expect findin x", 8, 6, "did you mean 'finding'"},
    {"expect client states CLOSED OPEN", 29, 4, "a state: CLOSED"},
    {"expect client states ESTABLISHD", 22, 10, "did you mean 'ESTABLISHED'"},
    {"expect cause of FIN 1 from client call close", 35, 4, "expected ':'"},
    {"expect cause of FIN 1 from client: magic", 36, 5, "a cause: call"},
    {"expect cause of FIN 1 from client: call", 40, 1, "the call's name"},
    {"expect cause of FIN 1 from client: call conect", 41, 6, "no call 'conect': did you mean 'connect'?"},
    {"expect cause of FIN 1 from client: call recvform", 41, 8, "did you mean 'recvfrom'?"},
    {"expect cause of FIN 1 from client: call abracadabra", 41, 11, "there is no call 'abracadabra'"},
    {"expect cause of FIN 1 from client: exit SIGNOPE", 41, 7, "a signal here, such as SIGKILL, or 'status'"},
    {"expect cause of FIN 1 from client: exit SIGKILL 9", 49, 1, "nothing more was expected"},
    {"expect cause of FIN 1 from client: exit status zero", 48, 4, "the exit status"},
    {"expect cause of FIN 1 from client: unknown egg", 44, 3, "nothing more was expected"},
    {"expect cause of FIN 1 from client: timer egg", 42, 3, "a timer: retransmit"},
    {"expect client connect fails with ECONNREFUSED", 15, 7, "client has 0 such steps"},
    {"expect client close fails with", 15, 5, "0 such steps"},
    {"expect outcome fine", 16, 4, "an outcome: open"},
    {"expect icmp port-unreachble from server", 13, 15, "did you mean 'port-unreachable'"},
    {"expect icmp too-big from mars", 26, 4, "a sender: client, server, router"},
    {"expect icmp too-big from router", 26, 6, "there is no router"},
    {"expect SYN from client vanishes", 24, 8, "a fate of a segment"},
    {"expect connections 1 in connection 0", 36, 1, "which connection"},
    {"wait \x01", 6, 1, "no text"},
    {"tell \xff", 6, 1, "no text"},
    {"tell \xc3\xa9\xed\xa0\x80", 7, 1, "no text"},
};

void every_mistake_says_where_and_what(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(wrongs); i++) {
        const struct wrong *wrong = &wrongs[i];
        char text[256];
        snprintf(text, sizeof(text), "title t\n%s\nwait 1s\n", wrong->line);
        int code = parse(text);
        if (code != -EINVAL || mistakes.total != 1) fail_msg("'%s': code %d, %zu mistakes", wrong->line, code, mistakes.total);
        const struct scenario_mistake *mistake = &mistakes.list[0];
        if (mistake->line != 2 || mistake->column != wrong->column || mistake->width != wrong->width)
            fail_msg("'%s': at %u:%u, %u wide, instead of 2:%u, %u wide", wrong->line, mistake->line, mistake->column,
                     mistake->width, wrong->column, wrong->width);
        if (!strstr(mistake->text, wrong->says)) fail_msg("'%s': says '%s'", wrong->line, mistake->text);
    }
}

void a_file_with_a_mistake_in_every_line_has_a_message_for_each(void **state)
{
    (void)state;
    struct buf text = buf_new(1 << 16);
    for (size_t i = 0; i < COUNT(wrongs); i++)
        if (!strstr(wrongs[i].line, "connection 0")) buf_printf(&text, "%s\n", wrongs[i].line);
    assert_int_equal(scenario_parse(text.data, text.length, &vocabulary, &scenario, &mistakes), -EINVAL);
    uint32_t line = 0;
    for (size_t i = 0; i < mistakes.count; i++) {
        /* Some lines are wrong alone and right among these: a socket that another one would have made. */
        assert_true(mistakes.list[i].line >= line);
        line = mistakes.list[i].line;
    }
    assert_true(mistakes.total >= COUNT(wrongs) - 6);
    buf_free(&text);
}

void one_mistake_is_not_blamed_on_the_lines_behind_it(void **state)
{
    (void)state;
    assert_int_equal(
        parse("title t\nserver lisen 3333\nserver accept as one\nclient conect server:3333\nclient send \"x\"\nclient close\n"
              "server recv on one\nserver close one\nexpect client connect fails with EPIPE\n"),
        -EINVAL);
    assert_int_equal(mistakes.total, 2);
    assert_int_equal(mistakes.list[0].line, 2);
    assert_int_equal(mistakes.list[1].line, 4);
}
