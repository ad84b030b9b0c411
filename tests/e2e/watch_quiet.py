"""A network in which nothing else happens: what is over, or in trouble, is told all the same, not when the next thing happens. The
network is one of the test's own; what all others on the host do is left out."""

import json
import os
import subprocess
import tempfile
import time
import urllib.request

from receiver import Receiver
from support import Test, environment, main, parse, program
from watching import LONG_S, Watching, free_port, lost_here

# Does what a word of its input asks for, and says the client's port.
ACTOR = """
import select, socket, sys
server = socket.create_server(("127.0.0.1", 0))
kept = []
print(server.getsockname()[1], flush=True)
for word in map(str.strip, sys.stdin):
    if word == "close":
        client, peer = kept.pop()
    else:
        client = socket.create_connection(server.getsockname())
        peer = server.accept()[0]
    port = client.getsockname()[1]
    if word == "unread":
        peer.sendall(b"nobody reads this")
        select.select([client], [], [])
    if word in ("round", "unread", "close"):
        client.close()
        peer.recv(1) if word != "unread" else None
        peer.close()
    elif word == "leak":
        client.close()
        kept.append(peer)
    else:
        kept.append((client, peer))
    print(port, flush=True)
"""


class Quiet(Test):
    def setUp(self):
        self.actor = subprocess.Popen(["unshare", "-n", "sh", "-c", "ip link set lo up; exec python3 -c \"$0\"", ACTOR], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, encoding="ascii")
        self.addCleanup(self.actor.stdout.close)
        self.addCleanup(self.actor.wait, LONG_S)
        self.addCleanup(self.actor.stdin.close)
        self.port = int(self.actor.stdout.readline())

    def act(self, word):
        """The client's end of the connection that it is about."""
        self.actor.stdin.write(word + "\n")
        self.actor.stdin.flush()
        return f"127.0.0.1:{int(self.actor.stdout.readline())}"

    def until(self, holds, what):
        deadline = time.monotonic() + LONG_S
        while not holds():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.05)

    def test_everything_is_told_though_nothing_else_happens(self):
        folder, port, receiver = tempfile.TemporaryDirectory(), free_port(), Receiver()
        self.addCleanup(folder.cleanup)
        self.addCleanup(receiver.close)
        watching = Watching("--netns", f"/proc/{self.actor.pid}/ns/net", "--format", "jsonl", "--events", "--prometheus", port, "--otlp", receiver.url,
                            "--ring", 60, "--on", "reset-unread-data", "-o", f"{folder.name}/traces")
        self.addCleanup(watching.close)
        knocks = []
        watching.begun(self.port, lambda: knocks.append(self.act("round")))

        def ended(client):
            watching.until(lambda line: '"ended"' in line and f'"{client}"' in line)

        ended(knocks[-1])
        seen = len([line for line in parse("\n".join(watching.lines)) if line["type"] == "ended"])
        self.until(lambda: f'tcpwhy_connections_total{{outcome="closed"}} {seen}\n' in self.metrics(port), "the metrics")
        self.until(lambda: len({span["traceId"] for span in receiver.spans() if span["name"].startswith("TCP connection")}) == seen, "the spans")

        ended(self.act("unread"))
        self.until(lambda: [name for name in os.listdir(f"{folder.name}/traces") if name.endswith(".pcapng") and name[0] != "."], "the trace")

        # A connection that is open: its steps as they happen, and each once.
        client = self.act("open")
        said = json.loads(watching.until(lambda line: '"course"' in line and f'"{client}"' in line and '"SYN-ACK"' in line))
        watching.until(lambda line: f'"course","conn":{said["conn"]},' in line and '"ACK"' in line)
        self.until(lambda: "tcpwhy_connections_open 1\n" in self.metrics(port), "the open one")
        self.assertFalse([line for line in watching.lines if '"ended"' in line and f'"{client}"' in line])
        self.act("close")
        ended(client)
        steps = [line["segment"] for line in parse("\n".join(watching.lines)) if line["type"] == "course" and line["conn"] == said["conn"]]
        self.assertEqual((steps[:3], sorted(steps[3:])), (["SYN", "SYN-ACK", "ACK"], ["ACK", "FIN", "FIN"]))

        client = self.act("leak")
        watching.until(lambda line: '"close-wait"' in line and f'"{client}"' in line)
        watching.end()
        lines = parse("\n".join(watching.lines))
        totals = next(line for line in lines if line["type"] == "watch_totals")
        self.assertEqual((totals["connections"], totals["open"], totals["given_up"]), (seen + 2, 1, 0))
        self.assertEqual({line["server"]["addr"] for line in lines if line["type"] == "ended"}, {f"127.0.0.1:{self.port}"})
        self.assertEqual((totals["traces"]["written"], lost_here(totals)), (1, []))

    @staticmethod
    def metrics(port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=LONG_S) as page:
            return page.read().decode()

    def test_a_command_that_goes_on_has_its_connection_told_when_that_is_over(self):
        command = ("import socket, sys\nserver = socket.create_server(('127.0.0.1', 0))\nclient = socket.create_connection(server.getsockname())\n"
                   "peer = server.accept()[0]\nclient.close()\npeer.close()\nsys.stdin.read()")
        for recorder in ("bpf", "ptrace"):
            with self.subTest(recorder=recorder):
                process = subprocess.Popen(["unshare", "-n", "sh", "-c", "ip link set lo up; exec \"$@\"", "sh", program(), "run", "--recorder", recorder, "--live", "--format", "list",
                                            "--", "python3", "-c", command], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(), encoding="utf-8")
                self.addCleanup(process.stderr.close)
                self.addCleanup(process.kill)
                line = next(line for line in process.stderr if "127.0.0.1:" in line)
                self.assertIn("closed after", line)
                self.assertIsNone(process.poll())
                process.stdin.close()
                process.stderr.read()
                self.assertEqual(process.wait(LONG_S), 0)

    def test_what_was_attached_to_has_its_connection_told_when_that_is_over(self):
        process = subprocess.Popen(["nsenter", "-t", str(self.actor.pid), "-n", program(), "attach", "--live", str(self.actor.pid)], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(), encoding="utf-8")
        self.addCleanup(process.wait, LONG_S)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.terminate)
        next(process.stderr)  # it follows
        client = self.act("round")
        self.assertIn("closed after", next(line for line in process.stderr if client in line))


if __name__ == "__main__":
    main()
