/* A client that waited for an answer, and closed before it came. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/lang.h"
#include "story/findings/findings.h"
#include "tcp/segment.h"

/* Sooner than that after its data a client that closes has not waited for an answer; later than that it waited for none, where no
 * call shows it: the connection was idle. */
static const int64_t WAITED_NS = 100000000, WAITED_MOST_NS = 60000000000;
/* A wait that ended by its own time took time; and what closes for it does so at once. */
static const int64_t SLEPT_NS = 10000000, AT_ONCE_NS = 100000000;

struct patience {
    const struct tale_packet *request; /* the client's data to which nothing came */
    const struct tale_packet *end;     /* its FIN or RST */
    const struct tale_packet *late;    /* the server's next data, which came only then; NULL none */
    const struct tale_packet *reset;   /* with which the client's kernel answered that; NULL: none, or not seen */
    const struct tale_call *wait;      /* that ran out of time; NULL none */
};

/* The client's end by its own will: close(), the process' end, or, where none of its calls is known, a FIN. */
static bool is_own_end(const struct telling *telling, const struct tale_packet *packet)
{
    if (!finding_is_own(packet, STORY_CLIENT) || !(packet->segment->flags & (TCP_FIN | TCP_RST))) return false;
    const struct story_cause *cause = packet->cause;
    if (cause->kind == CAUSE_EXIT) return cause->name && strncmp(cause->name, "SIG", 3) != 0;
    if (!telling->sweep.any_call[STORY_CLIENT]) return packet->segment->flags & TCP_FIN;
    return cause->kind == CAUSE_CALL && cause->name && call_traits(cause->name) & (CALL_CLOSES | CALL_CLOSES_RANGE);
}

/* The client's last data before its end, with nothing between that explains the silence in another way: no data and no end of the
 * server's, nothing sent again, no closed window. */
static bool find_request(const struct telling *telling, struct patience *patience)
{
    bool closed = false;
    for (const struct tale_packet *at = telling->packets; at < telling->packets + telling->packet_count; at++) {
        if (!at->segment || at->segment->copy) continue;
        if (is_own_end(telling, at)) {
            if (!at->segment->length_bytes) patience->end = at;
            break;
        }
        if (at->side == STORY_CLIENT && at->segment->flags & (TCP_FIN | TCP_RST)) return false;
        if (at->side == STORY_CLIENT && at->segment->flags & TCP_ACK) closed = at->segment->window == 0;
        bool again = at->segment->retransmission || telling_is_untaken(telling, at);
        if (again || (at->side == STORY_SERVER && (at->segment->length_bytes || at->segment->flags & (TCP_FIN | TCP_RST))))
            patience->request = NULL;
        else if (at->side == STORY_CLIENT && at->segment->length_bytes)
            patience->request = at;
    }
    return patience->request && patience->end && !closed;
}

/* Its last data is the whole of what was asked: the server's kernel has it all. */
static bool is_acknowledged(const struct telling *telling, const struct tale_packet *request)
{
    uint32_t end = request->segment->seq_absolute + request->segment->length_bytes;
    for (const struct tale_packet *at = request + 1; at < telling->packets + telling->packet_count; at++)
        if (at->segment && at->side == STORY_SERVER && at->segment->flags & TCP_ACK &&
            (int32_t)(at->segment->ack_absolute - end) >= 0)
            return true;
    return false;
}

/* The server's data that came behind the client's end, and the RST that says that nobody was there to take it. */
static void find_late(const struct telling *telling, struct patience *patience)
{
    for (const struct tale_packet *at = patience->end + 1; at < telling->packets + telling->packet_count; at++) {
        if (!at->segment || at->segment->copy) continue;
        if (!patience->late && at->side == STORY_SERVER && at->segment->length_bytes) patience->late = at;
        if (!patience->late || !finding_is(at, STORY_CLIENT, STORY_RST) || at->sent_ns < finding_arrival_ns(patience->late))
            continue;
        patience->reset = at;
        return;
    }
    bool aborted = patience->end->segment->flags & TCP_RST;
    if (!aborted) patience->late = NULL; /* somebody may have taken it */
}

