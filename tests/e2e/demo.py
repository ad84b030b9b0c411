"""The demo and its variants: each story is right, with both recorders (bpf as root, ptrace as an ordinary user)."""

import os
import pathlib
import re
import socket
import sys
import time

from support import Story, Test, environment, main, program, run

CLIENT_CLOSES_FIRST = ["CLOSED", "SYN_SENT", "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "TIME_WAIT"]
SERVER_CLOSES_SECOND = ["CLOSED", "LISTEN", "SYN_RCVD", "ESTABLISHED", "CLOSE_WAIT", "LAST_ACK", "CLOSED"]
CLIENT_CLOSES_SECOND = ["CLOSED", "SYN_SENT", "ESTABLISHED", "CLOSE_WAIT", "LAST_ACK", "CLOSED"]
SERVER_CLOSES_FIRST = ["CLOSED", "LISTEN", "SYN_RCVD", "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "TIME_WAIT"]
CLOSING_CALLS = ("close", "shutdown")
DELAYED_ACK_LEAST_NS = 40_000_000  # Linux: TCP_DELACK_MIN


def stalled_s():
    """For how long some task of this machine has waited for a processor or a disk, as the kernel counts it (CONFIG_PSI; else 0)."""
    texts = [path.read_text(encoding="ascii") for path in pathlib.Path("/proc/pressure").glob("[ci][po]*")]
    return sum(int(re.search(r"some .*total=(\d+)", text)[1]) for text in texts) / 1e6


def is_in_two_closes(connection, fin):
    """Parent and child close their descriptors at the same time: without the kernel's evidence nobody can tell whose close() sent it."""
    closes = [c for c in connection.calls_named(fin["end"], *CLOSING_CALLS) if not c["listener"]]
    return "F" in fin["flags"] and sum(c["enter"] <= fin["sent"] <= c["exit"] for c in closes) > 1


class Demo(Test):
    recorder = "bpf"

    def tell(self, *arguments, **options):
        return self.demo(*arguments, recorder=self.recorder, **options)

    def one(self, *arguments, **options):
        story = self.tell(*arguments, **options)
        self.assertEqual(len(story.connections), 1)
        self.assert_nothing_lost(story)
        return story, story.connections[0]

    def check_evidence(self, step):
        """Weak evidence never poses as strong, and strong evidence is used where it is to be had."""
        evidence = step["cause"]["evidence"]
        if self.recorder == "bpf":
            self.assertIn(evidence, ("stack", "context"), step)
        else:
            self.assertIn(evidence, ("interval", "rule"), step)

    def check_handshake(self, connection):
        syn, syn_ack, ack = connection.segments[:3]
        self.assertEqual([s["flags"] for s in (syn, syn_ack, ack)], ["S", "S.", "."])
        self.assertEqual([s["end"] for s in (syn, syn_ack, ack)], ["client", "server", "client"])
        self.assertEqual(connection.cause(syn), ("call", "connect", "client"))
        self.assertEqual(connection.cause(syn_ack), ("segment", "S", "client"), "the SYN's doing: neither accept() nor connect()")
        self.assertEqual(connection.cause(ack), ("segment", "S.", "server"))
        for segment in (syn, syn_ack, ack):
            self.check_evidence(segment)
        (connect,) = connection.calls_named("client", "connect")
        self.assertEqual((connect["ret"], connect["errno"]), (0, None))
        self.assertEqual(connect["woken_by"]["kind"], "segment")
        self.assertEqual(connect["woken_by"]["segment"], syn_ack["segment"])
        return syn, syn_ack, ack

    def check_teardown(self, connection, first):
        """Two FINs, each by a closing call of its own end, and the last segment is the answer to the second."""
        second = "server" if first == "client" else "client"
        fins = connection.with_flags("F")
        self.assertEqual([fin["end"] for fin in fins], [first, second])
        for fin in fins:
            if fin["cause"]["kind"] == "unknown" and self.is_in_two_closes(connection, fin):
                continue
            kind, name, end = connection.cause(fin)
            self.assertEqual((kind, end), ("call", fin["end"]))
            self.assertIn(name, CLOSING_CALLS)
            self.check_evidence(fin)
        last = connection.segments[-1]
        self.assertEqual((last["flags"], last["end"]), (".", first))
        self.assertEqual((last["cause"]["kind"], last["cause"]["segment"]), ("segment", fins[1]["segment"]))
        # Between the FINs the second end may answer the first one by itself, or with its own FIN.
        for answer in [s for s in connection.segments if fins[0]["segment"] < s["segment"] < fins[1]["segment"]]:
            self.assertEqual((answer["flags"], answer["end"]), (".", second))
            if answer["cause"]["kind"] == "timer":  # the second end's process was slow
                self.assertEqual(answer["cause"]["name"], "delayed-ack")
                self.assertGreaterEqual(answer["sent"] - fins[0]["received"], DELAYED_ACK_LEAST_NS)
                continue
            self.assertEqual((answer["cause"]["kind"], answer["cause"]["segment"]), ("segment", fins[0]["segment"]))
        return fins

    def is_in_two_closes(self, connection, fin):
        return self.recorder == "ptrace" and is_in_two_closes(connection, fin)

    def check_end_of_file(self, connection, end, fin):
        """The read() that returned 0 did so because of the peer's FIN."""
        reads = [c for c in connection.calls_named(end, "read", "recv", "recvfrom") if c["ret"] == 0]
        self.assertEqual(len(reads), 1)
        woken_by = reads[0]["woken_by"]
        if woken_by["kind"] != "never-slept":
            self.assertEqual((woken_by["kind"], woken_by["segment"]), ("segment", fin["segment"]))

    def check_data(self, connection):
        for segment in connection.segments:
            if segment["len"]:
                kind, name, end = connection.cause(segment)
                self.assertEqual((kind, end), ("call", segment["end"]), segment)
                self.assertIn(name, ("write", "send", "sendto"))

    def check_normal(self, connection, first="client"):
        self.assertEqual(connection.head["outcome"], "closed")
        self.assertEqual(connection.head["server"]["addr"].rsplit(":", 1)[1], "3333")
        unknown = [s for s in connection.segments if s["cause"]["kind"] == "unknown"]
        self.assertEqual([s for s in unknown if not self.is_in_two_closes(connection, s)], [])
        self.check_handshake(connection)
        self.check_data(connection)
        fins = self.check_teardown(connection, first)
        self.check_end_of_file(connection, "server" if first == "client" else "client", fins[0])
        wanted = (CLIENT_CLOSES_FIRST, SERVER_CLOSES_SECOND) if first == "client" else (CLIENT_CLOSES_SECOND, SERVER_CLOSES_FIRST)
        self.assertEqual((connection.states("client"), connection.states("server")), wanted)

    def test_the_demo_as_it_comes(self):
        _, connection = self.one()
        self.check_normal(connection)
        self.assertEqual(connection.head["client"]["comm"], "echo-client")
        self.assertEqual(connection.head["server"]["comm"], "echo-server")
        self.assertEqual(connection.head["server"]["addr"], "127.0.0.1:3333")
        (accept,) = connection.calls_named("server", "accept")
        handshake_ack = connection.segments[2]
        self.assertEqual((accept["woken_by"]["kind"], accept["woken_by"]["segment"]), ("segment", handshake_ack["segment"]))
        self.assertLess(accept["enter"], connection.segments[0]["sent"], "the server was inside accept() before the SYN")
        self.assert_in_order(["socket", "bind", "listen", "accept", "close"], [c["name"] for c in connection.calls if c["end"] == "server"])
        self.assert_in_order(["socket", "connect", "write", "read", "close"], [c["name"] for c in connection.calls if c["end"] == "client"])

    def test_several_messages(self):
        _, connection = self.one("--message", "one", "--message", "two two", "--count", "3")
        self.check_normal(connection)
        sent = [s["len"] for s in connection.segments if s["end"] == "client" and s["len"]]
        self.assertEqual(sum(sent), 3 * (len("one\n") + len("two two\n")))

    def test_the_server_closes_first(self):
        _, connection = self.one("--close-first", "server")
        self.check_normal(connection, first="server")

    def test_the_handshake_does_not_wait_for_a_late_accept(self):
        for delay_ms in (300, 3000):  # on a busy machine a client may come late, too
            _, connection = self.one("--accept-delay", delay_ms)
            self.check_normal(connection)
            (accept,) = connection.calls_named("server", "accept")
            (connect,) = connection.calls_named("client", "connect")
            if accept["enter"] > connect["exit"]:
                break
        self.assertGreater(accept["enter"], connect["exit"])
        self.assertEqual(accept["woken_by"]["kind"], "never-slept")

    def test_ipv6(self):
        _, connection = self.one("-6")
        self.check_normal(connection)
        self.assertEqual(connection.head["server"]["addr"], "[::1]:3333")

    def test_a_child_for_each_connection(self):
        _, connection = self.one("--serve", "fork")
        self.check_normal(connection)
        (fin,) = connection.with_flags("F", "server")
        closes = [c for c in connection.calls_named("server", "close") if not c["listener"]]
        self.assertEqual(len({c["pid"] for c in closes}), 2, "parent and child each close their descriptor")
        # Which of them is the last, and so sends the FIN, is not for sure; mostly it is the child's.
        if self.is_in_two_closes(connection, fin):
            return
        sender = connection.call(fin["cause"]["call"])
        self.assertTrue(sender["enter"] <= fin["sent"] <= sender["exit"])
        (silent,) = [c for c in closes if c is not sender]
        self.assertLess(silent["enter"], sender["exit"], "the other one closed before")

    def test_an_event_loop(self):
        _, connection = self.one("--serve", "epoll")
        self.check_normal(connection)
        ack = connection.segments[2]
        woken = [c["woken_by"].get("segment") for c in connection.calls_named("server", "epoll_wait", "epoll_pwait")]
        self.assertIn(ack["segment"], woken, "epoll_wait() reported the listener because of the handshake's last ACK")

    def test_ten_clients_at_once(self):
        for style in ("iterative", "fork", "epoll"):
            with self.subTest(style=style):
                story = self.tell("--clients", "10", "--serve", style)
                self.assert_nothing_lost(story)
                self.assertEqual(len(story.connections), 10)
                for connection in story.connections:
                    self.check_normal(connection)
                self.assertEqual(len({c.head["client"]["addr"] for c in story.connections}), 10)
                self.assertEqual(len({c.head["client"]["pid"] for c in story.connections}), 10)

    def test_a_closed_port_refuses(self):
        _, connection = self.one("--closed-port")
        self.assertEqual(connection.head["outcome"], "refused")
        syn, reset = connection.segments
        self.assertEqual((syn["flags"], reset["flags"], reset["end"]), ("S", "R.", "server"))
        self.assertEqual(connection.cause(syn), ("call", "connect", "client"))
        self.assertEqual(connection.cause(reset), ("segment", "S", "client"))
        (connect,) = connection.calls_named("client", "connect")
        self.assertEqual(connect["errno"], "ECONNREFUSED")
        self.assertEqual(connection.states("client"), ["CLOSED", "SYN_SENT", "CLOSED"])

    def test_datagrams(self):
        _, connection = self.one("--udp", "--message", "hello")
        self.assertEqual(connection.segments, [])
        self.assertEqual([(d["end"], d["len"]) for d in connection.datagrams], [("client", 6), ("server", 6)])
        for datagram in connection.datagrams:
            kind, name, end = connection.cause(datagram)
            self.assertEqual((kind, end), ("call", datagram["end"]))
            self.assertIn(name, ("write", "send", "sendto"))
        self.assertEqual(connection.of("state"), [])

    def test_a_datagram_to_a_closed_port_meets_an_icmp_error(self):
        for family in ("-4", "-6"):
            with self.subTest(family=family):
                _, connection = self.one("--udp", "--closed-port", family)
                datagram, error = connection.datagrams
                self.assertEqual((datagram["end"], connection.cause(datagram)[0]), ("client", "call"))
                self.assertEqual(error["end"], "server")
                self.assertIn("port unreachable", error["icmp"])
                self.assertNotEqual(error["cause"]["kind"], "unknown")
                self.assertIn("ECONNREFUSED", [c["errno"] for c in connection.calls])

    def test_a_hostile_name_breaks_no_view_and_no_terminal(self):
        name = 'a\033[31m\nb"<'
        _, connection = self.one("--name", name)
        self.check_normal(connection)
        self.assertEqual(connection.head["client"]["comm"], name)
        for view in ("text", "jsonl", "events"):
            result = run("demo", "--recorder", self.recorder, "--format", view, "--name", name, command=self.command(), cwd="/")
            self.assertEqual(result.returncode, 0, self.explain(result))
            raw = {c for c in result.stdout + result.stderr if (ord(c) < 32 and c != "\n") or ord(c) == 127}
            self.assertEqual(raw, set(), view)

    def command(self):
        return None if self.recorder == "bpf" else self.ordinary()

    def test_it_takes_well_under_a_second(self):
        """Of time in which nobody on this machine waited for a processor or a disk."""
        durations = []
        for _ in range(3):
            begin, stalled = time.monotonic(), stalled_s()
            result = run("demo", "--recorder", self.recorder, command=self.command(), cwd="/")
            durations.append(time.monotonic() - begin - (stalled_s() - stalled))
            self.assertEqual((result.returncode, result.stderr), (0, ""), self.explain(result))
        self.assertLess(min(durations), 1.0)

    def test_the_text_fits_and_colours_only_a_terminal(self):
        result = run("demo", "--recorder", self.recorder, command=self.command(), cwd="/", env=environment(COLUMNS="80"))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertNotIn("\x1b", result.stdout)
        self.assertLessEqual(max(len(line) for line in result.stdout.splitlines()), 80)
        for word in ("SYN_SENT", "SYN_RCVD", "TIME_WAIT", "connect", "accept", "3333"):
            self.assertIn(word, result.stdout)

    def test_a_stored_demo_reads_back_the_same(self):
        path = f"/tmp/tcpwhy-e2e.{os.getpid()}.{self.recorder}.events"
        arguments = ["demo", "--recorder", self.recorder, "--format", "jsonl", "-o", path]
        result = run(*arguments, command=self.command(), cwd="/")
        try:
            self.assertEqual(result.returncode, 0, self.explain(result))
            again = run("read", "--format", "jsonl", path)
            self.assertEqual((again.returncode, again.stdout), (0, result.stdout))
        finally:
            os.unlink(path)


class DemoPtrace(Demo):
    recorder = "ptrace"


class Agreement(Test):
    """Both recorders tell the same causes; only the evidence may differ."""

    VARIANTS = (
        [],
        ["--close-first", "server"],
        ["--accept-delay", "100"],
        ["-6"],
        ["--serve", "fork"],
        ["--serve", "epoll"],
        ["--closed-port"],
        ["--udp"],
        ["--udp", "--closed-port"],
    )

    def causes(self, connection):
        """Each handshake and teardown segment, or datagram, with its cause."""
        told = [(d["end"], bool(d["icmp"]), connection.cause(d)[:2]) for d in connection.datagrams]
        for segment in connection.segments:
            # Whether a FIN is answered by itself or with the other FIN is a matter of time.
            lone_answer = segment["flags"] == "." and connection.with_flags("F") and segment is not connection.segments[-1]
            if not (lone_answer and segment["segment"] > 3):
                told.append((segment["end"], segment["flags"], connection.cause(segment)))
        return told

    def test_bpf_as_root_and_ptrace_as_an_ordinary_user_tell_the_same_causes(self):
        for variant in self.VARIANTS:
            with self.subTest(variant=variant):
                told = {}
                for recorder in ("bpf", "ptrace"):
                    for _ in range(10):  # until ptrace can tell, too
                        (connection,) = self.demo(*variant, recorder=recorder).connections
                        if recorder == "bpf" or not any(is_in_two_closes(connection, s) for s in connection.segments):
                            break
                    states = (connection.states("client"), connection.states("server"))
                    told[recorder] = (connection.head["outcome"], states, self.causes(connection))
                self.assertEqual(told["bpf"], told["ptrace"])

    def test_auto_takes_bpf_for_root_and_ptrace_for_an_ordinary_user_and_says_why(self):
        for command, recorder in ((None, "bpf"), (self.ordinary(), "ptrace")):
            result = run("demo", "--format", "jsonl", command=command, cwd="/")
            self.assertEqual(result.returncode, 0, self.explain(result))
            trace = Story(result.stdout).trace
            self.assertEqual(trace["recorder"], recorder)
            self.assertTrue(trace.get("reason"))

    def test_without_a_recorder_the_packets_alone_are_explained_by_rules(self):
        (connection,) = self.demo(recorder="none").connections
        self.assertEqual(connection.calls, [])
        self.assertNotIn("stack", [s["cause"]["evidence"] for s in connection.segments])
        self.assertEqual(connection.states("client"), CLIENT_CLOSES_FIRST)

    def test_bpf_asked_for_by_an_ordinary_user_is_status_3_and_names_the_privilege(self):
        result = run("demo", "--recorder", "bpf", command=self.ordinary(), cwd="/")
        self.assertEqual((result.returncode, result.stdout), (3, ""))
        self.assertRegex(result.stderr, "CAP_BPF|CAP_SYS_ADMIN")


class Trouble(Test):
    def taken(self, family, kind, address):
        """A socket of this test's own, which has a port."""
        sock = socket.socket(family, kind)
        self.addCleanup(sock.close)
        sock.bind((address, 0))
        if kind == socket.SOCK_STREAM:
            sock.listen()
        return sock

    def assert_taken(self, port, *arguments):
        """One sentence that names the port and who has it, and no drawing of what is not the demo's."""
        result = run("demo", "--host-network", "--port", port, *arguments)
        self.assertEqual((result.returncode, result.stdout), (1, ""), self.explain(result))
        self.assertIn(f"port {port} is taken", result.stderr)
        self.assertIn(f"[{os.getpid()}]", result.stderr)
        self.assertIn("--port", result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1)

    def test_a_port_that_is_taken_is_named_with_its_holder_and_nothing_is_drawn(self):
        inet, inet6, stream, dgram = socket.AF_INET, socket.AF_INET6, socket.SOCK_STREAM, socket.SOCK_DGRAM
        for family, kind, address, options in (
            (inet, stream, "127.0.0.1", []),
            (inet, stream, "0.0.0.0", []),
            (inet6, stream, "::1", ["-6"]),
            (inet6, stream, "::", ["-6"]),
            (inet6, stream, "::", []),
            (inet, dgram, "127.0.0.1", ["--udp"]),
            (inet6, dgram, "::1", ["--udp", "-6"]),
        ):
            port = self.taken(family, kind, address).getsockname()[1]
            for recorder in ("bpf", "ptrace", "none"):
                for more in ([], ["--closed-port"]):
                    with self.subTest(address=address, options=options, recorder=recorder, more=more):
                        self.assert_taken(port, "--recorder", recorder, *options, *more)
        # In a network of its own the same port is free.
        self.assertEqual(run("demo", "--port", port).returncode, 0)

    def test_a_connection_of_somebody_else_at_the_port_is_not_drawn(self):
        with self.taken(socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1") as server:
            port = server.getsockname()[1]
            client = socket.create_connection(("127.0.0.1", port))
            self.addCleanup(client.close)
            child, _ = server.accept()
            self.addCleanup(child.close)
        result = run("demo", "--host-network", "--port", port)  # nobody listens any more, and the connection goes on
        self.assertEqual((result.returncode, result.stdout), (1, ""), self.explain(result))
        self.assertIn(f"port {port}", result.stderr)

    def test_the_same_port_of_another_address_is_another_port(self):
        with self.taken(socket.AF_INET, socket.SOCK_STREAM, "127.0.0.2") as server:
            port = server.getsockname()[1]
            client = socket.create_connection(("127.0.0.2", port))
            self.addCleanup(client.close)
            story = self.demo("--host-network", "--port", port)
            self.assertEqual({c.head["server"]["addr"] for c in story.connections}, {f"127.0.0.1:{port}"})

    def test_a_scenario_whose_port_is_taken_is_not_played(self):
        """In a network where the port is sure to be free until this test takes it."""
        takes = ("import socket, subprocess, sys; taken = socket.create_server(('127.0.0.1', 40000)); "
                 "sys.exit(subprocess.run(sys.argv[1:]).returncode)")
        alone = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", sys.executable, "-c", takes, program()]
        result = run("demo", "--host-network", "self-connect", command=alone)
        self.assertEqual((result.returncode, result.stdout), (1, ""), self.explain(result))
        self.assertIn("port 40000", result.stderr)
        self.assertEqual(run("demo", "--host-network", "self-connect", command=[*alone[:6], program()]).returncode, 0)

    def test_on_this_hosts_own_loopback(self):
        with socket.create_server(("127.0.0.1", 0)) as chosen:
            port = chosen.getsockname()[1]
        (connection,) = self.demo("--host-network", "--port", port).connections
        self.assertEqual(connection.head["outcome"], "closed")
        self.assert_all_causes_known(connection)

    def test_a_privileged_port_is_free_for_all_in_a_private_network(self):
        for recorder in ("bpf", "ptrace"):
            (connection,) = self.demo("--port", "80", recorder=recorder).connections
            self.assertEqual(connection.head["server"]["addr"], "127.0.0.1:80")

    def test_the_clients_words_are_a_note_that_quiet_leaves_out(self):
        result = run("demo", "--closed-port")
        self.assertEqual(result.returncode, 0)
        self.assertIn("Connection refused", result.stderr)
        self.assertEqual(run("demo", "--closed-port", "-q").stderr, "")
        self.assertEqual(run("demo", "--message", "well said", "-v").stderr, "well said\n")

    def test_a_demo_that_takes_too_long_is_ended_and_told_so_far(self):
        begin = time.monotonic()
        result = run("demo", "--format", "jsonl", "--accept-delay", "20000", "--timeout", "500")
        self.assertLess(time.monotonic() - begin, 20)
        self.assertEqual(result.returncode, 1, self.explain(result))
        self.assertIn("--timeout", result.stderr)
        (connection,) = Story(result.stdout).connections
        self.assert_in_order(["S", "S.", "."], [s["flags"] for s in connection.segments])

    def test_where_no_network_can_be_had_it_is_status_3_with_the_way_out(self):
        """A user namespace of one's own without the right to more, and no capability in this one."""
        command = self.ordinary()
        limit = "echo 0 > /proc/sys/user/max_net_namespaces; exec setpriv --bounding-set=-all --inh-caps=-all"
        user = ["--reuid", "65534", "--regid", "65534", "--clear-groups"] if os.geteuid() == 0 else []
        inside = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", f'{limit} "$@"', "sh", command[-1]]
        result = run("demo", command=[*(["setpriv", *user] if user else []), *inside], cwd="/")
        self.assertEqual((result.returncode, result.stdout), (3, ""), self.explain(result))
        self.assertIn("max_net_namespaces", result.stderr)
        self.assertIn("sudo sysctl", result.stderr)


if __name__ == "__main__":
    main()
