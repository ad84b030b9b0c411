"""Where the time went: each kind of waiting, staged, is what most of the time is said to be, and its near miss is not."""

import json
import pathlib
import tempfile

from support import ROOT, Story, Test, main, run

PARTS = ("name-lookup", "full-queue", "syn-again", "retransmission", "reader", "delayed-ack", "nagle", "accept", "unread", "run-queue", "close", "server",
         "client", "network", "answer", "idle", "unknown")


def times(text):
    return {line["conn"]: line for line in map(json.loads, text.splitlines()) if line["type"] == "time"}


class Spent(Test):
    def played(self, name, conn=1, recorder="bpf"):
        result = run("demo", name, "-q", "--recorder", recorder, "--format", "jsonl", timeout=100)
        self.assertEqual(result.returncode, 0, self.explain(result))
        time = times(result.stdout)[conn]
        self.assertEqual(sum(time["spent"].values()), time["total"])
        self.assertTrue(set(time["spent"]) <= set(PARTS))
        return time["spent"], time

    def share(self, name, *parts, **options):
        spent, time = self.played(name, **options)
        return sum(spent.get(part, 0) for part in parts) / time["total"]

    def test_each_kind_of_waiting_is_named(self):
        # The scenario; the connection; what was waited for; from which share of the whole on (a busy machine makes the rest longer).
        for name, conn, part, least in (
            ("syn-lost", 1, "syn-again", 0.5),
            ("black-hole", 1, "syn-again", 0.9),
            ("accept-queue-full", 2, "full-queue", 0.5),
            ("late-accept", 1, "accept", 0.3),
            ("data-lost", 1, "retransmission", 0.2),
            ("path-dies", 1, "retransmission", 0.8),
            ("zero-window", 1, "reader", 0.5),
            ("slow-answer", 1, "server", 0.6),
            ("fork-leak", 1, "close", 0.5),
        ):
            with self.subTest(name=name):
                self.assertGreater(self.share(name, part, conn=conn), least)

    def test_nagle_and_the_delayed_ack_are_told_apart_from_the_way_and_are_gone_where_they_are_switched_off(self):
        spent, _ = self.played("nagle-delayed-ack")
        self.assertGreater(spent["nagle"], 20_000_000)
        self.assertGreater(spent["delayed-ack"], 20_000_000)
        for name in ("nagle-switched-off", "one-write"):
            spent, _ = self.played(name)
            self.assertEqual((spent.get("nagle", 0), spent.get("delayed-ack", 0)), (0, 0), name)

    def test_nothing_is_claimed_that_did_not_happen(self):
        spent, _ = self.played("echo")
        for part in ("full-queue", "syn-again", "retransmission", "reader", "nagle", "answer"):
            self.assertNotIn(part, spent)

    def test_the_first_byte_is_counted_from_the_request(self):
        _, time = self.played("slow-answer")
        self.assertGreater(time["first_byte"], 600_000_000)
        self.assertLessEqual(time["first_byte"], time["total"])

    def test_in_every_stored_run_and_capture_the_parts_add_up(self):
        count = 0
        for path in sorted([*(ROOT / "tests/golden/events").glob("*.events"), *(ROOT / "tests/inputs").glob("*.pcap"),
                            *(ROOT / "tests/golden/captures").glob("*.pcap")]):
            options = ["-n", "1-"] if path.suffix == ".pcap" else []
            for time in times(run("read", path, *options, "-q", "--format", "jsonl").stdout).values():
                with self.subTest(path=path.name, conn=time["conn"]):
                    self.assertEqual(sum(time["spent"].values()), time["total"])
                    count += 1
        self.assertGreater(count, 60)

    def test_the_ladder_says_it_where_one_part_is_most_of_it_and_with_v(self):
        dominated, plain = ROOT / "tests/golden/events/accept-late.events", ROOT / "tests/golden/events/echo.events"
        self.assertRegex(run("read", dominated, "-q").stdout, r"\ntime +\d+ ms: \d+ ms waiting for accept\(\)")
        self.assertNotRegex(run("read", plain, "-q").stdout, r"\ntime ")
        never = ROOT / "tests/golden/events/listener-closed-deferred.events"
        self.assertRegex(run("read", never, "-q", "-v").stdout, r"\ntime +259 ms: 9\d(\.\d)? ms waiting for accept\(\)")
        self.assertRegex(run("read", plain, "-q", "-v").stdout, r"\ntime +[\d.]+ ms: ")


class Congestion(Test):
    def test_what_a_sender_knew_of_the_way_stands_beside_its_data_and_holds_for_it(self):
        with tempfile.TemporaryDirectory() as folder:
            lines, text, graph = (pathlib.Path(folder, name) for name in ("x.jsonl", "x.txt", "x.tsg.svg"))
            result = run("demo", "bulk-transfer", "-v", "-q", "--recorder", "bpf", "-o", lines, "-o", text, "-o", graph, timeout=100)
            self.assertEqual(result.returncode, 0, self.explain(result))
            story, told, drawn = Story(lines.read_text()), text.read_text(), graph.read_text()
        segments = [line for line in story.lines if line["type"] == "segment"]
        data = [s for s in segments if s["len"]]
        self.assertEqual([s["segment"] for s in segments if "congestion" in s and not s["len"]], [])
        self.assertEqual([s["segment"] for s in data if "congestion" not in s], [])
        self.assertEqual(data[0]["congestion"]["window"], 10)  # TCP_INIT_CWND, RFC 6928
        self.assertGreater(max(s["congestion"]["window"] for s in data), 40)  # slow start
        for sent in data:
            if sent["retransmission"]:
                continue
            acked = max([s["ack"] for s in segments if s["end"] != sent["end"] and (s["received"] or s["sent"]) <= sent["sent"]], default=1)
            room = sent["congestion"]["window"] * sent["congestion"]["mss"]
            self.assertLessEqual(sent["seq"] + sent["len"] - acked, room, sent)
        self.assertRegex(told, r"congestion window 10 × 1448 bytes(.|\n)*, RTO 2\d\d ms")
        self.assertEqual([s for s in data if s["congestion"]["rto"] < max(200_000_000, s["congestion"]["srtt"])], [])  # TCP_RTO_MIN
        self.assertIn("own congestion window", drawn)

    def test_who_does_not_watch_the_kernel_does_not_know_it(self):
        story = self.demo(recorder="ptrace")
        self.assertEqual([line for line in story.lines if "congestion" in line], [])


if __name__ == "__main__":
    main()
