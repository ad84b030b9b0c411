#include "echo/messages.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "echo/transfer.h"

enum {
    TEXT_LIMIT = 1 << 30,
    DATAGRAM_MAX = 65507 /* 65535 less the headers of IPv4 and UDP (RFC 768) */
};

int messages_open(struct messages *ret_messages, const struct client_options *options, struct err *err)
{
    bool from_input = !options->message_count && !options->count && options->input_fd >= 0;
    *ret_messages =
        (struct messages){.options = options, .text = buf_new(TEXT_LIMIT), .rounds = options->count ? options->count : 1};
    if (!from_input) return 0;
    return lines_open(&ret_messages->lines, options->input_fd, options->udp ? DATAGRAM_MAX : TRANSFER_BYTES, options->udp, err);
}

int messages_next(struct messages *messages, const char **ret_bytes, size_t *ret_length, struct err *err)
{
    if (messages->lines.bytes) return lines_next(&messages->lines, ret_bytes, ret_length, err);
    if (messages->round == messages->rounds) return 0;
    const struct client_options *options = messages->options;
    buf_clear(&messages->text);
    if (options->message_count)
        buf_text(&messages->text, options->messages[messages->next]);
    else
        buf_printf(&messages->text, "hello %" PRIu64, messages->round + 1);
    int code = buf_char(&messages->text, '\n');
    if (code) return err_set_errno(err, code, "can't hold a message");
    if (++messages->next >= options->message_count) {
        messages->next = 0;
        messages->round++;
    }
    *ret_bytes = messages->text.data;
    *ret_length = messages->text.length;
    return 1;
}

void messages_free(struct messages *messages)
{
    if (!messages) return;
    buf_free(&messages->text);
    lines_free(&messages->lines);
}
