#include "viz/page/page_words.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "viz/pen/escape.h"

enum { WORDS_MAX = 1 << 20, WORD_BYTES_MAX = 1 << 20 };

struct word {
    size_t number, length;
    char *json;
};

struct page_words {
    struct table *table; /* of what a word's bytes come to → struct word */
    struct word **list;
    size_t count, capacity, bytes, bytes_max;
    struct arena arena;
    struct buf json, text; /* of the word in the making */
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
    words->arena = arena_new();
    words->json = buf_new(WORD_BYTES_MAX);
    words->text = buf_new(WORD_BYTES_MAX);
    words->bytes_max = bytes_max;
    words->ascii = ascii;
    if (words->table) return words;
    free(words);
    return NULL;
}

void page_words_free(struct page_words *words)
{
    if (!words) return;
    table_free(words->table);
    arena_free(&words->arena);
    buf_free(&words->json);
    buf_free(&words->text);
    free(words->list);
    free(words);
}

static struct word *add(struct page_words *words, const struct word_key *key)
{
    if (words->count == words->capacity) {
        size_t capacity = words->capacity ? 2 * words->capacity : 256;
        struct word **list = realloc(words->list, capacity * sizeof(struct word *));
        if (!list) return NULL;
        words->list = list;
        words->capacity = capacity;
    }
    struct word *word = arena_alloc(&words->arena, sizeof(*word));
    char *json = arena_alloc(&words->arena, words->json.length + 1);
    if (!word || !json) return NULL;
    memcpy(json, words->json.data, words->json.length);
    *word = (struct word){words->count, words->json.length, json};
    if (table_put(words->table, key, word)) return NULL;
    words->list[words->count++] = word;
    words->bytes += word->length + 1;
    return word;
}

static void put(struct page_words *words, struct json *json)
{
    if (words->json.failed || words->text.failed) words->failed = true;
    struct word_key key = key_of(&words->json);
    struct word *word = table_get(words->table, &key);
    bool is_full = words->count >= WORDS_MAX || words->bytes + words->json.length > words->bytes_max;
    if (!word && !is_full && !(word = add(words, &key))) words->failed = true;
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
    put(words, json);
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
    put(words, json);
}

void page_value(struct page_words *words, struct json *json, const struct buf *value)
{
    begin(words);
    buf_append(&words->json, value->data, value->length);
    if (value->failed) words->failed = true;
    put(words, json);
}

void page_words_write(const struct page_words *words, struct buf *out)
{
    for (size_t i = 0; i < words->count; i++) {
        buf_text(out, i ? ",\n" : "[\n");
        buf_append(out, words->list[i]->json, words->list[i]->length);
    }
    buf_text(out, words->count ? "\n]" : "[]");
}

bool page_words_failed(const struct page_words *words)
{
    return words->failed;
}
