"""Chinese: what people read is in it, what programs read is not; aligned; without any locale installed.

TCPWHY_REGENERATE=1 writes tests/golden/zh anew: read the difference before you commit it."""

import gzip
import os
import pathlib
import re
import struct
import subprocess
import tempfile
import unicodedata

from support import ROOT, Test, environment, main, run

EVENTS = ROOT / "tests" / "golden" / "events"
GOLDEN = ROOT / "tests" / "golden" / "zh"
CAPTURE = ROOT / "tests" / "golden" / "captures" / "syn-lost-client.pcap"
STORED = sorted(path for path in EVENTS.glob("*.events") if path.stem != "hostile")
# What stays as it is: calls, options and fields of the kernel's and the RFC's, ids, names of processes, units.
WORDS = set(
    """accept accept4 bind close connect listen poll ppoll select epoll epoll_wait epoll_pwait epoll_create1 epoll_ctl read write readv writev recv recvfrom recvmsg send
    sendto sendmsg shutdown socket setsockopt getsockopt dup dup2 dup3 fork clone execve fcntl net ipv4 ipv6 core somaxconn sysctl nft list ruleset iptables
    echo client server worker resolver seq ack len win min bpf ptrace none auto capture lo any tcpwhy explain conn backlog cookie pacing small queues ms ns syn fin
    retransmit delayed keepalive persist probe syn-ack time wait zero window tail loss reordering timeout netfilter router destroyed synproxy pending inet sock set state
    closed reset refused open duplicated retransmitted retransmission hello from strerror errno kernel icmp port unreachable status cat sh nc curl parent child attached late forgetful twin other demo main python3 nginx ss kill""".split()
)


def columns(text):
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def told(path, *arguments):
    return run("read", path, "--lang", "zh", *arguments).stdout


