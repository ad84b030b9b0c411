#!/usr/bin/env python3
"""Writes those captures of this folder that are made from lines of text (TEXTS below).

    make.py            writes them
    make.py --check    exit status 1 where a file is not what its text makes

A line: MILLISECONDS END FLAGS SEQ ACK LENGTH [KEY=VALUE…]. END: c the client, s the server; c2, s2 … of another connection, whose client
has the next port. FLAGS: letters of FSRPAUEC, - none. SEQ and ACK count from the ISN of who sends and of who is acknowledged; ACK -: none.
Keys: w window, id identification (else counted on), ttl, o options (mss, sackok, ws7, tsVALUE:ECHO, sackFROM:TO, tfo), urg. `isn c 77`
gives an end another ISN from there on. Bare IPv4, documentation addresses, payload of one letter."""

import pathlib
import struct
import sys

HERE = pathlib.Path(__file__).parent
BASE_S = 1700000000
FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32, "E": 64, "C": 128}
OPTIONS = {"mss": "020405b4", "sackok": "0402", "ws7": "01030307", "tfo": "2202"}
ADDRESSES = {"c": bytes([192, 0, 2, 1]), "s": bytes([192, 0, 2, 2])}
OPEN = """
0.0 c S 0 - 0 o=mss,sackok,ws7
10.0 s SA 0 1 0 o=mss,sackok,ws7
10.1 c A 1 1 0
"""
CLOSED = OPEN + """
20 c A 1 1 100
30 s A 1 101 0
40 c FA 101 1 0
50 s FA 1 102 0
50.1 c A 102 2 0
"""
TEXTS = {
    # whoever opens as well refuses nothing: it aborts its own attempt, and its RST shows that the other SYN had come
    "reset-behind-crossing-syns": """
0 c S 0 - 0
0.6 s S 0 - 0
21 s RA 1 1 0
""",
    # a number that is acknowledged by itself and was not captured: a byte, or the FIN; and nobody closed after it
    "fin-missed-and-acknowledged-alone": OPEN + """
20 c A 1 1 100
30 s A 1 101 0
40 c A 101 2 0
1040 c A 101 2 10
""",
    # whoever goes on was not forgotten: what it seemed to answer with a RST had reached it
    "reset-by-a-box-before-the-handshake-was-seen": """
0 c S 0 - 0
10 s SA 0 1 0
40 c A 101 1 200
40.5 s R 1 - 0
60 s A 1 301 500
60.1 c R 301 - 0
""",
    # the answer to a SYN that was missed, behind the ACK of an older connection: its numbers are not this one's
    "syn-ack-behind-the-ack-of-an-older-one": """
0 s A -350000 -350000 0
1020 s SA 0 1 0
1020.1 c A 1 1 0
""",
    # the nearest that is one: captured behind what it begins
    "syn-ack-behind-the-first-data": """
0 s A 1 101 1448
0.1 s SA 0 1 0
20 c A 101 1449 0
""",
    # the nearest that is refused
    "refused-and-nothing-crossed": """
0 c S 0 - 0
0.6 s RA -5000000 1 0
""",
    # SYN,ACKs that cross, and no SYN was captured: their round trip is not known
    "syn-acks-cross-without-their-syns": """
0 s SA 0 1 0
47 c SA 0 1 0
47.1 c A 1 1 0
""",
    # what TCP never sends, answered and not: it shows no connection
    "scans-without-syn": """
0 c - 0 - 0
0.2 s RA -5000000 0 0
10 c2 F 0 - 0
10.2 s2 RA -5000000 1 0
20 c3 FPU 0 - 0
20.2 s3 RA -5000000 1 0
30 c4 F 0 - 0
""",
    # a client that never said a word behind its SYN: that the SYN,ACK was captured does not show that it arrived
    "syn-ack-three-times": """
0 c S 0 - 0
10 s SA 0 1 0
1010 s SA 0 1 0
3010 s SA 0 1 0
""",
    "syn-ack-again-then-taken": """
0 c S 0 - 0
10 s SA 0 1 0
1010 s SA 0 1 0
1010.1 c A 1 1 0
1020 c A 1 1 100
1030 s A 1 101 0
""",
    # no black hole: somebody is there
    "unanswered-but-the-next-is-answered": """
0 c S 0 - 0
1000 c S 0 - 0
3000 c S 0 - 0
4000 c2 S 0 - 0
4010 s2 SA 0 1 0
4010.1 c2 A 1 1 0
""",
    # the nearest that is one: the answer was before
    "unanswered-after-one-was-answered": """
0 c S 0 - 0
10 s SA 0 1 0
10.1 c A 1 1 0
1000 c2 S 0 - 0
2000 c2 S 0 - 0
4000 c2 S 0 - 0
""",
    "reused-out-of-time-wait": CLOSED + """
isn c 200000000
isn s 800000000
2000 c S 0 - 0
2010 s SA 0 1 0
2010.1 c A 1 1 0
""",
    "fin-again-200ms-after-close": CLOSED + """
250.1 s FA 1 102 0
250.2 c A 102 2 0
""",
    # the server holds the connection: it questions the SYN, and the client goes on as if nothing had been
    "syn-in-mid-life-challenged": OPEN + """
20 c A 1 1 100
30 s A 1 101 0
100 c S 777777 - 0
110 s A 1 101 0
120 c A 101 1 50
130 s A 1 151 0
""",
    # between its SYN and the server's FIN nothing was captured: that acknowledges more, so the SYN had been answered
    "fin-first-of-the-server": """
0 c S 0 - 0
60 s FA 1 11 0
60.1 c A 11 2 0
""",
    # two hosts behind one address, from one port: the answer is the first one's
    "two-syns-from-one-port": """
0 c S 0 - 0
1 c S 5555 - 0
10 s SA 0 1 0
10.1 c A 1 1 0
""",
    # each SYN is questioned, and nobody answers that: no black hole
    "syns-that-are-questioned": OPEN + """
20 c A 1 1 100
30 s A 1 101 0
100 c S 777777 - 0
110 s A 1 101 0
1100 c S 777777 - 0
1110 s A 1 101 0
3100 c S 777777 - 0
3110 s A 1 101 0
""",
    # RFC 9293 figure 9, and what came before: a restarted client
    "half-open-of-before-is-reset": OPEN + """
20 c A 1 1 100
30 s A 1 101 0
60000 c S 777777 - 0
60010 s A 1 101 0
60010.1 c R 101 - 0
61000 c S 777777 - 0
isn c 1777777
isn s 9000000
61010 s SA 0 1 0
61010.1 c A 1 1 0
61020 c A 1 1 10
61030 s A 1 11 0
""",
    # its end was not captured: the SYN is answered at once
    "next-connection-after-an-end-that-was-missed": OPEN + """
20 c A 1 1 100
30 s A 1 101 0
isn c 300000000
isn s 900000000
20000 c S 0 - 0
20010 s SA 0 1 0
20010.1 c A 1 1 0
20020 c A 1 1 10
20030 s A 1 11 0
""",
    # two hosts behind one address share a port
    "two-number-spaces": OPEN + """
20 c A 1 1 100
30 s A 1 101 0
40 c A 2000000001 3000000001 100
50 s A 3000000001 2000000101 0
60 c A 101 1 100
70 s A 1 201 0
80 c A 2000000101 3000000001 100
90 s A 3000000001 2000000201 7
100 c FA 201 1 0
110 s FA 1 202 0
110.1 c A 202 2 0
""",
    # after a RST that fits nobody goes on in other numbers: the next connection's SYNs were missed
    "next-connection-without-its-syns-after-a-rst": OPEN + """
20 c A 1 1 100
30 s A 1 101 0
40 c RA 101 1 0
isn c 40000000
isn s 60000000
5000 c A 1 1 100
5010 s A 1 101 500
5010.1 c A 101 501 0
""",
    # a gap of the capture in both directions: the same connection goes on
    "gap-in-both-directions": OPEN + """
20 c A 1 1 100
30 s A 1 101 500
30.1 c A 101 501 0
9000 c A 40000101 50000501 100
9010 s A 50000501 40000201 0
""",
    # a mirror's copies, a millisecond later, of packets without identification: as of its SYN and SYN,ACK
    "mirrored-a-millisecond-later": """
0.0 c S 0 - 0 id=0
1.0 c S 0 - 0 id=0
10.0 s SA 0 1 0 id=0
11.0 s SA 0 1 0 id=0
20.0 c A 1 1 0 id=0
21.0 c A 1 1 0 id=0
30.0 c PA 1 1 100 id=0
31.0 c PA 1 1 100 id=0
40.0 s A 1 101 0 id=0
41.0 s A 1 101 0 id=0
""",
    # the same without such a handshake: nobody can tell
    "once-more-a-millisecond-later": """
20.0 c A 1 1 0 id=0
30.0 c PA 1 1 100 id=0
31.0 c PA 1 1 100 id=0
40.0 s A 1 101 0 id=0
""",
    # refused by somebody between: the server itself says yes
    "refused-and-then-answered": """
0 c S 0 - 0
1 s RA -5000000 1 0
10 s SA 0 1 0
10.1 c R 1 - 0
""",
    # TIME_WAIT answers a SYN whose number is lower than the last
    "lower-syn-in-time-wait": OPEN + """
20 s FA 1 1 0
30 c FA 1 2 0
40 s A 2 2 0
isn c 900000
1000 c S 0 - 0
1010 s A 2 100002 0
1010.1 c R 100002 - 0
2000 c S 0 - 0
isn s 7777777
2010 s SA 0 1 0
2010.1 c A 1 1 0
""",
    "data-behind-a-fin": OPEN + """
20 c FA 1 1 0
30 s A 1 2 0
40 c A 2 1 100
50 s A 1 2 0
""",
    # a scan: it never waited for the answer
    "syn-ack-refused-by-who-never-waited": """
0 c S 0 - 0
10 s SA 0 1 0
10.1 c R 1 - 0
""",
    # of the one connection the end, of the other the beginning was missed; or a gap of the capture
    "numbers-that-leap": OPEN + """
20 c A 1 1 100
30 s A 1 101 0
isn c 900000000
isn s 600000000
20000 c A 1 1 100
20010 s A 1 101 500
20010.1 c A 101 501 0
""",
    # nothing follows a FIN: here it is sure
    "port-used-again-behind-a-fin": OPEN + """
20 c A 1 1 100
30 s A 1 101 0
40 c FA 101 1 0
50 s A 1 102 0
isn c 900000000
isn s 600000000
20000 c A 1 1 100
20010 s A 1 101 500
""",
    # a router rejects data in the server's name, one hop nearer; that hears nothing of it
    "reset-by-a-router": OPEN.replace("ws7\n10.1", "ws7 ttl=63\n10.1") + """
20 c A 1 1 100
30 s A 1 101 0 ttl=63
40 c PA 101 1 200
40.5 s R 1 - 0 ttl=64 id=0
""",
    # a box ends it in both ends' names; the client believes it, the server has sent its answer already
    "reset-by-a-box": OPEN + """
20 c A 1 1 100
30 s A 1 101 0 ttl=55
40 c PA 101 1 200
40.5 s R 1 - 0 ttl=250 id=0
60 s A 1 301 500 ttl=55
60.1 c R 301 - 0
""",
    # the SYN was missed, and who answers so had no connection (RFC 9293 section 3.10.7.1)
    "refusal-alone": """
0 s RA -5000000 1 0
""",
    # two listeners behind one address
    "syn-ack-with-another-number": """
0 c S 0 - 0
10 s SA 0 1 0
10.1 c A 1 1 0
1000 s SA 7777 1 0
1000.1 c A 1 1 0
1010 c A 1 1 10
1020 s A 1 11 0
""",
    # the same packets, played twice
    "played-twice": CLOSED + """
1000 c S 0 - 0
1010 s SA 0 1 0
1010.1 c A 1 1 0
""",
    # an idle connection has no end (RFC 9293 section 3.8.4): ten hours later it is the same
    "idle-for-ten-hours": OPEN + """
20 c A 1 1 100
30 s A 1 101 0
36000000 c A 101 1 100
36000010 s R 1 - 0
""",
    # the one byte that was sent, once more: its ACK was captured, and lost behind that
    "lone-byte-again": OPEN + """
20 c PA 1 1 1
30 s A 1 2 0
230 c PA 1 1 1
240 s A 1 2 0
""",
    # so late it may be a keepalive probe with a byte as well
    "lone-byte-again-or-keepalive": OPEN + """
20 c PA 1 1 1
30 s A 1 2 0
1230 c PA 1 1 1
1240 s A 1 2 0
""",
    # the listener takes the FIN with the SYN
    "syn-with-fin-taken": """
0 c SF 0 - 100
10 s SA 0 102 0
10.1 c A 102 1 0
20 s FA 1 102 50
20.1 c A 102 52 0
""",
    # and leaves it alone
    "syn-with-fin-left": """
0 c SF 0 - 0
10 s SA 0 1 0
10.1 c A 1 1 0
20 c A 1 1 100
30 s A 1 101 0
""",
    # which of the two came? Without time stamps nobody knows, with them it shows
    "again-and-acknowledged-once": OPEN + """
20 c A 1 1 100
230 c A 1 1 100
231 s A 1 101 0
240 s A 1 101 0 o=sack1:101
""",
    # the ports the other way round, out of TIME_WAIT
    "opened-back-out-of-time-wait": CLOSED + """
isn s 77000000
isn c 88000000
2000 s S 0 - 0
2010 c SA 0 1 0
2010.1 s A 1 1 0
""",
    # one direction, and the SYN-ACK twice: who acknowledges more than the SYN has had the handshake's last ACK
    "server-direction-alone": """
0 s SA 0 1 0
1024 s SA 0 1 0
1101 s A 1 11 0
1193 s FA 1 11 0
""",
    # FINs that cross, at either end: which left first, one place can't tell
    "fins-cross-at-the-client": OPEN + """
20 c A 1 1 100
30 s A 1 101 0
40 c FA 101 1 0
45 s FA 1 101 0
45.1 c A 102 2 0
55 s A 2 102 0
""",
    "fins-cross-at-the-server": OPEN + """
20 c A 1 1 100
30 s A 1 101 0
40 s FA 1 101 0
45 c FA 101 1 0
45.1 s A 2 102 0
55 c A 102 2 0
""",
    # the server's FIN waits for its process: it came as if the client's had never been there, and long after: that was first
    "fin-unheard-for-a-minute": OPEN + """
20 c A 1 1 100
30 s A 1 101 0
40 c FA 101 1 0
60000 s FA 1 101 0
60000.1 c A 102 2 0
60000.2 c FA 101 2 0
60010 s A 2 102 0
""",
    # aborts that cross, and a FIN that crosses one
    "aborts-cross": OPEN + """
20 c A 1 1 100
30 s A 1 101 0
40 c RA 101 1 0
45 s RA 1 101 0
""",
    "fin-crosses-an-abort": OPEN + """
20 c A 1 1 100
30 s A 1 101 0
40 c RA 101 1 0
45 s FA 1 101 0
""",
    # this one had come: the abort says so
    "fin-answered-with-an-abort": OPEN + """
20 c A 1 1 100
30 s A 1 101 0
40 c FA 101 1 0
45 s RA 1 102 0
""",
    # SYN,ACKs that cross, with the ACKs that answer them
    "syn-acks-cross": """
0 c S 0 - 0
5 s S 0 - 0
5.1 c SA 0 1 0
15 s SA 0 1 0
15.1 c A 1 1 0
25 s A 1 1 0
30 c A 1 1 100
40 s A 1 101 0
""",
    # an old time stamp: dropped, and told again what is expected
    "time-stamp-too-old": """
0.0 c S 0 - 0 o=mss,sackok,ts100:0,ws7
10.0 s SA 0 1 0 o=mss,sackok,ts500:100,ws7
10.1 c A 1 1 0 o=ts110:500
20 c PA 1 1 100 o=ts120:500
20.1 s A 1 101 0 o=ts520:120
1000 c PA 101 1 100 o=ts50:520
1000.1 s A 1 101 0 o=ts1500:120
""",
    # data of before that comes once more, when its sender knew of its ACK (its time stamp says so)
    "old-data-once-more": """
0.0 c S 0 - 0 o=mss,sackok,ts100:0,ws7
10.0 s SA 0 1 0 o=mss,sackok,ts500:100,ws7
10.1 c A 1 1 0 o=ts110:500
20 c PA 1 1 100 o=ts120:500
20.1 s A 1 101 0 o=ts520:120
60 c PA 101 1 100 o=ts160:520
60.1 s A 1 201 0 o=ts560:160
100 c PA 1 1 100 o=ts200:560
100.1 s A 1 201 0 o=ts600:200,sack1:101
""",
    # nobody's RST, long before: the story shows no end that was none
    "old-rst-long-before": """
0 s R 1 - 0
100 c A 1 1 100
110 s A 1 101 0
120 s A 1 101 10
120.1 c A 101 11 0
""",
}


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def options_of(text, peer_isn):
    made = b""
    for word in filter(None, text.split(",")):
        if word in OPTIONS:
            made += bytes.fromhex(OPTIONS[word])
        elif word.startswith("ts"):
            made += struct.pack("!BBBBII", 1, 1, 8, 10, *map(int, word[2:].split(":")))
        else:
            edges = [(peer_isn + int(edge)) % 2**32 for edge in word.removeprefix("sack").split(":")]
            made += struct.pack("!BBBBII", 1, 1, 5, 10, *edges)
    return made + b"\1" * (-len(made) % 4)


