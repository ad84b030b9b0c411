"""The saved file, -o x.pcapng: what other programs make of it, and what comes back of it."""

import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import threading

from support import ROOT, Test, main, run

EVENTS = ROOT / "tests" / "golden" / "events"
COMMENT = re.compile(r" · #\d+ · (kernel stack|kernel context|call interval|RFC rule|unknown)$")


def tool(*command, **options):
    """Another program's standard output; what it has to complain of is a failure."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=120, **options)
    errors = [line for line in done.stderr.splitlines() if not re.match(r"Running as user|reading from file", line)]
    assert done.returncode == 0 and not errors, f"{command}: status {done.returncode}\n{done.stderr}"
    return done.stdout


def blocks(data):
    """Type and body of each block of a pcapng file of this machine's byte order."""
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("=II", data, at)
        assert length % 4 == 0 and struct.unpack_from("=I", data, at + length - 4)[0] == length, f"block at {at}"
        yield kind, data[at + 8 : at + length - 4]
        at += length


def options(body, at):
    """Codes and values of the options that begin there."""
    while at + 4 <= len(body):
        code, length = struct.unpack_from("=HH", body, at)
        if not code:
            return
        yield code, body[at + 4 : at + 4 + length]
        at += 4 + (length + 3) // 4 * 4


class Saved(Test):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(dir="/tmp")
        self.folder = pathlib.Path(self.temporary.name)
        os.chmod(self.folder, 0o777)

    def tearDown(self):
        self.temporary.cleanup()

    def record(self, *arguments, recorder="bpf", name="x"):
        """A run's saved file and its event lines, of one and the same recording."""
        saved, lines = self.folder / f"{name}.pcapng", self.folder / f"{name}.jsonl"
        command = self.ordinary() if recorder == "ptrace" else None
        result = run("demo", "--recorder", recorder, *arguments, "-o", saved, "-o", lines, command=command, cwd="/")
        self.assertEqual(result.returncode, 0, self.explain(result))
        return saved, lines.read_bytes()

    def read(self, path, *arguments, status=0):
        result = run("read", path, *arguments, encoding=None)
        self.assertEqual(result.returncode, status, result.stderr)
        return result


