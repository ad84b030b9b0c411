"""The command line by itself: usage errors, streams, exit statuses, files. Needs no privilege and no network."""

import json
import os
import pathlib
import re
import signal
import stat
import struct
import subprocess
import tempfile

from support import ROOT, Test, environment, main, program, run, schema

# A run that was stored: enough events for a story of one refused connection.
STORED = """# tcpwhy events 1
trace t=1700000000000000000 recorder=none reason="asked for" ports=3333
vantage t=1700000000000000000 vantage=1 name=lo
packet t=1700000000000001000 vantage=1 src=127.0.0.1:40112 dst=127.0.0.1:3333 proto=tcp flags=S seq=7
packet t=1700000000000002000 vantage=1 src=127.0.0.1:3333 dst=127.0.0.1:40112 proto=tcp flags=R. ack=8
"""


class Usage(Test):
    def refuse(self, *arguments, says):
        result = run(*arguments)
        self.assertEqual((result.returncode, result.stdout), (2, ""), self.explain(result))
        self.assertIn(says, result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, "one sentence on one line")

    def test_wrong_usage_is_status_2_with_a_sentence_on_standard_error_alone(self):
        for says, *arguments in (
            ["verb"],
            ["did you mean 'demo'", "dmo"],
            ["no verb 'frobnicate'", "frobnicate"],
            ["no option '--verison'", "--verison"],
            ["did you mean '--port'", "demo", "--prot", "1"],
            ["no option '-Z'", "demo", "-Z"],
            ["tcpwhy read FILE", "read", "-r", "x.pcap"],
            ["-o FILE.pcapng", "read", "x.pcap", "-w", "y.pcap"],
            ["-o FILE.pcapng", "run", "-w", "y.pcap", "true"],
            ["no option '-r': see tcpwhy demo --help", "demo", "-r"],
            ["no option '-w': see tcpwhy watch --help", "watch", "-w"],
            ["no verb 'frobnicate'", "help", "frobnicate"],
            ["did you mean 'watch'", "help", "wach"],
            ["--port", "demo", "--port", "0"],
            ["65535", "demo", "--port", "65536"],
            ["'1x'", "demo", "--port", "1x"],
            ["needs a value", "demo", "--port"],
            ["takes no value", "demo", "--udp=yes"],
            ["several options", "demo", "--clo"],
            ["--serve", "demo", "--serve", "threads"],
            ["--recorder", "demo", "--recorder", "strace"],
            ["no format 'xml'", "demo", "--format", "xml"],
            ["jsonl", "demo", "--format", "xml"],
            [".jsonl", "demo", "-o", "x.doc"],
            ["'extra'", "demo", "extra"],
            ["--udp", "demo", "--udp", "--close-first", "server"],
            ["a file is missing", "read"],
            ["auto, always or never", "read", "--color", "maybe", "-"],
            ["server or client", "echo"],
        ):
            with self.subTest(arguments=arguments):
                self.refuse(*arguments, says=says)

    def test_help_is_a_word_too(self):
        self.assertEqual(run("help").stdout, run("--help").stdout)
        for verb in ("demo", "read", "attach"):
            self.assertEqual(run("help", verb).stdout, run(verb, "--help").stdout)
        self.assertEqual(run("help", "actor").returncode, 2)

    def test_an_ending_is_named_once(self):
        told = run("read", "-", "-o", "x.doc").stderr.split("there are ")[1].split()
        self.assertEqual(sorted(told), sorted(set(told)))
        self.assertIn(".otlp.jsonl", told)

    def test_control_characters_of_an_argument_do_not_reach_the_terminal(self):
        result = run("\x1b[31mdemo\a")
        self.assertEqual(result.returncode, 2)
        self.assertFalse([c for c in result.stderr if ord(c) < 32 and c != "\n"], result.stderr)

    def test_help_and_version_go_to_standard_output(self):
        for arguments in (["--help"], ["--version"], ["demo", "--help"], ["read", "-h"], ["echo", "--help"]):
            with self.subTest(arguments=arguments):
                result = run(*arguments)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertTrue(result.stdout)
        self.assertRegex(run("--version").stdout, r"^tcpwhy \d+\.\d+\.\d+\n$")

    def test_help_fits_80_columns_and_names_every_verb(self):
        text = run("--help").stdout
        for verb in ("demo", "read", "echo"):
            self.assertIn(f"tcpwhy {verb}", text)
            text += run(verb, "--help").stdout
        self.assertEqual([line for line in text.splitlines() if len(line) > 80], [])


