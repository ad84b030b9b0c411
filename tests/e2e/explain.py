"""`tcpwhy explain`: the pages, the list of them, words that are none."""

import re

from support import ROOT, Test, environment, main, run


class Explain(Test):
    def explained(self, *arguments, status=0, **options):
        result = run("explain", *arguments, **options)
        self.assertEqual(result.returncode, status, self.explain(result))
        return result

    def test_every_file_of_pages_is_listed_by_its_kind_with_its_sentence(self):
        text = self.explained().stdout
        for kind, title in (("findings", "Findings"), ("timers", "Timers"), ("states", "States"), ("evidence", "Evidence")):
            part = text[text.index(title + "\n") :].split("\n\n")[0]
            files = sorted(path.stem for path in (ROOT / "docs" / kind).glob("*.md"))
            self.assertEqual(re.findall(r"^  ([\w-]+)  ", part, re.M), files)
            flat = " ".join(part.split())
            for name in files:
                sentence = " ".join((ROOT / "docs" / kind / f"{name}.md").read_text().split("\n\n")[1].split())
                self.assertIn(f"{name} {sentence}", flat)

    def test_a_page_has_all_its_words_in_lines_that_fit(self):
        for columns in (60, 80, 200):
            text = self.explained("close-wait-leak", env=environment(COLUMNS=str(columns))).stdout
            self.assertLessEqual(max(map(len, text.splitlines())), min(columns, 100))
        raw = (ROOT / "docs" / "findings" / "close-wait-leak.md").read_text()
        self.assertEqual(text.split(), re.sub(r"```(sh)?|^#+", "", raw, flags=re.M).split())

    def test_each_page_can_be_read_and_several_at_once(self):
        names = [path.stem for kind in ("findings", "timers", "states", "evidence") for path in (ROOT / "docs" / kind).glob("*.md")]
        self.assertGreater(len(names), 100)
        text = self.explained(*names).stdout
        for name in names:
            self.assertIn(f"\n\n{name}\n" if name != names[0] else f"{name}\n", text)

    def test_a_state_is_found_however_it_is_written(self):
        self.assertEqual(self.explained("close-wait").stdout, self.explained("CLOSE_WAIT").stdout)
        self.assertNotEqual(self.explained("time-wait").stdout, self.explained("TIME_WAIT").stdout)

    def test_a_word_that_is_none_gets_the_nearest(self):
        result = self.explained("refusd", status=2)
        self.assertEqual(result.stdout, "")
        self.assertIn("did you mean 'refused'?", result.stderr)
        result = self.explained("refused", "xyzzy-plugh", status=2)
        self.assertEqual(result.stdout, "")
        self.assertIn("tcpwhy explain lists all", result.stderr)

    def test_evidence_is_found_by_the_words_of_the_ladder(self):
        for shown, name in (("kernel stack", "stack"), ("kernel context", "context"), ("call interval", "interval"), ("RFC rule", "rule")):
            self.assertEqual(self.explained(shown).stdout, self.explained(name).stdout)

    def test_colours_and_letters_are_as_asked_for(self):
        self.assertNotIn("\x1b", self.explained("refused").stdout)
        self.assertIn("\x1b[1m", self.explained("refused", "--color", "always").stdout)
        self.assertTrue(self.explained("--ascii").stdout.isascii())

    def test_every_finding_that_the_golden_stories_tell_has_its_page(self):
        told = set()
        for path in (ROOT / "tests" / "golden" / "expected").glob("*.out"):
            told |= set(re.findall(r'"type":"finding".*?"id":"([a-z0-9-]+)"', path.read_text(errors="replace")))
        self.assertGreater(len(told), 5)
        for name in told:
            self.assertIn("What to do", self.explained(name).stdout)


if __name__ == "__main__":
    main()
