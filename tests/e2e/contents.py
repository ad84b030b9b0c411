"""What captures hold besides plain TCP: fragments, ICMP errors, UDP flows, tunnels. Captures of documentation addresses, in captures/."""

import csv
import pathlib
import struct

from cli import frame, pcap
from support import Test, main, parse, run

CAPTURES = pathlib.Path(__file__).parent / "captures"


def table(path, *arguments):
    result = run("read", path, "--format", "csv", *arguments)
    return list(csv.DictReader(result.stdout.splitlines())), result


class Contents(Test):
    """Each is listed, and told."""

    def test_a_syn_in_two_fragments_opens_its_connection(self):
        rows, result = table(CAPTURES / "syn-in-two-ip-fragments.pcap")
        self.assertEqual([(row["opened_by"], row["client_segments"], row["client_state"]) for row in rows],
                         [("client", "2", "ESTABLISHED")], self.explain(result))
        lines = parse(run("read", CAPTURES / "syn-in-two-ip-fragments.pcap", "--conn", "1", "--format", "jsonl").stdout)
        segments = [line for line in lines if line["type"] == "segment"]
        self.assertEqual([(line["flags"], line["frame"]) for line in segments], [("S", 2), ("S.", 3), (".", 4)])
        totals = parse(run("read", CAPTURES / "syn-in-two-ip-fragments.pcap", "--format", "jsonl").stdout)[-1]
        self.assertEqual((totals["fragments"], totals["put_together"], totals["malformed"]), (2, 1, 0))

    def test_a_first_fragment_alone_is_told_as_far_as_it_goes(self):
        """Its other pieces have no ports: a filter has left them out. What its connection says next comes behind it."""
        def cut(whole):
            at = bytearray(whole)
            at[14 + 6] |= 0x20
            return bytes(at)
        packets = [cut(frame((10, 0, 0, 1), (10, 0, 0, 2), 40000, 80, 0x02, 100, 0)),
                   frame((10, 0, 0, 2), (10, 0, 0, 1), 80, 40000, 0x12, 500, 101),
                   frame((10, 0, 0, 1), (10, 0, 0, 2), 40000, 80, 0x10, 101, 501)]
        result = run("read", "-", "--format", "csv", stdin=None, input=pcap(packets), encoding=None)
        rows = list(csv.DictReader(result.stdout.decode().splitlines()))
        self.assertEqual([(row["opened_by"], row["client_state"], row["server_state"]) for row in rows],
                         [("client", "ESTABLISHED", "ESTABLISHED")])
        self.assertIn("1 IP fragments: 0 datagrams put together, 1 not", result.stderr.decode())

    def test_an_icmp_error_stands_in_its_connections_row_and_ladder(self):
        for name, what, sender, mtu in (("icmp-port-unreachable.pcap", "port unreachable", "198.51.100.20", None),
                                        ("pmtu.pcap", "fragmentation needed", "203.0.113.1", 1400)):
            with self.subTest(name=name):
                lines = parse(run("read", CAPTURES / name, "--format", "jsonl").stdout)
                said = lines[0]["icmp"]
                self.assertEqual([said[key] for key in ("count", "what", "from", "mtu")], [1, what, sender, mtu])
                told = parse(run("read", CAPTURES / name, "--conn", "1", "--format", "jsonl").stdout)
                errors = [line for line in told if line["type"] == "datagram"]
                self.assertEqual([(line["icmp"], line["from"], line["mtu"]) for line in errors], [(what, sender, mtu)])
                about = [line for line in told if line["type"] == "segment" and line["segment"] == errors[0]["about"]["segment"]]
                self.assertEqual(about[0]["seq"], 0 if what == "port unreachable" else 1)
                self.assertIn(f"ICMP {what}", run("read", CAPTURES / name).stdout)

    def test_udp_flows_have_rows_and_stories(self):
        rows, result = table(CAPTURES / "udp-only.pcap")
        self.assertEqual(rows, [])  # csv: TCP connections alone
        lines = parse(run("read", CAPTURES / "udp-only.pcap", "--format", "jsonl").stdout)
        self.assertEqual([line["conn"] for line in lines if line["type"] == "udp"], ["u1", "u2", "u3"])
        self.assertIn("no TCP segment among the 6 packets: 4 UDP datagrams in 3 flows (--conn u1 tells the story of the first), "
                      "1 ICMP error, 1 ARP", result.stderr)
        story = run("read", CAPTURES / "udp-only.pcap", "--conn", "u2")
        self.assertIn("conn u2: UDP, refused", story.stdout, self.explain(story))
        self.assertEqual(story.stderr, "")
        self.assertIn("there is no UDP flow u4: the capture has 3", run("read", CAPTURES / "udp-only.pcap", "--conn", "u4").stderr)
        log = run("read", CAPTURES / "udp-only.pcap", "--format", "zeek").stdout
        fields = [line.split("\t") for line in log.splitlines() if not line.startswith("#")]
        self.assertEqual([(row[2], row[6], row[11], row[15]) for row in fields],
                         [("192.0.2.1", "udp", "SF", "Dd"), ("192.0.2.1", "udp", "S0", "D"), ("192.0.2.1", "udp", "SHR", "^d")])

    def test_udp_does_not_disturb_the_numbers_of_tcp(self):
        udp = (CAPTURES / "udp-only.pcap").read_bytes()[24:]
        length = struct.unpack("<I", udp[8:12])[0]
        tcp = [frame((10, 0, 0, 1), (10, 0, 0, 2), 40000 + i, 80, 0x02, 100, 0) for i in range(2)]
        result = run("read", "-", "--format", "csv", stdin=None, input=pcap([tcp[0], udp[16:16 + length], tcp[1]]), encoding=None)
        rows = list(csv.DictReader(result.stdout.decode().splitlines()))
        self.assertEqual([(row["conn"], row["client_port"]) for row in rows], [("1", "40000"), ("2", "40001")])

    def test_tunnels_are_looked_into(self):
        for name in ("gtp-u", "vxlan-reserved-bits-set", "802.1br-etag", "teredo"):
            with self.subTest(name=name):
                rows, result = table(CAPTURES / (name + ".pcap"))
                self.assertEqual(sum(int(row["client_segments"]) + int(row["server_segments"]) for row in rows), 7)
                self.assertEqual(result.stderr, "")

    def test_what_may_hide_tcp_is_named_and_counted(self):
        esp = bytearray(frame((10, 0, 0, 1), (10, 0, 0, 2), 40000, 80, 0x02, 100, 0))
        esp[14 + 9] = 50
        arp = bytes(12) + b"\x08\x06" + bytes(46)
        syn = frame((10, 0, 0, 1), (10, 0, 0, 2), 40000, 80, 0x02, 100, 0)
        for flags, says in (([], "not looked into: 2 IPsec ESP\n"), (["-v"], "not looked into: 3 ARP, 2 IPsec ESP\n")):
            result = run("read", "-", *flags, stdin=None, input=pcap([syn, bytes(esp), arp, bytes(esp), arp, arp]), encoding=None)
            self.assertIn(says, result.stderr.decode())


main()
