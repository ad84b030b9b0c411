/* The steps that a stage does itself: sysctls, firewalls, the wire's rules. */
#include "play/stage/stage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/actor/uring.h"
#include "lab/network/destroy.h"
#include "lab/network/host.h"
#include "lab/wire/firewall.h"
#include "lab/wire/wire.h"
#include "out/note.h"
#include "play/stage/port.h"
#include "play/stage/stage_own.h"

static unsigned stage_direction(enum scenario_side side)
{
    static const unsigned sides[] = {
        [SCENARIO_CLIENT] = WIRE_FROM_CLIENT, [SCENARIO_SERVER] = WIRE_FROM_SERVER, [SCENARIO_BOTH] = WIRE_FROM_BOTH};
    return sides[side];
}

static int stage_forget_rules(struct stage *stage, struct err *err)
{
    int code = 0;
    for (size_t i = 0; i < stage->scenario->step_count && !code; i++)
        if (stage->scenario->steps[i].verb == SCENARIO_WIRE_RULE) code = stage_ask_rule(stage, i, err);
    return code ? code : wire_clear(stage->wire, err);
}

static int set_sysctl(struct stage *stage, const struct scenario_step *step, enum scenario_side host, struct err *err)
{
    if (stage->network) return network_sysctl(stage->network, stage_place(host), step->option, step->value, err);
    if (stage->shared)
        return err_set(err, -EPERM, "this host's own network is used, and its settings are not the scenario's to change");
    char path[256];
    snprintf(path, sizeof(path), "/proc/sys/%s", step->option);
    for (char *at = path + strlen("/proc/sys/"); *at; at++)
        if (*at == '.') *at = '/';
    FILE *file = fopen(path, "we");
    int code = file && fprintf(file, "%s\n", step->value) > 0 ? 0 : -errno;
    if (file && fclose(file) && !code) code = -errno;
    return code ? err_set_errno(err, code, "can't set the sysctl %s to '%s'", step->option, step->value) : 0;
}

static int set_firewall(struct stage *stage, const struct scenario_step *step, enum scenario_side host, struct err *err)
{
    char rule[FIREWALL_RULE_BYTES];
    int netns_fd = stage->network ? network_fd(stage->network, stage_place(host)) : -1;
    if (stage->shared)
        return err_set(err, -EPERM, "this host's own network is used, and its firewall is not the scenario's to change");
    if (step->off) return firewall_open(netns_fd, err);
    const char *text = step->data;
    if (!text) text = firewall_rule_text((uint16_t)step->number, step->answer, rule, sizeof(rule));
    return firewall_add(netns_fd, step->outgoing, text, err);
}

/* As `ss -K` on that host: nobody of the scenario's own makes that call. */
static int destroy(struct stage *stage, const struct scenario_step *step, enum scenario_side host, struct err *err)
{
    if (stage->shared)
        return err_set(err, -EPERM, "this host's own network is used, and its connections are not the scenario's to destroy");
    int code = stage->network ? network_enter(stage->network, stage_place(host), err) : 0;
    if (code) return code;
    int count = destroy_connections((uint16_t)step->number, err), left = stage->network ? network_leave(stage->network, err) : 0;
    return count < 0 ? count : left;
}

/* The segments that a step of the wire or the router is about. */
static struct wire_rule rule_of(const struct stage *stage, const struct scenario_step *step)
{
    return (struct wire_rule){.from = stage_direction(step->match.from),
                              .match = step->match.segment,
                              .nth = step->match.every ? 0 : step->match.nth,
                              .id = (uint32_t)(step - stage->scenario->steps) + 1};
}

static int tell_router(struct stage *stage, const struct scenario_step *step, struct err *err)
{
    struct router_order order = {.verb = step->router,
                                 .answer = step->answer,
                                 .rule = rule_of(stage, step),
                                 .from = stage_direction(step->side),
                                 .mtu_bytes = (uint32_t)step->number};
    return wire_router(stage->wire, &order, err);
}

static int set_rule(struct stage *stage, const struct scenario_step *step, struct err *err)
{
    struct wire_rule rule = rule_of(stage, step);
    rule.action = step->action;
    rule.extra_ns = step->duration_ns;
    if (step->name) snprintf(rule.name, sizeof(rule.name), "%s", step->name);
    return wire_rule(stage->wire, &rule, err);
}

int stage_do(struct stage *stage, const struct scenario_step *step, enum scenario_side host, struct err *err)
{
    size_t count = 0;
    int code;
    switch (step->verb) {
    case SCENARIO_SYSCTL:
        return set_sysctl(stage, step, host, err);
    case SCENARIO_FIREWALL:
        return set_firewall(stage, step, host, err);
    case SCENARIO_DESTROY:
        return destroy(stage, step, host, err);
    case SCENARIO_ROUTER:
        return tell_router(stage, step, err);
    case SCENARIO_WIRE_DELAY:
        return wire_delay(stage->wire, stage_direction(step->side), step->duration_ns, err);
    case SCENARIO_WIRE_RULE:
        return set_rule(stage, step, err);
    case SCENARIO_WIRE_RELEASE:
        code = wire_release(stage->wire, step->name, &count, err);
        if (!code && !count)
            return err_set(err, -ENOENT, "nothing was held%s%s", step->name ? " as " : "", step->name ? step->name : "");
        return code;
    case SCENARIO_WIRE_CUT:
        return wire_cut(stage->wire, stage_direction(step->side), err);
    case SCENARIO_WIRE_MEND:
        return wire_mend(stage->wire, stage_direction(step->side), err);
    case SCENARIO_WIRE_INJECT:
        return wire_inject(stage->wire, step->forgery, err);
    default:
        return stage_forget_rules(stage, err);
    }
}
