"""read --merge: captures of two hosts, with clocks that differ, tell the story that one clock told."""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile

from cli import frame
from reading import interface, packet, section
from support import ROOT, Test, main, run, schema

sys.path.insert(0, str(ROOT / "tests" / "support"))
from split_capture import split  # noqa: E402

STORED = ROOT / "tests" / "golden" / "events"
OFFSETS = (0, 12_345_678, -987_654_321_000)


def parse(text):
    return [json.loads(line) for line in text.splitlines()]


def segments(lines):
    return [line for line in lines if line["type"] == "segment"]


def look(segment):
    """What must not depend on the clocks."""
    return (*(segment[key] for key in ("end", "flags", "seq", "ack", "len", "retransmission")), segment["received"] is None)


def states(lines, end):
    # listen() is in no capture: a story of packets alone begins behind it.
    return [line["to"] for line in lines if line["type"] == "state" and line["end"] == end and line["source"] == "segments"
            and line["to"] != "LISTEN"]


class Folder(Test):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def merge(self, paths, *arguments, status=0):
        result = run("read", "--merge", *paths, *arguments)
        self.assertEqual(result.returncode, status, self.explain(result))
        return result

    def lines(self, paths, *arguments):
        lines = parse(self.merge(paths, "--format", "jsonl", *arguments).stdout)
        for line in lines:
            self.assertEqual([error.message for error in schema().iter_errors(line)], [], line)
        return lines