class Stored(Test):
    """Of stored runs, which are told alike everywhere."""

    def test_what_programs_read_is_the_same_in_every_language(self):
        for path in (EVENTS / "echo.events", EVENTS / "scene-keepalive.events", EVENTS / "firewall-input.events"):
            for name in ("jsonl", "csv", "otlp", "perfetto", "events"):
                with self.subTest(run=path.name, format=name):
                    english = run("read", path, "--format", name, encoding=None)
                    chinese = run("read", path, "--format", name, "--lang", "zh", encoding=None)
                    self.assertEqual(english.returncode, 0, english.stderr)
                    self.assertEqual(chinese.stdout, english.stdout)
        for name in ("jsonl", "csv", "zeek"):
            with self.subTest(format=name):
                self.assertEqual(run("read", CAPTURE, "--format", name, "--lang", "zh").stdout, run("read", CAPTURE, "--format", name).stdout)

    def test_a_run_tells_people_in_chinese_and_programs_in_english_at_once(self):
        with tempfile.TemporaryDirectory() as folder:
            both, alone = pathlib.Path(folder) / "both.jsonl", pathlib.Path(folder) / "alone.jsonl"
            result = run("read", EVENTS / "echo.events", "--lang", "zh", "--format", "text", "-o", both, "-o", f"{folder}/both.pcapng")
            run("read", EVENTS / "echo.events", "-o", alone, "-o", f"{folder}/alone.pcapng")
            self.assertIn("内核对 SYN 的应答", result.stdout)
            self.assertEqual(both.read_bytes(), alone.read_bytes())
            self.assertEqual(pathlib.Path(f"{folder}/both.pcapng").read_bytes(), pathlib.Path(f"{folder}/alone.pcapng").read_bytes())

    def test_no_english_sentence_is_left_in_what_people_read(self):
        for path in STORED:
            for arguments in (["--format", "text"], ["--format", "text", "-v"], ["--brief"], ["--format", "list"]):
                text = told(path, *arguments)
                for line in text.splitlines():
                    # "net.ipv4.tcp_fin_timeout", "tcp_v4_rcv", "reset-unread-data", "[RFC …]", what calls were given: no words
                    bare = re.sub(r"\S*[._/\d@*-]\S*|\w+\(\S*|\"[^\"]*\"|<-.*", " ", line)
                    found = [word for word in re.findall(r"\b[a-z]{3,}\b", bare) if word not in WORDS]
                    with self.subTest(run=path.name, arguments=arguments, line=line):
                        self.assertLess(len(found), 3, found)

    def test_a_brief_ladder_is_a_slide_of_22_lines(self):
        for path in STORED:
            for language in ("en", "zh"):
                slides = re.split(r"^(?=── )", run("read", path, "--lang", language, "--brief").stdout, flags=re.M)
                for slide in slides:
                    with self.subTest(run=path.name, language=language):
                        self.assertLessEqual(slide.count("\n"), 22, slide)
                        self.assertTrue(all(columns(line) <= 80 for line in slide.splitlines()), slide)

    def test_wide_letters_are_aligned(self):
        for path in STORED:
            for line in told(path, "--format", "text").splitlines():
                self.assertLessEqual(columns(line), 80, line)
            lines = told(path, "--format", "text").splitlines()
            heads = [i for i, line in enumerate(lines) if "客户端" in line and line.rstrip().endswith("服务器") and "ms" in line]
            for i in heads:
                where = set()
                for line in lines[i + 1 :]:
                    if not line.strip() or line.startswith("──") or line.startswith("打开"):
                        break
                    mark = re.match(r"(.{9,}?) ?([┊│┌└\[]) ", line)
                    if mark and line[:20].strip()[:1] in "0123456789-┊│":
                        where.add(columns(line[: mark.start(2)]))
                with self.subTest(run=path.name):
                    self.assertLessEqual(len(where - {9, 10}), 3, where)

    def test_views_are_as_they_were(self):
        views = {
            "echo.txt": ["read", EVENTS / "echo.events", "--format", "text", "-v"],
            "echo-brief.txt": ["read", EVENTS / "echo.events", "--brief"],
            "black-hole.txt": ["read", EVENTS / "scene-black-hole.events", "--format", "text"],
            "capture.txt": ["read", CAPTURE],
            "help.txt": ["--help"],
            "read-help.txt": ["read", "--help"],
            "claims.txt": ["claims"],
            "list-queues.txt": ["demo", "--list", "queues"],
        }
        GOLDEN.mkdir(exist_ok=True)
        for name, arguments in views.items():
            text = run("--lang", "zh", *arguments).stdout
            if os.environ.get("TCPWHY_REGENERATE"):
                (GOLDEN / name).write_text(text, encoding="utf-8")
            with self.subTest(view=name):
                self.assertEqual(text, (GOLDEN / name).read_text(encoding="utf-8"))

    def test_pictures_and_the_page_say_their_language(self):
        with tempfile.TemporaryDirectory() as folder:
            run("read", EVENTS / "echo.events", "--lang", "zh", "-o", f"{folder}/x.svg", "-o", f"{folder}/x.html", "-o", f"{folder}/x.tsg.svg")
            svg, page = (pathlib.Path(f"{folder}/x.{ending}").read_text(encoding="utf-8") for ending in ("svg", "html"))
            self.assertIn('xml:lang="zh-CN"', svg)
            self.assertIn("内核对 SYN 的应答", svg)
            self.assertIn('<html lang="zh-CN">', page)
            self.assertIn("为什么", page)


class Language(Test):
    """How the language is chosen."""

    def first_line(self, *arguments, **changes):
        return run(*arguments, "--help", env=environment(**changes)).stdout.splitlines()[0]

    def test_the_environment_says_it_as_gettext_reads_it(self):
        chinese, english = "用法：tcpwhy read", "Usage: tcpwhy read"
        for changes, wanted in (
            ({"LC_ALL": "zh_CN.UTF-8"}, chinese),
            ({"LC_ALL": None, "LC_MESSAGES": "zh_CN.UTF-8"}, chinese),
            ({"LC_ALL": None, "LANG": "zh_CN.UTF-8"}, chinese),
            ({"LC_ALL": None, "LANG": "zh_SG"}, chinese),
            ({"LC_ALL": "en_US.UTF-8", "LANGUAGE": "zh_CN:en"}, chinese),
            ({"LC_ALL": "C.UTF-8", "LANGUAGE": "fr:zh_CN"}, chinese),
            ({"LC_ALL": "zh_CN.UTF-8", "LANGUAGE": "en:zh_CN"}, english),
            ({"LC_ALL": "C", "LANGUAGE": "zh_CN"}, english),
            ({"LC_ALL": None, "LANG": None, "LANGUAGE": "zh_CN"}, english),
            ({"LC_ALL": "C.UTF-8", "LANG": "zh_CN.UTF-8"}, english),
            ({"LC_ALL": "zh_TW.UTF-8"}, english),
            ({"LC_ALL": "de_DE.UTF-8"}, english),
        ):
            with self.subTest(changes=changes):
                self.assertTrue(self.first_line("read", **changes).startswith(wanted))

    def test_the_option_wins_on_a_host_without_locales(self):
        bare = {"LC_ALL": None, "LANG": None, "LOCPATH": "/nonexistent", "PATH": "/nonexistent"}
        for arguments in (["read", "--lang", "zh"], ["--lang", "zh_CN.UTF-8", "read"], ["read", "--lang=zh"]):
            self.assertTrue(self.first_line(*arguments, **bare).startswith("用法：tcpwhy read"), arguments)
        self.assertTrue(self.first_line("read", "--lang", "en", LC_ALL="zh_CN.UTF-8").startswith("Usage: "))
        text = run("read", EVENTS / "echo.events", "--lang", "zh", env=environment(**bare)).stdout
        self.assertIn("内核对 SYN 的应答", text)
        self.assertNotIn("\\u{", text)
        wrong = run("read", "--lang", "tlh", CAPTURE)
        self.assertEqual((wrong.returncode, wrong.stderr), (2, "tcpwhy: --lang: 'tlh' is no language here: there are en and zh\n"))

    def test_errors_are_told_in_it(self):
        result = run("--lang", "zh", "demo", "no-such-scenario")
        self.assertEqual(result.returncode, 2)
        self.assertIn("没有场景 'no-such-scenario'", result.stderr)

    def test_a_command_that_is_run_keeps_its_environment(self):
        plain, chinese = (run("run", *lang, "-q", "--out-fd", "2", "--", "env", env=environment(LANGUAGE=None)).stdout for lang in ([], ["--lang", "zh"]))
        self.assertEqual(sorted(chinese.splitlines()), sorted(plain.splitlines()))
        self.assertIn("LC_ALL=C.UTF-8", plain)


