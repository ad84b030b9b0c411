/* A scenario's text, line by line, and which file reads which line. */
#include "lab/scenario/scenario.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "lab/scenario/scenario_parse.h"

enum { REPEATED_BYTES_MAX = 4 << 20 };
static const int64_t LIMIT_USUAL_NS = INT64_C(10000000000);

/* Bytes of one UTF-8 character, 0 where there is none. RFC 3629. */
static size_t utf8_bytes(const unsigned char *text, size_t length)
{
    size_t more = text[0] < 0x80                      ? 0
                  : text[0] >= 0xc2 && text[0] < 0xe0 ? 1
                  : (text[0] & 0xf0) == 0xe0          ? 2
                  : text[0] >= 0xf0 && text[0] < 0xf5 ? 3
                                                      : 9;
    if (more >= length) return 0;
    for (size_t i = 1; i <= more; i++)
        if ((text[i] & 0xc0) != 0x80) return 0;
    if (text[0] == 0xe0 && text[1] < 0xa0) return 0; /* overlong */
    if (text[0] == 0xed && text[1] > 0x9f) return 0; /* surrogates */
    if (text[0] == 0xf0 && text[1] < 0x90) return 0;
    if (text[0] == 0xf4 && text[1] > 0x8f) return 0;
    if (text[0] == 0xc2 && text[1] < 0xa0) return 0; /* C1 control characters */
    return more + 1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Decodes a quoted text in place, from behind its opening quote. Returns what stands behind the closing one; NULL: a mistake. */
static char *read_quoted(struct scenario_parser *parser, struct scenario_word *word, char *at)
{
    char *out = at;
    word->text = out;
    word->quoted = true;
    uint32_t column = word->column + 1;
    for (; *at != '"'; at++, column++) {
        struct scenario_word here = {.column = column, .width = 2};
        if (!*at) return scenario_mistake(parser, word, "this text has no closing quote"), NULL;
        while ((at[0] & 0xc0) == 0x80) *out++ = *at++; /* the rest of a character */
        if (*at == '"') break;
        if (!*at) return scenario_mistake(parser, word, "this text has no closing quote"), NULL;
        if (*at != '\\') {
            *out++ = *at;
            continue;
        }
        const char *escapes = "nt\"\\", *values = "\n\t\"\\", *found = at[1] ? strchr(escapes, at[1]) : NULL;
        if (!found) return scenario_mistake(parser, &here, "behind a backslash there may be n, t, \\ and \""), NULL;
        *out++ = values[found - escapes];
        at++, column++;
    }
    *out = '\0';
    word->width = column + 1 - word->column;
    at++;
    if (*at && !is_blank(*at)) {
        struct scenario_word here = {.column = column + 1, .width = 1};
        return scenario_mistake(parser, &here, "expected a blank behind the closing quote"), NULL;
    }
    return at;
}

/* `line` is a copy that may be written to; it has no surrounding blanks; `column` is its first character's. */
static bool split(struct scenario_parser *parser, char *line, uint32_t column)
{
    parser->count = parser->at = 0;
    for (char *at = line; *at;) {
        if (is_blank(*at)) {
            at++, column++;
            continue;
        }
        if (parser->count + 1 >= SCENARIO_LINE_WORDS) {
            parser->line_end = column;
            return scenario_mistake(parser, NULL, "more than %d words in a line", SCENARIO_LINE_WORDS - 1);
        }
        struct scenario_word *word = &parser->words[parser->count++];
        *word = (struct scenario_word){.text = at, .column = column, .width = 1};
        if (*at == '"') {
            at = read_quoted(parser, word, at + 1);
            if (!at) return false;
            column += word->width;
            continue;
        }
        char *begin = at;
        for (; *at && !is_blank(*at); at++) column += (*at & 0xc0) != 0x80;
        word->width = column - word->column;
        bool colon = at[-1] == ':' && at - begin > 1;
        bool more = *at != '\0';
        *at = '\0';
        if (colon) { /* "client:" is two words; the second is a constant, its letter makes room for the NUL */
            at[-1] = '\0';
            word->width--;
            parser->words[parser->count++] = (struct scenario_word){.text = ":", .column = column - 1, .width = 1};
        }
        if (more) at++, column++;
    }
    parser->line_end = column;
    return true;
}

/* ---- lines ---- */

/* A character that has no place in a text: its column, 0 none. */
static uint32_t bad_character(const char *line, size_t length)
{
    uint32_t column = 1;
    for (size_t i = 0; i < length; column++) {
        size_t bytes = utf8_bytes((const unsigned char *)line + i, length - i);
        if (!bytes || (bytes == 1 && (unsigned char)line[i] < 0x20 && line[i] != '\t') || line[i] == 0x7f) return column;
        i += bytes;
    }
    return 0;
}

/* Where a comment begins: a # at the beginning of a word, outside quotes. */
static size_t without_comment(const char *line, size_t length)
{
    bool quoted = false;
    for (size_t i = 0; i < length; i++) {
        bool starts = i == 0 || is_blank(line[i - 1]);
        if (quoted && line[i] == '\\') {
            i++;
            continue;
        }
        if (line[i] == '"' && (quoted || starts)) quoted = !quoted;
        if (line[i] == '#' && starts && !quoted) return i;
    }
    return length;
}

static void parse_line(struct scenario_parser *parser, const char *line, size_t length, bool expectations)
{
    uint32_t column = 1;
    while (length && (is_blank(line[length - 1]) || line[length - 1] == '\r')) length--;
    uint32_t bad = bad_character(line, length);
    if (bad) {
        struct scenario_word here = {.column = bad, .width = 1};
        if (!expectations) scenario_mistake(parser, &here, "a character that is no text (UTF-8 without control characters)");
        return;
    }
    while (length && is_blank(*line)) line++, length--, column++;
    char *whole = arena_alloc(&parser->scenario->arena, length + 1);
    char *copy = arena_alloc(&parser->scenario->arena, length + 1);
    if (!whole || !copy) {
        parser->failed = true;
        return;
    }
    memcpy(whole, line, length);
    const struct scenario_head *head = scenario_find_head(whole);
    if (!head || !head->text) length = without_comment(line, length);
    while (length && is_blank(line[length - 1])) length--;
    if (!length) return;
    whole[length] = '\0';
    bool expects = strncmp(whole, "expect", 6) == 0 && (is_blank(whole[6]) || !whole[6]);
    bool late = expects || (head && head->late);
    if (expectations && !late) scenario_end_claim(parser);
    if (late != expectations) return;
    memcpy(copy, whole, length + 1);
    parser->line_text = whole;
    parser->line_rest = whole + strcspn(whole, " \t");
    parser->line_rest += strspn(parser->line_rest, " \t");
    if (head && head->text) { /* quotes in a sentence are just that */
        size_t first = strcspn(copy, " \t");
        uint32_t rest = column;
        for (const char *at = whole; at < parser->line_rest; at++) rest++;
        copy[first] = '\0';
        parser->words[0] = (struct scenario_word){.text = copy, .column = column, .width = (uint32_t)first};
        parser->words[1] = (struct scenario_word){.text = parser->line_rest, .column = rest, .width = 1};
        parser->count = *parser->line_rest ? 2 : 1;
        parser->line_end = rest;
    } else if (!split(parser, copy, column))
        return;
    if (head)
        scenario_parse_head(parser, head);
    else if (expects)
        scenario_parse_expect(parser);
    else
        scenario_parse_step(parser);
}

/* The line at `at`, and what stands behind it. */
static size_t next_line(struct scenario_parser *parser, const char *text, size_t length, size_t at, bool expectations)
{
    const char *end = memchr(text + at, '\n', length - at);
    size_t line_length = end ? (size_t)(end - (text + at)) : length - at;
    parser->line++;
    parse_line(parser, text + at, line_length, expectations);
    return at + line_length + 1;
}

/* Where to go on behind a line: at the beginning of its repeat, for one more round, or where it ended. */
static size_t turn(struct scenario_parser *parser, size_t at)
{
    struct scenario_repeat *repeat = &parser->repeat;
    if (repeat->state == REPEAT_BEGUN) {
        *repeat = (struct scenario_repeat){.state = REPEAT_INSIDE,
                                           .line = repeat->line,
                                           .rounds = repeat->rounds,
                                           .round = 1,
                                           .begin = at,
                                           .mistakes = parser->mistakes->total};
    } else if (repeat->state == REPEAT_ENDED) {
        size_t most = REPEATED_BYTES_MAX / (size_t)repeat->rounds;
        if (at - repeat->begin > most)
            scenario_mistake(parser, NULL, "this repeats too much text: %d bytes at most in all", REPEATED_BYTES_MAX);
        repeat->state = REPEAT_NONE;
        if (repeat->round == repeat->rounds || parser->mistakes->total != repeat->mistakes) return at;
        repeat->state = REPEAT_INSIDE;
        repeat->round++;
        parser->line = repeat->line;
        return repeat->begin;
    }
    return at;
}

/* Each round of a repeat is read anew, so that what the one before it left behind counts. */
static void parse_steps(struct scenario_parser *parser, const char *text, size_t length)
{
    parser->line = 0;
    for (size_t at = 0; at < length && !parser->failed;) at = turn(parser, next_line(parser, text, length, at, false));
    if (parser->repeat.state == REPEAT_NONE) return;
    struct scenario_word word = {.column = 1, .width = 6};
    parser->line = parser->repeat.line;
    scenario_mistake(parser, &word, "this repeat has no line 'end'");
}

static void parse_expectations(struct scenario_parser *parser, const char *text, size_t length)
{
    parser->line = 0;
    for (size_t at = 0; at < length && !parser->failed;) at = next_line(parser, text, length, at, true);
    scenario_end_claim(parser);
}

static int compare_mistakes(const void *a, const void *b)
{
    const struct scenario_mistake *one = a, *other = b;
    if (one->line != other->line) return one->line < other->line ? -1 : 1;
    return one->column < other->column ? -1 : one->column > other->column;
}

static void check_whole(struct scenario_parser *parser)
{
    parser->line = 1;
    struct scenario_word begin = {.column = 1, .width = 1};
    if (!parser->title_line) scenario_mistake(parser, &begin, "a scenario needs a line 'title …'");
    size_t acts = 0;
    for (size_t i = 0; i < parser->scenario->step_count; i++) acts += parser->scenario->steps[i].verb != SCENARIO_TELL;
    if (!acts && !parser->mistakes->total) scenario_mistake(parser, &begin, "there is no step in it");
}

/* U+FEFF, which some editors put before a text. */
static size_t mark_bytes(const char *text, size_t length)
{
    static const char mark[] = {'\xef', '\xbb', '\xbf'};
    return length >= sizeof(mark) && memcmp(text, mark, sizeof(mark)) == 0 ? sizeof(mark) : 0;
}

int scenario_parse(const char *text, size_t length, const struct scenario_vocabulary *vocabulary, struct scenario **ret_scenario,
                   struct scenario_mistakes *mistakes)
{
    size_t mark = mark_bytes(text, length);
    text += mark, length -= mark;
    mistakes->count = mistakes->total = 0;
    struct scenario *scenario = calloc(1, sizeof(*scenario));
    struct scenario_parser *parser = calloc(1, sizeof(*parser));
    int code = scenario && parser ? 0 : -ENOMEM;
    if (!code) {
        scenario->arena = arena_new();
        scenario->limit_ns = LIMIT_USUAL_NS;
        scenario->group = SCENARIO_GROUPS;
        scenario->marked = mark > 0;
        scenario->actors[0] = (struct scenario_actor){"client", SCENARIO_CLIENT, -1};
        scenario->actors[1] = (struct scenario_actor){"server", SCENARIO_SERVER, -1};
        scenario->actor_count = 2;
        parser->scenario = scenario;
        parser->mistakes = mistakes;
        parser->vocabulary = vocabulary;
        if (length > SCENARIO_SOURCE_BYTES) {
            parser->line = 1;
            struct scenario_word begin = {.column = 1, .width = 1};
            scenario_mistake(parser, &begin, "a scenario has %d bytes at most", SCENARIO_SOURCE_BYTES);
        } else {
            parse_steps(parser, text, length);
            parse_expectations(parser, text, length);
            check_whole(parser);
        }
        code = parser->failed ? -ENOMEM : mistakes->total ? -EINVAL : 0;
        qsort(mistakes->list, mistakes->count, sizeof(mistakes->list[0]), compare_mistakes);
    }
    free(parser);
    if (code)
        scenario_free(scenario);
    else
        *ret_scenario = scenario;
    return code;
}

void scenario_free(struct scenario *scenario)
{
    if (!scenario) return;
    arena_free(&scenario->arena);
    free(scenario);
}

/* ---- mistakes, for a person ---- */

/* The line with tabs as blanks, so that the caret stands below its column. */
static void write_line(struct buf *out, const char *line, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t bytes = utf8_bytes((const unsigned char *)line + i, length - i);
        bool plain = bytes > 1 || (bytes == 1 && (unsigned char)line[i] >= 0x20 && line[i] != 0x7f);
        if (plain)
            buf_append(out, line + i, bytes);
        else
            buf_char(out, line[i] == '\t' ? ' ' : '?');
        i += bytes ? bytes : 1;
    }
}

