"""A running tcpwhy watch, and the traffic that it is shown: a test's own, on loopback."""

import json
import os
import select
import signal
import socket
import subprocess
import threading
import time

from support import Test, environment, parse, program

LONG_S = 60
# A watch sees the calls of the whole host. What other processes hand to theirs may be long, or lie where it can't be read: it says so, and
# nothing of a test's traffic is lost with it.
OTHERS = ("arguments not readable", "watch lists cut")


def lost_here(totals):
    """What was lost, by the last line of a watch, but for what other processes' calls are to blame for."""
    return [loss for loss in totals["lost"] if loss["what"] not in OTHERS]


class Watching:
    """A watch that has begun to record: what happens from here on is seen."""

    def __init__(self, *arguments, command=None, **options):
        self.process = subprocess.Popen(command or [program(), "watch", *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, encoding="utf-8", env=environment(), **options)
        self.lines = []
        self.reading = threading.Event()  # cleared: nobody reads
        self.reading.set()
        self.seen = threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.reading.wait()
            with self.seen:
                self.lines.append(line.rstrip("\n"))
                self.seen.notify_all()

    def until(self, holds):
        with self.seen:
            if not self.seen.wait_for(lambda: any(map(holds, self.lines)), LONG_S):
                raise AssertionError("it did not come:\n" + "\n".join(self.lines[-50:]))
            return next(filter(holds, self.lines))

    def begun(self, port, knocks=None):
        """Knocks until the watch shows it: then it records."""
        deadline = time.monotonic() + LONG_S
        while time.monotonic() < deadline:
            if knocks:
                knocks()
            else:
                knock(port)
            with self.seen:
                if self.seen.wait_for(lambda: any(f":{port}" in line for line in self.lines), 0.5):
                    return self
        raise AssertionError("the watch shows nothing: " + "\n".join(self.lines))

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.ended()

    def ended(self):
        self.process.wait(LONG_S)
        error = self.process.stderr.read()
        self.reader.join(LONG_S)
        self.close()
        return error

    def close(self):
        self.reading.set()
        self.process.kill()
        self.process.wait(LONG_S)
        self.reader.join(LONG_S)
        self.process.stdout.close()
        self.process.stderr.close()


def knock(port):
    """A connection to a port of this test's own server, or a refused one."""
    with socket.socket() as client:
        client.settimeout(LONG_S)
        client.connect_ex(("127.0.0.1", port))


def leave_unread(server):
    """A connection to this listening socket whose client closes it without reading what has come: it is reset."""
    client = socket.create_connection(server.getsockname())
    peer, _ = server.accept()
    peer.sendall(b"nobody reads this")
    select.select([client], [], [], LONG_S)
    client.close()
    peer.close()


class Echo:
    """A server in this process that echoes one message of each connection, and closes when its peer has."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            with peer:
                try:
                    peer.sendall(peer.recv(100))
                    peer.recv(100)
                except OSError:
                    pass

    def round(self):
        with socket.create_connection(("127.0.0.1", self.port), LONG_S) as client:
            client.sendall(b"12345678")
            client.recv(100)


def free_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


class WatchTest(Test):
    """With an echo server whose connections are watched."""

    def setUp(self):
        self.echo = Echo()
        self.addCleanup(self.echo.socket.close)

    def watching(self, *arguments, **options):
        watching = Watching("--port", self.echo.port, *arguments, **options)
        self.addCleanup(watching.close)
        return watching.begun(self.echo.port)

    def assert_none_lost(self, error):
        """Of this test's traffic."""
        others = "|".join(OTHERS)
        self.assertRegex(error, rf"lost +(nothing, of|(({others}): \d+ \(bpf\)\s*)+\Z)")

    @staticmethod
    def of_type(watching, kind):
        return [line for line in parse("\n".join(watching.lines)) if line["type"] == kind]

    def real(self, watching):
        """Connections to the echo server that have ended and carried something: knocks do not."""
        lines = [json.loads(line) for line in watching.lines if '"ended"' in line and f":{self.echo.port}" in line]
        return [line for line in lines if line["client"]["bytes"]]

    def told(self, watching, count):
        """They have ended, so they are told within seconds, not when the watch ends."""
        deadline = time.monotonic() + LONG_S
        while len(self.real(watching)) < count and time.monotonic() < deadline:
            time.sleep(0.1)
        told = self.real(watching)
        self.assertEqual((len(told), len({line["conn"] for line in told})), (count, count))
        self.assertEqual({line["outcome"] for line in told}, {"closed"})

    def all_told(self, watching, count):
        """The same, and the end of it: what it says then on standard error."""
        self.told(watching, count)
        error = watching.end()
        self.assertEqual(len(self.real(watching)), count, error)
        return error
