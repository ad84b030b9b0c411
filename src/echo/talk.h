/* What the TCP and the UDP client share. Only for client.c and client_udp.c. */
#ifndef TCPWHY_ECHO_TALK_H
#define TCPWHY_ECHO_TALK_H

#include "echo/endpoint.h"
#include "echo/messages.h"
#include "echo/transfer.h"

struct talk {
    const struct client_options *options;
    struct client_result *result;
    struct messages messages;
    const struct endpoint *endpoints; /* endpoint_count of them, in the order to try */
    int endpoint_count;
    int fd;
    char name[TRANSFER_NAME_BYTES]; /* whom it talks to */
};

/* Connects talk->fd to the endpoint, blocking; sets talk->name. 0 or -errno without a sentence. */
int talk_connect(struct talk *talk, const struct endpoint *endpoint, int socktype);
void talk_close(struct talk *talk);
/* Holds `length` received bytes against what was sent; `offset`: how many of this message came before. 0 or -EBADMSG. */
int talk_compare(const struct talk *talk, const char *sent, size_t sent_length, const char *received, size_t length,
                 uint64_t offset, struct err *err);
/* Hands what came back to the output. */
int talk_output(const struct talk *talk, const char *bytes, size_t length, struct err *err);
/* What a failed connect() means and what to do about it; "" where errno says it all. */
const char *talk_connect_advice(int code);

/* The whole conversation over datagrams (client_udp.c). */
int talk_udp(struct talk *talk, struct err *err);

#endif
