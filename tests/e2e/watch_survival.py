"""What a tcpwhy watch meets that runs for long: bursts, slow readers, full disks, networks that come and go, floods."""

import collections
import json
import os
import select
import signal
import socket
import subprocess
import tempfile
import time

from support import main, program
from watching import LONG_S, Watching, WatchTest, leave_unread


class Survival(WatchTest):
    """What a watch meets that runs for long."""

    def watching(self, *arguments, **options):
        return super().watching("--format", "jsonl", *arguments, **options)

    def test_no_right_is_left_while_it_watches(self):
        watching = self.watching()
        with open(f"/proc/{watching.process.pid}/status", encoding="ascii") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        self.assertEqual((status["CapEff"], status["CapPrm"], status["CapBnd"]), ("0" * 16,) * 3)
        self.assertEqual((set(status["Uid"].split()), status["Groups"].strip()), ({"65534"}, ""))
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
        watching.end()

    def test_a_burst_is_told_whole_and_two_watches_tell_the_same(self):
        first, second = self.watching(), self.watching("--events")
        for _ in range(800):
            self.echo.round()
        for watching in (first, second):
            self.assert_none_lost(self.all_told(watching, 800))
        # Steps come in order of time, whichever connection they are of, and none is told twice or not at all.
        steps = [json.loads(line) for line in second.lines if '"type":"course"' in line]
        self.assertEqual([line["t"] for line in steps], sorted(line["t"] for line in steps))
        ours = {line["conn"] for line in self.real(second)}
        told = collections.Counter((line["conn"], line["from"], line["segment"]) for line in steps if line["conn"] in ours)
        self.assertEqual({count for (conn, side, segment), count in told.items() if segment in ("SYN", "SYN-ACK", "FIN")}, {1})
        self.assertEqual({segment: sum(1 for key in told if key[2] == segment) for segment in ("SYN", "SYN-ACK", "FIN")}, {"SYN": 800, "SYN-ACK": 800, "FIN": 1600})

    def test_stopped_for_a_while_it_catches_up(self):
        watching = self.watching()
        watching.process.send_signal(signal.SIGSTOP)
        for _ in range(500):
            self.echo.round()
        watching.process.send_signal(signal.SIGCONT)
        self.assert_none_lost(self.all_told(watching, 500))

    def test_a_slow_reader_gets_everything(self):
        watching = self.watching()
        watching.reading.clear()
        self.echo.round()
        for _ in range(499):
            self.echo.round()
        with open(f"/proc/{watching.process.pid}/fd/1", "wb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK)) as pipe:
            deadline = time.monotonic() + LONG_S
            while not self.is_full(pipe) and time.monotonic() < deadline:  # 16 pages: the rest waits in the watch
                time.sleep(0.05)
            self.assertTrue(self.is_full(pipe))
        watching.reading.set()
        self.assert_none_lost(self.all_told(watching, 500))

    @staticmethod
    def is_full(pipe):
        return not select.select([], [pipe], [], 0)[1]

    def test_a_full_disk_costs_the_trace_alone(self):
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        port = server.getsockname()[1]
        with tempfile.TemporaryDirectory() as folder:
            mount = f"mount -t tmpfs -o size=64k none {folder} && exec {program()} watch --port {self.echo.port} --port {port} --format jsonl"
            words = f"{mount} --ring 60 --on reset-unread-data -o {folder}/traces"
            watching = Watching(command=["unshare", "-m", "sh", "-c", words])
            self.addCleanup(watching.close)
            watching.begun(self.echo.port)
            for _ in range(300):
                self.echo.round()
            leave_unread(server)
            watching.until(lambda line: "reset-unread-data" in line)
            error = self.all_told(watching, 300)
            self.assertIn("1 failed (No space left on device)", error)

    def test_of_too_many_the_oldest_are_given_up_and_counted(self):
        server = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.addCleanup(server.close)
        port = server.getsockname()[1]
        watching = self.watching("--port", port, "--memory", "8M")  # 512 of them
        kept = []
        for _ in range(400):  # both ends are sockets of this process: mind the limit of descriptors
            client = socket.create_connection(("127.0.0.1", port))
            kept += [client, server.accept()[0]]
        flood = [socket.create_connection(("127.0.0.1", port)) for _ in range(150)]
        self.echo.round()  # when this one is told, those before it were seen
        error = self.all_told(watching, 1)
        for end in kept + flood:
            end.close()
        totals = next(json.loads(line) for line in watching.lines if '"watch_totals"' in line)
        self.assertEqual(totals["open"] + totals["given_up"], 550, error)
        self.assertGreaterEqual(totals["given_up"], 550 - 512)
        self.assertIn("too many", error)
        self.assertEqual([line for line in watching.lines if '"ended"' in line and f":{port}" in line], [])

    def test_networks_that_come_and_go(self):
        watching = self.watching()
        commands = "ip link add veth0 type veth peer name veth1; ip addr add 192.0.2.1/24 dev veth0; ip link set veth0 up; ip link set veth1 up; ip link del veth0"
        for _ in range(5):
            subprocess.run(["unshare", "-n", "sh", "-ec", commands], check=True, timeout=LONG_S)
            self.echo.round()
        self.assert_none_lost(self.all_told(watching, 5))

    def test_a_flood_of_syns_takes_no_more_memory_and_hides_nobody(self):
        watching = Watching("--format", "jsonl", "--memory", "8M")
        self.addCleanup(watching.close)
        watching.begun(self.echo.port)
        before = self.memory_kib(watching)
        flood = subprocess.run(["unshare", "-n", "sh", "-ec", f"ip link set lo up; ip link add veth0 type veth peer name veth1; ip link set veth0 up; ip link set veth1 up; "
                                f"ip addr add 192.0.2.1/24 dev veth0; ip route add default dev veth0; exec python3 -c '{FLOOD}'"],
                               check=False, capture_output=True, text=True, timeout=LONG_S)
        self.assertEqual(flood.returncode, 0, flood.stderr)
        for _ in range(50):
            self.echo.round()
        self.told(watching, 50)
        grown = self.memory_kib(watching) - before
        watching.end()
        self.assertLess(grown, 128 << 10)

    @staticmethod
    def memory_kib(watching):
        with open(f"/proc/{watching.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


# 6,000 SYNs from as many ends, to a server of that network: nobody answers its SYN-ACKs.
FLOOD = """
import socket, struct
server = socket.create_server(("192.0.2.1", 3333), backlog=4096)
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
def total(data):
    value = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while value >> 16:
        value = (value & 65535) + (value >> 16)
    return ~value & 65535
for i in range(6000):
    src, dst = struct.pack("!I", 0x0a000000 + i), socket.inet_aton("192.0.2.1")
    tcp = struct.pack("!HHIIBBHHH", 1024 + i % 60000, 3333, i, 0, 80, 2, 65535, 0, 0)
    check = total(src + dst + struct.pack("!BBH", 0, 6, len(tcp)) + tcp)
    tcp = tcp[:16] + struct.pack("!H", check) + tcp[18:]
    ip = struct.pack("!BBHHHBBH", 69, 0, 40, 0, 0, 64, 6, 0) + src + dst
    raw.sendto(ip + tcp, ("192.0.2.1", 0))
"""


if __name__ == "__main__":
    main()
