#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/nearest.h"
#include "viz/pen/escape.h"

enum { KEY_HELP = 1000, KEY_LANG = 1001, KEY_FIRST = 1002, HELP_COLUMN = 28, HELP_WIDTH = 80 };

static const struct options_row lang_row = {0, 0, "lang", "LANG",
                                            TR("the language of sentences: en or zh (default: as LC_MESSAGES and LANGUAGE say)")};
static const struct options_row help_row = {0, 'h', "help", NULL, TR("this text")};

struct lookup { /* getopt's value KEY_FIRST + i is row i */
    const struct options_row *row[OPTIONS_MAX];
    const struct options_group *group[OPTIONS_MAX];
    struct option longs[OPTIONS_MAX + 3];
    char shorts[2 * OPTIONS_MAX + 5];
    size_t count;
};

static void look_up(const struct options_verb *verb, bool stops, struct lookup *l)
{
    char *letter = l->shorts;
    if (stops) *letter++ = '+'; /* what follows the first operand is its */
    *letter++ = ':';            /* getopt tells a missing argument from an unknown option */
    *letter++ = 'h';
    for (size_t g = 0; g < verb->group_count; g++)
        for (size_t i = 0; i < verb->groups[g].count && l->count < OPTIONS_MAX; i++) {
            const struct options_row *row = &verb->groups[g].rows[i];
            l->row[l->count] = row;
            l->group[l->count] = &verb->groups[g];
            l->longs[l->count] =
                (struct option){row->name, row->argument ? required_argument : no_argument, NULL, KEY_FIRST + (int)l->count};
            if (row->letter) *letter++ = row->letter;
            if (row->letter && row->argument) *letter++ = ':';
            l->count++;
        }
    l->longs[l->count] = (struct option){"help", no_argument, NULL, KEY_HELP};
    l->longs[l->count + 1] = (struct option){"lang", required_argument, NULL, KEY_LANG};
}

/* Prints the text from `column` on, where the cursor is at `at`; wraps where a line may end, and breaks where the text does. */
static void print_wrapped(const char *text, int column, int at)
{
    bool first = true;
    while (*text) {
        int width, blank = 0;
        for (; *text == ' '; text++) blank = 1;
        if (*text == '\n') {
            printf("\n");
            at = 0;
            first = true;
            text++;
            continue;
        }
        size_t length = escape_piece(text, &width);
        if (at > column && at + blank + width > HELP_WIDTH) {
            printf("\n");
            at = 0;
            first = true;
        }
        int gap = first ? column - at : blank;
        printf("%*s%.*s", gap > 0 ? gap : 0, "", (int)length, text);
        at += (gap > 0 ? gap : 0) + width;
        first = false;
        text += length;
    }
    printf("\n");
}

static void print_row(const struct options_row *row)
{
    int used = row->letter ? printf("  -%c, ", row->letter) : printf("      ");
    used += printf("--%s%s%s", row->name, row->argument ? " " : "", row->argument ? row->argument : "");
    if (used >= HELP_COLUMN) printf("\n"), used = 0;
    print_wrapped(tr(row->help), HELP_COLUMN, used);
}

static int print_help(const struct options_verb *verb)
{
    if (verb->before_help) verb->before_help();
    printf(tr("Usage: tcpwhy %s %s\n"), verb->name, verb->usage);
    print_wrapped(tr(verb->summary), 0, 0);
    for (size_t g = 0; g < verb->group_count; g++) {
        printf(tr("\n%s:\n"), tr(verb->groups[g].title));
        for (size_t i = 0; i < verb->groups[g].count; i++) print_row(&verb->groups[g].rows[i]);
    }
    print_row(&lang_row);
    print_row(&help_row);
    if (verb->notes) printf("\n"), print_wrapped(tr(verb->notes), 0, 0);
    return OPTIONS_HELPED;
}

/* Whether the verb has this option: who has --no-calls writes captures. */
static bool knows(const struct lookup *l, const char *name)
{
    for (size_t i = 0; i < l->count; i++)
        if (!strcmp(l->row[i]->name, name)) return true;
    return false;
}

