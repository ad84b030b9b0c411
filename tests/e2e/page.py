"""The page (-o x.html): what is in the file. What it does in a browser is tested in tests/browser."""

import base64
import hashlib
import html.parser
import json
import pathlib
import re
import tempfile

from exports import EVENTS, NAMES, hostile
from support import ROOT, Test, main, run

CAPTURES = ROOT / "tests" / "golden" / "captures"


class Elements(html.parser.HTMLParser):
    """Which elements a browser would see, and what scripts and styles hold."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.blocks, self.open = set(), [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.open = (tag, dict(attrs)) if tag in ("script", "style") else None
        if self.open:
            self.blocks.append([*self.open, ""])

    def handle_endtag(self, tag):
        self.open = None

    def handle_data(self, data):
        if self.open:
            self.blocks[-1][2] += data


class Page(Test):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)

    def tearDown(self):
        self.temporary.cleanup()

    def page(self, *arguments, says="1 connection", before=False):
        path = self.folder / "x.html"
        result = run(arguments[0], "-o", path, *arguments[1:]) if before else run(*arguments, "-o", path)
        self.assertEqual(result.returncode, 0, self.explain(result))
        if says:  # run leaves the terminal to its command
            self.assertIn(f"wrote {path}: {says}", result.stderr)
        return path.read_text()

    def data(self, text):
        """{"stories": …, "run": …, "words": …}, of a page whose parts are what they should be."""
        elements = Elements(text)
        self.assertEqual(elements.tags & {"img", "iframe", "link", "object", "embed", "base"}, set())
        self.assertEqual([(tag, attrs.get("id")) for tag, attrs, _ in elements.blocks],
                         [("style", "sheet"), ("style", None), ("script", "stories"), ("script", "run"), ("script", "words"), ("script", None)])
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text).group(1)
        self.assertTrue(policy.startswith("default-src 'none'; script-src 'sha256-"))
        self.assertNotIn("unsafe", policy)
        for tag, attrs, content in elements.blocks:
            if attrs.get("type") != "application/json":
                self.assertIn(f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'", policy, tag)
        self.assertNotRegex(text, r"https?://(?!www\.w3\.org/)")
        return {attrs["id"]: json.loads(content) for _, attrs, content in elements.blocks if attrs.get("type") == "application/json"}

    def test_a_run_is_in_its_page_with_its_reasons(self):
        data = self.data(self.page("demo"))
        self.assertEqual(len(data["stories"]), 2)
        words = json.dumps(data["words"])
        for word in ("sent by connect(3) of echo-client: the active open", "kernel stack", "tcp_connect", "ESTABLISHED"):
            self.assertIn(word, words)
        self.assertFalse(data["run"]["lossy"])

    def test_a_command_has_a_page_too(self):
        script = ("import socket\ns = socket.create_server(('127.0.0.1', 0))\nc = socket.create_connection(s.getsockname())\na, _ = s.accept()\n"
                  "c.sendall(b'hello')\na.recv(9)\nc.close()\na.recv(9)\na.close()\n")
        data = self.data(self.page("run", "--", "python3", "-c", script, before=True, says=None))
        self.assertEqual(data["run"]["connections"], 1)
        self.assertIn("accept4", json.dumps(data["words"]))

    def test_all_connections_of_a_recording_are_in_it(self):
        data = self.data(self.page("read", EVENTS / "clients.events", says="3 connections"))
        self.assertEqual([row[0] for row in data["stories"][::2]], ["1", "2", "3"])
        self.assertEqual(data["run"]["connections"], 3)

    def test_two_captures_merged_say_how_their_clocks_were(self):
        data = self.data(self.page("read", "--merge", CAPTURES / "syn-lost-client.pcap", CAPTURES / "syn-lost-server.pcap"))
        self.assertIn("syn-lost-server.pcap", json.dumps([data["run"]["clocks"], data["words"]]))
        self.assertEqual(len(data["run"]["clocks"]), 1)

    def test_calls_without_a_packet_are_in_it(self):
        data = self.data(self.page("read", EVENTS / "calls-no-port-left.events"))
        self.assertEqual(len(data["run"]["apart"]), 2)
        self.assertIn("EADDRNOTAVAIL", json.dumps(data["words"]))

    def test_no_name_is_a_part_of_the_page(self):
        for i in range(len(NAMES)):
            path = self.folder / "hostile.events"
            path.write_text(hostile(i))
            text = self.page("read", path)
            self.assertNotRegex(text, r"[\x00-\x09\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
            self.data(text)

    def test_several_files_at_once(self):
        others = [self.folder / f"x{ending}" for ending in (".svg", ".jsonl", ".tsg.svg", ".txt")]
        self.data(self.page("read", EVENTS / "echo.events", *(word for path in others for word in ("-o", path))))
        for path in others:
            self.assertGreater(path.stat().st_size, 500, path)

    def test_brief_is_in_it(self):
        whole = self.data(self.page("read", EVENTS / "echo.events"))["stories"][1]
        brief = self.data(self.page("read", "--brief", EVENTS / "echo.events"))["stories"][1]
        self.assertLess(len(brief[8]), len(whole[8]))


if __name__ == "__main__":
    main()
