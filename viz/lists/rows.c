#include "viz/lists/rows.h"
#include "base/lang.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* The first is what `tcpwhy read` shows when nothing is said. */
static const struct rows_view *const views[] = {&rows_list, &rows_csv, &rows_zeek, &rows_jsonl, &rows_summary};
enum { VIEW_COUNT = sizeof(views) / sizeof(views[0]) };

const struct rows_view *const *rows_all(size_t *ret_count)
{
    *ret_count = VIEW_COUNT;
    return views;
}

const struct rows_view *rows_by_name(const char *name)
{
    for (size_t i = 0; i < VIEW_COUNT; i++)
        if (!strcmp(views[i]->name, name)) return views[i];
    return NULL;
}

const struct rows_view *rows_by_path(const char *path)
{
    size_t length = strlen(path);
    for (size_t i = 0; i < VIEW_COUNT; i++) {
        size_t suffix = views[i]->suffix ? strlen(views[i]->suffix) : length;
        if (suffix < length && !strcmp(path + length - suffix, views[i]->suffix)) return views[i];
    }
    return NULL;
}

/* "port unreachable from 192.0.2.1", "2 × fragmentation needed (MTU 1400) from 192.0.2.1": no byte above 0x7e. */
static size_t put_icmp(char *at, size_t room, const char *comma, const struct ledger_icmp *icmp)
{
    char from[ADDRESS_TEXT_BYTES], mtu[24] = "", times[24] = "";
    if (icmp->last.mtu) snprintf(mtu, sizeof(mtu), " (MTU %u)", icmp->last.mtu);
    if (icmp->count > 1) snprintf(times, sizeof(times), "%ux ", icmp->count);
    int more = snprintf(at, room, tr("%s%sICMP %s%s from %s"), comma, times,
                        segment_icmp_name(icmp->last.protocol, icmp->last.type, icmp->last.code), mtu,
                        address_format_ip(&icmp->last.from, from));
    return more > 0 ? (size_t)more : 0;
}

const char *rows_udp_notes(const struct datagrams_row *row, char text[ROWS_NOTES_BYTES])
{
    size_t length = 0;
    text[0] = '\0';
    if (row->content) {
        segment_content_name(row->content, text);
        length = strlen(text);
    }
    if (row->icmp.count) length += put_icmp(text + length, ROWS_NOTES_BYTES - length, length ? ", " : "", &row->icmp);
    const struct {
        bool holds;
        const char *words;
    } notes[] = {
        {!row->end[LEDGER_SERVER].datagrams, tr("no answer")},
        {row->tunnel != 0, tr("in a tunnel")},
        {row->ending == LEDGER_CROWDED, tr("given up early: too many open")},
    };
    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
        if (!notes[i].holds || length >= ROWS_NOTES_BYTES - 1) continue;
        int more = snprintf(text + length, ROWS_NOTES_BYTES - length, "%s%s", length ? ", " : "", notes[i].words);
        if (more > 0) length += (size_t)more;
    }
    return text;
}

/* The UDP ports that Zeek's protocol scripts name as those of servers (likely_server_ports). */
static bool is_server_port(uint16_t port)
{
    static const uint16_t ports[] = {53,   67,   88,   123,  137,  161,  162,  443,  514, 1812,
                                     2123, 2152, 3544, 4789, 5060, 5072, 5353, 5355, 6081};
    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
        if (ports[i] == port) return true;
    return false;
}

const char *rows_udp_conn_state(const struct datagrams_row *row, bool *ret_turned, const char **ret_history)
{
    const struct datagrams_end *first = &row->end[LEDGER_CLIENT], *other = &row->end[LEDGER_SERVER];
    bool turned = is_server_port(first->address.port) && !is_server_port(other->address.port);
    bool there = (turned ? other : first)->datagrams > 0, back = (turned ? first : other)->datagrams > 0;
    *ret_turned = turned;
    *ret_history = there && back ? (turned ? "^dD" : "Dd") : there ? (turned ? "^D" : "D") : (turned ? "^d" : "d");
    return there && back ? "SF" : there ? "S0" : "SHR";
}

