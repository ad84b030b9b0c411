"""tcpwhy run on programs that ask the kernel in ways of their own: TLS, a login, Boost.Asio, Go without a C library, io_uring."""

import fcntl
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

from support import ROOT, main, program, run
from watched import Watched, free_port

SUPPORT = ROOT / "tests" / "support"
COMPILERS = {
    "asio.cpp": ["c++", "-std=c++17", "-O0", "-pthread", "-o"],
    "echo.go": ["go", "build", "-o"],
    "ring.c": ["cc", "-o"],
    "narrow.c": ["cc", "-m32", "-ffreestanding", "-fno-pie", "-fno-stack-protector", "-nostdlib", "-static", "-o"],
}
LIBRARIES = {"ring.c": ["-luring"]}
LISTENS = 'until grep -q ":$(printf %04X {port}) 00000000:0000 0A" /proc/net/tcp; do sleep 0.05; done'


def built(name):
    """Beside the program under test, once for all who ask and until the source changes."""
    folder = pathlib.Path(program()).resolve().parent / "programs"
    folder.mkdir(exist_ok=True)
    source, binary = SUPPORT / name, folder / pathlib.Path(name).stem
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not binary.exists() or binary.stat().st_mtime < source.stat().st_mtime:
            env = {**os.environ, "CGO_ENABLED": "0", "GO111MODULE": "off", "GOCACHE": str(folder / "go")}
            subprocess.run([*COMPILERS[name], str(binary), str(source), *LIBRARIES.get(name, [])], check=True, env=env)
    return str(binary)