# And verbs, words of options and of the scenario language, formats and programs, as mistakes name them.
NAMES = WORDS | set(
    """always arrives attach both bytes call calls cause claims corrupt csv cut data datagram delay destroy disconnect done dport drop duplicate
    editcap enter error events exec exit expect finding firewall flags forget gift goodbye gzip half handshake hold html inject input iterative jsonl
    lab labels limit loopback lost mark mend mergecap mermaid mptcp mtu names netlink never next nonblocking options otlp outcome output packet path
    pcap pcapng perfetto quiz radiotap reject release reorder repeat replace resets returns right root run segment setcap sheet skip snoop start
    states sudo summary svg tcp tell text timer title took trace translate tsg udp unknown unzip uring vsock wake wire with wrong zeek zip""".split()
)
IDB = struct.pack("<IIHHII", 1, 20, 1, 0, 65535, 20)


def section(major=1):
    return struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, major, 0, -1, 28)


def packet(interface, data, claims=None):
    length = 32 + len(data)
    return struct.pack("<7I", 6, length, interface, 0, 0, len(data) if claims is None else claims, len(data)) + data + struct.pack("<I", length)


def files():
    """Names and bytes of what can't be read, or not to its end."""
    capture, events = CAPTURE.read_bytes(), (EVENTS / "echo.events").read_bytes()
    packed = gzip.compress(capture)
    damaged = bytearray(packed)
    damaged[40] ^= 0xFF
    damaged[60] ^= 0x55
    rows = {"empty": b"", "text": b"hello world\n", "bytes": bytes(range(128, 256)), "xz": b"\xfd7zXZ\0\0\0", "bz2": b"BZh91AY&SY", "zip": b"PK\x03\x04" + bytes(20),
            "snoop": b"snoop\0\0\0\0\0", "program": b"\x7fELF\2\1\1\0", "lines": b'{"type":"trace"}', "zeek": b"#separator \\x09\n", "page": b"<html>", "lesson": b"title hello",
            "cut": capture[:-10], "cut-head": capture[:30], "no-head": capture[:20], "claims": capture[:32] + b"\xff\xff\xff\x7f" + capture[36:],
            "packed-cut": packed[:-30], "packed-damaged": bytes(damaged), "packed-and-more": packed + b"hello", "interface": section() + IDB + packet(3, bytes(40)),
            "no-interface": section() + packet(0, bytes(40)), "too-long": section() + IDB + packet(0, bytes(40), 400), "block-cut": section() + IDB + packet(0, bytes(400))[:-60],
            "version": section(9) + IDB, "section-cut": section()[:20], "block-length": section() + IDB + struct.pack("<III", 77, 5, 5)}
    rows |= {f"link-{number}": capture[:20] + struct.pack("<I", number) + capture[24:] for number in (6, 119, 165, 186, 201, 227, 247, 253, 271, 999)}
    changes = ((b"enter ", b"entre "), (b" t=", b" t=x"), (b"fd=", b"df="), (b"ret=", b"ret"), (b'"', b'"\\q'), (b"flags=", b"flags=Q"), (b" ", b"  "))
    rows |= {f"changed-{i}": events.replace(old, new, 1) for i, (old, new) in enumerate(changes)}
    return rows


