#include "run/captures.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* A host talks to itself faster than any network brings. */
enum { RING_BYTES = 16 << 20, LOOPBACK_RING_BYTES = 64 << 20 };

/* What a story is made of: TCP, UDP, and the ICMP errors that quote them. */
static const char of_interest[] =
    "tcp or udp or (icmp and (icmp[0] = 3 or icmp[0] = 11 or icmp[0] = 12)) or (icmp6 and ip6[40] < 5)";

static int open_one(struct session *session, const struct captures_options *options, const char *interface, const char *filter,
                    struct err *err)
{
    const struct packets_options packets = {.interface = interface,
                                            .filter = filter,
                                            .snap_bytes = options->snap_bytes,
                                            .ring_bytes = strcmp(interface, "lo") ? RING_BYTES : LOOPBACK_RING_BYTES,
                                            .keep_bytes = true,
                                            .headers_alone = !options->snap_bytes};
    return session_capture(session, &packets, err);
}

/* Each that is up, once; one whose link layer nobody knows, or that went meanwhile, is left out. */
static int open_all(struct session *session, const struct captures_options *options, const char *filter, struct err *err)
{
    struct ifaddrs *all;
    if (getifaddrs(&all) < 0) {
        int code = -errno;
        return err_set_errno(err, code, "can't list the interfaces of this host");
    }
    int code = 0, opened = 0;
    for (const struct ifaddrs *one = all; one && !code; one = one->ifa_next) {
        bool listed = false;
        for (const struct ifaddrs *before = all; before != one; before = before->ifa_next)
            listed = listed || !strcmp(before->ifa_name, one->ifa_name);
        if (listed || !(one->ifa_flags & IFF_UP)) continue;
        code = open_one(session, options, one->ifa_name, filter, err);
        if (code == -EOPNOTSUPP || code == -ENETDOWN || code == -ENODEV || (code == -EMFILE && opened)) code = 0;
        opened += !code;
    }
    freeifaddrs(all);
    if (!code && !opened) return err_set(err, -ENODEV, "no interface of this host is up: packets can be captured nowhere");
    return code;
}

int captures_filter(const struct captures_options *options, struct buf *filter, struct err *err)
{
    int code = options->filter ? buf_printf(filter, "(%s) and (%s)", options->filter, of_interest) : buf_text(filter, of_interest);
    return code ? err_set(err, -EINVAL, "--filter: longer than %d bytes", CAPTURES_FILTER_BYTES) : 0;
}

int captures_open(struct session *session, const struct captures_options *options, struct err *err)
{
    struct buf filter = buf_new(CAPTURES_FILTER_BYTES);
    int code = captures_filter(options, &filter, err);
    for (size_t i = 0; i < options->interface_count && !code; i++)
        code = open_one(session, options, options->interfaces[i], buf_string(&filter), err);
    if (!code && !options->interface_count) code = open_all(session, options, buf_string(&filter), err);
    buf_free(&filter);
    return code;
}
