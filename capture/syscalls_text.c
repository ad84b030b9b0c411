/* A recorded call as a person reads it: one writer an ARGUMENT_*. */
#include "capture/syscalls.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "capture/syscalls_words.h"

/* A text of fixed size that is cut where it is full. */
struct text {
    char *bytes;
    size_t used, size;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text->bytes + text->used, text->size - text->used, format, args);
    va_end(args);
    if (length == -1) return;
    size_t left = text->size - text->used - 1;
    text->used += (size_t)length < left ? (size_t)length : left;
}

static void put_word(struct text *text, const struct syscall_words *words, uint32_t value)
{
    const char *word = syscall_word(words, value);
    if (word)
        put(text, "%s", word);
    else
        put(text, "%" PRId32, (int32_t)value);
}

/* "A|B|0x40": what has no name stays visible. `separator` stands before the first. */
static void put_bits(struct text *text, const struct syscall_words *words, uint32_t value, const char *separator)
{
    for (size_t i = 0; i < words->count; i++) {
        if (!(value & words->words[i].value)) continue;
        put(text, "%s%s", separator, words->words[i].text);
        value &= ~words->words[i].value;
        separator = "|";
    }
    if (value) put(text, "%s0x%" PRIx32, separator, value);
}

static void put_flags(struct text *text, const struct syscall_words *words, uint32_t value)
{
    if (value)
        put_bits(text, words, value, "");
    else
        put(text, "0");
}

/* One writer an ARGUMENT_*: `i` is the argument's index. */
typedef void writer(struct text *text, const struct syscall_raw *raw, int i);

static void write_int(struct text *text, const struct syscall_raw *raw, int i)
{
    put(text, "%" PRId32, (int32_t)raw->args[i]);
}

static void write_unsigned(struct text *text, const struct syscall_raw *raw, int i)
{
    put(text, "%" PRIu32, (uint32_t)raw->args[i]);
}

static void write_size(struct text *text, const struct syscall_raw *raw, int i)
{
    put(text, "%" PRIu64, raw->args[i]);
}

static void write_buffer(struct text *text, const struct syscall_raw *raw, int i)
{
    (void)raw;
    (void)i;
    put(text, "...");
}

static void write_pointer(struct text *text, const struct syscall_raw *raw, int i)
{
    put(text, raw->args[i] ? "..." : "NULL");
}

static size_t address_length(const struct syscall_raw *raw)
{
    return raw->address_bytes < sizeof(raw->address) ? raw->address_bytes : sizeof(raw->address);
}

static void put_address(struct text *text, const struct syscall_raw *raw)
{
    struct address address;
    char formatted[ADDRESS_TEXT_BYTES];
    sa_family_t family;
    if (address_from_sockaddr(raw->address, address_length(raw), &address)) {
        put(text, "%s", address_format(&address, formatted));
    } else if (address_length(raw) >= sizeof(family)) {
        memcpy(&family, raw->address, sizeof(family));
        put_word(text, &syscall_domains, family);
    } else {
        put(text, "...");
    }
}

static void write_address(struct text *text, const struct syscall_raw *raw, int i)
{
    if (raw->args[i])
        put_address(text, raw);
    else
        put(text, "NULL");
}

static void write_message(struct text *text, const struct syscall_raw *raw, int i)
{
    (void)i;
    if (raw->address_bytes) {
        put(text, "{");
        put_address(text, raw);
        put(text, ", ...}");
    } else {
        put(text, "...");
    }
}

static void write_domain(struct text *text, const struct syscall_raw *raw, int i)
{
    put_word(text, &syscall_domains, (uint32_t)raw->args[i]);
}

static void write_type(struct text *text, const struct syscall_raw *raw, int i)
{
    uint32_t type = (uint32_t)raw->args[i];
    put_word(text, &syscall_types, type & 0xf); /* SOCK_TYPE_MASK of linux/net.h */
    put_bits(text, &syscall_sock_flags, type & ~0xfU, "|");
}

static void write_protocol(struct text *text, const struct syscall_raw *raw, int i)
{
    put_word(text, &syscall_protocols, (uint32_t)raw->args[i]);
}

