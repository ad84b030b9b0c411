/* The bare libpcap loop that `tcpwhy read` is measured against: every packet is handed over and counted, nothing else. */
#include <pcap/pcap.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    char text[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = argc > 1 ? pcap_open_offline_with_tstamp_precision(argv[1], PCAP_TSTAMP_PRECISION_NANO, text) : NULL;
    if (!pcap) {
        fprintf(stderr, "bench_loop_pcap: %s\n", argc > 1 ? text : "a file is missing");
        return 1;
    }
    struct pcap_pkthdr *header;
    const u_char *bytes;
    unsigned long long packets = 0, captured = 0;
    int code;
    while ((code = pcap_next_ex(pcap, &header, &bytes)) == 1) {
        packets++;
        captured += header->caplen;
    }
    if (code != PCAP_ERROR_BREAK) fprintf(stderr, "bench_loop_pcap: %s\n", pcap_geterr(pcap));
    pcap_close(pcap);
    printf("%llu packets, %llu bytes\n", packets, captured);
    return code == PCAP_ERROR_BREAK ? 0 : 1;
}
