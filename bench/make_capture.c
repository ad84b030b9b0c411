/* Makes large captures out of small real ones: rounds of connect, echo and close are captured on the loopback of a network of their
 * own, and written again and again with other addresses, ports, sequence numbers and times, so many of them at once.
 *
 *     bench_make_capture FILE CONNECTIONS OPEN_AT_ONCE [PACKETS_A_SECOND [shuffled]]
 *
 * Those that are open take turns; shuffled: at each step one of them, chosen at random, sends its next segment. Checksums are made
 * right. The same arguments make the same number of packets; what the kernel put into them may differ. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 8, ROUND_PACKETS_MAX = 32, FRAME_MAX = 256, PORT = 3333, ETHERNET = 14 };

struct frame {
    uint32_t length;
    uint8_t bytes[FRAME_MAX];
};
struct round {
    size_t count;
    struct frame frames[ROUND_PACKETS_MAX];
};

static int die(const char *what)
{
    fprintf(stderr, "bench_make_capture: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void own_network(void)
{
    if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) die("can't make a network namespace");
    struct ifreq request = {0};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0) die("can't bring the loopback up");
    close(fd);
}

static void serve(int listener)
{
    char text[64];
    for (int i = 0; i < ROUNDS; i++) {
        int fd = accept(listener, NULL, NULL);
        ssize_t length;
        while ((length = read(fd, text, sizeof(text))) > 0)
            if (write(fd, text, (size_t)length) != length) break;
        close(fd);
    }
}

static void talk(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char text[64] = "hello";
    for (int i = 0; i < ROUNDS; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) die("can't connect");
        usleep(2000); /* so that no acknowledgement rides on the peer's data by chance */
        if (write(fd, text, 6) != 6 || read(fd, text, sizeof(text)) != 6) die("no echo");
        shutdown(fd, SHUT_WR);
        while (read(fd, text, sizeof(text)) > 0) continue;
        close(fd);
        usleep(2000);
    }
}

static pcap_t *open_capture(void)
{
    char text[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = pcap_create("lo", text);
    if (!pcap || pcap_set_snaplen(pcap, FRAME_MAX) || pcap_set_immediate_mode(pcap, 1) || pcap_set_timeout(pcap, 100) ||
        pcap_activate(pcap) < 0 || pcap_setnonblock(pcap, 1, text) < 0) {
        fprintf(stderr, "bench_make_capture: can't capture: %s\n", text);
        exit(1);
    }
    return pcap;
}

static void record(struct round rounds[ROUNDS])
{
    own_network();
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(listener, 16) < 0) die("can't listen");
    pcap_t *pcap = open_capture();
    pid_t child = fork();
    if (child < 0) die("can't fork");
    if (child == 0) {
        serve(listener);
        _exit(0);
    }
    talk();
    waitpid(child, NULL, 0);
    usleep(100000);
    struct pcap_pkthdr *header;
    const u_char *bytes;
    uint16_t ports[ROUNDS] = {0};
    while (pcap_next_ex(pcap, &header, &bytes) == 1) {
        uint16_t source = (uint16_t)(bytes[34] << 8 | bytes[35]),
                 port = source == PORT ? (uint16_t)(bytes[36] << 8 | bytes[37]) : source;
        size_t i = 0;
        while (i < ROUNDS && ports[i] && ports[i] != port) i++;
        if (i == ROUNDS || rounds[i].count == ROUND_PACKETS_MAX || header->caplen > FRAME_MAX) continue;
        ports[i] = port;
        struct frame *frame = &rounds[i].frames[rounds[i].count++];
        frame->length = header->caplen;
        memcpy(frame->bytes, bytes, header->caplen);
    }
    pcap_close(pcap);
    for (size_t i = 0; i < ROUNDS; i++)
        if (!rounds[i].count) {
            fprintf(stderr, "bench_make_capture: only %zu of %d rounds were captured\n", i, ROUNDS);
            exit(1);
        }
}

static uint32_t sum(const uint8_t *bytes, size_t length, uint32_t start)
{
    for (size_t i = 0; i + 1 < length; i += 2) start += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
    if (length & 1) start += (uint32_t)bytes[length - 1] << 8;
    return start;
}

static void put_checksum(uint8_t *at, uint32_t total)
{
    while (total >> 16) total = (total & 0xffff) + (total >> 16);
    at[0] = (uint8_t)(~total >> 8);
    at[1] = (uint8_t)~total;
}

static void put32(uint8_t *at, uint32_t value)
{
    value = htonl(value);
    memcpy(at, &value, 4);
}

static uint32_t get32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, 4);
    return ntohl(value);
}

