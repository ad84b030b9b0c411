"""tcpwhy quiz: papers from stories. Every right answer is found again in the event lines, by other means than the program's."""

import base64
import concurrent.futures
import hashlib
import html
import json
import pathlib
import re
import subprocess
import tempfile

from support import ROOT, Test, environment, main, program, run

EVENTS = sorted((ROOT / "tests" / "golden" / "events").glob("*.events"))
ECHO, HOSTILE = ROOT / "tests/golden/events/echo.events", ROOT / "tests/golden/events/hostile.events"
CAPTURE = ROOT / "tests/golden/captures/syn-lost-client.pcap"
SHOWN = ("stack", "context")
FLAGS = {"S": "SYN", ".": "ACK", "F": "FIN", "R": "RST"}
KINDS = {"a SYN": "SYN", "a SYN-ACK": "SYN-ACK", "an ACK alone": "ACK", "data": "data", "a FIN": "FIN", "a RST": "RST"}


def paper(source, *options):
    result = run("quiz", source, "--export", "jsonl", *options)
    assert result.returncode in (0, 1), result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


class Lines:
    """The event lines of one connection."""

    def __init__(self, lines, conn):
        self.lines = [line for line in lines if str(line.get("conn")) == conn]

    def one(self, kind, number):
        return next(line for line in self.lines if line["type"] == kind and line[kind] == number)

    def all(self, kind):
        return [line for line in self.lines if line["type"] == kind]


def name_of(call):
    return f"{call['name']}({call['fd']})" if call["fd"] is not None else f"{call['name']}()"


def is_cause(story, sent, words):
    """Whether these words say what made `sent` leave."""
    cause, end = sent["cause"], sent["end"]
    if " call " in words:
        who, name = re.fullmatch(r"the (\w+)'s call (.*)", words).groups()
        if cause["kind"] != "call":
            return False
        call = story.one("call", cause["call"])
        return (call["end"], name_of(call)) == (who, name)
    if "by itself" in words:
        who, number = re.fullmatch(r"the (\w+)'s kernel by itself, because #(\d+) .* came", words).groups()
        return (cause["kind"], cause.get("segment"), end) == ("segment", int(number), who)
    if words.startswith("a timer"):
        who, name = re.fullmatch(r"a timer of the (\w+)'s kernel: (.*)", words).groups()
        return (cause["kind"], cause.get("name"), end) == ("timer", name, who)
    assert words == f"the end of the {end}'s process: it calls nothing", words
    return cause["kind"] == "exit"


def is_result(call, words):
    if words.startswith("-1"):
        return call["errno"] == words.rsplit(" ", 1)[1]
    return call["errno"] is None and call["ret"] == int(re.match(r"\d+", words).group())


def is_wait(call, words):
    woken = call["woken_by"]
    if words.startswith("#"):
        return (woken["kind"], woken.get("segment")) == ("segment", int(re.match(r"#(\d+) ", words).group(1)))
    return woken["kind"] == {"nothing: it never slept": "never-slept", "its timeout": "timer", "a signal": "signal"}[words]


def behind(segment):
    return segment["seq"] + segment["len"] + ("S" in segment["flags"]) + ("F" in segment["flags"])


