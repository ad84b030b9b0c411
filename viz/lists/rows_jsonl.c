/* A JSON object a connection, and one for the totals: lines of types "flow" and "totals" of docs/event-lines.schema.json. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "viz/lists/rows.h"
#include "viz/pen/json.h"
#include "viz/pen/line.h"
#include "viz/plan/clock_words.h"

static int begin(struct buf *out, const struct rows_options *options)
{
    struct json json = json_new(out, options->ascii);
    for (size_t i = 0; i < options->clock_count; i++) clock_line(&json, &options->clocks[i]);
    return out->failed ? -ENOMEM : 0;
}

static void add_path(struct json *json, const char *key, const struct rows_path *path, int way)
{
    json_object(json, key);
    json_uint(json, "lost", path->lost[way]);
    json_maybe_int(json, "delay", path->delay_ns[way] >= 0, path->delay_ns[way]);
    json_end_object(json);
}

static void add_side(struct json *json, const char *key, int side)
{
    json_string(json, key, side < 0 ? NULL : side == LEDGER_CLIENT ? "client" : "server");
}

static void add_end(struct json *json, const char *key, const struct ledger_end *end)
{
    char address[LINE_ADDRESS_BYTES + LINE_SLACK];
    line_char(line_address(address, &end->address), '\0');
    json_object(json, key);
    json_string(json, "addr", address);
    json_string(json, "state", end->state == STATE_UNKNOWN ? NULL : tcp_state_name(end->state));
    json_maybe_int(json, "isn", end->has_isn, end->isn);
    json_uint(json, "segments", end->segments);
    json_uint(json, "bytes", end->bytes);
    json_uint(json, "retransmissions", end->retransmissions);
    json_uint(json, "out_of_order", end->out_of_order);
    json_uint(json, "zero_windows", end->zero_windows);
    json_uint(json, "keep_alives", end->keep_alives);
    json_uint(json, "missed_bytes", end->missed_bytes);
    json_end_object(json);
}

static void add_icmp(struct json *json, const struct ledger_icmp *icmp)
{
    char from[LINE_ADDRESS_BYTES + LINE_SLACK];
    if (!icmp->count) return;
    line_char(line_ip(from, &icmp->last.from), '\0');
    json_object(json, "icmp");
    json_uint(json, "count", icmp->count);
    json_string(json, "what", segment_icmp_name(icmp->last.protocol, icmp->last.type, icmp->last.code));
    json_string(json, "from", from);
    json_maybe_int(json, "mtu", icmp->last.mtu != 0, icmp->last.mtu);
    json_maybe_int(json, "seq", icmp->last.seq != 0, icmp->last.seq);
    json_end_object(json);
}

static const char *ending_name(enum ledger_ending ending)
{
    static const char *const names[] = {"ended", "idle", "crowded", "unfinished"};
    return names[ending];
}

static int add_row(struct buf *out, const struct rows_options *options, const struct ledger_row *row)
{
    struct json json = json_new(out, options->ascii);
    json_object(&json, NULL);
    json_string(&json, "type", "flow");
    json_uint(&json, "conn", row->number);
    json_int(&json, "start", row->start_ns);
    json_int(&json, "end", row->end_ns);
    add_end(&json, "client", &row->end[LEDGER_CLIENT]);
    add_end(&json, "server", &row->end[LEDGER_SERVER]);
    json_string(&json, "outcome", ledger_outcome_name(row->outcome));
    json_string(&json, "ending", ending_name(row->ending));
    add_side(&json, "opened_by", row->opened_by);
    add_side(&json, "closed_first_by", row->closed_first_by);
    json_bool(&json, "roles_guessed", row->roles_guessed);
    json_maybe_int(&json, "handshake", row->handshake_ns >= 0, row->handshake_ns);
    json_uint(&json, "completeness", row->completeness);
    json_string(&json, "conn_state", row->conn_state);
    json_string(&json, "history", row->history);
    json_bool(&json, "history_cut", row->history_cut);
    add_icmp(&json, &row->icmp);
    int client = 0;
    const struct rows_path *path = rows_path(options, row, &client);
    if (path) {
        add_path(&json, "there", path, client);
        add_path(&json, "back", path, !client);
    }
    json_end_object(&json);
    json_newline(&json);
    return out->failed ? -ENOMEM : 0;
}

static int add_udp(struct buf *out, const struct rows_options *options, const struct datagrams_row *row)
{
    struct json json = json_new(out, options->ascii);
    bool turned;
    const char *history, *state = rows_udp_conn_state(row, &turned, &history);
    char number[16], name[SEGMENT_CONTENT_BYTES];
    snprintf(number, sizeof(number), "u%" PRIu32, row->number);
    json_object(&json, NULL);
    json_string(&json, "type", "udp");
    json_string(&json, "conn", number);
    json_int(&json, "start", row->start_ns);
    json_int(&json, "end", row->end_ns);
    for (size_t side = 0; side < LEDGER_SIDES; side++) {
        char address[LINE_ADDRESS_BYTES + LINE_SLACK];
        line_char(line_address(address, &row->end[side].address), '\0');
        json_object(&json, side == LEDGER_CLIENT ? "client" : "server");
        json_string(&json, "addr", address);
        json_uint(&json, "datagrams", row->end[side].datagrams);
        json_uint(&json, "bytes", row->end[side].bytes);
        json_end_object(&json);
    }
    json_string(&json, "ending", ending_name(row->ending));
    json_string(&json, "content", row->content ? segment_content_name(row->content, name) : NULL);
    json_string(&json, "conn_state", state);
    json_string(&json, "history", history);
    add_icmp(&json, &row->icmp);
    json_end_object(&json);
    json_newline(&json);
    return out->failed ? -ENOMEM : 0;
}

static void add_unread(struct json *json, const struct rows_source *source)
{
    json_array(json, "not_looked_into");
    for (size_t i = 0; i < source->unread_count; i++) {
        char name[SEGMENT_CONTENT_BYTES];
        json_object(json, NULL);
        json_string(json, "what", segment_content_name(source->unread[i].content, name));
        json_uint(json, "packets", source->unread[i].count);
        json_end_object(json);
    }
    json_end_array(json);
}

static int end(struct buf *out, const struct rows_options *options, const struct ledger_totals *totals,
               const struct rows_source *source)
{
    struct json json = json_new(out, options->ascii);
    json_object(&json, NULL);
    json_string(&json, "type", "totals");
    json_uint(&json, "packets", source->packets);
    json_uint(&json, "segments", totals->segments);
    json_uint(&json, "connections", totals->connections);
    json_uint(&json, "bytes", totals->bytes);
    json_object(&json, "outcomes");
    for (unsigned i = 0; i < LEDGER_OUTCOMES; i++)
        json_uint(&json, ledger_outcome_name((enum ledger_outcome)i), totals->by_outcome[i]);
    json_end_object(&json);
    json_uint(&json, "retransmissions", totals->retransmissions);
    json_uint(&json, "out_of_order", totals->out_of_order);
    json_uint(&json, "zero_windows", totals->zero_windows);
    json_uint(&json, "keep_alives", totals->keep_alives);
    json_uint(&json, "missed_bytes", totals->missed_bytes);
    json_uint(&json, "idle", totals->idle);
    json_uint(&json, "crowded", totals->crowded);
    json_uint(&json, "open_most", totals->open_most);
    json_uint(&json, "other", source->results[SEGMENT_OTHER]);
    json_uint(&json, "fragments", source->results[SEGMENT_FRAGMENT]);
    json_uint(&json, "put_together", source->put_together);
    json_uint(&json, "udp_flows", source->udp_flows);
    json_uint(&json, "udp_datagrams", source->udp_datagrams);
    json_uint(&json, "udp_bytes", source->udp_bytes);
    json_uint(&json, "icmp_errors", source->icmp_errors);
    add_unread(&json, source);
    json_uint(&json, "cut", source->results[SEGMENT_CUT]);
    json_uint(&json, "malformed", source->results[SEGMENT_MALFORMED]);
    json_uint(&json, "unknown_links", source->results[SEGMENT_LINK]);
    json_uint(&json, "encrypted", source->results[SEGMENT_ENCRYPTED]);
    json_uint(&json, "damages", source->damages);
    json_uint(&json, "dropped", source->dropped);
    json_uint(&json, "commented", source->commented);
    json_object(&json, "unread");
    json_uint(&json, "journal", source->journal);
    json_uint(&json, "names", source->names);
    json_uint(&json, "secrets", source->secrets);
    json_uint(&json, "custom", source->custom);
    json_uint(&json, "unknown", source->unknown_blocks);
    json_end_object(&json);
    json_array(&json, "comments");
    for (size_t i = 0; i < source->comment_count; i++) json_string(&json, NULL, source->comments[i]);
    json_end_array(&json);
    json_end_object(&json);
    json_newline(&json);
    return out->failed ? -ENOMEM : 0;
}

const struct rows_view rows_jsonl = {"jsonl", ".jsonl", "a JSON object a connection", begin, add_row, add_udp, false, end};