class Streams(Test):
    def test_a_closed_pipe_ends_quietly_by_sigpipe(self):
        reader, writer = os.pipe()
        os.close(reader)
        result = run("read", "-", input=STORED, stdin=None, stdout=writer)
        os.close(writer)
        self.assertEqual((result.returncode, result.stderr), (-signal.SIGPIPE, ""))

    def test_a_closed_pipe_does_not_harm_the_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "x.jsonl")
            reader, writer = os.pipe()
            os.close(reader)
            result = run("read", "-o", path, "--format", "text", "-", input=STORED, stdin=None, stdout=writer)
            os.close(writer)
            self.assertEqual((result.returncode, result.stderr), (-signal.SIGPIPE, f"tcpwhy: wrote {path}: 1 connection\n"))
            self.assertIn('"type":"summary"', path.read_text())

    def test_a_full_disk_is_status_1(self):
        for arguments in (["--help"], ["read", "-"]):
            with open("/dev/full", "w") as full:
                result = run(*arguments, input=STORED, stdin=None, stdout=full)
            self.assertEqual(result.returncode, 1, arguments)
            self.assertIn("No space left on device", result.stderr)

    def test_a_closed_standard_output_is_status_1(self):
        result = run(command=["sh", "-c", f"exec '{program()}' read - >&-"], input=STORED, stdin=None)
        self.assertEqual(result.returncode, 1, self.explain(result))
        self.assertIn("standard output", result.stderr)

    def test_no_colour_where_it_is_not_wanted(self):
        def colours(*arguments, **env):
            return "\x1b[" in run("read", *arguments, "-", input=STORED, stdin=None, env=environment(**env)).stdout

        self.assertFalse(colours())
        self.assertTrue(colours("--color", "always"))
        self.assertFalse(colours("--color", "never"))

    def terminal(self, **env):
        """What the program writes to a terminal of 100 columns."""
        leader, follower = os.openpty()
        subprocess.run(["stty", "cols", "100"], stdin=follower, check=True)
        process = subprocess.Popen([program(), "read", "-"], stdin=subprocess.PIPE, stdout=follower, env=environment(TERM="xterm", **env))
        process.communicate(STORED.encode(), timeout=10)
        os.close(follower)
        text = b""
        try:
            while piece := os.read(leader, 65536):
                text += piece
        except OSError:  # the terminal's way to say end of file
            pass
        os.close(leader)
        return text.decode()

    def test_a_terminal_gets_colour_and_its_own_width_unless_no_color_is_set(self):
        self.assertIn("\x1b[", self.terminal())
        self.assertIn("\x1b[", self.terminal(NO_COLOR=""))  # https://no-color.org: only when not empty
        plain = self.terminal(NO_COLOR="1")
        self.assertNotIn("\x1b", plain)
        self.assertTrue(80 < max(len(line) for line in plain.splitlines()) <= 100, plain)

    def test_ascii_where_the_locale_is_not_utf_8(self):
        def text(*arguments, **env):
            return run("read", *arguments, "-", input=STORED, stdin=None, env=environment(**env)).stdout

        self.assertFalse(text().isascii())
        self.assertTrue(text(LC_ALL="C").isascii())
        self.assertTrue(text("--ascii").isascii())

    def test_width_follows_columns(self):
        def widest(columns):
            text = run("read", "-", input=STORED, stdin=None, env=environment(COLUMNS=columns)).stdout
            return max(len(line) for line in text.splitlines())

        self.assertLessEqual(widest("80"), 80)
        self.assertLessEqual(widest("120"), 120)
        self.assertGreater(widest("120"), widest("80"))
        self.assertLessEqual(widest("nonsense"), 80)


