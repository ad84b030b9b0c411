/* The drawing of figure 5, held to stored texts (TCPWHY_REGENERATE=1 rewrites those), and what every drawing must keep to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/golden.h"
#include "viz/pen/escape.h"
#include "viz/plan/figure_plan.h"
#include "viz/svg/states_figure.h"

static struct arrow_map some(void)
{
    static const unsigned seen[] = {1, 2, 3, 5, 9, 10, 12, 13, 14, 17, 21};
    struct arrow_map map = {.stories = 2};
    const struct figure_arrow *arrows = figure_arrows(&(size_t){0});
    for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++) {
        struct arrow_sight *sight = &map.sights[seen[i] - 1];
        *sight = (struct arrow_sight){.count = (uint32_t)i + 1, .kind = CAUSE_CALL, .evidence = EVIDENCE_STACK};
        strcpy(sight->scenario, "a-lesson");
        strcpy(sight->step, "client: connect(3) of \033[31m\n");
        if (i % 2) strcpy(sight->kernel, "CLOSE → SYN_SENT");
        map.visited[arrows[seen[i] - 1].from] = map.visited[arrows[seen[i] - 1].to] = true;
    }
    map.sights[2].kind = CAUSE_UNKNOWN;
    map.sights[2].evidence = EVIDENCE_NONE;
    return map;
}

static struct buf draw(const struct arrow_map *map, struct view_options options)
{
    struct buf out = buf_new(1 << 20);
    assert_int_equal(states_draw(map, &options, &out), 0);
    return out;
}

static void check(const char *name, const struct arrow_map *map, struct view_options options)
{
    char path[512];
    struct buf out = draw(map, options);
    snprintf(path, sizeof(path), "%s/%s.txt", GOLDEN_DIR, name);
    golden_check(path, out.data, out.length);
    buf_free(&out);
}

static void drawings_are_as_stored(void **data)
{
    (void)data;
    struct arrow_map map = some(), none = {0};
    check("states", &map, (struct view_options){.width = 80, .verbose = 1});
    check("states-ascii", &map, (struct view_options){.width = 80, .ascii = true, .verbose = 1});
    check("states-color", &map, (struct view_options){.width = 120, .color = true, .verbose = 1});
    check("states-figure", &map, (struct view_options){.width = 80});
    check("states-none", &none, (struct view_options){.width = 80, .verbose = 1});
}

static void nothing_is_said_of_missing_arrows_where_none_is_missing(void **data)
{
    (void)data;
    size_t count;
    struct arrow_map map = some();
    const struct figure_arrow *arrows = figure_arrows(&count);
    for (int all = 0; all < 2; all++) {
        for (size_t i = 0; i < count && all; i++)
            if (!arrows[i].never) map.sights[i].count = 1;
        struct buf out = draw(&map, (struct view_options){.width = 80, .verbose = 1});
        assert_int_equal(strstr(buf_string(&out), "Not seen:") == NULL, all);
        buf_free(&out);
    }
}

static void no_line_is_wider_than_eighty_columns_and_nothing_steers_the_terminal(void **data)
{
    (void)data;
    struct arrow_map map = some();
    for (int ascii = 0; ascii < 2; ascii++) {
        struct buf out = draw(&map, (struct view_options){.width = 80, .ascii = ascii});
        int columns = 0;
        for (size_t i = 0; i < out.length;) {
            uint32_t code;
            size_t took = escape_decode(out.data + i, out.length - i, &code);
            assert_true(code == '\n' || escape_columns(code) > 0);
            if (ascii) assert_true(code == '\n' || (code >= 0x20 && code <= 0x7e));
            columns = code == '\n' ? 0 : columns + escape_columns(code);
            assert_true(columns <= 80);
            i += took;
        }
        buf_free(&out);
    }
}

static const char *state_in(const char *picture, const char *name)
{
    const char *at = strstr(picture, name);
    if (!at) fail_msg("%s is not drawn", name);
    return at;
}

static void the_figure_shows_every_state_and_every_number_once(void **data)
{
    (void)data;
    struct arrow_map none = {0};
    struct view_options options = {.width = 80, .ascii = true, .verbose = 1};
    struct buf out = buf_new(1 << 20);
    assert_int_equal(states_draw_figure(&none, &options, &out), 0);
    for (int state = STATE_CLOSED; state < STATE_COUNT; state++) state_in(out.data, tcp_state_name((enum tcp_state)state));
    const struct figure_arrow *arrows = figure_arrows(&(size_t){0});
    for (unsigned n = 1; n <= FIGURE_DRAWN; n++) {
        char label[64];
        snprintf(label, sizeof(label), " %u %.7s", n, arrows[n - 1].event);
        const char *at = state_in(out.data, label);
        if (strstr(at + 1, label)) fail_msg("%s stands twice", label);
    }
    buf_free(&out);
}

static void a_seen_arrow_is_drawn_otherwise_than_one_that_was_not(void **data)
{
    (void)data;
    struct arrow_map none = {0};
    struct buf plain = draw(&none, (struct view_options){.width = 80, .verbose = 1});
    for (unsigned n = 0; n < FIGURE_DRAWN; n++)
        for (int ascii = 0; ascii < 2; ascii++) {
            struct arrow_map one = {0};
            struct view_options options = {.width = 80, .ascii = ascii};
            struct buf without = buf_new(1 << 20), with = buf_new(1 << 20);
            one.sights[n].count = 1;
            assert_int_equal(states_draw_figure(&none, &options, &without), 0);
            assert_int_equal(states_draw_figure(&one, &options, &with), 0);
            if (strcmp(without.data, with.data) == 0) fail_msg("nobody can see that arrow %u was seen", n + 1);
            buf_free(&without);
            buf_free(&with);
        }
    buf_free(&plain);
}

static void too_small_a_buffer_is_an_error(void **data)
{
    (void)data;
    struct arrow_map map = some();
    struct view_options options = {.width = 80, .verbose = 1};
    struct buf out = buf_new(100);
    assert_true(states_draw(&map, &options, &out) < 0);
    buf_free(&out);
}

static void the_picture_is_as_stored_and_has_an_id_on_every_box_and_arrow(void **state)
{
    (void)state;
    struct arrow_map map = some();
    for (size_t i = 0; i < FIGURE_MAX; i++)
        if (map.sights[i].count) map.sights[i].ends = i % 3 ? ARROWS_CLIENT : ARROWS_SERVER;
    map.ends[STATE_SYN_SENT] = ARROWS_CLIENT;
    map.ends[STATE_LISTEN] = ARROWS_SERVER;
    map.ends[STATE_ESTABLISHED] = ARROWS_CLIENT | ARROWS_SERVER;
    struct buf out = buf_new(1 << 20);
    assert_int_equal(states_draw_svg(&map, "a-lesson, \033[31m<b>", &(struct view_options){0}, &out), 0);
    golden_check(GOLDEN_DIR "/states.svg", out.data, out.length);
    for (size_t i = 0; i < FIGURE_BOXES; i++) {
        char id[64];
        snprintf(id, sizeof(id), "id=\"%s\"", figure_boxes[i].id);
        assert_non_null(strstr(out.data, id));
    }
    for (size_t i = 1; i <= FIGURE_DRAWN; i++) {
        char id[64];
        snprintf(id, sizeof(id), "id=\"w-arrow-%zu\"", i);
        assert_non_null(strstr(out.data, id));
    }
    assert_null(strstr(out.data, "<b>"));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_picture_is_as_stored_and_has_an_id_on_every_box_and_arrow),
        cmocka_unit_test(drawings_are_as_stored),
        cmocka_unit_test(nothing_is_said_of_missing_arrows_where_none_is_missing),
        cmocka_unit_test(no_line_is_wider_than_eighty_columns_and_nothing_steers_the_terminal),
        cmocka_unit_test(the_figure_shows_every_state_and_every_number_once),
        cmocka_unit_test(a_seen_arrow_is_drawn_otherwise_than_one_that_was_not),
        cmocka_unit_test(too_small_a_buffer_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
