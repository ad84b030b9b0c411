#include "record/capturing.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/lang.h"

int capturing_add(struct capturing *capturing, const struct packets_options *options, struct event_log *log, struct err *err)
{
    if (capturing->interface_count == CAPTURING_INTERFACES)
        return err_set(err, -EMFILE, "at most %d interfaces at once", CAPTURING_INTERFACES);
    struct packets_options mine = *options;
    mine.vantage = capturing->vantages + 1;
    int code = packets_open(&capturing->interfaces[capturing->interface_count], &mine, log, err);
    if (code) return code;
    capturing->interface_count++;
    capturing->vantages++;
    return 0;
}

int capturing_add_network(struct capturing *capturing, int fd, const struct anywhere_options *options, struct err *err)
{
    struct anywhere_options mine = *options;
    mine.vantages = &capturing->vantages;
    mine.vantages_most = CAPTURING_INTERFACES - 1; /* so many are told apart where packets are joined */
    if (capturing->network_count == CAPTURING_NETWORKS) {
        close(fd);
        return err_set(err, -EMFILE, "at most %d networks at once", CAPTURING_NETWORKS);
    }
    int code = anywhere_open(&capturing->networks[capturing->network_count], fd, &mine, err);
    if (!code) capturing->network_count++;
    return code;
}

bool capturing_have(const struct capturing *capturing, const char *interface)
{
    for (size_t i = 0; i < capturing->interface_count; i++)
        if (!strcmp(packets_interface(capturing->interfaces[i]), interface)) return true;
    return false;
}

nfds_t capturing_wait(const struct capturing *capturing, struct pollfd *fds)
{
    nfds_t count = 0;
    for (size_t i = 0; i < capturing->interface_count; i++)
        fds[count++] = (struct pollfd){.fd = packets_fd(capturing->interfaces[i]), .events = POLLIN};
    for (size_t i = 0; i < capturing->network_count; i++)
        fds[count++] = (struct pollfd){.fd = anywhere_fd(capturing->networks[i]), .events = POLLIN};
    return count;
}

/* It is gone: what its capture saw and lost is kept. */
static void take_out(struct capturing *capturing, size_t i, struct event_log *log)
{
    struct err ignored;
    (void)packets_report(capturing->interfaces[i], log, &ignored);
    packets_close(capturing->interfaces[i]);
    capturing->interface_count--;
    memmove(&capturing->interfaces[i], &capturing->interfaces[i + 1],
            (capturing->interface_count - i) * sizeof(capturing->interfaces[0]));
}

int capturing_drain(struct capturing *capturing, struct event_log *log, struct err *err)
{
    int total = 0;
    for (size_t i = 0; i < capturing->interface_count;) {
        int got = packets_drain(capturing->interfaces[i], log, err);
        if (got == -ENETDOWN && capturing->may_go) {
            take_out(capturing, i, log);
            continue;
        }
        if (got == -EIO && capturing->may_go) got = 0; /* it is down, and may come up again */
        if (got < 0) return got;
        total += got;
        i++;
    }
    for (size_t i = 0; i < capturing->network_count; i++) {
        int got = anywhere_drain(capturing->networks[i], log, err);
        if (got < 0) return got;
        total += got;
    }
    return total;
}

int capturing_report(struct capturing *capturing, struct event_log *log, struct err *err)
{
    int code = 0;
    for (size_t i = 0; i < capturing->interface_count && !code; i++) code = packets_report(capturing->interfaces[i], log, err);
    for (size_t i = 0; i < capturing->network_count && !code; i++) code = anywhere_report(capturing->networks[i], log, err);
    return code;
}

void capturing_close(struct capturing *capturing)
{
    for (size_t i = 0; i < capturing->interface_count; i++) packets_close(capturing->interfaces[i]);
    for (size_t i = 0; i < capturing->network_count; i++) anywhere_close(capturing->networks[i]);
    capturing->interface_count = capturing->network_count = 0;
}