class Files(Test):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def read(self, *arguments, text=STORED, **options):
        return run("read", *arguments, "-", input=text, stdin=None, **options)

    def test_the_ending_picks_the_view_and_standard_output_stays_empty(self):
        formats = {"x.txt": "text", "x.jsonl": "jsonl", "x.events": "events", "x.svg": "svg", "x.tsg.svg": "tsg"}
        paths = [self.folder / name for name in formats]
        result = self.read("-q", *(word for path in paths for word in ("-o", path)))
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        for path in paths:
            self.assertEqual(path.read_text(), self.read("--format", formats[path.name]).stdout, path)
        self.assertEqual(sorted(self.folder.iterdir()), sorted(paths), "and nothing else is left there")

    def test_what_was_written_is_noted_on_standard_error(self):
        picture, lines = self.folder / "x.svg", self.folder / "x.jsonl"
        result = self.read("-o", picture, "-o", lines)
        said = f"tcpwhy: wrote {picture}: 1 connection\ntcpwhy: wrote {lines}: 1 connection\n"
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", said))

    def test_pictures_of_a_capture_take_the_connections_that_conn_chooses(self):
        capture = ROOT / "tests/corpus/files/PcapPlusPlus/Tests/Pcap++Test/PcapExamples/pcapng-example.pcapng"
        some, lines = self.folder / "some.svg", self.folder / "some.jsonl"
        result = run("read", capture, "--conn", "2-3", "-o", some, "-o", lines)
        self.assertEqual((result.returncode, result.stdout), (0, ""), self.explain(result))
        self.assertIn(f"wrote {some}: 2 connections", result.stderr)
        self.assertEqual(some.read_text().count(">CLIENT<"), 2)
        self.assertEqual(lines.read_text().count('{"type":"connection"'), 2)
        # Event lines go along with pictures, though alone they would be a table.
        result = run("read", capture, "-o", some, "-o", lines)
        self.assertEqual(result.returncode, 0, self.explain(result))
        self.assertIn('"type":"segment"', lines.read_text())

    def test_help_lists_every_format_with_a_line(self):
        text = run("demo", "--help").stdout
        for ending in (".txt: a ladder", ".jsonl: a JSON object", ".svg: a picture", ".tsg.svg: a picture of", ".mmd: a Mermaid", ".pftrace: a trace",
                       ".otlp.jsonl: OpenTelemetry", ".csv: a row a step", ".events: what was"):
            self.assertIn(ending, " ".join(text.split()))

    def test_a_stored_log_reads_back_the_same(self):
        stored = self.folder / "x.events"
        self.assertEqual(self.read("-o", stored).returncode, 0)
        self.assertEqual(run("read", stored).stdout, self.read().stdout)

    def test_a_failing_run_loses_nothing_that_was_there(self):
        path = self.folder / "x.txt"
        path.write_text("precious")
        result = self.read("-o", path, text="garbage")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(path.read_text(), "precious")
        self.assertEqual(list(self.folder.iterdir()), [path])

    def test_a_replaced_file_keeps_its_mode_and_a_link_stays_a_link(self):
        path, link = self.folder / "x.txt", self.folder / "link.txt"
        path.write_text("old")
        path.chmod(0o640)
        link.symlink_to("x.txt")
        self.assertEqual(self.read("-o", link).returncode, 0)
        self.assertTrue(link.is_symlink())
        self.assertIn("3333", path.read_text())
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o640)

    def test_a_place_that_cannot_be_written_is_status_1_and_names_it(self):
        for path, why in ((self.folder / "no" / "x.txt", "No such file"), (self.folder / "d.txt", "directory")):
            (self.folder / "d.txt").mkdir(exist_ok=True)
            result = self.read("-o", path)
            self.assertEqual((result.returncode, result.stdout), (1, ""))
            self.assertIn(str(path), result.stderr)
            self.assertIn(why, result.stderr)

    def test_a_full_device_is_status_1_and_the_other_files_are_written(self):
        device, path = self.folder / "full.txt", self.folder / "x.jsonl"
        device.symlink_to("/dev/full")
        result = self.read("-o", device, "-o", path)
        self.assertEqual(result.returncode, 1)
        self.assertIn("No space left on device", result.stderr)
        self.assertIn("summary", path.read_text())