class Merge(Folder):
    def files(self, events, **how):
        paths = []
        for vantage, content in split(events, **how).items():
            paths.append(pathlib.Path(self.folder.name, f"{'ab'[vantage - 1]}.pcap"))
            paths[-1].write_bytes(content)
        return paths

    def assert_same_story(self, merged, told, offset_ns, drift, mark_ns=2_000_000, within_ns=25_000_000):
        """`told` by one clock; `merged` out of two, whose second was off by so much. The recorder's own mark of a sending is older than the packet
        by `mark_ns` at most, and the way there and back takes `within_ns` at most."""
        clock = next(line for line in merged if line["type"] == "clock")
        within = clock["uncertainty_most"]
        start = told[0]["started"] if told[0].get("started") else segments(told)[0]["sent"]
        passed = clock["t"] - start
        self.assertLessEqual(abs(clock["offset"] - offset_ns - drift * passed), within)
        self.assertLess(within, within_ns)
        self.assertEqual((clock["stepped"], clock["guessed"], clock["left_out"]), (False, False, 0))
        ours, theirs = segments(merged), segments(told)
        self.assertEqual([look(s) for s in ours], [look(s) for s in theirs])
        for one, other in zip(ours, theirs):
            self.assertLessEqual(abs(one["sent"] - other["sent"]), within + mark_ns)
            if one["received"] is not None:
                self.assertLessEqual(abs(one["received"] - other["received"]), within + mark_ns)
                self.assertGreaterEqual(one["received"], one["sent"])
        for end in ("client", "server"):
            self.assertEqual(states(merged, end), states(told, end))

    def test_stored_runs_are_told_as_by_one_clock(self):
        for name in ("syn-lost", "data-reordered", "data-duplicated", "data-late", "last-ack-lost", "syn-duplicated"):
            events = STORED / f"two-hosts-{name}.events"
            told = parse(run("read", events, "--format", "jsonl").stdout)
            for offset_ns in OFFSETS:
                with self.subTest(name=name, offset_ns=offset_ns):
                    paths = self.files(events, offset_ns=offset_ns, drift=40e-6)
                    self.assert_same_story(self.lines(paths, "--conn", "1"), told, offset_ns, 40e-6)
                    # Which file stands first is a matter of whose clock the story is told by.
                    turned = self.lines(paths[::-1], "--conn", "1")
                    self.assertEqual([look(s) for s in segments(turned)], [look(s) for s in segments(told)])

    def test_runs_made_now_are_told_as_by_one_clock(self):
        for name in ("data-lost", "ipv6"):
            with self.subTest(name=name):
                events = pathlib.Path(self.folder.name, "run.events")
                played = run("demo", name, "-q", "-o", events)
                self.assertEqual(played.returncode, 0, self.explain(played))
                told = parse(run("read", events, "--format", "jsonl").stdout)
                paths = self.files(events, offset_ns=5_000_000_000, drift=-25e-6)
                busy = {"mark_ns": 500_000_000, "within_ns": 500_000_000}  # whatever else this machine does now
                self.assert_same_story(self.lines(paths, "--conn", "1"), told, 5_000_000_000, -25e-6, **busy)

    def test_another_tool_that_shifts_times_is_measured_to_the_microsecond(self):
        a, b = self.files(STORED / "two-hosts-data-late.events")
        shifted = pathlib.Path(self.folder.name, "shifted.pcap")
        subprocess.run(["editcap", "-t", "3.25", str(b), str(shifted)], check=True, capture_output=True, timeout=30)
        before, behind = (next(line for line in self.lines([a, path]) if line["type"] == "clock") for path in (b, shifted))
        self.assertLess(abs(behind["offset"] - before["offset"] - 3_250_000_000), 2000)

    def test_the_list_counts_no_segment_twice_and_says_what_the_way_lost(self):
        paths = self.files(STORED / "two-hosts-syn-lost.events", offset_ns=10**12)
        flow = next(line for line in self.lines(paths) if line["type"] == "flow")
        self.assertEqual((flow["client"]["segments"], flow["server"]["segments"]), (7, 4))
        self.assertEqual((flow["there"]["lost"], flow["back"]["lost"], flow["client"]["retransmissions"]), (1, 0, 1))
        for way in ("there", "back"):
            self.assertTrue(0 <= flow[way]["delay"] < 20_000_000, flow)
        out = self.merge(paths).stdout
        self.assertRegex(out, r"(?m)^clock of b\.pcap: 1000\.\d+ ± 0\.\d+ s ahead of a\.pcap$")
        self.assertRegex(self.merge(paths, "-v").stdout, r"(?m)^clock of b\.pcap: 1000\.\d+ ± 0\.\d+ s ahead of a\.pcap: 1000\.\d+ s ± [\d.]+ ms "
                         r"\(from 10 segments in both directions\), drift not measurable over")
        self.assertRegex(out, r"(?m) 192\.0\.2\.1:\d+ .*delay .* there .* back, lost 1 there$")
        heading, row = self.merge(paths, "--format", "csv").stdout.splitlines()
        values = dict(zip(heading.split(","), row.split(","), strict=True))
        self.assertEqual((values["lost_there"], values["lost_back"]), ("1", "0"))

    def test_a_copy_that_the_network_made_is_no_segment_of_the_list(self):
        paths = self.files(STORED / "two-hosts-data-duplicated.events", offset_ns=10**9)
        told = segments(self.lines(paths, "--conn", "1"))
        flow = next(line for line in self.lines(paths) if line["type"] == "flow")
        self.assertEqual(flow["client"]["retransmissions"], 0)
        self.assertEqual(flow["client"]["segments"] + flow["server"]["segments"], len(told) - 1)

    def test_a_lost_segment_names_the_places_between_which_it_was_lost(self):
        paths = self.files(STORED / "two-hosts-syn-lost.events", offset_ns=-(10**9))
        finding = next(line for line in self.lines(paths, "--conn", "1") if line.get("id") == "lost-to-server")
        self.assertEqual(finding["steps"], [{"segment": 1}])
        for word in ("192.0.2.1's side", "a.pcap saw it leave", "192.0.2.2's", "b.pcap never saw it come"):
            self.assertIn(word, finding["text"])

    def test_what_a_capture_dropped_was_not_lost(self):
        events = STORED / "two-hosts-data-reordered.events"
        whole = segments(self.lines(self.files(events), "--conn", "1"))
        data = [s for s in whole if s["end"] == "client" and s["len"]]
        frame = next(i for i, line in enumerate(l for l in events.read_text().splitlines() if l.startswith("packet ")
                                                and "vantage=2 " in l) if f"seq={data[0]['seq_absolute']} " in line and "len=" in line)
        lines = self.lines(self.files(events, keep=lambda vantage, index: (vantage, index) != (2, frame + 1)), "--conn", "1")
        missed = [s for s in segments(lines) if s.get("missed_at")]
        self.assertEqual([(s["seq"], s["missed_at"], s["received"]) for s in missed], [(data[0]["seq"], "b.pcap", None)])
        self.assertIn("capture-missed-client", [line["id"] for line in lines if line["type"] == "finding"])
        self.assertNotIn("lost-to-server", [line["id"] for line in lines if line["type"] == "finding"])
        self.assertIn("dropped packets", self.merge(self.files(events, keep=lambda v, i: (v, i) != (2, frame + 1))).stderr)

    def test_a_merged_story_can_be_stored_and_told_again(self):
        paths = self.files(STORED / "two-hosts-data-duplicated.events", offset_ns=10**9)
        stored = pathlib.Path(self.folder.name, "merged.events")
        told = self.merge(paths, "--conn", "1", "--format", "jsonl", "-o", stored).stdout
        self.assertEqual(run("read", stored, "--format", "jsonl").stdout, told)

    def test_a_clock_that_was_set_is_said_with_its_time(self):
        events = STORED / "two-hosts-data-late.events"
        paths = self.files(events)
        content = bytearray(paths[1].read_bytes())
        at = 24
        index = 0
        while at < len(content):
            index += 1
            if index > 6:  # from here on b's clock is 40 s ahead
                content[at : at + 4] = (int.from_bytes(content[at : at + 4], "little") + 40).to_bytes(4, "little")
            at += 16 + int.from_bytes(content[at + 8 : at + 12], "little")
        paths[1].write_bytes(content)
        clocks = [line for line in self.lines(paths, "--conn", "1") if line["type"] == "clock"]
        self.assertEqual([clock["stepped"] for clock in clocks], [False, True])
        self.assertLess(abs(clocks[1]["offset"] - clocks[0]["offset"] - 40 * 10**9), 50_000_000)
        self.assertIn("one of the two was set", self.merge(paths).stdout)

    def test_one_direction_is_said_to_be_weak(self):
        events = STORED / "two-hosts-data-late.events"
        paths = self.files(events, offset_ns=10**9)
        clock = next(line for line in self.lines(paths, "src host 192.0.2.1") if line["type"] == "clock")
        self.assertIsNone(clock["uncertainty"])
        for way in ("src", "dst"):
            words = [way, "host", "192.0.2.1"]
            said = next(line for line in self.merge(paths, *words).stdout.splitlines() if line.startswith("clock"))
            self.assertRegex(said, r"^clock of b\.pcap: about [\d.]+ m?s ahead of a\.pcap \(segments went one way only\); "
                             r"which of them is nearer to whom is a guess$")
            self.assertIn("their least delay nothing tells", self.merge(paths, "-v", *words).stdout)

    def test_a_way_that_rewrites_addresses_is_followed_and_named(self):
        events = STORED / "two-hosts-data-late.events"
        plain = self.files(events)
        told = [look(s) for s in segments(self.lines(plain, "--conn", "1"))]
        a, b = plain
        content = b.read_bytes().replace(bytes((192, 0, 2, 1)), bytes((203, 0, 113, 9)))
        b.write_bytes(content)
        result = self.merge([a, b])
        self.assertIn("192.0.2.1:", result.stdout)
        self.assertNotIn("203.0.113.9", result.stdout)
        for word in ("NAT", "192.0.2.1:", "203.0.113.9:", "told with those of a.pcap"):
            self.assertIn(word, result.stderr)
        self.assertEqual([look(s) for s in segments(self.lines([a, b], "--conn", "1"))], told)

    def test_what_has_nothing_in_common_is_status_1_and_says_what_to_check(self):
        a, _ = self.files(STORED / "two-hosts-data-late.events")
        other = pathlib.Path(self.folder.name, "other.pcap")
        other.write_bytes(split(STORED / "two-hosts-syn-lost.events")[2])
        result = self.merge([a, other], status=1)
        self.assertIn("no segment is in both captures", result.stderr)
        empty = self.merge([a, other, "port", "9"], status=1)
        self.assertIn("there is no TCP segment", empty.stderr)

    def test_merge_takes_exactly_two_captures(self):
        a, b = self.files(STORED / "two-hosts-syn-lost.events")
        for paths in ([a], [a, b, a], [a, a]):
            with self.subTest(paths=paths):
                result = self.merge(paths, status=2)
                self.assertEqual(result.stdout, "")
                self.assertIn("both captures" if paths == [a, a] else "exactly two", result.stderr)
        self.assertIn("there is no connection 7", self.merge([a, b], "--conn", "7", status=1).stderr)
        self.assertEqual(self.merge([a, b], "--conn", "1", "--summary", status=2).stdout, "")

    def test_a_damaged_capture_is_told_up_to_the_damage_and_fails(self):
        a, b = self.files(STORED / "two-hosts-data-late.events")
        b.write_bytes(b.read_bytes()[:-5])
        result = self.merge([a, b], status=1)
        self.assertIn("192.0.2.1:", result.stdout)
        self.assertIn("b.pcap: packet", result.stderr)


