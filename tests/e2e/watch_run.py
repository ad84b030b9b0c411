"""What a watch says of a connection is what run says of the same one, which records every call and every chain: who ended it, by what,
which processes its ends are, and what is to be acted on. The traffic is made of what shows in no close()."""

import json
import pathlib
import sys
import tempfile
import time

import endings
from support import Story, Test, environment, main, run
from watching import Echo, Watching

# What rests on calls that carry data or on timers: a watch records none of them. And what 10 ms decide.
NEEDS_MORE = {"partial-write", "epipe-after-rst", "send-unconfirmed", "accept-late"}
# Each with what it is played for.
SCENARIOS = {"accept-queue-full": "syn-dropped-full-queue", "dup-close": "close-not-last", "fast-open": "fast-open", "firewall-resets-data": "reset-by-firewall", "half-close": "half-close",
             "late-accept": "accept-late", "linger-timeout": "linger-blocked", "reset-linger-zero": "linger-zero",
             "firewall-output-unreachable": "icmp-refused", "request-crosses-fin": "reset-crossed", "syn-cookies": "syn-cookies",
             "forged-reset": "reset-from-between", "rst-in-window": "reset-ignored", "defer-accept": "deferred-accept",
             "time-wait-assassination": "time-wait-assassination"}
# A rule of this host makes one port of another: on the wire each end's segments are between the pair of the other end's socket.
REDIRECTED = 4719
REDIRECT = f"""
ip link set lo up
nft -f - <<END
table ip nat {{ chain out {{ type nat hook output priority -100; tcp dport 80 redirect to :{REDIRECTED}; }}; }}
END
exec "$@"
"""
BOTH_WAYS = f"""
import socket
server = socket.create_server(("127.0.0.1", {REDIRECTED}))
for first in 0, 1:
    client = socket.create_connection(("127.0.0.1", 80))
    ends = [client, server.accept()[0]]
    client.sendall(b"hello")
    ends[1].recv(9)
    ends[first].close()
    ends[not first].recv(9)
    ends[not first].close()
"""
# A scenario's story ends with the scenario, and then its actors are killed: that a watch sees, too.
BEHIND = {"closed-by-signal", "orphaned-socket", "fin-unanswered", "retransmitted"}


def how(connection, segment):
    """As a watch's line has it (src/watch/facts.c)."""
    cause = segment["cause"]
    if cause["kind"] == "call":
        call = connection.call(cause["call"]) if cause.get("call") else None
        return f"{cause['name']}({call['fd']})" if call and call["fd"] is not None else f"{cause['name']}()"
    if cause["kind"] == "exit":
        return f"its end: {cause['name']}"
    return {"kernel": "kernel: ", "timer": "timer: "}.get(cause["kind"], "") + (cause.get("name") or "")


class Run(Test):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.echo = Echo()
        cls.addClassCleanup(cls.echo.socket.close)
        cls.watching = Watching("--format", "jsonl")
        cls.addClassCleanup(cls.watching.close)
        cls.watching.begun(cls.echo.port)

    def told(self, connection, watching=None):
        """The watch's line of it."""
        head, watching = connection.head, watching or self.watching

        def is_it(line):
            told = json.loads(line) if '"ended"' in line else None
            return told and all(told[end]["addr"] == head[end]["addr"] for end in ("client", "server")) and abs(told["start"] - head["start"]) < 1e9

        return json.loads(watching.until(is_it))

    def check(self, connection, watching=None):
        head, line = connection.head, self.told(connection, watching)
        self.assertEqual(line["outcome"], head["outcome"], line)
        for end in ("client", "server"):
            self.assertEqual((line[end]["pid"], line[end]["comm"], line[end]["bytes"]), (head[end]["pid"], head[end]["comm"], head[end]["bytes"]), line)
        self.assertEqual(line["opened_by"], head["opened_by"], line)
        found = {finding["id"] for finding in connection.of("finding")} - NEEDS_MORE
        self.assertEqual({finding["id"] for finding in line["findings"]} - NEEDS_MORE, found, line)
        last = next((segment for segment in connection.segments if segment["end"] == line["closed_by"] and set(segment["flags"]) & set("FR")), None)
        self.assertTrue(last, line)
        expected = how(connection, last)
        self.assertEqual(line["closed_how"] or "", expected, (line, last))
        return expected

    def test_a_connection_ends_as_run_says_it_does(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "run.jsonl")
            result = run("run", "--recorder", "bpf", "-o", path, "--", sys.executable, endings.__file__, *endings.KINDS, env=environment())
            self.assertEqual(result.returncode, 0, self.explain(result))
            story = Story(path.read_text(encoding="utf-8"))
        lost = [line["what"] for line in story.lines if line["type"] == "lost" and line["count"]]
        self.assertEqual(set(lost) - {"watch lists cut"}, set())  # a call that closes more than it lists is played, too
        kinds = {int(port): kind for kind, port in map(str.split, result.stdout.splitlines())}
        hows = {kind: set() for kind in endings.KINDS}
        for connection in story.connections:
            kind = kinds[int(connection.head["server"]["addr"].rsplit(":", 1)[1])]
            with self.subTest(kind=kind):
                hows[kind].add(self.check(connection))
        # And run knows: two that both know nothing are alike, too.
        for kind, right in {"exits": "its end: status 3", "killed": "its end: SIGKILL", "executes": "execve()", "executes_and_keeps": "its end: status 0",
                            "executes_with_many": "execve()", "shared_with_one_that_ends_later": "its end: status 0",
                            "served_by_forks": "its end: status 0", "in_flight": "", "destroyed": "kernel: destroyed"}.items():
            self.assertEqual(hows[kind], {right}, kind)

    def test_what_a_rule_of_this_host_redirects_is_seen_whole(self):
        knocks = []

        def knock():
            knocks.append(run("demo", "--brief"))

        ports = Watching("--format", "jsonl", f"port {REDIRECTED} or port 3333")
        self.addCleanup(ports.close)
        ports.begun(3333, knock)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "run.jsonl")
            result = run("run", "--recorder", "bpf", "-o", path, "--", "unshare", "--net", "sh", "-ec", REDIRECT, "sh", sys.executable, "-c", BOTH_WAYS, env=environment())
            self.assertEqual(result.returncode, 0, self.explain(result))
            connections = Story(path.read_text(encoding="utf-8")).connections
        self.assertEqual(len(connections), 2)
        for connection in connections:
            self.assertIn("translated", {finding["id"] for finding in connection.of("finding")})
            self.check(connection)
            self.check(connection, ports)

    def test_what_a_scenario_shows_is_found_as_well(self):
        for scenario, right in SCENARIOS.items():
            with self.subTest(scenario=scenario):
                result = run("demo", scenario, "--format", "jsonl")
                self.assertEqual(result.returncode, 0, self.explain(result))
                found = [self.check_found(connection) for connection in Story(result.stdout).connections]
                self.assertIn(right, set().union(*found))

    def check_found(self, connection):
        """What it has found and tells when it ends, or while nobody answers its FIN."""
        head, found = connection.head, {finding["id"] for finding in connection.of("finding")}

        def is_it(line):
            told = json.loads(line) if f'"{head["client"]["addr"]}"' in line and ('"ended"' in line or '"fin-unanswered"' in line) else None
            return told and told["server"]["addr"] == head["server"]["addr"] and told.get("start", told.get("t")) > head["start"] - 1e9

        line = self.watching.until(is_it)
        seen = {finding["id"] for finding in json.loads(line)["findings"]}
        self.assertEqual(seen - BEHIND, found - BEHIND, line)
        return seen


if __name__ == "__main__":
    main()
