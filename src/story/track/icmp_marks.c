/* The kernel's marks of ICMP errors, which quote their flow only in the captured packet: kept until that comes. */
#include <errno.h>
#include <string.h>

#include "base/moment.h"
#include "story/track/track.h"

/* A mark and its packet are microseconds apart; the clocks of two sources may disagree by less than this. */
static const int64_t MARK_WINDOW_NS = 1000000000;

static void forget_first(struct teller *teller, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!teller->icmp_marks[i].marked) teller->marks_unjoined++;
        call_unref(teller->icmp_marks[i].call);
    }
    teller->icmp_mark_count -= count;
    if (!teller->icmp_mark_count) return;
    memmove(&teller->icmp_marks[0], &teller->icmp_marks[count], teller->icmp_mark_count * sizeof(teller->icmp_marks[0]));
}

/* Of too many those whose packet can't come any more; if there are none, the older half. */
static void make_room(struct teller *teller, int64_t now_ns)
{
    if (teller->icmp_mark_count < ICMP_MARKS_MAX) return;
    size_t gone = 0;
    while (gone < teller->icmp_mark_count && now_ns - teller->icmp_marks[gone].mark_ns > 2 * MARK_WINDOW_NS) gone++;
    if (!gone) {
        gone = teller->icmp_mark_count / 2;
        teller->forgotten.icmp_marks += gone;
    }
    forget_first(teller, gone);
}

int icmp_keep_mark(struct teller *teller, const struct sighting *mark)
{
    make_room(teller, mark->mark_ns);
    struct sighting *kept =
        track_grow((void **)&teller->icmp_marks, &teller->icmp_mark_count, &teller->icmp_mark_room, sizeof(*kept));
    if (!kept) return -ENOMEM;
    *kept = *mark;
    call_ref(kept->call);
    return 0;
}

const struct sighting *icmp_take_mark(struct teller *teller, const struct event *event)
{
    for (size_t i = 0; i < teller->icmp_mark_count; i++) {
        struct sighting *mark = &teller->icmp_marks[i];
        const struct event_packet_header *a = &mark->packet.header, *b = &event->packet.header;
        if (mark->marked || a->protocol != b->protocol || memcmp(a->src.ip, b->src.ip, 16) != 0 ||
            memcmp(a->dst.ip, b->dst.ip, 16) != 0 || moment_apart(mark->mark_ns, event->t_ns) > MARK_WINDOW_NS)
            continue;
        mark->marked = true; /* used */
        return mark;
    }
    return NULL;
}

void icmp_forget_marks(struct teller *teller)
{
    forget_first(teller, teller->icmp_mark_count);
}
