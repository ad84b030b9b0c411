"""Lessons at a terminal: a screen, a ladder that grows at a key, sentences that fit. A terminal is made for it. That each lesson of the catalogue
fits a screen is told where all are played: findings.py."""

import fcntl
import os
import pathlib
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time

from support import Test, environment, main, program, run

ECHO_FLAGS = termios.ICANON | termios.ECHO | termios.ISIG


class Terminal:
    """tcpwhy with a terminal of its own."""

    def __init__(self, *arguments, rows=24, columns=80, **env):
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.slave = slave
        self.before = termios.tcgetattr(slave)
        self.output = ""
        env = environment(TERM="xterm", **env)
        self.process = subprocess.Popen([program(), *map(str, arguments)], stdin=slave, stdout=slave, stderr=subprocess.PIPE, env=env)

    def read(self, until=None, seconds=60):
        """What was written since, up to a word, or to the end of the program."""
        begin, end = len(self.output), time.monotonic() + seconds
        while time.monotonic() < end:
            ended = self.process.poll() is not None
            while select.select([self.master], [], [], 0.05)[0]:
                self.output += os.read(self.master, 1 << 16).decode("utf-8", "replace").replace("\r\n", "\n")
            new = self.output[begin:]
            if (until and re.search(until, new)) or ended:
                return new
        raise AssertionError(f"neither {until!r} nor an end in {seconds} s: {self.output[begin:]!r}")

    def press(self, keys, until):
        os.write(self.master, keys)
        return self.read(until)

    def is_as_before(self):
        return termios.tcgetattr(self.slave) == self.before

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        os.close(self.master)
        os.close(self.slave)


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


class Screens(Test):
    def terminal(self, *arguments, **options):
        terminal = Terminal(*arguments, **options)
        self.addCleanup(terminal.close)
        return terminal

    def test_a_terminal_gets_a_screen_and_a_pipe_all_of_it(self):
        terminal = self.terminal("demo", "late-accept")
        text = plain(terminal.read())
        lines = text.splitlines()
        self.assertEqual(terminal.process.returncode, 0)
        self.assertLessEqual(len(lines), 21)
        self.assertIn("accept() comes late", lines[0])
        self.assertIn("Who will answer the SYN? · RFC 9293 3.5", text)
        self.assertIn("× lost", text)
        self.assertIn("tcpwhy demo late-accept --whole", text)
        self.assertIn("\x1b[", terminal.output)
        whole = self.terminal("demo", "late-accept", "--whole", NO_COLOR="1")
        self.assertGreater(len(whole.read().splitlines()), 40)
        self.assertNotIn("\x1b[", whole.output)
        self.assertGreater(len(run("demo", "late-accept").stdout.splitlines()), 40)

    def test_the_pair_fits_a_screen_too(self):
        lines = plain(self.terminal("demo", NO_COLOR="1").read()).splitlines()
        self.assertLessEqual(len(lines), 22)
        self.assertTrue(any("SYN-ACK" in line for line in lines), lines)
        self.assertGreater(len(self.terminal("demo", "--whole").read().splitlines()), 40)

    def test_a_ladder_grows_at_a_key_and_the_terminal_is_given_back(self):
        terminal = self.terminal("demo", "refused", "--step", NO_COLOR="1")
        first = terminal.read("ends$")
        count = int(re.search(r"1 of (\d+) ", first)[1])
        self.assertFalse(termios.tcgetattr(terminal.slave)[3] & ECHO_FLAGS)
        self.assertIn("connect(", first)
        self.assertNotIn("RST", first.split("ms  CLIENT")[1])
        forward = terminal.press(b"\r", "2 of .* ends$")
        self.assertIn("SYN", forward)
        self.assertIn("3 of", terminal.press(b"\x1b[C", "3 of .* ends$"))
        back = terminal.press(b"\x1b[D", "2 of .* ends$")
        self.assertEqual(plain(back), plain(forward))
        for number in range(3, count + 1):
            last = terminal.press(b" ", f"{number} of .* ends$")
        self.assertIn("ECONNREFUSED", last)
        end = terminal.press(b"q", "--whole\n")
        terminal.read()
        self.assertIn("ECONNREFUSED", end)  # what was shown last stays
        self.assertEqual(terminal.process.wait(60), 0)
        self.assertTrue(terminal.is_as_before())

    def test_a_signal_gives_the_terminal_back_too(self):
        for send, status in ((signal.SIGTERM, -signal.SIGTERM), (signal.SIGHUP, -signal.SIGHUP), (b"\x03", -signal.SIGINT)):
            with self.subTest(send=send):
                terminal = self.terminal("demo", "refused", "--step")
                terminal.read("ends.*$")
                self.assertFalse(terminal.is_as_before())
                if isinstance(send, bytes):
                    os.write(terminal.master, send)
                else:
                    terminal.process.send_signal(send)
                terminal.read()
                self.assertEqual(terminal.process.wait(60), status)
                self.assertTrue(terminal.is_as_before())
                self.assertTrue(terminal.output.endswith("\x1b[?25h\x1b[?1049l"), terminal.output[-60:])

    def test_sentences_fit_the_terminal_and_no_section_is_torn(self):
        for columns in (80, 60):
            terminal = self.terminal("demo", "refused", "--explain", columns=columns)
            text = plain(terminal.read())
            self.assertEqual(terminal.process.returncode, 0)
            self.assertIn("\x1b[32m", terminal.output)
            self.assertTrue(all(len(line) <= columns for line in text.splitlines()), text)
            self.assertRegex(text, r"\[RFC 9293 3\.5\]")
            self.assertNotRegex(text, r"RFC\s*\n\s*9293|9293\s*\n\s*\d")

    def test_own_text_is_told_as_it_stands(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "mine.scn"
            path.write_text("title a \\ backslash\ntell one \\n and\nclient connect server:3333\nexpect client connect fails with ECONNREFUSED\n")
            result = run("demo", path, "--explain")
            self.assertIn("a \\\\ backslash", result.stdout)


if __name__ == "__main__":
    main()
