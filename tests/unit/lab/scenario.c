/* The scenario language: what a text becomes, and what is said of every mistake in one. */
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
#include "support/guard.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const findings[] = {"refused", "reset-unread-data"}, *const calls[] = {"recvfrom", "io_uring send"};
static const struct scenario_vocabulary vocabulary = {findings, COUNT(findings), calls, COUNT(calls)};
static struct scenario *scenario;
static struct scenario_mistakes mistakes;

static int parse(const char *text)
{
    scenario_free(scenario);
    scenario = NULL;
    return scenario_parse(text, strlen(text), &vocabulary, &scenario, &mistakes);
}

/* The model of a text that must be right; a title is put before it. */
static const struct scenario *good(const char *text)
{
    char whole[4096];
    assert_true(snprintf(whole, sizeof(whole), "title t\n%s", text) < (int)sizeof(whole));
    int code = parse(whole);
    if (code) fail_msg("line %u, column %u: %s", mistakes.list[0].line, mistakes.list[0].column, mistakes.list[0].text);
    return scenario;
}

static const struct scenario_step *last_step(const char *text)
{
    const struct scenario *model = good(text);
    assert_true(model->step_count > 0);
    return &model->steps[model->step_count - 1];
}

static const struct scenario_expect *only_expect(const char *text)
{
    const struct scenario *model = good(text);
    assert_int_equal(model->expect_count, 1);
    return &model->expects[0];
}

static int teardown(void **state)
{
    (void)state;
    scenario_free(scenario);
    scenario = NULL;
    return 0;
}

/* ---- what is right ---- */

static void the_head_is_kept(void **state)
{
    (void)state;
    assert_int_equal(
        parse("title  a SYN # is lost\nsection 3.5\nsection RFC 7413 4.1\nsection RFC 1337\nplace loopback\nlimit 1500ms\n"
              "needs io_uring mptcp\nwait 1s\n"),
        0);
    assert_string_equal(scenario->title, "a SYN # is lost");
    assert_int_equal(scenario->section_count, 3);
    assert_int_equal(scenario->sections[0].rfc, 9293);
    assert_string_equal(scenario->sections[0].section, "3.5");
    assert_int_equal(scenario->sections[1].rfc, 7413);
    assert_string_equal(scenario->sections[1].section, "4.1");
    assert_int_equal(scenario->sections[2].rfc, 1337);
    assert_null(scenario->sections[2].section);
    assert_int_equal(scenario->place, SCENARIO_LOOPBACK);
    assert_int_equal(scenario->limit_ns, 1500000000);
    assert_int_equal(scenario->needs, SCENARIO_NEEDS_IO_URING | SCENARIO_NEEDS_MPTCP);
}

static void without_a_head_it_is_a_wire_and_ten_seconds(void **state)
{
    (void)state;
    const struct scenario *model = good("wait 1s");
    assert_int_equal(model->place, SCENARIO_WIRE);
    assert_int_equal(model->limit_ns, INT64_C(10000000000));
    assert_int_equal(model->actor_count, 2);
}

static void blanks_comments_and_carriage_returns_do_not_matter(void **state)
{
    (void)state;
    const struct scenario_step *step = last_step("\r\n\t# nothing\n   server\tlisten 3333   # but this\r\n");
    assert_int_equal(step->verb, SCENARIO_LISTEN);
    assert_string_equal(step->text, "server\tlisten 3333");
    assert_int_equal(step->line, 4);
}

static void a_byte_order_mark_is_no_part_of_the_first_line(void **state)
{
    (void)state;
    static const char wrong[] = "\xef\xbb\xbftitel t\r\nwait 1s\r\n";
    struct buf out = buf_new(4096);
    assert_int_equal(parse("\xef\xbb\xbftitle t\r\nwait 1s\r\n"), 0);
    assert_string_equal(scenario->title, "t");
    assert_int_equal(parse(wrong), -EINVAL);
    assert_int_equal(scenario_explain(&out, "my.scn", wrong, strlen(wrong), &mistakes), 0);
    assert_non_null(strstr(buf_string(&out), "my.scn:1:1: no line begins with 'titel': did you mean 'title'?\n"
                                             "    titel t\n"
                                             "    ^~~~~\n"));
    buf_free(&out);
    assert_int_equal(parse("\xef\xbb\xbf"), -EINVAL);
    assert_int_equal(parse("\xef\xbb"), -EINVAL);
}

