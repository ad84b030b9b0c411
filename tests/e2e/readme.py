"""Every command of the README is run, in its order, in an empty folder, by a shell: a README that lies is a failing test."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

from support import Test, environment, main, program

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The README's "capture.pcapng", a capture that its reader has.
CAPTURE = ROOT / "tests/corpus/files/PcapPlusPlus/Tests/Pcap++Test/PcapExamples/pcapng-example.pcapng"
# "client.pcap" and "server.pcap": the same connection, captured at two hosts whose clocks differ.
TWO_HOSTS = ROOT / "tests/golden/captures"
# Run by script/test itself, of which this test is a part; and by e2e/claims, in its parts.
ELSEWHERE = ("script/demo", "script/test", "tcpwhy claims --all")


# What the README's reader has: a server at port 8000, and two programs of his own.
PROGRAMS = {
    "load-test": "for i in 1 2 3 4 5 6 7 8; do curl -s http://127.0.0.1:8000/ >/dev/null; done",
    "server": "test \"$DEBUG\" = 1 && curl -s http://127.0.0.1:8000/ >/dev/null",
}
ATTACHED = "timeout --preserve-status -s INT 4 "  # what a reader ends with ^C


def commands(readme="README.md"):
    inside = False
    for line in (ROOT / readme).read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            inside = line == "```sh"
        elif inside and line.strip():
            yield re.sub(r"\s+#.*$", "", line)


class Readme(Test):
    def serve(self, folder):
        server = subprocess.Popen(
            [sys.executable, "-m", "http.server", "8000", "--bind", "127.0.0.1"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        self.addCleanup(server.stderr.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        for _ in range(300):
            if subprocess.run(["curl", "-s", "http://127.0.0.1:8000/"], capture_output=True, check=False).returncode == 0:
                return server.pid
            time.sleep(0.1)
        self.fail("nothing serves port 8000")

    def lay_out(self, folder):
        shutil.copy(CAPTURE, folder / "capture.pcapng")
        for host in ("client", "server"):
            shutil.copy(TWO_HOSTS / f"syn-lost-{host}.pcap", folder / f"{host}.pcap")
        for name, text in PROGRAMS.items():
            (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
            (folder / name).chmod(0o755)
        folder.chmod(0o755)

    @staticmethod
    def as_run(command, pid):
        """The command with this machine's process and port, ended where its reader would press ^C."""
        if not command.startswith("tcpwhy attach"):
            return command
        return ATTACHED + command.replace("4711 4712", str(pid)).replace("--port 443", "--port 8000")

    def test_every_command_does_what_it_says(self):
        self.all_work("README.md")

    def test_every_command_of_the_chinese_one_does_too(self):
        """What is played as the other README plays it, and leaves no file, is not played again for its sentences: options.py has --lang everywhere."""
        played = re.compile(r"tcpwhy (demo|states|run|watch|claims \w|quiz (?!run\.events))(?!.* -o run)")
        english = set(commands())
        self.all_work("README.zh-CN.md", {c for c in commands("README.zh-CN.md") if played.match(c) and c.replace(" --lang zh", "") in english})

    def all_work(self, readme, without=()):
        found = list(commands(readme))
        self.assertGreater(len(found), 10)
        found = [command for command in found if command not in without]
        own = dict(environment(), PATH=f"{pathlib.Path(program()).parent}:{os.environ['PATH']}")
        with tempfile.TemporaryDirectory() as folder:
            self.lay_out(pathlib.Path(folder))
            pid = self.serve(folder)
            # One shell for all: a command may use what an earlier one wrote, or talk to one in the background.
            for command in found:
                if command in ELSEWHERE:
                    continue
                with self.subTest(command=command):
                    if command.endswith("&"):
                        background = subprocess.Popen(
                            command[:-1], shell=True, cwd=folder, env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
                        )
                        self.addCleanup(background.communicate, timeout=10)
                        self.assertIn("listening", background.stderr.readline())
                        continue
                    result = subprocess.run(
                        self.as_run(command, pid), shell=True, cwd=folder, env=own, capture_output=True, text=True, timeout=120, check=False
                    )
                    self.assertEqual(result.returncode, 0, f"{command}: {result.stderr}")
                    self.assertTrue(result.stdout or os.listdir(folder), f"{command} shows nothing")

    def test_every_picture_is_what_a_command_beside_it_makes(self):
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        pictures = re.findall(r"\]\(docs/([\w-]+\.svg)\)", text)
        self.assertGreater(len(pictures), 1)
        with tempfile.TemporaryDirectory() as folder:
            for name in pictures:
                makers = [command for command in commands() if command.endswith(f"-o {name}")]
                self.assertEqual(len(makers), 1, name)
                command = makers[0].replace("tcpwhy", program(), 1)
                result = subprocess.run(
                    command, shell=True, cwd=folder, env=environment(), capture_output=True, text=True, timeout=120, check=False
                )
                self.assertEqual(result.returncode, 0, f"{command}: {result.stderr}")
                made, kept = pathlib.Path(folder) / name, ROOT / "docs" / name
                self.assertEqual(self.words(made), self.words(kept), name)

    @staticmethod
    def words(path):
        """What a drawing says, without what differs from run to run: times, ports, processes, how packets fell together."""
        root = xml.etree.ElementTree.parse(path).getroot()
        texts = {"".join(e.itertext()) for e in root.iter("{http://www.w3.org/2000/svg}text")}
        title = root.find("{http://www.w3.org/2000/svg}title").text
        return title, sorted(t for t in texts if re.fullmatch(r"CLIENT|SERVER|[A-Z]+(_[A-Z0-9]+)+|CLOSED|LISTEN|ESTABLISHED|CLOSING", t))

    def test_the_links_lead_somewhere(self):
        for readme in ("README.md", "README.zh-CN.md"):
            text = (ROOT / readme).read_text(encoding="utf-8")
            targets = [t for t in re.findall(r"\]\(([^)#]+)", text) if "://" not in t]
            self.assertGreater(len(targets), 8)
            for target in targets:
                self.assertTrue((ROOT / target).exists(), target)


if __name__ == "__main__":
    main()