class Truth(Test):
    """Of all stored runs every question that a long paper asks, and papers of twelve (which alone ask for the next segment: the others'
    ladders show it): each has one right answer, and the event lines say so too."""

    PAPERS = [(seed, 99) for seed in range(1, 5)] + [(seed, 12) for seed in range(1, 9)]

    def judge(self, story, question):
        """For each choice whether it is right; or the right number."""
        field, choices = question["field"], question["choices"]
        if field in ("cause", "flags", "seq", "ack", "next"):
            sent = story.one(question["kind"], question["which"])
            self.assertEqual(sent["end"], question["end"])
        if field == "cause":
            self.assertEqual(sent["cause"]["evidence"], "stack")
            return [is_cause(story, sent, words) for words in choices]
        if field == "flags":
            carried = {FLAGS[letter] for letter in sent["flags"] if letter in FLAGS}
            return [set(words.split(" and ")) == carried for words in choices]
        if field in ("seq", "ack"):
            self.assertEqual(choices, [])
            self.assertIsNotNone(sent[field])
            side = sent["end"] if field == "seq" else {"client": "server", "server": "client"}[sent["end"]]
            before = [behind(s) for s in story.all("segment") if s["segment"] < sent["segment"] and s["end"] == side and "R" not in s["flags"]]
            self.assertIn(sent[field], [0, *before] if field == "seq" else before)
            return sent[field]
        if field == "next":
            then = story.one("segment", question["which"] + 1)
            return [words == f"the {then['end']}: {kind}" for words in choices for kind in KINDS if KINDS[kind] == then["label"]]
        if field == "state":
            number, end = int(re.search(r"#(\d+)", question["prompt"]).group(1)), question["end"]
            self.assertIn(f"the {end} ", question["prompt"])
            segment = story.one("segment", number)
            if "arrived" in question["prompt"]:
                self.assertNotEqual(segment["end"], end)
                states = [s for s in story.all("state") if s["source"] == "segments" and s["end"] == end and s["cause"].get("segment") == number]
            else:
                self.assertEqual(segment["end"], end)
                by = (None, number, segment["cause"].get("segment"))  # what had come before, and was taken behind it, comes at the same time
                states = [s for s in story.all("state") if s["source"] == "segments" and s["end"] == end and s["t"] == segment["sent"] and s["cause"].get("segment") in by]
            self.assertIn(question["answer"], [s["to"] for s in states])
            last = [s for s in states if s["t"] == next(s for s in states if s["to"] == question["answer"])["t"]][-1]
            return [words == last["to"] for words in choices]
        call = story.one("call", question["which"])
        self.assertEqual(call["end"], question["end"])
        if field == "returns":
            return [is_result(call, words) for words in choices]
        self.assertIn(call["woken_by"]["evidence"], ("stack",) if call["woken_by"]["kind"] == "segment" else SHOWN)
        return [is_wait(call, words) for words in choices]

    def check(self, path):
        lines = [json.loads(line) for line in run("read", path, "--format", "jsonl").stdout.splitlines()]
        stories, fields = {}, set()
        for seed, count in self.PAPERS:
            for question in paper(path, "--seed", seed, "-n", count):
                where = f"{path.name} seed {seed}: {question['prompt']} {question['choices']}"
                story = stories.setdefault(question["conn"], Lines(lines, question["conn"]))
                right = self.judge(story, question)
                if question["choices"]:
                    self.assertEqual(len(set(question["choices"])), len(question["choices"]), where)
                    self.assertEqual([i for i, good in enumerate(right) if good], [question["right"]], where)
                    self.assertEqual(question["choices"][question["right"]], question["answer"], where)
                else:
                    self.assertEqual((right, str(right)), (question["number"], question["answer"]), where)
                self.assertTrue(question["reference"] and question["evidence"] and question["why"], where)
                self.assertNotIn(question["evidence"], ("RFC rule",) if question["field"] != "state" else (), where)
                fields.add(question["field"])
        return fields

    def test_every_answer_of_every_stored_run_is_right_and_alone(self):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            fields = set().union(*pool.map(self.check, EVENTS))
        self.assertEqual(fields, {"cause", "state", "flags", "seq", "ack", "returns", "next", "wake"})

    def test_without_the_kernels_word_no_cause_is_asked(self):
        for source in (ROOT / "tests/golden/events/echo-ptrace.events", ROOT / "tests/golden/events/echo-none.events", CAPTURE):
            fields = {question["field"] for seed in range(9) for question in paper(source, "--seed", seed, "-n", 99)}
            self.assertTrue(fields)
            self.assertFalse(fields & {"cause", "wake"}, source)
        nothing = run("quiz", CAPTURE, "--hide", "cause")
        self.assertEqual((nothing.returncode, nothing.stdout), (1, ""))
        self.assertIn("beyond doubt: causes and waits are asked of what root recorded", nothing.stderr)


