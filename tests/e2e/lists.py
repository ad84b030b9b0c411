"""The list of `read`: what was found stands first, the worst connections before the others; the orders that can be asked for; colours."""

import fcntl
import os
import pathlib
import pty
import re
import select
import struct
import tempfile
import termios

from cli import exchange, pcap
from support import ROOT, Test, environment, main, run

INPUTS = ROOT / "tests" / "inputs"


def rows_of(text):
    """The lines of the list itself, without what stands around them."""
    lines = text.splitlines()
    at = next(i for i, line in enumerate(lines) if re.match(r" *# +start", line))
    end = next((i for i in range(at, len(lines)) if not lines[i]), len(lines))
    return lines[at + 1 : end]


def numbers(text):
    return [line.split()[0] for line in rows_of(text)]


def row(text, number):
    return next(line for line in rows_of(text) if line.split()[0] == str(number))


class Lists(Test):
    """Eleven connections: 1 is the longest, 5 is reset, 7 sends most."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.folder.name, "capture.pcap")
        first, rest = exchange(40000), [exchange(40001 + i, last=4) if i == 3 else exchange(40001 + i) for i in range(10)]
        cls.path.write_bytes(pcap([*first[:4], *(frame for frames in rest for frame in frames), *first[4:]]))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def read(self, *arguments, status=0, **options):
        result = run("read", self.path, *arguments, **options)
        self.assertEqual(result.returncode, status, self.explain(result))
        return result.stdout

    def test_a_small_file_is_listed_the_worst_first_and_a_pipe_as_it_comes(self):
        self.assertEqual(numbers(self.read())[0], "5")
        with open(self.path, "rb") as file:
            piped = run("read", "-", stdin=file)
        self.assertEqual(numbers(piped.stdout), [str(n) for n in range(1, 12)])

    def test_each_order_is_that(self):
        self.assertEqual(numbers(self.read("--sort", "start")), [str(n) for n in range(1, 12)])
        self.assertEqual(numbers(self.read("--sort", "took"))[0], "1")
        self.assertEqual(numbers(self.read("--sort", "took"))[-1], "5")
        amounts = [int(line.split()[-3]) + int(line.split()[-2]) for line in rows_of(self.read("--sort", "bytes"))]
        self.assertEqual(amounts, sorted(amounts, reverse=True))
        self.assertEqual(numbers(self.read("--sort", "finding")), numbers(self.read()))

    def stored(self, count):
        """A stored run: connection 3 is refused, each sends more than the one before."""
        lines = ["# tcpwhy events 1", "trace t=1 recorder=test ports=3333", "vantage t=1 vantage=1 netns=9 name=lo"]
        for i in range(count):
            there, back = f"src=127.0.0.1:{40000 + i} dst=127.0.0.1:3333", f"src=127.0.0.1:3333 dst=127.0.0.1:{40000 + i}"
            segments = [(there, "flags=S seq=100"), (back, "flags=R. seq=0 ack=101")] if i == 2 else [
                (there, "flags=S seq=100"), (back, "flags=S. seq=500 ack=101"), (there, "flags=. seq=101 ack=501"),
                (there, f"flags=P. seq=101 ack=501 len={10 + i}")]
            for at, (ends, what) in enumerate(segments):
                lines.append(f"packet t={10**6 * (i + 1) + 10**4 * at} vantage=1 number=1 {ends} proto=tcp {what}")
        path = pathlib.Path(self.folder.name, f"{count}.events")
        path.write_text("\n".join(lines) + "\n")
        return path

    def test_a_stored_run_of_many_connections_is_a_list_and_of_few_its_ladders(self):
        few, many = self.stored(3), self.stored(5)
        self.assertEqual(run("read", few).stdout.count("── conn"), 3)
        self.assertEqual(numbers(run("read", many).stdout), ["3", "1", "2", "4", "5"])
        self.assertEqual(numbers(run("read", many, "--sort", "bytes").stdout), ["5", "4", "2", "1", "3"])
        self.assertEqual(run("read", many, "--conn", "1-5").stdout.count("── conn"), 5)
        for path in (few, many):
            self.assertEqual(numbers(run("read", path, "--only-findings").stdout), ["3"])

    def test_an_order_that_is_asked_for_holds_in_every_format_and_in_a_pipe(self):
        for arguments in (["--format", "csv"], ["--format", "jsonl"], ["--format", "zeek"]):
            came, sorted_ = self.read(*arguments).splitlines(), self.read(*arguments, "--sort", "took").splitlines()
            self.assertNotEqual(came, sorted_)
            self.assertEqual(sorted(came), sorted(sorted_))
        with open(self.path, "rb") as file:
            self.assertEqual(numbers(run("read", "-", "--sort", "took", stdin=file).stdout)[0], "1")

    def test_numbers_spread_as_a_table_says_from_ten_connections_on(self):
        text = self.read()
        self.assertRegex(text, r"\nof all of them +p50 +p90 +p99 +most +count\n")
        self.assertRegex(text, r"\nhandshake +2ms +2ms +2ms +\S+ +11\n")
        self.assertRegex(text, r"\ntook +7ms +")
        self.assertNotIn("of all of them", self.read("port", "40000"))

    def test_red_is_for_what_was_reset_and_takes_no_room(self):
        plain, red = self.read(), self.read("--color", "always")
        self.assertNotIn("\x1b", plain)
        self.assertEqual(re.sub("\x1b\\[[0-9;]*m", "", red), plain)
        self.assertEqual([line for line in rows_of(red) if "\x1b" in line], [row(red, 5)])
        self.assertIn("\x1b[1;31mreset\x1b[0m", row(red, 5))

    def test_a_wrong_order_is_refused(self):
        result = run("read", self.path, "--sort", "size")
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertIn("finding, took, start or bytes", result.stderr)


class Findings(Test):
    def test_what_was_found_stands_first_with_its_sentence_and_in_its_row(self):
        result = run("read", INPUTS / "k8s-invalid.pcap")
        lines = result.stdout.splitlines()
        self.assertEqual(lines[0], "Findings in 2 connections; tcpwhy explain ID says more of each")
        self.assertRegex(lines[1], r"^  reset-unowned +1 error   connection 1: the RST ")
        self.assertRegex(lines[2], r"^  stray +1 warning connection 2: a stray: ")
        self.assertEqual(lines[3], "")
        self.assertEqual(numbers(result.stdout), ["1", "2"])
        self.assertRegex(row(result.stdout, 2), r" stray, began before the capture$")
        self.assertNotIn("stray", row(result.stdout, 1))

    def test_a_row_names_what_its_story_finds(self):
        captures = sorted(INPUTS.glob("*.pcap")) + sorted((ROOT / "tests" / "golden" / "captures").glob("*.pcap"))
        found = 0
        for path in captures:
            with self.subTest(path=path.name):
                text = run("read", path, "-q").stdout
                stories = run("read", path, "-q", "-n", "1-", "--format", "jsonl")
                told = {}
                for conn, id_ in re.findall(r'"type":"finding","conn":(\d+),.*?"id":"([a-z0-9-]+)"', stories.stdout):
                    told.setdefault(conn, set()).add(id_)
                named = {}
                ids = {id_ for some in told.values() for id_ in some}
                for line in rows_of(text):
                    some = {word.strip(",") for word in line.split()} & ids
                    if some and not line.split()[0].startswith("u"):
                        named[line.split()[0]] = some
                self.assertEqual(named, told)
                found += sum(map(len, told.values()))
        self.assertGreater(found, 30)

    def test_only_findings_leaves_the_others_out_and_works_in_a_pipe_and_in_csv(self):
        path = INPUTS / "unanswered-after-one-was-answered.pcap"
        self.assertEqual(numbers(run("read", path, "--only-findings").stdout), ["2"])
        with open(path, "rb") as file:
            self.assertEqual(numbers(run("read", "-", "--only-findings", stdin=file).stdout), ["2"])
        self.assertEqual(len(run("read", path, "--only-findings", "--format", "csv").stdout.splitlines()), 2)
        self.assertEqual(rows_of(run("read", path, "--only-findings", "port", "1").stdout), [])

    def test_only_findings_says_that_there_were_none(self):
        path = INPUTS / "unanswered-after-one-was-answered.pcap"
        nothing = run("read", path, "--only-findings", "port 40000")
        words = "nothing was found in any of the connections that were read"
        self.assertEqual((nothing.returncode, numbers(nothing.stdout)), (0, []), self.explain(nothing))
        self.assertIn(words, nothing.stderr)
        self.assertEqual(run("read", path, "--only-findings", "port 40000", "--quiet").stderr, "")
        self.assertNotIn(words, run("read", path, "--only-findings").stderr)

    def test_merged_captures_are_sorted_too_and_what_they_cannot_is_refused(self):
        pair = [ROOT / "tests" / "golden" / "captures" / f"syn-lost-{side}.pcap" for side in ("client", "server")]
        self.assertEqual(run("read", "--merge", *pair, "--sort", "bytes").returncode, 0)
        for words in (["--sort", "finding"], ["--only-findings"]):
            result = run("read", "--merge", *pair, *words)
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertIn(words[0], result.stderr)

    def test_nothing_of_it_is_wider_than_the_terminal(self):
        for columns in (40, 60, 80, 120):
            master, slave = pty.openpty()
            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            result = run("read", INPUTS / "k8s-invalid.pcap", INPUTS / "rst-in-window.pcap", stdout=slave, env=environment(NO_COLOR="1"))
            os.close(slave)
            out = b""
            while select.select([master], [], [], 0)[0]:
                try:
                    out += os.read(master, 65536)
                except OSError:
                    break
            os.close(master)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertLessEqual(max(map(len, out.decode().replace("\r\n", "\n").split("\n"))), columns)


class Stories(Test):
    """The same list over stories: of a demo, a stored run, a capture that is told whole."""

    def test_more_connections_than_anybody_reads_ladders_of(self):
        result = run("demo", "--clients", "12", "--format", "list", "-q", timeout=100)
        self.assertEqual(result.returncode, 0, self.explain(result))
        self.assertEqual(sorted(map(int, numbers(result.stdout))), list(range(1, 13)))
        for words in (r"\nwhere the time of all of them went ", r"\nfirst byte +", r"\n12 connections: 12 closed", "echo-client"):
            self.assertRegex(result.stdout, words)

    def test_what_was_found_is_said_first_and_in_the_row_of_the_worst(self):
        result = run("demo", "accept-queue-full", "--format", "list", "-q", timeout=100)
        self.assertEqual(result.returncode, 0, self.explain(result))
        self.assertRegex(result.stdout, r"\AFindings in 2 connections.*\n  syn-dropped-full-queue +1 warning connection 2: ")
        self.assertEqual(numbers(result.stdout)[0], "2")
        self.assertRegex(row(result.stdout, 2), r" syn-dropped-full-queue.*; \d+% a full accept queue, client\[\d+\] > server\[\d+\]")

    def test_a_file_gets_what_standard_output_gets(self):
        events = ROOT / "tests" / "golden" / "events" / "clients.events"
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "x.list")
            self.assertEqual(run("read", events, "-o", path, "-q").returncode, 0)
            self.assertEqual(path.read_text(), run("read", events, "--format", "list", "-q").stdout)

    def test_of_a_capture_list_and_list_of_stories_name_the_same(self):
        for name in ("k8s-invalid", "rst-in-window", "pmtu", "four-interfaces"):
            path = INPUTS / f"{name}.pcap"
            rows, stories = run("read", path, "-q").stdout, run("read", path, "-n", "1-", "--format", "list", "-q").stdout
            self.assertEqual(numbers(rows), numbers(stories))
            self.assertEqual(rows.split("\n\n")[0], stories.split("\n\n")[0])
            for number in numbers(rows):
                self.assertEqual(row(rows, number).split()[3:8], row(stories, number).split()[3:8])

    def test_names_from_outside_stay_harmless(self):
        for arguments in ([], ["--color", "always"]):
            text = run("read", ROOT / "tests" / "golden" / "events" / "hostile.events", "--format", "list", "-q", *arguments).stdout
            self.assertNotIn("\x1b[31m\n", text)
            self.assertEqual(re.findall("\x1b\\[(?!1;31m|0m|1m|2m)", text), [])


if __name__ == "__main__":
    main()