/* The frame as connection number `connection` would have sent it. */
static void rewrite(uint8_t *bytes, uint32_t length, uint32_t connection)
{
    uint8_t *ip = bytes + ETHERNET, *tcp = ip + 20;
    int from_server = (tcp[0] << 8 | tcp[1]) == PORT;
    uint32_t client = 0x0a000000u + connection / 28000 * 7 + 1, server = 0xc0a80000u + connection % 251 + 1;
    uint16_t port = (uint16_t)(32768 + connection % 28000);
    uint32_t shift_client = connection * 2654435761u, shift_server = connection * 2246822519u;
    put32(ip + 12, from_server ? server : client);
    put32(ip + 16, from_server ? client : server);
    uint8_t *client_port = tcp + (from_server ? 2 : 0);
    client_port[0] = (uint8_t)(port >> 8);
    client_port[1] = (uint8_t)port;
    put32(tcp + 4, get32(tcp + 4) + (from_server ? shift_server : shift_client));
    if (tcp[13] & 0x10) put32(tcp + 8, get32(tcp + 8) + (from_server ? shift_client : shift_server));
    ip[10] = ip[11] = tcp[16] = tcp[17] = 0;
    put_checksum(ip + 10, sum(ip, 20, 0));
    uint32_t tcp_length = length - ETHERNET - 20;
    put_checksum(tcp + 16, sum(tcp, tcp_length, sum(ip + 12, 8, IPPROTO_TCP + tcp_length)));
}

/* One of those that are open. */
struct lane {
    const struct round *round;
    size_t at;
    uint32_t connection;
};

struct mix {
    struct round rounds[ROUNDS];
    struct lane *lanes;
    uint32_t open, begun, connections;
    double rate;
    FILE *file;
    uint64_t packets, bytes;
    uint64_t chance; /* state of the generator */
};

/* xorshift64*: the same mix each time. */
static uint32_t pick(struct mix *mix, uint32_t below)
{
    mix->chance ^= mix->chance >> 12;
    mix->chance ^= mix->chance << 25;
    mix->chance ^= mix->chance >> 27;
    return (uint32_t)((mix->chance * 0x2545f4914f6cdd1du >> 32) * below >> 32);
}

static struct lane next_connection(struct mix *mix)
{
    uint32_t number = mix->begun++;
    return (struct lane){&mix->rounds[number % ROUNDS], 0, number};
}

/* Its next segment. After its last another connection takes its place. */
static void step(struct mix *mix, uint32_t i)
{
    struct lane *lane = &mix->lanes[i];
    struct frame frame = lane->round->frames[lane->at];
    rewrite(frame.bytes, frame.length, lane->connection);
    double seconds = (double)mix->packets / mix->rate;
    uint32_t head[4] = {1700000000 + (uint32_t)seconds, (uint32_t)((seconds - (uint32_t)seconds) * 1e9), frame.length,
                        frame.length};
    fwrite(head, sizeof(head), 1, mix->file);
    fwrite(frame.bytes, frame.length, 1, mix->file);
    mix->packets++;
    mix->bytes += sizeof(head) + frame.length;
    if (++lane->at < lane->round->count) return;
    *lane = mix->begun < mix->connections ? next_connection(mix) : mix->lanes[--mix->open];
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: bench_make_capture FILE CONNECTIONS OPEN_AT_ONCE [PACKETS_A_SECOND [shuffled]]\n");
        return 2;
    }
    static struct mix mix = {.chance = 1};
    mix.connections = (uint32_t)strtoul(argv[2], NULL, 10);
    mix.open = (uint32_t)strtoul(argv[3], NULL, 10);
    mix.rate = argc > 4 ? strtod(argv[4], NULL) : 100000;
    bool shuffled = argc > 5 && !strcmp(argv[5], "shuffled");
    if (!mix.connections || !mix.open || mix.rate <= 0 || (argc > 5 && !shuffled)) return 2;
    if (mix.open > mix.connections) mix.open = mix.connections;
    uint32_t most = mix.open;
    mix.file = fopen(argv[1], "wb"); /* before the namespace, as who we are */
    if (!mix.file) die(argv[1]);
    setvbuf(mix.file, NULL, _IOFBF, 1 << 20);
    record(mix.rounds);
    const uint32_t head[6] = {0xa1b23c4d, 2 | 4 << 16, 0, 0, 65535, 1};
    fwrite(head, sizeof(head), 1, mix.file);
    mix.bytes = sizeof(head);
    mix.lanes = calloc(mix.open, sizeof(*mix.lanes));
    if (!mix.lanes) die("no memory");
    for (uint32_t i = 0; i < mix.open; i++) mix.lanes[i] = next_connection(&mix);
    while (mix.open) {
        if (shuffled) step(&mix, pick(&mix, mix.open));
        for (uint32_t i = 0; !shuffled && i < mix.open; i++) step(&mix, i);
    }
    free(mix.lanes);
    if (fclose(mix.file)) die(argv[1]);
    printf("%s: %llu packets, %u connections, %u at once, %.1f MB\n", argv[1], (unsigned long long)mix.packets, mix.connections,
           most, (double)mix.bytes / 1e6);
    return 0;
}