COMMANDS = """nonsense|reed|--nonsense|read|read --nonsense|read ABSENT|read CAP nonsense(|read CAP port\u00a099999|read CAP tcp\u00a0port\u00a07|read CAP --conn 9|read CAP --conn u3|read CAP --conn x
read CAP --format nope|read CAP -o DIR/x.nope|read CAP -o /proc/nope/x.svg|read CAP -o DIR|read CAP --merge|read CAP CAP --merge|read CAP --sort x|read CAP --summary --format text|read CAP --brief --format jsonl
read CAP --only x|read CAP --color x|read CAP --packets-max x|read CAP --no-calls|read CAP --otlp ftp://x|read RUN RUN|read RUN tcp|read RUN --conn 7|read RUN --conn u7|read RUN --merge|read CAP --lang
demo no-such|demo late-acept|demo CAP|demo /absent.scn|demo --port 99999|demo --clients 0|demo --serve x|demo late-accept --clients 2|demo --list zzz|demo late-accept refused|demo --recorder x|demo --step=3
demo late-accept --host-network|demo --all --format svg|demo --all --explain|claims 99|claims zzz|claims --format x|quiz|quiz zzz|quiz CAP --hide x|quiz CAP --export x|quiz CAP -o x.doc|quiz CAP --seed x|quiz CAP b
quiz CAP --hide cause|states zzz|states --blank x|states --dry echo|states late-acept|states -o DIR/x.png|explain zzz|explain reset-unread-dat|attach|attach x|attach 1 --recorder ptrace|run|run -- /nonexistent
run -- nonexistent-command|run -- /etc/passwd|run -u nobodyatall -- true|run -E =x -- true|run -i nope0 -- true|watch -i nope0|watch --netns nope|watch --format x|watch --on zzz|watch --on leak|watch --ring x|watch --cgroup /nope
watch --prometheus x|watch --pid x|watch --tui|watch --memory 1|watch --sort x|echo|echo x|echo server|echo server 1.2.3.4 0|echo server 127.0.0.1 99999|echo client 127.0.0.1 9|echo client 1.2.3 9|echo client 1.2.3.400 9
echo client 01.2.3.4 9|echo client nope.invalid 9|echo client host_with_\u00e4 9|echo client fe80::1 9|echo client ::1%nope 9|echo client [1.2.3.4] 9|echo client * 9|echo client 127.0.0.1:9 9|echo client 127.0.0.1 nope
echo client a..b 9|echo client 2001:zz::1 9|echo server --udp --serve epoll 0|explain --format x""".replace("\n", "|").split("|")
LESSON = r"""titel x
place nowhere
limit 0s
limit x
section x
group x
needs x
title again
client connct server:3333
client connect srver:3333
client connect server:0
client connect 1.2.3.999:5
client connect server:3333 backlog 3
client send hello
client send 0 bytes
client set SO_NOPE 1
client set SO_RCVTIMEO 1x
client set TCP_USER_TIMEOUT 1us
client shutdown both
client close nope
server accept
client recv x bytes
client fork
client fork as wait
client exit x
client sysctl x
client sysctl net.ipv4.tcp_sack
client destroy x
wire delay x
wire drop x 1 from client
wire drop SYN x from client
wire drop SYN 1 frm client
wire hold SYN 1 from client as 1
wire inject x from client
wire inject data from client
wire inject RST from client seq x
wire inject RST from client window x
wire foo
wire drop SYN 1 from client &
router drop x
router foo
router mtu 3
client firewall foo
client firewall "x;y"
client firewall input
wait x
wait for SYN 1 from x
kill x SIGKILL
kill client SIGX
repeat x times
end
nobody connect
clint connect
client connect server:3333 "x
client connect server:3333 "x\q"
client
expect
expcet nothing
expect client states X
expect cause of SYN 1 from client: x
expect cause of SYN 1 from client: timer x
expect cause of SYN 1 from client: call conect
expect client connect fails with X
expect client connect 7 succeeds
expect client conect succeeds
expect finding x
expect finding reset-unread-dat
expect outcome x
expect SYN 1 from client vanished
expect icmp x from client
expect icmp port-unreachable from router
claim x "a"
claim wrong "a"
claim half "a"
claim wrong
because "x"
client bind x
client listen 0
client listen 3333 backlog x
client poll x
client connect server:3333 as 1
client listen 3333 on x
tell
"""


