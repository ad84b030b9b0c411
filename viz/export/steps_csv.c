/* The csv view: a row a step, for spreadsheets (RFC 4180, with a heading line). A call is one row, where it began.
 *
 * A cell that is not known is empty. Texts from outside are escaped (viz/pen/escape.h), so that no cell holds a line break, and one
 * that a spreadsheet would take for a formula gets an apostrophe before it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "viz/pen/escape.h"
#include "viz/plan/words.h"
#include "viz/view.h"

#define STORY_BYTES_MAX ((size_t)1 << 30)
enum { CELL_BYTES_MAX = 1 << 16 };

static const char heading[] =
    "connection,protocol,client,server,step,time,ms,end,kind,number,name,process,pid,tid,arguments,result,errno,duration_ns,slept_"
    "ns,"
    "waited_for,waited_evidence,flags,seq,ack,length,window_bytes,arrived,lost,dropped,class,retransmission,from_state,to_state,"
    "cause,cause_name,cause_of,evidence,why,stands_for\r\n";

struct csv {
    struct buf out;
};

/* The row in the making. Cells are appended in the order of the heading. */
struct row {
    struct buf *out;
    bool ascii, begun;
};

static void next_cell(struct row *row)
{
    if (row->begun) buf_char(row->out, ',');
    row->begun = true;
}

static void put_nothing(struct row *row, int cells)
{
    while (cells-- > 0) next_cell(row);
}

/* Our own plain words: no comma, quote or line break in them. NULL: nothing. */
static void put_word(struct row *row, const char *word)
{
    next_cell(row);
    if (word) buf_text(row->out, word);
}

static void put_int(struct row *row, bool known, int64_t value)
{
    next_cell(row);
    if (known) buf_printf(row->out, "%" PRId64, value);
}

/* `stands_for`: how many segments this one does, of a long connection's folded middle; 0: it is one. */
static void end_row(struct row *row, uint32_t stands_for)
{
    put_int(row, stands_for != 0, stands_for);
    buf_text(row->out, "\r\n");
    row->begun = false;
}

/* Seconds since 1970, or nothing for 0. */
static void put_time(struct row *row, int64_t t_ns)
{
    next_cell(row);
    uint64_t size = t_ns < 0 ? 0 - (uint64_t)t_ns : (uint64_t)t_ns;
    if (t_ns) buf_printf(row->out, "%s%" PRIu64 ".%09" PRIu64, t_ns < 0 ? "-" : "", size / 1000000000, size % 1000000000);
}

static void put_ms(struct row *row, int64_t ns)
{
    next_cell(row);
    uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    buf_printf(row->out, "%s%" PRIu64 ".%06" PRIu64, ns < 0 ? "-" : "", size / 1000000, size % 1000000);
}

/* Text from anywhere. Spreadsheets run a cell that begins with one of these; a leading apostrophe makes it text (OWASP, "CSV
 * Injection"). NULL: nothing. */
static void put_text(struct row *row, const char *raw)
{
    next_cell(row);
    if (!raw || !*raw) return;
    struct buf text = buf_new(CELL_BYTES_MAX);
    if (strchr("=+-@", *raw)) buf_char(&text, '\'');
    if (escape_text(&text, raw, row->ascii)) buf_text(&text, "…"); /* too long: what fits */
    buf_char(row->out, '"');
    for (const char *c = buf_string(&text); *c; c++) {
        if (*c == '"') buf_char(row->out, '"');
        buf_char(row->out, *c);
    }
    buf_char(row->out, '"');
    buf_free(&text);
}

static void put_step_name(struct row *row, const struct story *story, uint32_t step)
{
    struct arena arena = arena_new();
    struct phrase words = phrase_new(&arena);
    struct buf text = buf_new(CELL_BYTES_MAX);
    if (step < story->step_count) words_step(&words, STYLE_PLAIN, story, step);
    for (size_t i = 0; i < words.count; i++) buf_text(&text, words.runs[i].text);
    put_text(row, buf_string(&text));
    buf_free(&text);
    arena_free(&arena);
}

/* The columns from "cause" on. NULL: it has none. */
static void put_cause(struct row *row, const struct story *story, const struct story_cause *cause)
{
    if (!cause) {
        put_nothing(row, 5);
        return;
    }
    put_word(row, story_cause_name(cause->kind));
    put_text(row, cause->name);
    put_step_name(row, story, cause->step);
    put_word(row, cause->kind == CAUSE_UNKNOWN ? NULL : story_evidence_name(cause->evidence));
    put_text(row, cause->why);
}

