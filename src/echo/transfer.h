/* Plain read(2) and write(2) on a socket, whole: partial transfers, EINTR and timeouts in one place. Owns nothing. */
#ifndef TCPWHY_ECHO_TRANSFER_H
#define TCPWHY_ECHO_TRANSFER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct endpoint;
struct err;

/* What one read may bring; also how much a client keeps in flight, small enough for any pair of socket buffers to hold, so that
 * two ends that write before they read can't wait for each other for ever. */
enum { TRANSFER_BYTES = 16384 };

/* Bytes read, 0 at the end, or -errno; -EINTR only once a stop was asked (stop.h). */
ssize_t transfer_read(int fd, void *bytes, size_t capacity);
/* Writes all of it: 0, or -errno as above. SIGPIPE must be ignored (stop_begin does). */
int transfer_write(int fd, const void *bytes, size_t length);

/* Limits how long a blocking call on this socket waits: `option` is SO_RCVTIMEO or SO_SNDTIMEO (connect too). Then it fails with
 * EAGAIN, connect with EINPROGRESS (socket(7)). 0 or -errno with a sentence. */
int transfer_set_timeout(int fd, int option, int milliseconds, struct err *err);

enum { TRANSFER_NAME_BYTES = 96 };
/* "127.0.0.1:3333", "[fe80::1%eth0]:3333". Returns `text`. */
const char *transfer_name(const struct endpoint *endpoint, char text[TRANSFER_NAME_BYTES]);

#endif
