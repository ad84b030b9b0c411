#!/usr/bin/env python3
"""crowd.py COUNT OUT.pcap [MORE]: a capture of COUNT short connections (handshake, a question, an answer, goodbye), the same bytes every
time; every hundredth is refused, every fortieth is reset. MORE: questions and answers in each, before those.
crowd.py COUNT OUT.events RUN.events: a stored run of COUNT connections with calls and the kernel's evidence: the one of RUN again and
again, with its own processes, sockets, ports, numbers and times."""

import random
import re
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


def another(line, i, isn, chance):
    """An event of the run as connection i has it."""
    line = re.sub(r" bytes=\w+", "", line)
    line = re.sub(r"\b(pid|tid)=(\d+)", lambda m: f"{m[1]}={int(m[2]) + 2 * i}", line)
    line = re.sub(r"cookie=(\d+)", lambda m: f"cookie={int(m[1]) + 20 * i}", line)
    line = re.sub(r"127\.0\.0\.1:(\d+)", lambda m: f"127.0.{i // 25000}.1:" + (m[1] if m[1] in ("0", "3333") else str(20000 + i % 25000)), line)
    line = re.sub(r"\b(rx\.)?(seq|ack)=(\d+)", lambda m: f"{m[1] or ''}{m[2]}={(int(m[3]) + isn[int(m[3]) > 2**31]) % 2**32}", line)
    line = re.sub(r" number=(\d+)", lambda m: f" number={int(m[1]) + 10 * i}", line)
    return re.sub(r"slept=(\d+)", lambda m: f"slept={int(int(m[1]) * chance.uniform(0.5, 1))}", line)


def kernel_crowd(count, path, run):
    chance = random.Random(7)
    lines = [line for line in open(run, encoding="utf-8").read().splitlines() if line]
    head = [line for line in lines if line.startswith(("#", "trace", "vantage"))]
    body = [line for line in lines if line not in head and not line.startswith("lost")]
    times = [int(re.search(r" t=(\d+)", line)[1]) for line in body]
    now = times[0]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(head) + "\n")
        for i in range(count):
            isn = chance.randrange(10**8), chance.randrange(10**8)
            for line, t, before in zip(body, times, [times[0], *times]):
                now += int((t - before) * chance.uniform(0.5, 2))
                file.write(re.sub(r" t=\d+", f" t={now}", another(line, i, isn, chance), count=1) + "\n")
            now += 200000


def main(count, path, more=0):
    segments = sorted((part for i in range(count) for part in connection(i, int(more))), key=lambda part: part[0])
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for part in segments:
            file.write(segment(*part))


if __name__ == "__main__":
    (kernel_crowd if sys.argv[2].endswith(".events") else main)(int(sys.argv[1]), *sys.argv[2:])
