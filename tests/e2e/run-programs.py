"""tcpwhy run on programs that nobody here wrote: what their connections did, with its causes."""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

from support import ROOT, Connection, Story, Test, environment, main, run, traced
from watched import PATIENCE_S, Watched, free_port

PYTHON = [sys.executable, "-I", "-c"]


class Server:
    """A server that tcpwhy does not run: what it says to each client, which it then closes."""

    def __init__(self, answer=b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.answer = answer
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            with client:
                client.recv(65536)
                client.sendall(self.answer)

    def close(self):
        self.socket.close()


class Programs(Watched):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()
        super().tearDownClass()

    def test_curl(self):
        story = self.watch("curl", "-s", f"http://127.0.0.1:{self.server.port}/")
        self.assertEqual(story.result.stdout, "hello")
        self.assertEqual(len(story.connections), 1)
        self.check_client(story.connections[0], "curl")
        if self.recorder == "bpf":  # the kernel's chain names the other end, which nobody follows
            self.assertEqual(story.connections[0].head["server"]["pid"], os.getpid())

    def test_netcat(self):
        story = self.watch("nc", "-N", "127.0.0.1", str(self.server.port), input="GET / HTTP/1.0\r\n\r\n", stdin=None)
        self.assertTrue(story.result.stdout.endswith("hello"))
        self.assertEqual(len(story.connections), 1)
        self.check_client(story.connections[0], "nc")

    def test_a_server_and_its_client_in_one_tree(self):
        code = (
            "import ctypes, os, socket, time\n"
            "s = socket.create_server(('127.0.0.1', 0))\n"
            "if os.fork() == 0:\n"
            "    c = socket.create_connection(s.getsockname())\n"
            "    s.close()\n"
            "    c.sendall(b'ask'); assert c.recv(10) == b'say'\n"
            "    for flags in (4, 0): # with CLOSE_RANGE_CLOEXEC it closes nothing\n"
            "        ctypes.CDLL(None).syscall(436, ctypes.c_ulong(c.fileno()), ctypes.c_ulong(c.fileno()), ctypes.c_ulong(flags))\n"
            "    time.sleep(0.1); os._exit(0)\n"
            "c, a = s.accept(); assert c.recv(10) == b'ask'; c.sendall(b'say'); assert c.recv(10) == b''; c.close(); os.wait()\n"
        )
        story = self.watch(*PYTHON, code)
        self.assertEqual(len(story.connections), 1)
        connection = story.connections[0]
        self.assertEqual(connection.head["outcome"], "closed")
        self.assertTrue(connection.calls_named("server", "accept4", "accept"))
        self.assertTrue(connection.calls_named("client", "connect"))
        self.assertNotEqual(connection.head["client"]["pid"], connection.head["server"]["pid"])
        # close_range() names no descriptor, and who traces is no longer root: it may not list those of another user's process
        self.assertEqual(connection.cause(connection.with_flags("F", "client")[0])[:2], ("call", "close_range"))
        self.assertEqual(len(connection.calls_named("client", "close_range")), 1)

    def test_a_refused_connection_is_an_error_to_act_on(self):
        with socket.socket() as held: # bound and not listening: nobody else takes the port
            held.bind(("127.0.0.1", 0))
            story = self.watch("curl", "-s", f"http://127.0.0.1:{held.getsockname()[1]}/", status=7)
        self.assertEqual(len(story.connections), 1)
        self.check_client(story.connections[0], "curl", "refused")
        self.assertIn("refused", [line["id"] for line in story.lines if line["type"] == "finding"])

    def test_a_process_that_ends_has_its_own_name_and_not_that_of_its_last_thread(self):
        code = (
            "import ctypes, os, socket, threading, time\n"
            "s = socket.create_server(('127.0.0.1', 0)); c = socket.create_connection(s.getsockname()); a, _ = s.accept()\n"
            "c.close(); a.close()\n"
            "def work(): ctypes.CDLL(None).prctl(15, b'worker', 0, 0, 0); time.sleep(.1); os._exit(0)\n" # PR_SET_NAME
            "[threading.Thread(target=work).start() for _ in range(8)]; time.sleep(5)\n"
        )
        ends = [line for _ in range(3) for line in self.watch(*PYTHON, code).lines if line["type"] == "exit"]
        self.assertEqual({line["comm"] for line in ends}, {"python3"})

    def test_what_others_say_meanwhile_is_not_told(self):
        stop = threading.Event()

        def chatter():
            while not stop.is_set():
                with socket.create_connection(("127.0.0.1", self.server.port)) as client:
                    client.sendall(b"x")
                    client.recv(100)
                time.sleep(0.005)

        other = threading.Thread(target=chatter)
        other.start()
        try:
            code = (
                f"import socket, time\ntime.sleep(0.3)\nc = socket.create_connection(('127.0.0.1', {self.server.port}))\n"
                "c.sendall(b'x')\nwhile c.recv(100): pass\ntime.sleep(0.3)\n"
            )
            story = self.watch(*PYTHON, code)
        finally:
            stop.set()
            other.join()
        mine = [c for c in story.connections if any(call["end"] == "client" for call in c.calls)]
        self.assertEqual(len(mine), 1)
        # ptrace learns the client's port when connect() returns: who went to the same place within it may be taken for its.
        self.assertLessEqual(len(story.connections), 1 if self.recorder == "bpf" else 5)

    def test_many_are_findings_first_and_a_line_each(self):
        command = f"for i in 1 2 3 4 5; do curl -s http://127.0.0.1:{self.server.port}/ >/dev/null; done; curl -s http://127.0.0.1:1/; true"
        result = run("run", "--recorder", self.recorder, "--live", "--", "sh", "-c", command, env=traced(environment()), timeout=PATIENCE_S)
        self.assertEqual((result.returncode, result.stdout), (0, ""), self.explain(result))
        self.assertRegex(result.stderr, r"(?m)^  refused +1 error +connection 6: ")
        rows = re.findall(r"(?m)^ +(\d) +\d+\.\d+ .* (closed|refused) ", result.stderr)
        self.assertEqual(sorted(rows), [*((str(n), "closed") for n in range(1, 6)), ("6", "refused")], result.stderr)
        self.assertEqual(rows[0], ("6", "refused"), "the worst is not the first")
        self.assertIn("6 connections: 5 closed, 1 refused", result.stderr)
        self.assertLess(result.stderr.index("Findings in"), result.stderr.index(" outcome "))
        self.assertEqual(len(re.findall(r"(?m)^tcpwhy: #\d .* (?:closed|refused) after", result.stderr)), 6, result.stderr)
        by_start = run("run", "--recorder", self.recorder, "--sort", "start", "--", "sh", "-c", command, env=traced(environment()), timeout=PATIENCE_S)
        numbers = re.findall(r"(?m)^ +(\d) +\d+\.\d+ .* (?:closed|refused) ", by_start.stderr)
        self.assertEqual(numbers, [str(n) for n in range(1, 7)], by_start.stderr)
        one = run("run", "--recorder", self.recorder, "-n", "2", "--", "sh", "-c", command, env=traced(environment()), timeout=PATIENCE_S)
        self.assertEqual(one.stderr.count("── conn "), 1, one.stderr)
        self.assertIn("── conn 2: closed", one.stderr)

    def test_another_network_namespace_on_the_way(self):
        code = (
            "import socket\ns = socket.create_server(('127.0.0.1', 0)); c = socket.create_connection(s.getsockname()); a, _ = s.accept()\n"
            "c.sendall(b'ask'); assert a.recv(10) == b'ask'; a.close(); c.close()\n"
        )
        command = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *PYTHON, code]
        (connection,) = self.watch(*command).connections
        self.check_client(connection, connection.head["client"]["comm"])
        self.assert_all_causes_known(connection)

    def test_the_events_that_are_stored_tell_the_same(self):
        with tempfile.TemporaryDirectory() as folder:
            events, lines = os.path.join(folder, "x.events"), os.path.join(folder, "x.jsonl")
            result = run("run", "--recorder", self.recorder, "-o", events, "-o", lines, "--", "curl", "-s",
                         f"http://127.0.0.1:{self.server.port}/", env=traced(environment()), timeout=PATIENCE_S)
            self.assertEqual(result.returncode, 0, self.explain(result))
            again = run("read", events, "--format", "jsonl")
            self.assertEqual(again.stdout, pathlib.Path(lines).read_text())


    def test_textbook_servers_static_binaries_too(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "textbook")
            for how in ([], ["-static"]):
                subprocess.run(["cc", *how, "-o", path, ROOT / "tests" / "support" / "textbook.c"], check=True)
                for style in ("select", "fork"):
                    with self.subTest(style=style, how=how):
                        script = f"{path} {style} 3 >port & while [ ! -s port ]; do sleep 0.02; done; for i in 1 2 3; do {path} ask $(cat port) word; done; wait"
                        story = self.watch("sh", "-c", script, cwd=folder)
                        os.remove(os.path.join(folder, "port"))
                        self.assertEqual([c.head["outcome"] for c in story.connections], ["closed"] * 3)
                        for connection in story.connections:
                            self.check_client(connection, "textbook")
                            self.assertEqual(connection.head["server"]["comm"], "textbook")
                            fins = [s for s in connection.with_flags("F", "server")]
                            if self.recorder == "bpf":
                                self.assert_all_causes_known(connection)
                                self.assertEqual(connection.cause(fins[0])[:2], ("call", "close"))

    def test_socat_between_two_others(self):
        port = free_port()
        script = f"socat TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr TCP:127.0.0.1:{self.server.port} & sleep 0.3; printf ask | nc -N 127.0.0.1 {port}; wait"
        story = self.watch("sh", "-c", script)
        self.assertIn("hello", story.result.stdout)
        pairs = {(c.head["client"]["comm"], c.head["server"]["addr"].rsplit(":", 1)[1]) for c in story.connections if c.head["outcome"] == "closed"}
        self.assertEqual(pairs, {("nc", str(port)), ("socat", str(self.server.port))})

    def test_redis(self):
        port = free_port()
        script = (
            f"redis-server --port {port} --save '' --appendonly no >/dev/null 2>&1 & "
            f"until redis-cli -p {port} ping >/dev/null 2>&1; do sleep 0.1; done; redis-cli -p {port} set a 1; redis-cli -p {port} get a; "
            f"redis-cli -p {port} shutdown nosave; wait"
        )
        story = self.watch("sh", "-c", script)
        self.assertEqual(story.result.stdout, "OK\n1\n")
        closed = [c for c in story.connections if c.head["outcome"] == "closed"]
        self.assertGreaterEqual(len(closed), 3)
        for connection in closed:
            self.check_client(connection, "redis-cli")
            self.assertEqual(connection.head["server"]["comm"], "redis-server")
            if self.recorder == "bpf":
                self.assert_all_causes_known(connection)

    def test_nginx_and_wrk(self):
        port = free_port()
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            config = os.path.join(folder, "nginx.conf")
            pathlib.Path(config).write_text(
                f"daemon off; worker_processes 1; error_log {folder}/error.log; pid {folder}/nginx.pid; events {{ worker_connections 64; }}\n"
                f'http {{ access_log off; server {{ listen 127.0.0.1:{port}; location / {{ return 200 "hello"; }} }} }}\n'
            )
            script = (
                f"nginx -c {config} & until curl -s http://127.0.0.1:{port}/; do sleep 0.1; done; "
                f"wrk -t1 -c2 -d1s -H 'Connection: close' http://127.0.0.1:{port}/ >/dev/null; nginx -c {config} -s quit; wait"
            )
            path = os.path.join(folder, "run.jsonl")
            result = run("run", "--recorder", self.recorder, "-o", path, "--", "sh", "-c", script, env=traced(environment()), timeout=PATIENCE_S)
            self.assertEqual(result.returncode, 0, self.explain(result))
            self.assertIn("hello", result.stdout)
            lines = [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]  # too many to hold each to the schema
        self.assertEqual((lines[-1]["lost"], lines[-1]["dropped"]), (0, 0))
        served = [line["conn"] for line in lines if line["type"] == "connection" and line["client"]["comm"] == "wrk"]
        self.assertGreater(len(served), 3)
        for number in served[1:10]:  # the last are in the midst of it
            connection = Connection(lines, number)
            self.assertEqual((connection.head["outcome"], connection.head["server"]["comm"]), ("closed", "nginx"))
            if self.recorder == "bpf":
                self.assert_all_causes_known(connection)
                self.assertEqual(connection.cause(connection.with_flags("F", "server")[0])[0], "call")


