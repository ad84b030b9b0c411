/* What decoding a packet costs: segment_decode with its short cut for common frames, and the long way alone, on the same packets in
 * memory, in turns, so that what the machine does beside hits both alike. Medians of the rounds, in nanoseconds a packet.
 *
 *     bench_decode [CAPTURE [ROUNDS]]      without a file: a million packets made here, of eight kinds
 *
 * "touch" reads one byte of each packet and is what getting at the memory alone costs. */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tcp/segment_walk.h"

enum { PACKETS_MAX = 1000000, BYTES_MAX = 256 << 20, ROUNDS = 15, ROUNDS_MAX = 1000, WAYS = 3 };

struct packet {
    size_t offset;
    uint32_t captured, wire;
};

struct load {
    uint8_t *bytes;
    struct packet *packets;
    size_t length, count;
    int link_type;
};

static void append(struct load *load, const uint8_t *bytes, uint32_t captured, uint32_t wire)
{
    if (load->count == PACKETS_MAX || captured > BYTES_MAX - load->length) return;
    memcpy(load->bytes + load->length, bytes, captured);
    load->packets[load->count++] = (struct packet){load->length, captured, wire};
    load->length += captured;
}

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* SYNs with options, acknowledgments, data (its first bytes captured); IPv4 and IPv6; every eighth in a VLAN. */
static void make(struct load *load)
{
    static const uint8_t syn[20] = {2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7};
    static const uint8_t stamps[12] = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2};
    load->link_type = DLT_EN10MB;
    for (unsigned i = 0; i < PACKETS_MAX; i++) {
        uint8_t frame[160] = {0};
        bool six = i & 1, tagged = i % 8 == 7, opens = i % 8 < 2;
        size_t at = 12;
        unsigned data = i % 8 == 4 || i % 8 == 5 ? 1000 : 0, options = opens ? sizeof(syn) : sizeof(stamps);
        if (tagged) {
            put16(frame + at, 0x8100);
            at += 4;
        }
        put16(frame + at, six ? 0x86dd : 0x0800);
        at += 2;
        uint8_t *ip = frame + at;
        if (six) {
            ip[0] = 0x60;
            put16(ip + 4, 20 + options + data);
            ip[6] = 6;
            ip[8] = ip[24] = 0x20;
            put16(ip + 22, i >> 8);
            ip[39] = 1;
            at += 40;
        } else {
            ip[0] = 0x45;
            put16(ip + 2, 40 + options + data);
            ip[9] = 6;
            put16(ip + 12, 0x0a00);
            put16(ip + 14, i >> 8);
            put16(ip + 16, 0x0a01);
            at += 20;
        }
        put16(frame + at, 1024 + i % 60000);
        put16(frame + at + 2, 443);
        frame[at + 12] = (uint8_t)((20 + options) / 4 << 4);
        frame[at + 13] = opens ? 0x02 : 0x10;
        memcpy(frame + at + 20, opens ? syn : stamps, options);
        at += 20 + options;
        append(load, frame, (uint32_t)at, (uint32_t)at + data);
    }
}

static bool read_capture(struct load *load, const char *path)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    pcap_t *pcap = pcap_open_offline(path, reason);
    if (!pcap) {
        fprintf(stderr, "bench_decode: %s\n", reason);
        return false;
    }
    struct pcap_pkthdr *record;
    const unsigned char *bytes;
    load->link_type = pcap_datalink(pcap);
    while (pcap_next_ex(pcap, &record, &bytes) == 1) append(load, bytes, record->caplen, record->len);
    pcap_close(pcap);
    return load->count > 0;
}

static unsigned long touch(const struct load *load)
{
    unsigned long sum = 0;
    for (size_t i = 0; i < load->count; i++)
        if (load->packets[i].captured) sum += load->bytes[load->packets[i].offset + 12 % load->packets[i].captured];
    return sum;
}

static unsigned long decode(const struct load *load)
{
    struct event_packet packet;
    unsigned long sum = 0;
    for (size_t i = 0; i < load->count; i++) {
        const struct packet *at = &load->packets[i];
        if (segment_decode(load->link_type, load->bytes + at->offset, at->captured, at->wire, &packet) == SEGMENT_OK)
            sum += packet.header.seq + packet.header.length_bytes;
    }
    return sum;
}

static unsigned long decode_walk(const struct load *load)
{
    struct event_packet packet;
    struct segment_beside beside;
    unsigned long sum = 0;
    for (size_t i = 0; i < load->count; i++) {
        const struct packet *at = &load->packets[i];
        if (segment_decode_walk(load->link_type, load->bytes + at->offset, at->captured, at->wire, &packet, &beside) == SEGMENT_OK)
            sum += packet.header.seq + packet.header.length_bytes;
    }
    return sum;
}

static const struct {
    const char *name;
    unsigned long (*run)(const struct load *load);
} ways[WAYS] = {{"touch", touch}, {"segment_decode", decode}, {"the long way", decode_walk}};

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    const double *one = a, *other = b;
    return (*one > *other) - (*one < *other);
}

int main(int argc, char **argv)
{
    static double took[WAYS][ROUNDS_MAX];
    static unsigned long sums[WAYS];
    struct load load = {.bytes = malloc(BYTES_MAX), .packets = calloc(PACKETS_MAX, sizeof(struct packet))};
    int rounds = argc > 2 ? atoi(argv[2]) : ROUNDS, status = 1;
    if (rounds < 1 || rounds > ROUNDS_MAX || argc > 3) {
        fprintf(stderr, "usage: bench_decode [CAPTURE [ROUNDS of 1 to %d]]\n", ROUNDS_MAX);
        status = 2;
        goto cleanup;
    }
    if (!load.bytes || !load.packets) {
        fprintf(stderr, "bench_decode: out of memory\n");
        goto cleanup;
    }
    if (argc < 2) make(&load);
    if (argc >= 2 && !read_capture(&load, argv[1])) goto cleanup;
    for (int round = -1; round < rounds; round++) { /* the first one warms up and does not count */
        for (int way = 0; way < WAYS; way++) {
            double start = now_ns();
            sums[way] = ways[way].run(&load);
            if (round >= 0) took[way][round] = (now_ns() - start) / (double)load.count;
        }
    }
    if (sums[1] != sums[2]) {
        fprintf(stderr, "bench_decode: the two ways disagree\n");
        goto cleanup;
    }
    printf("%zu packets, link type %d, %d rounds\n", load.count, load.link_type, rounds);
    for (int way = 0; way < WAYS; way++) {
        qsort(took[way], (size_t)rounds, sizeof(double), by_size);
        printf("%-16s %7.1f ns a packet (from %.1f to %.1f)\n", ways[way].name, took[way][rounds / 2], took[way][0],
               took[way][rounds - 1]);
    }
    printf("the long way takes %.1f times as long\n", took[2][rounds / 2] / took[1][rounds / 2]);
    status = 0;
cleanup:
    free(load.bytes);
    free(load.packets);
    return status;
}
