#include "read/read_stories.h"
#include "base/lang.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/sort.h"
#include "ledger/ledger.h"
#include "out/note.h"
#include "read/places.h"
#include "read/read_chosen.h"
#include "read/read_context.h"
#include "story/tell/teller.h"
#include "tcp/segment.h"
#include "viz/lists/found.h"

enum { PACKETS_MAX = 500000, BYTES_MAX = 512 << 20, COMMENT_BYTES = 16384 };
#define CUT "… [cut]"

struct stories {
    const struct read_options *options;
    struct output *output; /* NULL: `found` takes what they tell */
    struct found *found;
    struct event_log *log;
    /* Which connection each packet kept is of, in the order of their numbers in the capture. */
    struct kept {
        uint64_t packet;
        uint32_t conn;
        bool udp;
    } * kept;
    size_t kept_count, kept_room;
    uint32_t conn_most[2]; /* of TCP; of UDP */
    struct places places;
    size_t kept_bytes;       /* of packets and comments */
    uint64_t full_at;        /* the first packet that found no room; 0: all did */
    uint32_t announced;      /* of them, as vantages */
    uint64_t told;           /* segments and datagrams of all stories */
    struct context *context; /* where connections are chosen */
};

static bool is_chosen(const struct read_options *options, uint32_t conn, bool udp)
{
    if (!options->conn_count) return true;
    for (size_t i = 0; i < options->conn_count; i++)
        if (udp == options->conns[i].udp && conn >= options->conns[i].from && conn <= options->conns[i].to) return true;
    return false;
}

/* A story's own number counts the stories told; people chose by the table's. */
static void renumber(void *data, struct story *story)
{
    struct stories *stories = data;
    stories->told += story->summary.segments + story->summary.datagrams;
    for (size_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        bool is_datagram = step->kind == STEP_DATAGRAM && story->udp && !step->datagram->icmp;
        if (step->kind != STEP_SEGMENT && !is_datagram) continue;
        uint64_t packet = is_datagram ? step->datagram->place.number : step->segment->place.number;
        size_t low = 0, high = stories->kept_count;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (stories->kept[middle].packet < packet)
                low = middle + 1;
            else
                high = middle;
        }
        if (low < stories->kept_count && stories->kept[low].packet == packet && stories->kept[low].conn) {
            story->number = stories->kept[low].conn;
            story->numbered_apart = stories->kept[low].udp;
        }
        return;
    }
}

static int begin_log(struct stories *stories, int64_t t_ns)
{
    struct event trace = {.kind = EVENT_TRACE, .t_ns = t_ns, .trace = {.recorder = "none", .reason = READ_CAPTURE_REASON}};
    return event_log_append(stories->log, &trace);
}

/* Each interface is a vantage, announced before its first packet. */
static int add_vantage(struct stories *stories, const struct event *event)
{
    uint32_t number = event->packet.vantage;
    if (number <= stories->announced) return 0;
    struct event vantage = {.kind = EVENT_VANTAGE, .t_ns = event->t_ns, .vantage = {.number = number}};
    memcpy(vantage.vantage.name, stories->places.keys[number - 1].name, sizeof(vantage.vantage.name));
    stories->announced = number;
    return event_log_append(stories->log, &vantage);
}

/* Its comments, cut where they are more than anybody reads. */
static int take_comments(struct stories *stories, const struct savefile_packet *packet, struct event *event)
{
    struct buf texts = buf_new(COMMENT_BYTES + EVENT_CHAIN_MAX + sizeof(CUT));
    size_t starts[EVENT_CHAIN_MAX], count = 0, at = 0, length, left = COMMENT_BYTES;
    const char *names[EVENT_CHAIN_MAX], *text;
    while (packet->options_bytes && count < EVENT_CHAIN_MAX && left && savefile_comment(packet, &at, &text, &length)) {
        size_t kept = length < left ? length : left;
        if (!length) continue;
        starts[count++] = texts.length;
        buf_append(&texts, text, kept);
        if (kept < length) buf_text(&texts, CUT);
        buf_char(&texts, '\0');
        left -= kept;
    }
    int code = texts.failed ? -ENOMEM : 0;
    for (size_t i = 0; i < count && !code; i++) names[i] = texts.data + starts[i];
    if (count && !code) event->packet.comments = event_log_texts(stories->log, names, count);
    if (count && !event->packet.comments) code = -ENOMEM;
    buf_free(&texts);
    return code;
}

