"""Every option in everything that its verb does: it works, or it is refused by its name. None is ignored without a word."""

import concurrent.futures
import contextlib
import pathlib
import re
import tempfile
import threading
import time

from receiver import Receiver
from support import ROOT, Test, main, run

EVENTS = ROOT / "tests" / "golden" / "events" / "echo.events"
CAPTURES = ROOT / "tests" / "golden" / "captures"
CLIENT, SERVER = CAPTURES / "syn-lost-client.pcap", CAPTURES / "syn-lost-server.pcap"

OUTPUT = {
    "output": ["-o", "FOLDER/x.txt"],
    "format": ["--format", "text"],
    "otlp": ["--otlp", "RECEIVER"],
    "no-calls": ["-o", "FOLDER/x.pcapng", "--no-calls"],
    "brief": ["--brief"],
    "only": ["--only", "handshake"],
    "absolute": ["--absolute"],
    "color": ["--color", "always"],
    "ascii": ["--ascii"],
    "quiet": ["-q"],
    "verbose": ["-v"],
    "lang": ["--lang", "zh"],
    "help": ["--help"],
}
QUIZ = {
    "seed": ["--seed", "3"],
    "hide": ["--hide", "seq,state"],
    "count": ["--count", "3"],
    "export": ["--export", "gift"],
    "output": ["-o", "FOLDER/x.html"],
    "conn": ["--conn", "1"],
    "recorder": ["--recorder", "ptrace"],
    "ascii": ["--ascii"],
    "quiet": ["-q"],
    "lang": ["--lang", "zh"],
    "help": ["--help"],
}
PAIR = {
    "port": ["--port", "4444"],
    "ipv4": ["--ipv4"],
    "ipv6": ["--ipv6"],
    "udp": ["--udp"],
    "serve": ["--serve", "fork"],
    "backlog": ["--backlog", "3"],
    "accept-delay": ["--accept-delay", "1"],
    "clients": ["--clients", "2"],
    "message": ["--message", "hello"],
    "count": ["--count", "2"],
    "close-first": ["--close-first", "client"],
    "closed-port": ["--closed-port"],
    "name": ["--name", "x"],
    "timeout": ["--timeout", "9000"],
    "verifier-log": ["--verifier-log", "FOLDER/verifier.txt"],
}
DEMO = {
    **OUTPUT,
    **PAIR,
    "list": ["--list"],
    "all": ["--all"],
    "explain": ["--explain"],
    "step": ["--step"],
    "whole": ["--whole"],
    "host-network": ["--host-network"],
    "recorder": ["--recorder", "ptrace"],
}
READ = {
    **OUTPUT,
    "conn": ["--conn", "1"],
    "summary": ["--summary"],
    "merge": ["--merge"],
    "sort": ["--sort", "took"],
    "only-findings": ["--only-findings"],
    "filter": ["--filter", "tcp"],
    "open-max": ["--open-max", "9"],
    "packets-max": ["--packets-max", "99"],
}
STATES = {key: OUTPUT[key] for key in ("output", "color", "ascii", "quiet", "verbose", "lang", "help")} | {"dry": ["--dry"], "recorder": ["--recorder", "ptrace"]}
COMMAND = ["--", "sh", "-c", "nc -z 127.0.0.1 1; true"]
RUN = {
    **OUTPUT,
    "interface": ["-i", "lo"],
    "filter": ["--filter", "tcp"],
    "snaplen": ["-s", "1000"],
    "recorder": ["--recorder", "ptrace"],
    "live": ["--live"],
    "conn": ["-n", "1"],
    "sort": ["--sort", "took"],
    "out-fd": ["--out-fd", "1"],
    "user": ["-u", "root"],
    "env": ["-E", "A=b"],
}
STATES["blank"] = ["--blank", "both"]
ATTACH = {key: words for key, words in RUN.items() if key not in ("user", "env")} | {"pid": ["--pid", "1"], "port": ["--port", "SOMEPORT"]}
CLAIMS = {key: OUTPUT[key] for key in ("color", "ascii", "quiet", "lang", "help")} | {
    "all": ["--all"],
    "format": ["--format", "jsonl"],
    "recorder": ["--recorder", "auto"],
}
WATCH = {
    "pid": ["--pid", "1"],
    "comm": ["--comm", "nginx*"],
    "port": ["--port", "80"],
    "netns": ["--netns", "this"],
    "cgroup": ["--cgroup", "docker-*"],
    "interface": ["-i", "lo"],
    "only-findings": ["--only-findings"],
    "events": ["--events"],
    "otlp": ["--otlp", "RECEIVER"],
    "format": ["--format", "jsonl"],
    "for": ["--for", "1"],
    "memory": ["--memory", "16M"],
    "ring": ["--ring", "5", "-o", "FOLDER/ring"],
    "on": ["--on", "refused"],
    "output": ["-o", "FOLDER/ring"],
    "files": ["--files", "2"],
    "tui": ["--tui"],
    "color": ["--color", "always"],
    "prometheus": ["--prometheus", "0.0.0.0:29464"],
    "bytes": ["--bytes", "8M"],
    "ascii": ["--ascii"],
    "quiet": ["--quiet"],
    "lang": ["--lang", "zh"],
    "help": ["--help"],
}
EXPLAIN = {key: OUTPUT[key] for key in ("color", "ascii", "lang", "help")}
SERVE = {
    "serve": ["--serve", "fork"],
    "udp": ["--udp"],
    "backlog": ["--backlog", "3"],
    "accept-delay": ["--accept-delay", "1"],
    "close-first": ["--close-first", "server"],
    "messages": ["--messages", "1"],
    "max-connections": ["--max-connections", "1"],
    "timeout": ["--timeout", "50"],
    "ready-fd": ["--ready-fd", "1"],
    "name": ["--name", "x"],
    "quiet": ["--quiet"],
    "lang": ["--lang", "zh"],
    "help": ["--help"],
}
ASK = {
    "message": ["--message", "x"],
    "count": ["--count", "1"],
    "udp": ["--udp"],
    "close-first": ["--close-first", "server"],
    "timeout": ["--timeout", "50"],
    "name": ["--name", "x"],
    "lang": ["--lang", "zh"],
    "help": ["--help"],
}

