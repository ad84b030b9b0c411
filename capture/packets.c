#include "capture/packets.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/lang.h"
#include "capture/own_addresses.h"
#include "capture/packet_head.h"
#include "capture/pcap_library.h"
#include "tcp/segment.h"

enum {
    /* Link layer with two VLAN tags, IPv6 with extension headers, TCP with options; or an ICMP error with all that quoted. */
    SNAP_BYTES = 256,
    RING_BYTES = 8 << 20,
    DRAIN_PACKETS = 65536 /* more than the ring holds of the smallest packets */
};

static const int64_t NS_A_SECOND = 1000000000;

struct packets {
    struct pcap_library lib;
    pcap_t *pcap;
    char interface[EVENT_NAME_BYTES];
    uint32_t vantage;
    bool keep_bytes, headers_alone;
    int link_type;
    int64_t ns_a_tick; /* of the timestamps' second field */
    uint64_t number;   /* of packets that passed the filter */
    int64_t last_ns;
    uint64_t results[SEGMENT_RESULTS];
    /* Of the drain that is under way. */
    struct event_log *log;
    int appended, code;
};

static uint64_t own_netns(void)
{
    struct stat netns;
    return stat("/proc/self/ns/net", &netns) == 0 ? netns.st_ino : 0;
}

static int no_permission(const char *interface, struct err *err)
{
    err_set(err, -EPERM, "can't capture packets on %s: the capability CAP_NET_RAW is missing", interface);
    err_more(err, "root has it (sudo), and so has a program after sudo setcap cap_net_raw+ep PROGRAM");
    return -EPERM;
}

static int no_interface(const char *interface, struct err *err)
{
    struct buf names = buf_new(512);
    struct if_nameindex *all = if_nameindex();
    for (size_t i = 0; all && all[i].if_name; i++) buf_printf(&names, "%s, ", all[i].if_name);
    if_freenameindex(all);
    err_set(err, -ENODEV, "can't capture packets on %s: there is no such interface; there are %s%sany (all of them)", interface,
            buf_string(&names), names.failed ? "…, " : "");
    buf_free(&names);
    return -ENODEV;
}

static int not_activated(const struct pcap_library *lib, pcap_t *pcap, const char *interface, int status, struct err *err)
{
    if (status == PCAP_ERROR_PERM_DENIED || status == PCAP_ERROR_PROMISC_PERM_DENIED) return no_permission(interface, err);
    if (status == PCAP_ERROR_NO_SUCH_DEVICE) return no_interface(interface, err);
    if (status == PCAP_ERROR_IFACE_NOT_UP)
        return err_set(err, -ENETDOWN, "can't capture packets on %s: the interface is down; bring it up (ip link set %s up)",
                       interface, interface);
    const char *detail = lib->pcap_geterr(pcap);
    return err_set(err, -EIO, "can't capture packets on %s: %s%s%s", interface, lib->pcap_statustostr(status), *detail ? ": " : "",
                   detail);
}

/* On lo every packet goes out and comes in, and libpcap throws the outgoing copy away. Left out by the kernel, it takes no room in
 * the ring and does not count as dropped a second time. Kernels before 4.20 can't: then it is as it was. */