class Asking(Test):
    def answer(self, answers, *options, source=ECHO):
        return run("quiz", source, "--seed", 4, *options, stdin=None, input="".join(f"{a}\n" for a in answers))

    def right_answers(self, *options, source=ECHO):
        return [q["answer"] if q["number"] is not None else "abcd"[q["right"]] for q in paper(source, "--seed", 4, *options)]

    def test_the_mark_is_the_last_line_and_the_status(self):
        right = self.right_answers()
        self.assertEqual(len(right), 10)
        full = self.answer(right)
        self.assertEqual((full.returncode, full.stdout.splitlines()[-1]), (0, "10 of 10"), self.explain(full))
        self.assertEqual(full.stderr, "")
        wrong = [chr(ord("a") + ord(right[0]) % 2) if right[0] in "abcd" else "7"]
        some = self.answer([*wrong, *right[1:]])
        self.assertEqual((some.returncode, some.stdout.splitlines()[-1]), (1, "9 of 10"))
        self.assertEqual(some.stdout.count("Wrong: it is"), 1)
        ended = self.answer([*right[:3], "q"])
        self.assertEqual((ended.returncode, ended.stdout.splitlines()[-2:]), (1, ["7 not answered.", "3 of 10"]))
        none = self.answer([])
        self.assertEqual((none.returncode, none.stdout.splitlines()[-1]), (1, "0 of 10"))

    def test_a_slip_of_the_finger_is_no_answer_and_costs_nothing(self):
        right = self.right_answers()
        slips = self.answer(["", "xyzzy", "-1", *right])
        self.assertEqual((slips.returncode, slips.stdout.splitlines()[-1]), (0, "10 of 10"), self.explain(slips))
        self.assertEqual(slips.stdout.count("q ends.\n"), 3)
        self.assertEqual(slips.stdout.count("Question 1 of 10"), 1)

    def test_words_count_as_letters_do(self):
        words = [question["answer"] for question in paper(ECHO, "--seed", 4)]
        self.assertEqual(self.answer([f" {word.upper()} " for word in words]).returncode, 0)

    def test_feedback_cites_section_and_evidence(self):
        out = self.answer([]).stdout + self.answer(self.right_answers()).stdout
        self.assertEqual(len(re.findall(r"Right\. ", out)), 10)
        plain = re.sub(r"\s+", " ", out)
        self.assertGreaterEqual(len(re.findall(r"RFC 9293 section [\d.]+\d[;.]", plain)), 9)
        self.assertEqual(plain.count("Evidence: "), 10)
        self.assertIn("____", out)

    def test_the_answer_does_not_stand_in_the_ladder(self):
        for seed in range(1, 30):
            for question in paper(ECHO, "--seed", seed):
                last = question["ladder"].splitlines()
                if question["field"] in ("cause", "flags", "seq", "ack", "returns", "wake", "state"):
                    self.assertIn("____", question["ladder"], question)
                if question["field"] == "cause":
                    self.assertNotIn("kernel stack", question["ladder"])
                if question["field"] == "flags":
                    row = next(line for line in last if f"#{question['which']} " in line)
                    self.assertRegex(row, rf"#{question['which']} ____ ")

    def test_same_seed_same_paper_and_another_seed_another(self):
        one, same, other = (run("quiz", ECHO, "--seed", seed, "--export", "sheet").stdout for seed in (1, 1, 2))
        self.assertEqual(one, same)
        self.assertNotEqual(one, other)

    def test_a_run_that_was_kept_gives_the_paper_that_it_gave_when_played(self):
        with tempfile.TemporaryDirectory() as folder:
            kept, sheet = pathlib.Path(folder) / "run.events", pathlib.Path(folder) / "played.txt"
            played = run("quiz", "late-accept", "--seed", 5, "-o", kept, "-o", sheet, "--export", "gift")
            self.assertEqual(played.returncode, 0, self.explain(played))
            for name, text in (("gift", played.stdout), ("sheet", sheet.read_text())):
                stored = run("quiz", kept, "--seed", 5, "--export", name)
                self.assertEqual((stored.returncode, stored.stdout), (0, text), self.explain(stored))
            self.assertIn("accept(4)", sheet.read_text())

    def test_an_ordinary_user_is_asked_too(self):
        result = run("quiz", "refused", "--export", "jsonl", command=self.ordinary(), cwd="/")
        self.assertEqual(result.returncode, 0, self.explain(result))
        self.assertTrue(all(json.loads(line)["field"] not in ("cause", "wake") for line in result.stdout.splitlines()))

    def test_hide_chooses_the_fields(self):
        for fields in ("seq", "flags,state", "next", "returns", "wake", "ack", "cause"):
            asked = {question["field"] for question in paper(ECHO, "--hide", fields, "-n", 50)}
            self.assertEqual(asked, set(fields.split(",")))

    def test_a_capture_and_one_connection_of_it(self):
        many = ROOT / "tests/golden/events/clients.events"
        self.assertGreater(len({question["conn"] for question in paper(many, "-n", 60)}), 1)
        self.assertEqual({question["conn"] for question in paper(CAPTURE, "--conn", "1")}, {"1"})
        self.assertEqual({question["conn"] for question in paper(many, "--conn", "2", "-n", 60)}, {"2"})
        for arguments, words in (
            (("refused", "--conn", "1"), "--conn"),
            ((ECHO, "--recorder", "bpf"), "--recorder"),
            ((ECHO, "-o", "x.events"), "stored already"),
            ((ECHO, "-o", "x.doc"), ".gift"),
            ((ECHO, "--hide", "ip"), "'ip'"),
            ((ECHO, "--export", "pdf"), "sheet, gift, html"),
            (("-",), "standard input"),
            ((), "late-accept"),
            ((ECHO, ECHO), "one run"),
            (("refusd",), "refused"),
        ):
            result = run("quiz", *arguments)
            self.assertEqual((result.returncode, result.stdout), (2, ""), self.explain(result))
            self.assertIn(words, result.stderr)
            self.assertEqual(result.stderr.count("\n"), 1)

    def test_a_scenarios_name_is_no_file_of_that_name(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "refused").write_bytes(ECHO.read_bytes())
            played = run("quiz", "refused", "--hide", "returns", "--export", "jsonl", cwd=folder)
            stored = run("quiz", "./refused", "--hide", "returns", "--export", "jsonl", cwd=folder)
            self.assertIn("ECONNREFUSED", json.loads(played.stdout.splitlines()[0])["answer"])
            self.assertNotEqual(played.stdout, stored.stdout)

    def test_standard_input_can_hold_the_run_of_an_export(self):
        with open(ECHO, encoding="utf-8") as handle:
            piped = run("quiz", "-", "--seed", 1, "--export", "sheet", stdin=handle)
        self.assertEqual(piped.stdout, run("quiz", ECHO, "--seed", 1, "--export", "sheet").stdout)


