"""tcpwhy claims: each verdict is what a run shows. All are played beside each other, and with each run claims are judged that say something
else, and must be refused; some are played once more, changed so that they show something else."""

import json
import pathlib
import re
import tempfile
import time

from support import ROOT, Test, main, run, schema

SCENARIOS = ROOT / "scenarios"
CLAIM = re.compile(r"^claim ", re.M)
TURNED = 500  # from here on the numbers of claims that a test makes: the catalogue's are lower


def claims_of(path):
    """The text before the claims, and each claim: its line, and its expectations."""
    head, *rest = CLAIM.split(path.read_text(encoding="utf-8"))
    claims = []
    for text in rest:
        lines = text.splitlines()
        claims.append((lines[0], [line for line in lines if line.startswith("expect ")]))
    return head, claims


def opposite(expectation):
    """An expectation that is not met where this one is."""
    for pattern, by in (
        (r"^expect (\d+) ", lambda m: f"expect {int(m[1]) + 1} "),
        (r"connections (\d+)$", lambda m: f"connections {int(m[1]) + 1}"),
        (r"returns (\d+)$", lambda m: f"returns {int(m[1]) + 1}"),
        (r"^expect no finding ", "expect finding "),
        (r"^expect finding ", "expect no finding "),
        (r"(states .*) \w+$", r"\1 LISTEN"),
        (r"succeeds$", "fails with EPERM"),
        (r"fails with \w+$", "succeeds"),
        (r" lost\b", " arrives"),
        (r" arrives\b", " lost"),
        (r"woken by .*", "woken by signal"),
        (r"never slept", "woken by signal"),
        (r"^(expect cause of [^:]*): (?:call|segment|timer|exit|kernel)\b.*?( in connection \d+)?$", lambda m: f"{m[1]}: unknown{m[2] or ''}"),
        (r"icmp [\w-]+", "icmp net-unreachable"),
    ):
        changed = re.sub(pattern, by, expectation)
        if changed != expectation:
            return changed
    raise AssertionError(f"no opposite of '{expectation}' is known")


def tried(words, tries=3):
    """What is shown of one claim by itself, where it wasn't beside the others: a busy machine may let a timer run out."""
    for _ in range(tries):
        _, rows = table(words)
        if rows[0]["result"] == "shown":
            break
    return rows[0]


def table(*arguments):
    result = run("claims", "--all", "--format", "jsonl", *arguments, timeout=200)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    return result, rows


