"""tcpwhy states: figure 5, by stored runs (no privilege needed) and by scenarios played for it."""

import os
import re
import tempfile

from support import ROOT, OrdinaryUser, Test, main, run

EVENTS = ROOT / "tests" / "golden" / "events"


def numbers(output):
    """The numbers of the arrows that the legend says were seen."""
    part = output.split("Seen:", 1)[1].split("\n\n", 1)[0] if "Seen:" in output else ""
    return [int(found) for found in re.findall(r"^ ?(\d+)  [A-Z]", part, re.MULTILINE)]


class Stored(Test):
    def test_it_ends_with_the_figure_and_its_lists_are_for_who_asks(self):
        plain, told = run("states", "--dry", EVENTS / "echo.events"), run("states", "--dry", "-v", EVENTS / "echo.events")
        self.assertLessEqual(len(plain.stdout.splitlines()), 40)
        self.assertEqual(numbers(plain.stdout), [])
        self.assertTrue(told.stdout.endswith("\n\n" + plain.stdout))
        refused = run("states", "--dry", "-v", "-o", "x.svg")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("--verbose", refused.stderr)

    def test_without_anything_it_draws_the_figure_and_what_linux_cannot_take(self):
        result = run("states", "-v", "--dry")
        self.assertEqual((result.returncode, result.stderr), (0, ""), self.explain(result))
        for number in range(1, 21):
            self.assertRegex(result.stdout, rf" {number} [A-Za-z]")
        self.assertEqual(numbers(result.stdout), [])
        self.assertIn("sk_stream_wait_connect()", result.stdout)
        self.assertTrue(all(len(line) <= 80 for line in result.stdout.splitlines()))

    def test_a_stored_run_marks_its_path(self):
        result = run("states", "-v", "--dry", EVENTS / "echo.events")
        self.assertEqual((result.returncode, result.stderr), (0, ""), self.explain(result))
        self.assertEqual(numbers(result.stdout), [1, 2, 3, 5, 9, 10, 12, 13, 14, 16, 17, 20, 21])
        self.assertIn("echo.events · client: connect(3) of echo-client · kernel stack", result.stdout)
        self.assertIn("━━ 9 rcv ACK of SYN", result.stdout)

    def test_runs_add_up(self):
        one = run("states", "-v", "--dry", EVENTS / "refused.events")
        both = run("states", "-v", "--dry", EVENTS / "refused.events", EVENTS / "echo.events")
        self.assertEqual(numbers(one.stdout), [3, 24], self.explain(one))
        self.assertIn(24, numbers(both.stdout))
        self.assertIn(20, numbers(both.stdout))

    def test_blanks_are_filled_in_by_hand(self):
        key = run("states", "--dry").stdout
        for what, gone, stays in (("names", "ESTABLISHED", "rcv ACK of SYN"), ("labels", "rcv ACK of SYN", "ESTABLISHED"), ("both", "rcv ACK of SYN", "9 ___")):
            blank = run("states", "--dry", "--blank", what)
            self.assertEqual(blank.returncode, 0, self.explain(blank))
            self.assertNotIn(gone, blank.stdout)
            self.assertIn(stays, blank.stdout)
            self.assertEqual([len(line) for line in blank.stdout.splitlines()], [len(line) for line in key.splitlines()])
            with tempfile.TemporaryDirectory() as folder:
                picture = os.path.join(folder, "x.svg")
                self.assertEqual(run("states", "--dry", "--blank", what, "-o", picture).returncode, 0)
                with open(picture, encoding="utf-8") as file:
                    self.assertNotIn(f">{gone}<", file.read().replace("9 ", ""))
        self.assertEqual(run("states", "--dry", "--blank", "all").returncode, 2)

    def test_ascii_is_ascii(self):
        result = run("states", "-v", "--dry", "--ascii", EVENTS / "echo.events")
        self.assertEqual(result.returncode, 0, self.explain(result))
        self.assertTrue(result.stdout.isascii())
        self.assertIn("== 9 rcv ACK of SYN", result.stdout)

    def test_it_is_written_as_a_picture_and_as_text(self):
        with tempfile.TemporaryDirectory() as folder:
            picture, text = os.path.join(folder, "states.svg"), os.path.join(folder, "states.txt")
            result = run("states", "-v", "--dry", EVENTS / "echo.events", "-o", picture, "-o", text)
            self.assertEqual((result.returncode, result.stdout), (0, ""), self.explain(result))
            self.assertIn(f"wrote {picture}", result.stderr)
            with open(picture, encoding="utf-8") as file:
                drawn = file.read()
            lit = set(re.findall(r'id="w-arrow-(\d+)" class="w-lit"', drawn))
            self.assertEqual(lit, {str(n) for n in (1, 2, 3, 5, 9, 10, 12, 13, 14, 16, 17, 20)})
            self.assertIn("what was seen in echo.events", drawn)
            with open(text, encoding="utf-8") as file:
                self.assertEqual(numbers(file.read())[:3], [1, 2, 3])
            result = run("states", "-v", "--dry", "-o", os.path.join(folder, "states.png"))
            self.assertEqual(result.returncode, 2, self.explain(result))
            self.assertIn("there are .svg .txt", result.stderr)

    def test_what_it_does_not_know_is_told(self):
        with tempfile.TemporaryDirectory() as folder:
            wrong, broken = os.path.join(folder, "x.scn"), os.path.join(folder, "x.events")
            with open(wrong, "w", encoding="utf-8") as file:
                file.write("title a mistake\nclient flies\n")
            with open(broken, "w", encoding="utf-8") as file:
                file.write("nothing\n")
            for status, says, *arguments in (
                [2, "did you mean 'syn-lost'", "syn-lots"],
                [2, "demo --list", "no-such-lesson-at-all"],
                [2, "x.scn:2:8", wrong],
                [1, "no event log", broken],
                [1, "can't open", os.path.join(folder, "none.events")],
                [2, "--dry", "--dry", "echo"],
                [2, "--recorder", "--recorder", "strace"],
                [2, "always", "--color", "maybe"],
            ):
                with self.subTest(arguments=arguments):
                    result = run("states", "-v", *arguments)
                    self.assertEqual((result.returncode, result.stdout), (status, ""), self.explain(result))
                    self.assertIn(says, result.stderr)