class Others(Watched):
    def check_exchange(self, connection, client, server, closer=("close",)):
        """Who talks, what opened it and what ended it, at both ends."""
        self.check_client(connection, client)
        self.assertEqual(connection.head["server"]["comm"], server)
        for end in ("client", "server"):
            (fin,) = (segment for segment in connection.with_flags("F", end) if not segment["retransmission"])
            kind, name, _ = connection.cause(fin)
            self.assertEqual(kind, "call", fin)
            self.assertIn(name, closer)
        if self.recorder == "bpf":
            self.assert_all_causes_known(connection)
            self.assertEqual({s["cause"]["evidence"] for s in connection.segments}, {"stack"})

    def test_openssl_over_tls(self):
        port = free_port()
        with tempfile.TemporaryDirectory() as folder:
            make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -days 2"
            subprocess.run(["openssl", *make.split(), "-keyout", "key", "-out", "cert"], cwd=folder, check=True, stderr=subprocess.DEVNULL)
            script = (
                f"openssl s_server -quiet -cert cert -key key -accept 127.0.0.1:{port} -naccept 1 -rev >server 2>&1 & {LISTENS.format(port=port)}; "
                "{ echo word; until [ -s answer ]; do sleep 0.02; done; } | "
                f"openssl s_client -quiet -verify_quiet -no_ign_eof -CAfile cert -connect 127.0.0.1:{port} >answer 2>client; wait; cat answer"
            )
            story = self.watch("sh", "-c", script, cwd=folder)
        self.assertEqual(story.result.stdout, "drow\n")
        self.assertEqual(len(story.connections), 1)
        self.check_exchange(story.connections[0], "openssl", "openssl", ("shutdown", "close"))
        self.assertTrue(story.connections[0].calls_named("client", "select", "pselect6"))

    def test_a_login_by_key(self):
        port = free_port()
        os.makedirs("/run/sshd", exist_ok=True)  # where sshd, as root, locks up what it does before the login
        with tempfile.TemporaryDirectory() as folder:
            for name in ("host", "key"):
                subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", os.path.join(folder, name)], check=True)
            pathlib.Path(folder, "config").write_text(
                f"HostKey {folder}/host\nPort {port}\nListenAddress 127.0.0.1\nPidFile {folder}/pid\nAuthorizedKeysFile {folder}/key.pub\n"
                "StrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\nPrintMotd no\n"
            )
            script = (
                f"/usr/sbin/sshd -D -f config -E log & until [ -s pid ]; do sleep 0.02; done; "
                f"ssh -q -F none -i key -o IdentitiesOnly=yes -o UserKnownHostsFile=known -o StrictHostKeyChecking=no -p {port} 127.0.0.1 "
                "'echo said'; kill $(cat pid); wait"
            )
            story = self.watch("sh", "-c", script, cwd=folder)
        self.assertEqual(story.result.stdout, "said\n")
        self.assertEqual(len(story.connections), 1)
        connection = story.connections[0]
        self.check_client(connection, "ssh")
        self.assertEqual(connection.head["server"]["comm"], "sshd")
        self.assertTrue(connection.calls_named("server", "accept", "accept4"))
        self.assertGreater(len({call["pid"] for call in connection.calls if call["end"] == "server"}), 1)  # one listens, another serves
        if self.recorder == "bpf":
            self.assert_all_causes_known(connection)

    def test_boost_asio_both_ways(self):
        asio = built("asio.cpp")
        with tempfile.TemporaryDirectory() as folder:
            for server, client in (("sync", "ask"), ("async", "ask-async")):
                with self.subTest(server=server, client=client):
                    script = (
                        f"rm -f port; {asio} {server} 2 >port & until [ -s port ]; do sleep 0.02; done; "
                        f"for i in 1 2; do {asio} {client} $(cat port) word; done; wait"
                    )
                    story = self.watch("sh", "-c", script, cwd=folder)
                    self.assertEqual(len(story.connections), 2)
                    for connection in story.connections:
                        self.check_exchange(connection, "asio", "asio")
                    waits = connection.calls_named("server", "epoll_wait", "epoll_pwait")
                    self.assertEqual(bool(waits), server == "async")
                    (connect,) = connection.calls_named("client", "connect")
                    self.assertEqual(connect["errno"], "EINPROGRESS" if server == "async" else None)

    def test_go_without_a_c_library(self):
        story = self.watch(built("echo.go"), "3")
        self.assertEqual(len(story.connections), 3)
        for connection in story.connections:
            self.check_exchange(connection, "echo", "echo")
            spliced = [call for call in connection.calls_named("server", "splice") if (call["ret"] or 0) > 0]
            self.assertEqual(len(spliced), 2)  # io.Copy: out of the socket into a pipe, and back
            (data,) = [s for s in connection.segments if s["end"] == "server" and s["len"]]
            self.assertEqual(connection.cause(data), ("call", "splice", "server"))
            self.assertEqual(connection.head["server"]["bytes"], 4)

    def test_io_uring(self):
        story = self.watch(built("ring.c"))
        self.assertEqual(len(story.connections), 1)
        connection = story.connections[0]
        self.assertEqual(connection.head["outcome"], "closed")
        if self.recorder != "bpf":  # its calls are none that ptrace could see: nothing is said of them that can't be known
            causes = {connection.cause(s)[0] for s in connection.segments}
            self.assertLessEqual(causes, {"segment", "unknown", "call"})
            self.assertFalse([s for s in connection.segments if s["cause"].get("call")])
            return
        self.assert_all_causes_known(connection)
        names = [(s["end"], s["flags"], s["cause"]["name"]) for s in connection.segments if s["cause"]["kind"] == "call"]
        self.assertEqual(
            names,
            [
                ("client", "S", "io_uring connect"),
                ("client", "P.", "io_uring send"),
                ("server", "P.", "io_uring send"),
                ("client", "F.", "io_uring_enter"),
                ("server", "F.", "io_uring_enter"),
            ],
        )


    if platform.machine() == "x86_64": # what 32-bit programs call is another kernel interface there
        def test_calls_of_32_bits_are_not_told_as_others_and_it_is_said(self):
            result = run("run", "-v", "--recorder", self.recorder, "--", built("narrow.c"))
            self.assertEqual((result.returncode, result.stdout), (0, ""), self.explain(result))
            self.assertIn("a 32-bit program ran, whose calls no recorder here reads", result.stderr)
            self.assertNotIn("made no TCP connection", result.stderr)
            self.assertNotRegex(result.stderr, r"\b(connect|socket|close|accept4?)\(")

    def test_a_descriptor_that_was_handed_over_holds_the_connection(self):
        code = (
            "import os, socket\n"
            "s = socket.create_server(('127.0.0.1', 0)); give, get = socket.socketpair()\n"
            "if os.fork() == 0:\n"
            "    s.close(); _, fds, _, _ = socket.recv_fds(get, 1, 1); get.send(b'.'); get.recv(1); os._exit(0)\n"
            "c = socket.create_connection(s.getsockname()); a, _ = s.accept()\n"
            "socket.send_fds(give, [b'.'], [a.fileno()]); give.recv(1); a.close(); give.send(b'.'); assert c.recv(1) == b''; c.close(); os.wait()\n"
        )
        (connection,) = (story := self.watch(sys.executable, "-I", "-c", code)).connections
        texts = [line["text"] for line in story.lines if line["type"] == "finding" and line["id"] == "close-not-last"]
        self.assertEqual(len(texts), 1 if self.recorder == "bpf" else 0, texts)  # the kernel's chain shows who ended it
        if texts:
            self.assertIn("SCM_RIGHTS", texts[0])

    def test_how_a_copy_was_made_is_said_as_far_as_it_was_seen(self):
        code = (
            "import ctypes, os, socket\n"
            "s = socket.create_server(('127.0.0.1', 0)); give, get = socket.socketpair(); main = os.getpid()\n"
            "if os.fork() == 0:\n"
            "    s.close(); (number, *_), (fd, *_), _, _ = socket.recv_fds(get, 1, 1){takes}; os.close(fd); get.send(b'.'); get.recv(1); os._exit(0)\n"
            "c = socket.create_connection(s.getsockname()); a, _ = s.accept(); socket.send_fds(give, [bytes([a.fileno()])], [{sent}])\n"
            "give.recv(1); c.close(); a.close(); give.send(b'.'); os.wait()\n"
        )
        takes = "; call = ctypes.CDLL(None).syscall; fd = call(438, call(434, main, 0), number, 0); assert fd > 0"
        for sent, taken, said in (("a.fileno()", "", "nobody saw how the copy was made"), ("0", takes, "a copy made by pidfd_getfd()")):
            program = code.format(sent=sent, takes=taken)
            (_connection,) = (story := self.watch(sys.executable, "-I", "-c", program)).connections
            texts = [line["text"] for line in story.lines if line["type"] == "finding" and line["id"] == "close-not-last"]
            self.assertEqual(len(texts), 1, texts)
            self.assertIn(said, texts[0])
            self.assertNotIn("fork()", texts[0])

    def looked_up(self, how, *command, resolver="", status=0):
        """The command in a network of its own, with a name server and a web server of ours on 127.0.0.1."""
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "resolv.conf").write_text(f"nameserver 127.0.0.1\n{resolver}\n")
            pathlib.Path(folder, "hosts").write_text("127.0.0.1 localhost\n")  # what the web server asks for
            enter = ["unshare", "--net", "--mount", "sh", "-ec",
                     f"ip link set lo up; mount --bind {folder}/resolv.conf /etc/resolv.conf; mount --bind {folder}/hosts /etc/hosts\n"
                     f"{sys.executable} -I {SUPPORT}/name_server.py {how} >{folder}/ready & names=$!\n"
                     f"{sys.executable} -I -m http.server --bind 127.0.0.1 8000 >/dev/null 2>&1 & web=$!\n"
                     f'trap "kill $names $web" EXIT; until [ -s {folder}/ready ]; do sleep 0.02; done; {LISTENS.format(port=8000)}\n'
                     f'"$@" || exit $?', "sh", program()]
            story = self.watch(*command, command=enter, status=status, options=["-o", f"{folder}/told.txt"])
            story.told = pathlib.Path(folder, "told.txt").read_text()
            return story

    def check_lookup(self, story, least_ms):
        (connection,) = (c for c in story.connections if c.head["server"]["addr"].endswith(":8000"))
        (time,) = (line for line in story.lines if line["type"] == "time" and line["conn"] == connection.head["conn"])
        self.assertEqual(sum(time["spent"].values()), time["total"])
        self.assertGreaterEqual(time["spent"]["name-lookup"], least_ms * 1_000_000)
        self.assertRegex(story.told, r"\nname lookup +\d")
        return {(line["id"], line["severity"]) for line in story.lines if line["type"] == "finding"}

    def test_what_was_looked_up_is_part_of_where_the_time_went(self):
        curl = ["curl", "-s", "-o", "/dev/null", "http://web.example:8000/"]
        findings = self.check_lookup(self.looked_up("wait=600", *curl), 600)
        self.assertIn(("name-lookup-slow", "warning"), findings)
        findings = self.check_lookup(self.looked_up("wait=1", *curl), 1)
        self.assertFalse([finding for finding in findings if finding[0].startswith("name-lookup")], findings)
        findings = self.check_lookup(self.looked_up("lose=1", *curl, resolver="options timeout:1"), 900)
        self.assertIn(("name-lookup-slow", "warning"), findings)
        story = self.looked_up("truncate,wait=100", *curl) # and once more over TCP
        self.check_lookup(story, 200)
        self.assertTrue([c for c in story.connections if c.head["server"]["addr"] == "127.0.0.1:53" and not c.datagrams])

    def test_a_name_that_is_not_there_is_an_answer_of_the_name_server(self):
        for rcode, word in ((3, "NXDOMAIN"), (2, "SERVFAIL")):
            with self.subTest(rcode=rcode):
                story = self.looked_up(f"rcode={rcode}", "curl", "-s", "http://web.example:8000/", status=6)
                texts = [line["text"] for line in story.lines if line["type"] == "finding" and line["id"] == "name-lookup-failed"]
                self.assertTrue(texts and word in texts[0], texts)


class OthersPtrace(Others):
    recorder = "ptrace"


if __name__ == "__main__":
    main()
