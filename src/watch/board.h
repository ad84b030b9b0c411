/* The board of open connections: which of them are in trouble, each said once for each trouble. */
#ifndef TCPWHY_WATCH_BOARD_H
#define TCPWHY_WATCH_BOARD_H

#include <stdint.h>

#include "story/tell/teller.h"
#include "watch/choose.h"
#include "watch/lines.h"

struct board;

/* What is taken for trouble, in ns. */
struct board_limits {
    int64_t close_wait_ns, syn_ns, fin_ns, window_ns;
};
extern const struct board_limits board_usual;

/* Called with each new trouble. */
typedef void board_listener(void *data, const struct teller_glance *glance, enum watch_trouble trouble, enum story_side side,
                            int64_t since_ns);

/* Of the connections that `chooser` (borrowed) wants. NULL: out of memory. Release with board_free. */
struct board *board_new(const struct board_limits *limits, struct chooser *chooser, board_listener *listener, void *data);
void board_free(struct board *board);
/* Looks at all that is open and chosen. */
void board_look(struct board *board, const struct teller *teller, int64_t now_ns);
/* How many were open at the last look, and how many of them in trouble. */
uint64_t board_open(const struct board *board);
uint64_t board_troubled(const struct board *board);

#endif
