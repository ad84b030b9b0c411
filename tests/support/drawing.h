/* Views run into memory, for tests. */
#ifndef TCPWHY_TESTS_DRAWING_H
#define TCPWHY_TESTS_DRAWING_H

#include "base/buf.h"
#include "support/stories.h"
#include "viz/view.h"

/* What `view` makes of these stories, from begin to end; release with buf_free. With a `trace` of NULL one is made up: bpf on lo,
 * nothing lost. Fails the test when the view fails. */
struct buf drawing_of(const struct view *view, const struct view_options *options, const struct story_fixture *fixtures,
                      size_t count, const struct story_trace *trace);

/* What a view returns in each phase when the sink fails from its `after`-th byte on with -EPIPE: the first error. */
int drawing_into_broken_sink(const struct view *view, const struct view_options *options, size_t after);

#endif