def frame(src, dst, sport, dport, flags, seq, ack, payload=b"", window=1000):
    """An Ethernet frame with IPv4 and TCP; addresses as four numbers."""
    tcp = struct.pack(">HHIIBBHHH", sport, dport, seq, ack, 5 << 4, flags, window, 0, 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, bytes(src), bytes(dst))
    return bytes(12) + b"\x08\x00" + ip + tcp


def exchange(port, last=0):
    """Frames of a connection from 10.0.0.1:port to 10.0.0.2:80 that is opened, used and closed; `last` (flags) ends it instead."""
    c, s, syn, ack, fin = (10, 0, 0, 1), (10, 0, 0, 2), 2, 16, 1
    up, down = lambda *rest: frame(c, s, port, 80, *rest), lambda *rest: frame(s, c, 80, port, *rest)
    begin = [up(syn, 100, 0), down(syn | ack, 500, 101), up(ack, 101, 501), up(ack | 8, 101, 501, b"hello"), down(ack, 501, 106)]
    if last:
        return begin + [down(last, 501, 106)]
    return begin + [up(ack | fin, 106, 501), down(ack | fin, 501, 107), up(ack, 107, 502)]


def pcap(frames):
    records = b"".join(
        struct.pack("<IIII", 1700000000 + i // 1000, i % 1000 * 1000, len(f), len(f)) + f for i, f in enumerate(frames)
    )
    return struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + records


class Captures(Test):
    def read(self, frames, *arguments, status=0, cut=0):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "capture.pcap")
            content = pcap(frames)
            path.write_bytes(content[: len(content) - cut])
            result = run("read", str(path), *arguments)
            self.assertEqual(result.returncode, status, self.explain(result))
            with open(path, "rb") as file:
                piped = run("read", "-", *arguments, stdin=file)
            self.assertEqual((piped.returncode, piped.stdout), (result.returncode, result.stdout), self.explain(piped))
            return result

    def test_a_capture_becomes_a_list(self):
        lines = self.read(exchange(40000) + exchange(40001, last=4), "--sort", "finding").stdout.splitlines()
        self.assertEqual(len(lines), 3)
        self.assertIn("10.0.0.1:40000", "".join(lines))
        closed = next(line for line in lines if ":40000" in line)
        for word in ("10.0.0.2:80", "closed", "TIME_WAIT/CLOSED", "2.00ms", "client"):
            self.assertIn(word, closed)
        self.assertIn("reset", next(line for line in lines if ":40001" in line))
        self.assertEqual(len({line.index("10.0.0.2") for line in lines[1:]}), 1, "aligned")

    def test_a_conn_log_is_what_zeek_cut_expects(self):
        lines = self.read(exchange(40000) + exchange(40001, last=4), "--format", "zeek").stdout.splitlines()
        fields = next(line for line in lines if line.startswith("#fields")).split("\t")[1:]
        types = next(line for line in lines if line.startswith("#types")).split("\t")[1:]
        rows = [dict(zip(fields, line.split("\t"), strict=True)) for line in lines if not line.startswith("#")]
        self.assertEqual(len(fields), len(types))
        self.assertEqual({row["id.orig_p"]: (row["conn_state"], row["history"]) for row in rows},
                         {"40000": ("SF", "ShADaFf"), "40001": ("RSTR", "ShADar")})
        self.assertEqual({row["orig_bytes"] for row in rows}, {"5"})
        self.assertEqual(len({row["uid"] for row in rows}), 2)

    def test_csv_has_the_same_fields_in_every_line(self):
        lines = self.read(exchange(40000) + exchange(40001), "--format", "csv").stdout.splitlines()
        self.assertEqual({len(line.split(",")) for line in lines}, {34})

    def test_json_lines_are_json(self):
        lines = [json.loads(line) for line in self.read(exchange(40000), "--format", "jsonl").stdout.splitlines()]
        self.assertEqual([line["type"] for line in lines], ["flow", "totals"])
        self.assertEqual((lines[0]["client"]["bytes"], lines[0]["completeness"], lines[1]["connections"]), (5, 31, 1))

    def test_json_lines_follow_the_schema(self):
        half = exchange(40002)[:1] + exchange(40003)[3:5]
        lines = self.read(exchange(40000) + exchange(40001, last=4) + half, "--format", "jsonl").stdout.splitlines()
        for line in lines:
            self.assertEqual([error.message for error in schema().iter_errors(json.loads(line))], [])
        spoilt = dict(json.loads(lines[0]), conn_state="XX")
        self.assertTrue(list(schema().iter_errors(spoilt)))

    def test_a_summary_is_the_totals_alone(self):
        out = self.read(exchange(40000) + exchange(40001, last=4), "--summary").stdout
        self.assertRegex(out, r"TCP connections +2\n +closed +1\n +reset +1\n")

    def test_a_chosen_connection_is_told_as_a_story_under_its_number(self):
        out = self.read(exchange(40000) + exchange(40001, last=4), "--conn", "2", "--ascii").stdout
        self.assertIn("conn 2: reset", out)
        self.assertNotIn(":40000", out)
        words = " ".join(re.sub(r"[:\\]", " ", out).split())
        self.assertIn("OPEN, or that once more, if the first was lost on its way here from this place the wire can't tell unknown", words)

    def test_a_connection_that_is_not_there_is_an_error(self):
        self.assertIn("there is no connection 9", self.read(exchange(40000), "--conn", "9", status=1).stderr)

    def test_words_behind_the_file_are_a_filter(self):
        self.assertIn("TCP connections         1", self.read(exchange(40000) + exchange(40001), "-s", "port", "40001").stdout)
        result = self.read(exchange(40000), "prot", "40001", status=2)
        self.assertIn("pcap-filter", result.stderr)

    def test_a_cut_file_is_told_as_far_as_it_goes(self):
        result = self.read(exchange(40000), "-s", status=1, cut=10)
        self.assertIn("TCP segments            7", result.stdout)
        self.assertIn("packet 8", result.stderr)

    def test_a_capture_that_is_given_twice_counts_once_in_list_and_story(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "capture.pcap")
            frames = [frame for i in range(20) for frame in exchange(40000 + i)]
            path.write_bytes(pcap(frames))
            for words in ([], ["--conn", "3"]):
                once, twice = run("read", path, *words), run("read", path, path, *words)
                self.assertEqual((twice.returncode, twice.stdout), (0, once.stdout))
                self.assertNotIn("a second time", once.stderr)
                self.assertIn(f"{len(frames)} packets are there a second time", twice.stderr)

    def test_files_are_read_in_the_order_given(self):
        with tempfile.TemporaryDirectory() as folder:
            frames = exchange(40000)
            for name, part in (("a", frames[:3]), ("b", frames[3:])):
                pathlib.Path(folder, name).write_bytes(pcap(part))
            result = run("read", folder + "/a", folder + "/b", "--format", "csv")
            self.assertEqual(result.returncode, 0, self.explain(result))
            self.assertEqual(len(result.stdout.splitlines()), 2)
            self.assertIn(",closed,", result.stdout)

    def test_tables_and_stories_are_one_or_the_other(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "c.pcap")
            path.write_bytes(pcap(exchange(40000)))
            result = run("read", str(path), "-o", folder + "/x.log", "--format", "text")
            self.assertEqual(result.returncode, 2, self.explain(result))
            self.assertFalse(pathlib.Path(folder, "x.log").exists())
            result = run("read", str(path), "-o", folder + "/x.csv", "-o", folder + "/x.jsonl")
            self.assertEqual((result.returncode, result.stdout), (0, ""), self.explain(result))
            self.assertEqual(len(pathlib.Path(folder, "x.csv").read_text().splitlines()), 2)
            self.assertEqual(run("read", str(path), "--format", "nosuch").returncode, 2)

    def test_what_both_kinds_have_goes_with_the_others_and_the_longer_ending_wins(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "c.pcap")
            path.write_bytes(pcap(exchange(40000)))
            for beside in (["--format", "text"], ["-o", folder + "/x.otlp.jsonl"], ["-o", folder + "/x.mmd"]):
                result = run("read", str(path), "-o", folder + "/x.csv", *beside)
                self.assertEqual(result.returncode, 0, self.explain(result))
                self.assertTrue(pathlib.Path(folder, "x.csv").read_text().startswith("connection,protocol,client,server,step,"))
            self.assertTrue(pathlib.Path(folder, "x.otlp.jsonl").read_text().startswith('{"resourceSpans":'))
            self.assertTrue(pathlib.Path(folder, "x.mmd").read_text().startswith("sequenceDiagram\n"))