static int make(struct stories **ret_stories, const struct read_options *options, struct err *err)
{
    struct stories *stories = calloc(1, sizeof(*stories));
    if (stories) stories->log = event_log_new();
    if (!stories || !stories->log) {
        free(stories);
        err_set_errno(err, -ENOMEM, "can't tell stories");
        return -ENOMEM;
    }
    stories->options = options;
    if (options->conn_count && !(stories->context = context_new())) {
        stories_close(stories);
        err_set_errno(err, -ENOMEM, "can't tell stories");
        return -ENOMEM;
    }
    *ret_stories = stories;
    return 0;
}

int stories_open_found(struct stories **ret_stories, const struct read_options *options, struct err *err)
{
    int code = make(ret_stories, options, err);
    if (!code && !((*ret_stories)->found = found_new())) code = err_set_errno(err, -ENOMEM, "can't tell stories");
    return code;
}

int stories_open(struct stories **ret_stories, const struct read_options *options, struct err *err)
{
    struct stories *stories = NULL;
    int code = make(&stories, options, err);
    if (code) return code;
    code = output_open(&stories->output, &options->output, err);
    if (code) {
        stories_close(stories);
        return code;
    }
    output_look(stories->output, renumber, stories);
    *ret_stories = stories;
    return 0;
}

static int keep(struct stories *stories, const struct savefile_packet *packet, uint32_t conn, bool udp, const struct event *event)
{
    if (stories->kept_count == stories->kept_room) {
        size_t room = stories->kept_room ? stories->kept_room * 2 : 256;
        struct kept *kept = realloc(stories->kept, room * sizeof(*kept));
        if (!kept) return -ENOMEM;
        stories->kept = kept;
        stories->kept_room = room;
    }
    int code = stories->kept_count ? 0 : begin_log(stories, packet->t_ns);
    if (!code) code = add_vantage(stories, event);
    if (!code) code = event_log_append(stories->log, event);
    if (!code) stories->kept[stories->kept_count++] = (struct kept){packet->number, conn, udp};
    return code;
}

int stories_take(struct stories *stories, struct savefile *file, const struct savefile_packet *packet, uint32_t conn, bool udp,
                 struct err *err)
{
    uint32_t number = conn & ~(uint32_t)LEDGER_SIGHT;
    if (number > stories->conn_most[udp]) stories->conn_most[udp] = number;
    bool chosen = !stories->options->conn_count || (number && is_chosen(stories->options, number, udp));
    if (!chosen && (udp || !context_wants(stories->context, packet, number))) return 0;
    struct event event = {.kind = EVENT_PACKET, .t_ns = packet->t_ns};
    if (segment_decode(packet->link_type, packet->bytes, packet->captured, packet->wire, &event.packet) != SEGMENT_OK) return 0;
    size_t packets_max = stories->options->packets_max ? stories->options->packets_max : PACKETS_MAX;
    stories->kept_bytes += packet->captured + packet->options_bytes;
    if (stories->kept_count >= packets_max || stories->kept_bytes > BYTES_MAX) {
        stories->full_at = packet->number;
        return STORIES_FULL;
    }
    event.packet.connection = number;
    event.packet.beside = !chosen;
    event.packet.sight = conn & LEDGER_SIGHT;
    event.packet.vantage = places_of(&stories->places, file, packet);
    event.packet.captured_bytes = packet->captured;
    event.packet.wire_bytes = packet->wire;
    event.packet.link_type = (uint16_t)packet->link_type;
    event.packet.number = packet->number;
    event.packet.bytes = event_log_bytes(stories->log, packet->bytes, packet->captured);
    int code = event.packet.bytes || !packet->captured ? take_comments(stories, packet, &event) : -ENOMEM;
    if (!code && !chosen) {
        code = add_vantage(stories, &event);
        if (!code) code = event_log_append(stories->log, &event);
    }
    if (!code && chosen) code = keep(stories, packet, number, udp, &event);
    if (!code && chosen && stories->context && !udp) code = context_chosen(stories->context, &event.packet.header, number);
    return code ? err_set_errno(err, code, "can't keep the packets of the stories") : 0;
}

