"""What a watch of certain ports says is what a watch of everything says of the same connections, though the kernel hands it nothing of the
others. Both look at the same traffic, side by side: connections with the ports at either end, and as many of the same kinds without."""

import contextlib
import ctypes
import json
import os
import pathlib
import re
import select
import socket
import struct
import subprocess
import sys
import tempfile
import time

from support import main, run
from watching import LONG_S, Watching, WatchTest, knock, leave_unread

MPTCP = 262
CHILD = "import os, socket, sys; s = socket.socket(fileno=int(sys.argv[1])); s.sendall(b'child'); sys.stdout.write('.'); sys.stdout.flush(); sys.stdin.read()"


def listening(test, family=socket.AF_INET, backlog=16):
    """A server at a port that no kernel chooses by itself, so that it is nobody's by chance."""
    for port in range(3600 + os.getpid() % 400 * 64, 32000):
        with contextlib.suppress(OSError):
            server = socket.create_server(("127.0.0.1" if family == socket.AF_INET else "::1", port), family=family, backlog=backlog)
            test.addCleanup(server.close)
            return server
    raise AssertionError("no port is free")


def pair(server, client=None):
    client = client or socket.socket(server.family)
    client.settimeout(LONG_S)
    client.connect(server.getsockname()[:2])
    return client, server.accept()[0]


def plain(server, first=0):
    ends = pair(server)
    for one, other in (ends, ends[::-1]):
        one.sendall(b"12345678")
        other.recv(100)
    ends[first].close()
    ends[1 - first].recv(1)
    ends[1 - first].close()


def not_blocking(server):
    client = socket.socket(server.family)
    client.setblocking(False)
    client.connect_ex(server.getsockname()[:2])
    select.select([], [client], [], LONG_S)
    peer, _ = server.accept()
    client.shutdown(socket.SHUT_WR)
    peer.recv(1)
    peer.close()
    client.close()


def taken_late(server):
    client = socket.create_connection(server.getsockname()[:2])
    time.sleep(0.05)
    peer, _ = server.accept()
    peer.close()
    select.select([client], [], [], LONG_S)
    client.close()


def by_close_range(server):
    client, peer = pair(server)
    fd = client.detach()
    ctypes.CDLL(None).syscall(436, fd, fd, 0)
    peer.recv(1)
    peer.close()


def by_dup2(server):
    client, peer = pair(server)
    with open("/dev/null", "rb") as null:
        os.dup2(null.fileno(), client.fileno())
    peer.recv(1)
    peer.close()
    client.close()


