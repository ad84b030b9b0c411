"""Reading captures as people do: from pipes that are still being written, as an ordinary user, with odd things in them."""

import fcntl
import os
import pathlib
import pty
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time

from cli import exchange, frame, pcap
from support import TIMEOUT_S, Test, environment, main, parse, program, run


def wait_drained(fd):
    """Until the reader of a pipe has taken all that was written."""
    until = time.monotonic() + TIMEOUT_S
    while struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0" * 4))[0]:
        assert time.monotonic() < until, "nobody reads the pipe"
        time.sleep(0.01)


def wait_listening(process):
    """Until it takes a signal for a wish to end the reading: from then on it has a handler for SIGALRM, too."""
    until = time.monotonic() + TIMEOUT_S
    while True:
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        caught = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt"))
        if caught >> (signal.SIGALRM - 1) & 1:
            return
        assert time.monotonic() < until, "the signal is not caught"
        time.sleep(0.01)


class Interrupted(Test):
    def start(self, path, *arguments, **options):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        process = subprocess.Popen([program(), "read", path, *arguments], env=environment(), **options)
        self.addCleanup(lambda: [stream.close() for stream in (process.stdout, process.stderr)])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def finish(self, process, status):
        out, err = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, status, err.decode())
        return out.decode(), err.decode()

    def fifo(self, *arguments):
        """A reader of a named pipe, and the pipe's writing end."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "fifo")
        os.mkfifo(path)
        process = self.start(path, *arguments)
        fd = os.open(path, os.O_WRONLY)
        self.addCleanup(os.close, fd)
        return process, fd

    def test_a_pipe_that_is_being_written_ends_where_it_is_interrupted(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number=number):
                process, fd = self.fifo("--format", "csv")
                os.write(fd, pcap(exchange(40000) + exchange(40001))[:-20])  # the last packet is still being written
                wait_drained(fd)
                process.send_signal(number)
                out, err = self.finish(process, -number)
                self.assertEqual(len(out.splitlines()), 3)
                self.assertIn("first 15 packets", err)

    def test_rows_are_shown_while_the_writer_is_silent(self):
        """A few connections; and so many that a second thread takes them."""
        for count in (3, 400):
            with self.subTest(count=count):
                process, fd = self.fifo("--format", "csv")
                frames = [frame for port in range(count) for frame in exchange(10000 + port)]
                later = exchange(9000)[0]
                os.write(fd, pcap(frames) + struct.pack("<IIII", 1700000900, 0, len(later), len(later)) + later)
                seen, until = b"", time.monotonic() + TIMEOUT_S
                while seen.count(b"\n") < 1 + count:
                    ready, _, _ = select.select([process.stdout], [], [], max(0, until - time.monotonic()))
                    self.assertTrue(ready, f"{seen.count(10)} lines while the pipe is open")
                    seen += os.read(process.stdout.fileno(), 1 << 16)
                process.kill()
                process.wait()

    def test_what_the_writer_hands_over_at_the_same_interruption_is_read(self):
        """tcpdump -w - keeps what it has seen in a buffer until it ends: even the file's header comes behind the ^C."""
        reading, writing = os.pipe()
        process = self.start("-", "--format", "csv", stdin=reading)
        os.close(reading)
        wait_listening(process)
        process.send_signal(signal.SIGINT)
        os.write(writing, pcap(exchange(40000)))
        os.close(writing)
        out, _ = self.finish(process, -signal.SIGINT)
        self.assertEqual(len(out.splitlines()), 2)

    def test_before_anything_is_there_it_ends_by_the_signal(self):
        for language, word in (("en", "tcpwhy: interrupted\n"), ("zh", "tcpwhy: 被中断\n")):
            process, fd = self.fifo("--lang", language)
            process.send_signal(signal.SIGINT)
            self.assertEqual(self.finish(process, -signal.SIGINT), ("", word))
        process = self.start("-", stdin=subprocess.PIPE)
        wait_listening(process)
        process.send_signal(signal.SIGINT)
        process.wait(TIMEOUT_S)  # its standard input stays open
        self.assertEqual(self.finish(process, -signal.SIGINT), ("", "tcpwhy: interrupted\n"))

    def test_the_second_interruption_ends_it_at_once(self):
        process, fd = self.fifo("--format", "text")
        os.write(fd, pcap(exchange(40000))[:24])
        for first in range(0, 200, 20):
            frames = b"".join(pcap(exchange(40000 + i))[24:] for i in range(first, first + 20))
            os.write(fd, frames)
        wait_drained(fd)
        process.send_signal(signal.SIGINT)
        # It tells what it has, more than the pipe holds, and we do not read on.
        self.assertTrue(select.select([process.stdout], [], [], TIMEOUT_S)[0])
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(TIMEOUT_S), -signal.SIGINT)

    def test_a_file_that_is_interrupted_was_not_read_to_its_end(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "long.pcap")
            head, records = pcap(exchange(40000))[:24], pcap(exchange(40000))[24:]
            with open(path, "wb") as file:  # 1 GB, nearly all of it packets of no bytes that cost no disk
                file.write(head + records)
                file.truncate(1 << 30)
            process = self.start(str(path), "--summary")
            wait_listening(process)
            time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            out, err = self.finish(process, -signal.SIGINT)
            self.assertIn("TCP connections", out)
            self.assertIn("interrupted", err)

    def test_an_ignored_signal_stays_ignored(self):
        reading, writing = os.pipe()
        ignore = lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)  # noqa: E731
        process = self.start("-", "--format", "csv", stdin=reading, preexec_fn=ignore)
        os.close(reading)
        os.write(writing, pcap(exchange(40000)))
        wait_drained(writing)
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
        os.write(writing, pcap(exchange(40001))[24:])
        os.close(writing)
        out, err = self.finish(process, 0)
        self.assertEqual((len(out.splitlines()), err), (3, ""))


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def options(*pairs):
    text = b"".join(struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4) for code, value in pairs)
    return text + (b"\0\0\0\0" if pairs else b"")


