/* Internal to endless.c and endless_bounds.c. */
#ifndef TCPWHY_ENDLESS_OWN_H
#define TCPWHY_ENDLESS_OWN_H

#include "event/text.h"
#include "story/tell/teller.h"
#include "support/lines.h"
#include "support/tell.h"

#define S_FIN_US "flags=F. seq=501 ack=102"
#define CLOSED HANDSHAKE PACKET(2000, C, C_FIN) PACKET(2010, S, S_FIN_US) PACKET(2020, C, "flags=. seq=102 ack=502")
#define LATER(t) "lost t=" #t US " source=capture what=nothing\n"
/* The server accepts, the client closes, the server says nothing. */
#define LEAK                                                                                                                       \
    CALL(900, 910, S_THREAD, "listen", "sock.cookie=6 sock.proto=tcp sock.local=127.0.0.1:3333 sock.state=LISTEN")                 \
    HANDSHAKE ENTER(1030, S_THREAD, "accept", "sock.cookie=6 sock.proto=tcp sock.local=127.0.0.1:3333 sock.state=LISTEN",          \
                    "") "exit t=1031000 " S_THREAD "name=accept fd=3 ret=4 how=-1 level=-1 slept=-1 sock.cookie=6 sock.proto=tcp " \
                        "sock.local=127.0.0.1:3333 sock.state=LISTEN other.cookie=8 other.proto=tcp other.local=127.0.0.1:3333 "   \
                        "other.remote=127.0.0.1:40000\n" PACKET(2000, C, C_FIN) PACKET(2010, S, "flags=. seq=501 ack=102")
#define KILLED                                                                                                                     \
    "process t=3002010000 " S_THREAD "change=exit status=-1 signal=9\n" PACKET(3002020, S, S_FIN_US)                               \
        PACKET(3002030, C, "flags=. seq=102 ack=502")

struct run {
    struct event_log *log;
    struct teller *teller;
    size_t fed;
    struct story *stories[8];
    size_t count;
};

struct run run_of(const char *text, const struct teller_bounds *bounds);
/* All that happened up to that moment. */
void feed(struct run *run, int64_t until_us);
void finish(struct run *run);
void run_free(struct run *run);
void of_too_many_open_connections_the_most_silent_is_told_and_counted(void **state);
void what_is_silent_for_long_is_told_as_it_is(void **state);
void an_attempt_that_its_kernel_gave_up_is_told_without_another_segment(void **state);
void what_a_drop_will_bring_again_is_waited_for(void **state);
void whoever_waits_does_not_hold_up_those_behind(void **state);
void of_too_many_that_wait_one_is_told(void **state);
void what_children_do_to_a_listener_that_they_inherit_is_no_loss(void **state);
void a_long_connection_keeps_what_its_story_needs(void **state);
/* Which segment woke a read() is counted in bytes: those that were read by calls that are told no more count too. */
void calls_of_a_long_connection_are_folded_and_the_last_is_told_right(void **state);
/* Nothing but repetitions: there is nothing to fold, and memory has an end. */
void a_connection_of_trouble_alone_is_told_and_goes_on_as_its_sequel(void **state);
void a_connection_that_is_not_longer_is_not_folded(void **state);

#endif
