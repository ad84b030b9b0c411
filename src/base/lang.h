/* The language of sentences: English as it stands in the source, or a translation out of po/, which is part of the program.
 *
 * gettext's tools make the catalogue (script/po, cmake/EmbedCatalogue.cmake); it is looked up here and not by libintl, so that it
 * is there in a namespace, behind seccomp and on a host without locales, and so that the environment of a command that is run
 * stays as it was. A translation's formats are held to the original's by msgfmt -c when it is built.
 *
 * A sentence is whole: what differs stands in a placeholder, and placeholders may change places ("%2$s"). Words that programs read
 * (event lines, JSON, ids, states, names of calls, flags) are never translated. */
#ifndef TCPWHY_BASE_LANG_H
#define TCPWHY_BASE_LANG_H

#include <stdbool.h>
#include <stdint.h>

enum lang { LANG_EN, LANG_ZH, LANGS };

/* What this thread's sentences are in from now on. Returns what they were in. */
enum lang lang_use(enum lang lang);
enum lang lang_now(void);
/* "en", "zh": as --lang takes and HTML's lang attribute wants them ("zh-CN"). Static storage. */
const char *lang_name(enum lang lang);
const char *lang_tag(enum lang lang);
/* By --lang's word ("zh", "zh_CN.UTF-8", "en", …). False: there is none such. */
bool lang_by_name(const char *name, enum lang *ret_lang);
/* As gettext chooses: LC_ALL, LC_MESSAGES, LANG; and unless that is C, LANGUAGE before it. */
enum lang lang_of_environment(void);

/* The sentence in the language of now; where it has no translation, itself. Static storage. */
const char *tr(const char *sentence) __attribute__((format_arg(1)));
/* The same with a number in it: `one` where English takes the singular. */
const char *ntr(const char *one, const char *many, uint64_t number) __attribute__((format_arg(1), format_arg(2)));
/* Marks a sentence that is looked up later, where tr() can't stand. */
#define TR(sentence) sentence

#endif
