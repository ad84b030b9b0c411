/* Prints what segment_decode says of every packet of a capture, a line of tab-separated fields a packet:
 *
 *     number  link  result  protocol  src  sport  dst  dport  flags(hex, 12 bits)  seq  ack  window(-1: cut)  length  options(hex)
 * tunnel  levels
 *
 * For tests/corpus/compare_decode.py.
 *
 *     decode_dump FILE      exit status 0; 1: the file is damaged, and the last line says how; 2: it can't be opened */
#include <stdio.h>
#include <string.h>

#include "capture/stored/savefile.h"
#include "tcp/segment.h"

static void print_packet(const struct savefile_packet *at)
{
    struct event_packet packet;
    memset(&packet, 0, sizeof(packet));
    enum segment_result result = segment_decode(at->link_type, at->bytes, at->captured, at->wire, &packet);
    const struct event_packet_header *header = &packet.header;
    char src[ADDRESS_TEXT_BYTES], dst[ADDRESS_TEXT_BYTES];
    printf("%lu\t%d\t%s\t%u\t%s\t%u\t%s\t%u\t%x\t%u\t%u\t%d\t%u\t%x\t%u\t%u\n", (unsigned long)at->number, at->link_type,
           segment_result_word(result), header->protocol, address_format_ip(&header->src, src), header->src.port,
           address_format_ip(&header->dst, dst), header->dst.port, (unsigned)packet.flags_high << 8 | header->flags, header->seq,
           header->ack, packet.window_cut ? -1 : header->window, header->length_bytes, packet.options.present, packet.tunnel.kind,
           packet.tunnel.levels);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: decode_dump FILE\n");
        return 2;
    }
    struct savefile *file;
    struct savefile_packet packet;
    struct err err = {""};
    enum savefile_result result;
    if (savefile_open(&file, argv[1], NULL, &err)) {
        fprintf(stderr, "decode_dump: %s\n", err.text);
        return 2;
    }
    while ((result = savefile_next(file, &packet)) == SAVEFILE_PACKET) print_packet(&packet);
    if (result == SAVEFILE_DAMAGED) savefile_damage_say(file, &err);
    if (result == SAVEFILE_FAILED) savefile_failure(file, &err);
    if (result != SAVEFILE_END) printf("error\t%s\n", err.text);
    savefile_close(file);
    return result == SAVEFILE_END ? 0 : 1;
}