# A recorder that is there at once: half a second of work for the kernel's verifier is saved. A pair is played as it is by itself in e2e/demo-bpf,
# and here with what only the bpf recorder has (--verifier-log); so are the watches, and "a pair as event lines"; an option of the others that has
# to do with the recorder is played in e2e/run-untouched (--user by each recorder; --out-fd and --env by the one that a run takes by itself).
QUICK = ("--recorder", "ptrace")
# What is done; the verb's options; the command without any; which options it refuses. All others do something there.
# `another` says that the option makes something else of it, which is a row of its own.
MATRIX = (
    ("a paper of a scenario", QUIZ, ["quiz", "refused", "--export", "sheet", *QUICK], "conn"),
    ("a paper of a stored run", QUIZ, ["quiz", EVENTS, "--export", "sheet"], "recorder"),
    ("a paper of a capture", QUIZ, ["quiz", CLIENT, "--export", "sheet"], "recorder"),
    ("a pair", DEMO, ["demo", *QUICK], ""),
    ("a pair over UDP", DEMO, ["demo", "--udp", *QUICK], "serve backlog accept-delay close-first"),
    ("a closed port", DEMO, ["demo", "--closed-port", *QUICK], "serve backlog accept-delay close-first message count"),
    ("a closed UDP port", DEMO, ["demo", "--udp", "--closed-port", *QUICK], "serve backlog accept-delay close-first"),
    ("a pair over IPv6", DEMO, ["demo", "-6", *QUICK], "ipv4"),
    ("a pair as event lines", DEMO, ["demo", "--format", "jsonl"], "brief only absolute color"),
    ("a scenario", DEMO, ["demo", "refused"], "host-network " + " ".join(PAIR)),
    ("a scenario on loopback", DEMO, ["demo", "self-connect", *QUICK], " ".join(PAIR)),
    ("a scenario in sentences", DEMO, ["demo", "self-connect", "--explain", *QUICK], "brief only absolute whole color verbose " + " ".join(PAIR)),
    ("many scenarios", DEMO, ["demo", "--all", "refused", *QUICK], "otlp no-calls brief only absolute whole color verbose explain step " + " ".join(PAIR)),
    (
        "the catalogue's list",
        DEMO,
        ["demo", "--list", "refused"],
        "all explain step host-network recorder output format otlp no-calls brief only absolute whole color verbose quiet " + " ".join(PAIR),
    ),
    ("a command", RUN, ["run", *QUICK, *COMMAND], ""),
    ("a stored run", READ, ["read", EVENTS], "summary filter open-max packets-max merge"),
    ("a list", READ, ["read", CLIENT], "brief only absolute packets-max merge"),
    ("stories", READ, ["read", CLIENT, "--conn", "1"], "summary merge sort only-findings"),
    ("totals", READ, ["read", CLIENT, "--summary"], "brief only absolute color packets-max conn output format otlp no-calls merge sort only-findings"),
    ("merged lists", READ, ["read", "--merge", CLIENT, SERVER], "brief only absolute packets-max only-findings"),
    ("merged stories", READ, ["read", "--merge", CLIENT, SERVER, "-n", "1"], "summary packets-max open-max sort only-findings"),
    ("figures of runs", STATES, ["states", "refused", *QUICK], "dry"),
    ("figures of what is stored", STATES, ["states", EVENTS], "recorder"),
    ("the list of claims", CLAIMS, ["claims"], "recorder quiet"),
    ("a claim", CLAIMS, ["claims", "32", *QUICK], "format"),
    ("claims beside each other", CLAIMS, ["claims", "--all", "refused", *QUICK], ""),
    ("a watch", WATCH, ["watch", "--for", "1"], "on output files bytes color tui"),
    ("a flight recorder", WATCH, ["watch", "--for", "1", "--ring", "5", "-o", "FOLDER/ring"], "color tui"),
    ("a page", EXPLAIN, ["explain", "refused"], ""),
    ("the bare figure", STATES, ["states", "--dry"], "recorder"),
)
# These change what is done, so that another row says what fits.
TURNS = {
    ("a list", "output"): ["-o", "FOLDER/x.csv"],
    ("a list", "format"): ["--format", "zeek"],
    ("totals", "output"): ["-o", "FOLDER/x.txt"],
    ("merged lists", "output"): ["-o", "FOLDER/x.csv"],
    ("merged lists", "format"): ["--format", "csv"],
    ("a pair", "verifier-log"): ["--verifier-log", "FOLDER/verifier.txt", "--recorder", "bpf"],
    ("a pair as event lines", "format"): ["--format", "jsonl"],
    ("many scenarios", "format"): ["--format", "jsonl"],
}
# What e2e/watch and its like have a watch do, and see that it does.
WATCHED = "port netns cgroup interface only-findings events otlp format ring"
# Options that a row's command has given already, or that make another row of it; or that a test of their own plays.
SAME = {
    "a flight recorder": "ring output pid comm port netns cgroup interface otlp only-findings events format for ascii quiet help",
    "a watch": WATCHED,
    "a pair": "recorder list all explain step",
    "a pair over UDP": "recorder list all explain step closed-port",
    "a closed port": "recorder list all explain step udp",
    "a closed UDP port": "recorder list all explain step",
    "a pair over IPv6": "recorder list all explain step",
    "a pair as event lines": "list all explain step",
    "a scenario": "list all explain step",
    "a scenario on loopback": "recorder list all explain step",
    "a scenario in sentences": "recorder list all format output host-network",
    "many scenarios": "recorder list",
    "a command": "recorder",
    "a paper of a scenario": "recorder",
    "figures of runs": "recorder",
    "claims beside each other": "recorder",
    "stories": "merge",
    "a list": "merge conn",
    "totals": "merge",
    "merged lists": "conn",
    "the list of claims": "all",
}
BRIEF = ("a pair over IPv6", "a pair as event lines", "a closed UDP port", "a scenario")
# They take ports of this host: one at a time.
HOST = ("host-network", "prometheus")
AT_A_TIME = 4
# The sentence names the other of the two.
BLAMED = {("totals", "output"), ("totals", "format"), ("totals", "otlp"), ("totals", "no-calls")}