class ProgramsPtrace(Programs):
    recorder = "ptrace"


class Ordinary(Test):
    def test_a_program_that_would_gain_rights_runs_without_them_and_is_counted(self):
        self.ordinary()
        raised = os.path.join(self.user.folder, "raised")
        shutil.copy("/usr/bin/id", raised)
        os.chmod(raised, 0o4755)
        result = run("run", "-v", "--", raised, "-u", command=self.user.command, cwd="/", timeout=PATIENCE_S)
        self.assertEqual((result.returncode, result.stdout), (0, "65534\n"), self.explain(result))
        self.assertIn("1 lost (set-user-ID rights not given)", re.sub(r"\s+", " ", result.stderr))
        raised_by_root = run("run", "--recorder", "ptrace", "-q", "-u", "nobody", raised, "-u", cwd="/")
        self.assertEqual((raised_by_root.returncode, raised_by_root.stdout), (0, "0\n"), self.explain(raised_by_root))

    def test_by_calls_alone_both_ends_are_one_connection_and_a_refusal_is_one(self):
        code = (
            "import os, socket\n"
            "s = socket.create_server(('127.0.0.1', 0))\n"
            "if os.fork() == 0:\n"
            "    c = socket.create_connection(s.getsockname()); s.close(); c.sendall(b'ask'); c.recv(10); c.close(); os._exit(0)\n"
            "c, a = s.accept(); c.recv(10); c.sendall(b'said'); c.recv(10); c.close(); os.wait(); s.close()\n"
            "c = socket.socket()\n"
            "held = socket.socket(); held.bind(('127.0.0.1', 0)); assert c.connect_ex(held.getsockname()) == 111\n"
        )
        result = run("run", "-q", "--format", "jsonl", "--out-fd", "1", "--", "python3", "-I", "-c", code, command=self.ordinary(), cwd="/",
                     timeout=PATIENCE_S)
        story = Story(result.stdout)
        self.assertEqual([c.head["outcome"] for c in story.connections], ["closed", "refused"])
        first = story.connections[0]
        self.assertEqual((first.head["client"]["bytes"], first.head["server"]["bytes"]), (3, 4))
        self.assertTrue(first.calls_named("client", "connect") and first.calls_named("server", "accept4", "accept"))
        self.assertEqual(first.segments, [])

    def test_an_ordinary_user_runs_its_own_programs_and_is_told_what_more_there_would_be(self):
        server = Server()
        result = run("run", "--", "curl", "-s", f"http://127.0.0.1:{server.port}/", command=self.ordinary(), cwd="/", timeout=PATIENCE_S)
        server.close()
        self.assertEqual((result.returncode, result.stdout), (0, "hello"), self.explain(result))
        self.assertEqual(len([line for line in result.stderr.splitlines() if line.startswith("tcpwhy: ")]), 1, result.stderr)
        self.assertIn("CAP_NET_RAW", result.stderr)
        self.assertIn("conn 1: closed", result.stderr)
        self.assertRegex(result.stderr, r"connect\(\d+, 127\.0\.0\.1:\d+\)")
        self.assertIn("server sent 43 bytes, as the calls say", result.stderr)
        result = run("run", "-i", "lo", "--", "true", command=self.ordinary(), cwd="/", timeout=PATIENCE_S)
        self.assertEqual(result.returncode, 3, self.explain(result))


if __name__ == "__main__":
    main()
