"""^C at a terminal, at any moment: the program ends by the signal itself, after one word; and what it began is gone."""

import os
import pathlib
import select
import signal
import socket
import tempfile
import time

from cli import exchange, pcap
from kill import processes_with, wait_until_empty
from support import TIMEOUT_S, Test, environment, main, program, traced, wait_ready

MOMENTS_S = (0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.9)


class Terminal:
    """The program on a terminal of its own, as the leader of its foreground processes."""

    def __init__(self, *arguments, command=None, env=None):
        self.pid, self.leader = os.forkpty()
        if self.pid == 0:
            words = [*(command or [program()]), *map(str, arguments)]
            os.chdir("/")
            os.execvpe(words[0], words, env or environment())
        self.output = b""

    def read(self, seconds):
        """What it writes in that time; False at its end."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if not select.select([self.leader], [], [], left)[0]:
                return True
            try:
                self.output += os.read(self.leader, 65536)
            except OSError:  # a terminal's end of file
                return False
        return True

    def interrupt(self):
        os.write(self.leader, b"\x03")

    def finish(self):
        """Its wait status and all that it wrote."""
        until = time.monotonic() + TIMEOUT_S
        while self.read(0.2):
            assert time.monotonic() < until, self.output.decode(errors="replace")
        os.close(self.leader)
        return os.waitpid(self.pid, 0)[1], self.output.decode(errors="replace")


class Interrupted(Test):
    def end(self, moment_s, *arguments, **options):
        terminal = Terminal(*arguments, **options)
        wait_ready(terminal.pid)
        self.assertTrue(terminal.read(moment_s) or moment_s, terminal.output)
        terminal.interrupt()
        status, output = terminal.finish()
        with self.subTest(moment_s=moment_s, arguments=arguments):
            self.assertTrue(os.WIFSIGNALED(status), f"status {status}: {output}")
            self.assertEqual(os.WTERMSIG(status), signal.SIGINT)
            self.assertEqual(output.count("tcpwhy: interrupted"), 1, output)
            self.assertNotIn("expectation", output)
        return output

    def sweep(self, *arguments, **options):
        for moment_s in MOMENTS_S:
            self.end(moment_s, *arguments, **options)

    def test_a_pair(self):
        self.sweep("demo", "--accept-delay", "20000", "--clients", "2", "--name", "pair-of-c")
        self.assertEqual(wait_until_empty(lambda: processes_with("pair-of-c")), [])

    def test_a_pair_of_an_ordinary_user(self):
        command = self.ordinary()
        self.sweep("demo", "--accept-delay", "20000", command=command, env=traced(environment()))

    def test_a_pair_that_would_end_soon_ends_by_the_signal_or_by_itself(self):
        for moment_s in MOMENTS_S:
            terminal = Terminal("demo", "-q")
            wait_ready(terminal.pid)
            terminal.read(moment_s)
            terminal.interrupt()
            status, output = terminal.finish()
            said = output.count("tcpwhy: interrupted")
            self.assertIn((status, said), ((signal.SIGINT, 1), (0, 0)), output)

    def test_what_a_pair_has_shown_is_told(self):
        output = self.end(1.5, "demo", "--accept-delay", "20000", "--ascii")
        self.assertIn("SYN-ACK", output)

    def test_the_catalogue(self):
        self.sweep("demo", "--all", "a-minute-of-time-wait", "a-minute-of-time-wait")

    def test_the_figure_of_states(self):
        self.sweep("states", "a-minute-of-time-wait")

    def test_an_echo_server(self):
        self.sweep("echo", "server", "127.0.0.1", "0")

    def test_an_echo_client_that_waits_for_an_answer(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            self.sweep("echo", "client", "--count", "1", "127.0.0.1", silent.getsockname()[1])

    def test_reading_a_pipe_tells_what_was_seen(self):
        for moment_s in (0, 0.05, 0.3):
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "fifo")
                os.mkfifo(path)
                terminal = Terminal("read", path, "--format", "csv")
                fd = os.open(path, os.O_WRONLY)
                os.write(fd, pcap(exchange(40000)))
                while b"closed" not in terminal.output:  # its rows are shown while the writer is silent
                    self.assertTrue(terminal.read(0.05))
                terminal.read(moment_s)
                terminal.interrupt()
                status, output = terminal.finish()
                os.close(fd)
                self.assertEqual(status, signal.SIGINT, output)
                self.assertIn("interrupted: this is what the first 8 packets tell", output)
                self.assertEqual(output.count("interrupted"), 1)

    def test_reading_before_there_is_anything(self):
        with tempfile.TemporaryDirectory() as folder:
            one, other = (os.path.join(folder, name) for name in ("one", "other"))
            os.mkfifo(one)
            os.mkfifo(other)
            for files in ([one], ["--merge", one, other]):
                self.end(0.2, "read", *files)

    def test_merging_two_captures(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, name) for name in ("a.pcap", "b.pcap")]
            for path in paths:
                with open(path, "wb") as file:
                    file.write(pcap([f for port in range(30000, 40000) for f in exchange(port)]))
            for moment_s in (0, 0.02, 0.05):
                self.end(moment_s, "read", "--merge", *paths, "--format", "csv")


if __name__ == "__main__":
    main()
