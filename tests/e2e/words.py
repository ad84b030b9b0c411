"""Words that no person should read: kernel numbers without a name, the same word twice in a row. Stored runs, no privilege."""

import json
import re

from support import ROOT, Test, environment, main, parse, run

EVENTS = sorted((ROOT / "tests" / "golden" / "events").glob("*.events"))
# A recv() of an open connection that returns RESULT.
CALL = """# tcpwhy events 1
trace t=1700000000000000000 recorder=bpf reason="asked for" ports=3333
vantage t=1700000000000000000 vantage=1 name=lo
packet t=1700000000000001000 vantage=1 src=127.0.0.1:40112 dst=127.0.0.1:3333 proto=tcp flags=S seq=7
packet t=1700000000000002000 vantage=1 src=127.0.0.1:3333 dst=127.0.0.1:40112 proto=tcp flags=S. seq=90 ack=8
packet t=1700000000000003000 vantage=1 src=127.0.0.1:40112 dst=127.0.0.1:3333 proto=tcp flags=. seq=8 ack=91
enter t=1700000000000004000 pid=10 tid=10 comm=reader name=NAME fd=3 how=-1 level=-1 args="3, 1 byte" sock.cookie=7 \
sock.proto=tcp sock.local=127.0.0.1:40112 sock.remote=127.0.0.1:3333
exit t=1700000000500004000 pid=10 tid=10 comm=reader name=NAME fd=3 how=-1 level=-1 sock.cookie=7 sock.proto=tcp \
sock.local=127.0.0.1:40112 sock.remote=127.0.0.1:3333 ret=RESULT slept=SLEPT
"""


class Results(Test):
    """What the kernel tells itself about an interrupted call is no result of it (include/linux/errno.h)."""

    def read(self, result, *arguments, name="recvfrom", slept=500000000):
        text = CALL.replace("RESULT", str(result)).replace("NAME", name).replace("SLEPT", str(slept))
        got = run("read", "-", *arguments, input=text, stdin=None)
        self.assertEqual(got.returncode, 0, self.explain(got))
        return got.stdout

    def words(self, *arguments, **options):
        """The ladder's text as one line, without the lanes."""
        return " ".join(word for word in self.read(*arguments, "--ascii", **options).split() if word != ":")

    def call(self, result, **options):
        lines = parse(self.read(result, "--format", "jsonl", **options))
        return next(line for line in lines if line["type"] == "call")

    def test_a_restart_is_told_as_the_signals_interruption_in_every_view(self):
        for result in (-512, -513, -514, -516):
            for name in ("recvfrom", "connect", "accept4", "poll", "write", "close"):
                for slept in (500000000, 0, -1):
                    with self.subTest(result=result, name=name, slept=slept):
                        for level in ([], ["-v"], ["-vv"]):
                            text = self.words(result, *level, name=name, slept=slept)
                            self.assertNotIn(str(-result), text)
                            self.assertEqual(text.count("interrupted by a signal"), 1, text)
                        call = self.call(result, name=name, slept=slept)
                        self.assertEqual((call["ret"], call["errno"], call["interrupted"]), (None, None, True))

    def test_other_errors_keep_their_name_or_say_that_they_have_none(self):
        for result, word in ((-4, "EINTR"), (-11, "EAGAIN"), (-104, "ECONNRESET"), (-515, "errno 515"), (-524, "errno 524")):
            self.assertRegex(self.words(result), rf"= -1 {word}\b")
            call = self.call(result)
            self.assertEqual((call["ret"], call["errno"], "interrupted" in call), (result, word, False))


class Doubled(Test):
    """Roles and names of processes meet in sentences, and scenarios call their processes by their roles."""

    def assert_no_word_twice(self, text, name):
        for match in re.finditer(r"\b([A-Za-z]{2,})\s+\1\b", re.sub(r"\s+", " ", text)):
            self.fail(f"{name}: '{match.group(0)}'")

    def test_no_sentence_of_a_stored_run_says_a_word_twice(self):
        seen = 0
        for path in EVENTS:
            for options in ([], ["-v"]):
                for columns in ("80", "120"):
                    with self.subTest(path=path.name, options=options, columns=columns):
                        result = run("read", path, "--ascii", *options, env=environment(COLUMNS=columns))
                        told = [line for line in result.stdout.splitlines() if re.match(r"(\S+ ?\S*| {10,}\S+) {2,}", line)]
                        seen += len(told)
                        for line in told:
                            self.assert_no_word_twice(line, line)
        self.assertGreater(seen, 1000)

    def test_no_sentence_of_the_event_lines_says_a_word_twice(self):
        for path in EVENTS:
            for line in run("read", path, "--format", "jsonl").stdout.splitlines():
                value = json.loads(line)
                for text in (value.get("text"), value.get("cause", {}).get("why"), (value.get("woken_by") or {}).get("why")):
                    self.assert_no_word_twice(text or "", path.name)


if __name__ == "__main__":
    main()
