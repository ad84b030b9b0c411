/* Any bytes are read as a capture to their end: no byte behind them is looked at, every packet lies within them, and all of it
 * comes to an end. The first byte chooses how many packets are taken at once. Compressed bytes count as well. */
#include <stdlib.h>

#include "capture/stored/savefile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BATCH_MAX = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct savefile *file;
    struct savefile_packet packets[BATCH_MAX];
    struct err err;
    uint64_t number = 0, offset = 0, steps = 0;
    volatile unsigned sum = 0; /* every byte of a packet can be read */
    if (size < 1 || savefile_open_memory(&file, "input", data + 1, size - 1, &err)) return 0;
    for (;;) {
        size_t count;
        enum savefile_result result = savefile_batch(file, packets, 1U + data[0] % BATCH_MAX, &count);
        if (result == SAVEFILE_FAILED) abort(); /* there is memory enough for what an input may ask for */
        if ((result == SAVEFILE_PACKET) != (count > 0)) abort();
        for (size_t i = 0; i < count; i++) {
            if (packets[i].number != ++number || (number > 1 && packets[i].offset <= offset)) abort();
            offset = packets[i].offset;
            for (uint32_t at = 0; at < packets[i].captured; at++) sum += packets[i].bytes[at];
        }
        if (result == SAVEFILE_DAMAGED) {
            if (savefile_damage(file)->number != number + 1 || savefile_damage_say(file, &err)) abort();
            /* Each damage takes a byte at least out of the way. */
            if (++steps > size + 1 && savefile_damage(file)->skipped == 0) abort();
        }
        if (result == SAVEFILE_END) break;
    }
    (void)sum;
    savefile_close(file);
    return 0;
}
