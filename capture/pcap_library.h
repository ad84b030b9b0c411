/* libpcap, loaded when packets are captured or a filter is to be compiled: on many a system it brings D-Bus and systemd's library
 * along, which take longer to load than to read a small file. What of libpcap is only a number (DLT_…) needs none of this. */
#ifndef TCPWHY_CAPTURE_PCAP_LIBRARY_H
#define TCPWHY_CAPTURE_PCAP_LIBRARY_H

#include <pcap/pcap.h>

#include <pcap/namedb.h> /* takes what pcap.h has */

#include "base/library.h"

#define PCAP_FUNCTIONS(each)                                                                                                       \
    each(pcap_activate) each(pcap_breakloop) each(pcap_close) each(pcap_compile) each(pcap_create) each(pcap_datalink)             \
        each(pcap_datalink_val_to_description_or_dlt) each(pcap_dispatch) each(pcap_fileno) each(pcap_freecode) each(pcap_geterr)  \
            each(pcap_get_selectable_fd) each(pcap_get_tstamp_precision) each(pcap_nametoport) each(pcap_offline_filter)           \
                each(pcap_open_dead) each(pcap_set_buffer_size) each(pcap_set_immediate_mode) each(pcap_set_promisc)               \
                    each(pcap_set_snaplen) each(pcap_set_tstamp_precision) each(pcap_setfilter) each(pcap_setnonblock)             \
                        each(pcap_stats) each(pcap_statustostr)

struct pcap_library {
    PCAP_FUNCTIONS(LIBRARY_POINTER)
};

/* As library_load, of which nothing is to be released. */
int pcap_library_load(struct pcap_library *ret_library, struct err *err);

#endif