def capture(text):
    made = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)
    numbers, isn = {"c": 1, "s": 30000}, {"c": 1000000, "s": 5000000}
    for line in filter(None, (line.split("#")[0].strip() for line in text.splitlines())):
        words = line.split()
        if words[0] == "isn":
            isn[words[1]] = int(words[2])
            continue
        at, end, flags, seq, ack, length = words[:6]
        keys = dict(word.split("=", 1) for word in words[6:])
        port, end = 40000 + int(end[1:] or 1) - 1, end[0]
        peer = "s" if end == "c" else "c"
        ports = (port, 80) if end == "c" else (80, port)
        options = options_of(keys.get("o", ""), isn[peer])
        bits = sum(FLAGS[flag] for flag in flags if flag != "-")
        tcp = struct.pack("!HHIIBBHHH", *ports, (isn[end] + int(seq)) % 2**32, 0 if ack == "-" else (isn[peer] + int(ack)) % 2**32,
                          (20 + len(options)) // 4 << 4, bits, int(keys.get("w", 64240)), 0, int(keys.get("urg", 0)))
        tcp += options + b"x" * int(length)
        pseudo = ADDRESSES[end] + ADDRESSES[peer] + struct.pack("!BBH", 0, 6, len(tcp))
        tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), int(keys.get("id", numbers[end])), 0x4000, int(keys.get("ttl", 64)), 6, 0,
                         ADDRESSES[end], ADDRESSES[peer])
        numbers[end] += "id" not in keys
        packet = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + tcp
        at_us = round(float(at) * 1000)
        made += struct.pack("<IIII", BASE_S + at_us // 1000000, at_us % 1000000, len(packet), len(packet)) + packet
    return made


def main():
    wrong = []
    for name, text in TEXTS.items():
        path, made = HERE / (name + ".pcap"), capture(text)
        if "--check" not in sys.argv[1:]:
            path.write_bytes(made)
        elif not path.exists() or path.read_bytes() != made:
            wrong.append(name)
    print(f"{len(TEXTS)} captures, {len(wrong)} not as their text makes them", *wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
