#include "record/places.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/lang.h"

int places_add(struct places *places, const struct packets_options *options, struct event_log *log, struct err *err)
{
    if (places->interface_count == PLACES_INTERFACES)
        return err_set(err, -EMFILE, "at most %d interfaces at once", PLACES_INTERFACES);
    struct packets_options mine = *options;
    mine.vantage = places->vantages + 1;
    int code = packets_open(&places->interfaces[places->interface_count], &mine, log, err);
    if (code) return code;
    places->interface_count++;
    places->vantages++;
    return 0;
}

int places_add_network(struct places *places, int fd, const struct anywhere_options *options, struct err *err)
{
    struct anywhere_options mine = *options;
    mine.vantages = &places->vantages;
    mine.vantages_most = PLACES_INTERFACES - 1; /* so many are told apart where packets are joined */
    if (places->network_count == PLACES_NETWORKS) {
        close(fd);
        return err_set(err, -EMFILE, "at most %d networks at once", PLACES_NETWORKS);
    }
    int code = anywhere_open(&places->networks[places->network_count], fd, &mine, err);
    if (!code) places->network_count++;
    return code;
}

bool places_have(const struct places *places, const char *interface)
{
    for (size_t i = 0; i < places->interface_count; i++)
        if (!strcmp(packets_interface(places->interfaces[i]), interface)) return true;
    return false;
}

nfds_t places_wait(const struct places *places, struct pollfd *fds)
{
    nfds_t count = 0;
    for (size_t i = 0; i < places->interface_count; i++)
        fds[count++] = (struct pollfd){.fd = packets_fd(places->interfaces[i]), .events = POLLIN};
    for (size_t i = 0; i < places->network_count; i++)
        fds[count++] = (struct pollfd){.fd = anywhere_fd(places->networks[i]), .events = POLLIN};
    return count;
}

/* It is gone: what its capture saw and lost is kept. */
static void take_out(struct places *places, size_t i, struct event_log *log)
{
    struct err ignored;
    (void)packets_report(places->interfaces[i], log, &ignored);
    packets_close(places->interfaces[i]);
    places->interface_count--;
    memmove(&places->interfaces[i], &places->interfaces[i + 1], (places->interface_count - i) * sizeof(places->interfaces[0]));
}

int places_drain(struct places *places, struct event_log *log, struct err *err)
{
    int total = 0;
    for (size_t i = 0; i < places->interface_count;) {
        int got = packets_drain(places->interfaces[i], log, err);
        if (got == -ENETDOWN && places->may_go) {
            take_out(places, i, log);
            continue;
        }
        if (got == -EIO && places->may_go) got = 0; /* it is down, and may come up again */
        if (got < 0) return got;
        total += got;
        i++;
    }
    for (size_t i = 0; i < places->network_count; i++) {
        int got = anywhere_drain(places->networks[i], log, err);
        if (got < 0) return got;
        total += got;
    }
    return total;
}

int places_report(struct places *places, struct event_log *log, struct err *err)
{
    int code = 0;
    for (size_t i = 0; i < places->interface_count && !code; i++) code = packets_report(places->interfaces[i], log, err);
    for (size_t i = 0; i < places->network_count && !code; i++) code = anywhere_report(places->networks[i], log, err);
    return code;
}

void places_close(struct places *places)
{
    for (size_t i = 0; i < places->interface_count; i++) packets_close(places->interfaces[i]);
    for (size_t i = 0; i < places->network_count; i++) anywhere_close(places->networks[i]);
    places->interface_count = places->network_count = 0;
}