SYN, FIN, RST, PSH, ACK = 2, 1, 4, 8, 16


class Way:
    """A connection of two hosts, packet by packet: the server's clock is 100 s behind, the way takes 5 ms."""

    def __init__(self, drift=0.0):
        self.seen = {"a": [], "b": []}
        self.drift = drift

    def frame(self, there, flags, seq, ack, length):
        ends = ((10, 0, 0, 1), (10, 0, 0, 2), 40000, 80) if there else ((10, 0, 0, 2), (10, 0, 0, 1), 80, 40000)
        return frame(*ends, flags, seq, ack, bytes(length))

    def see(self, host, at_ms, *what):
        at_us = 1_700_000_000_000_000 + round(at_ms * 1000)
        if host == "b":
            at_us += round(at_ms * 1000 * self.drift) - 100_000_000
        self.seen[host].append((at_us, self.frame(*what)))

    def sent(self, at_ms, there, *what):
        self.see("a" if there else "b", at_ms, there, *what)

    def came(self, at_ms, there, *what):
        self.see("b" if there else "a", at_ms, there, *what)

    def went(self, at_ms, *what):
        self.sent(at_ms, *what)
        self.came(at_ms + 5, *what)

    def opened(self):
        self.went(0, True, SYN, 100, 0, 0)
        self.went(6, False, SYN | ACK, 500, 101, 0)
        self.went(12, True, ACK, 101, 501, 0)
        return self

    def closed(self, at_ms, seq):
        self.went(at_ms, True, FIN | ACK, seq, 501, 0)
        self.went(at_ms + 6, False, FIN | ACK, 501, seq + 1, 0)
        self.went(at_ms + 12, True, ACK, seq + 1, 502, 0)
        return self

    def write(self, folder):
        paths = []
        for host, packets in self.seen.items():
            records = b"".join(struct.pack("<IIII", t // 10**6, t % 10**6, len(f), len(f)) + f for t, f in sorted(packets))
            paths.append(pathlib.Path(folder, host + ".pcap"))
            paths[-1].write_bytes(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + records)
        return paths


class Made(Folder):
    def told(self, way):
        lines = self.lines(way.write(self.folder.name), "--conn", "1")
        return lines, [line["id"] for line in lines if line["type"] == "finding"]

    def test_a_large_packet_that_came_in_pieces_is_one_segment(self):
        way = Way().opened()
        way.sent(20, True, PSH | ACK, 101, 501, 3000)
        for i in range(3):
            way.came(25 + i, True, ACK | (PSH if i == 2 else 0), 101 + 1000 * i, 501, 1000)
        way.went(30, False, ACK, 501, 3101, 0)
        lines, findings = self.told(way.closed(40, 3101))
        (data,) = (s for s in segments(lines) if s["len"])
        self.assertEqual((data["len"], data["flags"]), (3000, "P."))
        # By a's clock, as far as the middle of the corridor is right: the last piece came 7 ms after it was sent.
        self.assertAlmostEqual(data["received"] - data["sent"], 7_000_000, delta=1_000_000)
        self.assertEqual(findings, [])
        flow = next(line for line in self.lines(way.write(self.folder.name)) if line["type"] == "flow")
        self.assertEqual((flow["client"]["bytes"], flow["there"]["lost"]), (3000, 0))

    def test_of_a_large_packet_what_did_not_come_is_a_segment_of_its_own(self):
        way = Way().opened()
        way.sent(20, True, PSH | ACK, 101, 501, 3000)
        way.came(25, True, ACK, 101, 501, 1000)
        way.came(26, True, PSH | ACK, 2101, 501, 1000)
        way.went(230, True, ACK, 1101, 501, 1000)
        way.went(240, False, ACK, 501, 3101, 0)
        lines, findings = self.told(way.closed(300, 3101))
        data = [(s["seq"], s["len"], s["flags"], s["received"] is None) for s in segments(lines) if s["len"]]
        self.assertEqual(data, [(1, 1000, ".", False), (1001, 1000, ".", True), (2001, 1000, "P.", False), (1001, 1000, ".", False)])
        self.assertIn("lost-to-server", findings)

    def test_a_drift_is_said_with_its_sign_and_taken_out(self):
        way = Way(drift=30e-6).opened()
        for i in range(150):
            way.went(4000 * i + 100, True, PSH | ACK, 101 + i, 501, 1)
            way.went(4000 * i + 200, False, ACK, 501, 102 + i, 0)
        lines, _ = self.told(way.closed(600_000, 251))
        clock = next(line for line in lines if line["type"] == "clock")
        self.assertLess(abs(clock["drift_ppb"] - 30_000), 1000)
        self.assertTrue(0 < clock["drift_uncertainty_ppb"] < 30_000, clock)
        self.assertTrue(all(abs(s["received"] - s["sent"] - 5_000_000) < 100_000 for s in segments(lines)))
        self.assertRegex(self.merge(way.write(self.folder.name), "-v").stdout, r"behind a\.pcap: .* ± .* drift \+(29\.|30\.)\d ppm ± \d")
        turned = self.lines(way.write(self.folder.name)[::-1], "--conn", "1")
        self.assertLess(next(line for line in turned if line["type"] == "clock")["drift_ppb"], -29_000)

    def test_a_reset_that_came_from_between_the_two_is_said_to(self):
        way = Way().opened()
        way.came(50, False, RST | ACK, 501, 101, 0)
        way.sent(60, False, PSH | ACK, 501, 101, 5)
        way.came(65, False, PSH | ACK, 501, 101, 5)
        lines, findings = self.told(way)
        self.assertIn("reset-from-between", findings)
        (reset,) = (s for s in segments(lines) if "R" in s["flags"])
        self.assertEqual((reset["end"], reset["missed_at"]), ("server", "b.pcap"))

    def test_other_connections_are_left_out_and_counted(self):
        way = Way().opened().closed(40, 101)
        way.seen["b"].append((1_699_999_900_100_000, frame((10, 0, 0, 9), (10, 0, 0, 2), 999, 80, SYN, 1, 0)))
        result = self.merge(way.write(self.folder.name), "--format", "csv")
        self.assertEqual(len(result.stdout.splitlines()), 2)
        self.assertIn("1 connection of b.pcap is not in a.pcap, and left out", result.stderr)
        self.assertIn("clock of b.pcap: 100", result.stderr)
        self.assertEqual(self.merge(way.write(self.folder.name), "--format", "csv", "-q").stderr, "")

    def test_times_outside_what_can_be_compared_are_said_and_break_nothing(self):
        # Times of the second interface lie 30,000 years back.
        begun = section() + interface() + interface((14, struct.pack("<q", -(10**12))))
        before, after = (1, 0), (0, 2**62)
        for extremes in ({}, {3: after}, {3: before, 4: after}, dict.fromkeys(range(9), before)):
            way, paths = Way().opened().closed(40, 101), []
            for host, packets in way.seen.items():
                paths.append(pathlib.Path(self.folder.name, host + ".pcapng"))
                times = [extremes.get(i, (0, t - 1_700_000_000_000_000)) for i, (t, _) in enumerate(packets)]
                paths[-1].write_bytes(begun + b"".join(packet(*time, f) for time, (_, f) in zip(times, packets)))
            changed = min(len(extremes), len(way.seen["a"]))
            many, were = ("s", "were") if changed > 1 else ("", "was")
            said = f"{changed} segment{many} of a.pcapng {were} captured before 1970 or after 2115" if changed else ""
            for arguments in ([], ["--conn", "1"], ["--summary"], ["--format", "csv"], ["--format", "jsonl", "--conn", "1"]):
                stderr = self.merge(paths, *arguments).stderr
                self.assertIn(said, stderr)
                self.assertEqual("captured before 1970" in stderr, changed > 0, stderr)


if __name__ == "__main__":
    main()