def section(*pairs):
    return block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + options(*pairs))


def interface(*pairs, link=1):
    return block(1, struct.pack("<HHI", link, 0, 0) + options(*pairs))


def packet(number, micros, data, *comments):
    micros += 1700000000 * 10**6
    head = struct.pack("<IIIII", number, micros >> 32, micros & 0xFFFFFFFF, len(data), len(data))
    return block(6, head + data + b"\0" * (-len(data) % 4) + options(*((1, comment) for comment in comments)))


class Screen(Test):
    """What a terminal shows."""

    def show(self, columns, *arguments, content=None, **changes):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "capture.pcap")
            path.write_bytes(content or pcap(exchange(40000)))
            master, slave = pty.openpty()
            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            result = run("read", path, *arguments, stdout=slave, env=environment(**changes))
            os.close(slave)
            out = b""
            while select.select([master], [], [], 0)[0]:
                try:
                    more = os.read(master, 65536)
                except OSError:
                    break
                if not more:
                    break
                out += more
            os.close(master)
            self.assertEqual(result.returncode, 0, result.stderr)
            return out.decode().replace("\r\n", "\n")

    def test_the_list_fits_the_terminal_and_a_pipe_gets_all_of_it(self):
        for columns in (40, 80, 120, 200):
            lines = self.show(columns).splitlines()
            self.assertEqual(len(lines), 2)
            self.assertLessEqual(max(map(len, lines)), columns)
        self.assertNotIn("last states", self.show(80))
        self.assertIn("last states", self.show(120))
        self.assertIn("last states", run("read", "-", stdin=None, input=pcap(exchange(40000)), encoding=None).stdout.decode())

    def test_other_formats_are_the_same_on_a_terminal(self):
        self.assertEqual(len(self.show(40, "--format", "csv").splitlines()), 2)
        self.assertIn("ShADaFf", self.show(40, "--format", "zeek"))

    def test_nothing_is_coloured_where_that_is_not_wanted(self):
        for changes in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            self.assertNotIn("\x1b", self.show(80, "--conn", "1", **{"TERM": "xterm", **changes}))
        self.assertIn("\x1b", self.show(80, "--conn", "1", TERM="xterm"))


