/* What the wire, the router and firewalls are told. */
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

void the_wire_is_told_what_to_do(void **state)
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

void the_router_is_told_what_to_do(void **state)
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

void a_host_has_a_firewall(void **state)
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

void a_segment_to_be_made_is_kept(void **state)
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

void expectations_are_kept(void **state)
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
