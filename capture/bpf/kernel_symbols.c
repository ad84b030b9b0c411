#include "capture/bpf/kernel_symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

enum {
    KALLSYMS_LIMIT_BYTES = 256 << 20, /* a kernel with many modules has some 20 MB */
    READ_BYTES = 1 << 16,
    LINE_LEAST_BYTES = 6, /* "0 T f\n" */
    /* No function is larger: behind the last symbol of a region lies nothing. */
    FUNCTION_MAX_BYTES = 1 << 20,
};

struct symbol {
    uint64_t address;
    size_t name; /* where in `names` */
    bool cut;    /* the name had an ending of the compiler's */
    bool own;    /* of the kernel itself, not of a module or a BPF program */
};

/* The list from the first BPF program on, which is read when it is needed. */
struct rest {
    int fd; /* -1: it has been read */
    struct buf text;
    struct kernel_symbols *programs;
};

struct kernel_symbols {
    struct symbol *symbols; /* sorted by address */
    size_t count;
    char *names;
    struct rest *rest; /* NULL: there is none */
};

/* One line: "ADDRESS TYPE NAME" and perhaps "\t[MODULE]". */
struct line {
    uint64_t address;
    char type;
    const char *name;
    size_t name_length;
    bool own;
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
    ret_line->own = i + 1 >= length || at[i + 1] != '[';
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