class Ordinary(Test):
    """Reading needs no privilege."""

    def test_an_ordinary_user_reads_what_root_reads(self):
        content = pcap(exchange(40000) + exchange(40001, last=4))
        for arguments in ([], ["--conn", "1"], ["--format", "zeek"], ["-s"], ["--conn", "1-", "--format", "jsonl"], ["port", "40001"]):
            results = [run("read", "-", *arguments, command=command, stdin=None, input=content, encoding=None, cwd="/")
                       for command in (None, self.ordinary())]
            self.assertEqual((results[0].stdout, results[0].returncode), (results[1].stdout, results[1].returncode), results[1].stderr)
            self.assertEqual(results[1].stderr, b"")
            self.assertTrue(results[1].stdout)

    def test_what_an_ordinary_user_may_not_do_is_said(self):
        self.ordinary()
        path = pathlib.Path(self.user.folder, "secret.pcap")
        path.write_bytes(pcap(exchange(40000)))
        os.chmod(path, 0o600)
        if os.geteuid():
            os.chmod(path, 0)
        result = run("read", path, command=self.ordinary(), cwd="/")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("Permission denied", result.stderr)
        os.chmod(path, 0o644)
        result = run("read", path, "-o", "/proc/x.csv", command=self.ordinary(), cwd="/")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("/proc/x.csv", result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1)


class Words(Test):
    """What is said of wrong words."""

    def test_each_mistake_gets_its_sentence(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "c.pcap")
            path.write_bytes(pcap(exchange(40000)))
            for status, says, *arguments in (
                (2, "there is no file 'other.pcap'", "other.pcap"),
                (2, "syntax error", "tcp", "prot", "80"),
                (1, "the capture has 1\n", "--conn", "9"),
                (1, "has 1 that pass the filter", "--conn", "9", "tcp"),
                (0, "no TCP segment among the 0 packets that pass the filter", "udp"),
                (2, "--summary is a format of its own", "-s", "--format", "csv"),
                (2, "--conn: '0'", "--conn", "0"),
                (0, "", "--conn", "1-"),
            ):
                with self.subTest(arguments=arguments):
                    result = run("read", path, *arguments)
                    self.assertEqual(result.returncode, status, self.explain(result))
                    self.assertIn(says, result.stderr)
                    self.assertLessEqual(result.stderr.count("\n"), 1)


class Bounds(Test):
    def test_stories_of_too_many_packets_are_told_as_far_as_there_is_room(self):
        content = pcap(exchange(40000) + exchange(40001))
        arguments = ["read", "-", "--format", "jsonl", "--packets-max"]
        for room, told in ((16, 16), (10, 10), (1, 1)):
            result = run(*arguments, room, "--conn", "1-2", stdin=None, input=content, encoding=None)
            lines = parse(result.stdout.decode())
            self.assertEqual(len([line for line in lines if line["type"] == "segment"]), told)
            self.assertEqual(result.returncode, 0 if room == 16 else 1)
            self.assertEqual(f"from packet {room + 1} on" in result.stderr.decode(), room < 16)
        result = run(*arguments, 8, "--conn", "2", stdin=None, input=content, encoding=None)
        self.assertEqual(result.returncode, 0, "packets of other connections take no room")

    def test_a_history_that_was_cut_says_so(self):
        resets = [frame((10, 0, 0, 2), (10, 0, 0, 1), 80, 40000, 4, 501 + i, 0) for i in range(30)]
        for content, cut in ((pcap(exchange(40000, last=4) + resets), True), (pcap(exchange(40000)), False)):
            result = run("read", "-", "--format", "jsonl", stdin=None, input=content, encoding=None)
            flow = parse(result.stdout.decode())[0]
            self.assertEqual((flow["history_cut"], len(flow["history"]) >= 19), (cut, cut))
            listed = run("read", "-", "-v", stdin=None, input=content, encoding=None).stdout.decode()
            self.assertEqual(flow["history"] + "+" in listed, cut)