static void write_sock_flags(struct text *text, const struct syscall_raw *raw, int i)
{
    put_flags(text, &syscall_sock_flags, (uint32_t)raw->args[i]);
}

static void write_msg_flags(struct text *text, const struct syscall_raw *raw, int i)
{
    put_flags(text, &syscall_message_flags, (uint32_t)raw->args[i]);
}

static void write_how(struct text *text, const struct syscall_raw *raw, int i)
{
    put_word(text, &syscall_hows, (uint32_t)raw->args[i]);
}

static void write_level(struct text *text, const struct syscall_raw *raw, int i)
{
    put_word(text, &syscall_levels, (uint32_t)raw->args[i]);
}

static void write_option(struct text *text, const struct syscall_raw *raw, int i)
{
    const struct syscall_words *options = syscall_options_of((int32_t)raw->args[i - 1]);
    if (options)
        put_word(text, options, (uint32_t)raw->args[i]);
    else
        write_int(text, raw, i);
}

/* The recorders copy no more than eight bytes: enough for an int and for struct linger. Longer values show their length. */
static void write_value(struct text *text, const struct syscall_raw *raw, int i)
{
    int32_t level = (int32_t)raw->args[1], option = (int32_t)raw->args[2];
    if (level == SOL_SOCKET && option == SO_LINGER && raw->option_bytes >= 8)
        put(text, "{%s, %" PRId32 "}", raw->option_value[0] ? "on" : "off", raw->option_value[1]);
    else if ((int32_t)raw->args[4] == 4 && raw->option_bytes >= 4)
        put(text, "%" PRId32, raw->option_value[0]);
    else if (raw->args[i])
        put(text, "..., %" PRId32, (int32_t)raw->args[4]);
    else
        put(text, "NULL");
}

static void write_epoll_op(struct text *text, const struct syscall_raw *raw, int i)
{
    put_word(text, &syscall_epoll_ops, (uint32_t)raw->args[i]);
}

static void write_epoll_event(struct text *text, const struct syscall_raw *raw, int i)
{
    if ((int32_t)raw->args[1] == EPOLL_CTL_DEL) {
        write_pointer(text, raw, i);
        return;
    }
    put(text, "{");
    put_flags(text, &syscall_epoll_bits, raw->epoll_events);
    put(text, raw->epoll_data < 65536 ? ", %" PRIu64 "}" : ", 0x%" PRIx64 "}", raw->epoll_data);
}

static void write_open_flags(struct text *text, const struct syscall_raw *raw, int i)
{
    put_flags(text, &syscall_open_flags, (uint32_t)raw->args[i]);
}

static void write_range_flags(struct text *text, const struct syscall_raw *raw, int i)
{
    put_flags(text, &syscall_range_flags, (uint32_t)raw->args[i]);
}

static void write_fcntl(struct text *text, const struct syscall_raw *raw, int i)
{
    put_word(text, &syscall_fcntls, (uint32_t)raw->args[i]);
}

static void write_splice_flags(struct text *text, const struct syscall_raw *raw, int i)
{
    put_flags(text, &syscall_splice_flags, (uint32_t)raw->args[i]);
}

static void write_path(struct text *text, const struct syscall_raw *raw, int i)
{
    (void)i;
    size_t length = strnlen((const char *)raw->address, address_length(raw));
    if (!length) {
        put(text, "...");
        return;
    }
    put(text, "\"");
    for (size_t k = 0; k < length; k++) {
        uint8_t c = raw->address[k];
        if (c == '"' || c == '\\')
            put(text, "\\%c", c);
        else if (c < 0x20 || c > 0x7e)
            put(text, "\\x%02x", c);
        else
            put(text, "%c", c);
    }
    put(text, length < sizeof(raw->address) ? "\"" : "\"...");
}

