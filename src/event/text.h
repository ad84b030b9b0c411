/* Events as lines of text, to store a run and play it again: one event a line, first its kind, then key=value fields.
 *
 *     packet t=1700000000000000123 vantage=1 src=127.0.0.1:40112 dst=127.0.0.1:3333 proto=tcp flags=S seq=7 …
 *     enter t=… pid=812 tid=812 comm=echo-client name=connect fd=3 args="3, 127.0.0.1:3333" sock.cookie=17 …
 *     mark t=… src=… dst=… proto=tcp flags=S. seq=9 ack=8 cur.pid=812 cur.comm=echo-client softirq=1 receiving=1 rx.src=…
 *         chain=tcp_v4_send_synack;tcp_conn_request;…                                        (on the same line)
 *
 * The keys of each kind, with their types, are the table in src/event/fields.c. Fields at their zero value are left out; an order
 * is given by the log again. A value with a space, a quote, a backslash, a control character, '#', '=' or a byte above 0x7e stands
 * in double quotes, with \\ \" and \xNN for what a terminal must not see (a ';' inside a function's name too). Empty lines and
 * lines that begin with '#' are skipped; the first line is "# tcpwhy events 1": the number changes where a stored line would be
 * read otherwise than it was written, not where a kind or a key comes to those that there are. Reading is strict: an unknown kind,
 * an unknown key, a value that does not fit is an error with line and column (in bytes, from 1). */
#ifndef TCPWHY_EVENT_TEXT_H
#define TCPWHY_EVENT_TEXT_H

#include "base/buf.h"
#include "base/err.h"
#include "event/log.h"

#define EVENT_TEXT_FIRST_LINE "# tcpwhy events 1"

/* Appends one line with its newline. 0, the buffer's error, or -EINVAL for a kind outside the enum. */
int event_text_write(struct buf *out, const struct event *event);
/* Appends the first line and every event of the log in its order. */
int event_text_write_log(struct buf *out, const struct event_log *log);
/* Reads `length` bytes of text into `log`. 0, -ENOMEM, or -EINVAL with "name:line:column: what was expected"; what stood before the
 * mistake stays in the log. `name` is what the sentence calls the file. */
int event_text_read(const char *name, const char *text, size_t length, struct event_log *log, struct err *err);
/* Reads one line (without its newline) and appends nothing: chains and bytes that it points to are the log's. Codes as
 * event_text_read; a mistake is "name: column: what was expected". */
int event_text_read_event(const char *name, const char *line, size_t length, struct event_log *log, struct event *ret_event,
                          struct err *err);

#endif
