#!/usr/bin/env python3
"""One connection that makes its reader work: the same again, and again, in every form. Doubling it may only double the time.

    bench/hard.py [TCPWHY] [--count N] [KIND...]

Makes captures of N and 2 N segments in one connection (default 50,000), reads each as a list and as a story (read --conn 1), and prints the
seconds of CPU and the ratio: about 2 where time grows with the input, 4 where it grows with its square.
"""

import argparse
import os
import pathlib
import random
import resource
import struct
import subprocess
import sys
import tempfile

import built

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CLIENT, SERVER = b"\x0a\0\0\1", b"\x0a\0\0\2"
ETHERNET = b"\2" * 6 + b"\4" * 6 + b"\x08\0"


class Connection:
    """What two ends send, as packets: the client's first number is 1000, the server's 5000. Payload is cut off as a short snapshot length does."""

    def __init__(self):
        self.now_us, self.packets = 1700000000 * 10**6, []

    def send(self, client, seq, ack, flags, length=0, wait_us=10, window=65000, options=b""):
        self.now_us += wait_us
        source, target, ports = (CLIENT, SERVER, (40000, 80)) if client else (SERVER, CLIENT, (80, 40000))
        number = (len(self.packets) + 1) & 0xFFFF
        checksum = (seq * 7 + ack + number * 13) & 0xFFFF or 1
        tcp = struct.pack("!HHIIBBHHH", *ports, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50 + len(options) * 4, flags, window, checksum, 0) + options
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40 + len(options) + length, number, 0x4000, 64, 6, 0, source, target)
        self.packets.append((self.now_us, ETHERNET + ip + tcp, 54 + len(options) + length))

    def raw(self, protocol, payload, source=CLIENT, number=0, offset=0, wait_us=10):
        """Some other packet to the server."""
        self.now_us += wait_us
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), number, offset, 64, protocol, 0, source, SERVER)
        self.packets.append((self.now_us, ETHERNET + ip + payload, 34 + len(payload)))

    def client(self, *args, **more):
        self.send(True, *args, **more)

    def server(self, *args, **more):
        self.send(False, *args, **more)

    def open(self):
        self.client(1000, 0, SYN)
        self.server(5000, 1001, SYN | ACK)
        self.client(1001, 5001, ACK)

    def pcap(self):
        yield struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
        for us, frame, wire in self.packets:
            yield struct.pack("<IIII", us // 10**6, us % 10**6, len(frame), wire) + frame

    def pcapng(self, interfaces):
        """Each packet on each of so many interfaces, a microsecond apart."""

        def block(kind, body):
            body += b"\0" * (-len(body) % 4)
            return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

        yield block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
        for _ in range(interfaces):
            yield block(1, struct.pack("<HHI", 1, 0, 0))
        for us, frame, wire in self.packets:
            for i in range(interfaces):
                yield block(6, struct.pack("<IIIII", i, us + i >> 32, us + i & 0xFFFFFFFF, len(frame), wire) + frame)


def overlapping(c, count):
    chance = random.Random(1)
    for _ in range(count):
        c.client(1001 + chance.randrange(60000), 5001, PSH | ACK, 1000)


def sliding(c, count):
    for i in range(count):
        c.client(1001 + i * 10, 5001, ACK, 1000)


def backwards(c, count):
    for i in range(count, 0, -1):
        c.client(1001 + i * 1000, 5001, ACK, 1000)


def holes(c, count):
    for i in range(count):
        c.client(1001 + i * 2000, 5001, ACK, 1000)


def duplicate_acks(c, count):
    c.client(1001, 5001, PSH | ACK, 1000)
    for _ in range(count):
        c.server(5001, 1001, ACK)


def late_acks(c, count):
    for i in range(count // 2):
        c.client(1001 + 1000 * i, 5001, ACK, 1000)
    for i in range(count // 2):
        c.server(5001, 1001 + 1000 * i, ACK)


def odd_acks(c, count):
    for i in range(count // 2):
        c.client(1001 + 1000 * i, 5001, ACK, 1000)
        c.server(5001, 1002 + i * 37 % 900, ACK)


def retransmissions(c, count):
    for _ in range(count):
        c.client(1001, 5001, PSH | ACK, 1000, wait_us=300000)


def syns(c, count):
    for _ in range(count):
        c.client(1000, 0, SYN)


def syn_acks(c, count):
    for _ in range(count):
        c.server(5000, 1001, SYN | ACK)


def resets_in_vain(c, count):
    for _ in range(count):
        c.server(7000, 0, RST)


def resets(c, count):
    for _ in range(count):
        c.client(1001, 5001, RST | ACK)


def fins(c, count):
    for _ in range(count):
        c.client(1001, 5001, FIN | ACK)


def keepalives(c, count):
    c.client(1001, 5001, PSH | ACK, 10)
    c.server(5001, 1011, ACK)
    for _ in range(count // 2):
        c.client(1010, 5001, ACK, wait_us=10**6)
        c.server(5001, 1011, ACK)


def window_probes(c, count):
    c.server(5001, 1001, ACK, window=0)
    for _ in range(count // 2):
        c.client(1001, 5001, ACK, 1, wait_us=200000)
        c.server(5001, 1001, ACK, window=0)


def bulk(c, count):
    """One direction, one segment of a hundred lost and sent again."""
    chance, seq, lost = random.Random(2), 1001, []
    while len(c.packets) < count:
        if chance.random() < 0.01:
            lost.append(seq)
        else:
            c.client(seq, 5001, ACK, 1000)
        seq += 1000
        if seq % 50000 == 1001 and lost:
            for again in lost:
                c.client(again, 5001, ACK, 1000)
            lost = []
            c.server(5001, seq, ACK)


def dialogue(c, count):
    for i in range(count // 2):
        c.client(1001 + 10 * i, 5001 + 10 * i, PSH | ACK, 10)
        c.server(5001 + 10 * i, 1011 + 10 * i, PSH | ACK, 10)


def clock_steps_back(c, count):
    for i in range(count):
        c.client(1001 + 1000 * i, 5001, ACK, 1000, wait_us=-10)


def interfaces(c, count):
    dialogue(c, count // 8)


def reused(c, count):
    """SYNs between the same two ports, each of another connection: its number is another."""
    for i in range(count):
        c.client(1000 + i * 100000, 0, SYN)


def selective_acks(c, count):
    """One segment lost for each that comes, and ACKs with four blocks of SACK."""
    for i in range(count // 2):
        c.client(3001 + i * 2000, 5001, ACK, 1000)
        edges = [3001 + max(0, i - k) * 2000 + side for k in range(4) for side in (0, 1000)]
        c.server(5001, 1001, ACK, options=struct.pack("!BBBB8I", 1, 1, 5, 34, *(edge & 0xFFFFFFFF for edge in edges)))


def icmp_errors(c, count):
    """Each says that the connection's data can't be delivered."""
    c.client(1001, 5001, PSH | ACK, 1000)
    for _ in range(count):
        quoted = c.packets[3][1][14:42]
        c.raw(1, struct.pack("!BBHI", 3, 1, 0, 0) + quoted)


def fragments(c, count):
    """First pieces of datagrams whose others never come."""
    c.client(1001, 5001, PSH | ACK, 1000)
    for i in range(count):
        tcp = struct.pack("!HHIIBBHHH", 40000, 80, 2001 + i * 1000, 5001, 0x50, ACK, 65000, 1 + i % 65535, 0) + bytes(4)
        c.raw(6, tcp, number=i % 65536, offset=0x2000)


def udp_flows(c, count):
    """Datagrams beside the connection, each of another flow."""
    for i in range(count):
        source = struct.pack("!BBBB", 10, 1 + (i >> 16), i >> 8 & 255, i & 255)
        c.raw(17, struct.pack("!HHHH", 40000 + i % 20000, 53, 12, 0) + bytes(4), source=source)


def handshakes(c, count):
    """Attempts from a new port each, which nobody answers."""
    for i in range(count):
        source = struct.pack("!BBBB", 10, 2, i >> 8 & 255, i & 255)
        c.raw(6, struct.pack("!HHIIBBHHH", 1024 + i % 60000, 80, i, 0, 0x50, SYN, 65000, 1 + i % 65535, 0), source=source)


def small_connections(c, count):
    """Three segments each, from a new address."""
    for i in range(count // 3):
        source = struct.pack("!BBBB", 10, 3 + (i >> 16), i >> 8 & 255, i & 255)
        for seq, ack, flags in ((1000, 0, SYN), (1001, 5001, ACK), (1001, 5001, FIN | ACK)):
            c.raw(6, struct.pack("!HHIIBBHHH", 40000, 80, seq, ack, 0x50, flags, 65000, 1 + i % 65535, 0), source=source)


def reopened(c, count):
    """One connection after the other between the same two ports, each open when the next one comes."""
    for i in range(count // 3):
        client, server = 1000 + i * 100000, 5000 + i * 70000
        c.client(client, 0, SYN)
        c.server(server, client + 1, SYN | ACK)
        c.client(client + 1, server + 1, ACK)


def pieces(c, count):
    """Of one datagram, over and over."""
    for i in range(count):
        c.raw(6, bytes(8), number=7, offset=0x2000 | i % 8000)


def sights(c, count):
    """Each packet once more, behind a router."""
    for i in range(count // 2):
        c.client(1001 + 1000 * i, 5001, ACK, 1000)
        us, frame, wire = c.packets[-1]
        c.packets.append((us + 30, frame[:22] + b"\x3f" + frame[23:], wire))


def closing_windows(c, count):
    for i in range(count // 3):
        c.client(1001 + 10 * i, 5001, ACK, 10)
        c.server(5001, 1011 + 10 * i, ACK, window=0)
        c.server(5001, 1011 + 10 * i, ACK, window=100)


KINDS = [
    overlapping, sliding, backwards, holes, duplicate_acks, late_acks, odd_acks, retransmissions, syns, syn_acks, resets_in_vain, resets,
    fins, keepalives, window_probes, bulk, dialogue, clock_steps_back, interfaces, reused, selective_acks, icmp_errors, fragments, udp_flows, handshakes,
    small_connections, reopened, pieces, sights, closing_windows,
]  # fmt: skip
UNOPENED = (syns, syn_acks, reused, small_connections, reopened)


def make(folder, kind, count):
    connection = Connection()
    if kind not in UNOPENED:
        connection.open()
    elif kind is syn_acks:
        connection.client(1000, 0, SYN)
    kind(connection, count)
    path = pathlib.Path(folder) / f"{kind.__name__}-{count}"
    with open(path, "wb") as file:
        file.writelines(connection.pcapng(8) if kind is interfaces else connection.pcap())
    return path


def seconds(tcpwhy, path, *options):
    """Of CPU, of the program itself: what else runs on the machine counts little."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run([tcpwhy, "read", path, "-q", *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode:
        sys.exit(f"{path}: exit status {result.returncode}: {result.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("words", nargs="*", metavar="TCPWHY KIND", help="the program, by its path (default: the built one); "
        + ", ".join(kind.__name__ for kind in KINDS))
    parser.add_argument("--count", type=int, default=50000)
    arguments = parser.parse_args()
    kinds = arguments.words
    tcpwhy = built.find(kinds.pop(0) if kinds and os.sep in kinds[0] else None)
    unknown = set(kinds) - {kind.__name__ for kind in KINDS}
    if unknown:
        parser.error(f"no such kind: {', '.join(sorted(unknown))}")
    os.environ["LC_ALL"] = "C.UTF-8"
    print(f"{'seconds of CPU':18}{'list N':>9}{'2 N':>8}{'ratio':>7}{'story N':>10}{'2 N':>8}{'ratio':>7}")
    for kind in KINDS:
        if kinds and kind.__name__ not in kinds:
            continue
        with tempfile.TemporaryDirectory() as folder:
            paths = [make(folder, kind, count) for count in (arguments.count, 2 * arguments.count)]
            rows = [seconds(tcpwhy, path) for path in paths]
            story = [seconds(tcpwhy, path, "--conn", "1") for path in paths]
        print(
            f"{kind.__name__:18}{rows[0]:9.3f}{rows[1]:8.3f}{rows[1] / rows[0]:7.1f}"
            f"{story[0]:10.2f}{story[1]:8.2f}{story[1] / story[0]:7.1f}"
        )


if __name__ == "__main__":
    main()
