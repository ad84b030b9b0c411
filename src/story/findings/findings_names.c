/* Names that are looked up: questions and answers of the DNS over UDP (RFC 1035), port 53. */
#include <inttypes.h>

#include "base/lang.h"
#include "story/findings/findings.h"

enum { DNS_PORT = 53, DNS_HEADER_BYTES = 12, FRAME_LEAST = 60 };

/* A stub resolver asks again after five seconds (resolv.conf(5)); half a second is what a person begins to feel. */
static const int64_t SLOW_NS = 500000000, SILENCE_NS = 2000000000;

static bool is_datagram(const struct tale_packet *packet, enum story_side side)
{
    return packet->datagram && !packet->datagram->icmp && packet->side == side;
}

/* The DNS's header, where all of the datagram was captured: its last bytes (a short Ethernet frame may be padded). NULL: not known.
 */
static const uint8_t *header_of_dns(const struct tale_packet *packet)
{
    const struct event_packet *seen = &packet->seen->packet;
    uint32_t length = seen->header.length_bytes;
    if (!seen->bytes || length < DNS_HEADER_BYTES || seen->captured_bytes != seen->wire_bytes ||
        seen->captured_bytes <= FRAME_LEAST || seen->captured_bytes < length)
        return NULL;
    return seen->bytes + (seen->captured_bytes - length);
}

/* RFC 1035 section 4.1.1; NULL: no error, or not known. */
static const char *error_of(const struct tale_packet *answer, const struct tale_packet *question)
{
    static const char *const names[] = {NULL,
                                        TR("the name server could not read the question (FORMERR)"),
                                        TR("the name server failed (SERVFAIL)"),
                                        TR("there is no such name (NXDOMAIN)"),
                                        TR("the name server does not know that kind of question (NOTIMP)"),
                                        TR("the name server refused (REFUSED)")};
    const uint8_t *said = header_of_dns(answer), *asked = header_of_dns(question);
    if (!said || !asked || said[0] != asked[0] || said[1] != asked[1] || !(said[2] & 0x80) || asked[2] & 0x80) return NULL;
    unsigned code = said[3] & 0x0f;
    return code < sizeof(names) / sizeof(names[0]) ? names[code] : TR("the name server answered with an error");
}

static void say_unanswered(struct telling *telling, const struct tale_packet *first, const struct tale_packet *last, uint32_t count)
{
    char server[ADDRESS_TEXT_BYTES];
    uint32_t proof[2] = {first->step, last == first ? STORY_NO_STEP : last->step};
    finding_add(telling, "name-lookup-failed", "error",
                telling_printf(
                    telling,
                    ntr("no answer of the name server %s to %" PRIu32
                        " question was seen in %s, not even an error: it is away, or something drops them or its answers; what was "
                        "to follow waits for the resolver's timeout",
                        "no answer of the name server %s to %" PRIu32
                        " questions was seen in %s, not even an error: it is away, or something drops them or its answers; what "
                        "was to follow waits for the resolver's timeout",
                        count),
                    address_format(&telling->flow->end[STORY_SERVER], server), count,
                    finding_time(telling, telling->now_ns - first->sent_ns)),
                proof, 2);
}

static void say_slow(struct telling *telling, const struct tale_packet *first, const struct tale_packet *answer, uint32_t count)
{
    char server[ADDRESS_TEXT_BYTES];
    uint32_t proof[2] = {first->step, answer->step};
    finding_add(telling, "name-lookup-slow", "warning",
                telling_printf(telling,
                               ntr("a name lookup took %s: the name server %s answered after %" PRIu32 " question",
                                   "a name lookup took %s: the name server %s answered after %" PRIu32
                                   " questions; the first was lost, or its answer",
                                   count),
                               finding_time(telling, finding_arrival_ns(answer) - first->sent_ns),
                               address_format(&telling->flow->end[STORY_SERVER], server), count),
                proof, 2);
}

void findings_names(struct telling *telling)
{
    const struct tale_packet *first = NULL, *last = NULL;
    uint32_t count = 0;
    bool any_error = false;
    if (!telling->story->udp || telling->flow->end[STORY_SERVER].port != DNS_PORT) return;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        any_error = any_error || (packet->datagram && packet->datagram->icmp);
        if (is_datagram(packet, STORY_CLIENT)) {
            if (!first) first = packet;
            last = packet;
            count++;
        } else if (first && is_datagram(packet, STORY_SERVER)) {
            const char *error = error_of(packet, last);
            uint32_t proof[2] = {last->step, packet->step};
            if (error)
                finding_add(telling, "name-lookup-failed", "warning",
                            telling_printf(telling, "a name lookup failed: %s", tr(error)), proof, 2);
            if (finding_arrival_ns(packet) - first->sent_ns >= SLOW_NS) say_slow(telling, first, packet, count);
            first = last = NULL;
            count = 0;
        }
    }
    if (first && !any_error && telling->now_ns - first->sent_ns >= SILENCE_NS) say_unanswered(telling, first, last, count);
}