class Reading(Test):
    def test_what_is_neither_capture_nor_event_log_gets_a_clear_error(self):
        with tempfile.TemporaryDirectory() as folder:
            for content, says in (
                (b"", "empty"),
                (b"\x00" * 64, "capture"),
                (b"hello\n", "capture"),
                (b"# tcpwhy events 2\n", "no event log"),
                (b"# tcpwhy events 1\nfrobnicate t=1\n", ":2:"),
                (b"# tcpwhy events 1\npacket t=banana\n", ":2:"),
                (b"# tcpwhy events 1\npacket t=1 \xff\x00\x1b[31m=1\n", ":2:"),
                (b"\xd4\xc3\xb2\xa1" + b"\x00" * 20, "pcap"),
                (b"\x0a\x0d\x0d\x0a" + b"\x00" * 20, "pcapng"),
                (b"\x1f\x8b\x08\x08" + b"\x00" * 20, "gzip"),
            ):
                path = pathlib.Path(folder, "f")
                path.write_bytes(content)
                for name in (str(path), "-"):
                    with self.subTest(content=content, name=name), open(path, "rb") as file:
                        result = run("read", name, stdin=file)
                        self.assertEqual((result.returncode, result.stdout), (1, ""), self.explain(result))
                        self.assertIn(says, result.stderr)
                        self.assertNotIn("\x1b", result.stderr)

    def test_a_file_that_cannot_be_read_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            for path, why in ((folder + "/nothing", "No such file"), (folder, "directory")):
                result = run("read", path)
                self.assertEqual((result.returncode, result.stdout), (1, ""))
                self.assertIn(path, result.stderr)
                self.assertIn(why, result.stderr)

    def test_an_empty_log_is_an_empty_story(self):
        result = run("read", "--format", "jsonl", "-", input="# tcpwhy events 1\n", stdin=None)
        self.assertEqual(result.returncode, 0, self.explain(result))
        self.assertIn('"connections":0', result.stdout)


