#include "pages/pages.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* Made by cmake/EmbedPages.cmake. */
extern const struct page pages_entries[];
extern const size_t pages_count;

const struct page *pages_all(size_t *ret_count)
{
    *ret_count = pages_count;
    return pages_entries;
}

static char folded(char letter)
{
    return letter == '_' || letter == ' ' ? '-' : (char)tolower((unsigned char)letter);
}

static bool is_same(const char *a, const char *b)
{
    while (*a && folded(*a) == folded(*b)) a++, b++;
    return !*a && !*b;
}

/* What the output calls an evidence, and what its page is called. */
static const char *id_of(const char *word)
{
    static const char *const shown[][2] = {
        {"kernel stack", "stack"}, {"kernel context", "context"}, {"call interval", "interval"}, {"RFC rule", "rule"}};
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
        if (is_same(shown[i][0], word)) return shown[i][1];
    return word;
}

const struct page *pages_find(const char *word)
{
    const char *id = id_of(word);
    const struct page *found = NULL;
    for (size_t i = 0; i < pages_count; i++) {
        if (!strcmp(pages_entries[i].id, id)) return &pages_entries[i];
        if (!found && is_same(pages_entries[i].id, id)) found = &pages_entries[i];
    }
    return found;
}

const char *pages_kind_name(enum page_kind kind)
{
    static const char *const names[PAGES_KINDS] = {"findings", "timers", "states", "evidence"};
    return (unsigned)kind < PAGES_KINDS ? names[kind] : "?";
}

const char *pages_summary(const struct page *page, size_t *ret_length)
{
    const char *text = strchr(page->text, '\n');
    text = text ? text + strspn(text, "\n") : page->text;
    const char *end = strstr(text, "\n\n");
    *ret_length = end ? (size_t)(end - text) : strcspn(text, "\n");
    return text;
}
