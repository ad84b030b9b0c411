"""tcpwhy attach: processes that run already, with what they have open and what they wait in, and nothing left behind."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

from support import Story, Test, environment, main, program, run, traced

PATIENCE_S = 60
# A server that echoes, each client in a thread of its own; its children do the same at the same socket. A line of input ends it.
SERVER = """
import os, socket, sys, threading
s = socket.create_server(("127.0.0.1", 0))
for _ in range(int(sys.argv[1])):
    if os.fork() == 0:
        break
else:
    print(s.getsockname()[1], flush=True)
def echo(c):
    while d := c.recv(100):
        c.sendall(d)
    c.close()
def serve():
    while True:
        c, _ = s.accept()
        threading.Thread(target=echo, args=(c,), daemon=True).start()
threading.Thread(target=serve, daemon=True).start()
sys.stdin.readline()
"""


class Attach(Test):
    recorder = "bpf"

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.servers = []

    def tearDown(self):
        for server in self.servers:
            server.kill()
            server.communicate()
        self.folder.cleanup()

    def serve(self, children=0):
        server = subprocess.Popen(
            [sys.executable, "-I", "-c", SERVER, str(children)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )
        self.servers.append(server)
        server.port = int(server.stdout.readline())
        return server

    def attach(self, *arguments):
        self.path = os.path.join(self.folder.name, "run.jsonl")
        process = subprocess.Popen(
            [program(), "attach", "--recorder", self.recorder, "-o", self.path, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
            env=traced(environment()),
        )
        process.said = process.stderr.readline()
        self.assertRegex(process.said, r"following \S+\[\d+\].* until \^C")
        return process

    def end(self, process, number=signal.SIGINT):
        if number:
            process.send_signal(number)
        _, errors = process.communicate(timeout=PATIENCE_S)
        self.assertEqual(process.returncode, 0, errors)
        story = Story(pathlib.Path(self.path).read_text())
        self.assert_nothing_lost(story)
        return story

    def ask(self, client, words=b"words"):
        client.sendall(words)
        self.assertEqual(client.recv(100), words)

    def rest(self, server):
        """The server has closed all but what it listens at."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            open_sockets = 0
            for entry in os.scandir(f"/proc/{server.pid}/fd"):
                with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                    open_sockets += os.readlink(entry.path).startswith("socket:")
            if open_sockets == 1:
                return
            time.sleep(0.01)
        raise AssertionError(f"the server keeps {open_sockets} sockets")

    def connect_from(self, server, side):
        """From a port on that side of the server's: -1 below, 1 above."""
        for port in range(server.port + side, server.port + 500 * side, side):
            try:
                return socket.create_connection(("127.0.0.1", server.port), source_address=("127.0.0.1", port))
            except OSError:
                pass  # somebody has it
        raise AssertionError("no free port")

    def test_what_waits_and_what_is_open_is_followed_and_what_comes(self):
        for side in (-1, 1):  # whichever port is the higher, the one that listens serves
            with self.subTest(side=side):
                self.check_what_waits(side)

    def check_what_waits(self, side):
        server = self.serve()
        with self.connect_from(server, side) as old:
            self.ask(old)
            process = self.attach(server.pid)
            self.ask(old, b"more words")
            with socket.create_connection(("127.0.0.1", server.port)) as new:
                self.ask(new)
        self.rest(server)
        story = self.end(process)
        self.assertEqual(len(story.connections), 2)
        first, second = story.connections
        self.assertEqual((first.head["outcome"], second.head["outcome"]), ("closed", "closed"))
        self.assertEqual(first.segments[0]["len"], len(b"more words"))
        if self.recorder == "bpf":
            read = first.calls_named("server", "recv")[0]
            self.assertEqual((read["enter"], read["ret"]), (None, len(b"more words")), read)  # it had begun before
        for connection in (first, second):
            if self.recorder == "bpf":
                self.assert_all_causes_known(connection)
            data = [s for s in connection.segments if s["end"] == "server" and s["len"]][0]
            if self.recorder == "bpf" or connection is second:  # ptrace may come in the midst of the first one's call
                self.assertEqual(connection.cause(data), ("call", "send", "server"))
        self.assertEqual(second.calls_named("server", "accept4")[0]["ret"] > 0, True)
        # The server is as it was.
        status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
        self.assertIn("TracerPid:\t0\n", status)
        with socket.create_connection(("127.0.0.1", server.port)) as again:
            self.ask(again)

    def test_children_that_run_already_and_whoever_listens_at_a_port(self):
        server = self.serve(children=2)
        process = self.attach("--port", server.port)
        self.assertRegex(process.said, r" and 2 more with 3 open sockets")
        for _ in range(6):
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                self.ask(client)
        story = self.end(process, signal.SIGTERM)
        self.assertEqual(len(story.connections), 6)
        for connection in story.connections:
            self.assertTrue(connection.calls_named("server", "accept4"), connection.head)

    def test_two_processes_and_the_end_of_all(self):
        one, other = self.serve(), self.serve()
        process = self.attach(one.pid, other.pid)
        for server in (one, other):
            with socket.create_connection(("127.0.0.1", server.port)) as client:
                self.ask(client)
        for server in (one, other):
            server.stdin.write("\n")
            server.stdin.flush()
        story = self.end(process, None)
        self.assertEqual({c.head["server"]["pid"] for c in story.connections}, {one.pid, other.pid})

    def test_what_others_say_meanwhile_finds_room(self):
        # More than the usual room of a capture holds, while it is stopped: on loopback there is more.
        server = self.serve()
        process = self.attach(server.pid)
        process.send_signal(signal.SIGSTOP)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taker, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            taker.bind(("127.0.0.1", 0))
            for _ in range(60000):
                sender.sendto(b"", taker.getsockname())
        process.send_signal(signal.SIGCONT)
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            self.ask(client)
        self.rest(server)
        self.assertEqual(len(self.end(process).connections), 1)

    def test_silence_is_said(self):
        process = self.attach(self.serve().pid)
        story = self.end(process)
        self.assertEqual(story.connections, [])

    def test_what_can_not_be_followed_is_said(self):
        for arguments, status, words in (
            (["999999999"], 2, "999999999"),
            ([], 2, "process"),
            (["4194304"], 1, "no process"),
            (["--port", "1"], 1, "no process listens"),
            (["-p", "4194304"], 1, "no process 4194304"),
            (["--pid", "0"], 2, "--pid: '0' is no number"),
            (["--recorder", "none", "1"], 3, "bpf"),
        ):
            with self.subTest(arguments=arguments):
                result = run("attach", *arguments)
                self.assertEqual((result.returncode, result.stdout), (status, ""), self.explain(result))
                self.assertIn(words, result.stderr)
        server = self.serve()
        for arguments in ([str(server.pid)], ["--port", str(server.port)]):
            result = run("attach", *arguments, command=self.ordinary(), cwd="/")
            self.assertEqual(result.returncode, 3, self.explain(result))
            self.assertIn("root", result.stderr)
            self.assertEqual(len(re.findall("(?m)^tcpwhy: ", result.stderr)), 1, result.stderr)


class AttachPtrace(Attach):
    recorder = "ptrace"

    def test_an_ordinary_user_attaches_to_its_own(self):
        server = subprocess.Popen(["python3", "-I", "-c", SERVER, "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
                                  cwd="/", user=65534, group=65534, extra_groups=[])
        self.servers.append(server)
        server.port = int(server.stdout.readline())
        process = subprocess.Popen([*self.ordinary(), "attach", str(server.pid)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   encoding="utf-8", cwd="/", env=traced(environment()))
        self.assertIn("CAP_NET_RAW", process.stderr.readline())
        self.assertIn("slows", process.stderr.readline())
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            self.ask(client)
        self.rest(server)
        process.send_signal(signal.SIGINT)
        told, errors = process.communicate(timeout=PATIENCE_S)
        self.assertEqual(process.returncode, 0, errors)
        self.assertIn("conn 1: closed", told)
        self.assertIn("TracerPid:\t0\n", pathlib.Path(f"/proc/{server.pid}/status").read_text())


if __name__ == "__main__":
    main()
