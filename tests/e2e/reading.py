"""Reading captures as people do: from pipes that are still being written, as an ordinary user, with odd things in them."""

import fcntl
import os
import pathlib
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time

from cli import exchange, pcap
from support import TIMEOUT_S, Test, environment, main, program, run


def wait_drained(fd):
    """Until the reader of a pipe has taken all that was written."""
    until = time.monotonic() + TIMEOUT_S
    while struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0" * 4))[0]:
        assert time.monotonic() < until, "nobody reads the pipe"
        time.sleep(0.01)


def wait_listening(process, number):
    """Until it has a handler for that signal."""
    until = time.monotonic() + TIMEOUT_S
    while True:
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        caught = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt"))
        if caught >> (number - 1) & 1:
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
                out, err = self.finish(process, 0)
                self.assertEqual(len(out.splitlines()), 3)
                self.assertIn("first 15 packets", err)

    def test_what_the_writer_hands_over_at_the_same_interruption_is_read(self):
        """tcpdump -w - keeps what it has seen in a buffer until it ends: even the file's header comes behind the ^C."""
        reading, writing = os.pipe()
        process = self.start("-", "--format", "csv", stdin=reading)
        os.close(reading)
        wait_listening(process, signal.SIGINT)
        process.send_signal(signal.SIGINT)
        os.write(writing, pcap(exchange(40000)))
        os.close(writing)
        out, _ = self.finish(process, 0)
        self.assertEqual(len(out.splitlines()), 2)

    def test_before_anything_is_there_it_ends_by_the_signal(self):
        process, fd = self.fifo()
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process, -signal.SIGINT), ("", ""))
        process = self.start("-", stdin=subprocess.PIPE)
        wait_listening(process, signal.SIGINT)
        process.send_signal(signal.SIGINT)
        process.wait(TIMEOUT_S)  # its standard input stays open
        self.assertEqual(self.finish(process, -signal.SIGINT), ("", ""))

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
            wait_listening(process, signal.SIGINT)
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


if __name__ == "__main__":
    main()
