"""tcpwhy watch: every connection of the host, once, with who opened it and who closed it by which call, and what went wrong while
it was open. The traffic is this test's own, on loopback; others' connections are left out by --pid or --port."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unicodedata
import urllib.error
import urllib.request

from receiver import Receiver
from support import OrdinaryUser, Test, environment, main, program, run
from watching import LONG_S, Echo, Watching, WatchTest, free_port, knock, leave_unread


def columns(text):
    """How wide a terminal draws it."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


class Watch(WatchTest):
    def test_each_connection_is_told_once_with_both_ends_and_its_last_call(self):
        watching = self.watching("--format", "jsonl")
        for _ in range(200):
            self.echo.round()
        error = self.all_told(watching, 200)
        knocks = [line for line in self.of_type(watching, "ended") if not line["client"]["bytes"]]
        ended = self.real(watching)
        for line in ended:
            self.assertEqual((line["client"]["pid"], line["server"]["pid"]), (os.getpid(), os.getpid()), line)
            self.assertEqual((line["client"]["bytes"], line["server"]["bytes"], line["outcome"]), (8, 8, "closed"), line)
            self.assertEqual((line["opened_by"], line["closed_by"]), ("client", "client"), line)
            self.assertRegex(line["closed_how"], r"^close\(\d+\)$", line)
            # Where the machine had other things to do accept() came late, or was asleep and came back late, which is no finding.
            late = [["accept-late"]] if line["accept_queue"] >= 10_000_000 else []
            self.assertIn([finding["id"] for finding in line["findings"]], [[], *late], line)
            self.assertTrue(0 < line["connect"] <= line["first_byte"] < line["end"] - line["start"] + 1, line)
        totals = self.of_type(watching, "watch_totals")[0]
        self.assertEqual(totals["connections"], 200 + len(knocks))
        self.assert_none_lost(error)

    def test_what_goes_wrong_is_found_in_a_stream_that_has_no_data(self):
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        port, closed = server.getsockname()[1], free_port()
        watching = self.watching("--port", port, "--port", closed, "--format", "jsonl")
        knock(closed)
        client = socket.create_connection(("127.0.0.1", port))
        peer, _ = server.accept()
        peer.sendall(b"nobody reads this")
        select.select([client], [], [], LONG_S)
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

    def scene(self, *lines):
        """Plays a scenario of its own, in networks of its own, which are watched as well."""
        file = tempfile.NamedTemporaryFile("w", suffix=".scn", encoding="utf-8")
        self.addCleanup(file.close)
        file.write("\n".join(("title a scene", *lines, "")))
        file.flush()
        process = subprocess.Popen([program(), "demo", file.name, "-q"], stdout=subprocess.DEVNULL, env=environment())
        self.addCleanup(process.wait, LONG_S)
        self.addCleanup(process.terminate)

    def test_what_goes_wrong_is_said_while_it_lasts(self):
        # No ports that a client of another test may have got, in whatever network: all networks are watched.
        server, full = socket.create_server(("127.0.0.1", 3395)), socket.create_server(("127.0.0.1", 3396), backlog=0)
        self.addCleanup(server.close)
        self.addCleanup(full.close)
        port, full_port = server.getsockname()[1], full.getsockname()[1]
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        watching = self.watching(*(word for number in (port, full_port, 3397, 3398) for word in ("--port", number)), "--format", "jsonl",
                                 "--ring", 60, "--on", "no-answer", "-o", f"{folder.name}/traces")
        self.scene("server listen 3397", "server accept &", "client connect server:3397", "server done", "wire cut", "client close", "wait 1m")
        self.scene("server listen 3398", "wire cut", "client set O_NONBLOCK 1", "client connect server:3398", "expect client connect fails with EINPROGRESS", "wait 1m")
        leaky = socket.create_connection(("127.0.0.1", port))
        left, _ = server.accept()
        left.settimeout(LONG_S)
        leaky.close()
        writer = socket.create_connection(("127.0.0.1", port))  # to a server that does not read
        deaf, _ = server.accept()
        writer.setblocking(False)
        with self.assertRaises(BlockingIOError):
            while True:
                writer.send(bytes(65536))
        waiting = [socket.socket() for _ in range(2)]
        for client in waiting:  # the first one fills the queue
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", full_port))
        for name in ("close-wait", "syn-unanswered", "fin-unanswered", "zero-window", "queue-full"):
            watching.until(lambda line, name=name: f'"trouble":"{name}"' in line)
        ends = (left, writer, deaf, *waiting)
        open_ones = {str(end.getsockname()[1]) for end in waiting} | {str(writer.getsockname()[1])}
        self.assertFalse([line for line in self.of_type(watching, "ended") if line["client"]["addr"].split(":")[1] in open_ones])
        for end in ends:
            end.close()
        watching.until(lambda line: '"ended"' in line and f":{port}" in line)
        watching.end()
        # What is overtaken by another trouble of the same connection (its SYN comes again) is said, too.
        # A client of another test's network may have one of these numbers: a translator gives any.
        ours = {str(number) for number in (port, full_port, 3397, 3398)}
        said = {(line["trouble"], line["end"], line["server"]["addr"].split(":")[1]): line for line in self.of_type(watching, "trouble")
                if line["server"]["addr"].split(":")[1] in ours}
        self.assertEqual(set(said) - {("syn-unanswered", "client", str(full_port))},
                         {("close-wait", "server", str(port)), ("zero-window", "server", str(port)), ("queue-full", "server", str(full_port)),
                          ("fin-unanswered", "client", "3397"), ("syn-unanswered", "client", "3398")}, list(said.values()))
        # "no-answer" stands for whatever waited in vain, and for nothing else.
        self.assertEqual({re.sub(r"^[\d.-]+-|-\d+\.pcapng$", "", name) for name in os.listdir(f"{folder.name}/traces")}, {"fin-unanswered", "syn-unanswered"})
        leak = said["close-wait", "server", str(port)]
        self.assertEqual(leak["server"]["state"], "CLOSE_WAIT")
        self.assertIn("close-wait-leak", [finding["id"] for finding in leak["findings"]])
        self.assertGreaterEqual(leak["for"], 10_000_000_000)
        self.assertGreaterEqual(said["fin-unanswered", "client", "3397"]["for"], 5_000_000_000)

    def connected_from_below(self, family=socket.AF_INET, host="127.0.0.1"):
        """Two ends of a connection whose server has the higher port: whoever listens, the client, what was accepted."""
        server = socket.create_server((host, 0), family=family)
        self.addCleanup(server.close)
        port = server.getsockname()[1]
        client = socket.socket(family)
        self.addCleanup(client.close)
        for own in range(port - 1, 1024, -1):
            try:
                client.bind((host, own))
                break
            except OSError:
                continue
        client.connect((host, port))
        peer, _ = server.accept()
        self.addCleanup(peer.close)
        return server, client, peer

    def test_of_what_was_open_before_the_end_at_a_listened_port_is_the_server(self):
        known, guessed = self.connected_from_below(), self.connected_from_below()
        six = self.connected_from_below(socket.AF_INET6, "::1")
        guessed[0].close()  # nothing but the ports is left to tell
        ends = {name: [end.getsockname()[1] for end in made[1:]] for name, made in (("known", known), ("guessed", guessed), ("six", six))}
        watching = self.watching(*(word for name in ends for word in ("--port", ends[name][0])), "--format", "jsonl")
        plain = self.watching(*(word for name in ends for word in ("--port", ends[name][0])))
        for made in (known, guessed, six):
            made[2].close()  # the server's end speaks first
            made[1].close()
        for port, _ in ends.values():
            for each in (watching, plain):
                each.until(lambda line, port=port: f":{port}" in line)
        watching.end()
        plain.end()
        told = {frozenset(int(line[side]["addr"].rsplit(":", 1)[1]) for side in ("client", "server")): line for line in self.of_type(watching, "ended")}
        for name, (client, server) in ends.items():
            line = told[frozenset((client, server))]
            right = (client, server) if name != "guessed" else (server, client)
            self.assertEqual(tuple(int(line[side]["addr"].rsplit(":", 1)[1]) for side in ("client", "server")), right, line)
            self.assertEqual(line["opened_by"], None if name == "guessed" else "client", line)
            self.assertEqual(line["closed_by"], "client" if name == "guessed" else "server", line)
            row = next(row for row in plain.lines if f":{client} " in row)
            self.assertEqual(bool(re.match(r"\S+ .*\?python", row)), name == "guessed", row)

    def test_steps_of_handshake_and_goodbye_stand_before_the_line(self):
        watching = self.watching("--events")
        self.echo.round()
        watching.until(lambda line: re.match(r"\S+ .* 8 +8 closed ", line))
        watching.end()
        steps = [re.search(r" [→←] \S+ +(\S+)  ", line)[1] for line in watching.lines if " ms  " in line][-6:]
        self.assertEqual(steps, ["SYN", "SYN-ACK", "ACK", "FIN", "FIN", "ACK"], watching.lines)

    def test_of_good_and_bad_ones_only_findings_shows_the_bad(self):
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        port = server.getsockname()[1]

        def bad():
            with socket.create_connection(("127.0.0.1", port)) as client, server.accept()[0] as peer:
                peer.sendall(b"nobody reads this")
                select.select([client], [], [], LONG_S)
                return client.getsockname()[1], port  # the same port may serve towards the other server, too

        everything = self.watching("--port", port, "--format", "jsonl")
        chosen = Watching("--port", self.echo.port, "--port", port, "--format", "jsonl", "--only-findings")
        self.addCleanup(chosen.close)
        chosen.begun(port, bad)
        made = set()
        for _ in range(20):
            self.echo.round()
            made.add(bad())
        self.told(everything, 20)
        for watching in (everything, chosen):
            watching.end()
        shown, ended = ({tuple(int(line[end]["addr"].split(":")[1]) for end in ("client", "server")): [finding["id"] for finding in line["findings"]]
                         for line in self.of_type(watching, "ended")} for watching in (chosen, everything))
        self.assertEqual({client for client, ids in ended.items() if "reset-unread-data" in ids} & made, made)
        good = {client for client, ids in ended.items() if not ids}
        self.assertGreaterEqual(len(good), 10)  # a busy machine may make one or the other late, which is a finding
        self.assertTrue(made <= set(shown) and not good & set(shown) and [] not in shown.values(), shown)
        totals = self.of_type(chosen, "watch_totals")[0]  # of all, though not all are shown
        self.assertEqual(totals["connections"] - totals["hidden"], len(shown))
        self.assertGreaterEqual(totals["connections"], 40)

    def test_a_collector_of_traces_never_holds_up_the_watching(self):
        refused = socket.socket()  # bound, not listening
        refused.bind(("127.0.0.1", 0))
        self.addCleanup(refused.close)
        receivers = {"good": Receiver(), "busy": Receiver((503, {"Retry-After": "1"}, b"")), "slow": Receiver(delay_s=600)}
        for receiver in receivers.values():
            self.addCleanup(receiver.close)
        urls = {name: receiver.url for name, receiver in receivers.items()} | {"refused": f"http://127.0.0.1:{refused.getsockname()[1]}"}
        watches = {name: self.watching("--format", "jsonl", "--otlp", url) for name, url in urls.items()}
        for _ in range(100):
            self.echo.round()
        for watching in watches.values():
            self.told(watching, 100)
        receivers["good"].until(lambda: len(receivers["good"].spans()) >= 200)  # a span an end, while it watches
        for watching in watches.values():
            watching.process.send_signal(signal.SIGINT)
        errors = {name: watching.ended() for name, watching in watches.items()}
        spans = {name: self.of_type(watching, "watch_totals")[0]["spans"] for name, watching in watches.items()}
        for name in ("good", "busy"):
            self.assertEqual(spans[name], {"taken": len({span["spanId"] for span in receivers[name].spans()}), "lost": 0}, errors[name])
        for name in ("slow", "refused"):
            self.assertEqual(spans[name]["taken"], 0)
            self.assertGreaterEqual(spans[name]["lost"], 200)
            self.assertRegex(errors[name], rf"spans +0 sent to {urls[name]}/v1/traces, [\d,]+ lost: ")
        ends = [span for span in receivers["good"].spans() if span["name"].startswith("TCP connection")]
        self.assertGreaterEqual(len({span["traceId"] for span in ends}), 100)

    def test_the_flight_recorder_writes_the_seconds_before_one_fault_among_many_good_connections(self):
        """As many as fit some seconds; bench/flight does it among 50,000."""
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        port = server.getsockname()[1]
        with tempfile.TemporaryDirectory() as folder:
            watching = self.watching("--port", port, "--format", "jsonl", "--ring", 60, "--on", "reset-unread-data", "-o", f"{folder}/traces")
            for _ in range(1500):
                self.echo.round()
            leave_unread(server)
            watching.until(lambda line: "reset-unread-data" in line)
            error = self.all_told(watching, 1500)
            self.assertRegex(error, r"traces +1 written to ")
            self.assert_none_lost(error)
            names = os.listdir(f"{folder}/traces")
            self.assertEqual(len(names), 1, names)
            self.assertRegex(names[0], r"^\d{8}-\d{6}\.\d{3}-reset-unread-data-\d+\.pcapng$")
            path = f"{folder}/traces/{names[0]}"
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
            listed = run("read", path, timeout=LONG_S).stdout.splitlines()  # not 1,500 ladders
            self.assertRegex(listed[0], "^Findings in ")
            self.assertTrue([line for line in listed[:12] if "reset-unread-data" in line], listed[:12])  # of whatever else runs on this host, too
            told = run("read", path, "--format", "jsonl", timeout=LONG_S)
            self.assertEqual(told.returncode, 0, told.stderr)
            self.assertTrue([line for line in told.stdout.splitlines() if '"reset-unread-data"' in line and "17 received bytes" in line])
            heads = [json.loads(line) for line in told.stdout.splitlines() if '"type":"connection"' in line]
            self.assertGreaterEqual(len([line for line in heads if line["server"]["addr"] == f"127.0.0.1:{self.echo.port}"]), 1500)
            fault = [line["conn"] for line in heads if line["server"]["addr"] == f"127.0.0.1:{port}"]
            found = [line for line in map(json.loads, re.findall(r'^.*"type":"finding".*$', told.stdout, re.M)) if line["conn"] in fault]
            self.assertEqual([line["id"] for line in found], ["reset-unread-data"])
            shark = subprocess.run(["tshark", "-r", path, "-Y", f"tcp.flags.reset == 1 && tcp.port == {port} && frame.comment contains \"close(\"", "-T", "fields", "-e", "tcp.dstport"],
                                   check=True, capture_output=True, text=True, timeout=LONG_S)
            self.assertEqual(shark.stdout.split(), [str(port)])
            page = run("read", path, "--conn", fault[0], "-o", f"{folder}/x.html", timeout=LONG_S)
            self.assertEqual(page.returncode, 0, page.stderr)
            with open(f"{folder}/x.html", encoding="utf-8") as file:
                self.assertIn("reset-unread-data", file.read())

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

    def test_a_container_is_named_and_chosen_by_its_cgroup(self):
        with open("/proc/self/mountinfo", encoding="ascii") as file:
            root = next(line.split()[4] for line in file if " - cgroup2 " in line)
        name = f"docker-{os.getpid():064x}.scope"
        label = name[:19]
        os.mkdir(f"{root}/{name}")
        self.addCleanup(os.rmdir, f"{root}/{name}")
        client = f"import socket; c = socket.create_connection(('127.0.0.1', {self.echo.port})); c.sendall(b'x'); c.recv(100)"
        watches = [self.watching("--format", "jsonl"), self.watching()]
        chosen = [Watching("--port", self.echo.port, "--format", "jsonl", *words) for words in (("--cgroup", f"/{name}"), ("-i", "lo", "--cgroup", name[7:71]))]
        other = Watching("--port", self.echo.port, "--format", "jsonl", "--cgroup", "libpod-*")
        for watching in (*chosen, other):
            self.addCleanup(watching.close)

        def within(name=name):
            subprocess.run(["sh", "-c", f"echo $$ > {root}/{name}/cgroup.procs && exec python3 -c \"{client}\""], check=True, timeout=LONG_S)

        for watching in chosen:
            watching.begun(self.echo.port, within)
        # Some that are over in no time, one after the other: their processes are gone before anybody can ask those.
        brief = [f"docker-{os.getpid() + 1:032x}{i:032x}.scope" for i in range(5)]
        for other_name in brief:
            os.mkdir(f"{root}/{other_name}")
            self.addCleanup(os.rmdir, f"{root}/{other_name}")
        for other_name in brief:
            within(other_name)
        for other_name in brief:
            watches[0].until(lambda line, path=f'"/{other_name}"': path in line)
        self.echo.round()
        watches[0].until(lambda line: '"bytes":8' in line)
        for watching in (*watches, *chosen, other):
            watching.end()
        for watching in (watches[0], *chosen):
            contained = [line for line in self.real(watching) if line["client"]["cgroup"] == f"/{name}"]
            self.assertTrue(contained)
            self.assertNotIn(os.getpid(), {line["client"]["pid"] for line in contained})
        self.assertIn(os.getpid(), {line["client"]["pid"] for line in self.real(watches[0])})
        for watching in chosen:
            self.assertEqual({line["client"]["cgroup"] for line in self.real(watching)}, {f"/{name}"})
        self.assertEqual(self.real(other), [])
        self.assertIn(f"         └ client in container {label}", watches[1].lines)

    def test_between_two_networks_it_finds_what_the_scenario_itself_finds(self):
        watching = self.watching("--port", 3333, "--format", "jsonl")
        for scene, name in (("refused", "refused"), ("simultaneous-close", "simultaneous-close"), ("firewall-prohibited", "icmp-refused"),
                            ("icmp-midway", "icmp-unreachable")):
            self.assertEqual(run("demo", scene, "-q", timeout=LONG_S).returncode, 0)
            watching.until(lambda line, name=name: '"ended"' in line and f'"{name}"' in line and ':3333"' in line)
        watching.end()

    def test_an_end_in_the_midst_of_traffic_is_in_order(self):
        watching = self.watching()
        watching.end(signal.SIGTERM)
        self.assertEqual(watching.process.returncode, 0)
        self.assertTrue([line for line in watching.lines if line.startswith("connections")], watching.lines)

    def test_a_reader_that_goes_ends_it_as_a_broken_pipe_does(self):
        """At once: head has read the first line, and then nothing happens any more."""
        words = f"exec {program()} watch --port {free_port()} | head -1"
        shell = subprocess.run(["sh", "-c", words], stdout=subprocess.DEVNULL, env=environment(), check=False, timeout=LONG_S)
        self.assertEqual(shell.returncode, 0)

    def test_without_the_right_it_says_which(self):
        result = run("watch", "--for", "1", command=self.ordinary().command)
        self.assertEqual((result.returncode, result.stdout), (3, ""), result.stderr)
        self.assertRegex(result.stderr, "CAP_BPF|root")

    def test_metrics_are_handed_out_by_http(self):
        port = free_port()
        watching, other = self.watching("--prometheus", port), socket.create_server(("127.0.0.1", 0))
        self.addCleanup(other.close)
        self.addCleanup(socket.create_connection(other.getsockname()).close)  # open, and none of those that were chosen
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
        self.assertEqual(values["tcpwhy_connections_open"], "0")
        self.assertEqual(values['tcpwhy_connect_seconds_bucket{le="+Inf"}'], values["tcpwhy_connect_seconds_count"])
        buckets = [int(value) for name, value in values.items() if name.startswith("tcpwhy_connect_seconds_bucket")]
        self.assertEqual(buckets, sorted(buckets))
        for method, path, status in (("GET", "/", 404), ("POST", "/metrics", 405)):
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method), timeout=LONG_S)
            self.assertEqual(refused.exception.code, status)
            refused.exception.close()
        watching.end()

    def test_without_the_library_that_answers_it_names_the_package(self):
        hidden = self.without_library("libmicrohttpd")
        result = run("watch", "--port", free_port(), "--prometheus", free_port(), env=hidden)
        self.assertEqual((result.returncode, result.stdout), (1, ""), result.stderr)
        self.assertRegex(result.stderr, r"^tcpwhy: --prometheus: libmicrohttpd\.so\.\d+ is needed for this, .* \(Debian: libmicrohttpd\d+\): .*\n$")
        self.assertEqual(run("watch", "--port", free_port(), "--for", "1", env=hidden).returncode, 0)

    def test_a_wrong_filter_is_refused(self):
        for words, what in ((["prot", "80"], "pcap-filter"), (["--memory", "1M"], "--memory"), (["--format", "svg"], "--format"),
                            (["--ring", "5", "-o", "x", "--on", "refusd"], "refused"), (["--ring", "5"], "-o"),
                            (["--netns", "nosuch"], "--netns"), (["--cgroup", "/no/such"], "--cgroup"), (["-i", "nosuch"], "--interface")):
            result = run("watch", *words)
            self.assertEqual((result.returncode, result.stdout), (2, ""), result.stderr)
            self.assertIn(what, result.stderr)
            self.assertEqual(result.stderr.count("\n"), 1)

    def ordinary(self):
        user = OrdinaryUser()
        self.addCleanup(user.close)
        return user


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
        terminal.until(lambda screen: re.search(r"tcpwhy watch(: connections|：连接)", screen), "the list")
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
                terminal.keys("s")
                terminal.until(lambda text: "save as" in text, "the question")
                terminal.keys("p")
                terminal.until(lambda text: ".pcapng" in text, "the capture")
                (capture,) = [name for name in os.listdir(terminal.folder) if name.endswith(".pcapng")]
                shark = subprocess.run(["tshark", "-r", f"{terminal.folder}/{capture}", "-Y", "tcp.flags.syn == 1 && frame.comment", "-T", "fields", "-e", "tcp.flags.str"],
                                       check=True, capture_output=True, encoding="utf-8", timeout=LONG_S)
                self.assertEqual(len(shark.stdout.split()), 2, shark.stdout)  # SYN and SYN-ACK, with their sentences
                terminal.keys("?")
                terminal.until(lambda text: "these keys" in text or "one line up" in text, "the help")
                terminal.keys("q", "q")
                before, after = terminal.over()
                self.assertEqual(before, after)
                self.assertIn("END 0", terminal.screen())

    def test_a_ladder_grows_while_it_is_shown_and_a_filter_hides_rows(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:  # who opened that, nobody can tell once the listener is gone
            before = socket.create_connection(listener.getsockname()), listener.accept()[0]
            port = listener.getsockname()[1]
        terminal = self.begun(120, 40, "--port", port)
        for end in before:
            end.close()
        screen = terminal.until(lambda text: re.search(r" \?python\S* ", text), "the opener that is a guess")
        self.assertTrue([row for row in screen.splitlines() if f":{self.echo.port} " in row and "?" not in row], screen)
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
        terminal.tmux("resize-window", "-x", 40, "-y", 10)
        terminal.until(lambda text: re.search(rf":{self.echo.port} +closed$", text, re.M) and "? keys   q end" in text.splitlines()[-1], "what became of it, on a small screen")
        terminal.keys("q")
        self.assertEqual(*terminal.over())

    def test_a_kill_leaves_the_terminal_as_it_was(self):
        for number, language in ((signal.SIGTERM, "en"), (signal.SIGKILL, "zh")):
            with self.subTest(signal=number.name):
                terminal = self.begun(80, 24, "--lang", language)
                if language == "zh":
                    self.check_chinese(terminal)
                os.kill(terminal.watch_pid(), number)
                before, after = terminal.over()
                self.assertEqual(before, after)
                # After SIGKILL the shell may have spoken before the guard has put its screen back.
                terminal.until(lambda text: "tcpwhy watch" not in text, "the shell's own screen")
                terminal.close()

    def check_chinese(self, terminal):
        """Heads stand above their columns, and only names of keys and states are English."""
        screen = terminal.until(lambda text: "TIME_WAIT" in text, "an ended connection").splitlines()
        places = [columns(line[: line.index(word)]) for line, word in ((screen[1], "客户端状态"), (screen[2], "TIME_WAIT"))]
        self.assertEqual(*places, screen)
        terminal.keys("?")
        keys = terminal.until(lambda text: "梯形图增长时跟随" in text, "the help")
        words = set(re.findall(r"[A-Za-z]{3,}", keys)) - set("tcpwhy watch Down PgUp PgDn Space Home End Enter Tab Esc text svg html jsonl pcapng".split())
        self.assertEqual(words, set(), keys)

    def test_what_is_no_terminal_is_refused(self):
        result = run("watch", "--tui")
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertIn("--tui", result.stderr)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        terminal = Terminal(folder.name, 80, 24, term="dumb")
        self.addCleanup(terminal.close)  # while its socket is there
        terminal.over()
        self.assertIn("END 2", terminal.screen())
        self.assertIn("TERM=dumb", terminal.screen())


if __name__ == "__main__":
    main()