static void write_mistake(struct buf *out, const char *file, const char *text, size_t length,
                          const struct scenario_mistake *mistake)
{
    size_t begin = 0;
    for (uint32_t line = 1; line < mistake->line && begin < length; line++) {
        const char *end = memchr(text + begin, '\n', length - begin);
        begin = end ? (size_t)(end - text) + 1 : length;
    }
    const char *end = begin < length ? memchr(text + begin, '\n', length - begin) : NULL;
    size_t line_length = end ? (size_t)(end - text) - begin : length - begin;
    if (line_length && text[begin + line_length - 1] == '\r') line_length--;
    write_line(out, file, strlen(file));
    buf_printf(out, ":%" PRIu32 ":%" PRIu32 ": ", mistake->line, mistake->column);
    write_line(out, mistake->text, strlen(mistake->text));
    buf_text(out, "\n    ");
    write_line(out, text + begin, line_length);
    buf_text(out, "\n    ");
    for (uint32_t i = 1; i < mistake->column; i++) buf_char(out, ' ');
    for (uint32_t i = 0; i < mistake->width && i < 200; i++) buf_char(out, i ? '~' : '^');
    buf_char(out, '\n');
}

int scenario_explain(struct buf *out, const char *file, const char *text, size_t length, const struct scenario_mistakes *mistakes)
{
    size_t mark = mark_bytes(text, length);
    text += mark, length -= mark;
    for (size_t i = 0; i < mistakes->count; i++) write_mistake(out, file, text, length, &mistakes->list[i]);
    if (mistakes->total > mistakes->count) buf_printf(out, tr("… and %zu more mistakes\n"), mistakes->total - mistakes->count);
    return out->failed ? -ENOMEM : 0;
}
