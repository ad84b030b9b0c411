"""read --format lab: the answer sheet, held to tshark's own fields, packet by packet."""

import collections
import re
import subprocess

from support import ROOT, Test, main, run

EXAMPLES = ROOT / "tests/corpus/files/PcapPlusPlus/Tests/Pcap++Test/PcapExamples"
CAPTURES = [
    EXAMPLES / "many_interfaces-1.pcapng",
    EXAMPLES / "nanosecs_big_endian.pcap",
    ROOT / "tests/golden/captures/data-late-client.pcap",
    ROOT / "tests/golden/captures/syn-lost-server.pcap",
    ROOT / "tests/inputs/retransmission-collapsed.pcap",
    ROOT / "tests/inputs/fin-after-loss-with-9-segments-behind.pcap",
    ROOT / "tests/inputs/keepalive-one-byte.pcap",
    ROOT / "tests/inputs/simultaneous-open.pcap",
]
# Most of its time stamps are of a year that no clock holds.
FIRST_ALONE = EXAMPLES / "pcapng-example.pcapng"
FIELDS = """frame.number tcp.stream tcp.srcport tcp.dstport ip.src ipv6.src tcp.seq tcp.seq_raw tcp.ack tcp.ack_raw tcp.len tcp.time_relative
            tcp.analysis.acks_frame tcp.analysis.ack_rtt tcp.window_size tcp.analysis.retransmission tcp.flags.syn tcp.flags.fin tcp.flags.reset""".split()


def packets(path):
    """By stream: tshark's packets, each a dictionary of its fields."""
    command = ["tshark", "-n", "-r", path, "-Y", "tcp", "-T", "fields", "-E", "occurrence=f"]
    done = subprocess.run([*command, *(w for f in FIELDS for w in ("-e", f))], capture_output=True, text=True, check=True, timeout=60)
    streams = collections.defaultdict(dict)
    for line in done.stdout.splitlines():
        packet = dict(zip(FIELDS, line.split("\t")))
        streams[packet["tcp.stream"]][int(packet["frame.number"])] = packet
    return streams


def sheets(text):
    for part in re.split(r"^(?=CONNECTION )", text, flags=re.M):
        if part.strip():
            sections = re.split(r"^\d\. ", part, flags=re.M)
            yield sections


