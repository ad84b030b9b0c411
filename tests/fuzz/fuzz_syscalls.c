/* What a traced process passes to a system call is whatever it likes: the description must be short, printable text all the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture/syscalls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t count;
    const struct syscall_row *rows = syscall_rows(&count);
    struct syscall_raw raw = {0};
    if (size < 1) return 0;
    uint8_t row = data[0];
    memcpy(&raw, data + 1, size - 1 < sizeof(raw) ? size - 1 : sizeof(raw));
    if (row < count) raw.number = rows[row].number; /* else the input's own: as good as always one that is not recorded */

    struct event_call call;
    memset(&call, 0xa5, sizeof(call));
    syscall_describe(&raw, &call);
    if (!memchr(call.name, '\0', sizeof(call.name)) || !memchr(call.args, '\0', sizeof(call.args))) abort();
    for (const char *c = call.args; *c; c++)
        if (*c < 0x20 || *c > 0x7e) abort();
    return 0;
}
