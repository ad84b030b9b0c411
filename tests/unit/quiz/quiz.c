/* Papers from stories built by hand: what is asked, what is not, and that the right answer is alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "quiz/pens.h"
#include "quiz/quiz.h"
#include "support/stories.h"

static void make(struct story *story, struct quiz_options options, struct quiz_paper *ret_paper)
{
    struct err err = {""};
    assert_int_equal(quiz_make(&story, 1, &options, ret_paper, &err), 0);
}

static size_t count_of(const struct quiz_paper *paper, enum quiz_field field)
{
    size_t count = 0;
    for (size_t i = 0; i < paper->count; i++) count += paper->questions[i].field == field;
    return count;
}

static void check(const char *name, const struct quiz_question *question)
{
    if (!question->prompt || !question->answer || !question->why || !question->reference || !question->evidence ||
        !question->ladder)
        fail_msg("%s: a question lacks something: %s", name, question->prompt);
    if (!question->choice_count) return;
    assert_in_range(question->choice_count, 3, QUIZ_CHOICES_MAX);
    assert_string_equal(question->choices[question->right], question->answer);
    for (size_t i = 0; i < question->choice_count; i++)
        for (size_t k = 0; k < i; k++) assert_string_not_equal(question->choices[i], question->choices[k]);
}

static void every_question_of_every_story_is_whole_and_its_choices_differ(void **state)
{
    (void)state;
    size_t count = 0, asked = 0;
    const struct story_fixture *fixtures = story_fixtures(&count);
    for (size_t i = 0; i < count; i++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            struct story *story = fixtures[i].make();
            struct quiz_paper paper;
            make(story, (struct quiz_options){.seed = seed, .count = 40, .printed = seed % 2}, &paper);
            for (size_t k = 0; k < paper.count; k++) check(fixtures[i].name, &paper.questions[k]);
            asked += paper.count;
            quiz_free(&paper);
            story_free(story);
        }
    assert_true(asked > 1000);
}

static void a_capture_alone_gives_no_question_of_causes_or_calls(void **state)
{
    (void)state;
    struct story *story = story_file_only();
    struct quiz_paper paper;
    make(story, (struct quiz_options){.count = 100}, &paper);
    assert_true(paper.count > 0);
    assert_int_equal(count_of(&paper, QUIZ_CAUSE) + count_of(&paper, QUIZ_WAKE) + count_of(&paper, QUIZ_RETURNS), 0);
    quiz_free(&paper);
    story_free(story);
}

static void what_the_kernel_did_not_show_is_not_asked(void **state)
{
    (void)state;
    struct story *story = story_normal_echo();
    struct quiz_paper paper;
    make(story, (struct quiz_options){.fields = 1u << QUIZ_CAUSE, .count = 100}, &paper);
    assert_true(paper.count > 2);
    quiz_free(&paper);
    for (size_t i = 0; i < story->step_count; i++)
        if (story->steps[i].kind == STEP_SEGMENT) story->steps[i].segment->cause.evidence = EVIDENCE_INTERVAL;
    make(story, (struct quiz_options){.fields = 1u << QUIZ_CAUSE, .count = 100}, &paper);
    assert_int_equal(paper.count, 0);
    quiz_free(&paper);
    story_free(story);
}

/* A stored SYN-ACK says that the server got the SYN; nothing says that it got the last ACK, unless it goes on. */
static void without_the_kernel_a_state_needs_proof_that_the_segment_was_taken(void **state)
{
    (void)state;
    struct story *story = story_normal_echo();
    struct quiz_paper paper;
    size_t with_kernel, without;
    make(story, (struct quiz_options){.fields = 1u << QUIZ_STATE, .count = 100}, &paper);
    with_kernel = paper.count;
    quiz_free(&paper);
    for (size_t i = 0; i < story->step_count; i++)
        if (story->steps[i].kind == STEP_STATE) story->steps[i].state->cause.evidence = EVIDENCE_RULE;
    make(story, (struct quiz_options){.fields = 1u << QUIZ_STATE, .count = 100}, &paper);
    without = paper.count;
    for (size_t i = 0; i < paper.count; i++) assert_string_not_equal(paper.questions[i].answer, "CLOSED");
    assert_true(without > 0 && without < with_kernel);
    quiz_free(&paper);
    story_free(story);
}

static void a_number_that_does_not_follow_is_not_asked(void **state)
{
    (void)state;
    struct story *story = story_normal_echo();
    struct quiz_paper paper;
    make(story, (struct quiz_options){.fields = 1u << QUIZ_SEQ, .count = 100}, &paper);
    size_t before = paper.count;
    quiz_free(&paper);
    for (size_t i = story->step_count; i-- > 0;)
        if (story->steps[i].kind == STEP_SEGMENT) {
            story->steps[i].segment->seq += 100; /* a hole that the capture has */
            break;
        }
    make(story, (struct quiz_options){.fields = 1u << QUIZ_SEQ, .count = 100}, &paper);
    assert_int_equal(paper.count, before - 1);
    quiz_free(&paper);
    story_free(story);
}

static void the_same_seed_makes_the_same_paper(void **state)
{
    (void)state;
    struct story *story = story_late_accept();
    struct quiz_paper one, same, other;
    struct buf texts[3] = {buf_new(1 << 20), buf_new(1 << 20), buf_new(1 << 20)};
    make(story, (struct quiz_options){.seed = 8}, &one);
    make(story, (struct quiz_options){.seed = 8}, &same);
    make(story, (struct quiz_options){.seed = 9}, &other);
    assert_int_equal(quiz_write_sheet(&one, &texts[0]) | quiz_write_sheet(&same, &texts[1]) | quiz_write_sheet(&other, &texts[2]),
                     0);
    assert_string_equal(buf_string(&texts[0]), buf_string(&texts[1]));
    assert_string_not_equal(buf_string(&texts[0]), buf_string(&texts[2]));
    for (int i = 0; i < 3; i++) buf_free(&texts[i]);
    quiz_free(&one);
    quiz_free(&same);
    quiz_free(&other);
    story_free(story);
}