class Lab(Test):
    def check(self, path, sections, streams):
        first = next(iter(re.findall(r"packet (\d+)", sections[1])), None) or re.findall(r"^ +\d+ +(\d+) ", sections[3], re.M)[0]
        stream = next(packets for packets in streams.values() if int(first) in packets)
        where = f"{path.name}, stream {stream[int(first)]['tcp.stream']}"
        for number in map(int, re.findall(r"packet (\d+)", "".join(sections[1:]))):
            self.assertIn(number, stream, where)
        self.addresses(sections[1], stream, where)
        self.handshake(sections[2], stream, where)
        rtts = self.samples(sections[3], stream, where)
        self.estimates(sections[4], rtts, where)
        self.window(sections[5], sections[3], stream, where)
        self.repeats(sections[6], sections[3], stream, where)
        self.acks(sections[7], stream, where)
        self.throughput(sections[8], stream, where)

    def addresses(self, section, stream, where):
        for address, port, number in re.findall(r"IP address (\S+), TCP port (\d+) \(packet (\d+)\)", section):
            packet = stream[int(number)]
            self.assertEqual((packet["ip.src"] or packet["ipv6.src"], packet["tcp.srcport"]), (address, port), where)

    def handshake(self, section, stream, where):
        for number, seq, raw in re.findall(r"SYN(?:-ACK)?, packet (\d+): sequence number (\d+) \((\d+)\)", section):
            packet = stream[int(number)]
            self.assertEqual((packet["tcp.seq"], packet["tcp.seq_raw"], packet["tcp.flags.syn"][0].upper()), (seq, raw, packet["tcp.flags.syn"][0].upper()), where)
            self.assertIn(packet["tcp.flags.syn"], ("1", "True"), where)
        for number, ack, raw in re.findall(r"packet (\d+): .*acknowledgment (\d+) \((\d+)\)", section):
            self.assertEqual((stream[int(number)]["tcp.ack"], stream[int(number)]["tcp.ack_raw"]), (ack, raw), where)

    def samples(self, section, stream, where):
        rtts = {}
        for number, seq, length, sent, rest in re.findall(r"^ +\d+ +(\d+) +(\d+) +(\d+) +([\d.]+) s +(.*)$", section, re.M):
            packet = stream[int(number)]
            self.assertEqual((packet["tcp.seq"], packet["tcp.len"]), (seq, length), where)
            self.assertAlmostEqual(float(packet["tcp.time_relative"]), float(sent), delta=2e-6, msg=where)
            match = re.match(r"(\d+) +([\d.]+) s +(.*)", rest)
            if not match:
                continue
            ack = stream[int(match[1])]
            covering = [
                n for n, p in stream.items()
                if n > int(number) and p["tcp.srcport"] != packet["tcp.srcport"] and p["tcp.ack"] and int(p["tcp.ack"]) >= int(seq) + int(length)
            ]
            self.assertEqual(int(match[1]), covering[0], where)
            self.assertAlmostEqual(float(ack["tcp.time_relative"]), float(match[2]), delta=2e-6, msg=where)
            rtt = re.match(r"([\d.]+) ms", match[3])
            if not rtt:
                self.assertIn("sent again", match[3], where)
                continue
            rtts[number] = float(rtt[1])
            self.assertAlmostEqual(float(ack["tcp.time_relative"]) - float(packet["tcp.time_relative"]), rtts[number] / 1e3, delta=3e-6, msg=where)
            if ack["tcp.analysis.acks_frame"] == number:
                self.rtts_of_tshark += 1
                self.assertAlmostEqual(float(ack["tcp.analysis.ack_rtt"]), rtts[number] / 1e3, delta=2e-6, msg=where)
        return rtts

    def estimates(self, section, rtts, where):
        estimated = None
        lines = re.findall(r"packet (\d+): .*= ([\d.]+) ms", section)
        self.assertEqual([number for number, _ in lines], list(rtts), where)
        for number, printed in lines:
            estimated = rtts[number] if estimated is None else 0.875 * estimated + 0.125 * rtts[number]
            self.assertAlmostEqual(float(printed), estimated, delta=0.002, msg=where)

    def sender(self, section, stream):
        rows = re.findall(r"^ +\d+ +(\d+) ", section, re.M)
        return stream[int(rows[0])]["tcp.srcport"] if rows else None

    def window(self, section, third, stream, where):
        sender, match = self.sender(third, stream), re.search(r"(\d+) bytes, packet (\d+)", section)
        if not match or not sender or "as in the packet" in section:
            return
        offered = [int(p["tcp.window_size"]) for p in stream.values() if p["tcp.srcport"] != sender and not {p["tcp.flags.syn"], p["tcp.flags.reset"]} & {"1", "True"}]
        self.assertEqual(int(match[1]), min(offered), where)
        self.assertEqual(stream[int(match[2])]["tcp.window_size"], match[1], where)

    def repeats(self, section, third, stream, where):
        sender = self.sender(third, stream)
        told = {int(n) for n in re.findall(r"packet (\d+): sequence", section)}
        seen = {n for n, p in stream.items() if p["tcp.analysis.retransmission"] and int(p["tcp.len"]) and p["tcp.srcport"] == sender}
        self.assertEqual(told, seen, where)
        self.repeats_seen += len(told)

    def acks(self, section, stream, where):
        before = None
        for number, ack, count in re.findall(r"packet (\d+): acknowledgment (\d+), (\d+) bytes", section):
            self.assertEqual(stream[int(number)]["tcp.ack"], ack, where)
            if before is not None:
                self.assertIn(int(ack) - before - int(count), (0, 1), where)  # 1: the FIN's number
            before = int(ack)

    def throughput(self, section, stream, where):
        match = re.search(r"(\d+) bytes were acknowledged \(packet (\d+)\), ([\d.]+) s after the first of them left \(packet (\d+)\)", section)
        if not match:
            return
        count, last, seconds, first = int(match[1]), stream[int(match[2])], float(match[3]), stream[int(match[4])]
        self.assertAlmostEqual(float(last["tcp.time_relative"]) - float(first["tcp.time_relative"]), seconds, delta=3e-6, msg=where)
        self.assertIn(int(last["tcp.ack"]) - int(first["tcp.seq"]) - count, (0, 1), where)
        rate = float(re.search(r"= ([\d.]+) bytes/s", section)[1])
        self.assertAlmostEqual(rate, count / seconds, delta=max(0.1, rate * 1e-4), msg=where)

    def test_every_answer_is_tsharks(self):
        self.rtts_of_tshark = self.repeats_seen = checked = 0
        for path in (FIRST_ALONE, *CAPTURES):
            result = run("read", path, "--format", "lab", *(["--conn", "1"] if path == FIRST_ALONE else []))
            self.assertEqual(result.returncode, 0, self.explain(result))
            streams, found = packets(path), list(sheets(result.stdout))
            self.assertEqual(len(found), 1 if path == FIRST_ALONE else len(streams), path)
            for sections in found:
                self.check(path, sections, streams)
                checked += 1
        self.assertGreater(checked, 6)
        self.assertGreater(self.rtts_of_tshark, 5)
        self.assertGreater(self.repeats_seen, 0)

    def test_one_connection_a_file_and_what_has_no_tcp(self):
        path = FIRST_ALONE
        some = run("read", path, "--format", "lab", "--conn", "2")
        self.assertEqual((some.returncode, some.stdout.count("CONNECTION")), (0, 1))
        udp = run("read", ROOT / "tests/golden/events/udp.events", "--format", "lab")
        self.assertEqual((udp.returncode, udp.stdout), (0, "no TCP connection was captured\n"))


if __name__ == "__main__":
    main()
