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
    return letter == '_' ? '-' : (char)tolower((unsigned char)letter);
}

static bool is_same(const char *a, const char *b)
{
    while (*a && folded(*a) == folded(*b)) a++, b++;
    return !*a && !*b;
}

const struct page *pages_find(const char *id)
{
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
