#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "capture/stored/savefile_own.h"
#include "pcapng/reader.h"

enum { SEARCHED_BLOCK_MAX = 1 << 20 };

bool savefile_pcapng_is(const uint8_t *head, size_t length)
{
    return length >= 4 && pcapng_u32(head, false) == PCAPNG_SECTION_HEADER;
}

/* Types, lengths at both ends: where they agree, a block begins again. Looked for byte by byte, since what damaged the file may
 * have added or taken away any number of them. */
static bool search(struct savefile *file)
{
    struct savefile_stream *stream = &file->stream;
    while (stream_need(stream, PCAPNG_FRAME_BYTES + 1)) {
        stream->at++;
        size_t need = 0;
        enum pcapng_likeness likeness;
        do likeness = pcapng_reader_like(file->reader, stream->at, stream_left(stream), SEARCHED_BLOCK_MAX, &need);
        while (likeness == PCAPNG_UNDECIDED && stream_need(stream, need));
        if (likeness == PCAPNG_LIKE) return true;
    }
    stream_skip(stream, stream_left(stream));
    return false;
}

static enum savefile_result resume(struct savefile *file, uint64_t offset)
{
    file->damage.resumed = search(file);
    file->damage.skipped = stream_offset(&file->stream) - offset;
    return SAVEFILE_DAMAGED;
}

/* A block too large for the window, of no interest but for where it ends. SAVEFILE_PACKET: it was passed over. */
static enum savefile_result pass_over(struct savefile *file, uint64_t length)
{
    struct savefile_stream *stream = &file->stream;
    uint8_t head[8], tail[4];
    uint64_t offset = stream_offset(stream);
    memcpy(head, stream->at, sizeof(head));
    bool seen = stream_peek(stream, length - sizeof(tail), tail, sizeof(tail));
    if (seen ? memcmp(head + 4, tail, sizeof(tail)) != 0 : stream->plain_file) {
        savefile_damaged(file, offset,
                         seen ? TR("a block claims a length of %llu bytes and doesn't end there")
                              : TR("a block claims a length of %llu bytes, more than are left in the file"),
                         (unsigned long long)length);
        return resume(file, offset);
    }
    uint64_t passed = stream_skip(stream, length - sizeof(tail));
    if (passed < length - sizeof(tail) || !stream_need(stream, sizeof(tail))) {
        enum savefile_result result =
            savefile_at_end(file, "the file ends inside a block of %llu bytes", (unsigned long long)length);
        /* It may have ended with nothing left behind what was passed over: the block is cut all the same. */
        if (result == SAVEFILE_END && !stream->stopped && !stream->broken)
            result = savefile_damaged(file, offset, "the file ends inside a block of %llu bytes", (unsigned long long)length);
        if (result == SAVEFILE_DAMAGED) file->damage.skipped = stream_offset(stream) - offset;
        return result;
    }
    bool same = !memcmp(head + 4, stream->at, sizeof(tail));
    stream->at += sizeof(tail);
    if (same) return SAVEFILE_PACKET;
    /* On a pipe there is no way back: what it covered is lost. */
    savefile_damaged(file, offset, "a block claims a length of %llu bytes and doesn't end there", (unsigned long long)length);
    return resume(file, offset);
}

static void give(struct savefile *file, const struct pcapng_packet *packet, struct savefile_packet *ret_packet)
{
    if (!packet->untimed) file->last_ns = packet->t_ns;
    *ret_packet = (struct savefile_packet){.t_ns = file->last_ns,
                                           .bytes = packet->bytes,
                                           .captured = packet->captured,
                                           .wire = packet->wire,
                                           .link_type = savefile_link_type(packet->link_type),
                                           .interface = file->interfaces_before + packet->interface,
                                           .number = file->before + ++file->local,
                                           .offset = stream_offset(&file->stream),
                                           .untimed = packet->untimed,
                                           .swapped = packet->swapped,
                                           .options = packet->options,
                                           .options_bytes = packet->options_bytes};
}