static void on_a_sheet_no_ladder_shows_what_another_question_asks(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct story *story = story_normal_echo();
        struct quiz_paper paper;
        make(story, (struct quiz_options){.seed = seed, .count = 12, .printed = true}, &paper);
        for (size_t i = 0; i < paper.count; i++) {
            const struct quiz_question *asked = &paper.questions[i];
            if (asked->field != QUIZ_FLAGS) continue;
            char name[32];
            snprintf(name, sizeof(name), "#%u %s", asked->which, story->steps[asked->step].segment->label);
            for (size_t k = 0; k < paper.count; k++) {
                assert_null(strstr(paper.questions[k].ladder, name));
                assert_null(strstr(paper.questions[k].prompt, name));
            }
        }
        assert_true(count_of(&paper, QUIZ_NEXT) <= 1);
        quiz_free(&paper);
        story_free(story);
    }
}

static void letters_words_and_numbers_are_answers(void **state)
{
    (void)state;
    struct quiz_question choice = {.choices = {"SYN", "8", "its timeout"}, .choice_count = 3, .right = 1, .answer = "8"};
    struct quiz_question number = {.answer = "1461"};
    assert_true(quiz_is_right(&choice, "b\n"));
    assert_true(quiz_is_right(&choice, " B) \r\n"));
    assert_true(quiz_is_right(&choice, "8"));
    assert_false(quiz_is_right(&choice, "a"));
    assert_false(quiz_is_right(&choice, "bb"));
    assert_false(quiz_is_right(&choice, ""));
    assert_true(quiz_is_right(&number, "1461\n"));
    assert_false(quiz_is_right(&number, "146"));
    assert_false(quiz_is_right(&number, "b"));
}

static void what_is_no_answer_is_told_from_a_wrong_one(void **state)
{
    (void)state;
    struct quiz_question choice = {.choices = {"SYN", "8", "its timeout"}, .choice_count = 3, .right = 1, .answer = "8"};
    struct quiz_question number = {.answer = "1461"};
    for (const char *const *line = (const char *const[]){"a\n", " C) \n", "Its Timeout\n", "8", NULL}; *line; line++)
        assert_true(quiz_is_answer(&choice, *line));
    for (const char *const *line = (const char *const[]){"\n", "", "d\n", "bb", "7", ")", "aa\n", NULL}; *line; line++)
        assert_false(quiz_is_answer(&choice, *line));
    assert_true(quiz_is_answer(&number, "12\n"));
    for (const char *const *line = (const char *const[]){"\n", "b\n", "12x\n", "-1\n", NULL}; *line; line++)
        assert_false(quiz_is_answer(&number, *line));
}

static void gift_escapes_what_means_something_to_it(void **state)
{
    (void)state;
    struct quiz_question question = {
        .prompt = "a~b=c#d{e}f:g\\h<i>", .choices = {"=x", "~y", "}"}, .choice_count = 3, .answer = "=x"};
    question.why = question.reference = question.evidence = question.ladder = "one\ntwo";
    struct quiz_paper paper = {.questions = &question, .count = 1, .title = ""};
    struct buf out = buf_new(1 << 16);
    assert_int_equal(quiz_write_gift(&paper, &out), 0);
    assert_non_null(strstr(buf_string(&out), "a\\~b\\=c\\#d\\{e\\}f\\:g&bsol;h&lt;i&gt;"));
    assert_non_null(strstr(buf_string(&out), "\n  =\\=x\n  ~\\~y\n  ~\\}\n"));
    assert_non_null(strstr(buf_string(&out), "one\\ntwo"));
    buf_free(&out);
}

static void each_pen_fails_where_its_buffer_does(void **state)
{
    (void)state;
    size_t count = 0;
    const struct quiz_pen *pens = quiz_pens(&count);
    struct story *story = story_normal_echo();
    struct quiz_paper paper;
    make(story, (struct quiz_options){0}, &paper);
    for (size_t i = 0; i < count; i++) {
        struct buf out = buf_new(300);
        assert_int_not_equal(pens[i].write(&paper, &out), 0);
        buf_free(&out);
        assert_ptr_equal(quiz_pen_by_name(pens[i].name), &pens[i]);
    }
    assert_null(quiz_pen_by_name("pdf"));
    assert_null(quiz_pen_by_path(".gift"));
    assert_non_null(quiz_pen_by_path("x.gift"));
    quiz_free(&paper);
    story_free(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_question_of_every_story_is_whole_and_its_choices_differ),
        cmocka_unit_test(a_capture_alone_gives_no_question_of_causes_or_calls),
        cmocka_unit_test(what_the_kernel_did_not_show_is_not_asked),
        cmocka_unit_test(without_the_kernel_a_state_needs_proof_that_the_segment_was_taken),
        cmocka_unit_test(a_number_that_does_not_follow_is_not_asked),
        cmocka_unit_test(the_same_seed_makes_the_same_paper),
        cmocka_unit_test(on_a_sheet_no_ladder_shows_what_another_question_asks),
        cmocka_unit_test(letters_words_and_numbers_are_answers),
        cmocka_unit_test(what_is_no_answer_is_told_from_a_wrong_one),
        cmocka_unit_test(gift_escapes_what_means_something_to_it),
        cmocka_unit_test(each_pen_fails_where_its_buffer_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
