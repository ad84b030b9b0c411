#include "viz/page/page_words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "viz/pen/escape.h"

enum { WORDS_MAX = 1 << 20 };
#define WORD_BYTES_MAX ((size_t)1 << 20)

struct word {
    size_t number, length;
    char *json;
    char *like; /* what is written: [-1 - number, "digits"]; NULL: the word itself */
};

struct page_words {
    struct table *table;  /* of what a word's bytes come to → struct word */
    struct table *models; /* of what they come to without digits → the first such word */
    struct word **list;
    size_t count, capacity, bytes, bytes_max;
    struct arena arena;
    struct buf json, text;    /* of the word in the making */
    struct buf mould, digits; /* it without its digits, and those alone */
    bool ascii, failed;
};

/* What a word is looked up by. Two words may come to the same: then the second is no word of the table. */
struct word_key {
    uint64_t hash, length;
};

static struct word_key key_of(const struct buf *json)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < json->length; i++) hash = (hash ^ (unsigned char)json->data[i]) * 1099511628211u;
    return (struct word_key){hash, json->length};
}

struct page_words *page_words_new(size_t bytes_max, bool ascii)
{
    struct page_words *words = calloc(1, sizeof(*words));
    if (!words) return NULL;
    words->table = table_new(sizeof(struct word_key));
    words->models = table_new(sizeof(struct word_key));
    words->arena = arena_new();
    words->json = buf_new(WORD_BYTES_MAX);
    words->text = buf_new(WORD_BYTES_MAX);
    words->mould = buf_new(2 * WORD_BYTES_MAX);
    words->digits = buf_new(WORD_BYTES_MAX);
    words->bytes_max = bytes_max;
    words->ascii = ascii;
    if (words->table && words->models) return words;
    page_words_free(words);
    return NULL;
}