/* The columns up to "name". */
static void begin_row(struct row *row, const struct story *story, size_t step, int64_t t_ns, enum story_side side, const char *kind,
                      uint32_t number)
{
    char address[ADDRESS_TEXT_BYTES];
    next_cell(row);
    buf_printf(row->out, "%s%" PRIu32, story->numbered_apart ? "u" : "", story->number);
    put_word(row, story->udp ? "udp" : "tcp");
    for (int i = 0; i < STORY_SIDES; i++)
        put_word(row, story->end[i].address.version ? address_format(&story->end[i].address, address) : NULL);
    put_int(row, true, (int64_t)step + 1);
    put_time(row, t_ns);
    put_ms(row, t_ns - story->start_ns);
    put_word(row, story_side_name(side));
    put_word(row, kind);
    put_int(row, number != 0, number);
}

static void put_process(struct row *row, const struct story_process *process, int32_t tid)
{
    put_text(row, process->comm);
    put_int(row, process->pid != 0, process->pid);
    put_int(row, tid != 0, tid);
}

static void call_row(struct row *row, const struct story *story, size_t i, const struct story_call *call)
{
    bool returned = call->exit_ns != 0, begun = call->enter_ns != 0;
    begin_row(row, story, i, begun ? call->enter_ns : call->exit_ns, call->side, "call", call->number);
    put_text(row, call->name);
    put_process(row, &(struct story_process){call->pid, call->comm}, call->tid);
    put_text(row, call->args);
    put_int(row, returned && !call->interrupted, call->ret);
    put_text(row, returned ? call->errno_name : NULL);
    put_int(row, returned && begun, call->exit_ns - call->enter_ns);
    put_int(row, call->slept_ns >= 0, call->slept_ns);
    put_text(row, call->waits ? call->wake.why : NULL);
    put_word(row, call->waits && call->wake.evidence != EVIDENCE_NONE ? story_evidence_name(call->wake.evidence) : NULL);
    put_nothing(row, 12);
    put_cause(row, story, NULL);
    end_row(row, 0);
}

/* It is known to be lost, known to have arrived, or neither. */
static const char *lost_word(bool lost, int64_t received_ns)
{
    return lost ? "yes" : received_ns ? "no" : NULL;
}

static const char *drop_word(const struct story_drop *drop)
{
    return !drop ? NULL : drop->reason[0] ? drop->reason : "the kernel gives no reason";
}

static void segment_row(struct row *row, const struct story *story, size_t i, const struct story_segment *segment)
{
    bool of_network = segment->copy || segment->unsent;
    begin_row(row, story, i, segment->sent_ns, segment->side, segment->copy ? "copy" : "segment", segment->number);
    put_text(row, segment->label);
    put_nothing(row, 10);
    put_word(row, segment->flags_text);
    put_int(row, true, segment->seq);
    put_int(row, segment->flags & TCP_ACK, segment->ack);
    put_int(row, true, segment->length_bytes);
    put_int(row, segment->window_kind == WINDOW_BYTES, segment->window_bytes);
    put_time(row, segment->received_ns);
    put_word(row, lost_word(segment->lost, segment->received_ns));
    put_text(row, drop_word(segment->dropped));
    put_word(row, of_network ? NULL : conn_class_name(segment->class));
    put_word(row, story_repeat_name(segment->repeat));
    put_nothing(row, 2);
    put_cause(row, story, &segment->cause);
    end_row(row, segment->folded);
}

static void datagram_row(struct row *row, const struct story *story, size_t i, const struct story_datagram *datagram)
{
    begin_row(row, story, i, datagram->sent_ns, datagram->side, datagram->icmp ? "icmp" : "datagram", datagram->number);
    put_text(row, datagram->icmp ? datagram->icmp : "datagram");
    put_nothing(row, 13);
    put_int(row, true, datagram->length_bytes);
    put_nothing(row, 1);
    put_time(row, datagram->received_ns);
    put_word(row, lost_word(datagram->lost, datagram->received_ns));
    put_text(row, drop_word(datagram->dropped));
    put_nothing(row, 4);
    put_cause(row, story, &datagram->cause);
    end_row(row, 0);
}

static void state_row(struct row *row, const struct story *story, size_t i, const struct story_step *step)
{
    begin_row(row, story, i, step->t_ns, step->side, step->state->kernel ? "kernel state" : "state", 0);
    put_word(row, step->state->to);
    put_nothing(row, 20);
    put_word(row, step->state->from);
    put_word(row, step->state->to);
    put_cause(row, story, &step->state->cause);
    end_row(row, 0);
}