/* The client's call that waited for the answer until its own time was over, right before the end. */
static void find_wait(const struct telling *telling, struct patience *patience)
{
    for (size_t i = 0; i < telling->call_count; i++) {
        const struct tale_call *tale = &telling->calls[i];
        const struct call *call = tale->call;
        if (tale->story->side != STORY_CLIENT || tale->story->listener || !call->entered || !call->exited) continue;
        bool ran_out =
            (call->traits & CALL_WAITS_FOR_MANY && call->ret == 0) || (call->traits & CALL_READS && call->ret == -EAGAIN);
        if (!ran_out || call->slept_ns == 0 || call->exit_ns - call->enter_ns < SLEPT_NS) continue;
        if (call->exit_ns > patience->request->sent_ns && call->exit_ns <= patience->end->sent_ns &&
            patience->end->sent_ns - call->exit_ns <= AT_ONCE_NS)
            patience->wait = tale;
    }
}

static void say_late(struct telling *telling, const struct patience *patience)
{
    const struct tale_packet *request = patience->request, *late = patience->late;
    const char *waited = finding_time(telling, patience->end->sent_ns - request->sent_ns);
    const char *all = finding_time(telling, finding_arrival_ns(late) - request->sent_ns);
    uint32_t proof[4] = {request->step, patience->wait ? patience->wait->story->exit_step : patience->end->step, late->step,
                         patience->reset ? patience->reset->step : STORY_NO_STEP};
    const char *text =
        patience->wait
            ? telling_printf(telling,
                             "nothing came for %s after the client's data (#%" PRIu32
                             "), %s() of %s ran out of time, and it closed (#%" PRIu32 "); the server's next data (#%" PRIu32
                             ") came %s after that data, and nobody was there to take it: the client waits for less time than the "
                             "server needs. Let it wait longer, or find out what takes the server so long",
                             waited, request->segment->number, patience->wait->story->name, patience->wait->story->comm,
                             patience->end->segment->number, late->segment->number, all)
            : telling_printf(
                  telling,
                  "nothing came for %s after the client's data (#%" PRIu32 "), and it closed (#%" PRIu32
                  "); the server's next data (#%" PRIu32
                  ") came %s after that data, and nobody was there to take it: if it was the answer, the client waits for "
                  "less time than the server needs. Let it wait longer, or find out what takes the server so long",
                  waited, request->segment->number, patience->end->segment->number, late->segment->number, all);
    finding_add(telling, "client-gave-up", "warning", text, FINDING_PROOF(proof));
}

/* An event loop's wait may have been for something else. */
static void say_alone(struct telling *telling, const struct patience *patience)
{
    const struct story_call *wait = patience->wait->story;
    bool loop = strncmp(wait->name, "epoll", 5) == 0;
    uint32_t proof[3] = {patience->request->step, wait->exit_step, patience->end->step};
    finding_add(telling, "client-gave-up", loop ? "note" : "warning",
                telling_printf(
                    telling,
                    "nothing came for %s after the client's data (#%" PRIu32
                    "), %s() of %s ran out of time, and it closed (#%" PRIu32
                    "). The server's kernel had acknowledged that data: see what its process did with it; or let the client wait "
                    "longer",
                    finding_time(telling, patience->end->sent_ns - patience->request->sent_ns), patience->request->segment->number,
                    wait->name, wait->comm, patience->end->segment->number),
                FINDING_PROOF(proof));
}

void findings_gave_up(struct telling *telling)
{
    struct patience patience = {0};
    enum story_side missing;
    if (telling->flow->to_itself || finding_is_one_way(telling, &missing) || !find_request(telling, &patience)) return;
    int64_t waited_ns = patience.end->sent_ns - patience.request->sent_ns;
    if (waited_ns < WAITED_NS || !is_acknowledged(telling, patience.request)) return;
    find_late(telling, &patience);
    find_wait(telling, &patience);
    if (patience.late && (patience.wait || waited_ns <= WAITED_MOST_NS))
        say_late(telling, &patience);
    else if (patience.wait && !patience.late)
        say_alone(telling, &patience);
}
