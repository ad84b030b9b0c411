"""tcpwhy watch: every connection of the host, once, with who opened it and who closed it by which call, and what went wrong while
it was open. The traffic is this test's own, on loopback; others' connections are left out by --pid or --port."""

import os
import signal
import socket
import subprocess
import threading
import time

from support import OrdinaryUser, Test, environment, main, parse, program, run

LONG_S = 60


class Watching:
    """A watch that has begun to record: what happens from here on is seen."""

    def __init__(self, *arguments, **options):
        self.process = subprocess.Popen([program(), "watch", *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
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
        time.sleep(0.5)
        knocks = len(watching.lines)
        for _ in range(200):
            self.echo.round()
        time.sleep(1)
        error = watching.end()
        ended = self.of_type(watching, "ended")[knocks:]
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
        self.assertEqual(totals["connections"], 200 + knocks)
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

    def test_other_networks_of_the_host_are_watched_too(self):
        port = free_port()
        watching = self.watching("--port", port)
        other = subprocess.run(["unshare", "-n", "sh", "-c",
                                f"ip link set lo up; exec python3 -c 'import socket; l = socket.create_server((\"127.0.0.1\", {port}));"
                                f" c = socket.create_connection((\"127.0.0.1\", {port})); c.close()'"], check=False, timeout=LONG_S)
        self.assertEqual(other.returncode, 0)
        watching.until(lambda line: f"127.0.0.1:{port}" in line)
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

    def test_a_wrong_filter_is_refused(self):
        for words, what in ((["prot", "80"], "pcap-filter"), (["--memory", "1M"], "--memory"), (["--format", "svg"], "--format")):
            result = run("watch", *words)
            self.assertEqual((result.returncode, result.stdout), (2, ""), result.stderr)
            self.assertIn(what, result.stderr)
            self.assertEqual(result.stderr.count("\n"), 1)

    def ordinary(self):
        user = OrdinaryUser()
        self.addCleanup(user.close)
        return user


def free_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


if __name__ == "__main__":
    main()
