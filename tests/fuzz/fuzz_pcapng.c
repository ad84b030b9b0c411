/* Any bytes are read block by block within their bounds, and every step moves on. What follows damage is searched for, as savefile
 * does. */
#include <stdlib.h>

#include "pcapng/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Options lie within their block, all of them. */
static unsigned walk(const uint8_t *options, size_t length, bool swapped, const uint8_t *block, uint64_t block_bytes)
{
    struct pcapng_option option;
    size_t at = 0;
    unsigned sum = 0;
    if (length && (options < block || length > block_bytes || (size_t)(options - block) > block_bytes - length)) abort();
    while (length && pcapng_option_next(options, length, swapped, &at, &option) == PCAPNG_OPTION)
        for (uint16_t i = 0; i < option.length; i++) sum += option.value[i];
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pcapng_reader *reader = pcapng_reader_new();
    struct pcapng_step step;
    size_t at = 0;
    volatile unsigned sum = 0;
    if (!reader) abort();
    while (at < size) {
        enum pcapng_result result = pcapng_reader_next(reader, data + at, size - at, &step);
        if (result == PCAPNG_NO_MEMORY) abort();
        if (result == PCAPNG_MORE && step.need <= size - at) abort();
        if (result == PCAPNG_PACKET) {
            const struct pcapng_packet *packet = &step.packet;
            if (packet->bytes < data + at || packet->captured > size - at || step.used > size - at) abort();
            if (!pcapng_reader_interface(reader, packet->interface)) abort();
            for (uint32_t i = 0; i < packet->captured; i++) sum += packet->bytes[i];
            sum += walk(packet->options, packet->options_bytes, packet->swapped, data + at, step.used);
        }
        if (result == PCAPNG_BLOCK && step.used == 0) abort();
        if (result == PCAPNG_BLOCK && !step.unchecked)
            sum += walk(step.options, step.options_bytes, step.swapped, data + at, step.used);
        if (result == PCAPNG_MORE || (result == PCAPNG_DAMAGED && step.used == 0)) {
            size_t need = 0;
            do at++;
            while (at < size && pcapng_reader_like(reader, data + at, size - at, 4096, &need) != PCAPNG_LIKE);
            continue;
        }
        if (step.used > size - at) break;
        at += step.used;
    }
    pcapng_reader_free(reader);
    (void)sum;
    return 0;
}
