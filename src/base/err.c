#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/lang.h"

/* Names and hosts reach these sentences from outside: nothing in them may steer a terminal. */
static void disarm(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f) *text = '?';
}

/* Behind it there is no long story yet. */
static void end_sentence(struct err *err)
{
    size_t used = strlen(err->text) + 1;
    if (used < sizeof(err->text)) err->text[used] = '\0';
}

static int set(struct err *err, int code, const char *format, va_list args)
{
    if (!err) return code;
    vsnprintf(err->text, sizeof(err->text), tr(format), args);
    disarm(err->text);
    end_sentence(err);
    return code;
}

void err_more(struct err *err, const char *format, ...)
{
    if (!err) return;
    va_list args;
    va_start(args, format);
    size_t used = strlen(err->text) + 1;
    if (used < sizeof(err->text)) {
        vsnprintf(err->text + used, sizeof(err->text) - used, tr(format), args);
        disarm(err->text + used);
    }
    va_end(args);
}

const char *err_long_story(const struct err *err)
{
    size_t used = strlen(err->text) + 1;
    return used < sizeof(err->text) ? err->text + used : "";
}

int err_set(struct err *err, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set(err, code, format, args);
    va_end(args);
    return code;
}

int err_set_errno(struct err *err, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set(err, code, format, args);
    va_end(args);
    if (err) {
        size_t used = strlen(err->text);
        snprintf(err->text + used, sizeof(err->text) - used, "%s%s", tr(": "), err_errno_text(-code));
        end_sentence(err);
    }
    return code;
}

void err_prefix(struct err *err, const char *format, ...)
{
    if (!err) return;
    struct err before;
    va_list args;
    va_start(args, format);
    vsnprintf(before.text, sizeof(before.text), tr(format), args);
    va_end(args);
    disarm(before.text);
    struct err behind = *err;
    size_t used = (size_t)snprintf(err->text, sizeof(err->text), "%.400s%s", before.text, tr(": "));
    snprintf(err->text + used, sizeof(err->text) - used, "%.*s", (int)(sizeof(err->text) - used - 1), behind.text);
    end_sentence(err);
    err_more(err, "%s", err_long_story(&behind));
}