class Exports(Test):
    def test_a_sheet_has_its_key_at_the_end_and_80_columns(self):
        sheet = run("quiz", ECHO, "--seed", 2, "--export", "sheet").stdout
        questions, key = sheet.split("cut here: the key")
        self.assertEqual(len(re.findall(r"^ ?\d+\. ", questions, re.M)), 10)
        self.assertEqual(len(re.findall(r"^ ?\d+\. ", key, re.M)), 10)
        self.assertNotIn("Evidence", questions)
        self.assertLessEqual(max(map(len, sheet.splitlines())), 80)
        for question, line in zip(paper(ECHO, "--seed", 2), re.findall(r"^ ?\d+\. (.*)", key, re.M)):
            wanted = question["answer"] if question["number"] is not None else f"{'abcd'[question['right']]}) "
            self.assertTrue(line.startswith(wanted), (wanted, line))

    def test_names_from_outside_do_no_harm(self):
        for name in ("sheet", "gift", "html", "jsonl"):
            for seed in range(1, 6):
                result = run("quiz", HOSTILE, "--seed", seed, "-n", 40, "--export", name)
                self.assertEqual(result.returncode, 0, self.explain(result))
                self.assertIsNone(re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", result.stdout), name)
                if name == "html":
                    body = re.sub(r"<style>.*?</style>|<script>.*?</script>", "", result.stdout, flags=re.S)
                    tags = set(re.findall(r"<(\w+)", body))
                    self.assertLessEqual(tags, set("html head meta title body main h1 p form fieldset legend pre label input button span details summary strong output".split()))
        asked = run("quiz", HOSTILE, "--seed", 1, "-n", 40)
        self.assertNotIn("\x1b", asked.stdout)

    def test_another_parser_finds_the_whole_paper_in_gift(self):
        for source in (ECHO, HOSTILE, ROOT / "tests/golden/events/refused.events", CAPTURE):
            for seed in range(1, 5):
                gift = run("quiz", source, "--seed", seed, "-n", 30, "--export", "gift").stdout
                parsed = subprocess.run(
                    ["node", ROOT / "tests/exports/read_gift.js"], input=gift, capture_output=True, text=True, timeout=60, check=False
                )
                self.assertEqual(parsed.returncode, 0, parsed.stderr + gift)
                found, questions = json.loads(parsed.stdout), paper(source, "--seed", seed, "-n", 30)
                self.assertEqual(len(found), len(questions))
                for one, question in zip(found, questions):
                    self.assertEqual(
                        html.unescape(one["stem"]), f"<pre>{question['ladder']}</pre><p>{question['prompt']}</p>", question
                    )
                    self.assertEqual(
                        html.unescape(one["feedback"]), f"{question['why']} {question['reference']}. Evidence: {question['evidence']}."
                    )
                    if not question["choices"]:
                        self.assertEqual(one["type"], "Numerical")
                        self.assertEqual(one["choices"]["number"], question["number"])
                        continue
                    self.assertEqual(one["type"], "MC")
                    self.assertEqual([html.unescape(choice["text"]) for choice in one["choices"]], question["choices"])
                    self.assertEqual([i for i, choice in enumerate(one["choices"]) if choice["right"]], [question["right"]])

    def test_the_page_allows_its_own_script_and_style_alone(self):
        page = run("quiz", ECHO, "--seed", 1, "--export", "html").stdout
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1)
        self.assertIn("default-src 'none'", policy)
        for tag, directive in (("style", "style-src"), ("script", "script-src")):
            text = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.S).group(1)
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            self.assertIn(f"{directive} 'sha256-{digest}'", policy)
        self.assertNotRegex(page, r"\b(src|href|url)\s*[=(]|https?:")
        self.assertIn('<html lang="en">', page)

    def test_ascii_is_ascii(self):
        for name in ("sheet", "gift", "html"):
            self.assertTrue(run("quiz", ECHO, "--ascii", "--export", name).stdout.isascii(), name)


if __name__ == "__main__":
    main()
