/* The terminal interface of a watch: connections live, the ladder of one while it grows, what was found; all by keys.
 *
 * It looks at the teller and changes nothing. It owns the terminal from open to close; a process that does nothing else puts the
 * terminal back should this one be killed. */
#ifndef TCPWHY_WATCH_TUI_TUI_H
#define TCPWHY_WATCH_TUI_TUI_H

#include "watch/watch.h"

struct tui;

struct tui_options {
    const char *folder; /* where `s` saves to */
    bool ascii, color;
};

/* What a watch shows its connections with. `data` of its functions is what tui_new gave. */
extern const struct watch_screen tui_screen;

/* NULL: out of memory. Release with tui_free. */
struct tui *tui_new(const struct tui_options *options);
void tui_free(struct tui *tui);
/* Whether there is a terminal that can be drawn on; else a sentence. 0 or -ENOTTY. */
int tui_check(struct err *err);

#endif
