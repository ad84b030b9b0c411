/* An ordered stream over an event log: sources append to the log, taps take from the stream.
 *
 * Sources are never in order among themselves: a capture hands over packets a moment after a recorder its calls. So events go on in
 * order of time (as event_log_sort has it) only up to a *watermark*, a time before which nothing more is expected. What comes
 * later than that all the same is handed on next, and counted. A tap may stay behind the watermark, as one does that keeps the last
 * seconds for when they are asked for; a tap that takes on arrival waits for nothing. A stream that forgets takes out of the log
 * what all its taps have been given (nothing, while there is none in order of time); one that keeps leaves the log whole, in the
 * order in which it was given.
 *
 * While a stream is on a log, nobody else sorts the log or forgets what is in it. Single-threaded. */
#ifndef TCPWHY_EVENT_STREAM_H
#define TCPWHY_EVENT_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "event/log.h"

struct stream;

/* Borrows the event during the call; its chains live as long as the log. 0, or -errno: this tap wants no more. */
typedef int stream_taker(void *data, const struct event *event);

/* Borrows the log, which may hold events already. NULL when out of memory. */
struct stream *stream_new(struct event_log *log, bool forgets);
/* NULL is fine. The log stays. */
void stream_free(struct stream *stream);
struct event_log *stream_log(const struct stream *stream);

/* Adds a tap that takes in order of time, `behind_ns` (0: not at all) behind the watermark. It is given everything that is still in
 * the log. 0 or -ENOMEM. */
int stream_tap(struct stream *stream, int64_t behind_ns, stream_taker *take, void *data);
/* The tap with that `data` is told by stream_pass how late it is, at `until_ns` (as events' t_ns). It returns as a taker does. */
typedef int stream_time_taker(void *data, int64_t until_ns);
void stream_tell_time(struct stream *stream, void *data, stream_time_taker *passed);
/* Adds a tap that takes on arrival, in the order of appending, from now on. 0 or -ENOMEM. */
int stream_tap_arrivals(struct stream *stream, stream_taker *take, void *data);

/* From now on a flow hands on no more than `most` events to each tap in order of time, so that whoever has more to do comes back to
 * it; 0, as it begins: all. Taps of arrivals and stream_finish know no bound. */
void stream_bound(struct stream *stream, size_t most);
/* Whether the last flow ended at that bound: what is left goes with the next. */
bool stream_has_more(const struct stream *stream);
/* Hands on to the taps of arrivals alone, and orders nothing: what many steps a second can afford. As stream_flow. */
int stream_arrive(struct stream *stream);
/* Hands on what was appended before this time (nanoseconds as events' t_ns). A watermark that goes back changes nothing. 0, or the
 * first failure of a tap: it is given no more, the others are. */
int stream_flow(struct stream *stream, int64_t watermark_ns);
/* As stream_flow, where nothing is on its way either: what happened before the watermark has been appended. Taps in order of time
 * that asked for it (stream_tell_time) are told how late it is: time goes on where nothing happens. */
int stream_pass(struct stream *stream, int64_t watermark_ns);
/* Hands on all there is, to taps that stay behind, too. As stream_flow. */
int stream_finish(struct stream *stream);
/* Events that came too late for their place in the order, so far. */
uint64_t stream_late(const struct stream *stream);

#endif
