#include "capture/bpf/kernel_symbols.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum {
    KALLSYMS_LIMIT_BYTES = 256 << 20, /* a kernel with many modules has some 20 MB */
    READ_BYTES = 1 << 16,
    /* No function is larger: behind the last symbol of a region lies nothing. */
    FUNCTION_MAX_BYTES = 1 << 20,
};

struct symbol {
    uint64_t address;
    size_t name; /* where in `names` */
    bool cut;    /* the name had an ending of the compiler's */
};

struct kernel_symbols {
    struct symbol *symbols; /* sorted by address */
    size_t count;
    char *names;
};

/* One line: "ADDRESS TYPE NAME" and perhaps "\t[MODULE]". */
struct line {
    uint64_t address;
    char type;
    const char *name;
    size_t name_length;
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

static bool line_parse(const char *at, size_t length, struct line *ret_line)
{
    size_t i = 0;
    uint64_t address = 0;

    while (i < length && i < 16 && hex_digit(at[i]) >= 0) address = address << 4 | (uint64_t)hex_digit(at[i++]);
    if (i == 0 || length - i < 4 || at[i] != ' ' || at[i + 2] != ' ') return false;
    ret_line->address = address;
    ret_line->type = at[i + 1];
    i += 3;
    ret_line->name = at + i;
    ret_line->name_length = 0;
    while (i < length && at[i] != '\t' && at[i] != ' ') {
        i++;
        ret_line->name_length++;
    }
    return ret_line->name_length > 0;
}

static bool starts_with(const char *text, size_t length, const char *start)
{
    return length >= strlen(start) && memcmp(text, start, strlen(start)) == 0;
}

/* The name without what compilers append to a clone of a function. */
static size_t name_trim(const char *name, size_t length)
{
    static const char *const endings[] = {".isra.", ".constprop.", ".part.", ".cold", ".llvm."};

    for (size_t i = 1; i < length; i++) {
        if (name[i] != '.') continue;
        for (size_t e = 0; e < sizeof(endings) / sizeof(endings[0]); e++) {
            if (starts_with(name + i, length - i, endings[e])) return i;
        }
    }
    return length;
}

/* Only code is called; the padding before functions (__pfx_) and compiler marks are not code. */
static bool line_is_function(const struct line *line)
{
    return strchr("tTwW", line->type) && !starts_with(line->name, line->name_length, "__pfx_") && line->name[0] != '$';
}

static int by_address(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;

    if (x->address != y->address) return x->address < y->address ? -1 : 1;
    return x->name < y->name ? -1 : x->name > y->name;
}

static void sort_unless_sorted(struct symbol *symbols, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (by_address(&symbols[i - 1], &symbols[i]) > 0) {
            qsort(symbols, count, sizeof(*symbols), by_address);
            return;
        }
    }
}

int kernel_symbols_parse(struct kernel_symbols **ret_symbols, const char *text, size_t length, struct err *err)
{
    struct kernel_symbols *made = calloc(1, sizeof(*made));
    size_t lines = 0, names_length = 0;
    bool any = false, any_address = false;

    for (size_t i = 0; i < length; i++) lines += text[i] == '\n';
    if (made) {
        made->symbols = calloc(lines + 1, sizeof(*made->symbols));
        made->names = malloc(length + 1); /* each name is shorter than its line */
    }
    if (!made || !made->symbols || !made->names) {
        kernel_symbols_free(made);
        return err_set_errno(err, -ENOMEM, "Reading the kernel's symbols");
    }
    for (size_t at = 0; at < length;) {
        const char *end = memchr(text + at, '\n', length - at);
        size_t line_length = end ? (size_t)(end - (text + at)) : length - at;
        struct line line;

        if (line_parse(text + at, line_length, &line)) {
            any = true;
            any_address = any_address || line.address != 0;
            if (line.address && line_is_function(&line)) {
                size_t trimmed = name_trim(line.name, line.name_length);

                made->symbols[made->count++] = (struct symbol){line.address, names_length, trimmed != line.name_length};
                memcpy(made->names + names_length, line.name, trimmed);
                made->names[names_length + trimmed] = 0;
                names_length += trimmed + 1;
            }
        }
        at += line_length + 1;
    }
    if (!any || !any_address) {
        kernel_symbols_free(made);
        if (!any) return err_set(err, -EINVAL, "The list of the kernel's symbols (/proc/kallsyms) is empty or not in its format");
        return err_set(err, -EACCES,
                       "The kernel hides its addresses, so its call chains have no names. Allow it with CAP_SYSLOG and "
                       "\"sysctl kernel.kptr_restrict=1\" (or 0)");
    }
    sort_unless_sorted(made->symbols, made->count);
    *ret_symbols = made;
    return 0;
}

int kernel_symbols_load(struct kernel_symbols **ret_symbols, struct err *err)
{
    struct buf text = buf_new(KALLSYMS_LIMIT_BYTES);
    FILE *file = fopen("/proc/kallsyms", "re");
    char *chunk = malloc(READ_BYTES);
    int result = 0;
    size_t got;

    if (!file)
        result = err_set_errno(err, -errno, "Reading the kernel's symbols from /proc/kallsyms");
    else if (!chunk)
        result = err_set_errno(err, -ENOMEM, "Reading the kernel's symbols");
    while (!result && (got = fread(chunk, 1, READ_BYTES, file)) > 0) {
        if (buf_append(&text, chunk, got))
            result = err_set(err, -ENOMEM, "Reading the kernel's symbols: they are too many for the memory");
    }
    if (!result && ferror(file)) result = err_set(err, -EIO, "Reading the kernel's symbols from /proc/kallsyms failed half-way");
    if (!result) result = kernel_symbols_parse(ret_symbols, buf_string(&text), text.length, err);
    if (file) fclose(file);
    free(chunk);
    buf_free(&text);
    return result;
}

void kernel_symbols_free(struct kernel_symbols *symbols)
{
    if (!symbols) return;
    free(symbols->symbols);
    free(symbols->names);
    free(symbols);
}

size_t kernel_symbols_count(const struct kernel_symbols *symbols)
{
    return symbols->count;
}

const char *kernel_symbols_name(const struct kernel_symbols *symbols, uint64_t address)
{
    size_t low = 0, high = symbols->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (symbols->symbols[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || address - symbols->symbols[low - 1].address > FUNCTION_MAX_BYTES) return NULL;
    /* Of aliases at one address the first is the one that the kernel lists first. */
    size_t first = low - 1;

    while (first > 0 && symbols->symbols[first - 1].address == symbols->symbols[first].address) first--;
    return symbols->names + symbols->symbols[first].name;
}

uint64_t kernel_symbols_address(const struct kernel_symbols *symbols, const char *name)
{
    const struct symbol *found[2] = {NULL, NULL}; /* under its own name, under one with an ending */
    bool several[2] = {false, false};

    for (size_t i = 0; i < symbols->count; i++) {
        const struct symbol *symbol = &symbols->symbols[i];

        if (strcmp(symbols->names + symbol->name, name) != 0) continue;
        several[symbol->cut] = several[symbol->cut] || found[symbol->cut];
        found[symbol->cut] = symbol;
    }
    if (found[0]) return several[0] ? 0 : found[0]->address;
    return found[1] && !several[1] ? found[1]->address : 0;
}