static void a_number_sign_in_quotes_begins_no_comment(void **state)
{
    (void)state;
    assert_string_equal(last_step("client bind 1\nclient connect server:3333\nclient send \"a # b\"")->data, "a # b");
}

static void a_text_is_decoded(void **state)
{
    (void)state;
    const struct scenario_step *step = last_step("client connect server:3333\nclient send \"\\\"1\\\"\\n\\t\\\\ é\" &");
    assert_string_equal(step->data, "\"1\"\n\t\\ é");
    assert_int_equal(step->number, strlen(step->data));
    assert_true(step->runs_on);
}

static void listening_says_where_and_how_many(void **state)
{
    (void)state;
    const struct scenario_step *step = last_step("server listen 3333 backlog 1 on 192.0.2.2 as door");
    assert_int_equal(step->address.port, 3333);
    assert_int_equal(step->address.version, 4);
    assert_int_equal(step->host, SCENARIO_HOST_LITERAL);
    assert_int_equal(step->number, 1);
    assert_string_equal(step->name, "door");
    assert_int_equal(scenario->server_ports[0], 3333);
    step = last_step("server listen 3333 v6");
    assert_true(step->ipv6);
    assert_int_equal(step->number, 128);
    assert_string_equal(step->name, "listener");
    assert_int_equal(last_step("server listen 3333 on server")->host, SCENARIO_HOST_SERVER);
    assert_int_equal(last_step("server bind 3333\nserver listen")->address.port, 0);
    step = last_step("server listen backlog 3 as door"); /* the kernel chooses */
    assert_int_equal(step->address.port, 0);
    assert_int_equal(step->number, 3);
    assert_string_equal(step->name, "door");
    assert_true(step->fresh);
}

static void connecting_says_where_and_how(void **state)
{
    (void)state;
    const struct scenario_step *step = last_step("client connect server:3333 nonblocking v6 mptcp as other &");
    assert_int_equal(step->host, SCENARIO_HOST_SERVER);
    assert_true(step->nonblocking && step->ipv6 && step->mptcp && step->runs_on && step->fresh);
    assert_string_equal(step->socket, "other");
    step = last_step("client connect [2001:db8::2]:80");
    assert_int_equal(step->address.version, 6);
    assert_int_equal(step->address.port, 80);
    assert_string_equal(last_step("client connect server:1 with \"hi\"")->data, "hi");
    assert_true(last_step("client connect server:1 uring")->uring);
}

static void names_of_sockets_follow_the_steps(void **state)
{
    (void)state;
    static const char text[] =
        "server listen 3333\nserver accept as one\nserver accept as two\nclient connect server:3333\n"
        "client dup as copy\nclient close copy\nserver send \"x\" on one\nserver close two\n"
        "server fork as worker\nworker recv on one\nserver close one\nserver close listener\nworker close one\n";
    const struct scenario *model = good(text);
    assert_int_equal(model->actor_count, 3);
    assert_string_equal(model->actors[2].name, "worker");
    assert_int_equal(model->actors[2].host, SCENARIO_SERVER);
    assert_int_equal(model->actors[2].parent, 1);
    assert_string_equal(model->steps[6].socket, "one");
    assert_int_equal(model->steps[9].actor, 2);
}

static void what_actors_do_is_kept(void **state)
{
    (void)state;
#define PAIR "client connect server:3333\n"
    assert_int_equal(last_step(PAIR "client send 2000 bytes")->number, 2000);
    assert_null(scenario->steps[1].data);
    assert_true(last_step(PAIR "client recv until end")->until_end);
    assert_true(last_step(PAIR "client recv all 10 bytes")->all);
    assert_int_equal(last_step(PAIR "client recv 7 bytes nonblocking")->number, 7);
    assert_int_equal(last_step(PAIR "client recv")->number, 65536);
    assert_int_equal(last_step(PAIR "client shutdown write")->number, SCENARIO_WRITE);
    assert_int_equal(last_step(PAIR "client shutdown both")->number, SCENARIO_READ | SCENARIO_WRITE);
    assert_int_equal(last_step(PAIR "client poll read 50ms")->duration_ns, 50000000);
    assert_int_equal(last_step(PAIR "client poll write")->duration_ns, -1);
    assert_string_equal(last_step(PAIR "client dup as b\nclient replace b with socket")->name, "b");
    assert_int_equal(last_step(PAIR "client exit 3")->number, 3);
    assert_int_equal(last_step(PAIR "kill client SIGKILL")->number, SIGKILL);
    assert_int_equal(scenario->steps[1].actor, 0);
    assert_string_equal(last_step("server sysctl net.ipv4.tcp_rmem \"1 2 3\"")->value, "1 2 3");
    assert_int_equal(last_step(PAIR "client done")->verb, SCENARIO_DONE);
    assert_true(last_step(PAIR "client close uring")->uring);
    assert_string_equal(last_step("wait 1s\ntell He said \"no\" # twice")->text, "He said \"no\" # twice");
}

