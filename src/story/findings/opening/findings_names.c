/* Names that are looked up: questions and answers of the DNS over UDP (RFC 1035), port 53. */
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/lang.h"
#include "story/findings/findings.h"

enum { DNS_PORT = 53, DNS_HEADER_BYTES = 12, FRAME_LEAST = 60 };

/* A stub resolver asks again after five seconds (resolv.conf(5)); half a second is what a person begins to feel. */
static const int64_t SLOW_NS = 500000000, SILENCE_NS = 2000000000;

static bool is_datagram(const struct tale_packet *packet, enum story_side side)
{
    return packet->datagram && !packet->datagram->icmp && packet->side == side;
}

/* The DNS's header, where it was captured: the datagram is the packet's last bytes (a short Ethernet frame may be padded). NULL:
 * not known. */
static const uint8_t *header_of_dns(const struct tale_packet *packet)
{
    const struct event_packet *seen = &packet->seen->packet;
    uint32_t length = seen->header.length_bytes;
    if (!seen->bytes || length < DNS_HEADER_BYTES || seen->wire_bytes <= FRAME_LEAST || seen->wire_bytes < length) return NULL;
    uint32_t before = seen->wire_bytes - length;
    if (seen->captured_bytes < before + DNS_HEADER_BYTES) return NULL;
    const uint8_t *header = seen->bytes + before;
    return header[4] == 0 && header[5] == 1 ? header : NULL; /* one question, or it is something else */
}

/* What servers tell each other at that port (NOTIFY, UPDATE: RFC 1996, RFC 2136) asks for no name. */
static bool is_no_question(const struct tale_packet *packet)
{
    const uint8_t *header = header_of_dns(packet);
    return header && header[2] & 0x78;
}

/* The name in the question, where all of it was captured: raw, from outside. NULL: not known. */
static const char *name_of(struct telling *telling, const struct tale_packet *question)
{
    enum { LABEL_MOST = 63, NAME_MOST = 255 };
    const struct event_packet *seen = &question->seen->packet;
    const uint8_t *header = header_of_dns(question);
    if (!header || seen->captured_bytes < seen->wire_bytes) return NULL;
    struct bytes bytes = bytes_new(header + DNS_HEADER_BYTES, seen->header.length_bytes - DNS_HEADER_BYTES);
    char name[NAME_MOST + 1];
    size_t length = 0;
    for (;;) {
        size_t label = bytes_u8(&bytes);
        const uint8_t *text = bytes_take(&bytes, label);
        if (bytes.failed || label > LABEL_MOST || length + label + 1 > NAME_MOST) return NULL;
        if (!label) break;
        if (memchr(text, 0, label)) return NULL;
        if (length) name[length++] = '.';
        memcpy(name + length, text, label);
        length += label;
    }
    name[length] = 0;
    return length ? telling_printf(telling, "%s", name) : NULL;
}

/* RFC 1035 section 4.1.1; NULL: no error, or not known. */
static const char *error_of(const struct tale_packet *answer)
{
    static const char *const names[] = {NULL,
                                        TR("the name server could not read the question (FORMERR)"),
                                        TR("the name server failed (SERVFAIL)"),
                                        TR("there is no such name (NXDOMAIN)"),
                                        TR("the name server does not know that kind of question (NOTIMP)"),
                                        TR("the name server refused (REFUSED)")};
    const uint8_t *said = header_of_dns(answer);
    unsigned code = said && said[2] & 0x80 ? said[3] & 0x0f : 0; /* of a question these bits say nothing */
    return code < sizeof(names) / sizeof(names[0]) ? names[code] : TR("the name server answered with an error");
}

/* One question, however often it was asked. */
struct question {
    const struct tale_packet *first, *last;
    uint32_t count;
    int32_t id; /* -1: not captured */
};

/* Of more that are open at once the oldest are not looked after. */
enum { QUESTIONS_OPEN = 32 };

struct asked {
    struct question open[QUESTIONS_OPEN];
    size_t count;
};

static int32_t id_of(const struct tale_packet *packet, bool answer)
{
    const uint8_t *header = header_of_dns(packet);
    return !header || !(header[2] & 0x80) == answer ? -1 : header[0] << 8 | header[1];
}

static void take_question(struct asked *asked, const struct tale_packet *packet)
{
    int32_t id = id_of(packet, false);
    for (size_t i = 0; i < asked->count; i++) {
        if (asked->open[i].id != id) continue; /* without ids all are one */
        asked->open[i].last = packet;
        asked->open[i].count++;
        return;
    }
    if (asked->count == QUESTIONS_OPEN) memmove(&asked->open[0], &asked->open[1], --asked->count * sizeof(asked->open[0]));
    asked->open[asked->count++] = (struct question){packet, packet, 1, id};
}

