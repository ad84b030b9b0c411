/* Prints what a stored capture holds, as this program reads it or (--libpcap) as libpcap does: a line a packet, in the same words.
 *
 *     savefile_dump [--libpcap] FILE…
 *
 *     packet NUMBER t=NANOSECONDS captured=N wire=N link=DLT bytes=HASH
 *     damage SENTENCE
 *     end PACKETS
 *
 * Exit status: 0 read to the end; 1 damaged; 2 wrong usage; 3 can't be opened (one line "refused SENTENCE"). */
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>

#include "capture/stored/savefile.h"

static uint64_t hash(const uint8_t *bytes, size_t length)
{
    uint64_t value = 0xcbf29ce484222325U;
    for (size_t i = 0; i < length; i++) value = (value ^ bytes[i]) * 0x100000001b3U;
    return value;
}

static void print(uint64_t number, int64_t t_ns, uint32_t captured, uint32_t wire, int link, const uint8_t *bytes)
{
    printf("packet %" PRIu64 " t=%" PRId64 " captured=%u wire=%u link=%d bytes=%016" PRIx64 "\n", number, t_ns, captured, wire,
           link, hash(bytes, captured));
}

static int dump(const char *const *paths, size_t count)
{
    struct savefile *file;
    struct savefile_packet packets[16];
    struct err err;
    uint64_t number = 0;
    int status = 0;
    if (savefile_chain(&file, paths, count, NULL, &err)) {
        printf("refused %s\n", err.text);
        return 3;
    }
    for (;;) {
        size_t given;
        enum savefile_result result = savefile_batch(file, packets, sizeof(packets) / sizeof(*packets), &given);
        if (result == SAVEFILE_END) break;
        for (size_t i = 0; i < given; i++) {
            const struct savefile_packet *packet = &packets[i];
            number = packet->number;
            print(number, packet->t_ns, packet->captured, packet->wire, packet->link_type, packet->bytes);
        }
        if (result == SAVEFILE_PACKET) continue;
        status = 1;
        if (result == SAVEFILE_FAILED)
            savefile_failure(file, &err);
        else
            savefile_damage_say(file, &err);
        printf("damage %s\n", err.text);
        if (result == SAVEFILE_FAILED) break;
    }
    printf("end %" PRIu64 "\n", number);
    savefile_close(file);
    return status;
}

static int dump_libpcap(const char *path)
{
    char text[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const u_char *bytes;
    uint64_t number = 0;
    int code;
    pcap_t *pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, text);
    if (!pcap) {
        printf("refused %s\n", text);
        return 3;
    }
    while ((code = pcap_next_ex(pcap, &header, &bytes)) == 1)
        print(++number, (int64_t)header->ts.tv_sec * 1000000000 + header->ts.tv_usec, header->caplen, header->len,
              pcap_datalink(pcap), bytes);
    if (code == PCAP_ERROR) printf("damage %s\n", pcap_geterr(pcap));
    printf("end %" PRIu64 "\n", number);
    pcap_close(pcap);
    return code == PCAP_ERROR;
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "--libpcap")) return dump_libpcap(argv[2]);
    if (argc < 2 || !strncmp(argv[1], "--", 2)) {
        fprintf(stderr, "usage: savefile_dump [--libpcap] FILE…\n");
        return 2;
    }
    return dump((const char *const *)&argv[1], (size_t)argc - 1);
}