def in_a_child(server, killed=False):
    """Which holds the only copy, and ends, or is killed."""
    client, peer = pair(server)
    with subprocess.Popen([sys.executable, "-c", CHILD, str(client.fileno())], pass_fds=[client.fileno()], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.read(1)
        client.close()
        peer.recv(100)
        if killed:
            child.kill()
        else:
            child.stdin.close()
        peer.recv(1)
        peer.close()


def aborted(server):
    client, peer = pair(server)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    select.select([peer], [], [], LONG_S)
    peer.close()


def disconnected(server):
    """connect() to AF_UNSPEC: behind it the socket has no port any more."""
    client, peer = pair(server)
    ctypes.CDLL(None).connect(client.fileno(), struct.pack("=H14x", socket.AF_UNSPEC), 16)
    select.select([peer], [], [], LONG_S)
    peer.close()
    client.close()


def multipath(server):
    """Of which a subflow has the port."""
    with contextlib.suppress(OSError):  # a kernel without it
        client, peer = pair(server, socket.socket(socket.AF_INET, socket.SOCK_STREAM, MPTCP))
        client.close()
        peer.recv(1)
        peer.close()


def in_use(server):
    """A client whose bind() is refused, and who is given another port."""
    client = socket.socket()
    with contextlib.suppress(OSError):
        client.bind(server.getsockname())
    _, peer = pair(server, client)
    client.close()
    peer.recv(1)
    peer.close()


KINDS = (plain, lambda server: plain(server, 1), not_blocking, taken_late, by_close_range, by_dup2, in_a_child,
         lambda server: in_a_child(server, True), aborted, disconnected, multipath, in_use, leave_unread)


def play(server, closed):
    for kind in KINDS:
        kind(server)
    knock(closed)
    with socket.socket() as bound:  # to a port that shows when bind() returns, of no connection
        bound.bind(("127.0.0.1", 0))


def without(line):
    """What two watches of the same must say alike: all but their numbers for connections and steps, and times, which differ by what they cost."""
    for word in ("conn", "start", "end", "connect", "accept_queue", "first_byte", "t", "touched"):
        line.pop(word, None)
    for finding in line.get("findings", []):
        finding.pop("steps", None)
        finding["text"] = re.sub(r"[\d.]+ (ms|us|s)\b|#\d+", "N", finding.get("text", ""))
    line["findings"] = [finding for finding in line.get("findings", []) if finding["id"] != "accept-late"]
    return json.dumps(line, sort_keys=True)


class Ports(WatchTest):
    def side_by_side(self, *chosen):
        """A watch of all and a watch of what is chosen, both recording: each has seen a connection that is not looked at later."""
        first = listening(self)
        port = first.getsockname()[1]
        watches = [Watching(*words, "--events", "--format", "jsonl") for words in ((), (*chosen, *(("--port", port) if "--port" in chosen else ())))]
        for watching in watches:
            self.addCleanup(watching.close)
        for watching in watches:
            watching.begun(port, lambda: plain(first))
        return watches

    def alike(self, watches, is_chosen):
        """What both say of the chosen connections, and how many events the second one was handed for each that it told of."""
        told = []
        for watching in watches:
            error = watching.end()
            self.assert_none_lost(error)
            lines = [json.loads(line) for line in watching.lines]
            told.append(sorted(without(line) for line in lines if line["type"] in ("ended", "trouble", "course") and is_chosen(line)))
        self.maxDiff = None
        self.assertEqual(told[0], told[1])
        self.assertGreater(len(told[0]), 0)
        whole = sum(line["type"] == "ended" for line in lines)
        return [json.loads(line) for line in told[0]], int(re.search(r"of (\d+) event", error)[1]) / whole

    @staticmethod
    def ports_of(line):
        return {int(line[end]["addr"].rsplit(":", 1)[1]) for end in ("client", "server")}


    def test_of_a_servers_port(self):
        server, foreign, six = listening(self), listening(self), listening(self, socket.AF_INET6)
        unused = listening(self), listening(self)
        closed, foreign_closed = (end.getsockname()[1] for end in unused)
        chosen = {server.getsockname()[1], six.getsockname()[1], closed}
        watches = self.side_by_side("--port", ",".join(map(str, chosen)))
        for end in unused:
            end.close()
        for _ in range(3):
            play(foreign, foreign_closed)
            play(server, closed)
            plain(six)
        time.sleep(3)
        told, _ = self.alike(watches, lambda line: self.ports_of(line) & chosen)
        ended = [line for line in told if line["type"] == "ended"]
        self.assertGreater(len(ended), 3 * len(KINDS))
        # Each kind is told as what it was: two watches that both miss something are alike, too.
        hows = " ".join(str(line["closed_how"]) for line in ended)
        for how in ("close(", "shutdown(", "dup2(", "connect("):
            self.assertIn(how, hows)
        self.assertLessEqual({"closed", "reset", "refused"}, {line["outcome"] for line in ended})
        self.assertEqual({line["client"]["pid"] for line in ended} - {os.getpid()}, set())

    def test_of_ports_that_the_kernel_chose(self):
        """All that is known when connect() and accept() begin is a port that was not asked for."""
        server = listening(self)
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
            first, last = map(int, file.read().split())
        self.assertLess(server.getsockname()[1], first)
        watches = self.side_by_side(f"tcp portrange {first}-{last}")
        for _ in range(3):
            play(server, 3)
        time.sleep(3)
        told, _ = self.alike(watches, lambda line: server.getsockname()[1] in self.ports_of(line))
        opened = [line for line in told if line["type"] == "course" and line["segment"] == "SYN"]
        self.assertEqual({line["cause"] for line in opened}, {"connect()"})

    def test_nothing_is_handed_over_of_others(self):
        server, foreign = listening(self), listening(self)
        watches = self.side_by_side("--port", server.getsockname()[1])
        for _ in range(200):
            plain(foreign)
        play(foreign, 3)
        plain(server)
        time.sleep(2)
        _, events = self.alike(watches, lambda line: server.getsockname()[1] in self.ports_of(line))
        self.assertLess(events, 60)  # of each connection that it tells of: some 25; with the others' it would be thousands

    def test_the_ring_keeps_what_is_not_shown(self):
        """The seconds before a fault are those of everything."""
        server, foreign = listening(self), listening(self)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        traces = pathlib.Path(folder.name, "traces")
        watching = Watching("--port", server.getsockname()[1], "--ring", 60, "--on", "reset-unread-data", "-o", traces, "--format", "jsonl")
        self.addCleanup(watching.close)
        watching.begun(server.getsockname()[1], lambda: plain(server))
        plain(foreign)
        leave_unread(server)
        watching.until(lambda line: "reset-unread-data" in line)
        self.assert_none_lost(watching.end())
        self.assertFalse([line for line in watching.lines if f":{foreign.getsockname()[1]}" in line])
        trace, = traces.iterdir()
        told = run("read", trace, "--format", "jsonl", "-q").stdout
        self.assertIn(f"127.0.0.1:{foreign.getsockname()[1]}", told)


if __name__ == "__main__":
    main()
