"""docs/course: every command of every lesson is run in an empty folder, and what a lesson says is seen is there."""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import tempfile

from support import ROOT, Test, environment, main, program

COURSE = ROOT / "docs/course"
ENGLISH = sorted(path for path in COURSE.glob("[0-9][0-9]-*.md") if ".zh-CN" not in path.name)
CHINESE = sorted(COURSE.glob("[0-9][0-9]-*.zh-CN.md"))
LESSONS = ENGLISH + CHINESE
AT_A_TIME = 4
FENCE = re.compile(r"^( *)```(sh|text)\n(.*?)^\1```$", re.S | re.M)


def blocks(lesson):
    """(language, lines) of each fenced block, in order."""
    for match in FENCE.finditer(lesson.read_text(encoding="utf-8")):
        yield match[2], [line.strip() for line in match[3].splitlines() if line.strip()]


def squeezed(text):
    return re.sub(r"[\s┊│↳─►◄╌]+", " ", text)


class Course(Test):
    def run_command(self, command, folder):
        own = dict(environment(), PATH=f"{pathlib.Path(program()).parent}:{os.environ['PATH']}")
        before = set(os.listdir(folder))
        done = subprocess.run(
            command, shell=True, cwd=folder, env=own, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL
        )
        what = f"{command}\n{self.explain(done)}"
        if re.match(r"tcpwhy quiz(?!.*(--export|-o ))", command):
            # Nobody answers: each question was asked, and none is right.
            wanted = int(re.search(r"-n (\d+)|$", command)[1] or 10)
            mark = re.fullmatch(r"0 of (\d+)", done.stdout.splitlines()[-1] if done.stdout else "")
            self.assertTrue(mark, what)
            self.assertEqual(done.returncode, 1, what)
            self.assertIn(int(mark[1]), range(1, wanted + 1), what)
            return done.stdout
        self.assertEqual(done.returncode, 0, what)
        self.assertTrue(done.stdout or set(os.listdir(folder)) - before, what)
        return done.stdout

    def check(self, lesson):
        """The lesson's commands in their order, and what is seen of them."""
        shown = ""
        with tempfile.TemporaryDirectory() as folder:
            for language, lines in blocks(lesson):
                if language == "sh":
                    shown = "".join(self.run_command(line, folder) for line in lines)
                    continue
                for line in lines:
                    self.assertIn(squeezed(line).strip(), squeezed(shown), lesson.name)

    def test_each_lesson_shows_what_it_says(self):
        """A few beside each other: they wait for the kernel more than they work."""
        with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
            for lesson, done in [(lesson, pool.submit(self.check, lesson)) for lesson in ENGLISH]:
                with self.subTest(lesson=lesson.stem):
                    done.result()

    def test_each_lesson_has_its_parts(self):
        self.assertEqual([lesson.name[:2] for lesson in ENGLISH], [f"{n:02}" for n in range(1, 9)])
        for lesson in LESSONS:
            commands = [line for language, lines in blocks(lesson) if language == "sh" for line in lines]
            self.assertEqual(sum("tcpwhy quiz" in command for command in commands), 3, lesson.name)
            self.assertGreaterEqual(sum(bool(re.search(r"-o \S+\.html$", command)) for command in commands), 1, lesson.name)
            self.assertTrue(any(language == "text" for language, _ in blocks(lesson)), lesson.name)

    def test_the_chinese_lessons_run_the_same(self):
        self.assertEqual([lesson.name.replace(".zh-CN", "") for lesson in CHINESE], [lesson.name for lesson in ENGLISH])
        for english, chinese in zip(ENGLISH, CHINESE):
            self.assertEqual(list(blocks(english)), list(blocks(chinese)), chinese.name)
            headings = [len(re.findall(r"^#+ ", lesson.read_text(encoding="utf-8"), re.M)) for lesson in (english, chinese)]
            self.assertEqual(headings[0], headings[1], chinese.name)
            self.assertRegex(chinese.read_text(encoding="utf-8"), r"[\u4e00-\u9fff]{4}")

    def test_what_they_name_is_there(self):
        scenarios = {path.stem for path in (ROOT / "scenarios").glob("*.scn")}
        for lesson in LESSONS:
            further = re.search(r"^(?:Further: |延伸：)(.*?)\n\Z", lesson.read_text(encoding="utf-8"), re.M | re.S)[1]
            named = set(re.findall(r"`([^`]+)`", further))
            self.assertTrue(named and named <= scenarios, (lesson.name, named - scenarios))
        for page in COURSE.glob("*.md"):
            for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
                self.assertTrue("://" in target or (COURSE / target).exists(), f"{page.name}: {target}")


if __name__ == "__main__":
    main()
