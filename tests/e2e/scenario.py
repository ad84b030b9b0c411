"""Scenarios, played for real: the catalogue's, a teacher's own, wrong ones, endless ones; as root and as an ordinary user."""

import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time

from support import ROOT, Story, Test, environment, main, program, run, schema, wait_ready

ECHO = """title   the normal case
section 3.5
server listen 3333
server accept &
client connect server:3333
server done
client send "hello"
server recv
client close
server recv until end
server close
expect cause of SYN from client: call connect
expect cause of SYN-ACK from server: segment SYN from client
expect cause of ACK from client: segment SYN-ACK from server
expect cause of FIN from client: call close
expect client connect woken by SYN-ACK
expect server accept woken by ACK
expect server recv returns 5
expect client states CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT
expect server states CLOSED LISTEN SYN_RCVD ESTABLISHED CLOSE_WAIT LAST_ACK CLOSED
expect outcome closed
expect connections 1
"""


def actors(mark):
    """The processes of scenarios that are still there, among those that were begun with TCPWHY_TEST=`mark`: others' tests have theirs."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
            if len(words) > 2 and words[1] == b"actor" and f"TCPWHY_TEST={mark}".encode() in (path.parent / "environ").read_bytes().split(b"\0"):
                found.append((int(path.parent.name), (path.parent / "comm").read_text(encoding="utf-8").strip()))
        except OSError:
            continue
    return found


class Folder(Test):
    """A place for texts of one's own."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tcpwhy-scn.", dir="/tmp")
        os.chmod(self.folder.name, 0o755)
        self.addCleanup(self.folder.cleanup)
        self.marked = environment(TCPWHY_TEST=self.folder.name)

    def actors(self):
        return actors(self.folder.name)

    def write(self, text, name="my.scn"):
        path = os.path.join(self.folder.name, name)
        pathlib.Path(path).write_text(text)
        return path

    def play(self, text, *arguments, status=0, **options):
        options.setdefault("env", self.marked)
        result = run("demo", self.write(text), *arguments, **options)
        self.assertEqual(result.returncode, status, self.explain(result))
        return result