    for (const char *dot = name; (dot = memchr(dot + 1, '.', (size_t)(name + length - dot) - 1));) {
        for (size_t e = 0; e < sizeof(endings) / sizeof(endings[0]); e++) {
            if (starts_with(dot, (size_t)(name + length - dot), endings[e])) return (size_t)(dot - name);
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
    size_t names_length = 0;
    bool any = false, any_address = false;

    if (made) {
        made->symbols = calloc(length / LINE_LEAST_BYTES + 1, sizeof(*made->symbols)); /* most of it is never touched */
        made->names = malloc(length + 1);                                              /* each name is shorter than its line */
    }
    if (!made || !made->symbols || !made->names) {
        kernel_symbols_free(made);
        return err_set_errno(err, -ENOMEM, "Reading the kernel's symbols");
    }
    for (const char *at = text, *end; at; at = end ? end + 1 : NULL) {
        struct line line;

        end = memchr(at, '\n', (size_t)(text + length - at));
        if (line_parse(at, (size_t)((end ? end : text + length) - at), &line)) {
            any = true;
            any_address |= line.address != 0;
            if (line.address && line_is_function(&line)) {
                size_t trimmed = name_trim(line.name, line.name_length);

                made->symbols[made->count++] = (struct symbol){line.address, names_length, trimmed != line.name_length, line.own};
                memcpy(made->names + names_length, line.name, trimmed);
                made->names[names_length + trimmed] = 0;
                names_length += trimmed + 1;
            }
        }
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

static const char of_programs[] = "\t[bpf]\n";

/* Reads on, until the end, or with `ret_programs` until a line of a BPF program was read; that is where this begins, else the end.
 */
static int list_read(int fd, struct buf *text, size_t *ret_programs)
{
    const size_t mark = sizeof(of_programs) - 1;

    for (;;) {
        size_t before = text->length > mark ? text->length - mark : 0;
        char *room = buf_room(text, READ_BYTES);
        ssize_t got = room ? read(fd, room, READ_BYTES) : -1;

        if (!room) return -ENOMEM;
        if (got < 0) return -EIO;
        buf_grew(text, (size_t)got);
        char *found = ret_programs && got ? memmem(text->data + before, text->length - before, of_programs, mark) : NULL;
        if (found) {
            while (found > text->data && found[-1] != '\n') found--;
            *ret_programs = (size_t)(found - text->data);
            return 0;
        }
        if (got == 0) break;
    }
    if (ret_programs) *ret_programs = text->length;
    return 0;
}

/* Keeps what was read of the programs, and the descriptor; closes it where there are none, or no memory. */
static int rest_keep(struct kernel_symbols *symbols, int fd, const struct buf *text, size_t programs)
{
    bool any = programs < text->length;

    if (any) symbols->rest = calloc(1, sizeof(*symbols->rest));
    if (!symbols->rest) {
        close(fd);
        return any ? -ENOMEM : 0;
    }
    *symbols->rest = (struct rest){.fd = fd, .text = buf_new(KALLSYMS_LIMIT_BYTES)};
    return buf_append(&symbols->rest->text, text->data + programs, text->length - programs);
}

int kernel_symbols_take(struct kernel_symbols **ret_symbols, int fd, struct err *err)
{
    struct buf text = buf_new(KALLSYMS_LIMIT_BYTES);
    struct kernel_symbols *made = NULL;
    size_t programs = 0;
    int result = list_read(fd, &text, &programs);

    if (result == -EIO)
        err_set(err, result, "Reading the kernel's symbols from /proc/kallsyms failed half-way");
    else if (!result)
        result = kernel_symbols_parse(&made, buf_string(&text), programs, err);
    if (made)
        result = rest_keep(made, fd, &text, programs);
    else
        close(fd);
    buf_free(&text);
    if (result == -ENOMEM) err_set(err, result, "Reading the kernel's symbols: they are too many for the memory");
    if (result)
        kernel_symbols_free(made);
    else
        *ret_symbols = made;
    return result;
}

int kernel_symbols_load(struct kernel_symbols **ret_symbols, struct err *err)
{
    int fd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);

    if (fd < 0) return err_set_errno(err, -errno, "Reading the kernel's symbols from /proc/kallsyms");
    return kernel_symbols_take(ret_symbols, fd, err);
}

/* NULL: there are none, or they can't be read. */
static const struct kernel_symbols *programs_of(const struct kernel_symbols *symbols)
{
    struct rest *rest = symbols->rest;

    if (!rest) return NULL;
    if (rest->fd >= 0) {
        if (list_read(rest->fd, &rest->text, NULL) == 0)
            (void)kernel_symbols_parse(&rest->programs, buf_string(&rest->text), rest->text.length, NULL);
        close(rest->fd);
        rest->fd = -1;
        buf_free(&rest->text);
    }
    return rest->programs;
}

void kernel_symbols_free(struct kernel_symbols *symbols)
{
    if (!symbols) return;
    if (symbols->rest) {
        if (symbols->rest->fd >= 0) close(symbols->rest->fd);
        buf_free(&symbols->rest->text);
        kernel_symbols_free(symbols->rest->programs);
    }
    free(symbols->rest);
    free(symbols->symbols);
    free(symbols->names);
    free(symbols);
}

size_t kernel_symbols_count(const struct kernel_symbols *symbols)
{
    return symbols->count;
}

/* The last that begins at the address or before it; NULL: none, or one that must have ended long before. */
static const struct symbol *symbol_of(const struct kernel_symbols *symbols, uint64_t address)
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
    return &symbols->symbols[first];
}

const char *kernel_symbols_own_name(const struct kernel_symbols *symbols, uint64_t address)
{
    const struct symbol *symbol = symbol_of(symbols, address);

    return symbol && symbol->own ? symbols->names + symbol->name : NULL;
}

const char *kernel_symbols_name(const struct kernel_symbols *symbols, uint64_t address)
{
    const struct symbol *symbol = symbol_of(symbols, address), *program = NULL;

    if (symbol && symbol->own) return symbols->names + symbol->name;

    /* Programs lie where modules do: which of them begins last is asked of both. */
    const struct kernel_symbols *programs = programs_of(symbols);

    if (programs) program = symbol_of(programs, address);
    if (program && (!symbol || program->address > symbol->address)) return programs->names + program->name;
    return symbol ? symbols->names + symbol->name : NULL;
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