static int check_all_there(const struct stories *stories, struct err *err)
{
    if (stories->full_at) return 0; /* it may come behind */
    for (size_t i = 0; i < stories->options->conn_count; i++) {
        const struct read_range *range = &stories->options->conns[i];
        if (range->from > stories->conn_most[range->udp])
            return err_set(err, -ENOENT,
                           range->udp ? TR("there is no UDP flow u%u: the capture has %u UDP flows%s")
                                      : TR("there is no connection %u: the capture has %u%s"),
                           range->from, stories->conn_most[range->udp],
                           stories->options->filter ? tr(" that pass the filter") : "");
    }
    return 0;
}

static int by_packet(const void *a, const void *b)
{
    const struct kept *x = a, *y = b;
    return (x->packet > y->packet) - (x->packet < y->packet);
}

static int note_dropped(struct stories *stories, uint64_t dropped)
{
    size_t count = event_log_count(stories->log);
    struct event lost = {
        .kind = EVENT_LOST,
        .lost = {.source = "capture", .what = TR("dropped, says the file"), .received = stories->kept_count, .count = dropped}};
    if (!dropped || !count) return 0;
    lost.t_ns = event_log_at(stories->log, count - 1)->t_ns;
    return event_log_append(stories->log, &lost);
}

int stories_finish(struct stories *stories, uint64_t dropped, struct err *err)
{
    int code = check_all_there(stories, err);
    if (!code && note_dropped(stories, dropped)) code = err_set_errno(err, -ENOMEM, "can't tell stories");
    /* The first piece of a datagram that never became whole comes late. */
    sort_items(stories->kept, stories->kept_count, sizeof(*stories->kept), by_packet);
    if (!code) code = output_tell(stories->output, stories->log, err);
    if (!code && stories->places.count > 1 && stories->told < stories->kept_count)
        note_say(stories->options->output.quiet,
                 "%zu of the %zu packets show what another interface had shown already: they are told as one segment each",
                 (size_t)(stories->kept_count - stories->told), stories->kept_count);
    if (!code && stories->full_at)
        code =
            err_set(err, -EFBIG,
                    "from packet %llu on nothing is told, and what looks open may have ended there: %zu packets are what stories "
                    "hold; choose connections with --conn N (the list has their numbers), packets with a filter, or more with "
                    "--packets-max",
                    (unsigned long long)stories->full_at, stories->kept_count);
    return code;
}

/* A story that is looked at and dropped. */
static int take_found(void *data, struct story *story)
{
    struct stories *stories = data;
    renumber(stories, story);
    int code = found_take(stories->found, story);
    story_free(story);
    return code;
}

static int tell_found(struct stories *stories)
{
    struct teller *teller = teller_new(take_found, stories);
    int code = teller ? 0 : -ENOMEM;
    event_log_sort(stories->log);
    for (size_t i = 0; i < event_log_count(stories->log) && !code; i++) code = teller_feed(teller, event_log_at(stories->log, i));
    if (!code) code = teller_finish(teller);
    teller_free(teller);
    return code;
}

int stories_found(struct stories *stories, const struct rows_findings **ret_findings, struct err *err)
{
    *ret_findings = NULL;
    if (stories->full_at) return 0;
    sort_items(stories->kept, stories->kept_count, sizeof(*stories->kept), by_packet);
    int code = tell_found(stories);
    if (code) return err_set_errno(err, code, "can't tell what is to be found");
    *ret_findings = found_rows(stories->found);
    return 0;
}

void stories_close(struct stories *stories)
{
    if (!stories) return;
    output_close(stories->output);
    found_free(stories->found);
    event_log_free(stories->log);
    context_free(stories->context);
    free(stories->kept);
    free(stories);
}
