#include "base/lang.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Made from po/zh_CN.po: a .mo file (GNU gettext manual, "The Format of GNU MO Files"), in this machine's byte order. */
extern const unsigned char lang_catalogue_zh[];
extern const size_t lang_catalogue_zh_bytes;

enum { MO_MAGIC = 0x950412de };

struct mo_header {
    uint32_t magic, revision, count, originals, translations;
};
struct mo_text {
    uint32_t length, offset;
};

static _Thread_local enum lang now = LANG_EN;

enum lang lang_use(enum lang lang)
{
    enum lang was = now;
    now = lang;
    return was;
}

enum lang lang_now(void)
{
    return now;
}

const char *lang_name(enum lang lang)
{
    static const char *const names[LANGS] = {"en", "zh"};
    return (unsigned)lang < LANGS ? names[lang] : "?";
}

const char *lang_tag(enum lang lang)
{
    return lang == LANG_ZH ? "zh-CN" : "en";
}

/* "zh", "zh_CN", "zh-Hans", "zh_CN.UTF-8@x": what stands before the codeset. Other Chinese scripts are other languages to a reader.
 */
bool lang_by_name(const char *name, enum lang *ret_lang)
{
    static const struct {
        const char *name;
        enum lang lang;
    } known[] = {{"zh", LANG_ZH}, {"zh_CN", LANG_ZH}, {"zh_SG", LANG_ZH}, {"zh_Hans", LANG_ZH}, {"zh_Hans_CN", LANG_ZH}};
    char word[24] = "";
    size_t length = strcspn(name, ".@");
    if (length >= sizeof(word)) return false;
    for (size_t i = 0; i < length; i++) word[i] = name[i] == '-' ? '_' : name[i];
    *ret_lang = LANG_EN;
    if (!strncasecmp(word, "en", 2) && (!word[2] || word[2] == '_')) return true;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcasecmp(word, known[i].name) != 0) continue;
        *ret_lang = known[i].lang;
        return true;
    }
    return false;
}

enum lang lang_of_environment(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    const char *locale = NULL, *list = getenv("LANGUAGE");
    enum lang lang;
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]) && (!locale || !*locale); i++) locale = getenv(variables[i]);
    if (!locale || !*locale || !strcmp(locale, "C") || !strcmp(locale, "POSIX")) return LANG_EN;
    while (list && *list) {
        char word[24] = "";
        size_t length = strcspn(list, ":");
        if (length < sizeof(word)) memcpy(word, list, length);
        if (*word && lang_by_name(word, &lang)) return lang;
        list += length + (list[length] == ':');
    }
    return lang_by_name(locale, &lang) ? lang : LANG_EN;
}

static const char *look_up(const char *sentence)
{
    const unsigned char *file = lang_catalogue_zh;
    struct mo_header header;
    memcpy(&header, file, sizeof(header));
    if (lang_catalogue_zh_bytes < sizeof(header) || header.magic != MO_MAGIC) return NULL;
    size_t from = 0, to = header.count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        struct mo_text original, translation;
        memcpy(&original, file + header.originals + middle * sizeof(original), sizeof(original));
        int order = strcmp(sentence, (const char *)file + original.offset);
        if (order == 0) {
            memcpy(&translation, file + header.translations + middle * sizeof(translation), sizeof(translation));
            return (const char *)file + translation.offset;
        }
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

const char *tr(const char *sentence)
{
    const char *found = now == LANG_EN || !*sentence ? NULL : look_up(sentence);
    return found && *found ? found : sentence;
}

/* Chinese has one form for all numbers, and that is found under the singular. */
const char *ntr(const char *one, const char *many, uint64_t number)
{
    const char *found = tr(one);
    return found != one ? found : number == 1 ? one : many;
}
