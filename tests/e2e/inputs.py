"""Small scenarios and firewalls that were once told wrongly: each is played and held to its row, whose values follow from RFC 9293 and from what the
scenario does to the wire. The captures of tests/inputs have a table of their own (EXPECT.tsv)."""

import concurrent.futures
import dataclasses
import pathlib
import re
import shutil
import tempfile

from support import ROOT, Story, Test, main, program, run

INPUTS = ROOT / "tests" / "inputs"
AT_A_TIME = 8
FULL_QUEUE = ("syn-dropped-full-queue", "ack-dropped-full-queue", "reset-full-queue")
OPENED = ["CLOSED", "LISTEN", "SYN_RCVD", "ESTABLISHED"]
BY_RELEASE = {("segment", None), ("kernel", "pacing"), ("kernel", "small-queues"), ("kernel", "held-back")}


@dataclasses.dataclass
class Row:
    file: str
    status: int = 0
    recorder: str = "bpf"
    outcome: str = ""  # of connection 1
    findings: dict = dataclasses.field(default_factory=dict)  # id: what its text says
    none: tuple = ()  # findings that must not be there
    states: dict = dataclasses.field(default_factory=dict)  # end: all its states
    calls: tuple = ()  # (name, errno, the reason that is told, of a call in a connection): one such call is there
    causes: tuple = ()  # (end, label, which, cause's kind, its name or the segment it answers (its number, or whose, its label, which), what it says)
    says: tuple = ()  # somewhere in the event lines
    silent: tuple = ()  # nowhere there
    told: tuple = ()  # on standard error
    also: object = None  # a function of the story: what is wrong, or None


def segments(story, end, label):
    return [s for s in story.connections[0].segments if (s["end"], s["label"]) == (end, label)]


def releases(story):
    """Data beyond the first window: let go by an ACK, the pacing timer or a queue that had room. Without the kernel's chains it may be unknown;
    a rule says so only where nothing else was under way (Nagle)."""
    acks = {s["segment"]: s["ack"] for s in story.connections[0].segments}
    for data in segments(story, "client", "data"):
        cause = data["cause"]
        if cause["kind"] == "unknown" and story.trace["recorder"] == "bpf" or cause["evidence"] == "rule" and acks.get(cause.get("segment")) != data["seq"]:
            return f"#{data['segment']}: {cause}"
        if cause["kind"] == "call" and cause["evidence"] == "interval" and data["sent"] > story.connections[0].call(cause["call"])["exit"]:
            return f"#{data['segment']} was sent after its call had returned"
        if cause["evidence"] == "stack" and cause["kind"] != "call" and (cause["kind"], cause.get("name")) not in BY_RELEASE | {("timer", cause.get("name"))}:
            return f"#{data['segment']}: {cause}"
    return None


def paced(story):
    """tcp_tsq_handler lies inside tcp_pace_kick: the outer frame is the reason."""
    inner = [s for s in segments(story, "client", "data") if "tcp_pace_kick" in s["cause"].get("chain", [])]
    wrong = [s["segment"] for s in inner if s["cause"].get("name") != "pacing"]
    return f"{len(inner)} by tcp_pace_kick, told otherwise: {wrong}" if wrong or not inner else releases(story)


def read_both(story):
    """Of the two, only one arrived: it is what the read took."""
    (conn,) = story.connections
    if len(conn.datagrams) != 2:
        return f"{len(conn.datagrams)} datagrams"
    first, second = conn.datagrams
    read = conn.calls_named("server", "recvfrom")[-1]
    right = (first["lost"], second["lost"], read["ret"]) == (True, False, second["len"]) and "#2" in read["woken_by"]["why"]
    return None if right else f"{conn.datagrams} {read}"


def firewalled(story):
    wrong = [s["segment"] for s in segments(story, "client", "SYN") if (s.get("dropped") or {}).get("reason") != "NETFILTER_DROP"]
    return f"SYNs without the kernel's reason: {wrong}" if wrong else None


