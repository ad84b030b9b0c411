/* The names of what stands in a call's arguments, as its man page has them. */
#ifndef TCPWHY_CAPTURE_SYSCALLS_WORDS_H
#define TCPWHY_CAPTURE_SYSCALLS_WORDS_H

#include <stddef.h>
#include <stdint.h>

struct syscall_word {
    uint32_t value; /* or the bits of a flag */
    const char *text;
};

struct syscall_words {
    const struct syscall_word *words; /* static storage */
    size_t count;
};

extern const struct syscall_words syscall_domains, syscall_types, syscall_sock_flags, syscall_protocols, syscall_hows,
    syscall_epoll_ops, syscall_epoll_bits, syscall_open_flags, syscall_range_flags, syscall_message_flags, syscall_levels,
    syscall_fcntls, syscall_splice_flags;

/* The socket options of a level; NULL: it has none here. */
const struct syscall_words *syscall_options_of(int32_t level);
/* NULL: the value has no name. */
const char *syscall_word(const struct syscall_words *words, uint32_t value);

#endif