static void exit_row(struct row *row, const struct story *story, size_t i, const struct story_step *step)
{
    begin_row(row, story, i, step->t_ns, step->side, "exit", 0);
    put_text(row, step->exit->name);
    put_process(row, &step->exit->process, 0);
    put_nothing(row, 19);
    put_cause(row, story, NULL);
    end_row(row, 0);
}

static void put_row(struct row *row, const struct story *story, size_t i)
{
    const struct story_step *step = &story->steps[i];
    switch (step->kind) {
    case STEP_ENTER:
        call_row(row, story, i, step->call);
        break;
    case STEP_EXIT:
        if (step->call->enter_step == STORY_NO_STEP) call_row(row, story, i, step->call);
        break;
    case STEP_SEGMENT:
        segment_row(row, story, i, step->segment);
        break;
    case STEP_DATAGRAM:
        datagram_row(row, story, i, step->datagram);
        break;
    case STEP_STATE:
        state_row(row, story, i, step);
        break;
    case STEP_PROCESS_EXIT:
        exit_row(row, story, i, step);
        break;
    }
}

static int flush(struct csv *csv, const struct sink *sink, struct err *err)
{
    if (csv->out.failed) return err_set(err, -ENOMEM, "out of memory for the rows of steps");
    int code = view_write(sink, csv->out.data, csv->out.length, err);
    buf_clear(&csv->out);
    return code;
}

static int csv_begin(void **state, const struct sink *sink, const struct view_options *options, struct err *err)
{
    (void)options;
    struct csv *csv = calloc(1, sizeof(*csv));
    *state = csv;
    if (!csv) return err_set(err, -ENOMEM, "out of memory for the rows of steps");
    csv->out = buf_new(STORY_BYTES_MAX);
    buf_text(&csv->out, heading);
    return flush(csv, sink, err);
}

static int csv_story(void *state, const struct sink *sink, const struct view_options *options, const struct story *story,
                     struct err *err)
{
    struct csv *csv = state;
    struct row row = {.out = &csv->out, .ascii = options->ascii};
    for (size_t i = 0; i < story->step_count; i++) put_row(&row, story, i);
    return flush(csv, sink, err);
}

/* What was lost is a row of its own kind: whoever counts rows must see it. */
static void loss_row(struct row *row, const struct story_trace *trace, const struct story_loss *loss)
{
    put_nothing(row, 5);
    put_time(row, trace->started_ns);
    put_nothing(row, 2);
    put_word(row, "lost");
    put_nothing(row, 1);
    put_text(row, loss->source);
    put_nothing(row, 4);
    put_int(row, true, (int64_t)loss->count);
    put_nothing(row, 21);
    put_text(row, loss->what);
    end_row(row, 0);
}

static void apart_row(struct row *row, const struct story_apart_call *apart)
{
    const struct story_call *call = &apart->call;
    bool returned = call->exit_ns != 0, begun = call->enter_ns != 0;
    put_nothing(row, 5);
    put_time(row, begun ? call->enter_ns : call->exit_ns);
    put_nothing(row, 2);
    put_word(row, "call");
    put_int(row, true, call->number);
    put_text(row, call->name);
    put_process(row, &(struct story_process){call->pid, call->comm}, call->tid);
    put_text(row, call->args);
    put_int(row, returned && !call->interrupted, call->ret);
    put_text(row, returned ? call->errno_name : NULL);
    put_int(row, returned && begun, call->exit_ns - call->enter_ns);
    put_int(row, call->slept_ns >= 0, call->slept_ns);
    put_text(row, call->waits ? call->wake.why : NULL);
    put_nothing(row, 17);
    put_text(row, apart->why);
    end_row(row, 0);
}

static int csv_end(void *state, const struct sink *sink, const struct view_options *options, const struct story_trace *trace,
                   struct err *err)
{
    struct csv *csv = state;
    if (!csv) return 0;
    int code = 0;
    if (trace) {
        struct row row = {.out = &csv->out, .ascii = options->ascii};
        for (size_t i = 0; i < trace->apart_count; i++)
            for (size_t k = 0; k < trace->apart[i].count; k++) apart_row(&row, &trace->apart[i].calls[k]);
        for (size_t i = 0; i < trace->loss_count; i++) loss_row(&row, trace, &trace->losses[i]);
        code = flush(csv, sink, err);
    }
    buf_free(&csv->out);
    free(csv);
    return code;
}

const struct view view_csv = {.name = "csv",
                              .suffix = ".csv",
                              .summary = TR("a row a step, with its cause, for spreadsheets"),
                              .machine = true,
                              .begin = csv_begin,
                              .story = csv_story,
                              .end = csv_end};
