"""What other tools open: Mermaid, Perfetto, OpenTelemetry, spreadsheets. Each format's own checker (tests/exports) reads the result."""

import csv
import io
import pathlib
import re
import subprocess
import tempfile

from cli import frame, pcap
from support import ROOT, Test, main, run

EXPORTS = ROOT / "tests" / "exports"
EVENTS = ROOT / "tests" / "golden" / "events"
# Names that a program can give itself, each of them an order in one format or another.
NAMES = ["style:x;#35;", "wrap:nowrap:x", "classDef:a#b;c", "=1+1", "@SUM(A1)", "+1", "-2", '","",x', "%%{init:{}}%%", "$$x^2$$",
         "</script><b>", "end", "a\x1b[2J\n\tb", "\u202eabc", "\u4f60\u597d", "`" * 15, "\\n\\t", "<br/>"]


def hostile(number):
    """A stored run whose client is called by one of these names, and its server by the next."""
    text = (EVENTS / "echo.events").read_text()
    for old, i in (("echo-client", number), ("echo-server", number + 1)):
        name = NAMES[i % len(NAMES)]
        quoted = "".join(c if 0x20 <= ord(c) < 0x7f and c not in '"\\' else "".join(f"\\x{b:02x}" for b in c.encode()) for c in name)
        text = text.replace(f"comm={old}", f'comm="{quoted}"')
    return text


def bulk(segments):
    """A connection from 10.0.0.1:40000 to 10.0.0.2:80 that carries so many segments of data, each acknowledged."""
    c, s, syn, ack, fin = (10, 0, 0, 1), (10, 0, 0, 2), 2, 16, 1
    up, down = lambda *rest: frame(c, s, 40000, 80, *rest), lambda *rest: frame(s, c, 80, 40000, *rest)
    yield from (up(syn, 100, 0), down(syn | ack, 500, 101), up(ack, 101, 501))
    for i in range(segments):
        yield up(ack | 8, 101 + 5 * i, 501, b"hello")
        yield down(ack, 501, 106 + 5 * i)
    end = 101 + 5 * segments
    yield from (up(ack | fin, end, 501), down(ack | fin, 501, end + 1), up(ack, end + 1, 502))


class Exports(Test):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)

    def tearDown(self):
        self.temporary.cleanup()

    def check(self, script, *arguments):
        done = subprocess.run(["python3", EXPORTS / script, *arguments], capture_output=True, text=True, check=False, timeout=170)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-3000:])
        return done.stdout


class Hostile(Exports):
    def test_no_name_is_an_order_in_any_format(self):
        for i in range(len(NAMES)):
            path = self.folder / f"{i}.events"
            path.write_text(hostile(i))
            outputs = [word for e in ("mmd", "pftrace", "otlp.jsonl", "csv") for word in ("-o", self.folder / f"{i}.{e}")]
            result = run("read", path, *outputs)
            self.assertEqual(result.returncode, 0, self.explain(result))
        self.assertIn("#115;tyle:x#59;#35;35#59;", (self.folder / "0.mmd").read_text())
        self.check("check_mermaid.py", *sorted(self.folder.glob("*.mmd")))
        self.check("check_otlp.py", *sorted(self.folder.glob("*.otlp.jsonl")))
        self.check("check_perfetto.py", "--files", *self.folder.glob("*.pftrace"))
        for path in self.folder.glob("*.csv"):
            rows = list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))
            self.assertEqual({len(row) for row in rows}, {len(rows[0])})
            for cell in (cell for row in rows for cell in row):
                self.assertFalse(re.match(r"[=+@\t\r]|-(?!\d+(\.\d+)?$)", cell), f"{path}: {cell!r}")
                self.assertNotRegex(cell, r"[\x00-\x1f\x7f]")