class Beside(Test):
    """What stands in a pcapng file beside the packets, and where they were seen."""

    def read(self, content, *arguments, status=0):
        result = run("read", "-", *arguments, stdin=None, input=content, encoding=None)
        self.assertEqual(result.returncode, status, result.stderr.decode())
        self.assertFalse(set(result.stdout + result.stderr) & (set(range(32)) - {10}), "a control character")
        return result.stdout.decode(), result.stderr.decode()

    HOSTILE = (b"\x1b[2J\x1b]0;title\x07", b"\xff\xfe\x80 no utf-8 \xc3", b"A" * 65535, "\u202egnp.txt".encode(), b"", b'a;b "c" \\x',
               b"first\nsecond", b"\0")

    def commented(self):
        frames = exchange(40000)
        packets = [packet(0, i * 1000, f, *([b"one", b"two"] if i == 0 else self.HOSTILE)) for i, f in enumerate(frames)]
        return (section((1, b"the file's \x1b[31m")) + interface((2, b"eth0"), (1, b"the left one")) + block(9, b"MESSAGE=x\n") * 12
                + block(4, b"\0" * 4) + block(10, b"KSLT" + struct.pack("<I", 4) + b"abcd") + block(0xBAD, b"\0\0\1\2data")
                + block(0x777, b"zzzz") * 3 + b"".join(packets)
                + block(5, struct.pack("<III", 0, 0, 0) + options((5, struct.pack("<Q", 2)), (7, struct.pack("<Q", 40)))))

    def test_a_packets_comments_stand_at_its_segment(self):
        out, _ = self.read(self.commented(), "--conn", "1")
        syn = out[out.index("#1 SYN"):out.index("#2 SYN-ACK")]
        self.assertIn('comment: "one"', syn)
        self.assertIn('comment: "two"', syn)
        self.assertIn("\\x1b[2J", out)

    def test_event_lines_have_them_in_a_field_of_their_own(self):
        out, _ = self.read(self.commented(), "--conn", "1", "--format", "jsonl")
        segments = [line for line in parse(out) if line["type"] == "segment"]
        self.assertEqual(segments[0]["comment"], "one\ntwo")
        self.assertTrue(segments[1]["comment"].startswith("\x1b[2J"))
        self.assertIn("[cut]", segments[1]["comment"])
        plain, _ = self.read(pcap(exchange(40000)), "--conn", "1", "--format", "jsonl")
        self.assertFalse([line for line in parse(plain) if "comment" in line])

    def test_a_stored_log_keeps_them(self):
        events, _ = self.read(self.commented(), "--conn", "1", "--format", "events")
        for form in ("text", "jsonl"):
            direct, _ = self.read(self.commented(), "--conn", "1", "--format", form)
            self.assertEqual(self.read(events.encode(), "--format", form)[0], direct)

    def test_what_is_passed_over_is_counted(self):
        out, err = self.read(self.commented(), "--summary")
        for fact in ("packets with comments +8", "journal entries, unread +12", "name blocks, unread +1", "secrets, unread +1",
                     "custom blocks, unread +1", "unknown blocks, unread +3", "dropped by the capture +42", "comment +the capture: the file's",
                     "comment +interface eth0: the left one"):
            self.assertRegex(out, fact)
        self.assertIn("dropped 42 packets", err)
        totals = parse(self.read(self.commented(), "--format", "jsonl")[0])[-1]
        self.assertEqual(totals["unread"], {"journal": 12, "names": 1, "secrets": 1, "custom": 1, "unknown": 3})
        self.assertEqual((totals["commented"], totals["dropped"], len(totals["comments"])), (8, 42, 2))
        self.assertIn("12 systemd journal entries", self.read(self.commented(), "-v")[1])
        self.assertNotIn("journal", self.read(self.commented())[1])

    def twice(self, names=((2, b"veth0"), (2, b"br0"))):
        """Every segment passes two interfaces, the second a little later."""
        seen = [packet(0, i * 1000, f) + packet(1, i * 1000 + 7, f) for i, f in enumerate(exchange(40000))]
        return section() + b"".join(interface(*([name] if name else [])) for name in names) + b"".join(seen)

    def assert_told_once(self, content):
        out, err = self.read(content, "--conn", "1", "--format", "jsonl")
        lines = parse(out)
        segments = [line for line in lines if line["type"] == "segment"]
        self.assertEqual(len(segments), 8)
        for segment in segments:
            # The second interface is no receiver: nobody saw it arrive, and nobody knows of a loss.
            self.assertEqual([segment[key] for key in ("received", "lost", "copy", "retransmission")], [None, False, False, False])
        self.assertIn("8 of the 16 packets", err)
        return lines

    def test_a_segment_that_passes_two_interfaces_is_one_segment(self):
        lines = self.assert_told_once(self.twice())
        self.assertEqual(lines[-1]["vantages"], ["veth0", "br0"])
        self.assertEqual(self.assert_told_once(self.twice((None, None)))[-1]["vantages"], ["capture", "interface 1"])

    def test_the_list_counts_each_once_and_says_so(self):
        out, err = self.read(self.twice(), "--format", "jsonl")
        self.assertEqual([parse(out)[0][end]["retransmissions"] for end in ("client", "server")], [0, 0])
        self.assertIn("8 packets were captured more than once, at several places (veth0, br0)", err)
        self.assertEqual(self.read(section() + interface((2, b"veth0")) + b"".join(
            packet(0, i, f) for i, f in enumerate(exchange(40000))))[1], "")

    def test_loopback_seen_both_ways_is_one_segment(self):
        """A capture at tc's hooks sees a packet of lo go and come; the file says which."""
        seen = []
        for i, data in enumerate(exchange(40000)):
            for way in (2, 1):
                plain = packet(0, i * 1000 + 3 - way, data)[8:-4]
                seen.append(block(6, plain + options((2, struct.pack("<I", way)))))
        lines = self.assert_told_once(section() + interface((2, b"lo")) + b"".join(seen))
        self.assertEqual(lines[-1]["vantages"], ["lo (out)", "lo (in)"])

    def test_a_segment_that_only_one_of_them_saw_is_not_called_lost(self):
        frames = exchange(40000)
        content = section() + interface((2, b"a")) + interface((2, b"b")) + packet(0, 0, frames[0]) + packet(1, 5, frames[0])
        content += b"".join(packet(0, i * 1000, f) for i, f in enumerate(frames) if i)
        segments = [line for line in parse(self.read(content, "--conn", "1", "--format", "jsonl")[0]) if line["type"] == "segment"]
        self.assertEqual([(s["lost"], s["received"]) for s in segments], [(False, None)] * 8)

    def test_what_is_sent_again_is_a_retransmission_at_two_interfaces_too(self):
        frames = exchange(40000)
        content = section() + interface((2, b"a")) + interface((2, b"b"))
        content += b"".join(packet(n, i * 1000 + n, f) for i, f in enumerate(frames[:4]) for n in (0, 1))
        content += packet(0, 300000, frames[3]) + packet(1, 300001, frames[3])
        segments = [line for line in parse(self.read(content, "--conn", "1", "--format", "jsonl")[0]) if line["type"] == "segment"]
        self.assertEqual([s["retransmission"] for s in segments], [False] * 4 + [True])

    def test_rotated_files_of_one_interface_are_one_vantage(self):
        for name in ([(2, b"eth0")], []):
            part = [section() + interface(*name) + b"".join(packet(0, at, f) for at, f in some) for some in (
                [(0, exchange(40000)[0])], [(50, exchange(40000)[0])])]
            lines = parse(self.read(b"".join(part), "--conn", "1", "--format", "jsonl")[0])
            self.assertEqual([line["retransmission"] for line in lines if line["type"] == "segment"], [False, True])

    def test_cooked_captures_know_their_interfaces(self):
        def cooked2(index, frame):
            return struct.pack(">HHIHBB", 0x800, 0, index, 1, 0, 6) + b"\2" * 6 + b"\0\0" + frame[14:]

        def cooked1(index, frame):
            return struct.pack(">HHH", 4 if index == 3 else 0, 1, 6) + b"\2" * 6 + b"\0\0" + struct.pack(">H", 0x800) + frame[14:]

        for link, cook in ((276, cooked2), (113, cooked1)):
            with self.subTest(link=link):
                seen = [packet(0, i * 1000 + j, cook(2 + j, f)) for i, f in enumerate(exchange(40000)) for j in (0, 1)]
                self.assert_told_once(section() + interface(link=link) + b"".join(seen))


if __name__ == "__main__":
    main()
