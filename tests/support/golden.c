#include "support/golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *read_file(const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    char *bytes = NULL;
    size_t length = 0, capacity = 0;
    for (;;) {
        if (capacity - length < 65536 + 1) {
            capacity += 1 << 17;
            bytes = realloc(bytes, capacity);
            if (!bytes) abort();
        }
        size_t got = fread(bytes + length, 1, capacity - length - 1, file);
        if (got == 0) break;
        length += got;
    }
    fclose(file);
    bytes[length] = '\0';
    *ret_length = length;
    return bytes;
}

static void write_file(const char *path, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, length, file) != length || fclose(file) != 0) fail_msg("%s can't be written", path);
}

void golden_check(const char *path, const char *bytes, size_t length)
{
    if (getenv("TCPWHY_REGENERATE")) {
        write_file(path, bytes, length);
        return;
    }
    size_t wanted_length = 0;
    char *wanted = read_file(path, &wanted_length);
    if (!wanted) fail_msg("%s is missing: TCPWHY_REGENERATE=1 writes it", path);
    size_t same = 0, line = 1, start = 0;
    while (same < length && same < wanted_length && bytes[same] == wanted[same])
        if (bytes[same++] == '\n') {
            line++;
            start = same;
        }
    if (same == length && same == wanted_length) {
        free(wanted);
        return;
    }
    print_error("%s:%zu differs\n  stored: %.*s\n  now:    %.*s\n", path, line, (int)strcspn(wanted + start, "\n"), wanted + start,
                (int)strcspn(bytes + start, "\n"), bytes + start);
    free(wanted);
    fail_msg("TCPWHY_REGENERATE=1 writes the stored texts anew");
}