def wait_for_port(number):
    """A run on this host's own network leaves its port in TIME_WAIT, for a minute and no longer."""
    until = time.monotonic() + 90
    while time.monotonic() < until and f":{number:04X} " in pathlib.Path("/proc/net/tcp").read_text():
        time.sleep(0.5)


class Matrix(Test):
    @classmethod
    def setUpClass(cls):
        cls.receiver = Receiver()
        cls.host = threading.Lock()

    @classmethod
    def tearDownClass(cls):
        cls.receiver.close()

    def run_in(self, folder, arguments):
        if "--" in arguments:  # what stands behind a command is the command's
            at = arguments.index("--")
            arguments = [*arguments[:at], *arguments[at + len(COMMAND) :], *COMMAND]
        words = (str(word).replace("FOLDER", folder).replace("RECEIVER", self.receiver.url) for word in arguments)
        return run(*words, cwd=folder)

    def options_of(self, *verb):
        return set(re.findall(r"^ {2,6}(?:-\w, )?--([a-z0-9-]+)", run(*verb, "--help").stdout, re.M))

    def test_the_tables_know_every_option_of_every_verb(self):
        tables = ((["demo"], DEMO), (["quiz"], QUIZ), (["run"], RUN), (["attach"], ATTACH), (["read"], READ), (["states"], STATES), (["claims"], CLAIMS), (["watch"], WATCH), (["explain"], EXPLAIN), (["echo", "server"], SERVE), (["echo", "client"], ASK))
        for verb, options in tables:
            self.assertEqual(self.options_of(*verb), set(options), verb)

    def cases(self):
        """(what, option or None for the bare command, its words) of everything that is run."""
        for what, options, command, refused in MATRIX:
            yield what, None, command
            for name, words in options.items():
                if name in SAME.get(what, "").split():
                    continue
                if what in BRIEF and name not in refused.split():
                    continue  # the first row has played it
                yield what, name, [*command, *TURNS.get((what, name), words)]

    def outcome(self, case):
        """What a case comes to, and the names of the files with something in them that it leaves."""
        what, name, words = case
        alone = self.host if name in HOST else contextlib.nullcontext()
        with tempfile.TemporaryDirectory() as folder, alone:
            if (what, name) == ("a scenario on loopback", "host-network"):
                wait_for_port(40000)
            result = self.run_in(folder, words)
            return result, [path.name for path in pathlib.Path(folder).iterdir() if path.stat().st_size]

    def test_each_option_works_or_is_refused_by_its_name(self):
        """A few at once: nearly all wait for the kernel to take its programs in and let them go."""
        cases = list(self.cases())
        refused = {what: names.split() for what, _, _, names in MATRIX}
        watches = {what for what, options, _, _ in MATRIX if options is WATCH}
        with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
            for (what, name, _), (result, files) in zip(cases, pool.map(self.outcome, cases)):
                with self.subTest(what=what, option=name):
                    if name in refused[what]:
                        self.assertEqual((result.returncode, result.stdout), (2, ""), self.explain(result))
                        self.assertIn(f"--{'summary' if (what, name) in BLAMED else name}", result.stderr)
                        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
                    else:
                        self.assertEqual(result.returncode, 0, self.explain(result))
                        if name == "output" and what not in watches:
                            self.assertTrue(files)

    def test_the_echo_pair_refuses_what_its_role_or_udp_has_not(self):
        for role, names in (("server", "serve backlog accept-delay close-first timeout"), ("client", "close-first")):
            options = SERVE if role == "server" else ASK
            for name in names.split():
                result = run("echo", role, "--udp", *options[name], "127.0.0.1", "1")
                self.assertEqual((result.returncode, result.stdout), (2, ""), self.explain(result))
                self.assertIn(f"--{name}", result.stderr)
        self.assertEqual(run("echo", "server", "--messages", "2", "127.0.0.1", "0").returncode, 2)


