/* Figure 5 of RFC 9293 as numbered arrows: the twenty that it draws, and behind them those of its notes and of the text of section
 * 3.10. Each with the Linux kernel's function that takes it, or the reason why Linux never does. Pure. */
#ifndef TCPWHY_TCP_FIGURE_H
#define TCPWHY_TCP_FIGURE_H

#include <stdbool.h>
#include <stddef.h>

#include "tcp/state.h"

enum { FIGURE_DRAWN = 20, FIGURE_MAX = 64 };

struct figure_arrow {
    enum tcp_state from;  /* STATE_UNKNOWN: any */
    enum tcp_input input; /* what takes it in tcp/state.h's table; INPUT_COUNT: no single input does */
    enum tcp_state to;
    const char *event;    /* "rcv SYN" */
    const char *action;   /* "snd SYN,ACK"; "" none */
    const char *never;    /* why Linux can't take it, a sentence without full stop; NULL: it can */
    const char *function; /* of the kernel: takes it, or rules it out */
    const char *note;     /* what must be known to see it; NULL: nothing */
};

/* The arrows in the order of their numbers: arrow i has number i + 1; the first FIGURE_DRAWN are drawn. At most FIGURE_MAX. */
const struct figure_arrow *figure_arrows(size_t *ret_count);
/* The number of the arrow that this transition is (`why` is its sentence in tcp/state.h's table); 0: none. */
unsigned figure_number(enum tcp_state from, enum tcp_state to, const char *why);
/* The arrow of note 2: out of FIN_WAIT_1 straight to TIME_WAIT, which tcp/state.h takes in two. */
unsigned figure_number_of_note_2(void);
unsigned figure_number_of(enum tcp_state from, enum tcp_input input);

#endif