const char *rows_notes(const struct ledger_row *row, char text[ROWS_NOTES_BYTES])
{
    const struct ledger_end *a = &row->end[LEDGER_CLIENT], *b = &row->end[LEDGER_SERVER];
    uint64_t disorder = (uint64_t)a->out_of_order + b->out_of_order, zero = (uint64_t)a->zero_windows + b->zero_windows,
             alive = (uint64_t)a->keep_alives + b->keep_alives, missed = a->missed_bytes + b->missed_bytes;
    uint64_t probes = (uint64_t)a->window_probes + b->window_probes, ignored = (uint64_t)a->ignored_resets + b->ignored_resets,
             strays = (uint64_t)a->strays + b->strays;
    bool bare =
        row->opened_by < 0 && (row->outcome == LEDGER_REFUSED || row->outcome == LEDGER_HALF_OPEN); /* no connection at all */
    bool one_sided = !a->segments || !b->segments;
    bool unanswered = row->opened_by >= 0 && !b->segments;
    text[0] = '\0';
    /* Most rows need none of them, and are many. */
    if (!(disorder | zero | alive | missed | probes | ignored | strays | row->tunnel | row->icmp.count) && !one_sided &&
        row->opened_by >= 0 && row->ending == LEDGER_ENDED && row->outcome != LEDGER_REFUSED && row->outcome != LEDGER_HALF_OPEN)
        return text;
    const struct {
        bool holds;
        uint64_t count; /* 0: the words alone */
        const char *words;
    } notes[] = {
        {row->outcome == LEDGER_REFUSED, 0, "refused"},
        {unanswered && row->outcome == LEDGER_HALF_OPEN, 0, tr("no answer")},
        {bare, 0, tr("without SYN or ACK: a scan")},
        {row->opened_by < 0 && !bare, 0, tr("began before the capture")},
        {one_sided && !unanswered, 0, tr("one direction only")},
        {zero > 0, zero, tr("zero window")},
        {disorder > 0, disorder, tr("out of order")},
        {probes > 0, probes, tr("window probe")},
        {alive > 0, alive, "keep-alive"},
        {ignored > 0, ignored, tr("RST in vain")},
        {strays > 0 && !bare, strays, tr("of another connection")},
        {missed > 0, missed, tr("bytes missed by the capture")},
        {row->tunnel != 0, 0, tr("in a tunnel")},
        {row->ending == LEDGER_IDLE && row->outcome == LEDGER_OPEN, 0, tr("went quiet")},
        {row->ending == LEDGER_CROWDED, 0, tr("given up early: too many open")},
    };
    size_t length = 0;
    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
        if (!notes[i].holds || length >= ROWS_NOTES_BYTES - 1) continue;
        const char *comma = length ? ", " : "";
        int more = notes[i].count ? snprintf(text + length, ROWS_NOTES_BYTES - length, "%s%llu %s", comma,
                                             (unsigned long long)notes[i].count, notes[i].words)
                                  : snprintf(text + length, ROWS_NOTES_BYTES - length, "%s%s", comma, notes[i].words);
        if (more > 0) length += (size_t)more;
    }
    if (row->icmp.count && length < ROWS_NOTES_BYTES - 1)
        put_icmp(text + length, ROWS_NOTES_BYTES - length, length ? ", " : "", &row->icmp);
    return text;
}

const struct rows_path *rows_path(const struct rows_options *options, const struct ledger_row *row, int *ret_client)
{
    if (!row->number || row->number > options->path_count) return NULL;
    const struct rows_path *path = &options->paths[row->number - 1];
    *ret_client = !address_equal(&path->first, &row->end[LEDGER_CLIENT].address);
    return path;
}

const struct rows_found *rows_found(const struct rows_options *options, uint32_t number, bool udp)
{
    const struct rows_findings *findings = options->findings;
    if (!findings || !number || number > findings->count[udp]) return NULL;
    const struct rows_found *found = &findings->found[udp][number - 1];
    return found->worst == ROWS_NOTHING ? NULL : found;
}

/* The worst first; of more than fit, how many. */
static size_t put_ids(const struct rows_options *options, const struct rows_found *found, char text[ROWS_MARKS_BYTES])
{
    size_t count = 0, length = 0, left = 0;
    const char *const *ids = story_finding_ids(&count);
    text[0] = '\0';
    for (int severity = ROWS_ERROR; severity > ROWS_NOTHING; severity--)
        for (size_t i = 0; i < count && i < ROWS_FINDINGS_MAX; i++) {
            if (!(found->ids[i / 64] >> i % 64 & 1) || options->findings->of[i].worst != (enum rows_severity)severity) continue;
            if (length > ROWS_NOTES_BYTES - 48) {
                left++;
                continue;
            }
            length += (size_t)snprintf(text + length, ROWS_NOTES_BYTES - length, "%s%s", length ? ", " : "", ids[i]);
        }
    if (left) length += (size_t)snprintf(text + length, ROWS_MARKS_BYTES - length, tr(", %zu more"), left);
    return length;
}

static const char *put_marks(const struct rows_options *options, uint32_t number, bool udp, const char *notes,
                             char text[ROWS_MARKS_BYTES])
{
    const struct rows_found *found = rows_found(options, number, udp);
    size_t length = found ? put_ids(options, found, text) : 0;
    /* What a finding says better. */
    static const char *const covered[] = {"refused", TR("no answer")};
    for (size_t i = 0; found && i < sizeof(covered) / sizeof(covered[0]); i++) {
        size_t word = strlen(covered[i]);
        if (strcspn(notes, ",") != word || strncmp(notes, covered[i], word) != 0) continue;
        notes += word + strspn(notes + word, ", ");
    }
    const char *extra = options->extra ? options->extra : "";
    if (!length && !extra[0]) return strcpy(text, notes); /* the rule; printf takes its time */
    snprintf(text + length, ROWS_MARKS_BYTES - length, "%s%s%s%s", length && notes[0] ? ", " : "", notes,
             extra[0] && (length || notes[0]) ? "; " : "", extra);
    return text;
}

const char *rows_marks(const struct rows_options *options, const struct ledger_row *row, char text[ROWS_MARKS_BYTES])
{
    char notes[ROWS_NOTES_BYTES];
    return put_marks(options, row->number, false, rows_notes(row, notes), text);
}

const char *rows_udp_marks(const struct rows_options *options, const struct datagrams_row *row, char text[ROWS_MARKS_BYTES])
{
    char notes[ROWS_NOTES_BYTES];
    return put_marks(options, row->number, true, rows_udp_notes(row, notes), text);
}
