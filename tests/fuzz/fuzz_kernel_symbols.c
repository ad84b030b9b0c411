/* Any text is read within its bounds as a list of symbols, and every address asked for has a name that is a string, or none. */
#include <stdlib.h>
#include <string.h>

#include "capture/bpf/kernel_symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint64_t addresses[] = {0, 1, 0x1000, 0xffffffff81000104, 0xffffffffc0000304, UINT64_MAX};
    struct kernel_symbols *symbols = NULL;
    struct err err = {{0}};

    if (kernel_symbols_parse(&symbols, (const char *)data, size, &err)) {
        if (!err.text[0] || symbols) abort();
        return 0;
    }
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        const char *name = kernel_symbols_name(symbols, addresses[i]);

        if (name && strlen(name) > size) abort();
    }
    kernel_symbols_free(symbols);
    return 0;
}
