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
#include "scenario_own.h"
#include "support/guard.h"

struct scenario *scenario;
struct scenario_mistakes mistakes;

int parse(const char *text)
{
    scenario_free(scenario);
    scenario = NULL;
    return scenario_parse(text, strlen(text), &vocabulary, &scenario, &mistakes);
}

/* The model of a text that must be right; a title is put before it. */
const struct scenario *good(const char *text)
{
    char whole[4096];
    assert_true(snprintf(whole, sizeof(whole), "title t\n%s", text) < (int)sizeof(whole));
    int code = parse(whole);
    if (code) fail_msg("line %u, column %u: %s", mistakes.list[0].line, mistakes.list[0].column, mistakes.list[0].text);
    return scenario;
}

const struct scenario_step *last_step(const char *text)
{
    const struct scenario *model = good(text);
    assert_true(model->step_count > 0);
    return &model->steps[model->step_count - 1];
}

const struct scenario_expect *only_expect(const char *text)
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

/* ---- what is wrong ---- */

/* ---- the catalogue, and the edge of memory ---- */

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
