/* SIGINT and SIGTERM: as a wish to end what is being read and to tell what there is, where the second one ends the program at once;
 * or as the end itself, with a word. */
#ifndef TCPWHY_OUT_INTERRUPT_H
#define TCPWHY_OUT_INTERRUPT_H

#include <signal.h>

/* The signal that asked for the end; 0: none yet. For capture's `stop`. */
extern const volatile sig_atomic_t *const interrupt_asked;

/* Installs the handlers, without SA_RESTART: the read that is waiting returns EINTR. Once asked, SIGALRM repeats the knock every
 * second, for the read that had not quite begun to wait. A signal that was ignored before stays ignored (nohup, a shell's
 * background job). */
void interrupt_begin(void);
/* From here on a signal that nobody takes (a session does, while it records) ends the program by itself, after the word
 * "interrupted" on standard error. A signal that was ignored before stays ignored. */
void interrupt_say(void);
/* From here on a signal ends the program (with the word, if interrupt_say was called). What was asked stays known. */
void interrupt_end(void);

#endif