class Words(Test):
    """Operands that are no options."""

    def test_a_word_behind_list_chooses(self):
        def entries(*words):
            return [line for line in run("demo", "--list", *words).stdout.splitlines() if line.startswith("  ")]

        every, some = entries(), entries("FIN_WAIT_1")
        self.assertTrue(0 < len(some) < len(every))
        self.assertTrue(set(some) < set(every))
        for line in some:
            self.assertIn("fin_wait_1", line.lower().replace("-", "_"))
        self.assertTrue({line for line in every if "syn" in line.lower() and "lost" in line.lower()} <= set(entries("syn", "lost")))
        udp = run("demo", "--list", "udp").stdout.splitlines()
        self.assertTrue(udp[0].startswith("UDP: "), udp)
        self.assertTrue(any(line.startswith("  udp-echo ") for line in udp), udp)
        heads = [line.split(":")[0] for line in run("demo", "--list").stdout.splitlines() if line and not line.startswith(" ")]
        self.assertEqual(heads, "handshake goodbye resets loss queues options calls UDP path".split())
        nothing = run("demo", "--list", "no-such-word")
        self.assertEqual((nothing.returncode, nothing.stdout), (1, ""))
        self.assertIn("no-such-word", nothing.stderr)

    def test_a_file_of_a_wrong_kind_is_named_and_what_can_be_read(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            self.assertEqual(run("read", EVENTS, *(w for e in ("jsonl", "txt") for w in ("-o", folder / f"x.{e}"))).returncode, 0)
            (folder / "x.scn").write_text("title a scenario\n")
            (folder / "x.html").write_text("<!doctype html>")
            (folder / "conn.log").write_text("#separator \\x09\n")
            (folder / "x.bin").write_bytes(bytes(range(200)))
            for path, kind in (
                ("x.jsonl", "event lines"),
                ("x.txt", "a text"),
                ("x.scn", "a scenario"),
                ("x.html", "HTML"),
                ("conn.log", "Zeek"),
                ("x.bin", "no capture"),
            ):
                for arguments in ([folder / path], [folder / path, "--merge", CLIENT], [CLIENT, folder / path]):
                    with self.subTest(path=path, arguments=arguments):
                        result = run("read", *arguments)
                        self.assertEqual(result.returncode, 1, self.explain(result))
                        self.assertIn(path, result.stderr)
                        self.assertIn(kind, result.stderr)
                        self.assertRegex(result.stderr, r"can be read|tcpwhy demo")
                        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)

    def test_a_file_that_is_not_there_is_said_to_be_missing_not_parsed_as_a_filter(self):
        for arguments in ([CLIENT, "nofile.pcap"], [CLIENT, "nofile"], [CLIENT, "./no"], [CLIENT, "--merge", "nofile.pcap"], [EVENTS, "no"]):
            result = run("read", *arguments)
            self.assertEqual((result.returncode, result.stdout), (2, ""), self.explain(result))
            self.assertIn("no", result.stderr)
            self.assertIn("file", result.stderr)
            self.assertNotIn("syntax error", result.stderr)
        self.assertIn("pcap-filter", run("read", CLIENT, "prot", "80").stderr)

    def test_a_capture_is_no_scenario_and_is_told_so(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "x.pcap").write_bytes(CLIENT.read_bytes())
            result = run("demo", "x.pcap", cwd=folder)
            self.assertEqual(result.returncode, 2)
            self.assertIn("tcpwhy read", result.stderr)


if __name__ == "__main__":
    main()
