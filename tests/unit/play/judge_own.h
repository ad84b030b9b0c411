/* Internal to judge.c and judge_weak.c. */
#ifndef TCPWHY_JUDGE_OWN_H
#define TCPWHY_JUDGE_OWN_H

#include "play/judge/judge.h"
#include "support/lines.h"
#include "support/tell.h"

/* Lines 1 to 8; the expectation is line 9. */
#define STEPS                                                                                                                      \
    "title t\nserver listen 3333\nserver accept &\nclient connect server:3333\nclient send \"hello\"\nserver recv\nserver recv "   \
    "&\n"                                                                                                                          \
    "client close\n"
enum { LISTEN_STEP, ACCEPT_STEP, CONNECT_STEP, SEND_STEP, RECV_STEP, RECV_AGAIN_STEP, CLOSE_STEP, STEP_COUNT };

struct play {
    const char *recorder;
    struct play_step steps[STEP_COUNT];
};

/* The handshake is connect()'s, five bytes are send()'s, SIGKILL ends the client, and the server's read waits for more. */
#define STORY                                                                                                                      \
    TRACE ENTER(990, C_THREAD, "connect", C_SOCK, "") HANDSHAKE EXIT(1030, C_THREAD, "connect", C_SOCK, "")                        \
        ENTER(1900, S_THREAD, "recvfrom", S_SOCK, "") ENTER(1990, C_THREAD, "sendto", C_SOCK, "")                                  \
            PACKET(2000, C, C_DATA) "exit t=2005" US " " C_THREAD "name=sendto fd=3 how=-1 level=-1 slept=-1 ret=5 " C_SOCK "\n"   \
                                    "exit t=2010" US " " S_THREAD "name=recvfrom fd=3 how=-1 level=-1 slept=-1 ret=5 " S_SOCK      \
                                    "\n" PACKET(902000, C, C_DATA) PACKET(902011, S, "flags=. seq=501 ack=106")                    \
                                        ENTER(903000, S_THREAD, "recvfrom", S_SOCK,                                                \
                                              "") "process t=999000" US " " C_THREAD                                               \
                                                  "change=exit status=-1 signal=9\n" PACKET(999001, C, "flags=F. seq=106 ack=501")

struct verdict {
    enum judge_verdict verdict;
    uint32_t line;
    char text[400];
};

struct line {
    const char *text, *says; /* NULL: it holds */
};

struct play all_went_well(const char *recorder);
/* What is said of finding `number` of this scenario; the story counts as the only connection, or there is none (NULL). */
struct verdict judged(const char *scenario_text, const struct play *play, const char *story, size_t number, size_t *ret_count);
/* One expectation. `says`: its sentence behind "is not met: " or "can't be told: "; NULL: it is met. */
void expect_of(const char *line, const struct play *play, const char *story, enum judge_verdict wanted, const char *says);
void what_a_weak_recorder_can_t_show_is_unknown_and_not_wrong(void **data);
void an_end_in_silence_is_unknown_to_a_weak_recorder_and_no_other_end_is(void **data);
void a_failure_that_no_line_expects_is_a_finding_of_its_own(void **data);
void a_rule_that_never_acted_is_a_finding_of_its_own(void **data);
void datagrams_are_counted_and_have_causes_too(void **data);

void check_all(const struct line *lines, size_t count, const char *story);
#define CHECK_ALL(lines, story) check_all(lines, sizeof(lines) / sizeof((lines)[0]), story)

#endif