bool savefile_comment(const struct savefile_packet *packet, size_t *at, const char **ret_text, size_t *ret_length)
{
    struct pcapng_option option;
    while (pcapng_option_next(packet->options, packet->options_bytes, packet->swapped, at, &option) == PCAPNG_OPTION) {
        if (option.code != PCAPNG_OPTION_COMMENT) continue;
        *ret_text = (const char *)option.value;
        *ret_length = strnlen(*ret_text, option.length);
        return true;
    }
    return false;
}

enum savefile_way savefile_way(const struct savefile_packet *packet)
{
    struct pcapng_option option;
    size_t at = 0;
    while (pcapng_option_next(packet->options, packet->options_bytes, packet->swapped, &at, &option) == PCAPNG_OPTION) {
        if (option.code != PCAPNG_OPTION_FLAGS || option.length != 4) continue;
        uint32_t way = pcapng_u32(option.value, packet->swapped) & 3;
        return way == 1 ? SAVEFILE_INCOMING : way == 2 ? SAVEFILE_OUTGOING : SAVEFILE_WAY_UNKNOWN;
    }
    return SAVEFILE_WAY_UNKNOWN;
}

/* Bad options are no damage here: what packets need of them was read already. */
static void keep_comments(struct savefile *file, const struct pcapng_step *step)
{
    struct savefile_beside *beside = &file->beside;
    const struct savefile_packet options = {
        .options = step->options, .options_bytes = step->options_bytes, .swapped = step->swapped};
    char where[64];
    snprintf(where, sizeof(where), "%s", tr("the capture"));
    if (step->type == PCAPNG_INTERFACE) {
        const struct pcapng_interface *interface = pcapng_reader_interface(file->reader, step->interface);
        if (interface && interface->name[0])
            snprintf(where, sizeof(where), tr("interface %s"), interface->name);
        else
            snprintf(where, sizeof(where), "interface %u", step->interface);
    }
    const char *text;
    size_t at = 0, length;
    while (savefile_comment(&options, &at, &text, &length)) {
        char *kept = NULL;
        int shown = length < SAVEFILE_COMMENT_BYTES ? (int)length : SAVEFILE_COMMENT_BYTES;
        if (beside->comment_count == SAVEFILE_COMMENTS_MAX ||
            asprintf(&kept, "%s: %.*s%s", where, shown, text, (size_t)shown < length ? " [cut]" : "") < 0)
            beside->comments_left_out++;
        else
            file->comments[beside->comment_count++] = kept;
    }
}

/* Statistics count from the capture's beginning: the largest of an interface's are its last. */
static void note_dropped(struct savefile *file, const struct pcapng_step *step)
{
    enum { LAST = SAVEFILE_STATISTICS_MAX - 1 }; /* and all behind it */
    uint32_t number = file->interfaces_before + step->interface;
    uint64_t *so_far = &file->dropped[number < LAST ? number : LAST], dropped = 0;
    struct pcapng_option option;
    size_t at = 0;
    while (pcapng_option_next(step->options, step->options_bytes, step->swapped, &at, &option) == PCAPNG_OPTION)
        if ((option.code == PCAPNG_OPTION_IF_DROPPED || option.code == PCAPNG_OPTION_HOST_DROPPED) && option.length == 8)
            dropped += pcapng_u64(option.value, step->swapped);
    if (dropped <= *so_far) return;
    file->beside.dropped += dropped - *so_far;
    *so_far = dropped;
}

static void note_block(struct savefile *file, const struct pcapng_step *step)
{
    struct savefile_beside *beside = &file->beside;
    switch (step->type) {
    case PCAPNG_SECTION_HEADER:
    case PCAPNG_INTERFACE:
        keep_comments(file, step);
        break;
    case PCAPNG_INTERFACE_STATISTICS:
        note_dropped(file, step);
        break;
    case PCAPNG_JOURNAL:
        beside->journal++;
        break;
    case PCAPNG_NAME_RESOLUTION:
        beside->names++;
        break;
    case PCAPNG_DECRYPTION_SECRETS:
        beside->secrets++;
        break;
    case PCAPNG_CUSTOM:
    case PCAPNG_CUSTOM_NO_COPY:
        beside->custom++;
        break;
    default:
        beside->unknown++;
        break;
    }
}

