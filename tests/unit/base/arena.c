/* Memory that dies at once: alignment, zeroes, no overlap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

static void every_piece_is_aligned_zeroed_and_apart_from_the_others(void **state)
{
    (void)state;
    struct arena arena = arena_new();
    unsigned char *pieces[500];
    size_t sizes[500];
    for (size_t i = 0; i < 500; i++) {
        sizes[i] = i * 37 % 20 == 0 ? 9000 + i : 1 + i * 37 % 400; /* some larger than a block */
        pieces[i] = arena_alloc(&arena, sizes[i]);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        for (size_t b = 0; b < sizes[i]; b++) assert_int_equal(pieces[i][b], 0);
        memset(pieces[i], (int)(1 + i % 255), sizes[i]);
    }
    for (size_t i = 0; i < 500; i++)
        for (size_t b = 0; b < sizes[i]; b++) assert_int_equal(pieces[i][b], 1 + i % 255);
    arena_free(&arena);
    arena_free(&arena);
    arena_free(NULL);
}

/* What the sanitizer says of the bytes behind a piece, and of what is left of a block. */
static void nothing_but_a_piece_may_be_touched(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    struct arena arena = arena_new();
    for (size_t bytes = 1; bytes <= 64; bytes++) {
        const char *piece = arena_alloc(&arena, bytes);
        assert_false(__asan_address_is_poisoned(piece));
        assert_false(__asan_address_is_poisoned(piece + bytes - 1));
        assert_true(__asan_address_is_poisoned(piece + bytes));
    }
    arena_free(&arena);
#endif
}

static void too_much_is_refused(void **state)
{
    (void)state;
    struct arena arena = arena_new();
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, SIZE_MAX - 8));
    assert_non_null(arena_alloc(&arena, 1));
    arena_free(&arena);
}

static void texts_are_copied(void **state)
{
    (void)state;
    struct arena arena = arena_new();
    char text[] = "echo-client";
    const char *copy = arena_text(&arena, text);
    text[0] = 'X';
    assert_string_equal(copy, "echo-client");
    assert_string_equal(arena_text(&arena, ""), "");
    assert_null(arena_text(&arena, NULL));
    arena_free(&arena);
}

static void a_formatted_text_of_any_length_is_whole(void **state)
{
    (void)state;
    struct arena arena = arena_new();
    assert_string_equal(arena_printf(&arena, "%s(%d)", "connect", 4), "connect(4)");
    for (int width = 1; width < 20000; width = width * 3 + 1) {
        const char *text = arena_printf(&arena, "%0*d|", width, 7);
        assert_int_equal(strlen(text), width + 1);
        assert_int_equal(text[width], '|');
        assert_int_equal(text[width - 1], '7');
    }
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_is_aligned_zeroed_and_apart_from_the_others),
        cmocka_unit_test(nothing_but_a_piece_may_be_touched),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(texts_are_copied),
        cmocka_unit_test(a_formatted_text_of_any_length_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