def firewalls_reset(story):
    (reset,) = segments(story, "server", "RST")
    chain = reset["cause"].get("chain", [])
    return None if any(name.startswith(("nf_", "nft_")) for name in chain) else f"its chain is {chain}"


def nagle(story):
    """Each of the four is met: the first half is on the wire until the second is written, and the server's kernel is told to delay its ACKs. The sum is
    what the waits make, and each wait is a delayed ACK (40 ms and more)."""
    text = next(f["text"] for f in story.lines if f["type"] == "finding" and f["id"] == "nagle-delayed-ack")
    times, each, total = map(int, re.search(r" (\d+) times?\b.* some (\d+) ms.*; (\d+) ms lost", text).groups())
    return None if times == 4 and each >= 30 and abs(times * each - total) <= times * 10 else text


PATH_DIES = {
    "outcome": "timed-out", "none": (*FULL_QUEUE, "user-timeout"), "silent": ("user timeout",),
    "findings": {"data-unanswered": r"no answer to the client's data #6, sent again \d times .*tcp_retries2"},
    "states": {"client": ["CLOSED", "SYN_SENT", "ESTABLISHED", "CLOSED"]}, "calls": (("recv", "ETIMEDOUT", None, True),)}
KILLED = {"outcome": "reset", "none": FULL_QUEUE, "findings": {"listener-gone": r"server\[\d+\] had been killed"},
          "states": {"server": ["CLOSED", "LISTEN", "SYN_RCVD", "CLOSED"]}, "causes": (("server", "RST", 1, "segment", 3, "fits no connection"),)}
NAGLE = {"findings": {"nagle-delayed-ack": "TCP_NODELAY"}, "also": nagle}
IDLE = {"outcome": "reset", "findings": {"reset-late-data": r"the FIN of the server had come .* and the kernel of the client knew", "epipe-after-rst": ""},
        "none": ("reset-crossed",), "calls": (("send", "EPIPE", None, True),), "causes": (("server", "RST", 1, "segment", ("client", "data", 2), r"data #\d+"),)}
WINDOW = {"findings": {"zero-window": r"closed for \d\.\d+ s \(#\d+ to #\d+\): its process read nothing"}, "silent": ('"keepalive"', "keepalive timer"),
          "says": ('"class":"window-probe"', '"win":0|"window":0'), "outcome": "closed"}
UNREAD = {"outcome": "reset", "findings": {"reset-unread-data": r"shutdown\(SHUT_WR\), read until that returns 0, and then close"}, "silent": (r"or shutdown\(\) first",)}
STREAM = {"outcome": "closed", "findings": {"stream-joined": "#4 and #6"}}
UNREAD_END = {"outcome": "closed", "findings": {"shutdown-read": "sends nothing"}, "none": ("half-close",)}
CUT = {"none": FULL_QUEUE, "findings": {"send-unconfirmed": r"send\(\d\) returned 5, and nothing of it \(#4\) was acknowledged", "data-unanswered": "#4"}}

