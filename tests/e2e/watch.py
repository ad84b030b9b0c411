"""tcpwhy watch: every connection of the host, once, with who opened it and who closed it by which call, and what went wrong while
it was open. The traffic is this test's own, on loopback; others' connections are left out by --pid or --port."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

from support import OrdinaryUser, Test, environment, main, parse, program, run

LONG_S = 60


class Watching:
    """A watch that has begun to record: what happens from here on is seen."""

    def __init__(self, *arguments, command=None, **options):
        self.process = subprocess.Popen(command or [program(), "watch", *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, encoding="utf-8", env=environment(), **options)
        self.lines = []
        self.seen = threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.seen:
                self.lines.append(line.rstrip("\n"))
                self.seen.notify_all()

    def until(self, holds):
        with self.seen:
            if not self.seen.wait_for(lambda: any(map(holds, self.lines)), LONG_S):
                raise AssertionError("it did not come:\n" + "\n".join(self.lines[-50:]))
            return next(filter(holds, self.lines))

    def begun(self, port):
        """Knocks until the watch shows it: then it records."""
        deadline = time.monotonic() + LONG_S
        while time.monotonic() < deadline:
            knock(port)
            with self.seen:
                if self.seen.wait_for(lambda: any(f":{port}" in line for line in self.lines), 0.5):
                    return self
        raise AssertionError("the watch shows nothing: " + "\n".join(self.lines))

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        self.process.wait(LONG_S)
        error = self.process.stderr.read()
        self.reader.join(LONG_S)
        self.close()
        return error

    def close(self):
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


class Watch(Test):
    def setUp(self):
        self.echo = Echo()
        self.addCleanup(self.echo.socket.close)

    def watching(self, *arguments):
        watching = Watching("--port", self.echo.port, *arguments)
        self.addCleanup(watching.close)
        return watching.begun(self.echo.port)

    def of_type(self, watching, kind):
        return [line for line in parse("\n".join(watching.lines)) if line["type"] == kind]

    def test_each_connection_is_told_once_with_both_ends_and_its_last_call(self):
        watching = self.watching("--format", "jsonl")
        for _ in range(200):
            self.echo.round()
        time.sleep(1)
        error = watching.end()
        knocks = [line for line in self.of_type(watching, "ended") if not line["client"]["bytes"]]
        ended = [line for line in self.of_type(watching, "ended") if line["client"]["bytes"]]
        self.assertEqual(len(ended), 200, error)
        self.assertEqual(len({line["conn"] for line in ended}), 200)
        for line in ended:
            self.assertEqual((line["client"]["pid"], line["server"]["pid"]), (os.getpid(), os.getpid()), line)
            self.assertEqual((line["client"]["bytes"], line["server"]["bytes"], line["outcome"]), (8, 8, "closed"), line)
            self.assertEqual(line["closed_by"], "client", line)
            self.assertRegex(line["closed_how"], r"^close\(\d+\)$", line)
            self.assertEqual(line["findings"], [], line)
            self.assertTrue(0 < line["connect"] <= line["first_byte"] < line["end"] - line["start"] + 1, line)
        totals = self.of_type(watching, "watch_totals")[0]
        self.assertEqual(totals["connections"], 200 + len(knocks))
        self.assertIn("nothing", error)

    def test_what_goes_wrong_is_found_in_a_stream_that_has_no_data(self):
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        port, closed = server.getsockname()[1], free_port()
        watching = self.watching("--port", port, "--port", closed, "--format", "jsonl")
        knock(closed)
        client = socket.create_connection(("127.0.0.1", port))
        peer, _ = server.accept()
        peer.sendall(b"nobody reads this")
        time.sleep(0.2)
        client.close()  # with unread data: RST
        peer.close()
        watching.until(lambda line: "reset-unread-data" in line)
        watching.until(lambda line: "refused" in line and f":{closed}" in line)
        watching.end()
        told = {line["server"]["addr"].split(":")[1]: line for line in self.of_type(watching, "ended")}
        reset, refused = told[str(port)], told[str(closed)]
        self.assertEqual((reset["outcome"], reset["closed_by"], reset["server"]["bytes"]), ("reset", "client", 17))
        self.assertEqual([finding["id"] for finding in reset["findings"]], ["reset-unread-data"])
        self.assertEqual((refused["outcome"], refused["closed_by"]), ("refused", "server"))
        self.assertEqual([finding["id"] for finding in refused["findings"]], ["refused"])

    def test_a_close_wait_that_lasts_is_said_while_it_lasts(self):
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        port = server.getsockname()[1]
        watching = self.watching("--port", port, "--format", "jsonl")
        client = socket.create_connection(("127.0.0.1", port))
        peer, _ = server.accept()
        client.close()
        watching.until(lambda line: '"trouble":"close-wait"' in line)
        self.assertFalse([line for line in self.of_type(watching, "ended") if line["server"]["addr"].endswith(f":{port}")])
        trouble = self.of_type(watching, "trouble")
        self.assertEqual(len(trouble), 1)
        self.assertEqual((trouble[0]["end"], trouble[0]["server"]["state"]), ("server", "CLOSE_WAIT"))
        self.assertIn("close-wait-leak", [finding["id"] for finding in trouble[0]["findings"]])
        peer.close()
        watching.until(lambda line: '"ended"' in line and f":{port}" in line)
        watching.end()

    def test_steps_of_handshake_and_goodbye_stand_before_the_line(self):
        watching = self.watching("--events")
        self.echo.round()
        time.sleep(1)
        watching.end()
        steps = [line.split("  ")[-2].strip() for line in watching.lines if " ms  " in line][-6:]
        self.assertEqual(steps, ["SYN", "SYN-ACK", "ACK", "FIN", "FIN", "ACK"], watching.lines)

    def test_the_flight_recorder_writes_the_seconds_before_one_fault_among_many_good_connections(self):
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        port = server.getsockname()[1]
        with tempfile.TemporaryDirectory() as folder:
            watching = self.watching("--port", port, "--ring", 60, "--on", "reset-unread-data", "-o", f"{folder}/traces")
            for _ in range(600):
                self.echo.round()
            client = socket.create_connection(("127.0.0.1", port))
            peer, _ = server.accept()
            peer.sendall(b"nobody reads this")
            time.sleep(0.2)
            client.close()
            peer.close()
            for _ in range(100):
                self.echo.round()
            watching.until(lambda line: "reset-unread-data" in line)
            watching.end()
            names = os.listdir(f"{folder}/traces")
            self.assertEqual(len(names), 1, names)
            self.assertIn("reset-unread-data", names[0])
            path = f"{folder}/traces/{names[0]}"
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
            told = run("read", path, "--format", "jsonl", timeout=LONG_S)
            self.assertEqual(told.returncode, 0, told.stderr)
            heads = [line for line in parse(told.stdout) if line["type"] == "connection"]
            self.assertGreaterEqual(len([line for line in heads if line["server"]["addr"].endswith(f":{self.echo.port}")]), 600)
            fault = [line["conn"] for line in heads if line["server"]["addr"].endswith(f":{port}")]
            found = [line for line in parse(told.stdout) if line["type"] == "finding" and line["conn"] in fault]
            self.assertEqual([line["id"] for line in found], ["reset-unread-data"])

    def test_other_networks_of_the_host_are_watched_too(self):
        port = free_port()
        watching, here = self.watching("--port", port), self.watching("--port", port, "--netns", "this")
        other = subprocess.run(["unshare", "-n", "sh", "-c",
                                f"ip link set lo up; exec python3 -c 'import socket; l = socket.create_server((\"127.0.0.1\", {port}));"
                                f" c = socket.create_connection((\"127.0.0.1\", {port})); c.close()'"], check=False, timeout=LONG_S)
        self.assertEqual(other.returncode, 0)
        watching.until(lambda line: f"127.0.0.1:{port}" in line)
        watching.end()
        here.end()
        self.assertFalse([line for line in here.lines if f"127.0.0.1:{port}" in line])

    def test_between_two_networks_it_finds_what_the_scenario_itself_finds(self):
        watching = self.watching("--port", 3333, "--format", "jsonl")
        for name in ("refused", "simultaneous-close"):
            self.assertEqual(run("demo", name, "-q", timeout=LONG_S).returncode, 0)
            watching.until(lambda line: '"ended"' in line and f'"{name}"' in line and "192.0.2.2:3333" in line)
        watching.end()

    def test_an_end_in_the_midst_of_traffic_is_in_order(self):
        watching = self.watching()
        watching.end(signal.SIGTERM)
        self.assertEqual(watching.process.returncode, 0)
        self.assertTrue([line for line in watching.lines if line.startswith("connections")], watching.lines)

    def test_a_reader_that_goes_ends_it_as_a_broken_pipe_does(self):
        watching = Watching("--port", self.echo.port, "--events")
        self.addCleanup(watching.close)
        watching.begun(self.echo.port)
        shell = subprocess.Popen(["sh", "-c", f"exec {program()} watch --port {self.echo.port} | head -1"], stdout=subprocess.DEVNULL, env=environment())
        deadline = time.monotonic() + LONG_S
        while shell.poll() is None and time.monotonic() < deadline:
            self.echo.round()
            time.sleep(0.05)
        self.assertEqual(shell.poll(), 0)
        watching.end()

    def test_without_the_right_it_says_which(self):
        result = run("watch", "--for", "1", command=self.ordinary().command)
        self.assertEqual((result.returncode, result.stdout), (3, ""), result.stderr)
        self.assertRegex(result.stderr, "CAP_BPF|root")

    def test_metrics_are_handed_out_by_http(self):
        port = free_port()
        watching = self.watching("--prometheus", port)
        for _ in range(20):
            self.echo.round()
        deadline = time.monotonic() + LONG_S
        while time.monotonic() < deadline:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=LONG_S) as page:
                text = page.read().decode()
                self.assertIn("version=0.0.4", page.headers["Content-Type"])
            values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
            if float(values['tcpwhy_connections_total{outcome="closed"}']) >= 20:
                break
            time.sleep(0.2)
        self.assertGreaterEqual(int(values["tcpwhy_connect_seconds_count"]), 20)
        self.assertEqual(values['tcpwhy_connect_seconds_bucket{le="+Inf"}'], values["tcpwhy_connect_seconds_count"])
        buckets = [int(value) for name, value in values.items() if name.startswith("tcpwhy_connect_seconds_bucket")]
        self.assertEqual(buckets, sorted(buckets))
        for method, path, status in (("GET", "/", 404), ("POST", "/metrics", 405)):
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method), timeout=LONG_S)
            self.assertEqual(refused.exception.code, status)
            refused.exception.close()
        watching.end()

    def test_a_wrong_filter_is_refused(self):
        for words, what in ((["prot", "80"], "pcap-filter"), (["--memory", "1M"], "--memory"), (["--format", "svg"], "--format"),
                            (["--ring", "5", "-o", "x", "--on", "refusd"], "refused"), (["--ring", "5"], "-o"),
                            (["--netns", "nosuch"], "--netns")):
            result = run("watch", *words)
            self.assertEqual((result.returncode, result.stdout), (2, ""), result.stderr)
            self.assertIn(what, result.stderr)
            self.assertEqual(result.stderr.count("\n"), 1)

    def ordinary(self):
        user = OrdinaryUser()
        self.addCleanup(user.close)
        return user


class Survival(Test):
    """What a watch meets that runs for long."""

    def setUp(self):
        self.echo = Echo()
        self.addCleanup(self.echo.socket.close)

    def watching(self, *arguments, **options):
        watching = Watching("--port", self.echo.port, "--format", "jsonl", *arguments, **options)
        self.addCleanup(watching.close)
        return watching.begun(self.echo.port)

    def real(self, watching):
        """Connections that carried something: knocks do not."""
        lines = [json.loads(line) for line in watching.lines if '"ended"' in line]
        return [line for line in lines if line["client"]["bytes"]]

    def all_told(self, watching, count):
        deadline = time.monotonic() + LONG_S
        while len(self.real(watching)) < count and time.monotonic() < deadline:
            time.sleep(0.2)
        error = watching.end()
        told = self.real(watching)
        self.assertEqual((len(told), len({line["conn"] for line in told})), (count, count), error)
        self.assertEqual({line["outcome"] for line in told}, {"closed"})
        return error

    def test_no_right_is_left_while_it_watches(self):
        watching = self.watching()
        with open(f"/proc/{watching.process.pid}/status", encoding="ascii") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        self.assertEqual((status["CapEff"], status["CapPrm"], status["CapBnd"]), ("0" * 16,) * 3)
        self.assertEqual((set(status["Uid"].split()), status["Groups"].strip()), ({"65534"}, ""))
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
        watching.end()

    def test_a_burst_is_told_whole_and_two_watches_tell_the_same(self):
        first, second = self.watching(), self.watching()
        for _ in range(800):
            self.echo.round()
        for watching in (first, second):
            self.assertIn("nothing", self.all_told(watching, 800))

    def test_stopped_for_a_while_it_catches_up(self):
        watching = self.watching()
        watching.process.send_signal(signal.SIGSTOP)
        for _ in range(500):
            self.echo.round()
        time.sleep(1)
        watching.process.send_signal(signal.SIGCONT)
        self.assertIn("nothing", self.all_told(watching, 500))

    def test_a_slow_reader_gets_everything(self):
        command = f"exec {program()} watch --port {self.echo.port} --format jsonl --for 8 | (sleep 6; cat)"
        shell = subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", env=environment())
        time.sleep(3)
        for _ in range(500):
            self.echo.round()
        out, error = shell.communicate(timeout=LONG_S)
        told = [line for line in parse(out) if line["type"] == "ended" and line["client"]["bytes"]]
        self.assertEqual(len(told), 500, error)

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
            client = socket.create_connection(("127.0.0.1", port))
            peer, _ = server.accept()
            peer.sendall(b"nobody reads this")
            time.sleep(0.2)
            client.close()
            peer.close()
            watching.until(lambda line: "reset-unread-data" in line)
            error = self.all_told_but(watching, 300)
            self.assertIn("1 failed (No space left on device)", error)

    def all_told_but(self, watching, count):
        time.sleep(1)
        error = watching.end()
        told = [line for line in self.real(watching) if line["outcome"] == "closed"]
        self.assertEqual(len(told), count, error)
        return error

    def test_of_too_many_the_oldest_are_given_up_and_counted(self):
        server = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.addCleanup(server.close)
        port = server.getsockname()[1]
        watching = self.watching("--port", port, "--memory", "8M")  # 512 of them
        kept = []
        for _ in range(400):  # both ends are sockets of this process: mind the limit of descriptors
            client = socket.create_connection(("127.0.0.1", port))
            kept += [client, server.accept()[0]]
        time.sleep(1)
        flood = [socket.create_connection(("127.0.0.1", port)) for _ in range(150)]
        time.sleep(1)
        error = watching.end()
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
        self.assertIn("nothing", self.all_told(watching, 5))

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
        time.sleep(3)
        grown = self.memory_kib(watching) - before
        watching.end()
        told = [line for line in self.real(watching) if line["server"]["addr"].endswith(f":{self.echo.port}")]
        self.assertEqual(len(told), 50)
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


class Terminal:
    """A terminal of its own (tmux) in which a shell runs the watch, and says afterwards how the terminal is."""

    def __init__(self, folder, columns, lines, *arguments, term="screen-256color", **changes):
        self.folder = folder
        self.server = f"{folder}/tmux"  # its own: one that is about to end still takes who asks for it by its name
        words = " ".join([program(), "watch", "--tui", *map(str, arguments)])
        env = environment(TERM=term, **changes)
        shell = f"cd {folder}; stty -g >before; echo $$ >shell; {words} 2>&1; echo \"END $?\"; until stty -g >after; cmp -s before after; do sleep 0.1; done; touch over; sleep 600"
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", columns, "-y", lines, f"TERM={term}; export TERM; {shell}", env=env)
        self.server_pid = int(self.tmux("display-message", "-p", "#{pid}"))

    def tmux(self, *words, **options):
        return subprocess.run(["tmux", "-S", self.server, *map(str, words)], check=True, capture_output=True, encoding="utf-8", timeout=LONG_S,
                              **options).stdout

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def screen(self):
        return self.tmux("capture-pane", "-p")

    def until(self, holds, what):
        deadline = time.monotonic() + LONG_S
        while time.monotonic() < deadline:
            screen = self.screen()
            if holds(screen):
                return screen
            time.sleep(0.1)
        raise AssertionError(f"{what} does not come:\n{screen}")

    def over(self):
        """It has ended, and the terminal is as it was."""
        deadline = time.monotonic() + LONG_S
        while not os.path.exists(f"{self.folder}/over"):
            if time.monotonic() > deadline:
                raise AssertionError(f"it does not end:\n{self.screen()}")
            time.sleep(0.1)
        return [self.said(name) for name in ("before", "after")]

    def said(self, name):
        with open(f"{self.folder}/{name}", encoding="ascii") as file:
            return file.read().strip()

    def watch_pid(self):
        shell = self.said("shell")
        return int(subprocess.run(["pgrep", "-P", shell, "-f", "watch --tui"], check=True, capture_output=True, encoding="ascii").stdout.split()[0])

    def close(self):
        """Its shell writes into the folder, which may go when this returns."""
        subprocess.run(["tmux", "-S", self.server, "kill-server"], check=False, capture_output=True)
        deadline = time.monotonic() + LONG_S
        while os.path.exists(f"/proc/{self.server_pid}") and time.monotonic() < deadline:
            time.sleep(0.01)


class Screen(Test):
    def setUp(self):
        self.echo = Echo()
        self.addCleanup(self.echo.socket.close)

    def begun(self, columns, lines, *arguments, **changes):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        terminal = Terminal(folder.name, columns, lines, "--port", self.echo.port, *arguments, **changes)
        self.addCleanup(terminal.close)
        terminal.until(lambda screen: "tcpwhy watch: connections" in screen, "the list")
        deadline = time.monotonic() + LONG_S
        while f":{self.echo.port}" not in terminal.screen() and time.monotonic() < deadline:
            self.echo.round()
            time.sleep(0.3)
        return terminal

    def test_list_ladder_keys_and_save_at_three_sizes(self):
        for columns, lines in ((80, 24), (120, 40), (200, 50)):
            with self.subTest(columns=columns, lines=lines):
                terminal = self.begun(columns, lines)
                screen = terminal.until(lambda text: "TIME_WAIT" in text and "closed" in text, "an ended connection")
                self.assertTrue(all(len(line) <= columns for line in screen.splitlines()))
                self.assertIn("CLIENT IS", screen)
                terminal.keys("Enter")
                terminal.until(lambda text: "#1 SYN" in text and "connection" in text.splitlines()[0], "the ladder")
                terminal.keys("s")
                terminal.until(lambda text: "save as" in text, "the question")
                terminal.keys("t")
                terminal.until(lambda text: "saved tcpwhy-" in text, "the file")
                saved = [name for name in os.listdir(terminal.folder) if name.startswith("tcpwhy-")]
                self.assertEqual(len(saved), 1)
                with open(f"{terminal.folder}/{saved[0]}", encoding="utf-8") as file:
                    self.assertIn("SYN-ACK", file.read())
                terminal.keys("?")
                terminal.until(lambda text: "these keys" in text or "one line up" in text, "the help")
                terminal.keys("q", "q")
                before, after = terminal.over()
                self.assertEqual(before, after)
                self.assertIn("END 0", terminal.screen())

    def test_a_ladder_grows_while_it_is_shown_and_a_filter_hides_rows(self):
        terminal = self.begun(120, 40)
        with socket.create_connection(("127.0.0.1", self.echo.port)) as client:
            terminal.until(lambda text: "ESTABLISHED" in text, "the open connection")
            terminal.keys("o", "Home", "Enter")
            terminal.until(lambda text: "#3 ACK" in text, "the handshake")
            self.assertNotIn("FIN", terminal.screen())
            client.sendall(b"12345678")
            client.recv(8)
        terminal.until(lambda text: "FIN" in text, "the goodbye")
        terminal.keys("q", "o", "f")
        terminal.keys("-l", "nosuchname")
        terminal.keys("Enter")
        terminal.until(lambda text: "nothing passes the filter" in text, "the empty list")
        terminal.keys("Q")
        self.assertEqual(*terminal.over())

    def test_resized_and_without_colour(self):
        terminal = self.begun(120, 40, "--color", "never", LC_ALL="C")
        terminal.tmux("resize-window", "-x", 80, "-y", 24)
        terminal.until(lambda text: len(text.rstrip("\n").splitlines()) <= 24 and "? keys" in text.splitlines()[-1], "the smaller picture")
        self.assertTrue(terminal.screen().isascii())
        terminal.keys("q")
        self.assertEqual(*terminal.over())

    def test_a_kill_leaves_the_terminal_as_it_was(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(signal=number.name):
                terminal = self.begun(80, 24)
                os.kill(terminal.watch_pid(), number)
                before, after = terminal.over()
                self.assertEqual(before, after)
                # After SIGKILL the shell may have spoken before the guard has put its screen back.
                terminal.until(lambda text: "tcpwhy watch: connections" not in text, "the shell's own screen")
                terminal.close()

    def test_what_is_no_terminal_is_refused(self):
        result = run("watch", "--tui")
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertIn("--tui", result.stderr)
        with tempfile.TemporaryDirectory() as folder:
            terminal = Terminal(folder, 80, 24, term="dumb")
            self.addCleanup(terminal.close)
            terminal.over()
            self.assertIn("END 2", terminal.screen())
            self.assertIn("TERM=dumb", terminal.screen())


def free_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


if __name__ == "__main__":
    main()