static void options_are_the_kernels(void **state)
{
    (void)state;
    int level, name;
    enum scenario_value value;
    int64_t unit_ns;
    assert_true(scenario_option("TCP_USER_TIMEOUT", &level, &name, &value, &unit_ns));
    assert_int_equal(level, IPPROTO_TCP);
    assert_int_equal(name, TCP_USER_TIMEOUT);
    assert_int_equal(unit_ns, 1000000);
    assert_false(scenario_option("TCP_NOSUCH", &level, &name, &value, &unit_ns));
    assert_int_equal(last_step("client set TCP_USER_TIMEOUT 500")->number, 500);
    assert_int_equal(last_step("client set TCP_USER_TIMEOUT 2s")->number, 2000);
    assert_int_equal(last_step("client set SO_LINGER 2s")->number, 2);
    assert_true(last_step("client set SO_LINGER off")->off);
    assert_int_equal(last_step("client set SO_RCVTIMEO 20ms")->duration_ns, 20000000);
}

static void a_repeat_is_its_steps_so_often(void **state)
{
    (void)state;
    const struct scenario *model = good("repeat 3 times\n  client connect server:1\n  client close # and again\nend\nwait 1s");
    assert_int_equal(model->step_count, 7);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(model->steps[i].verb, i % 2 ? SCENARIO_CLOSE : SCENARIO_CONNECT);
        assert_int_equal(model->steps[i].line, 3 + i % 2);
    }
    assert_int_equal(model->steps[6].line, 6);
    assert_int_equal(
        only_expect("repeat 2 times\nclient connect server:1\nexpect client connect 2 succeeds\nclient close\nend")->nth, 2);
    assert_int_equal(good("repeat 1 times\nwait 1s\nend\nrepeat 2 times\nend\nrepeat 2 times\nwait 1s\nend")->step_count, 3);
}

static void what_a_round_leaves_behind_counts_in_the_next(void **state)
{
    (void)state;
    assert_int_equal(parse("title t\nclient connect server:1\nrepeat 3 times\nclient close\nend\n"), -EINVAL);
    assert_int_equal(mistakes.total, 1);
    assert_int_equal(mistakes.list[0].line, 4);
    assert_string_equal(mistakes.list[0].text, "client has no socket here: connect, accept or bind must come before (round 2)");
    /* a mistake in it is said once, and one in the number is no repeat */
    assert_int_equal(parse("title t\nrepeat 3 times\nclient clse\nend\n"), -EINVAL);
    assert_int_equal(mistakes.total, 1);
    assert_int_equal(parse("title t\nrepeat often\nwait 1s\nend\n"), -EINVAL);
    assert_int_equal(mistakes.total, 1);
    assert_int_equal(mistakes.list[0].column, 8);
    assert_int_equal(parse("title t\nrepeat 3\nwait 1s\nend\n"), -EINVAL);
    assert_non_null(strstr(mistakes.list[0].text, "expected 'times'"));
    assert_int_equal(parse("title t\nrepeat 3 times\nrepeat 3 times\nwait 1s\nend\nend\n"), -EINVAL);
    assert_int_equal(mistakes.total, 2);
    assert_string_equal(mistakes.list[0].text, "a repeat can't stand in another one (line 2)");
}