ROWS = (
    Row("path-dies-mid-connection.scn", **PATH_DIES),
    Row("path-dies-mid-connection.scn", recorder="ptrace", **PATH_DIES),
    Row("exit-in-handshake.scn", **KILLED),
    Row("exit-in-handshake.scn", recorder="ptrace", **KILLED),
    Row("nine-behind-a-hole.scn", outcome="closed", findings={"retransmitted": "^1 segment "}, states={"server": [*OPENED, "CLOSE_WAIT", "LAST_ACK", "CLOSED"]},
        says=('"client":{[^}]*"bytes":15928,"missed_bytes":0}',)),
    Row("zero-window.scn", causes=(("client", "ACK", 2, "timer", "zero-window-probe", "persist"),), **WINDOW),
    Row("zero-window.scn", recorder="ptrace", **WINDOW),
    Row("bulk.scn", outcome="closed", also=releases),
    Row("bulk.scn", recorder="ptrace", outcome="closed", also=releases, says=('"kind":"unknown"',)),
    Row("paced.scn", also=paced),
    Row("nagle.scn", **NAGLE),
    Row("nagle.scn", recorder="ptrace", **NAGLE),
    Row("idle-race.scn", **IDLE),
    Row("idle-race.scn", recorder="ptrace", **IDLE),
    Row("eaddrnotavail.scn", outcome="closed", findings={"no-port-left": "in TIME_WAIT, held port 40000"}, calls=(("connect", "EADDRNOTAVAIL", "ip_local_port_range", False),)),
    Row("anb.scn", calls=(("accept", "EAGAIN", "non-blocking, and no finished connection was in the queue", False),)),
    Row("lnb.scn", status=1, calls=(("listen", None, r"no connection to 0\.0\.0\.0:\d+ was seen", False), ("accept", "EAGAIN", "non-blocking", False)),
        told=("line 3: 'server accept nonblocking': accept failed with EAGAIN, and no line expects that",)),
    Row("bound-to-loopback.scn", outcome="refused", findings={"listens-elsewhere": r"listens on port 3333, but on 127\.0\.0\.1 alone"}, none=("refused",),
        silent=("no process listens",), calls=(("connect", "ECONNREFUSED", None, True),)),
    Row("udpcut2.scn", also=read_both),
    Row("udpcut2.scn", recorder="ptrace", also=read_both),
    Row("shut.scn", **UNREAD),
    Row("shut.scn", recorder="ptrace", **UNREAD),
    Row("udploss2.scn", also=read_both),
    Row("shlisten.scn", outcome="reset", calls=(("recv", "ECONNRESET", None, True),), none=("refused",),
        findings={"closed-listener": r"was shut down while .*accept\(\) what has come, and only then close the listener \(shutdown\(\) of it resets what waits"},
        causes=(("server", "RST", 1, "call", "shutdown", "before anyone accepted"),)),
    Row("rdwr.scn", none=("half-close",), silent=("still receives",), causes=(("client", "FIN", 1, "call", "shutdown", "receives no more"),)),
    Row("stream.scn", **STREAM),
    Row("stream.scn", recorder="ptrace", **STREAM),
    Row("sendcut.scn", **CUT),
    Row("sendcut.scn", recorder="ptrace", **CUT),
    Row("partial.scn", findings={"partial-write": r"took \d+ of \d+ bytes: the send buffer was full"}),
    Row("q3.scn", **UNREAD_END),
    Row("q3.scn", recorder="ptrace", **UNREAD_END),
    Row("bad.scn", status=2, told=(r":4:8: no verb 'acept': did you mean 'accept'\?", r":5:11: no kind of segment 'SIN': did you mean 'SYN'\?",
                                   r":6:16: no host 'sever': did you mean 'server'\?", r":10:41: no call 'conect': did you mean 'connect'\?",
                                   r":11:29: no state 'SYN_SEND': did you mean 'SYN_SENT'\?", r":15:16: there is no finding 'nosuch'", "13 mistakes")),
    Row("crlf.scn", outcome="open", told=("begins with a byte order mark, which is skipped",)),
    Row("crlf2.scn", status=2, told=(r":7:19: no finding 'reset-unread-dta': did you mean 'reset-unread-data'\?", "1 mistake ")),
    Row("drop.nft", status=1, none=(*FULL_QUEUE, "syn-unanswered"), findings={"firewall-dropped": "NETFILTER_DROP"}, silent=("queue is full", "queue was full"),
        also=firewalled),
    Row("reject-with-rst.nft", status=1, outcome="refused", none=(*FULL_QUEUE, "refused"), findings={"refused-by-firewall": r"echo-server\[\d+\] listens on port 3333"},
        silent=("nobody listens", "no process listens"), causes=(("server", "RST", 1, "kernel", "firewall", "firewall rule"),), also=firewalls_reset),
)


def cause_differences(row, story):
    for end, label, which, kind, origin, why in row.causes:
        found = segments(story, end, label)
        cause = found[which - 1]["cause"] if len(found) >= which else {}
        if isinstance(origin, tuple):
            origin = next((s["segment"] for s in segments(story, *origin[:2])[origin[2] - 1:]), "no such segment")
        right = cause.get("kind") == kind and origin in (cause.get("name"), cause.get("segment")) and re.search(why, cause["why"])
        if not right:
            yield f"cause of {label} {which} from the {end}: {cause}"


