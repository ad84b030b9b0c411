#include "watch/metrics.h"

#include <inttypes.h>

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP tcpwhy_%s %s\n# TYPE tcpwhy_%s %s\n", name, help, name, type);
}

static void gauge(struct buf *out, const char *name, const char *help, uint64_t value)
{
    head(out, name, "gauge", help);
    buf_printf(out, "tcpwhy_%s %" PRIu64 "\n", name, value);
}

static void spread(struct buf *out, const char *name, const char *help, const struct spread *spread)
{
    static const struct {
        const char *text;
        int64_t ns;
    } limits[] = {
        {"0.0001", 100000},  {"0.00025", 250000}, {"0.0005", 500000},  {"0.001", 1000000},    {"0.0025", 2500000},
        {"0.005", 5000000},  {"0.01", 10000000},  {"0.025", 25000000}, {"0.05", 50000000},    {"0.1", 100000000},
        {"0.25", 250000000}, {"0.5", 500000000},  {"1", 1000000000},   {"2.5", 2500000000},   {"5", 5000000000},
        {"10", 10000000000}, {"30", 30000000000}, {"60", 60000000000}, {"300", 300000000000},
    };
    head(out, name, "histogram", help);
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        buf_printf(out, "tcpwhy_%s_bucket{le=\"%s\"} %" PRIu64 "\n", name, limits[i].text, spread_until(spread, limits[i].ns));
    buf_printf(out, "tcpwhy_%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, spread->count);
    buf_printf(out, "tcpwhy_%s_sum %" PRIu64 ".%06" PRIu64 "\n", name, spread->sum_us / 1000000, spread->sum_us % 1000000);
    buf_printf(out, "tcpwhy_%s_count %" PRIu64 "\n", name, spread->count);
}

void metrics_write(const struct totals *totals, const struct metrics_now *now, struct buf *out)
{
    size_t ids;
    const char *const *findings = story_finding_ids(&ids);
    head(out, "connections_total", "counter", "TCP connections that ended, by outcome.");
    for (int i = 0; i < OUTCOMES; i++)
        buf_printf(out, "tcpwhy_connections_total{outcome=\"%s\"} %" PRIu64 "\n", story_outcome_name((enum story_outcome)i),
                   totals->outcomes[i]);
    head(out, "connections_given_up_total", "counter", "TCP connections that were followed no further before they ended.");
    buf_printf(out, "tcpwhy_connections_given_up_total %" PRIu64 "\n", totals->given_up);
    head(out, "findings_total", "counter", "Findings of connections that ended, by id.");
    for (size_t i = 0; i < ids && i < TOTALS_FINDINGS; i++)
        if (totals->findings[i])
            buf_printf(out, "tcpwhy_findings_total{id=\"%s\"} %" PRIu64 "\n", findings[i], totals->findings[i]);
    head(out, "retransmissions_total", "counter", "Segments sent again, by what they repeat for.");
    for (int i = STORY_REPEAT_UNKNOWN; i < STORY_REPEATS; i++)
        buf_printf(out, "tcpwhy_retransmissions_total{kind=\"%s\"} %" PRIu64 "\n", story_repeat_name((enum story_repeat)i),
                   totals->repeats[i]);
    head(out, "sent_bytes_total", "counter", "Payload of connections that ended, by the end that sent it.");
    for (int side = 0; side < STORY_SIDES; side++)
        buf_printf(out, "tcpwhy_sent_bytes_total{end=\"%s\"} %" PRIu64 "\n", story_side_name((enum story_side)side),
                   totals->bytes[side]);
    gauge(out, "connections_open", "TCP connections that are open.", now->open);
    gauge(out, "connections_troubled", "Of them those in trouble: CLOSE_WAIT that lasts, no answer, a closed window.",
          now->troubled);
    head(out, "lines_lost_total", "counter", "Lines that nobody read in time.");
    buf_printf(out, "tcpwhy_lines_lost_total %" PRIu64 "\n", now->lines_lost);
    head(out, "events_lost_total", "counter", "Events that the recorder had no room for.");
    buf_printf(out, "tcpwhy_events_lost_total %" PRIu64 "\n", now->events_lost);
    head(out, "connections_touched_total", "counter", "TCP connections that were open when events were lost, and ended.");
    buf_printf(out, "tcpwhy_connections_touched_total %" PRIu64 "\n", now->touched);
    spread(out, "connect_seconds", "From SYN to the handshake's last ACK.", &totals->connect);
    spread(out, "accept_queue_seconds", "From the end of the handshake to accept().", &totals->accept);
    spread(out, "first_byte_seconds", "From SYN to the server's first data.", &totals->first_byte);
    spread(out, "connection_seconds", "From a connection's beginning to its end.", &totals->lasted);
}