static void the_wire_is_told_what_to_do(void **state)
{
    (void)state;
    const struct scenario_step *step = last_step("wire drop SYN-ACK 2 from server");
    assert_int_equal(step->verb, SCENARIO_WIRE_RULE);
    assert_int_equal(step->action, WIRE_DROP);
    assert_int_equal(step->match.segment, WIRE_SYN_ACK);
    assert_int_equal(step->match.nth, 2);
    assert_int_equal(step->match.from, SCENARIO_SERVER);
    assert_true(last_step("wire duplicate every data from client")->match.every);
    step = last_step("wire hold FIN from client as first");
    assert_int_equal(step->action, WIRE_HOLD);
    assert_int_equal(step->match.nth, 1);
    assert_string_equal(step->name, "first");
    assert_int_equal(last_step("wire reorder data 3 from client")->action, WIRE_REORDER);
    assert_int_equal(last_step("wire corrupt data 3 from client")->action, WIRE_CORRUPT);
    step = last_step("wire delay ACK from server by 50ms");
    assert_int_equal(step->action, WIRE_DELAY);
    assert_int_equal(step->duration_ns, 50000000);
    step = last_step("wire delay 20ms");
    assert_int_equal(step->verb, SCENARIO_WIRE_DELAY);
    assert_int_equal(step->side, SCENARIO_BOTH);
    assert_int_equal(last_step("wire cut from client")->side, SCENARIO_CLIENT);
    assert_int_equal(last_step("wire mend")->verb, SCENARIO_WIRE_MEND);
    assert_null(last_step("wire release")->name);
    assert_int_equal(last_step("wire forget")->verb, SCENARIO_WIRE_FORGET);
    assert_int_equal(last_step("wait for FIN 2 from server")->match.nth, 2);
}

static void the_router_is_told_what_to_do(void **state)
{
    (void)state;
    assert_false(good("wait 1s")->routed);
    const struct scenario_step *step = last_step("router");
    assert_true(scenario->routed);
    assert_int_equal(step->verb, SCENARIO_ROUTER);
    assert_int_equal(step->router, ROUTER_ROUTE);
    assert_false(scenario_is_rule(step));
    step = last_step("router drop every data from server");
    assert_int_equal(step->router, ROUTER_REFUSE);
    assert_int_equal(step->answer, ROUTER_SILENCE);
    assert_true(step->match.every && step->match.from == SCENARIO_SERVER && scenario_is_rule(step));
    step = last_step("router reject SYN 2 from client with RST");
    assert_int_equal(step->answer, ROUTER_RST);
    assert_int_equal(step->match.nth, 2);
    assert_int_equal(last_step("router reject SYN from client with admin-prohibited")->answer, ROUTER_ADMIN_PROHIBITED);
    step = last_step("router translate client");
    assert_true(step->router == ROUTER_TRANSLATE && step->side == SCENARIO_CLIENT);
    step = last_step("router skip data from server");
    assert_true(step->router == ROUTER_SKIP && step->match.nth == 1 && scenario_is_rule(step));
    step = last_step("router forget");
    assert_true(step->router == ROUTER_FORGET && step->answer == ROUTER_SILENCE);
    assert_int_equal(last_step("router forget with RST")->answer, ROUTER_RST);
    step = last_step("router mtu 1300");
    assert_true(step->router == ROUTER_MTU && step->number == 1300 && step->answer != ROUTER_SILENCE);
    assert_int_equal(last_step("router mtu 576 silent")->answer, ROUTER_SILENCE);
    assert_int_equal(last_step("client connect router:3333")->host, SCENARIO_HOST_ROUTER);
}

static void a_host_has_a_firewall(void **state)
{
    (void)state;
    assert_int_equal(good("wait 1s")->needs, 0);
    const struct scenario_step *step = last_step("server firewall drop 3333");
    assert_int_equal(scenario->needs, SCENARIO_NEEDS_NFTABLES);
    assert_false(scenario->routed);
    assert_int_equal(step->verb, SCENARIO_FIREWALL);
    assert_true(step->actor == 1 && step->number == 3333 && step->answer == ROUTER_SILENCE && !step->data);
    assert_int_equal(last_step("server firewall reject 3333 with RST")->answer, ROUTER_RST);
    step = last_step("client firewall \"tcp sport 3333 ct state invalid drop\"");
    assert_string_equal(step->data, "tcp sport 3333 ct state invalid drop");
    assert_false(step->outgoing);
    assert_true(last_step("client firewall output \"tcp dport 3333 drop\"")->outgoing);
    assert_false(last_step("client firewall input \"tcp sport 3333 drop\"")->outgoing);
    assert_true(last_step("server firewall open")->off);
}

