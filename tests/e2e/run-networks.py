"""tcpwhy run where the network changes: programs that enter another one, interfaces that come up later or go, a pair of them in one network."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

from support import environment, main, program, run, traced
from watched import Watched

EXCHANGE = (
    "import os, socket, sys, time\n"
    "def exchange(address):\n"
    "    s = socket.create_server(('0.0.0.0', 4711)); time.sleep(0.3); c = socket.create_connection((address, 4711)); time.sleep(0.2)\n"
    "    a, _ = s.accept(); c.sendall(b'hello'); assert a.recv(9) == b'hello'; c.close(); assert a.recv(9) == b''; a.close()\n"
)
# Two devices of one network, and what lets segments pass from one to the other: a host takes its own addresses for itself.
PAIR = """
ip link add v0 type veth peer name v1; ip addr add 10.77.0.1/24 dev v0; ip addr add 10.77.0.2/24 dev v1
for device in all v0 v1; do echo 0 >/proc/sys/net/ipv4/conf/$device/rp_filter; echo 1 >/proc/sys/net/ipv4/conf/$device/accept_local; done
ip link set lo up; ip link set v0 up; ip link set v1 up
ip rule add pref 10 lookup local; ip rule del pref 0
ip rule add pref 1 iif v0 lookup local; ip rule add pref 2 iif v1 lookup local
ip rule add pref 3 from 10.77.0.1 to 10.77.0.2 lookup 100; ip rule add pref 4 from 10.77.0.2 to 10.77.0.1 lookup 101
ip route add 10.77.0.2 dev v0 table 100; ip route add 10.77.0.1 dev v1 table 101
ip neigh replace 10.77.0.2 lladdr $(ip -br link show dev v1 | awk '{print $3}') dev v0
ip neigh replace 10.77.0.1 lladdr $(ip -br link show dev v0 | awk '{print $3}') dev v1
"""
TALK = (
    "import socket, time\n"
    "s = socket.create_server(('10.77.0.2', 4711)); time.sleep(0.3)\n"
    "c = socket.create_connection(('10.77.0.2', 4711), source_address=('10.77.0.1', 0))\n"
    "a, _ = s.accept(); c.sendall(b'hello'); assert a.recv(9) == b'hello'; c.close(); assert a.recv(9) == b''; a.close()\n"
)
# What goes to port 80 comes to 4711, here or at another address, and from yet another one.
REDIRECT = """
ip link set lo up
nft -f - <<END
table ip nat {
    chain out {
        type nat hook output priority -100
        ip daddr 127.0.0.1 tcp dport 80 redirect to :4711
        ip daddr 127.0.0.2 tcp dport 80 dnat to 127.0.0.3:4711
    }
    chain behind {
        type nat hook postrouting priority 100
        ip daddr 127.0.0.3 tcp dport 4711 snat to 127.0.0.4
    }
}
END
exec "$@"
"""
# A client behind a router, which knows a way to an address that nobody has: it is captured, since somebody makes sockets there.
ROUTED = """
set -e
unshare --net sleep 9 & client=$!
unshare --net sleep 9 & router=$!
for process in $client $router; do until [ "$(readlink /proc/$process/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done; done
enter() { nsenter --net=/proc/$1/ns/net "${@:2}"; }
enter $client ip link add out type veth peer name in netns $router
enter $client ip addr add 10.1.0.2/24 dev out; enter $client ip link set out up; enter $client ip route add default via 10.1.0.1
enter $router ip link add far type veth peer name nobody
enter $router ip addr add 10.1.0.1/24 dev in; enter $router ip addr add 10.2.0.1/24 dev far
for device in in far nobody; do enter $router ip link set $device up; done
enter $router sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
enter $router python3 -c 'import socket, time; s = socket.create_server(("10.2.0.1", 9)); time.sleep(3)' &
sleep 0.5
enter $client python3 -c 'import socket; s = socket.socket(); s.settimeout(2.2); s.connect(("10.2.0.77", 80))' || true
kill $client $router
wait
"""
PYTHON = [sys.executable, "-I", "-c"]


class Networks(Watched):
    def in_a_network(self, *command, **more):
        """The watch itself in a network of its own, of which lo is down."""
        return self.watch(*command, command=["unshare", "--net", program()], **more)

    def check(self, story, place):
        (connection,) = story.connections
        self.assertEqual(connection.head["outcome"], "closed")
        segments = connection.segments
        # With bpf a capture begins when the ring is read: until then the kernel's marks tell, and the summary counts each of them.
        marked = [s for s in segments if s["frame"] is None] if place == "network " and self.recorder == "bpf" else []
        self.assertEqual({s["cause"]["evidence"] for s in marked} - {"stack"}, set(), marked)
        self.assertEqual({s["vantage"] for s in segments if s not in marked and place not in (s["vantage"] or "")}, set(), segments)
        self.assertFalse([s for s in segments if s["retransmission"] or s["copy"] or s["lost"]], segments)
        self.assertFalse([s for s in segments if s["cause"]["kind"] == "unknown"], segments)
        self.assertEqual([len(connection.with_flags(flags, end)) for flags, end in (("S", "client"), ("S.", "server"), ("P.", "client"))], [1, 1, 1])
        self.assertEqual((story.summary["marks_unjoined"], story.summary["packets_unmarked"]), (len(marked), 0))
        self.assertTrue(connection.calls_named("server", "accept4", "accept"))
        return connection

    def test_a_network_that_a_program_enters_and_runs_on_in(self):
        enter = "import ctypes\nassert ctypes.CDLL(None).unshare(0x40000000) == 0\nos.system('ip link set lo up')\n"
        self.check(self.watch(*PYTHON, EXCHANGE + enter + "exchange('127.0.0.1')\n"), "network ")

    def test_a_network_that_is_entered_for_another_program(self):
        command = ["unshare", "--net", "sh", "-c", 'ip link set lo up; "$@"', "sh", *PYTHON, EXCHANGE + "exchange('127.0.0.1')\n"]
        with tempfile.TemporaryDirectory() as folder: # it is told again as it was told, though the capture began late
            saved = os.path.join(folder, "run.pcapng")
            story = self.watch(*command, options=["-o", saved])
            again = run("read", saved, "--format", "jsonl")
        self.check(story, "network ")
        self.assertEqual([json.loads(line) for line in again.stdout.splitlines()], story.lines)

    def test_what_passes_a_router_that_is_captured_has_not_reached_a_host(self):
        story = self.watch("bash", "-c", ROUTED)
        (connection,) = story.connections
        self.assertEqual(connection.head["server"]["addr"], "10.2.0.77:80")
        self.assertTrue([s for s in connection.segments if s["received"]], connection.segments)
        (finding,) = [line for line in story.lines if line["type"] == "finding" and line["id"] == "syn-unanswered"]
        self.assertIn("was seen in another network", finding["text"])

    def test_an_interface_that_comes_up_when_the_command_runs(self):
        script = "sleep 0.5; ip link add v0 type veth peer name v1; ip addr add 10.77.0.1/24 dev v0; ip link set lo up; ip link set v0 up"
        code = EXCHANGE + f"assert os.system({script!r}) == 0\nexchange('10.77.0.1')\n"
        connection = self.check(self.in_a_network(*PYTHON, code), "lo") # where it talks to itself
        self.assertEqual(connection.head["server"]["addr"], "10.77.0.1:4711")

    def test_a_pair_in_one_network_shows_each_segment_twice_and_it_is_one(self):
        for before in (True, False):
            with self.subTest(up_before=before):
                talk = [*PYTHON, TALK]
                enter = ["unshare", "--net", "sh", "-ec", (PAIR if before else "") + '"$@"', "sh", program()]
                command = talk if before else ["sh", "-ec", "sleep 0.3\n" + PAIR + '"$@"', "sh", *talk]
                self.check(self.watch(*command, command=enter), "v")

    def test_who_runs_in_another_network_already(self):
        code = "import socket, sys\ns = socket.create_server(('127.0.0.1', 4711)); c = socket.create_connection(('127.0.0.1', 4711)); a, _ = s.accept()\n" \
               "print('up', flush=True); sys.stdin.readline(); c.sendall(b'hello'); assert a.recv(9) == b'hello'; c.close(); assert a.recv(9) == b''; a.close()\n"
        enter = ["unshare", "--net", "sh", "-ec", 'ip link set lo up; exec "$@"', "sh", *PYTHON, code]
        with tempfile.TemporaryDirectory() as folder, subprocess.Popen(enter, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as there:
            self.assertEqual(there.stdout.readline(), "up\n")
            path = os.path.join(folder, "run.jsonl")
            with subprocess.Popen([program(), "attach", "--recorder", self.recorder, "-o", path, str(there.pid)],
                                  stderr=subprocess.PIPE, text=True, env=traced(environment())) as watch:
                self.assertIn("following", watch.stderr.readline())
                there.stdin.write("on\n")
                there.stdin.flush()
                self.assertEqual(there.wait(30), 0)
                self.assertEqual(watch.wait(30), 0)
            lines = [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]
        segments = [line for line in lines if line["type"] == "segment"]
        self.assertEqual({s["vantage"].rsplit(" ", 1)[-1] for s in segments}, {"lo"}, segments)
        self.assertIn("P.", {s["flags"] for s in segments})

    def test_an_interface_may_go_while_it_is_captured(self):
        code = EXCHANGE + "assert os.system('ip link del v0') == 0\nexchange('127.0.0.1')\nsys.exit(7)\n"
        enter = ["unshare", "--net", "sh", "-ec", 'ip link set lo up; ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up\n"$@"', "sh", program()]
        self.check(self.watch(*PYTHON, code, command=enter, status=7), "lo")

    def test_where_it_may_not_be_entered_one_line_says_so_and_what_is_told_is_weaker(self):
        command = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up; "$@"', "sh", *PYTHON, EXCHANGE + "exchange('127.0.0.1')\n"]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "run.jsonl")
            result = run("run", "--recorder", self.recorder, "-o", path, "--", *command, env=traced(environment()),
                         command=["setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin", program()], timeout=60)
            lines = [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]
        self.assertEqual(result.returncode, 0, self.explain(result))
        self.assertEqual(result.stderr.count("can't be captured: that takes CAP_SYS_ADMIN"), 1, result.stderr)
        segments = [line for line in lines if line["type"] == "segment"]
        self.assertEqual(bool(segments), self.recorder == "bpf") # the kernel's marks are there without packets
        self.assertFalse([s for s in segments if s["retransmission"] or s["cause"]["kind"] == "unknown"], segments)
        (connection,) = (line for line in lines if line["type"] == "connection") # with ptrace by its calls alone
        self.assertEqual((connection["outcome"], connection["client"]["bytes"], connection["server"]["comm"]), ("closed", 5, connection["client"]["comm"]))


class Translated(Watched):
    def test_what_a_rule_of_this_very_host_translates_is_one_connection(self):
        for asked, wire in (("127.0.0.1", ("127.0.0.1", "127.0.0.1:4711")), ("127.0.0.2", ("127.0.0.4", "127.0.0.3:4711"))):
            code = EXCHANGE.replace("create_connection((address, 4711))", "create_connection((address, 80))") + f"exchange('{asked}')\n"
            with self.subTest(asked=asked), tempfile.TemporaryDirectory() as folder:
                saved = os.path.join(folder, "run.events")
                story = self.watch(*PYTHON, code, options=["-o", saved], command=["unshare", "--net", "sh", "-ec", REDIRECT, "sh", program()])
                again = [json.loads(line) for line in run("read", saved, "-n", "1", "--format", "jsonl").stdout.splitlines()]
                self.assertEqual([line for line in again if line["type"] in ("segment", "finding")], [line for line in story.lines if line["type"] in ("segment", "finding")])
                (connection,) = story.connections
                head = connection.head
                self.assertEqual((head["outcome"], head["client"]["bytes"], head["client"]["comm"]), ("closed", 5, head["server"]["comm"]))
                self.assertEqual((head["client"]["addr"].rpartition(":")[0], head["server"]["addr"]), wire)
                self.assertEqual({head["client"]["state"], head["server"]["state"]}, {"TIME_WAIT", "CLOSED"})
                self.assertFalse([s for s in connection.segments if s["cause"]["kind"] == "unknown"], connection.segments)
                findings = {line["id"]: line["text"] for line in story.lines if line["type"] == "finding"}
                self.assertLessEqual(findings.keys(), {"translated", "accept-late"})
                self.assertIn(f"to {asked}:80, which on the wire is {wire[0]}:", findings["translated"])
                self.assertTrue(connection.calls_named("client", "connect") and connection.calls_named("server", "accept4", "accept"))


class NetworksPtrace(Networks):
    recorder = "ptrace"

    def test_what_a_filter_left_out_is_told_by_its_calls_alone(self):
        story = self.watch(*PYTHON, EXCHANGE + "exchange('127.0.0.1')\n", options=["--filter", "port 1"])
        (connection,) = story.connections
        self.assertEqual((connection.head["outcome"], connection.head["client"]["bytes"], connection.segments), ("closed", 5, []))
        self.assertTrue(connection.calls_named("client", "connect") and connection.calls_named("server", "accept4"))


class Whole(Watched):
    def test_the_whole_host_is_not_told_twice_of_a_pair_in_one_network(self):
        watch = 'tcpwhy=$1; shift\n"$tcpwhy" watch --for 4 --format jsonl & sleep 1.5; "$@"; wait $!\n'
        result = run(*PYTHON, TALK, command=["unshare", "--net", "sh", "-ec", PAIR + watch, "sh", program()], timeout=60)
        ended = [line for line in map(json.loads, result.stdout.splitlines()) if line["type"] == "ended" and line["server"]["addr"] == "10.77.0.2:4711"]
        self.assertEqual(len(ended), 1, self.explain(result))
        self.assertEqual((ended[0]["retransmissions"], ended[0]["outcome"]), (0, "closed"), ended)
        self.assertEqual([finding["id"] for finding in ended[0]["findings"]], [])


if __name__ == "__main__":
    main()