def call_differences(row, story):
    calls = [line for line in story.lines if line["type"] == "call"]
    for name, errno, why, connected in row.calls:
        if not any((c["name"], c["errno"], c["conn"] is not None) == (name, errno, connected) and re.search(why or "", c.get("why") or "") for c in calls):
            yield f"no {name}() with {errno}, {why}"


def story_differences(row, text):
    story = Story(text)
    findings = {line["id"]: line["text"] for line in story.lines if line["type"] == "finding"}
    yield from (f"no finding {name} that says {what!r}: {findings}" for name, what in row.findings.items()
                if name not in findings or not re.search(what, findings[name]))
    yield from (f"finding {name} must not be there" for name in row.none if name in findings)
    if (row.outcome or row.states or row.causes or row.also) and not story.connections:
        yield "no connection"
        return
    if row.outcome and story.connections[0].head["outcome"] != row.outcome:
        yield f"outcome {story.connections[0].head['outcome']}"
    yield from (f"{end}: {story.connections[0].states(end)}" for end, states in row.states.items() if story.connections[0].states(end) != states)
    yield from cause_differences(row, story)
    yield from call_differences(row, story)


def differences(row, played):
    """Each value of the row that this run lacks."""
    found = []
    if played.returncode != row.status:
        found.append(f"status {played.returncode}")
    found += [f"standard error lacks {what!r}: {played.stderr}" for what in row.told if not re.search(what, played.stderr)]
    found += [f"nothing says {what!r}" for what in row.says if not re.search(what, played.stdout)]
    found += [f"something says {what!r}" for what in row.silent if re.search(what, played.stdout)]
    if row.status != 2 and not found:
        found += story_differences(row, played.stdout)
    wrong = row.also(Story(played.stdout)) if row.also and not found else None
    return found + [wrong] if wrong else found


class Inputs(Test):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ordinary()
        cls.folder = tempfile.mkdtemp(prefix="tcpwhy-inputs.", dir="/tmp")
        pathlib.Path(cls.folder).chmod(0o755)
        for path in [*INPUTS.glob("*.scn"), *INPUTS.glob("*.nft")]:
            shutil.copy(path, cls.folder)
        with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
            cls.runs = list(pool.map(cls.play, ROWS))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)
        super().tearDownClass()

    @classmethod
    def play(cls, row):
        """A firewall's file is in force in a network of its own, where the echo pair is then played."""
        path = str(pathlib.Path(cls.folder) / row.file)
        arguments = ["demo", path, "--recorder", row.recorder, "--format", "jsonl"]
        command = cls.ordinary() if row.recorder == "ptrace" else None
        if row.file.endswith(".nft"):
            arguments[1:2] = ["--host-network", "--timeout", "2500"]
            command = ["unshare", "--net", "sh", "-c", f'nft -f {path} && ip link set lo up && exec "$@"', "sh", program()]
        return run(*arguments, command=command, cwd="/")

    def test_each_is_told_as_its_row_says(self):
        for row, played in zip(ROWS, self.runs):
            with self.subTest(file=row.file, recorder=row.recorder):
                self.assertEqual(differences(row, played), [], self.explain(played))

    def test_no_row_is_content_with_the_story_of_another_input(self):
        kinds = {}
        for row, played in zip(ROWS, self.runs):
            kinds.setdefault(row.file, (row, played))
        files = list(kinds)
        for file, other in zip(files, files[1:] + files[:1]):
            with self.subTest(file=file, other=other):
                self.assertTrue(differences(kinds[file][0], kinds[other][1]))

    def test_every_input_has_its_row(self):
        self.assertEqual({row.file for row in ROWS}, {path.name for path in [*INPUTS.glob("*.scn"), *INPUTS.glob("*.nft")]})


if __name__ == "__main__":
    main()
