#include <stdlib.h>
#include <string.h>

#include "base/pages.h"
#include "ledger/own.h"

struct slab slab_new(size_t object_bytes, unsigned piece_shift)
{
    return (struct slab){.object_bytes = object_bytes, .piece_shift = piece_shift};
}

void slab_free(struct slab *slab)
{
    for (size_t i = 0; i < slab->piece_count; i++) free(slab->pieces[i]);
    free(slab->pieces);
    *slab = (struct slab){0};
}

static bool add_piece(struct slab *slab)
{
    if (slab->piece_count == slab->piece_room) {
        size_t room = slab->piece_room ? slab->piece_room * 2 : 16;
        char **pieces = realloc(slab->pieces, room * sizeof(*pieces));
        if (!pieces) return false;
        slab->pieces = pieces;
        slab->piece_room = room;
    }
    size_t bytes = slab->object_bytes << slab->piece_shift;
    char *piece = aligned_alloc(bytes >= PAGES_LARGE ? PAGES_LARGE : 4096, (bytes + PAGES_LARGE - 1) / PAGES_LARGE * PAGES_LARGE);
    if (!piece) return false;
    /* Records are met in no order: with large pages most of them are found without a walk through the page tables. A first piece
     * stays with small ones, so that a small capture touches little memory. */
    if (slab->piece_count) pages_ask(piece, bytes);
    slab->pieces[slab->piece_count++] = piece;
    return true;
}

/* Who comes next finds it there. */
static void fetch(const char *object, size_t bytes)
{
    for (size_t line = 0; line < bytes; line += CACHE_LINE) __builtin_prefetch(object + line, 1);
}

uint32_t slab_take(struct slab *slab)
{
    uint32_t number = slab->free_one;
    if (number) {
        number--;
        memcpy(&slab->free_one, slab_at(slab, number), sizeof(slab->free_one));
    } else {
        if (slab->used == UINT32_MAX - 1) return UINT32_MAX;
        if (slab->used == slab->piece_count << slab->piece_shift && !add_piece(slab)) return UINT32_MAX;
        number = slab->used++;
    }
    slab->count++;
    if (slab->free_one) fetch(slab_at(slab, slab->free_one - 1), slab->object_bytes);
    memset(slab_at(slab, number), 0, slab->object_bytes);
    return number;
}

void slab_give(struct slab *slab, uint32_t number)
{
    memcpy(slab_at(slab, number), &slab->free_one, sizeof(slab->free_one));
    slab->free_one = number + 1;
    slab->count--;
}

void slab_give_all(struct slab *slab)
{
    slab->used = slab->free_one = slab->count = 0;
}

size_t slab_memory(const struct slab *slab)
{
    return (slab->piece_count << slab->piece_shift) * slab->object_bytes;
}
