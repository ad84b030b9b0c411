#include "read/read_unread.h"
#include "base/lang.h"

#include <stdlib.h>

#include "base/buf.h"
#include "out/note.h"

enum { SHOWN = 6, LINE_BYTES = 1024 };

void read_unread_count(struct rows_source *seen, uint32_t content)
{
    size_t i = 0;
    while (i < seen->unread_count && seen->unread[i].content != content) i++;
    if (i == seen->unread_count && i < ROWS_UNREAD - 1) seen->unread[seen->unread_count++].content = content;
    if (i == ROWS_UNREAD - 1) { /* more kinds than anybody reads: the last are all others */
        seen->unread_count = ROWS_UNREAD;
        seen->unread[i].content = 0;
    }
    seen->unread[i].count++;
}

static int by_count(const void *a, const void *b)
{
    const struct rows_unread *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return (x->content > y->content) - (x->content < y->content);
}

void read_unread_sort(struct rows_source *seen)
{
    qsort(seen->unread, seen->unread_count, sizeof(seen->unread[0]), by_count);
}

/* "12 ARP, 3 GTP-U": of more kinds than SHOWN the rest as one. With `hiding` only what may hide TCP. */
static size_t list(struct buf *line, const struct rows_source *seen, bool hiding, size_t listed)
{
    uint64_t rest = 0;
    for (size_t i = 0; i < seen->unread_count; i++) {
        const struct rows_unread *unread = &seen->unread[i];
        char name[SEGMENT_CONTENT_BYTES];
        if (hiding && !segment_content_may_hide(unread->content)) continue;
        if (listed >= SHOWN) {
            rest += unread->count;
            continue;
        }
        buf_printf(line, "%s%llu %s", listed ? ", " : "", (unsigned long long)unread->count,
                   tr(segment_content_name(unread->content, name)));
        listed++;
    }
    if (rest) buf_printf(line, tr(", %llu of other kinds"), (unsigned long long)rest);
    return listed;
}

static void say_no_tcp(const struct rows_source *seen, bool quiet, bool stories, bool filtered)
{
    struct buf line = buf_new(LINE_BYTES);
    size_t listed = 0;
    if (seen->udp_datagrams) {
        buf_printf(&line, tr("%llu UDP datagram%s in %llu flow%s%s"), (unsigned long long)seen->udp_datagrams,
                   seen->udp_datagrams == 1 ? "" : "s", (unsigned long long)seen->udp_flows, seen->udp_flows == 1 ? "" : "s",
                   stories ? "" : tr(" (--conn u1 tells the story of the first)"));
        listed = 1;
    }
    if (seen->icmp_errors)
        buf_printf(&line, ntr("%s%llu ICMP error", "%s%llu ICMP errors", seen->icmp_errors), listed++ ? ", " : "",
                   (unsigned long long)seen->icmp_errors);
    list(&line, seen, false, listed);
    note_say(quiet, "there is no TCP segment among the %llu packets%s%s%s", (unsigned long long)seen->packets,
             filtered ? tr(" that pass the filter") : "", line.length ? ": " : "", line.failed ? "" : buf_string(&line));
    buf_free(&line);
}

void read_unread_say(const struct rows_source *seen, const struct output_options *output, bool stories, bool filtered)
{
    if (stories && seen->udp_datagrams) return; /* they are told */
    if (!seen->results[SEGMENT_OK]) {
        say_no_tcp(seen, output->quiet, stories, filtered);
    } else {
        struct buf line = buf_new(LINE_BYTES);
        if (list(&line, seen, !output->verbose, 0))
            note_say(output->quiet, "not looked into: %s", line.failed ? "?" : buf_string(&line));
        buf_free(&line);
    }
    if (seen->results[SEGMENT_FRAGMENT] && (seen->given_up || output->verbose))
        note_say(output->quiet, "%llu IP fragments: %llu datagrams put together, %llu not, as pieces are missing or overlap",
                 (unsigned long long)seen->results[SEGMENT_FRAGMENT], (unsigned long long)seen->put_together,
                 (unsigned long long)seen->given_up);
}