ACTS = """server listen 3333
client connect server:3333
server accept
client send "hi"
server recv
client close
server recv until end
server close
"""
UNMET = """expect client states CLOSED SYN_SENT ESTABLISHED CLOSED
expect client passes TIME_WAIT CLOSING
expect cause of SYN-ACK from server: call accept
expect cause of FIN from client: timer retransmit
expect cause of SYN 3 from client: timer retransmit
expect client connect fails with ECONNREFUSED
expect server accept never slept
expect finding close-wait-leak
expect 3 RST from client
expect SYN 1 from client lost
expect outcome reset
expect connections 3
expect client send 1 returns 5
expect icmp port-unreachable from server
"""


class Mistakes(Test):
    """Errors and notes: no English is left in any but the names of things."""

    def english(self, text):
        bare = re.sub(r"'[^']*'|“[^”]*”|\S*[./\d_:@*=<>()\[\]-]\S*|[A-Z]\S*", " ", text)
        return [word for word in re.findall(r"[a-z]{3,}", bare) if word not in NAMES]

    def said(self, *arguments, **options):
        result = run("--lang", "zh", *arguments, stdin=subprocess.DEVNULL, env=environment(LANGUAGE=None), **options)
        self.assertTrue(result.stderr.startswith("tcpwhy: ") or ":" in result.stderr, (arguments, result.stderr))
        return result.stderr

    def assert_chinese(self, what, text):
        with self.subTest(what=what, text=text):
            self.assertRegex(text, r"[\u4e00-\u9fff]")
            self.assertEqual(self.english(text.removeprefix("tcpwhy: ")), [])

    def test_commands(self):
        with tempfile.TemporaryDirectory(prefix="tcpwhy-zh.") as folder:
            words = {"CAP": CAPTURE, "RUN": EVENTS / "echo.events", "ABSENT": "/absent.pcap", "DIR": folder}
            for command in COMMANDS:
                arguments = [words.get(word, word.replace("\u00a0", " ").replace("DIR/", folder + "/")) for word in command.split(" ")]
                self.assert_chinese(command, self.said(*arguments))

    def test_what_is_read(self):
        with tempfile.TemporaryDirectory(prefix="tcpwhy-zh.") as folder:
            for name, data in files().items():
                path = pathlib.Path(folder) / name
                path.write_bytes(data)
                for line in self.said("read", path).splitlines():
                    self.assert_chinese(name, line.replace(str(path), ""))

    def test_what_an_ordinary_user_may_not(self):
        ordinary = self.ordinary()
        for arguments in (["watch"], ["demo", "--recorder", "bpf"], ["run", "--recorder", "bpf", "--", "true"], ["attach", str(os.getpid())], ["run", "-u", "root", "--", "true"]):
            for more in [[], ["-v"]][: 1 if arguments == ["watch"] else 2]:
                for line in self.said(*arguments[:1], *more, *arguments[1:], command=ordinary, cwd="/").splitlines():
                    self.assert_chinese(arguments, line)
        text = run("--lang", "zh", "run", "-v", "--", "true", command=ordinary, cwd="/").stderr
        self.assertIn("缺少 CAP_BPF 和 CAP_PERFMON", " ".join(text.split()))

    def test_expectations_that_are_not_met(self):
        with tempfile.TemporaryDirectory(prefix="tcpwhy-zh.") as folder:
            path = pathlib.Path(folder) / "x.scn"
            path.write_text("title t\n" + ACTS + UNMET)
            lines = self.said("demo", "--recorder", "none", path).splitlines()
            self.assertEqual(len(lines), UNMET.count("\n") + 1, lines)
            for line in lines:
                self.assert_chinese("unmet", line)

    def test_a_lesson_with_a_mistake_in_each_line(self):
        with tempfile.TemporaryDirectory(prefix="tcpwhy-zh.") as folder:
            path, said = pathlib.Path(folder) / "x.scn", []
            lines = LESSON.splitlines()
            for line in lines:
                path.write_text(f"title t\n{line}\n")
                mistakes = [said.split(": ", 1)[1] for said in self.said("demo", path).splitlines() if re.match(r"\S+:\d+:\d+: ", said)]
                self.assertTrue(mistakes, line)
                for mistake in mistakes:
                    self.assert_chinese(line, mistake)
            path.write_text("title t\n" + LESSON)
            self.assertIn("处错误", self.said("demo", path).splitlines()[-1])


if __name__ == "__main__":
    main()