class Others(Saved):
    """Programs that know nothing of tcpwhy."""

    def test_wireshark_tcpdump_and_capinfos_read_it_without_a_complaint(self):
        saved, lines = self.record("late-accept")
        segments = [json.loads(line) for line in lines.splitlines() if b'"type":"segment"' in line]
        self.assertGreater(len(tool("tcpdump", "-nn", "-r", saved).splitlines()), len(segments))
        facts = tool("capinfos", "-M", saved)
        self.assertRegex(facts, r"File encapsulation: +ether\n")
        self.assertRegex(facts, r"Capture comment: +tcpwhy run 1 · tcpwhy \S+ · Linux \S+ \S+ · recorder bpf · nothing lost\n")
        self.assertEqual(facts.count("Encapsulation = Ethernet"), 2)
        self.assertEqual(len(set(re.findall(r"Capture length = (\d+)", facts))), 1)
        self.assertIn("Time precision = nanoseconds", facts)
        fields = tool("tshark", "-r", saved, "-Y", "tcp", "-T", "fields", "-e", "frame.interface_name", "-e", "tcp.flags.str", "-e",
                      "frame.comment", "-e", "frame.packet_flags_direction").splitlines()
        for line in fields:
            interface, _, comment, way = line.split("\t")
            self.assertIn(interface, ("client", "server"))
            self.assertRegex(comment, COMMENT)
            self.assertIn(way, ("1", "2", "0x00000001", "0x00000002"))
        syn = fields[0].split("\t")
        self.assertRegex(syn[2], r"^SYN sent by connect\(\d+, [0-9.:]+\) of client\[\d+\]: .* · kernel stack$")
        self.assertNotIn("_ws.malformed", tool("tshark", "-r", saved, "-Y", "_ws.malformed or _ws.expert.severity == error"))

    def test_calls_states_and_findings_are_rows_between_the_packets(self):
        saved, lines = self.record("reset-unread-data")
        rows = tool("tshark", "-r", saved, "-Y", "systemd_journal", "-T", "fields", "-e", "systemd_journal.message", "-e",
                    "systemd_journal.code_func", "-e", "systemd_journal.pid", "-e", "systemd_journal.syslog_id").splitlines()
        calls = [row.split("\t") for row in rows if row.split("\t")[1]]
        self.assertTrue(all(row.split("\t")[3] == "tcpwhy" for row in rows))
        self.assertTrue(any(re.match(r"client\[\d+\]: connect\(\d+, .* · [0-9.:]+ → [0-9.:]+$", call[0]) for call in calls), calls)
        self.assertTrue(all(call[2] for call in calls), calls)
        self.assertTrue(any("SYN_SENT → ESTABLISHED" in row for row in rows), rows)
        finding = [json.loads(line) for line in lines.splitlines() if b'"type":"finding"' in line]
        self.assertTrue(finding)
        for one in finding:
            self.assertTrue(any(one["text"] in row for row in rows), (one["text"], rows))
        failed, _ = self.record("refused")
        rows = tool("tshark", "-r", failed, "-Y", "systemd_journal.errno == 111", "-T", "fields", "-e", "systemd_journal.code_func")
        self.assertEqual(rows.split(), ["connect"])

    def test_the_order_is_that_of_causes(self):
        saved, _ = self.record("--message", "hello")
        rows = tool("tshark", "-r", saved, "-T", "fields", "-e", "systemd_journal.message", "-e", "tcp.flags").splitlines()
        signs = (r"connect\(3, .*\) …", r"^\t0x0002", r"CLOSED → SYN_SENT", r"^\t0x0012", r"SYN_SENT → ESTABLISHED", r"connect\(3\) = 0",
                 r"write\(3, .*\) …", r"^\t0x0018", r"close\(3\) …", r"^\t0x0011")
        self.assert_in_order(signs, [sign for row in rows for sign in signs if re.search(sign, row)])

    def test_without_calls_it_is_a_capture_of_packets_alone(self):
        saved, _ = self.record("--no-calls")
        kinds = [kind for kind, _ in blocks(saved.read_bytes())]
        self.assertEqual(sorted(set(kinds)), [1, 5, 6, 0x0A0D0D0A])
        codes = {code for kind, body in blocks(saved.read_bytes()) if kind == 6
                 for code, _ in options(body, 20 + (struct.unpack_from("=I", body, 12)[0] + 3) // 4 * 4)}
        self.assertIn(1, codes)
        self.assertNotIn(2988, codes)
        tool("tcpdump", "-nn", "-r", saved)
        lists = self.read(saved)
        self.assertIn(b"127.0.0.1:3333", lists.stdout)
        result = run("demo", "--no-calls")
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertIn("--no-calls", result.stderr)

    def test_no_name_is_an_order(self):
        text = (EVENTS / "echo.events").read_text()
        names = ["x\\x1b[2J\\x0ay", "[1] of root[0]", "\\xe2\\x80\\xaeabc", "a=b", "\\xff\\xfe"]
        for name in names:
            path, saved = self.folder / "h.events", self.folder / "h.pcapng"
            path.write_text(text.replace("comm=echo-client", f'comm="{name}"'))
            self.read(path, "-o", saved)
            self.assertEqual(self.read(saved, "--format", "jsonl").stdout, self.read(path, "--format", "jsonl").stdout)
            for kind, body in blocks(saved.read_bytes()):
                if kind == 9:
                    lines = body.rstrip(b"\0").decode().splitlines()
                    self.assertTrue(all(re.match(r"[A-Z_]+=[^\x00-\x1f\x7f\u202e]*$", line) for line in lines), lines)
            for line in tool("tshark", "-r", saved, "-Y", "frame.comment", "-T", "fields", "-e", "frame.comment").splitlines():
                self.assertNotRegex(line, r"[\x00-\x08\x0b-\x1f\x7f\u202e]")


class Wireshark(Saved):
    """The script and the profile of share/wireshark, in tshark."""

    SHARE = ROOT / "share" / "wireshark"
    FIELDS = ("tcpwhy.pid", "tcpwhy.call", "tcpwhy.process", "tcpwhy.evidence", "tcpwhy.why", "tcpwhy.segment")

    def dissect(self, saved, *arguments):
        fields = [word for name in ("tcp.flags.str", *self.FIELDS) for word in ("-e", name)]
        rows = tool("tshark", "-X", f"lua_script:{self.SHARE / 'tcpwhy.lua'}", "-r", saved, *arguments, "-T", "fields", *fields)
        return [row.split("\t") for row in rows.splitlines()]

    def test_the_script_says_who_sent_each_packet_by_which_call_and_why(self):
        saved, lines = self.record("--message", "x")
        story = [json.loads(line) for line in lines.splitlines()]
        calls = {line["call"]: line for line in story if line["type"] == "call"}
        segments = [line for line in story if line["type"] == "segment"]
        rows = self.dissect(saved, "-Y", "tcp")
        self.assertEqual(len(rows), len(segments))
        for row, segment in zip(rows, segments):
            cause = segment["cause"]
            call = calls.get(cause.get("call"))
            wanted = [str(call["pid"]), call["name"], call["comm"]] if call else ["", "", ""]
            self.assertEqual(row[1:4], wanted)
            self.assertIn(row[4], ("kernel stack", "kernel context", "RFC rule"))
            self.assertTrue(row[5].startswith(segment["label"]), row)
            self.assertNotIn(" · ", row[5])
            self.assertEqual(row[6], str(segment["segment"]))
        self.assertIn("connect", [row[2] for row in rows])
        by_pid = self.dissect(saved, "-Y", f"tcpwhy.pid == {segments[0]['cause'] and calls[segments[0]['cause']['call']]['pid']}")
        self.assertTrue(any(row[0] == "" for row in by_pid) and any(row[0] for row in by_pid), "packets and rows of one process")

    def test_a_hostile_name_is_taken_for_no_number_and_no_evidence(self):
        path, saved = self.folder / "h.events", self.folder / "h.pcapng"
        for name in ("x[1] · RFC", "of y[2]", "a) of b[3]"):
            path.write_text((EVENTS / "echo.events").read_text().replace("comm=echo-client", f'comm="{name}"'.replace("·", "\\xc2\\xb7")))
            self.read(path, "-o", saved)
            pids = re.findall(r"pid=(\d+) tid=\d+ comm=\"", path.read_text())
            rows = [row for row in self.dissect(saved, "-Y", "tcp") if row[2] in ("connect", "write")]
            self.assertTrue(rows)
            self.assertIn(rows[0][1], pids)
            self.assertEqual({row[4] for row in rows}, {"kernel stack"})

    def test_the_profile_has_the_columns_and_the_filters_of_its_colours_are_understood(self):
        saved, _ = self.record()
        home = self.folder / "home"
        (home / ".local/lib/wireshark/plugins").mkdir(parents=True)
        (home / ".config/wireshark/profiles").mkdir(parents=True)
        shutil.copy(self.SHARE / "tcpwhy.lua", home / ".local/lib/wireshark/plugins")
        shutil.copytree(self.SHARE / "tcpwhy", home / ".config/wireshark/profiles/tcpwhy")
        env = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
        text = tool("tshark", "-C", "tcpwhy", "-r", saved, env=env)
        self.assertRegex(text, r"1 \d+ connect SYN sent by connect\(3, 127\.0\.0\.1:3333\) of echo-client\[\d+\]: the active open kernel stack TCP")
        for line in (self.SHARE / "tcpwhy" / "colorfilters").read_text().splitlines():
            if line.startswith("@"):
                tool("tshark", "-r", saved, "-Y", line.split("@")[2])


class Back(Saved):
    """tcpwhy read gives back the same stories, byte for byte."""

    def round_trip(self, *arguments, recorder="bpf"):
        saved, lines = self.record(*arguments, recorder=recorder)
        again = self.folder / "again.pcapng"
        tool("editcap", saved, again)
        self.assertNotEqual(saved.read_bytes(), again.read_bytes())
        for path in (saved, again):
            self.assertEqual(self.read(path, "--format", "jsonl").stdout, lines, arguments)
        with again.open("rb") as file:
            piped = run("read", "-", "--format", "jsonl", stdin=file, encoding=None)
        self.assertEqual(piped.stdout, lines)
        third = self.folder / "third.pcapng"
        self.read(again, "-o", third)
        self.assertEqual(self.read(third, "--format", "jsonl").stdout, lines)

    def test_with_bpf_on_loopback_and_between_hosts_also_resaved_by_editcap(self):
        for arguments in ((), ("-6", "--clients", "3", "--serve", "epoll"), ("--udp",), ("--closed-port",), ("late-accept",),
                          ("reset-unread-data",), ("syn-lost",), ("--name", "x\x1b[2J\n")):
            with self.subTest(arguments=arguments):
                self.round_trip(*arguments)

    def test_with_ptrace(self):
        for arguments in ((), ("--udp", "--closed-port"), ("late-accept",), ("syn-lost",)):
            with self.subTest(arguments=arguments):
                self.round_trip(*arguments, recorder="ptrace")

    def test_of_stored_runs(self):
        for path in sorted(EVENTS.glob("*.events")):
            saved = self.folder / "x.pcapng"
            self.read(path, "-o", saved)
            with self.subTest(path=path.name):
                self.assertEqual(self.read(saved, "--format", "jsonl").stdout, self.read(path, "--format", "jsonl").stdout)

    def test_compressed(self):
        saved, lines = self.record("--message", "x")
        text = EVENTS / "echo.events"
        for pack in (["gzip"], ["zstd", "-q"], ["lz4", "-q"]):
            for source, wanted in ((saved, lines), (text, self.read(text, "--format", "jsonl").stdout)):
                with self.subTest(pack=pack[0], source=source.name):
                    packed = self.folder / f"packed.{pack[0]}"
                    with source.open("rb") as file:
                        packed.write_bytes(subprocess.run([*pack, "-c"], stdin=file, capture_output=True, check=True, timeout=60).stdout)
                    self.assertEqual(self.read(packed, "--format", "jsonl").stdout, wanted)
                    with packed.open("rb") as file:
                        self.assertEqual(run("read", "-", "--format", "jsonl", stdin=file, encoding=None).stdout, wanted)
                    packed.write_bytes(packed.read_bytes()[:-100])
                    self.assertRegex(self.read(packed, "--format", "jsonl", status=1).stderr.decode(), r"packed\.\w+: ")

    def test_on_standard_output(self):
        result = run("demo", "--format", "pcapng", encoding=None)
        self.assertEqual(result.returncode, 0, result.stderr)
        path = self.folder / "x.pcapng"
        path.write_bytes(result.stdout)
        self.assertIn(b"SYN-ACK", self.read(path).stdout)


class Run(Saved):
    """What `run` saves of any program."""

    SECRET = b"the-secret-of-this-test"
    PEER = "import socket,sys;c=socket.create_connection(('127.0.0.1',int(sys.argv[1])));c.sendall(b'{}');c.recv(99)".format(SECRET.decode())

    def serve(self):
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)

        def answer():
            try:
                peer, _ = server.accept()
            except OSError:
                return
            with peer:
                peer.recv(99)
                peer.sendall(self.SECRET)

        threading.Thread(target=answer, daemon=True).start()
        return server.getsockname()[1]

    def run_peer(self, *arguments, command=None):
        saved, lines = self.folder / "r.pcapng", self.folder / "r.jsonl"
        result = run("run", *arguments, "-o", saved, "-o", lines, "--", "/usr/bin/python3", "-c", self.PEER, self.serve(), command=command, cwd="/")
        self.assertEqual(result.returncode, 0, self.explain(result))
        return saved, lines.read_bytes()

    def test_headers_alone_unless_s_says_more_and_back_byte_for_byte(self):
        for arguments, is_there in (((), False), (("-s", "200"), True)):
            with self.subTest(arguments=arguments):
                saved, lines = self.run_peer(*arguments)
                self.assertEqual(self.SECRET in saved.read_bytes(), is_there)
                self.assertEqual(self.read(saved, "--format", "jsonl").stdout, lines)
                again = self.folder / "again.pcapng"
                tool("editcap", saved, again)
                self.assertEqual(self.read(again, "--format", "jsonl").stdout, lines)
                self.assertRegex(tool("capinfos", "-M", saved), r"Capture oper-sys: +Linux ")
                lengths = tool("tshark", "-r", saved, "-Y", f"tcp.len == {len(self.SECRET)}", "-T", "fields", "-e", "frame.len", "-e", "frame.cap_len")
                self.assertEqual(len(lengths.splitlines()), 2)
                for line in lengths.splitlines():
                    length, captured = map(int, line.split())
                    self.assertEqual(length - captured, 0 if is_there else len(self.SECRET))


class Chosen(Saved):
    """One connection alone, of a capture or of a stored run."""

    def lines_of(self, path, number, *arguments):
        text = self.read(path, "--format", "jsonl", *arguments).stdout.decode()
        return [line for line in text.splitlines() if f'"conn":{number},' in line], text

    def test_of_a_capture_its_packets_stand_there_as_they_were(self):
        capture = ROOT / "tests" / "golden" / "captures" / "syn-lost-client.pcap"
        stream = self.folder / "stream.pcap"
        source = self.folder / "many.pcapng"
        tool("mergecap", "-w", source, capture, *sorted((ROOT / "tests" / "inputs").glob("rst-*.pcap")))
        rows = self.read(source).stdout.decode().splitlines()
        numbers = [int(row.split()[0]) for row in rows if re.match(r" +\d+ ", row)]
        self.assertGreater(len(numbers), 2)
        for number in numbers[:3]:
            one = self.folder / "one.pcapng"
            self.read(source, "--conn", number, "-o", one)
            tool("tshark", "-r", source, "-Y", f"tcp.stream == {number - 1}", "-w", stream)
            columns = ("-Y", "tcp", "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len", "-e", "frame.cap_len", "-e", "tcp.seq_raw", "-e",
                       "tcp.ack_raw", "-e", "tcp.flags", "-e", "ip.checksum", "-e", "ip.id", "-e", "tcp.options")
            self.assertEqual(tool("tshark", "-r", one, *columns), tool("tshark", "-r", stream, *columns))
            wanted, _ = self.lines_of(source, number, "--conn", number)
            self.assertTrue(wanted)
            self.assertEqual(self.lines_of(one, number)[0], wanted)

    def test_of_a_stored_run_its_calls_come_along_and_the_story_is_the_same(self):
        for path in sorted(EVENTS.glob("*.events")):
            whole = self.read(path, "--format", "jsonl").stdout.decode()
            numbers = re.findall(r'^\{"type":"connection","conn":(\d+)', whole, re.M)[:2]
            for number in numbers:
                with self.subTest(path=path.name, number=number):
                    wanted = [line for line in whole.splitlines() if f'"conn":{number},' in line]
                    one = self.folder / "one.pcapng"
                    found, text = self.lines_of(path, number, "--conn", number, "-o", one)
                    self.assertEqual(found, wanted)
                    self.assertEqual(text.count('"type":"connection"'), 1)
                    self.assertEqual(self.read(one, "--format", "jsonl").stdout.decode(), text)

    def test_of_a_saved_run(self):
        saved, lines = self.record("--clients", "3", "--serve", "fork")
        wanted = [line for line in lines.decode().splitlines() if '"conn":2,' in line]
        self.assertEqual(self.lines_of(saved, 2, "--conn", 2)[0], wanted)
        one = self.folder / "one.pcapng"
        self.read(saved, "--conn", 2, "-o", one)
        self.assertEqual(self.lines_of(one, 2)[0], wanted)
        self.assertEqual(len(set(tool("tshark", "-r", one, "-Y", "tcp", "-T", "fields", "-e", "tcp.stream").split())), 1)
        self.assertIn("connect", tool("tshark", "-r", one, "-Y", "systemd_journal", "-T", "fields", "-e", "systemd_journal.code_func"))
        result = self.read(saved, "--conn", 9, status=1)
        self.assertIn(b"there is no connection 9: the run has 3", result.stderr)

    def test_what_the_chosen_listener_accepted_besides_is_not_told(self):
        for recorder in ("bpf", "ptrace"):
            saved, _ = self.record("--clients", "3", "--serve", "epoll", recorder=recorder, name=recorder)
            for chosen, numbers in (("1", ["1"]), ("2", ["2"]), ("2-3", ["2", "3"])):
                with self.subTest(recorder=recorder, chosen=chosen):
                    text = self.read(saved, "--conn", chosen, "--format", "jsonl").stdout.decode()
                    self.assertEqual(re.findall(r'^\{"type":"connection","conn":(\d+)', text, re.M), numbers)

    def test_a_sentence_that_knew_more_stays_alone(self):
        saved, _ = self.record("--no-calls")
        one = self.folder / "one.pcapng"
        self.read(saved, "--conn", 1, "-o", one)
        comments = tool("tshark", "-r", one, "-Y", "tcp", "-T", "fields", "-E", "aggregator=|", "-e", "frame.comment").splitlines()
        self.assertTrue(any(comment.endswith("kernel stack") for comment in comments))
        self.assertFalse([comment for comment in comments if "RFC rule" in comment or "|" in comment])


class Lists(Saved):
    """A saved run is a capture, too, where that is asked for."""

    def test_its_list_its_totals_and_what_passes_a_filter(self):
        saved, _ = self.record("--clients", "2")
        self.assertIn(b"connect(3", self.read(saved).stdout)
        for arguments in (["--summary"], ["--format", "list"], ["--format", "zeek"], ["tcp", "port", "3333"], ["--sort", "took", "--format", "zeek"]):
            with self.subTest(arguments=arguments):
                text = self.read(saved, *arguments).stdout
                self.assertNotIn(b"connect(3", text)
                self.assertTrue(b"3333" in text or b"connections" in text, text)
        result = self.read(saved, "--conn", "1", "--format", "jsonl", "tcp port 3333")
        self.assertIn(b'"evidence":"rule"', result.stdout)
        self.assertNotIn(b'"evidence":"stack"', result.stdout)

    def test_sorted_or_chosen_by_its_findings_it_is_told_with_what_was_recorded(self):
        saved, _ = self.record("--clients", "4")
        for arguments in ([], ["--sort", "took"], ["--sort", "bytes"], ["--only-findings"]):
            with self.subTest(arguments=arguments):
                text = self.read(saved, *arguments).stdout
                self.assertIn(b"recorded by bpf", text)
                # Where the machine had other things to do, accept() came late, which is a finding.
                self.assertEqual(b" > echo-server[" in text, arguments != ["--only-findings"] or b"accept-late" in text, text)

    def test_states_takes_it_as_it_takes_events(self):
        saved, _ = self.record()
        result = run("states", saved)
        self.assertEqual(result.returncode, 0, self.explain(result))
        self.assertIn("ESTABLISHED", result.stdout)


class Mode(Saved):
    def test_only_its_owner_may_read_what_it_holds(self):
        saved, _ = self.record(recorder="ptrace")
        self.assertEqual(saved.stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.record(name="root")[0].stat().st_mode & 0o777, 0o600)
        saved.chmod(0o640)
        self.record(recorder="ptrace")
        self.assertEqual(saved.stat().st_mode & 0o777, 0o640)


class Damage(Saved):
    """It never crashes, and says where."""

    def test_a_cut_file_is_refused_with_packet_and_offset(self):
        saved, _ = self.record("--message", "x")
        data = saved.read_bytes()
        path = self.folder / "cut.pcapng"
        for length in range(300, len(data), max(1, len(data) // 40)):
            if length in starts(data):
                continue
            path.write_bytes(data[:length])
            result = self.read(path, "--format", "jsonl", status=1)
            self.assertRegex(result.stderr.decode(), r"cut\.pcapng: packet \d+, offset \d+: the file ends inside a block")

    def test_flipped_bytes_change_a_value_or_are_refused_and_never_crash(self):
        saved, _ = self.record("--message", "x")
        data = bytearray(saved.read_bytes())
        path = self.folder / "flipped.pcapng"
        refused = 0
        for at in range(160, len(data), max(1, len(data) // 150)):
            for bit in (0x01, 0x80):
                data[at] ^= bit
                path.write_bytes(data)
                data[at] ^= bit
                result = run("read", path, "--format", "jsonl", encoding=None)
                self.assertIn(result.returncode, (0, 1), (at, result.stderr))
                if result.returncode:
                    refused += 1
                    self.assertRegex(result.stderr.decode(), r"flipped\.pcapng", at)
        self.assertGreater(refused, 20)

    def test_what_another_program_put_in_is_named(self):
        saved, _ = self.record()
        data = saved.read_bytes()
        packet = struct.pack("=IIQII", 0, 0, 0, 60, 60) + bytes(60)
        other = self.folder / "other.pcapng"
        other.write_bytes(data + struct.pack("=II", 6, 12 + len(packet)) + packet + struct.pack("=I", 12 + len(packet)))
        message = self.read(other, status=1).stderr.decode()
        self.assertRegex(message, rf"other\.pcapng: packet 11, offset {len(data)}: it has no data of tcpwhy's beside it")
        twice = self.folder / "twice.pcapng"
        twice.write_bytes(saved.read_bytes() * 2)
        self.assertIn(b"another section begins here", self.read(twice, status=1).stderr)


def starts(data):
    """Offsets at which blocks begin or end."""
    found, at = {0}, 0
    while at < len(data):
        at += struct.unpack_from("=I", data, at + 4)[0]
        found.add(at)
    return found


if __name__ == "__main__":
    main()
