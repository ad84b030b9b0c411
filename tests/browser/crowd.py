#!/usr/bin/env python3
"""crowd.py COUNT OUT.pcap [MORE]: a capture of COUNT short connections (handshake, a question, an answer, goodbye), the same bytes every
time; every hundredth is refused, every fortieth is reset. MORE: questions and answers in each, before those."""

import struct
import sys


def segment(t_us, source, destination, flags, seq, ack, payload=b""):
    (from_ip, from_port), (to_ip, to_port) = source, destination
    tcp = struct.pack("!HHIIBBHHH", from_port, to_port, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 64240, 0, 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0, bytes(from_ip), bytes(to_ip)) + tcp
    return struct.pack("<IIII", t_us // 1000000, t_us % 1000000, len(ip), len(ip)) + ip


def connection(i, more):
    begin = 1700000000000000 + i * 700
    client = ((10, 0, i >> 14 & 255, 1 + (i >> 6 & 127)), 40000 + i % 20000)
    server = ((192, 0, 2, 1 + i % 9), (80, 443, 5432)[i % 3])
    x, y = 1000 + 7919 * i, 500 + 104729 * i
    if i % 100 == 99:
        return [(begin, client, server, 2, x, 0), (begin + 40, server, client, 0x14, 0, x + 1)]
    parts = [(-20 * more, client, server, 2, x, 0), (60 - 20 * more, server, client, 0x12, y, x + 1), (90 - 20 * more, client, server, 0x10, x + 1, y + 1)]
    for k in range(more):
        parts += [(100 + 20 * (k - more), client, server, 0x18, x + 1, y + 1, b"question"), (110 + 20 * (k - more), server, client, 0x18, y + 1, x + 9, b"answer")]
        x, y = x + 8, y + 6
    begin += 20 * more
    parts += [(120, client, server, 0x18, x + 1, y + 1, b"question"), (160, server, client, 0x10, y + 1, x + 9)]
    parts += [(400, server, client, 0x18, y + 1, x + 9, b"answer"), (430, client, server, 0x10, x + 9, y + 7)]
    if i % 40 == 39:
        parts += [(500, client, server, 0x14, x + 9, y + 7)]
    else:
        parts += [(500, client, server, 0x11, x + 9, y + 7), (530, server, client, 0x11, y + 7, x + 10), (560, client, server, 0x10, x + 10, y + 8)]
    return [(begin + after, *rest) for after, *rest in parts]


def main(count, path, more=0):
    segments = sorted((part for i in range(count) for part in connection(i, int(more))), key=lambda part: part[0])
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for part in segments:
            file.write(segment(*part))


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
