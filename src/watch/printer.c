#include "watch/printer.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "out/note.h"
#include "out/order.h"

/* A step of a connection that ended right behind a look at what is open is known when that connection is told: after the quiet time
 * of a watch's teller and the time for which its stream waits for what is late, both counted from its end, and until the next look.
 */
static const int64_t HELD_NS = 600000000, EVERY_NS = 100000000;
static const size_t waiting_limit = (size_t)16 << 20, line_limit = (size_t)1 << 20;

static void put(void *data, const char *line, size_t length)
{
    outlet_line(&((struct printer *)data)->outlet, line, length);
}

int printer_init(struct printer *printer, const struct lines_options *lines, bool in_order)
{
    *printer = (struct printer){.lines = *lines, .outlet = outlet_new(STDOUT_FILENO, waiting_limit), .line = buf_new(line_limit)};
    if (in_order) printer->order = order_new(waiting_limit, put, printer);
    return in_order && !printer->order ? -ENOMEM : 0;
}

void printer_free(struct printer *printer)
{
    order_free(printer->order);
    outlet_free(&printer->outlet);
    buf_free(&printer->line);
}

static void put_at(void *data, int64_t t_ns, const char *line, size_t length)
{
    struct printer *printer = data;
    if (printer->order)
        order_put(printer->order, t_ns, line, length);
    else
        put(printer, line, length);
}

static void put_line(struct printer *printer, int64_t t_ns)
{
    if (printer->line.length) put_at(printer, t_ns, printer->line.data, printer->line.length);
    buf_clear(&printer->line);
}

void printer_head(struct printer *printer)
{
    lines_head(&printer->lines, &printer->line);
    put_line(printer, INT64_MIN);
}

int64_t printer_course(struct printer *printer, const struct story *story, int64_t told_ns)
{
    return lines_course(&printer->lines, story, told_ns, put_at, printer);
}

void printer_ended(struct printer *printer, const struct watch_facts *facts)
{
    if (printer->lines.course) printer_course(printer, facts->story, facts->told_ns);
    lines_ended(&printer->lines, facts, &printer->line);
    put_line(printer, facts->end_ns);
}

void printer_trouble(struct printer *printer, const struct lines_trouble *what)
{
    lines_trouble(&printer->lines, what, &printer->line);
    put_line(printer, what->now_ns);
}

void printer_flush(struct printer *printer, int64_t now_ns)
{
    if (printer->order && now_ns - printer->released_ns >= EVERY_NS) { /* each time all that wait are put in order */
        order_release(printer->order, now_ns - HELD_NS);
        printer->released_ns = now_ns;
    }
    outlet_flush(&printer->outlet);
}

void printer_finish(struct printer *printer, const struct buf *totals, int patience_ms)
{
    if (printer->order) order_release(printer->order, INT64_MAX);
    outlet_line(&printer->outlet, totals->data, totals->length);
    outlet_finish(&printer->outlet, patience_ms);
}

void printer_say_if_full(struct printer *printer, bool quiet)
{
    if (!printer->outlet.full || printer->full_said) return;
    printer->full_said = true;
    note_say(quiet, "standard output: %s; what is told waits in memory until there is room, and what finds none there is lost",
             err_errno_text(ENOSPC));
}

int printer_end(const struct printer *printer, bool quiet, uint64_t lost, struct err *err)
{
    const struct outlet *outlet = &printer->outlet;
    if (outlet->gone) return -EPIPE;
    if (outlet->code)
        return err_set(err, outlet->code, "standard output: %s; lines that could not be written: %" PRIu64,
                       err_errno_text(-outlet->code), outlet->lost);
    if (outlet->lost > lost) note_say(quiet, "lines that nobody read in time: %" PRIu64, outlet->lost - lost);
    return 0;
}