static void a_segment_to_be_made_is_kept(void **state)
{
    (void)state;
    const struct scenario_step *step = last_step("wire inject RST from server seq next+100");
    assert_int_equal(step->verb, SCENARIO_WIRE_INJECT);
    assert_int_equal(step->forgery->from, WIRE_FROM_SERVER);
    assert_int_equal(step->forgery->flags, TCP_RST);
    assert_true(step->forgery->seq.said && step->forgery->seq.from_next);
    assert_int_equal(step->forgery->seq.offset, 100);
    assert_false(step->forgery->ack.said || step->forgery->has_window);
    step = last_step("wire inject RST from client seq 4294967295 ack -5 in connection 2");
    assert_int_equal(step->forgery->flags, TCP_RST | TCP_ACK);
    assert_int_equal(step->forgery->seq.offset, 4294967295);
    assert_int_equal(step->forgery->ack.offset, -5);
    assert_false(step->forgery->seq.from_next);
    assert_int_equal(step->forgery->connection, 2);
    step = last_step("wire inject ACK from client seq next-1 ack next window 0 length 1");
    assert_int_equal(step->forgery->seq.offset, -1);
    assert_true(step->forgery->ack.said && step->forgery->ack.from_next && step->forgery->ack.offset == 0);
    assert_true(step->forgery->has_window && step->forgery->window == 0);
    assert_int_equal(step->forgery->length_bytes, 1);
    step = last_step("wire inject data from client with \"abc\"");
    assert_int_equal(step->forgery->flags, TCP_PSH | TCP_ACK);
    assert_int_equal(step->forgery->length_bytes, 3);
    assert_memory_equal(step->forgery->data, "abc", 3);
    assert_int_equal(last_step("wire inject FIN from client")->forgery->flags, TCP_FIN | TCP_ACK);
    step = last_step("wire inject SYN from client");
    assert_true(step->forgery->seq.said && !step->forgery->seq.from_next && step->forgery->seq.offset == 0);
}

static void expectations_are_kept(void **state)
{
    (void)state;
    const struct scenario_expect *expect = only_expect("wait 1s\nexpect cause of FIN 1 from client: call close in connection 2");
    assert_int_equal(expect->kind, EXPECT_CAUSE);
    assert_int_equal(expect->connection, 2);
    assert_int_equal(expect->cause, SCENARIO_CAUSE_CALL);
    assert_string_equal(expect->name, "close");
    expect = only_expect("wait 1s\nexpect cause of SYN-ACK from server: segment SYN 2 from client");
    assert_int_equal(expect->origin.nth, 2);
    expect = only_expect("wait 1s\nexpect cause of SYN-ACK from server: segment SYN");
    assert_int_equal(expect->origin.nth, 0);
    assert_int_equal(expect->origin.from, SCENARIO_CLIENT);
    expect = only_expect("wait 1s\nexpect cause of FIN from client: exit status 0");
    assert_string_equal(expect->name, "status 0");
    assert_string_equal(only_expect("wait 1s\nexpect cause of RST from client: exit SIGKILL")->name, "SIGKILL");
    assert_string_equal(only_expect("wait 1s\nexpect cause of RST from client: call io_uring send")->name, "io_uring send");
    assert_string_equal(only_expect("wait 1s\nexpect cause of RST from client: kernel any_function_of_it")->name,
                        "any_function_of_it");
    assert_null(only_expect("wait 1s\nexpect cause of SYN 2 from client: timer")->name);
    expect = only_expect("wait 1s\nexpect client states CLOSED SYN_SENT");
    assert_int_equal(expect->word_count, 2);
    assert_int_equal(only_expect("wait 1s\nexpect server passes CLOSING")->kind, EXPECT_PASSES);
    expect = only_expect("wait 1s\nexpect 3 SYN from client");
    assert_int_equal(expect->kind, EXPECT_COUNT);
    assert_int_equal(expect->number, 3);
    assert_int_equal(only_expect("wait 1s\nexpect SYN 1 from client lost")->kind, EXPECT_LOST);
    assert_int_equal(only_expect("wait 1s\nexpect SYN 1 from client arrives")->kind, EXPECT_ARRIVES);
    assert_int_equal(only_expect("wait 1s\nexpect no finding refused")->kind, EXPECT_NO_FINDING);
    assert_string_equal(only_expect("wait 1s\nexpect outcome timed-out")->name, "timed-out");
    assert_int_equal(only_expect("wait 1s\nexpect connections 2")->number, 2);
}

