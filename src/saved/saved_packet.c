#include <inttypes.h>
#include <netinet/in.h>
#include <pcap/dlt.h>
#include <stdio.h>
#include <string.h>

#include "event/packet_bytes.h"
#include "pcapng/writer.h"
#include "saved/saved_own.h"
#include "viz/pen/escape.h"
#include "viz/pen/json.h"
#include "viz/plan/words.h"

struct saved_vantage *saved_vantage_of(struct saved *saved, uint32_t number)
{
    for (size_t i = 0; i < saved->vantage_count; i++)
        if (saved->vantages[i].number == number) return &saved->vantages[i];
    if (saved->vantage_count == SAVED_VANTAGES_MAX) return &saved->vantages[SAVED_VANTAGES_MAX - 1];
    struct saved_vantage *vantage = &saved->vantages[saved->vantage_count++];
    *vantage = (struct saved_vantage){.number = number};
    return vantage;
}

static bool is_ip(const struct address *own, const struct address *other)
{
    return own->version && own->version == other->version && !memcmp(own->ip, other->ip, sizeof(own->ip));
}

/* Which way it went, past the interface that saw it: by a cooked header, else by the interface's own addresses. 0: not known. */
static uint32_t way_of(const struct saved_vantage *vantage, const struct saved_record *record)
{
    enum { COOKED_OUTGOING = 4, COOKED2_TYPE_AT = 10 };
    const struct event_packet *packet = &record->event.packet;
    if (packet->link_type == DLT_LINUX_SLL && packet->captured_bytes >= 2)
        return record->bytes[1] == COOKED_OUTGOING ? PCAPNG_OUT : PCAPNG_IN;
    if (packet->link_type == DLT_LINUX_SLL2 && packet->captured_bytes > COOKED2_TYPE_AT)
        return record->bytes[COOKED2_TYPE_AT] == COOKED_OUTGOING ? PCAPNG_OUT : PCAPNG_IN;
    bool out = is_ip(&vantage->v4, &packet->header.src) || is_ip(&vantage->v6, &packet->header.src);
    bool in = is_ip(&vantage->v4, &packet->header.dst) || is_ip(&vantage->v6, &packet->header.dst);
    return out == in ? 0 : out ? PCAPNG_OUT : PCAPNG_IN;
}

static void put_hex(struct json *json, const char *key, const uint8_t *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 * 64 + 1];
    if (length > sizeof(text) / 2) length = sizeof(text) / 2;
    for (size_t i = 0; i < length; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * length] = '\0';
    json_string(json, key, text);
}

/* {"conn":…, …, "events":["mark …","packet …"]}: what the story says of it, then the events' own lines. */
static void say_machine_data(struct saved *saved, const struct saved_record *record, const struct saved_sentence *sentence,
                             const struct saved_turn *turn)
{
    struct buf *out = &saved->entry;
    struct json json = json_new(out, true);
    buf_clear(out);
    json_object(&json, NULL);
    if (sentence) { /* its members are those of an object of its own */
        buf_append(out, sentence->json + 1, strlen(sentence->json) - 2);
        json.has_item[json.depth] = true;
    }
    if (!record->bytes) {
        json_bool(&json, "made", true);
    } else if (turn->cut || turn->head_bytes) {
        json_uint(&json, "link_head", turn->head_bytes);
        put_hex(&json, "link_was", record->bytes, turn->cut);
    }
    json_array(&json, "events");
    for (const char *at = record->lines, *end = at + record->lines_bytes; at < end;) {
        char *newline = memchr(at, '\n', (size_t)(end - at));
        if (!newline) break;
        *newline = '\0';
        json_string(&json, NULL, at);
        *newline = '\n';
        at = newline + 1;
    }
    json_end_array(&json);
    json_end_object(&json);
}

void saved_interface(struct saved *saved, struct saved_vantage *vantage)
{
    if (vantage->written) return;
    struct buf name = buf_new(256);
    escape_text(&name, vantage->name, false);
    vantage->written = true;
    vantage->interface = saved->interfaces++;
    pcapng_write_interface(&saved->block, saved_file_link(saved->link_type), SAVED_SNAP_BYTES, buf_string(&name));
    buf_free(&name);
}