void page_words_free(struct page_words *words)
{
    if (!words) return;
    table_free(words->table);
    table_free(words->models);
    arena_free(&words->arena);
    buf_free(&words->json);
    buf_free(&words->text);
    buf_free(&words->mould);
    buf_free(&words->digits);
    free(words->list);
    free(words);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* How many bytes of a string from `at` are one thing: an escape is, whatever its digits. */
static size_t unit(const char *at, const char *end)
{
    size_t length = at[0] != '\\' || at + 1 == end ? 1 : at[1] == 'u' ? 6 : 2;
    return length <= (size_t)(end - at) ? length : (size_t)(end - at);
}

/* A number in a string: digits, and points between or behind them. */
static size_t number_length(const char *at, const char *end)
{
    size_t length = 0;
    while (at + length < end && (is_digit(at[length]) || (length && at[length] == '.'))) length++;
    return length;
}

/* Takes the numbers out of the strings of a word. */
static void split(const char *json, size_t length, struct buf *mould, struct buf *digits)
{
    const char *at = json, *end = json + length;
    bool in_string = false;
    buf_clear(mould);
    buf_clear(digits);
    while (at < end) {
        size_t number = in_string ? number_length(at, end) : 0;
        if (number) {
            if (digits->length) buf_text(digits, " ");
            buf_append(digits, at, number);
            buf_append(mould, "0", 1);
            at += number;
            continue;
        }
        size_t bytes = in_string ? unit(at, end) : 1;
        if (at[0] == '"') in_string = !in_string;
        buf_append(mould, at, bytes);
        at += bytes;
    }
}

static char *copy(struct page_words *words, const char *bytes, size_t length)
{
    char *made = arena_alloc(&words->arena, length + 1);
    if (made) memcpy(made, bytes, length);
    if (made) made[length] = '\0';
    return made;
}

/* Whether the word is the model in all but digits: what is looked up may have come to the same by chance. The mould is the word's.
 */
static bool is_like(struct page_words *words, const struct word *model)
{
    struct buf mould = buf_new(2 * WORD_BYTES_MAX), digits = buf_new(WORD_BYTES_MAX);
    split(model->json, model->length, &mould, &digits);
    bool is = !mould.failed && mould.length == words->mould.length && memcmp(mould.data, words->mould.data, mould.length) == 0;
    buf_free(&mould);
    buf_free(&digits);
    return is;
}

/* How the word is written: by one like it, where that is shorter. */
static int find_model(struct page_words *words, struct word *word)
{
    split(word->json, word->length, &words->mould, &words->digits);
    if (words->mould.failed || words->digits.failed) return -ENOMEM;
    if (!words->digits.length) return 0;
    struct word_key key = key_of(&words->mould);
    const struct word *model = table_get(words->models, &key);
    if (!model) return table_put(words->models, &key, word);
    char like[32];
    int length = snprintf(like, sizeof(like), "[-%zu,\"", model->number + 1);
    if ((size_t)length + words->digits.length + 2 >= word->length || !is_like(words, model)) return 0;
    struct buf written = buf_new(WORD_BYTES_MAX + sizeof(like));
    buf_text(&written, like);
    buf_append(&written, words->digits.data, words->digits.length);
    buf_text(&written, "\"]");
    if (!written.failed) word->like = copy(words, written.data, written.length);
    buf_free(&written);
    return word->like ? 0 : -ENOMEM;
}

static struct word *add(struct page_words *words, const struct word_key *key, bool has_text)
{
    if (words->count == words->capacity) {
        size_t capacity = words->capacity ? 2 * words->capacity : 256;
        struct word **list = realloc(words->list, capacity * sizeof(struct word *));
        if (!list) return NULL;
        words->list = list;
        words->capacity = capacity;
    }
    struct word *word = arena_alloc(&words->arena, sizeof(*word));
    char *json = copy(words, words->json.data, words->json.length);
    if (!word || !json) return NULL;
    *word = (struct word){.number = words->count, .length = words->json.length, .json = json};
    if (has_text && find_model(words, word)) return NULL;
    if (table_put(words->table, key, word)) return NULL;
    words->list[words->count++] = word;
    words->bytes += word->length + 1;
    return word;
}

static void put(struct page_words *words, struct json *json, bool has_text)
{
    if (words->json.failed || words->text.failed) words->failed = true;
    struct word_key key = key_of(&words->json);
    struct word *word = table_get(words->table, &key);
    bool is_full = words->count >= WORDS_MAX || words->bytes + words->json.length > words->bytes_max;
    if (!word && !is_full && !(word = add(words, &key, has_text))) words->failed = true;
    bool is_it = word && word->length == words->json.length && memcmp(word->json, words->json.data, word->length) == 0;
    if (is_it)
        json_uint(json, NULL, word->number);
    else
        json_raw(json, NULL, buf_string(&words->json));
}

static void begin(struct page_words *words)
{
    buf_clear(&words->json);
    buf_clear(&words->text);
}

/* What comes is harmless: nothing of it needs more than JSON's own two escapes. */
static void put_string(struct page_words *words, struct json *json)
{
    json_string(json, NULL, buf_string(&words->text));
    buf_clear(&words->text);
}

void page_text(struct page_words *words, struct json *json, const char *text)
{
    begin(words);
    struct json own = json_new(&words->json, words->ascii);
    if (text) escape_text(&words->text, text, words->ascii);
    put_string(words, &own);
    put(words, json, true);
}

void page_phrase(struct page_words *words, struct json *json, const struct phrase *phrase)
{
    begin(words);
    if (phrase->failed) words->failed = true;
    bool is_plain = true;
    for (size_t i = 0; i < phrase->count; i++) is_plain = is_plain && phrase->runs[i].style == STYLE_PLAIN;
    struct json own = json_new(&words->json, words->ascii);
    if (!is_plain) json_array(&own, NULL);
    for (size_t i = 0; i < phrase->count; i++) {
        enum layout_style style = phrase->runs[i].style;
        escape_text(&words->text, phrase->runs[i].text, words->ascii);
        if (i + 1 < phrase->count && phrase->runs[i + 1].style == style) continue;
        if (!is_plain) json_uint(&own, NULL, style);
        put_string(words, &own);
    }
    if (phrase->count == 0) put_string(words, &own);
    if (!is_plain) json_end_array(&own);
    put(words, json, true);
}

void page_value(struct page_words *words, struct json *json, const struct buf *value)
{
    begin(words);
    buf_append(&words->json, value->data, value->length);
    if (value->failed) words->failed = true;
    put(words, json, false);
}

void page_words_write(const struct page_words *words, struct buf *out)
{
    for (size_t i = 0; i < words->count; i++) {
        buf_text(out, i ? ",\n" : "[\n");
        buf_text(out, words->list[i]->like ? words->list[i]->like : words->list[i]->json);
    }
    buf_text(out, words->count ? "\n]" : "[]");
}

bool page_words_failed(const struct page_words *words)
{
    return words->failed;
}