static void a_claim_is_shown_by_the_expectations_below_it(void **state)
{
    (void)state;
    const struct scenario *model = good(
        "group resets\nclient connect server:1\nexpect 1 SYN from client\n"
        "claim 7 wrong \"a\" zh \"\xe7\x94\xb2\"\nbecause \"b\"\n\n# between\nexpect outcome refused\nexpect 0 FIN from client\n"
        "tell and that was it\nexpect connections 1\nclaim half \"c\"\nexpect 0 ACK from client\nexpect 1 RST from server\n");
    assert_int_equal(model->group, SCENARIO_GROUP_RESETS);
    assert_int_equal(model->claim_count, 2);
    const struct scenario_claim *first = &model->claims[0], *second = &model->claims[1];
    assert_int_equal(first->number, 7);
    assert_int_equal(first->verdict, SCENARIO_CLAIM_WRONG);
    assert_string_equal(first->text, "a");
    assert_string_equal(first->zh, "\xe7\x94\xb2");
    assert_string_equal(first->because, "b");
    assert_null(first->because_zh);
    assert_int_equal(first->first_expect, 1);
    assert_int_equal(first->expect_count, 2);
    assert_int_equal(second->number, 0);
    assert_int_equal(second->verdict, SCENARIO_CLAIM_HALF);
    assert_null(second->because);
    assert_int_equal(second->first_expect, 4);
    assert_int_equal(second->expect_count, 2);
}

static void what_is_half_right_needs_two_expectations_and_a_number_is_given_once(void **state)
{
    (void)state;
    assert_int_equal(parse("title t\nwait 1s\nclaim half \"x\"\nexpect connections 0\n"), -EINVAL);
    assert_int_equal(mistakes.total, 1);
    assert_int_equal(mistakes.list[0].line, 3);
    assert_non_null(strstr(mistakes.list[0].text, "half right needs two"));
    assert_int_equal(
        parse("title t\nwait 1s\nclaim 1 right \"x\"\nexpect connections 0\nclaim 1 right \"y\"\nexpect connections 0\n"), -EINVAL);
    assert_int_equal(mistakes.list[0].line, 5);
    assert_int_equal(mistakes.list[0].column, 7);
    assert_non_null(strstr(mistakes.list[0].text, "there is a claim 1 already, in line 3"));
    assert_int_equal(parse("title t\nwait 1s\nclaim right \"x\"\nexpect conections 0\n"), -EINVAL);
    assert_int_equal(mistakes.total, 1); /* the expectation's alone */
}

static void an_icmp_error_is_expected_of_a_host_or_of_the_router(void **state)
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

static void an_expectation_may_stand_before_its_step(void **state)
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

/* ---- what is wrong ---- */

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

static void every_mistake_says_where_and_what(void **state)
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

static void a_file_with_a_mistake_in_every_line_has_a_message_for_each(void **state)
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

static void one_mistake_is_not_blamed_on_the_lines_behind_it(void **state)
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

static void an_actor_that_is_gone_does_nothing_more(void **state)
{
    (void)state;
    assert_int_equal(parse("title t\nclient exit\nclient bind 1\nkill server SIGKILL\nserver bind 1\n"), -EINVAL);
    assert_int_equal(mistakes.total, 2);
    assert_string_equal(mistakes.list[0].text, "client is gone since line 2");
    assert_string_equal(mistakes.list[1].text, "server is gone since line 4");
}

static void a_closed_socket_is_not_there_any_more(void **state)
{
    (void)state;
    assert_int_equal(parse("title t\nclient connect server:1\nclient dup as copy\nclient close copy\nclient send \"x\" on copy\n"),
                     -EINVAL);
    assert_string_equal(mistakes.list[0].text, "client has no socket called 'copy' here; it has socket");
    assert_int_equal(mistakes.list[0].column, 20);
}

static void the_loopback_has_no_wire(void **state)
{
    (void)state;
    assert_int_equal(parse("title t\nplace loopback\nwire cut\nwait 1s\nexpect SYN from client lost\n"), -EINVAL);
    assert_int_equal(mistakes.total, 2);
    assert_non_null(strstr(mistakes.list[0].text, "no wire"));
}

static void the_head_stands_before_the_steps(void **state)
{
    (void)state;
    assert_int_equal(parse("title t\nwait 1s\nlimit 5s\ntitle again\n"), -EINVAL);
    assert_int_equal(mistakes.total, 2);
    assert_non_null(strstr(mistakes.list[0].text, "before the first step (line 2)"));
}

