"""What the end-to-end tests share: running the program, as root or as an ordinary user, and reading its event lines.

TCPWHY names the program under test (the build sets it). Nothing here skips: what is missing is a failure, with a sentence."""

import functools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
TCPWHY = os.environ.get("TCPWHY", "")
ORDINARY_ID = 65534
TIMEOUT_S = 120  # a bound on patience alone: nothing that is well needs a tenth of it


@functools.cache
def schema():
    from line_schema import LineSchema  # what it needs takes a while to load, and many a test looks at no line

    return LineSchema(ROOT / "docs" / "event-lines.schema.json")


def environment(**changes):
    """The test's own, without what would change how results look; a value of None removes a variable."""
    env = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "LC_ALL", "LC_CTYPE", "LANG")}
    env["LC_ALL"] = "C.UTF-8"
    for key, value in changes.items():
        env.pop(key, None)
        if value is not None:
            env[key] = value
    return env


def traced(env):
    """For a run under the ptrace recorder: leak detection needs ptrace itself, which fails in a process that is traced already."""
    return {**env, "ASAN_OPTIONS": "detect_leaks=0:" + env.get("ASAN_OPTIONS", "")}


def program():
    if not TCPWHY or not os.access(TCPWHY, os.X_OK):
        sys.exit(f"TCPWHY does not name the program to test: {TCPWHY!r}")
    return TCPWHY


def run(*arguments, command=None, env=None, **options):
    """Runs tcpwhy and returns the finished process, with text output unless asked otherwise. `command`: how an ordinary user
    runs it, which is with ptrace."""
    env = env or environment()
    env = traced(env) if command else env
    options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    options.setdefault("encoding", "utf-8")
    options.setdefault("timeout", TIMEOUT_S)
    return subprocess.run([*(command or [program()]), *map(str, arguments)], env=env, check=False, **options)


def wait_ready(pid):
    """Until main() of a process that was begun as tcpwhy has begun, and takes ^C."""
    until = time.monotonic() + TIMEOUT_S
    while time.monotonic() < until:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        fields = dict(line.split(":\t", 1) for line in status.splitlines())
        if fields["Name"] in ("tcpwhy", "echo-server", "echo-client") and int(fields["SigCgt"], 16) >> (signal.SIGINT - 1) & 1:
            return
        time.sleep(0.002)
    raise AssertionError("the program does not begin")


class OrdinaryUser:
    """A copy of the program where an ordinary user may run it, and the command that does."""

    def __init__(self):
        # Not the usual folder for temporary files: its path may be closed to others.
        self.folder = tempfile.mkdtemp(prefix="tcpwhy-e2e.", dir="/tmp")
        os.chmod(self.folder, 0o755)
        self.program = os.path.join(self.folder, "tcpwhy")
        shutil.copy(program(), self.program)
        os.chmod(self.program, 0o755)
        self.command = [self.program]
        if os.geteuid() == 0:
            ids = ["--reuid", str(ORDINARY_ID), "--regid", str(ORDINARY_ID), "--clear-groups"]
            self.command = ["setpriv", *ids, "--inh-caps=-all", self.program]

    def close(self):
        shutil.rmtree(self.folder)


def parse(text):
    """Event lines as objects; each one is held to the schema."""
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        value = json.loads(line)
        for error in schema().iter_errors(value):
            raise AssertionError(f"line {number}: {error.message}\n{line}")
        lines.append(value)
    return lines