class Threads(Test):
    """A table long enough for the thread that writes rows, with one processor (without that thread) and with all."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.capture = pathlib.Path(cls.folder.name, "many.pcap")
        cls.capture.write_bytes(pcap([frame for port in range(20000, 23000) for frame in exchange(port)]))
        cls.processors = sorted(os.sched_getaffinity(0))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def read(self, processors, *arguments, **options):
        return run("read", *arguments, self.capture, preexec_fn=lambda: os.sched_setaffinity(0, processors), **options)

    def test_the_bytes_are_the_same_with_one_processor_and_with_more(self):
        for name in ("list", "csv", "zeek", "jsonl", "summary"):
            one, all_ = (self.read(some, "--format", name) for some in (self.processors[:1], self.processors))
            self.assertEqual((one.returncode, one.stderr), (0, ""))
            self.assertEqual((one.returncode, one.stdout, one.stderr), (all_.returncode, all_.stdout, all_.stderr), name)
            self.assertEqual(one.stdout.count("10.0.0.2"), 0 if name == "summary" else 3000)

    def test_a_closed_pipe_ends_quietly_and_harms_no_file(self):
        for processors in (self.processors[:1], self.processors):
            path = pathlib.Path(self.folder.name, "x.csv")
            for files, rows in (([], 0), (["-o", path], 3001)):
                reader, writer = os.pipe()
                os.close(reader)
                result = self.read(processors, "--format", "list", *files, stdout=writer)
                os.close(writer)
                self.assertEqual((result.returncode, result.stderr), (-signal.SIGPIPE, ""))
                self.assertEqual(len(path.read_text().splitlines()) if files else 0, rows)

    def test_a_full_disk_is_told(self):
        for processors in (self.processors[:1], self.processors):
            with open("/dev/full", "w") as full:
                result = self.read(processors, stdout=full)
            self.assertEqual(result.returncode, 1)
            self.assertIn("No space left on device", result.stderr)


if __name__ == "__main__":
    main()
