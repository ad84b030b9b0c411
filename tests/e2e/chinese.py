"""Chinese: what people read is in it, what programs read is not; aligned; without any locale installed.

TCPWHY_REGENERATE=1 writes tests/golden/zh anew: read the difference before you commit it."""

import os
import pathlib
import re
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


if __name__ == "__main__":
    main()