class Mermaid(Exports):
    def read(self, *arguments):
        path = self.folder / "x.mmd"
        result = run("read", *arguments, "-o", path)
        self.assertEqual(result.returncode, 0, self.explain(result))
        return path, path.read_text()

    def test_one_connection_is_a_file_that_is_one_diagram(self):
        _, text = self.read(EVENTS / "echo.events")
        self.assertTrue(text.startswith("sequenceDiagram\n    title conn 1: closed\n"))
        self.assertIn("c->>s: 0.090 ms · #35;1 SYN · S seq 0\n", text)
        self.assertNotIn("```", text)

    def test_several_connections_are_several_diagrams_and_the_file_says_so(self):
        path, text = self.read(EVENTS / "clients.events")
        self.assertTrue(text.startswith("<!-- Several Mermaid diagrams"))
        self.assertEqual(text.count("```mermaid\n"), text.count("\n    title conn "))
        self.assertGreaterEqual(text.count("```mermaid\n"), 3)
        self.check("check_mermaid.py", path)

    def test_a_connection_that_is_too_long_goes_on_in_further_diagrams(self):
        capture = self.folder / "bulk.pcap"
        capture.write_bytes(pcap(bulk(700)))
        path, text = self.read(capture, "--format", "text", "--conn", "1")
        parts = re.findall(r"title conn 1: closed(?:, part (\d+))?\n", text)
        self.assertGreaterEqual(len(parts), 3)
        self.assertEqual(parts, ["", *map(str, range(2, len(parts) + 1))])
        self.assertEqual([int(n) for n in re.findall(r"#35;(\d+) (?:SYN|SYN-ACK|ACK|data|FIN) ", text)], list(range(1, 1407)))
        self.check("check_mermaid.py", path)

    def test_a_brief_one_is_a_slide(self):
        _, text = self.read(EVENTS / "echo.events", "--brief")
        self.assertLess(len(text.splitlines()), 50)
        self.assertIn("Note over c,s: … ", text)


class Csv(Exports):
    def rows(self, name):
        result = run("read", EVENTS / f"{name}.events", "--format", "csv", encoding=None)
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stdout.count(b"\n"), result.stdout.count(b"\r\n"))
        return list(csv.DictReader(io.StringIO(result.stdout.decode(), newline="")))

    def test_each_step_is_a_row_that_says_why(self):
        rows = self.rows("scene-syn-lost")
        syns = [row for row in rows if row["kind"] == "segment" and row["name"] == "SYN"]
        self.assertEqual([(r["lost"], r["arrived"] != "", r["retransmission"], r["cause"]) for r in syns],
                         [("yes", False, "", "call"), ("no", True, "syn", "timer")])
        self.assertEqual(syns[0]["cause_of"], "connect(4)")
        connect = next(row for row in rows if row["name"] == "connect")
        self.assertEqual((connect["kind"], connect["end"], connect["result"], connect["errno"]), ("call", "client", "0", ""))
        self.assertGreater(int(connect["slept_ns"]), 10**9)
        states = [row["to_state"] for row in rows if row["kind"] == "state" and row["end"] == "client"]
        self.assertEqual(states, ["SYN_SENT", "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "TIME_WAIT"])
        self.assertEqual({row["result"] for row in rows if row["kind"] == "lost"}, {"0"})

    def test_what_is_not_known_is_an_empty_cell(self):
        segments = [row for row in self.rows("wire-corked") if row["kind"] == "segment"]
        self.assertTrue(any(row["cause"] == "unknown" and not row["evidence"] for row in segments))
        self.assertTrue(all(row["lost"] == "" or row["arrived"] for row in segments))


class Trouble(Exports):
    FORMATS = ("mermaid", "perfetto", "otlp", "csv")

    def test_a_full_disk_is_said(self):
        for name in self.FORMATS:
            with open("/dev/full", "wb") as full:
                result = run("read", EVENTS / "echo.events", "--format", name, stdout=full)
            self.assertEqual(result.returncode, 1, name)
            self.assertIn("No space left on device", result.stderr)

    def test_a_reader_that_goes_away_ends_it_quietly(self):
        for name in self.FORMATS:
            reader = subprocess.Popen(["true"], stdin=subprocess.PIPE)
            reader.wait()
            result = run("read", EVENTS / "echo.events", "--format", name, stdout=reader.stdin)
            reader.stdin.close()
            self.assertEqual(result.stderr, "", name)

    def test_the_same_run_gives_the_same_bytes(self):
        for name in self.FORMATS:
            first, second = (run("read", EVENTS / "clients.events", "--format", name, encoding=None).stdout for _ in range(2))
            self.assertTrue(first)
            self.assertEqual(first, second)

    def test_the_demo_writes_all_of_them(self):
        endings = ("mmd", "pftrace", "otlp.jsonl", "csv")
        result = run("demo", *(word for e in endings for word in ("-o", self.folder / f"x.{e}")))
        self.assertEqual((result.returncode, result.stdout), (0, ""), self.explain(result))
        self.check("check_perfetto.py", "--files", self.folder / "x.pftrace")
        self.check("check_otlp.py", self.folder / "x.otlp.jsonl")
        self.assertIn("SYN-ACK", (self.folder / "x.mmd").read_text())
        self.assertIn("SYN-ACK", (self.folder / "x.csv").read_text())


if __name__ == "__main__":
    main()
