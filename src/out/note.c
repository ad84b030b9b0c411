#include "out/note.h"
#include "base/lang.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/err.h"

void note_say(bool quiet, const char *format, ...)
{
    if (quiet) return;
    char text[ERR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), tr(format), args);
    va_end(args);
    struct err note; /* its maker disarms what came from outside */
    err_set(&note, 0, "%s", text);
    fprintf(stderr, "tcpwhy: %s\n", note.text);
}
