#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"

/* Under the address sanitizer nothing of a block may be touched but what was asked for: a list of a story that is read past its end
 * is noticed, as one that had been allocated by itself would be. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
enum { GUARD_BYTES = 16 };
#else
#define ASAN_POISON_MEMORY_REGION(at, bytes) ((void)(at), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(at, bytes) ((void)(at), (void)(bytes))
enum { GUARD_BYTES = 0 };
#endif

/* Each block is twice as large as the one before, up to a large page: a large story takes few. */
static const size_t BLOCK_BYTES = 8192;

struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) unsigned char bytes[];
};

struct arena arena_new(void)
{
    return (struct arena){NULL};
}

void arena_free(struct arena *arena)
{
    if (!arena) return;
    while (arena->blocks) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        ASAN_UNPOISON_MEMORY_REGION(block->bytes, block->size);
        free(block);
    }
}

/* With room for `bytes`, and for more where the block before it was smaller. */
static struct arena_block *make_block(const struct arena_block *before, size_t bytes)
{
    size_t least = sizeof(struct arena_block) + bytes, size = before ? 2 * (sizeof(*before) + before->size) : BLOCK_BYTES;
    if (size > PAGES_LARGE) size = PAGES_LARGE;
    if (size < least) size = least;
    struct arena_block *block = size == PAGES_LARGE ? pages_take() : malloc(size);
    if (!block) return NULL;
    if (size > PAGES_LARGE) pages_ask(block, size);
    block->used = 0;
    block->size = size - sizeof(*block);
    return block;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    const size_t align = alignof(max_align_t);
    if (bytes > (size_t)-1 / 2) return NULL;
    const size_t takes = (bytes + align - 1) / align * align + GUARD_BYTES;
    struct arena_block *block = arena->blocks;
    if (!block || block->size - block->used < takes) {
        block = make_block(block, takes);
        if (!block) return NULL;
        block->next = arena->blocks;
        arena->blocks = block;
        ASAN_POISON_MEMORY_REGION(block->bytes, block->size);
    }
    void *place = block->bytes + block->used;
    block->used += takes;
    ASAN_UNPOISON_MEMORY_REGION(place, bytes);
    return memset(place, 0, bytes);
}

const char *arena_text(struct arena *arena, const char *text)
{
    if (!text) return NULL;
    size_t bytes = strlen(text) + 1;
    char *copy = arena_alloc(arena, bytes);
    return copy ? memcpy(copy, text, bytes) : NULL;
}

const char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = length < 0 ? NULL : arena_alloc(arena, (size_t)length + 1);
    if (text) vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}
