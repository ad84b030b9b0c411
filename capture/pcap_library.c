#include "capture/pcap_library.h"

int pcap_library_load(struct pcap_library *ret_library, struct err *err)
{
    static const char *const names[] = {PCAP_FUNCTIONS(LIBRARY_NAME) NULL};
    return library_load(TCPWHY_PCAP_SONAME, names, ret_library, err);
}