class Scenarios(Folder):
    """What must not be sent again, or late: a processor is there for each of these (e2e.cmake)."""

    def test_a_scenario_of_the_catalogue_runs_from_anywhere(self):
        result = run("demo", "syn-lost", cwd="/")
        self.assertEqual(result.returncode, 0, self.explain(result))
        self.assertIn("expectations met", result.stderr)

    def test_the_manuals_example_plays(self):
        manual = (ROOT / "docs" / "SCENARIOS.md").read_text()
        example = re.search(r"(?m)^    title .*\n(    .*\n)+", manual).group()
        self.play(re.sub(r"(?m)^    ", "", example))

    def test_a_teachers_own(self):
        result = self.play(ECHO, "--format", "jsonl")
        story = Story(result.stdout)
        self.assertEqual(story.trace["vantages"], ["client", "server"])
        (connection,) = story.connections
        self.assertEqual(connection.head["server"]["addr"], "192.0.2.2:3333")
        self.assertEqual((connection.head["client"]["comm"], connection.head["server"]["comm"]), ("client", "server"))
        for segment in connection.segments:
            self.assertGreater(segment["received"], segment["sent"], "seen on both hosts, at different times")
        self.assert_nothing_lost(story)
        self.assert_all_causes_known(connection)

    def test_the_same_with_ptrace_as_an_ordinary_user(self):
        result = self.play(ECHO, "--recorder", "ptrace", command=self.ordinary(), cwd="/")
        self.assertIn("11 of 11 expectations met", result.stderr)

    def test_the_same_on_the_loopback(self):
        self.play(ECHO.replace("section 3.5", "place loopback"))
        self.play(ECHO.replace("section 3.5", "place loopback"), command=self.ordinary(), cwd="/")

    def test_an_expectation_that_is_not_met_is_named_and_fails_the_run(self):
        wrong = {
            "cause of SYN-ACK from server: call accept": "it was segment SYN",
            "cause of FIN from client: segment FIN": "it was call close",
            "cause of FIN 2 from client: call close": "the client sent 1 FIN",
            "client states CLOSED SYN_SENT ESTABLISHED": "it passed CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1",
            "client passes CLOSING": "it passed",
            "client connect fails with ECONNREFUSED": "connect did not fail",
            "server recv returns 4": "it returned 5",
            "server recv woken by FIN": "",
            "client connect never slept": "segment",
            "finding refused": "found were",
            "outcome reset": "it is closed",
            "connections 2": "there were 1",
            "2 SYN from client": "the client sent 1 SYN",
            "SYN from client lost": "it did arrive",
            "outcome closed in connection 2": "there is no connection 2",
        }
        text = ECHO + "".join(f"expect {line}\n" for line in wrong)
        result = self.play(text, status=1)
        first = text.count("\n") - len(wrong) + 1
        for number, (line, says) in enumerate(wrong.items(), first):
            self.assertRegex(result.stderr, rf"line {number}: 'expect {re.escape(line)}' is not met: .*{re.escape(says)}")
        self.assertIn(f"{len(wrong)} of {11 + len(wrong)} expectations not met", result.stderr)

    def test_explain_tells_each_step_with_its_section(self):
        result = self.play(ECHO, "--explain")
        self.assertIn("the normal case\nRFC 9293 section 3.5\n", result.stdout)
        text = " ".join(result.stdout.split())
        self.assertIn("--- client connect server:3333", text)
        self.assertRegex(text, r"client -> server: SYN, seq 0: sent by connect\(\d+\) of client: the active open \(evidence: stack\)\. \[RFC 9293 3\.5\]")
        self.assertRegex(text, r"server: LISTEN -> SYN_RCVD\. .* \[RFC 9293 3\.10\.7\.2\]")
        self.assertLess(text.index("--- client connect"), text.index("SYN, seq 0"))
        self.assertLess(text.index("SYN, seq 0"), text.index("--- client close"))

    def test_step_waits_for_enter(self):
        command = [program(), "demo", self.write(ECHO), "--step"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()) as process:
            out = b""
            while b"[Enter]" not in out and (more := process.stdout.read1()):
                out += more
            self.assertIn(b"[Enter]", out)
            time.sleep(0.2)
            self.assertIsNone(process.poll(), "it waits")
            process.communicate(b"\n" * 50, timeout=60)
        self.assertEqual(process.returncode, 0)

    def test_a_fork_an_exit_a_kill_and_an_exec(self):
        text = """title t
server listen 3333
server accept &
client connect server:3333
server done
server fork as worker
server close
worker send "from the child"
client recv
client set FD_CLOEXEC 1
client dup as copy
client exec
client send "still there" on copy
worker recv
worker exit 3
kill client SIGKILL
expect client recv returns 14
expect worker recv returns 11
expect cause of FIN from server: exit status 3
expect cause of FIN from client: exit SIGKILL
"""
        self.play(text)
        self.assertEqual(self.actors(), [])

    def test_all_ends_with_a_table(self):
        good, bad = self.write(ECHO), self.write(ECHO + "expect outcome reset\n", "bad.scn")
        result = run("demo", "--all", good, bad)
        self.assertEqual(result.returncode, 1, self.explain(result))
        self.assertRegex(result.stdout, r"(?m)^my +met +11 of 11 +stack \d+")
        self.assertRegex(result.stdout, r"(?m)^bad +NOT MET +11 of 12")
        self.assertIn("    client  CLOSED SYN_SENT ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT\n", result.stdout)
        self.assertIn("2 scenarios: 1 met, 1 not met, 0 failed", result.stdout)

    def test_all_can_be_read_by_a_program(self):
        good, bad = self.write(ECHO), self.write(ECHO + "expect outcome reset\n", "bad.scn")
        kept = os.path.join(self.folder.name, "kept.txt")
        result = run("demo", "--all", good, bad, "nothing-like-it", "--format", "jsonl", "-o", kept)
        self.assertEqual(result.returncode, 1, self.explain(result))
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        for line in lines:
            self.assertEqual([error.message for error in schema().iter_errors(line)], [])
        self.assertEqual([line.get("name") for line in lines], ["my", "bad", "nothing-like-it", None])
        self.assertEqual([line["result"] for line in lines[:3]], ["met", "not-met", "failed"])
        self.assertEqual(lines[0]["expectations"], {"all": 11, "met": 11, "not_met": 0, "unknown": 0})
        self.assertEqual(lines[0]["states"]["client"], ["CLOSED", "SYN_SENT", "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "TIME_WAIT"])
        self.assertIn("'expect outcome reset' is not met: it is closed", lines[1]["messages"][0])
        self.assertEqual(lines[3]["results"], {"met": 1, "not-met": 1, "not-here": 0, "failed": 1})
        self.assertEqual(lines[3]["causes"]["stack"], sum(line["causes"]["stack"] for line in lines[:3]))
        self.assertRegex(pathlib.Path(kept).read_text(), r"(?m)^my +met +11 of 11 +stack \d+")

    def test_a_rule_that_did_nothing_is_said_and_fails(self):
        result = self.play("title t\nwire drop FIN 2 from client\n" + ECHO.split("\n", 1)[1].replace("section 3.5\n", ""), status=1)
        self.assertIn("line 2: 'wire drop FIN 2 from client' never did anything: only 1 FIN came from the client", result.stderr)
        result = self.play("title t\nserver bind 3333 udp\nclient connect server:3333 udp\nwire drop any 1 from client\nclient send \"x\"\n"
                           "expect datagram 1 from client lost\n")
        self.assertIn("1 of 1 expectations met", result.stderr)

    def test_a_text_from_another_system_plays(self):
        path = os.path.join(self.folder.name, "windows.scn")
        pathlib.Path(path).write_bytes(b"\xef\xbb\xbf" + ECHO.replace("\n", "\r\n").encode())
        result = run("demo", path)
        self.assertEqual(result.returncode, 0, self.explain(result))

    def test_segments_of_ones_own_play_for_an_ordinary_user_too(self):
        for name in ("rst-in-window", "old-duplicate", "udp-lost", "udp-duplicated"):
            result = run("demo", name, "--recorder", "ptrace", command=self.ordinary(), cwd="/")
            self.assertEqual(result.returncode, 0, self.explain(result))

    def test_a_scenario_without_end_is_ended_by_its_limit(self):
        result = self.play("title t\nlimit 500ms\nserver listen 3333\nserver accept &\nclient bind 40000\nserver done\n", status=1)
        self.assertIn("the limit of 500 ms came while line 6, 'server done', waited for line 4, 'server accept &': accept() waits for a connection", result.stderr)
        result = self.play("title t\nlimit 500ms\nwire cut\nclient connect server:3333\n", status=1)
        self.assertIn("line 4, 'client connect server:3333', waited: connect() waits for the answer to its SYN", result.stderr)

    def test_rows_of_all_come_while_others_still_run(self):
        command = [program(), "demo", "--all", self.write(ECHO), "a-minute-of-time-wait"]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()) as process:
            begun = time.monotonic()
            self.assertRegex(process.stdout.readline(), rb"^my +met")
            self.assertLess(time.monotonic() - begun, 30)
            process.kill()


class Words(Folder):
    """What is said and refused, whenever a segment comes: others may run beside it."""

    def test_list_shows_every_scenario_with_its_title(self):
        result = run("demo", "--list")
        self.assertEqual(result.returncode, 0)
        lines = [line for line in result.stdout.splitlines() if line.startswith(" ")]
        names = sorted(path.stem for path in (ROOT / "scenarios").glob("*.scn"))
        self.assertEqual(sorted(line.split()[0] for line in lines), names)
        for line in lines:
            self.assertRegex(line, r"^  \S+ +\S.*\S$")

    def test_without_namespaces_the_loopback_plays_and_the_wire_says_why_not(self):
        limit = 'ip link set lo up; echo 0 > /proc/sys/user/max_net_namespaces; exec "$@"'
        program = self.ordinary()
        command = [*program[:-1], "unshare", "--user", "--map-root-user", "--net", "sh", "-c", limit, "sh", program[-1]]
        path = self.write(ECHO.replace("section 3.5", "place loopback"))
        result = run("demo", path, command=command, cwd="/")
        self.assertEqual(result.returncode, 0, self.explain(result))
        self.assertIn("using this host's own loopback", result.stderr)
        result = run("demo", "echo", command=command, cwd="/")
        self.assertEqual(result.returncode, 3, self.explain(result))
        self.assertIn("it takes two hosts and a wire", result.stderr)
        result = run("demo", "--all", "echo", path, command=command, cwd="/")
        self.assertEqual(result.returncode, 0, self.explain(result))
        self.assertIn("1 met, 0 not met, 0 failed, 1 can't be shown here", result.stdout)

    def test_a_failure_that_nothing_expects_fails_the_run(self):
        result = self.play("title t\nclient connect server:3333\n", status=1)
        self.assertIn("line 2: 'client connect server:3333': connect failed with ECONNREFUSED, and no line expects that", result.stderr)
        self.play("title t\nclient connect server:3333\nexpect client connect fails with ECONNREFUSED\n")

    def test_every_mistake_is_shown_at_once_with_its_place(self):
        result = self.play("title t\nserver lisen 3333\nclient connect server:3333\nwire drop SIN from client\n", status=2)
        self.assertRegex(result.stderr, r"my\.scn:2:8: no verb 'lisen': did you mean 'listen'\?\n    server lisen 3333\n           \^~~~~\n")
        self.assertIn("my.scn:4:11:", result.stderr)
        self.assertIn("has 2 mistakes", result.stderr)
        self.assertEqual(result.stdout, "")

    def test_a_name_that_is_not_there(self):
        for operand, says in (("syn-lst", "did you mean 'syn-lost'"), ("nothing-like-it", "--list"), ("/no/such.scn", "No such file")):
            result = run("demo", operand)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(says, result.stderr)

    def test_an_option_of_the_pair_is_refused(self):
        result = run("demo", "echo", "--port", "4000")
        self.assertEqual(result.returncode, 2)
        self.assertIn("--port", result.stderr)

    def test_sockets_that_a_scenario_has_not_are_the_scenarios_fault(self):
        result = self.play("title t\nserver listen 3333\nserver accept nonblocking\nserver send \"x\"\n", status=1)
        self.assertIn("line 4, 'server send \"x\"': server has no socket called 'socket'", result.stderr)

    def test_the_wire_delays_both_ways(self):
        result = self.play("title t\nwire delay 30ms\nserver listen 3333\nclient connect server:3333\n", "--format", "jsonl")
        (connection,) = Story(result.stdout).connections
        for segment in connection.segments:
            self.assertGreaterEqual(segment["received"] - segment["sent"], 30_000_000)

    def test_all_knows_its_formats_before_it_runs_anything(self):
        for arguments, says in (
            (["--format", "svg"], "no format 'svg'"),
            (["-o", "x.html"], "no format for the ending of 'x.html'"),
            (["--explain"], "--explain: --all runs many scenarios, and this tells one"),
        ):
            result = run("demo", "--all", "a-minute-of-time-wait", *arguments, timeout=5)
            self.assertEqual((result.returncode, result.stdout), (2, ""), self.explain(result))
            self.assertIn(says, result.stderr)

    def test_what_is_no_text_is_refused_in_a_sentence(self):
        path = os.path.join(self.folder.name, "x.scn")
        for content, says in (
            (pathlib.Path(program()).read_bytes(), "is no scenario but a program"),
            (b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00", "is no scenario but a capture: 'tcpwhy read' tells it"),
            ("title t\nwait 1s\n".encode("utf-16"), "is no scenario but a text in UTF-16: save it as UTF-8"),
            (b"title t\n\0wait 1s\n", "is no scenario: a scenario is a text"),
        ):
            pathlib.Path(path).write_bytes(content)
            result = run("demo", path)
            self.assertEqual((result.returncode, result.stdout), (2, ""), self.explain(result))
            self.assertEqual(result.stderr.count("\n"), 1)
            self.assertIn(says, result.stderr)

    def test_nothing_is_left_when_it_is_killed(self):
        path = self.write("title t\nserver listen 3333\nserver accept &\nserver fork as worker\n", "endless.scn")
        text = "title t\nlimit 60s\nserver listen 3333\nserver fork as worker\nserver exit\nworker accept &\nworker done\n"
        pathlib.Path(path).write_text(text)
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            process = subprocess.Popen([program(), "demo", path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.marked)
            deadline = time.monotonic() + 60
            while not any(name == "worker" for _, name in self.actors()) and time.monotonic() < deadline:
                time.sleep(0.02)
            self.assertTrue(self.actors(), "it plays")
            process.send_signal(number)
            process.wait(timeout=60)
            deadline = time.monotonic() + 60
            while self.actors() and time.monotonic() < deadline:
                time.sleep(0.05)
            self.assertEqual(self.actors(), [], f"after signal {number}")


class Ways(Folder):
    """What stands between the hosts: a router, and a host's firewall."""

    ROUTED = ("hop-limit", "nat-forgets", "nat-skips", "path-mtu", "path-mtu-black-hole", "path-mtu-probing", "router-forgets",
              "router-prohibited", "router-reset", "router-unreachable")
    FIREWALLS = ("firewall-drop", "firewall-port-unreachable", "firewall-prohibited", "firewall-reset")

    def test_neither_needs_a_privilege(self):
        result = run("demo", "--all", *self.ROUTED, *self.FIREWALLS, "--recorder", "ptrace", command=self.ordinary(), cwd="/")
        self.assertEqual(result.returncode, 0, self.explain(result))
        self.assertIn(f"{len(self.ROUTED + self.FIREWALLS)} met, 0 not met", result.stdout)

    GOOD, CUT_SHORT = "1", "2"  # as tshark has it

    def assert_none_is_wrong(self, rows):
        for row in rows:  # an error also quotes a packet: the first value is its own
            for value in row:
                self.assertIn(value.split(",")[0], ("", self.GOOD, self.CUT_SHORT), row)

    def record(self, scenario):
        """Plays it; the path of a capture of what both hosts saw."""
        events, path = (os.path.join(self.folder.name, name) for name in ("saved.events", "saved.pcap"))
        result = run("demo", scenario, "-o", events)
        self.assertEqual(result.returncode, 0, self.explain(result))
        frames = re.findall(r"(?m)^packet t=.* link=1 wire=(\d+) .*bytes=([0-9a-f]+)", pathlib.Path(events).read_text())
        with open(path, "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
            for number, (wire, frame) in enumerate(frames):
                file.write(struct.pack("<IIII", number, 0, len(frame) // 2, int(wire)) + bytes.fromhex(frame))
        return path

    def packets(self, path, *fields, where=""):
        """A row of fields a packet, with checksums checked."""
        checks = [word for name in ("ip", "tcp", "udp") for word in ("-o", f"{name}.check_checksum:TRUE")]
        command = ["tshark", "-r", path, *checks, "-Y", where, "-T", "fields", *(word for field in fields for word in ("-e", field))]
        result = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
        return [line.split("\t") for line in result.stdout.splitlines()]

    def test_what_the_router_sends_has_right_checksums_and_a_hop_less(self):
        status = ("ip.checksum.status", "tcp.checksum.status", "icmp.checksum.status")
        for name in ("nat-forgets", "nat-skips", "path-mtu", "router-prohibited", "router-reset"):
            rows = self.packets(self.record(name), *status, where="ip")
            self.assert_none_is_wrong(rows)
            self.assertGreater(sum(self.GOOD in row[1:] for row in rows), 1, "captures keep 256 bytes of a packet")
        path = self.record("nat-skips")
        for destination, hops in (("192.0.2.254", "64"), ("198.51.100.2", "63")):  # at the client, and behind the router
            where = f"ip.src == 192.0.2.1 && ip.dst == {destination} && tcp.flags.reset == 0"
            self.assertEqual({row[0] for row in self.packets(path, "ip.ttl", where=where)}, {hops})

    def test_ipv6_is_routed_refused_and_translated_too(self):
        text = """title t
needs ipv6
router translate client
router mtu 1400
server listen 3333 v6
server accept &
client connect server:3333 v6
server done
client send 5000 bytes
server recv all 5000 bytes
router reject SYN from client with admin-prohibited
client connect server:3333 v6 as second
expect icmp too-big from router
expect client connect 2 fails with EACCES
"""
        rows = self.packets(self.record(self.write(text)), "tcp.checksum.status", "icmpv6.checksum.status", where="ipv6 && (tcp || icmpv6.type < 128)")
        self.assertGreater(sum(self.GOOD in row for row in rows), 10)
        self.assert_none_is_wrong(rows)

    def test_without_nft_the_scenario_says_which_package_brings_it(self):
        nft = shutil.which("nft", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
        hidden = ["unshare", "--mount", "sh", "-c", f'mount --bind /dev/null "{os.path.realpath(nft)}" && exec "$@"', "sh", program()]
        result = run("demo", "firewall-reset", command=hidden)
        self.assertEqual(result.returncode, 1, self.explain(result))
        self.assertIn("it needs nft for a host's firewall, which is not installed: the package is called nftables", result.stderr)
        result = run("demo", "--all", "firewall-reset", "router-reset", command=hidden)
        self.assertEqual(result.returncode, 0, self.explain(result))
        self.assertIn("1 met, 0 not met, 0 failed, 1 can't be shown here", result.stdout)

    def test_a_rule_that_nft_does_not_take_is_said_in_its_words(self):
        result = run("demo", self.write('title t\nserver firewall "tcp dport 3333 dorp"\nserver listen 3333\n'))
        self.assertEqual(result.returncode, 1, self.explain(result))
        self.assertIn("line 2, 'server firewall \"tcp dport 3333 dorp\"': nft does not take the rule 'tcp dport 3333 dorp': ", result.stderr)

    def test_the_firewall_of_this_host_is_left_alone(self):
        path = self.write("title t\nplace loopback\nserver firewall drop 3333\nserver listen 3333\n")
        result = run("demo", path, "--host-network", command=["unshare", "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "sh", program()])
        self.assertEqual(result.returncode, 1, self.explain(result))
        self.assertIn("its firewall is not the scenario's to change", result.stderr)
        path = self.write("title t\nplace loopback\nserver firewall reject 3333 with RST\nserver listen 3333\n"
                          "client connect server:3333\nexpect client connect fails with ECONNREFUSED\n")
        before = subprocess.run(["nft", "list", "tables"], capture_output=True, check=True).stdout
        self.assertEqual(run("demo", path).returncode, 0)
        self.assertEqual(subprocess.run(["nft", "list", "tables"], capture_output=True, check=True).stdout, before)

    def networks(self):
        """The network namespaces of what this test began, its own left out. Others' have numbers that the kernel may have given before."""
        found, mark = {}, f"TCPWHY_TEST={self.folder.name}".encode()
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if os.path.samefile(path / "exe", program()) and mark in (path / "environ").read_bytes().split(b"\0"):
                    found[int(path.name)] = os.stat(path / "ns" / "net").st_ino
            except OSError:
                pass
        own = os.stat("/proc/self/ns/net").st_ino
        return {pid: inode for pid, inode in found.items() if inode != own}

    def test_nothing_is_left_when_it_is_killed(self):
        text = "title t\nlimit 60s\nrouter translate client\nserver firewall drop 4444\nserver listen 3333\nserver accept &\nserver done\n"
        path = self.write(text)
        for delay in (0.05, 0.2, 0.4, None):  # the last time in full play
            with subprocess.Popen([program(), "demo", path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.marked) as process:
                deadline = time.monotonic() + 60
                while delay is None and len(self.actors()) < 2 and time.monotonic() < deadline:
                    time.sleep(0.02)
                time.sleep(delay or 0)
                seen = set(self.networks().values())
                process.send_signal(signal.SIGKILL)
            deadline = time.monotonic() + 60
            while seen & set(self.networks().values()) and time.monotonic() < deadline:
                time.sleep(0.05)
            self.assertEqual(seen & set(self.networks().values()), set(), f"after {delay} s")
        self.assertTrue(seen, "the last one was in full play")


class Interrupted(Folder):
    """Whenever a signal comes: one word, the signal's own status, nothing judged and nothing left."""

    WAITS = "title t\nlimit 60s\nserver listen 3333\nclient connect server:3333\nwire drop RST from server\nwait 30s\nexpect outcome refused\n"

    def check(self, wait, number, *arguments):
        """Ends it when `wait` returns; what it had to say."""
        process = subprocess.Popen(
            [program(), "demo", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            cwd="/",
            env=self.marked,
        )
        wait_ready(process.pid)
        wait()
        process.send_signal(number)
        output, errors = process.communicate(timeout=30)
        self.assertEqual((process.returncode, errors), (-number, "tcpwhy: interrupted\n"))
        return output

    def connected(self):
        """Returns when the client's connection is established."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for pid, name in self.actors():
                try:
                    sockets = pathlib.Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
                except OSError:
                    continue
                if name == "client" and any(line.split()[3] == "01" for line in sockets):
                    time.sleep(0.5)  # for what is captured of it
                    return
            time.sleep(0.02)
        self.fail("no connection")

    def test_a_signal_at_any_moment_is_one_word_and_the_end(self):
        path = self.write(self.WAITS)
        for step in range(24):  # from the opening of the stage on, into the wait
            with self.subTest(step=step):
                self.check(lambda: time.sleep(0.04 * step), (signal.SIGINT, signal.SIGTERM)[step % 2], "-q", path)
        self.assertEqual(self.actors(), [])

    def test_what_was_seen_so_far_is_told_and_not_judged(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            output = self.check(self.connected, number, "--format", "jsonl", "-q", self.write(self.WAITS))
            (connection,) = Story(output).connections
            self.assert_in_order(["S", "S.", "."], [s["flags"] for s in connection.segments])

    def test_many_scenarios_end_with_one_word_too(self):
        path = self.write(self.WAITS)
        for moment_s in (0.05, 0.3, 1.2):
            self.check(lambda: time.sleep(moment_s), signal.SIGINT, "--all", path, path)
        self.assertEqual(self.actors(), [])


if __name__ == "__main__":
    main()