/* What this answers. First NULL: nothing that is known. */
static struct question take_answer(struct asked *asked, const struct tale_packet *packet)
{
    int32_t id = id_of(packet, true);
    for (size_t i = 0; i < asked->count; i++) {
        struct question question = asked->open[i];
        if (question.id != id && question.id >= 0 && id >= 0) continue;
        memmove(&asked->open[i], &asked->open[i + 1], (--asked->count - i) * sizeof(asked->open[0]));
        return question;
    }
    return (struct question){0};
}

static void say_unanswered(struct telling *telling, const struct question *question)
{
    char server[ADDRESS_TEXT_BYTES];
    uint32_t proof[2] = {question->first->step, question->last == question->first ? STORY_NO_STEP : question->last->step};
    finding_add(telling, "name-lookup-failed", "error",
                telling_printf(
                    telling,
                    ntr("no answer of the name server %s to %" PRIu32
                        " question was seen in %s, not even an error: it is away, or something drops them or its answers; what was "
                        "to follow waits for the resolver's timeout",
                        "no answer of the name server %s to %" PRIu32
                        " questions was seen in %s, not even an error: it is away, or something drops them or its answers; what "
                        "was to follow waits for the resolver's timeout",
                        question->count),
                    address_format(&telling->flow->end[STORY_SERVER], server), question->count,
                    finding_time(telling, telling->now_ns - question->first->sent_ns)),
                FINDING_PROOF(proof));
}

static void say_slow(struct telling *telling, const struct question *question, const struct tale_packet *answer)
{
    char server[ADDRESS_TEXT_BYTES];
    uint32_t proof[2] = {question->first->step, answer->step};
    finding_add(telling, "name-lookup-slow", "warning",
                telling_printf(telling,
                               ntr("a name lookup took %s: the name server %s answered after %" PRIu32 " question",
                                   "a name lookup took %s: the name server %s answered after %" PRIu32
                                   " questions; the first was lost, or its answer",
                                   question->count),
                               finding_time(telling, finding_arrival_ns(answer) - question->first->sent_ns),
                               address_format(&telling->flow->end[STORY_SERVER], server), question->count),
                FINDING_PROOF(proof));
}

/* A resolver tries its search list: what another answer made good is no failure. */
static void say_failed(struct telling *telling, const struct question *question, const struct tale_packet *answer,
                       const char *error)
{
    const struct sock *asker = telling->flow->sock[STORY_CLIENT];
    bool made_good = asker && asker->found_name;
    const char *name = name_of(telling, question->last);
    uint32_t proof[2] = {question->last->step, answer->step};
    if (made_good)
        finding_add(
            telling, "name-lookup-failed", "note",
            name ? telling_printf(telling, "a name lookup failed: %s: %s; the process tried on, and could connect", name, tr(error))
                 : telling_printf(telling, "a name lookup failed: %s; the process tried on, and could connect", tr(error)),
            FINDING_PROOF(proof));
    else
        finding_add(telling, "name-lookup-failed", "warning",
                    name ? telling_printf(telling, "a name lookup failed: %s: %s", name, tr(error))
                         : telling_printf(telling, "a name lookup failed: %s", tr(error)),
                    FINDING_PROOF(proof));
}

void findings_names(struct telling *telling)
{
    struct asked asked = {.count = 0};
    bool any_error = false;
    if (!telling->story->udp || telling->flow->end[STORY_SERVER].port != DNS_PORT) return;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        any_error |= packet->datagram && packet->datagram->icmp;
        if (is_no_question(packet)) continue;
        if (is_datagram(packet, STORY_CLIENT)) {
            take_question(&asked, packet);
        } else if (is_datagram(packet, STORY_SERVER)) {
            struct question question = take_answer(&asked, packet);
            if (!question.first) continue;
            const char *error = question.id >= 0 ? error_of(packet) : NULL;
            if (error) say_failed(telling, &question, packet, error);
            if (finding_arrival_ns(packet) - question.first->sent_ns >= SLOW_NS) say_slow(telling, &question, packet);
        }
    }
    for (size_t i = 0; i < asked.count && !any_error; i++)
        if (telling->now_ns - asked.open[i].first->sent_ns >= SILENCE_NS) say_unanswered(telling, &asked.open[i]);
}
