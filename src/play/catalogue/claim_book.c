#include "play/catalogue/claim_book.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lab/scenario/catalogue.h"
#include "play/catalogue/scene.h"

static int compare_entries(const void *a, const void *b)
{
    const struct claim_entry *one = a, *other = b;
    uint32_t left = one->claim->number, right = other->claim->number;
    if (left != right) return !left ? 1 : !right ? -1 : left < right ? -1 : 1;
    int names = strcmp(one->name, other->name);
    return names ? names : one->claim->line < other->claim->line ? -1 : one->claim->line > other->claim->line;
}

static int add_scenario(struct claim_book *book, const char *name, struct err *err)
{
    struct scenario *scenario = NULL;
    int code = scene_load(name, &scenario, err);
    if (code) return code;
    struct claim_entry *list = reallocarray(book->list, book->count + scenario->claim_count + 1, sizeof(*list));
    if (!list) {
        scenario_free(scenario);
        return err_set_errno(err, -ENOMEM, "can't read the claims of %s", name);
    }
    book->list = list;
    book->scenarios[book->scenario_count++] = scenario;
    for (size_t i = 0; i < scenario->claim_count; i++)
        book->list[book->count++] = (struct claim_entry){name, scenario, &scenario->claims[i]};
    return 0;
}

int claim_book_open(struct claim_book *ret_book, const char *const *files, size_t count, struct err *err)
{
    const struct catalogue_entry *entries = count ? NULL : catalogue(&count);
    *ret_book = (struct claim_book){.scenarios = calloc(count + 1, sizeof(*ret_book->scenarios))};
    int code = ret_book->scenarios ? 0 : -ENOMEM;
    if (code) err_set_errno(err, code, "can't read the claims");
    for (size_t i = 0; i < count && !code; i++) code = add_scenario(ret_book, entries ? entries[i].name : files[i], err);
    if (!code && ret_book->count) qsort(ret_book->list, ret_book->count, sizeof(*ret_book->list), compare_entries);
    return code;
}

void claim_book_close(struct claim_book *book)
{
    for (size_t i = 0; i < book->scenario_count; i++) scenario_free(book->scenarios[i]);
    free(book->scenarios);
    free(book->list);
    *book = (struct claim_book){0};
}

bool claim_has_word(const struct claim_entry *entry, const char *word)
{
    const struct scenario_claim *claim = entry->claim;
    const char *const texts[] = {claim->text, claim->zh, claim->because, claim->because_zh};
    if (strcmp(entry->name, word) == 0) return true;
    if (word[0] && strspn(word, "0123456789") == strlen(word)) return claim->number && strtoul(word, NULL, 10) == claim->number;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i] && strcasestr(texts[i], word)) return true;
    return false;
}