class Played(Test):
    def test_scenarios_show_their_arrows_with_the_kernels_word(self):
        result = run("states", "-v", "-q", "close-in-syn-sent", "simultaneous-close", timeout=60)
        self.assertEqual((result.returncode, result.stderr), (0, ""), self.explain(result))
        self.assertEqual(set(numbers(result.stdout)) & {4, 15, 16, 18, 20}, {4, 15, 18})
        self.assertIn("close-in-syn-sent · client: close(4) of client · kernel stack", result.stdout)
        self.assertIn("the kernel says FIN_WAIT1 → CLOSING", " ".join(result.stdout.split()))

    def events_of(self, scenario):
        """Plays a scenario, by name or as lines, and returns its event lines."""
        with tempfile.TemporaryDirectory() as folder:
            events = os.path.join(folder, "x.events")
            if "\n" in scenario:
                text, scenario = scenario, os.path.join(folder, "x.scn")
                with open(scenario, "w", encoding="utf-8") as file:
                    file.write(text)
            result = run("demo", scenario, "--recorder", "bpf", "-q", "-o", events, timeout=60)
            self.assertEqual(result.returncode, 0, self.explain(result))
            mapped = run("states", "-v", "--dry", events)
            self.assertEqual((mapped.returncode, mapped.stderr), (0, ""), self.explain(mapped))
            with open(events, encoding="utf-8") as file:
                return file.read().splitlines(), " ".join(mapped.stdout.split())

    def test_a_request_is_given_up_by_the_last_run_of_its_timer(self):
        lines, said = self.events_of("half-open-forgotten")
        timers = [line for line in lines if line.startswith("timer ") and "reqsk_timer_handler" in line]
        answers = [line for line in lines if line.startswith("mark ") and " flags=S. " in line]
        self.assertEqual((len(timers), len(answers)), (1, 2), timers)
        last, end = (int(re.search(r" t=(\d+)", line)[1]) for line in (answers[-1], timers[0]))
        self.assertTrue(1.8e9 < end - last < 2.4e9, end - last)  # two seconds, by the grain of the timer wheel
        self.assertNotIn("cancelled", timers[0])
        self.assertIn("x.events · server: the syn-ack timer · kernel context", said)

    def test_a_request_that_goes_with_its_listener_was_not_given_up(self):
        lines, said = self.events_of(
            "title the listener goes\nserver sysctl net.ipv4.tcp_synack_retries 1\nserver listen 3333\n"
            "wire hold ACK from client\nclient connect server:3333\nserver close listener\nwait 1500ms\n"
        )
        self.assertEqual([line for line in lines if line.startswith("timer ")], [])
        self.assertNotIn("the syn-ack timer", said)

    def test_a_reset_that_ends_a_request_or_timewait_socket_has_the_kernels_word(self):
        result = run("states", "-v", "-q", "reset-in-syn-rcvd", "time-wait-assassination", timeout=60)
        self.assertEqual((result.returncode, result.stderr), (0, ""), self.explain(result))
        said = " ".join(result.stdout.split())
        self.assertIn("reset-in-syn-rcvd · server: the client's RST (#3) · kernel stack", said)
        self.assertRegex(said, r"time-wait-assassination · client: the server's RST \(#\d+\) · kernel stack")
        self.assertNotIn("RFC rule", said)

    def test_an_ordinary_user_sees_the_same_path(self):
        user = OrdinaryUser()
        self.addCleanup(user.close)
        result = run("states", "-v", "-q", "simultaneous-close", command=user.command, timeout=60)
        root = run("states", "-v", "-q", "simultaneous-close", timeout=60)
        self.assertEqual((result.returncode, result.stderr), (0, ""), self.explain(result))
        self.assertEqual(numbers(result.stdout), numbers(root.stdout))


if __name__ == "__main__":
    main()
