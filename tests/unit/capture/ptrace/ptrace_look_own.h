/* Internal to ptrace_look*.c and ptrace_watch.c: the thread that is looked at is this one, its memory and its
 * descriptors. */
#ifndef TCPWHY_PTRACE_LOOK_OWN_H
#define TCPWHY_PTRACE_LOOK_OWN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "capture/ptrace/ptrace_look.h"
#include "capture/ptrace/sockinfo.h"

struct own {
    struct ptrace_tasks tasks;
    struct ptrace_task *me;
    int listener, client, server; /* of one connection; in `client` 3 bytes wait to be read */
    int pipe[2];
};
extern struct own own;

/* A recorder that knows nothing yet. Alone: nobody else changes the descriptors. */
void own_begin(bool is_alone);
void own_end(void);
int own_setup(void **state);
int own_teardown(void **state);

bool own_enter(long number, const uint64_t args[6]);
struct event_call own_exit(int64_t ret);
#define ENTER(number, ...) own_enter(number, (const uint64_t[6]){__VA_ARGS__})
#define AT(memory) ((uint64_t)(uintptr_t)(memory))

uint64_t own_cookie(int fd);
uint64_t own_inode(int fd);
uint16_t own_port(int fd);
/* A TCP socket is remembered with what it is not: whoever asks it finds that out. */
void own_remember(int fd, uint8_t state, uint16_t local, uint16_t remote);

/* "client 1, server 4": the sockets that a call watches, each with its events. */
const char *own_watched(const struct event_call *call);
/* For some thousands of descriptors. */
void own_room(void);

void close_range_closes_the_sockets_from_its_first_to_its_last(void **state);
void execve_closes_what_is_marked_so_and_an_end_closes_all(void **state);
void of_very_many_descriptors_the_first_are_looked_at(void **state);
void memory_is_read_up_to_what_is_not_there(void **state);
void a_calls_address_is_read_as_far_as_it_says(void **state);
void what_may_not_be_looked_at_is_counted(void **state);
void an_options_value_and_an_epolls_events_are_read(void **state);
void a_connect_that_failed_or_is_under_way_says_whom_it_was_for(void **state);
void only_what_can_have_changed_its_addresses_is_looked_at_again(void **state);
void another_socket_behind_the_number_is_not_the_calls(void **state);
void what_a_call_has_made_is_looked_at_where_it_was_made(void **state);
void what_socket_has_made_need_not_be_asked(void **state);
void of_another_protocol_the_socket_itself_says_what_it_is(void **state);
void an_accepted_one_is_of_its_listeners_protocol(void **state);
void what_dup2_closes_is_told_where_it_has_closed_it(void **state);
void its_network_is_asked_where_it_may_be_another(void **state);
void what_is_its_own_alone_can_wait(void **state);

#endif