/* Whether a comment ends as our sentences do. */
static bool is_sentence(const char *comment)
{
    for (int evidence = EVIDENCE_NONE; evidence <= EVIDENCE_STACK; evidence++) {
        char end[64];
        int tail = snprintf(end, sizeof(end), " · %s", words_evidence(CAUSE_KERNEL, (enum story_evidence)evidence));
        size_t length = strlen(comment);
        if (length >= (size_t)tail && !strcmp(comment + length - (size_t)tail, end)) return true;
    }
    return false;
}

/* Where the file that was read has a sentence of ours already, it stays alone: its run may have seen more than its packets tell. */
static void put_comments(struct buf *out, const struct event_packet *packet, const struct saved_sentence *sentence)
{
    bool said = false;
    for (size_t i = 0; packet->comments && i < packet->comments->count; i++) {
        pcapng_put_option_text(out, PCAPNG_OPTION_COMMENT, packet->comments->names[i]);
        said = said || is_sentence(packet->comments->names[i]);
    }
    if (sentence && !said) pcapng_put_option_text(out, PCAPNG_OPTION_COMMENT, sentence->text);
}

/* A packet's bytes: as they were captured; or, where none were, its headers as its event has them. */
struct raw {
    const uint8_t *bytes; /* NULL: there can be none */
    uint8_t made[PACKET_BYTES_MAX];
    uint32_t captured_bytes, wire_bytes;
    int link_type;
};

static void raw_of(const struct saved_record *record, struct raw *ret_raw)
{
    const struct event_packet *packet = &record->event.packet;
    *ret_raw = (struct raw){.bytes = record->bytes,
                            .captured_bytes = packet->captured_bytes,
                            .wire_bytes = packet->wire_bytes,
                            .link_type = packet->link_type};
    if (record->bytes || packet->captured_bytes) return;
    ret_raw->link_type = DLT_RAW;
    ret_raw->captured_bytes = (uint32_t)packet_bytes_make(&packet->header, ret_raw->made, &ret_raw->wire_bytes);
    if (ret_raw->captured_bytes) ret_raw->bytes = ret_raw->made;
}

bool saved_packet(struct saved *saved, const struct saved_record *record)
{
    const struct event_packet *packet = &record->event.packet;
    struct saved_turn turn;
    struct raw raw;
    raw_of(record, &raw);
    if (!raw.bytes) return false;
    if (saved->link_type < 0)
        saved->link_type = record->bytes ? raw.link_type : DLT_EN10MB; /* libpcap refuses two interfaces of DLT_RAW */
    if (!saved_turn_link(raw.link_type, saved->link_type, raw.bytes, raw.captured_bytes, &turn)) return false;
    struct saved_vantage *vantage = saved_vantage_of(saved, packet->vantage);
    const struct saved_sentence *sentence = saved_sentence_of(saved, &record->event);
    saved_interface(saved, vantage);
    vantage->packets++;
    struct buf bytes = buf_new(raw.captured_bytes + sizeof(turn.head));
    buf_append(&bytes, turn.head, turn.head_bytes);
    buf_append(&bytes, raw.bytes + turn.cut, raw.captured_bytes - turn.cut);
    struct buf *out = &saved->block;
    size_t begin = pcapng_begin_packet(out, vantage->interface, record->event.t_ns, buf_string(&bytes), (uint32_t)bytes.length,
                                       raw.wire_bytes - turn.cut + turn.head_bytes);
    if (bytes.failed) out->failed = true;
    buf_free(&bytes);
    const uint32_t way = way_of(vantage, record);
    if (way) pcapng_put_option(out, PCAPNG_OPTION_FLAGS, &way, sizeof(way));
    put_comments(out, packet, sentence);
    if (!saved->options.packets_alone) {
        say_machine_data(saved, record, sentence, &turn);
        pcapng_put_custom_text(out, SAVED_ENTERPRISE, buf_string(&saved->entry), saved->entry.length);
        if (saved->entry.failed) out->failed = true;
    }
    if (sentence && sentence->pid) {
        const int32_t thread[2] = {sentence->pid, sentence->tid};
        pcapng_put_option(out, PCAPNG_OPTION_THREAD, thread, sizeof(thread));
    }
    pcapng_put_options_end(out);
    pcapng_end(out, begin);
    return true;
}
