#include "pcapng/block.h"

enum pcapng_option_result pcapng_option_next(const uint8_t *options, size_t length, bool swapped, size_t *at,
                                             struct pcapng_option *ret_option)
{
    size_t left = length - *at;
    /* The end mark may be left out where the block ends. */
    if (left < 4) return left ? PCAPNG_OPTIONS_BAD : PCAPNG_OPTIONS_END;
    struct pcapng_option option = {
        .code = pcapng_u16(options + *at, swapped), .length = pcapng_u16(options + *at + 2, swapped), .value = options + *at + 4};
    if (option.code == 0) return option.length ? PCAPNG_OPTIONS_BAD : PCAPNG_OPTIONS_END;
    size_t padded = ((size_t)option.length + 3) & ~(size_t)3;
    if (padded > left - 4) return PCAPNG_OPTIONS_BAD;
    *at += 4 + padded;
    *ret_option = option;
    return PCAPNG_OPTION;
}

bool pcapng_section_order(const uint8_t *block, bool *ret_swapped)
{
    *ret_swapped = pcapng_u32(block + 8, false) != PCAPNG_MAGIC;
    return pcapng_u32(block + 8, *ret_swapped) == PCAPNG_MAGIC;
}

/* The least length of each type that is worth believing in. */
static const struct {
    uint32_t type, least;
} known[] = {
    {PCAPNG_ENHANCED_PACKET, 32},
    {PCAPNG_SIMPLE_PACKET, 16},
    {PCAPNG_OLD_PACKET, 32},
    {PCAPNG_INTERFACE, 20},
    {PCAPNG_NAME_RESOLUTION, 12},
    {PCAPNG_INTERFACE_STATISTICS, 24},
    {PCAPNG_JOURNAL, 16},
    {PCAPNG_DECRYPTION_SECRETS, 20},
    {PCAPNG_CUSTOM, 16},
    {PCAPNG_CUSTOM_NO_COPY, 16},
    {PCAPNG_SECTION_HEADER, PCAPNG_SECTION_BYTES_MIN},
};

enum pcapng_likeness pcapng_block_like(const uint8_t *bytes, size_t available, bool swapped, size_t longest, size_t *ret_need)
{
    *ret_need = PCAPNG_FRAME_BYTES;
    if (available < PCAPNG_FRAME_BYTES) return PCAPNG_UNDECIDED;
    uint32_t type = pcapng_u32(bytes, swapped), least = 0;
    for (size_t i = 0; i < sizeof(known) / sizeof(*known) && !least; i++)
        if (known[i].type == type) least = known[i].least;
    if (!least) return PCAPNG_UNLIKE;
    if (type == PCAPNG_SECTION_HEADER && !pcapng_section_order(bytes, &swapped)) return PCAPNG_UNLIKE;
    uint32_t length = pcapng_u32(bytes + 4, swapped);
    if (length < least || length > longest || length % 4) return PCAPNG_UNLIKE;
    *ret_need = length;
    if (available < length) return PCAPNG_UNDECIDED;
    return pcapng_u32(bytes + length - 4, swapped) == length ? PCAPNG_LIKE : PCAPNG_UNLIKE;
}