static writer *const writers[ARGUMENT_KINDS] = {
    [ARGUMENT_INT] = write_int,
    [ARGUMENT_UNSIGNED] = write_unsigned,
    [ARGUMENT_SIZE] = write_size,
    [ARGUMENT_BUFFER] = write_buffer,
    [ARGUMENT_POINTER] = write_pointer,
    [ARGUMENT_ADDRESS] = write_address,
    [ARGUMENT_ADDRESS_SENT] = write_address,
    [ARGUMENT_MESSAGE] = write_message,
    [ARGUMENT_DOMAIN] = write_domain,
    [ARGUMENT_TYPE] = write_type,
    [ARGUMENT_PROTOCOL] = write_protocol,
    [ARGUMENT_SOCK_FLAGS] = write_sock_flags,
    [ARGUMENT_MSG_FLAGS] = write_msg_flags,
    [ARGUMENT_HOW] = write_how,
    [ARGUMENT_LEVEL] = write_level,
    [ARGUMENT_OPTION] = write_option,
    [ARGUMENT_VALUE] = write_value,
    [ARGUMENT_EPOLL_OP] = write_epoll_op,
    [ARGUMENT_EPOLL_EVENT] = write_epoll_event,
    [ARGUMENT_OPEN_FLAGS] = write_open_flags,
    [ARGUMENT_RANGE_FLAGS] = write_range_flags,
    [ARGUMENT_PATH] = write_path,
    [ARGUMENT_FCNTL] = write_fcntl,
    [ARGUMENT_SPLICE_FLAGS] = write_splice_flags,
};

/* send() and recv() of the C library are sendto and recvfrom without an address, and POSIX says they are the same; as such they
 * come to the kernel. */
static const char *name_of(const struct syscall_row *row, const struct syscall_raw *raw)
{
    if (row->number == SYS_sendto && !raw->args[4] && !raw->args[5]) return "send";
    if (row->number == SYS_recvfrom && !raw->args[4]) return "recv";
    return row->name;
}

static void write_arguments(const struct syscall_row *row, const struct syscall_raw *raw, struct event_call *call)
{
    struct text text = {.bytes = call->args, .size = sizeof(call->args)};
    for (int i = 0; i < 6; i++) {
        if (!row->shows[i]) continue;
        if (row->shows[i] == ARGUMENT_ADDRESS_SENT && !raw->args[i]) continue;
        if (text.used) put(&text, ", ");
        writers[row->shows[i]](&text, raw, i);
    }
}

void syscall_describe(const struct syscall_raw *raw, struct event_call *call)
{
    const struct syscall_row *row = syscall_find(raw->number);
    syscall_describe_end(raw, call);
    if (row) write_arguments(row, raw, call);
}

void syscall_describe_end(const struct syscall_raw *raw, struct event_call *call)
{
    const struct syscall_row *row = syscall_find(raw->number);
    memset(call->name, 0, sizeof(call->name));
    memset(call->args, 0, sizeof(call->args));
    call->fd = call->how = call->level = -1;
    call->value[0] = call->value[1] = 0;
    call->epoll = 0;
    if (!row) {
        snprintf(call->name, sizeof(call->name), "syscall %ld", raw->number);
        return;
    }
    const char *name = name_of(row, raw);
    memcpy(call->name, name, strnlen(name, sizeof(call->name) - 1));

    if (row->flags & (SYSCALL_FD_0 | SYSCALL_DUP | SYSCALL_EPOLL_WAIT)) call->fd = (int32_t)raw->args[0];
    if (row->flags & SYSCALL_EPOLL_CTL) call->fd = (int32_t)raw->args[2];
    if (row->flags & SYSCALL_FD_2) {
        call->how = raw->second != 0;
        if (raw->second) call->fd = (int32_t)raw->args[2];
    }
    if (row->flags & (SYSCALL_EPOLL_WAIT | SYSCALL_EPOLL_CTL)) call->epoll = (uint32_t)raw->args[0] + 1;
    if (row->flags & (SYSCALL_SHUTDOWN | SYSCALL_LISTEN)) call->how = (int32_t)raw->args[1];
    if (row->flags & SYSCALL_SOCKOPT) {
        call->level = (int32_t)raw->args[1];
        call->how = (int32_t)raw->args[2];
        if (raw->option_bytes >= 4) call->value[0] = raw->option_value[0];
        if (raw->option_bytes >= 8) call->value[1] = raw->option_value[1];
    }
}
