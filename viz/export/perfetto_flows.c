#include "viz/export/perfetto_flows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "viz/plan/plan.h"

uint32_t flows_step(const struct story *story, uint32_t step)
{
    if (step >= story->step_count) return STORY_NO_STEP;
    const struct story_step *at = &story->steps[step];
    if (at->kind == STEP_EXIT && at->call->enter_step < story->step_count) return at->call->enter_step;
    return step;
}

int64_t flows_time(const struct story_step *step)
{
    int64_t sent, received;
    if (!plan_packet_times(step, &sent, &received)) return step->t_ns;
    return received ? received : sent;
}

static void add_edge(const struct story *story, struct flows *flows, const bool *told, uint32_t from, uint32_t to, int64_t to_ns)
{
    from = flows_step(story, from);
    if (from == STORY_NO_STEP || to == STORY_NO_STEP || from == to || !told[from] || !told[to]) return;
    if (flows->into[to] != FLOW_NONE || flows_time(&story->steps[from]) > to_ns) return;
    uint32_t edge = flows->count++;
    flows->into[to] = edge;
    flows->next[edge] = flows->out[from];
    flows->out[from] = edge;
}

static void add_of_step(const struct story *story, struct flows *flows, const bool *told, uint32_t i)
{
    const struct story_step *step = &story->steps[i];
    switch (step->kind) {
    case STEP_SEGMENT:
        add_edge(story, flows, told, step->segment->cause.step, i, step->segment->sent_ns);
        break;
    case STEP_DATAGRAM:
        add_edge(story, flows, told, step->datagram->cause.step, i, step->datagram->sent_ns);
        break;
    case STEP_STATE:
        add_edge(story, flows, told, step->state->cause.step, i, step->t_ns);
        break;
    case STEP_EXIT:
        if (step->call->wake.kind == WAKE_SEGMENT) add_edge(story, flows, told, step->call->wake.step, i, step->t_ns);
        break;
    default:
        break;
    }
}

int flows_make(const struct story *story, const bool *told, uint64_t *next_id, struct flows *ret_flows)
{
    size_t count = story->step_count + 1;
    *ret_flows = (struct flows){.first = *next_id,
                                .steps = story->step_count,
                                .into = malloc(count * sizeof(uint32_t)),
                                .out = malloc(count * sizeof(uint32_t)),
                                .next = malloc(count * sizeof(uint32_t))};
    if (!ret_flows->into || !ret_flows->out || !ret_flows->next) {
        flows_free(ret_flows);
        return -ENOMEM;
    }
    memset(ret_flows->into, 0xff, count * sizeof(uint32_t));
    memset(ret_flows->out, 0xff, count * sizeof(uint32_t));
    for (uint32_t i = 0; i < story->step_count; i++) add_of_step(story, ret_flows, told, i);
    *next_id += ret_flows->count;
    return 0;
}

void flows_free(struct flows *flows)
{
    free(flows->into);
    free(flows->out);
    free(flows->next);
    *flows = (struct flows){0};
}