static void a_scenario_needs_a_title_and_a_step(void **state)
{
    (void)state;
    assert_int_equal(parse("wait 1s\n"), -EINVAL);
    assert_non_null(strstr(mistakes.list[0].text, "title"));
    assert_int_equal(parse("title t\ntell nothing happens\n"), -EINVAL);
    assert_non_null(strstr(mistakes.list[0].text, "no step"));
    assert_int_equal(parse(""), -EINVAL);
    assert_int_equal(parse("title a\ntitle b\nwait 1s\n"), -EINVAL);
    assert_non_null(strstr(mistakes.list[0].text, "already, in line 1"));
}

static void limits_are_mistakes_not_crashes(void **state)
{
    (void)state;
    struct buf text = buf_new(1 << 21);
    buf_text(&text, "title t\n");
    for (int i = 0; i < SCENARIO_STEPS_MAX + 2; i++) buf_text(&text, "wait 1ms\n");
    assert_int_equal(parse(buf_string(&text)), -EINVAL);
    assert_int_equal(mistakes.total, 2);
    assert_int_equal(parse("title t\nrepeat 1000 times\nwait 1ms\nwait 1ms\nwait 1ms\nwait 1ms\nwait 1ms\nwait 1ms\nwait 1ms\n"
                           "wait 1ms\nwait 1ms\nwait 1ms\nwait 1ms\nend\n"),
                     -EINVAL);
    assert_int_equal(mistakes.total, 10); /* of one round */
    assert_non_null(strstr(mistakes.list[0].text, "more than 10000 steps (round 910)"));
    buf_clear(&text);
    buf_text(&text, "title t\nrepeat 1000 times\nwait 1ms\n#");
    for (int i = 0; i < 1 << 13; i++) buf_char(&text, '#');
    buf_text(&text, "\nend\n");
    assert_int_equal(parse(buf_string(&text)), -EINVAL);
    assert_int_equal(mistakes.total, 1);
    assert_non_null(strstr(mistakes.list[0].text, "too much text"));
    buf_clear(&text);
    for (int i = 0; i < 200; i++) buf_text(&text, "nonsense\n");
    assert_int_equal(parse(buf_string(&text)), -EINVAL);
    assert_int_equal(mistakes.count, SCENARIO_MISTAKES_MAX);
    assert_int_equal(mistakes.total, 201);
    buf_clear(&text);
    buf_text(&text, "title t\nserver");
    for (int i = 0; i < 100; i++) buf_text(&text, " a");
    assert_int_equal(parse(buf_string(&text)), -EINVAL);
    buf_clear(&text);
    for (int i = 0; i < SCENARIO_SOURCE_BYTES; i++) buf_char(&text, '#');
    buf_char(&text, '#');
    assert_int_equal(parse(buf_string(&text)), -EINVAL);
    buf_free(&text);
}

static void a_mistake_is_shown_with_its_line_and_a_caret(void **state)
{
    (void)state;
    static const char text[] = "title t\n\twire drop SIN from client\nwait 1s\n";
    struct buf out = buf_new(4096);
    assert_int_equal(parse(text), -EINVAL);
    assert_int_equal(scenario_explain(&out, "my\033.scn", text, strlen(text), &mistakes), 0);
    assert_string_equal(buf_string(&out), "my?.scn:2:12: no kind of segment 'SIN': did you mean 'SYN'?\n"
                                          "     wire drop SIN from client\n"
                                          "               ^~~\n");
    buf_free(&out);
}

static void columns_count_characters_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(parse("title t\nclient connect server:1\nclient send \"éé\" nonblockin\n"), -EINVAL);
    assert_int_equal(mistakes.list[0].column, 18);
}

/* ---- the catalogue, and the edge of memory ---- */

static void every_scenario_of_the_catalogue_is_right(void **state)
{
    (void)state;
    size_t count;
    const struct catalogue_entry *entries = catalogue(&count);
    assert_true(count >= 3);
    for (size_t i = 0; i < count; i++) {
        scenario_free(scenario);
        scenario = NULL;
        int code = scenario_parse(entries[i].text, entries[i].length, &(struct scenario_vocabulary){.findings = NULL}, &scenario,
                                  &mistakes);
        if (code) fail_msg("%s:%u: %s", entries[i].name, mistakes.list[0].line, mistakes.list[0].text);
        assert_true(scenario->expect_count > 0);
        assert_ptr_equal(catalogue_find(entries[i].name), &entries[i]);
    }
    assert_null(catalogue_find("no-such"));
}