/* Who comes from tcpdump or tshark types -r and -w. */
static int unknown(const struct options_verb *verb, const struct lookup *l, const char *word, int letter, struct err *err)
{
    if (letter == 'r' && !strcmp(verb->name, "read"))
        return err_set(err, -EINVAL, "no option '-r': a file is named without an option: tcpwhy read FILE");
    if (letter == 'w' && knows(l, "no-calls"))
        return err_set(err, -EINVAL, "no option '-w': files are written with -o, a capture with -o FILE.pcapng");
    if (strncmp(word, "--", 2) != 0) return err_set(err, -EINVAL, "no option '-%c': see tcpwhy %s --help", letter, verb->name);
    if (!letter) {
        const char *names[OPTIONS_MAX];
        size_t begin_alike = 0, length = strcspn(word + 2, "=");
        for (size_t i = 0; i < l->count; i++) {
            names[i] = l->row[i]->name;
            begin_alike += !strncmp(names[i], word + 2, length);
        }
        if (begin_alike > 1) return err_set(err, -EINVAL, "'%s' could be several options: see tcpwhy %s --help", word, verb->name);
        const char *near = options_nearest(word + 2, names, l->count);
        if (near) return err_set(err, -EINVAL, "no option '%s': did you mean '--%s'?", word, near);
        return err_set(err, -EINVAL, "no option '%s': see tcpwhy %s --help", word, verb->name);
    }
    return err_set(err, -EINVAL, "'%s': this option takes no value", word);
}

static int parse(const struct options_verb *verb, bool stops, int argc, char **argv, int *ret_operand, struct err *err)
{
    struct lookup l = {0};
    look_up(verb, stops, &l);
    bool helped = false;
    optind = 0; /* glibc: begin anew, whatever was read before */
    opterr = 0;
    for (;;) {
        int at = optind ? optind : 1;
        int key = getopt_long(argc, argv, l.shorts, l.longs, NULL);
        if (key == -1) break;
        if (key == 'h' || key == KEY_HELP) {
            helped = true; /* in the language that a later option may choose */
            continue;
        }
        if (helped && key != KEY_LANG) continue;
        if (key == KEY_LANG) {
            int code = options_language(optarg, err);
            if (code) return code;
            continue;
        }
        const char *word = optind > at ? argv[optind - 1] : argv[at];
        if (key == ':') return err_set(err, -EINVAL, "'%s' needs a value: see tcpwhy %s --help", word, verb->name);
        if (key == '?') return unknown(verb, &l, word, optopt, err);
        for (size_t i = 0; key < KEY_FIRST && i < l.count; i++)
            if (l.row[i]->letter == key) key = KEY_FIRST + (int)i;
        size_t i = (size_t)(key - KEY_FIRST);
        if (verb->given && !options_was_given(verb->given, l.row[i]->name))
            verb->given->names[verb->given->count++] = l.row[i]->name;
        int code = l.group[i]->take(l.group[i]->target, l.row[i]->key, optarg, err);
        if (code) return code;
    }
    *ret_operand = optind;
    return helped ? print_help(verb) : OPTIONS_GO_ON;
}

int options_language(const char *word, struct err *err)
{
    enum lang lang;
    if (!lang_by_name(word, &lang)) return err_set(err, -EINVAL, "--lang: '%s' is no language here: there are en and zh", word);
    lang_use(lang);
    return 0;
}

int options_parse(const struct options_verb *verb, int argc, char **argv, int *ret_operand, struct err *err)
{
    return parse(verb, false, argc, argv, ret_operand, err);
}

int options_parse_command(const struct options_verb *verb, int argc, char **argv, int *ret_operand, struct err *err)
{
    return parse(verb, true, argc, argv, ret_operand, err);
}

bool options_was_given(const struct options_given *given, const char *name)
{
    for (size_t i = 0; i < given->count; i++)
        if (!strcmp(given->names[i], name)) return true;
    return false;
}

int options_refuse(const struct options_given *given, const struct options_misfit *misfits, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (options_was_given(given, misfits[i].name))
            return err_set(err, -EINVAL, "--%s: %s", misfits[i].name, tr(misfits[i].why));
    return 0;
}

int options_number(const char *option, const char *text, long low, long high, long *ret_number, struct err *err)
{
    char *end = NULL;
    errno = 0;
    long number = strtol(text, &end, 10);
    bool digits = text[0] && strspn(text + (text[0] == '-'), "0123456789") == strlen(text + (text[0] == '-')) && *end == '\0';
    if (!digits || errno || number < low || number > high)
        return err_set(err, -EINVAL, "%s: '%s' is no number from %ld to %ld", option, text, low, high);
    *ret_number = number;
    return 0;
}

const char *options_nearest(const char *word, const char *const *candidates, size_t count)
{
    return nearest_word(word, candidates, count);
}
