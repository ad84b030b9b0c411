#include "lab/wire/wire_queue.h"

#include <stdlib.h>
#include <string.h>

size_t wire_frame_bytes(const struct wire_frame *frame)
{
    return sizeof(*frame) + frame->length;
}

struct wire_frame *wire_frame_copy(const struct wire_frame *frame)
{
    struct wire_frame *copy = malloc(wire_frame_bytes(frame));
    if (!copy) return NULL;
    *copy = *frame;
    memcpy(copy + 1, frame->bytes, frame->length);
    copy->bytes = (const uint8_t *)(copy + 1);
    return copy;
}

void wire_queue_append(struct wire_queue *queue, struct wire_frame *frame)
{
    frame->next = NULL;
    if (queue->tail)
        queue->tail->next = frame;
    else
        queue->head = frame;
    queue->tail = frame;
}

void wire_queue_insert(struct wire_queue *queue, struct wire_frame *frame)
{
    if (!queue->tail || queue->tail->due_ns <= frame->due_ns) {
        wire_queue_append(queue, frame);
        return;
    }
    struct wire_frame **place = &queue->head;
    while ((*place)->due_ns <= frame->due_ns) place = &(*place)->next;
    frame->next = *place;
    *place = frame;
}

struct wire_frame *wire_queue_take(struct wire_queue *queue)
{
    struct wire_frame *frame = queue->head;
    if (frame) queue->head = frame->next;
    if (!queue->head) queue->tail = NULL;
    return frame;
}