class Claims(Test):
    """All scenarios that make claims, played once, beside each other: each with its own claims, and behind them for each expectation of each
    a claim that expects the opposite in its place."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.made, cls.turned = [], {}  # (scenario, number) as they stand; and of those turned what they expect
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for path in sorted(SCENARIOS.glob("*.scn")):
                _, claims = claims_of(path)
                if not claims:
                    continue
                text, number = path.read_text(encoding="utf-8") + "\n", TURNED
                for line, expectations in claims:
                    own, words = line.split(" ", 1)
                    cls.made.append((path.stem, int(own)))
                    for spoilt in range(len(expectations)):
                        number += 1
                        cls.turned[(path.stem, number)] = opposite(expectations[spoilt])
                        changed = [opposite(e) if i == spoilt else e for i, e in enumerate(expectations)]
                        text += "\n".join([f"claim {number} {words}", *changed, ""])
                file = pathlib.Path(folder) / path.name
                file.write_text(text, encoding="utf-8")
                files.append(file)
            begun = time.monotonic()
            cls.result, cls.rows = table(*files)
            cls.took = time.monotonic() - begun
        cls.found = {(pathlib.Path(row["scenario"]).stem, row["number"]): row for row in cls.rows}

    def test_all_are_judged_in_less_than_two_minutes(self):
        self.assertEqual(self.result.returncode, 1, self.explain(self.result))
        self.assertIn("not shown this time", self.result.stderr)
        self.assertLess(self.took, 120)
        self.assertEqual(len(self.rows), len(self.found))
        self.assertEqual(set(self.found), {*self.made, *self.turned})

    def test_all_are_shown_each_on_one_screen(self):
        rows = [self.found[key] for key in self.made]
        rows = [row if row["result"] == "shown" else tried(row["number"]) for row in rows]
        self.assertGreaterEqual(len(rows), 27)
        self.assertEqual(sorted(row["number"] for row in rows), list(range(1, len(rows) + 1)))
        self.assertEqual({row["verdict"] for row in rows}, {"wrong", "half", "right"})
        for row in rows:
            with self.subTest(claim=row["number"]):
                self.assertEqual((row["result"], row["message"]), ("shown", None), row)
                self.assertEqual([error.message for error in schema().iter_errors(row)], [])
                self.assertLessEqual(row["rows"], 22)
                self.assertGreaterEqual(row["rows"], 6)
                self.assertLessEqual(row["columns"], 80)
                self.assertRegex(row["zh"], "[\u4e00-\u9fff]")
                self.assertRegex(row["because_zh"], "[\u4e00-\u9fff]")
                self.assertTrue(row["because"].endswith(".") or row["because"].endswith(")"), row["because"])

    def test_a_claim_whose_run_shows_something_else_is_refused(self):
        self.assertGreater(len(self.turned), 60)
        for key, expectation in self.turned.items():
            with self.subTest(claim=key):
                self.assertEqual(self.found[key]["result"], "not shown", self.found[key])
                self.assertIn(f"'{expectation}' is not met", self.found[key]["message"])

    def test_without_a_word_all_of_the_catalogue_are_played(self):
        """Without a recorder, which is where the time goes: what they show then is another matter."""
        _, rows = table("--recorder", "none")
        self.assertEqual([row["number"] for row in rows], sorted(number for _, number in self.made))

    def test_a_scenario_that_plays_something_else_does_not_show_it(self):
        """The steps are changed, the claim stands as it was."""
        changes = (
            ("late-accept", "server listen 3333\n", "server listen 3333\nserver accept &\n", ("server accept\n", "server done\n"), 1),
            ("accept-queue-full", "listen 3333 backlog 0", "listen 3333 backlog 8", None, 3),
            ("killed", "kill client SIGKILL", "client set SO_LINGER 0\nclient close", None, 9),
            ("udp-lost", "wire drop datagram 1 from client\n", "", None, 26),
            ("reset-unread-data", "client poll read", "client recv", None, 29),
            ("handshake-ack-by-data", "wait 100ms", "wait 1500ms", None, 20),
        )
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for name, old, new, more, _ in changes:
                text = (SCENARIOS / f"{name}.scn").read_text(encoding="utf-8")
                self.assertIn(old, text)
                text = text.replace(old, new, 1)
                if more:
                    self.assertIn(more[0], text)
                    head, tail = text.split(new, 1)
                    text = head + new + tail.replace(more[0], more[1], 1)
                files.append(pathlib.Path(folder) / f"{name}.scn")
                files[-1].write_text(text, encoding="utf-8")
            _, rows = table(*files)
            results = {row["number"]: row for row in rows}
            for name, *_, number in changes:
                with self.subTest(scenario=name):
                    self.assertEqual(results[number]["result"], "not shown", results[number])


class Words(Test):
    def test_the_list_has_a_line_a_claim(self):
        result = run("claims")
        lines = result.stdout.splitlines()
        self.assertEqual((result.returncode, result.stderr), (0, ""), self.explain(result))
        self.assertGreaterEqual(len(lines), 27)
        for number, line in enumerate(lines, 1):
            self.assertRegex(line, rf"^ *{number}  (wrong|half |right)  [\w-]+ +\S")
        listed = [json.loads(line) for line in run("claims", "--format", "jsonl").stdout.splitlines()]
        self.assertEqual(len(listed), len(lines))

    def test_one_is_played_by_number_by_scenario_and_by_word(self):
        for word in ("32", "without listen()", "refused"):
            result = run("claims", word)
            self.assertEqual(result.returncode, 0, self.explain(result))
            lines = result.stdout.splitlines()
            self.assertEqual(lines[:2], ["claim 32: without listen() the answer to a SYN is a RST", "Right: this run shows it, at ◀"])
            self.assertTrue(any("RST" in line and line.endswith("◀") for line in lines), result.stdout)
            self.assertIn("The kernel sends it by itself, and connect() says ECONNREFUSED.", lines)
            self.assertLessEqual(len(lines), 22)
        chinese = run("claims", "没有 listen")
        self.assertIn("claim 32:", chinese.stdout)
        several = run("claims", "closed-port", "UDP")
        self.assertEqual(several.returncode, 2, self.explain(several))
        ascii_only = run("claims", "32", "--ascii")
        self.assertTrue(ascii_only.stdout.isascii())
        self.assertTrue(any("RST" in line and line.endswith("<") for line in ascii_only.stdout.splitlines()), ascii_only.stdout)

    def test_what_is_not_shown_says_so_and_fails(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "mine.scn"
            path.write_text(
                'title mine\nclient connect server:3333\nclaim wrong "nobody refuses"\nexpect client connect succeeds\n', encoding="utf-8"
            )
            result = run("claims", path)
            self.assertEqual(result.returncode, 1, self.explain(result))
            self.assertEqual(result.stdout.splitlines()[:2], ["claim: nobody refuses", "Not shown this time:"])
            self.assertIn("connect failed with ECONNREFUSED", result.stdout)
            self.assertIn("not shown this time", result.stderr)
            path.write_text("title none\nwait 1ms\n", encoding="utf-8")
            self.assertIn("makes no claim", run("claims", path).stderr)

    def test_a_claim_that_is_not_there_is_said_to_be_missing(self):
        for word in ("999", "no-such-word"):
            result = run("claims", word)
            self.assertEqual((result.returncode, result.stdout), (2, ""), self.explain(result))
            self.assertIn(word, result.stderr)
            self.assertIn("tcpwhy claims", result.stderr)
            self.assertEqual(result.stderr.count("\n"), 1)


if __name__ == "__main__":
    main()