static void ignore_outgoing(const struct pcap_library *lib, pcap_t *pcap, const char *interface)
{
    const int on = 1;
    if (strcmp(interface, "lo") == 0) (void)setsockopt(lib->pcap_fileno(pcap), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
}

static int activate(const struct pcap_library *lib, pcap_t *pcap, const struct packets_options *options, struct err *err)
{
    /* None of these can fail before activation but for a timestamp precision that the system has not: then it stays at µs. */
    lib->pcap_set_snaplen(pcap, options->snap_bytes ? (int)options->snap_bytes : SNAP_BYTES);
    lib->pcap_set_promisc(pcap, 0);
    lib->pcap_set_immediate_mode(pcap, 1);
    lib->pcap_set_buffer_size(pcap, options->ring_bytes ? (int)options->ring_bytes : RING_BYTES);
    lib->pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
    int status = lib->pcap_activate(pcap);
    if (status < 0) return not_activated(lib, pcap, options->interface, status, err);
    ignore_outgoing(lib, pcap, options->interface);
    char reason[PCAP_ERRBUF_SIZE];
    if (lib->pcap_setnonblock(pcap, 1, reason) < 0 || lib->pcap_get_selectable_fd(pcap) < 0)
        return err_set(err, -EIO, "can't read packets on %s without blocking", options->interface);
    return 0;
}

/* Between activation and here, packets of all kinds may have been queued. Nothing has to be done about them: pcap_setfilter on
 * Linux puts those through the new filter in user space (pcap-linux.c, blocks_to_filter_in_userland), with the VLAN tag beside the
 * packet that pcap_offline_filter could not see. */
static int set_filter(const struct pcap_library *lib, pcap_t *pcap, const struct packets_options *options, struct err *err)
{
    if (!options->filter || !*options->filter) return 0;
    struct bpf_program program;
    if (lib->pcap_compile(pcap, &program, options->filter, 1, PCAP_NETMASK_UNKNOWN) < 0)
        return err_set(err, -EINVAL, "the filter \"%s\" is not one that libpcap understands (see pcap-filter(7)): %s",
                       options->filter, lib->pcap_geterr(pcap));
    int status = lib->pcap_setfilter(pcap, &program);
    lib->pcap_freecode(&program);
    if (status < 0)
        return err_set(err, -EIO, "can't set the filter \"%s\" on %s: %s", options->filter, options->interface,
                       lib->pcap_geterr(pcap));
    return 0;
}

static int append_vantage(const struct packets *packets, const char *interface, struct event_log *log, struct err *err)
{
    struct event event = {
        .kind = EVENT_VANTAGE, .t_ns = clock_wall_ns(), .vantage = {.number = packets->vantage, .netns = own_netns()}};
    memcpy(event.vantage.name, packets->interface, sizeof(event.vantage.name));
    own_addresses(interface, &event.vantage);
    int code = event_log_append(log, &event);
    return code ? err_set(err, code, "out of memory for the capture on %s", packets->interface) : 0;
}

int packets_open(struct packets **ret_packets, const struct packets_options *options, struct event_log *log, struct err *err)
{
    *ret_packets = NULL;
    char reason[PCAP_ERRBUF_SIZE] = "";
    struct packets *packets = calloc(1, sizeof(*packets));
    if (!packets) return err_set(err, -ENOMEM, "out of memory for the capture on %s", options->interface);
    snprintf(packets->interface, sizeof(packets->interface), "%s", options->name ? options->name : options->interface);
    packets->vantage = options->vantage;
    packets->keep_bytes = options->keep_bytes;
    packets->headers_alone = options->headers_alone;
    const struct pcap_library *lib = &packets->lib;
    int code = pcap_library_load(&packets->lib, err);
    if (!code) packets->pcap = lib->pcap_create(options->interface, reason);
    if (!code && !packets->pcap) code = err_set(err, -EIO, "can't capture packets on %s: %s", options->interface, reason);
    if (!code) code = activate(lib, packets->pcap, options, err);
    if (!code) {
        packets->link_type = lib->pcap_datalink(packets->pcap);
        packets->ns_a_tick = lib->pcap_get_tstamp_precision(packets->pcap) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;
        struct event_packet nothing;
        if (segment_decode(packets->link_type, NULL, 0, 0, &nothing) == SEGMENT_LINK)
            code = err_set(err, -EOPNOTSUPP,
                           "can't capture TCP on %s: its link layer is %s, which is not decoded here; name another interface",
                           options->interface, lib->pcap_datalink_val_to_description_or_dlt(packets->link_type));
    }
    if (!code) code = set_filter(lib, packets->pcap, options, err);
    if (!code) code = append_vantage(packets, options->interface, log, err);
    if (code)
        packets_close(packets);
    else
        *ret_packets = packets;
    return code;
}

const char *packets_interface(const struct packets *packets)
{
    return packets->interface;
}

int packets_fd(const struct packets *packets)
{
    return packets->lib.pcap_get_selectable_fd(packets->pcap);
}

static void take_packet(unsigned char *data, const struct pcap_pkthdr *packet, const unsigned char *bytes)
{
    struct packets *packets = (struct packets *)(void *)data;
    struct event event;
    memset(&event, 0, sizeof(event));
    packets->number++;
    enum segment_result result = segment_decode(packets->link_type, bytes, packet->caplen, packet->len, &event.packet);
    packets->results[result]++;
    if (result != SEGMENT_OK || packets->code) return;

    event.kind = EVENT_PACKET;
    event.t_ns = packet->ts.tv_sec * NS_A_SECOND + packet->ts.tv_usec * packets->ns_a_tick;
    event.packet.vantage = packets->vantage;
    event.packet.number = packets->number;
    event.packet.link_type = (uint16_t)packets->link_type;
    event.packet.captured_bytes = packet->caplen;
    event.packet.wire_bytes = packet->len;
    if (packets->keep_bytes) {
        if (packets->headers_alone)
            event.packet.captured_bytes = packet_head_bytes(packets->link_type, bytes, packet->caplen, packet->len);
        event.packet.bytes = event_log_bytes(packets->log, bytes, event.packet.captured_bytes);
        if (!event.packet.bytes && event.packet.captured_bytes) packets->code = -ENOMEM;
    }
    if (!packets->code) packets->code = event_log_append(packets->log, &event);
    if (packets->code) {
        packets->lib.pcap_breakloop(packets->pcap);
        return;
    }
    packets->last_ns = event.t_ns;
    packets->appended++;
}

int packets_drain(struct packets *packets, struct event_log *log, struct err *err)
{
    packets->log = log;
    packets->appended = 0;
    packets->code = 0;
    int status = packets->lib.pcap_dispatch(packets->pcap, DRAIN_PACKETS, take_packet, (unsigned char *)packets);
    packets->log = NULL;
    if (packets->code) return err_set(err, packets->code, "out of memory for the packets on %s", packets->interface);
    if (status == PCAP_ERROR && !if_nametoindex(packets->interface) && strcmp(packets->interface, "any") != 0)
        return err_set(err, -ENETDOWN, "the capture on %s ended: the interface is gone", packets->interface);
    if (status < 0)
        return err_set(err, -EIO, "the capture on %s ended: %s", packets->interface, packets->lib.pcap_geterr(packets->pcap));
    return packets->appended;
}

static int append_lost(const struct packets *packets, const char *what, uint64_t count, struct event_log *log)
{
    struct event event = {.kind = EVENT_LOST, .t_ns = clock_wall_ns(), .lost = {.received = packets->number, .count = count}};
    snprintf(event.lost.source, sizeof(event.lost.source), "capture %.*s", EVENT_NAME_BYTES - 9, packets->interface);
    snprintf(event.lost.what, sizeof(event.lost.what), "%s", what);
    return event_log_append(log, &event);
}

int packets_report(struct packets *packets, struct event_log *log, struct err *err)
{
    /* OTHER is not among them: a frame without TCP, UDP or an ICMP error was understood. */
    static const struct {
        enum segment_result result;
        const char *what;
    } reasons[] = {
        {SEGMENT_FRAGMENT, TR("later IP fragment")},
        {SEGMENT_CUT, TR("cut by the capture")},
        {SEGMENT_MALFORMED, TR("malformed")},
    };
    struct pcap_stat stat;
    if (packets->lib.pcap_stats(packets->pcap, &stat) < 0)
        return err_set(err, -EIO, "can't read how many packets were dropped on %s: %s", packets->interface,
                       packets->lib.pcap_geterr(packets->pcap));
    int code = append_lost(packets, TR("dropped by kernel"), stat.ps_drop, log);
    if (!code) code = append_lost(packets, TR("dropped by interface"), stat.ps_ifdrop, log);
    for (size_t i = 0; !code && i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        uint64_t count = packets->results[reasons[i].result];
        if (count) code = append_lost(packets, reasons[i].what, count, log);
    }
    return code ? err_set(err, code, "out of memory for the report on %s", packets->interface) : 0;
}

int64_t packets_last_ns(const struct packets *packets)
{
    return packets->last_ns;
}

void packets_close(struct packets *packets)
{
    if (!packets) return;
    if (packets->pcap) packets->lib.pcap_close(packets->pcap);
    free(packets);
}