static void no_prefix_of_a_scenario_is_read_past_its_end(void **state)
{
    (void)state;
    static const char text[] =
        "title \xc3\xa9\nsection RFC 1 2\nserver listen 3333 on ::1 as a\nclient connect [::1]:3333 with \"\\\"\xc3\xa9\"\n"
        "wire hold every SYN-ACK from server as x\nexpect cause of FIN 1 from client: segment SYN\ntell\t\xe2\x86\x92";
    for (size_t length = 0; length <= sizeof(text) - 1; length++) {
        struct guard guard = guard_new(text, length);
        struct buf out = buf_new(1 << 16);
        scenario_free(scenario);
        scenario = NULL;
        if (scenario_parse((const char *)guard.bytes, length, &vocabulary, &scenario, &mistakes))
            assert_int_equal(scenario_explain(&out, "f", (const char *)guard.bytes, length, &mistakes), 0);
        buf_free(&out);
        guard_free(&guard);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_head_is_kept, teardown),
        cmocka_unit_test_teardown(without_a_head_it_is_a_wire_and_ten_seconds, teardown),
        cmocka_unit_test_teardown(blanks_comments_and_carriage_returns_do_not_matter, teardown),
        cmocka_unit_test_teardown(a_byte_order_mark_is_no_part_of_the_first_line, teardown),
        cmocka_unit_test_teardown(a_number_sign_in_quotes_begins_no_comment, teardown),
        cmocka_unit_test_teardown(a_text_is_decoded, teardown),
        cmocka_unit_test_teardown(listening_says_where_and_how_many, teardown),
        cmocka_unit_test_teardown(connecting_says_where_and_how, teardown),
        cmocka_unit_test_teardown(names_of_sockets_follow_the_steps, teardown),
        cmocka_unit_test_teardown(what_actors_do_is_kept, teardown),
        cmocka_unit_test_teardown(options_are_the_kernels, teardown),
        cmocka_unit_test_teardown(a_repeat_is_its_steps_so_often, teardown),
        cmocka_unit_test_teardown(what_a_round_leaves_behind_counts_in_the_next, teardown),
        cmocka_unit_test_teardown(the_wire_is_told_what_to_do, teardown),
        cmocka_unit_test_teardown(the_router_is_told_what_to_do, teardown),
        cmocka_unit_test_teardown(a_host_has_a_firewall, teardown),
        cmocka_unit_test_teardown(a_segment_to_be_made_is_kept, teardown),
        cmocka_unit_test_teardown(expectations_are_kept, teardown),
        cmocka_unit_test_teardown(a_claim_is_shown_by_the_expectations_below_it, teardown),
        cmocka_unit_test_teardown(what_is_half_right_needs_two_expectations_and_a_number_is_given_once, teardown),
        cmocka_unit_test_teardown(an_icmp_error_is_expected_of_a_host_or_of_the_router, teardown),
        cmocka_unit_test_teardown(an_expectation_may_stand_before_its_step, teardown),
        cmocka_unit_test_teardown(every_mistake_says_where_and_what, teardown),
        cmocka_unit_test_teardown(a_file_with_a_mistake_in_every_line_has_a_message_for_each, teardown),
        cmocka_unit_test_teardown(one_mistake_is_not_blamed_on_the_lines_behind_it, teardown),
        cmocka_unit_test_teardown(an_actor_that_is_gone_does_nothing_more, teardown),
        cmocka_unit_test_teardown(a_closed_socket_is_not_there_any_more, teardown),
        cmocka_unit_test_teardown(the_loopback_has_no_wire, teardown),
        cmocka_unit_test_teardown(the_head_stands_before_the_steps, teardown),
        cmocka_unit_test_teardown(a_scenario_needs_a_title_and_a_step, teardown),
        cmocka_unit_test_teardown(limits_are_mistakes_not_crashes, teardown),
        cmocka_unit_test_teardown(a_mistake_is_shown_with_its_line_and_a_caret, teardown),
        cmocka_unit_test_teardown(columns_count_characters_not_bytes, teardown),
        cmocka_unit_test_teardown(every_scenario_of_the_catalogue_is_right, teardown),
        cmocka_unit_test_teardown(no_prefix_of_a_scenario_is_read_past_its_end, teardown),
    };
    return cmocka_run_group_tests_name("scenario", tests, NULL, NULL);
}