/* Packet blocks change nothing in the reader: behind the first packet of a batch only they are looked at, so that what a batch
 * leaves for the next call can be read a second time. */
static bool is_packet_block(const uint8_t *head)
{
    static const uint8_t types[] = {PCAPNG_ENHANCED_PACKET, PCAPNG_SIMPLE_PACKET, PCAPNG_OLD_PACKET};
    for (size_t i = 0; i < sizeof(types); i++) {
        const uint8_t little[4] = {types[i], 0, 0, 0}, big[4] = {0, 0, 0, types[i]};
        if (!memcmp(head, little, 4) || !memcmp(head, big, 4)) return true;
    }
    return false;
}

static enum savefile_result batch(struct savefile *file, struct savefile_packet *packets, size_t limit, size_t *ret_count)
{
    struct savefile_stream *stream = &file->stream;
    struct pcapng_step step;
    enum savefile_result result = SAVEFILE_PACKET;
    size_t count = 0;
    *ret_count = 0;
    while (count < limit) {
        if (count && (stream_left(stream) < 4 || !is_packet_block(stream->at))) break;
        uint64_t offset = stream_offset(stream);
        enum pcapng_result kind = pcapng_reader_next(file->reader, stream->at, stream_left(stream), &step);
        if (kind == PCAPNG_PACKET) {
            give(file, &step.packet, &packets[count++]);
            stream->at += step.used;
            continue;
        }
        if (count) break;
        if (kind == PCAPNG_MORE) {
            if (stream_need(stream, step.need)) continue;
            size_t left = stream_left(stream);
            static const char cut[] = TR("the file ends inside a block of at least %zu bytes: %zu of them are there");
            if (left < PCAPNG_FRAME_BYTES || stream->code || stream->stopped || stream->broken)
                return savefile_at_end(file, cut, step.need, left);
            /* The length may be what is wrong, and good blocks lie behind. */
            savefile_damaged(file, offset, cut, step.need, left);
            return resume(file, offset);
        } else if (kind == PCAPNG_BLOCK) {
            result = step.unchecked ? pass_over(file, step.used) : SAVEFILE_PACKET;
            if (result == SAVEFILE_PACKET) note_block(file, &step);
            if (!step.unchecked) stream->at += step.used;
            if (result == SAVEFILE_PACKET) continue;
        } else if (kind == PCAPNG_DAMAGED) {
            result = savefile_damaged(file, offset, "%s", step.text);
            if (step.used == 0) return resume(file, offset);
            stream->at += step.used;
            file->damage.skipped = step.used;
            /* Of a pipe it is not known whether anything follows, and it is not waited for. */
            file->damage.resumed = !stream->plain_file || stream_need(stream, 1);
        } else
            result = savefile_fail(file, -ENOMEM, TR("holding the interfaces of it"));
        return result;
    }
    *ret_count = count;
    return SAVEFILE_PACKET;
}

int savefile_pcapng_begin(struct savefile *file, struct err *err)
{
    struct savefile_stream *stream = &file->stream;
    struct pcapng_step step;
    enum pcapng_result kind;
    pcapng_reader_free(file->reader);
    file->reader = pcapng_reader_new();
    if (!file->reader) return err_set_errno(err, -ENOMEM, "there is no memory for reading it");
    do kind = pcapng_reader_next(file->reader, stream->at, stream_left(stream), &step);
    while (kind == PCAPNG_MORE && stream_need(stream, step.need));
    if (kind == PCAPNG_MORE)
        return err_set(err, -EINVAL, "it ends inside the section header of pcapng: %zu of its %zu bytes are there",
                       stream_left(stream), step.need);
    if (kind == PCAPNG_DAMAGED) return err_set(err, -EINVAL, "its pcapng header can't be read: %s", step.text);
    note_block(file, &step);
    stream->at += step.used;
    strcpy(file->format, "pcapng");
    file->batch = batch;
    return 0;
}