class Connection:
    """The lines of one connection, with the questions that tests ask of them."""

    def __init__(self, lines, number):
        self.lines = [line for line in lines if line.get("conn") == number]
        self.head = next(line for line in self.lines if line["type"] == "connection")
        self.calls = self.of("call")
        self.segments = self.of("segment")
        self.datagrams = self.of("datagram")

    def of(self, kind):
        return [line for line in self.lines if line["type"] == kind]

    def call(self, number):
        return next(call for call in self.calls if call["call"] == number)

    def segment(self, number):
        return next(segment for segment in self.segments if segment["segment"] == number)

    def calls_named(self, end, *names):
        return [call for call in self.calls if call["end"] == end and call["name"] in names]

    def with_flags(self, flags, end=None):
        """Segments whose flags contain all these letters (tcpdump's: S F R P .)."""
        return [s for s in self.segments if all(f in s["flags"] for f in flags) and end in (None, s["end"])]

    def states(self, end, source="segments"):
        """The states an end passes, from its first to its last."""
        rows = [s for s in self.of("state") if s["end"] == end and s["source"] == source]
        return [rows[0]["from"], *(row["to"] for row in rows)] if rows else []

    def cause(self, step):
        """The cause as one word for each thing that must not depend on the recorder: ('call', 'connect', 'client') …"""
        cause = step["cause"]
        if cause["kind"] == "call":
            call = self.call(cause["call"]) if cause.get("call") else None
            return ("call", cause.get("name"), call["end"] if call else None)
        if cause["kind"] == "segment":
            origin = self.segment(cause["segment"]) if cause.get("segment") else None
            return ("segment", origin["flags"] if origin else None, origin["end"] if origin else None)
        return (cause["kind"], cause.get("name"))


class Story:
    """All event lines of one run."""

    def __init__(self, text):
        self.lines = parse(text)
        self.trace = self.one("trace")
        self.summary = self.one("summary")
        self.connections = [Connection(self.lines, line["conn"]) for line in self.lines if line["type"] == "connection"]

    def one(self, kind):
        found = [line for line in self.lines if line["type"] == kind]
        assert len(found) == 1, f"{len(found)} lines of type {kind}"
        return found[0]


class Test(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.user = None

    @classmethod
    def tearDownClass(cls):
        if cls.user:
            cls.user.close()

    @classmethod
    def ordinary(cls):
        cls.user = cls.user or OrdinaryUser()
        return cls.user.command

    def without_library(self, name):
        """An environment where a library that the program loads when it needs it is found broken, before the system's own."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        soname = re.search(rb"\0(%s[\w-]*\.so\.\d+)\0" % name.encode(), pathlib.Path(program()).read_bytes())
        pathlib.Path(folder.name, soname.group(1).decode()).touch()
        os.chmod(folder.name, 0o755)  # root's rights may be gone by then
        return environment(LD_LIBRARY_PATH=folder.name)

    def explain(self, result):
        return f"status {result.returncode}, standard error:\n{result.stderr}\nstandard output:\n{(result.stdout or '')[-4000:]}"

    def demo(self, *arguments, recorder="bpf", status=0, **options):
        """A demo's story. bpf needs root, so it is run as the test itself is; ptrace as an ordinary user."""
        if recorder == "ptrace":
            options.setdefault("command", self.ordinary())
            options.setdefault("cwd", "/")
        result = run("demo", "--recorder", recorder, "--format", "jsonl", *arguments, **options)
        self.assertEqual(result.returncode, status, self.explain(result))
        story = Story(result.stdout)
        story.result = result
        self.assertEqual(story.trace["recorder"], recorder)
        return story

    def assert_nothing_lost(self, story):
        self.assertEqual((story.summary["lost"], story.summary["dropped"]), (0, 0), [line for line in story.lines if line["type"] == "lost"])

    def assert_all_causes_known(self, connection):
        unknown = [s for s in connection.segments + connection.datagrams if s["cause"]["kind"] == "unknown"]
        self.assertEqual(unknown, [])

    def assert_in_order(self, wanted, found):
        """`wanted` stands in `found` in this order, other things may stand between."""
        rest = iter(found)
        missing = [item for item in wanted if item not in rest]
        self.assertEqual(missing, [], f"wanted {wanted} in order, found {found}")


def main():
    # A test that hangs must not leave the program behind: the whole group goes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    unittest.main(verbosity=2)
