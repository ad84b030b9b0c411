"""tcpwhy run leaves a command as it is: its input, output, signals, terminal, process group and exit status."""

import os
import pathlib
import pty
import select
import signal
import subprocess
import sys
import tempfile
import time

from support import Test, environment, main, program, run, traced

PATIENCE_S = 60
RECORDERS = ("bpf", "ptrace", "none")
# Python without the folder of this file, whose modules have names of their own.
PYTHON = [sys.executable, "-I", "-c"]


def wait_for(holds, limit_s=PATIENCE_S):
    deadline = time.monotonic() + limit_s
    while not (found := holds()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


class Untouched(Test):
    def both(self, recorder, command, options=(), **more):
        """The command by itself, once for all recorders, and under tcpwhy."""
        plain = self.plain.get(tuple(command))
        if not plain:
            plain = subprocess.run(command, env=traced(environment()), check=False, capture_output=True, encoding="utf-8", timeout=PATIENCE_S, **more)
            self.plain[tuple(command)] = plain
        watched = run("run", "-q", "--recorder", recorder, "-o", self.report, *options, "--", *command,
                      env=traced(environment()), timeout=PATIENCE_S, **more)
        return plain, watched

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.report = os.path.join(self.folder.name, "report.txt")
        self.plain = {}

    def tearDown(self):
        self.folder.cleanup()

    def test_output_and_exit_status_are_those_of_an_unwatched_run(self):
        commands = (
            ["sh", "-c", "echo out; echo err >&2; exit 7"],
            ["sh", "-c", "cat; echo done"],
            ["sh", "-c", "kill -TERM $$"],
            ["sh", "-c", "kill -KILL $$"],
            ["sh", "-c", "ulimit -c 0; kill -SEGV $$"],
            ["sh", "-c", "(exit 3) & wait $!; echo $?"],
            ["sh", "-c", 'i=0; while [ $i -lt 1000 ]; do (exit 1) & i=$((i + 1)); done; wait; echo $i'],
            [*PYTHON, "import os; os.setpgid(0, 0); print(os.getpgrp() == os.getpid()); os.abort()"],
        )
        # Of how a process ends bpf learns as without a recorder: one status stands for all there.
        statuses = (["sh", "-c", "exit 130"], ["sh", "-c", "exit 255"], ["true"], ["false"])
        for recorder in RECORDERS:
            for command in commands + statuses * (recorder != "bpf"):
                with self.subTest(recorder=recorder, command=command):
                    plain, watched = self.both(recorder, command, input="from the test\n", stdin=None)
                    self.assertEqual(
                        (watched.returncode, watched.stdout, watched.stderr), (plain.returncode, plain.stdout, plain.stderr)
                    )

    def test_signals_masks_groups_and_descriptors_are_those_of_an_unwatched_run(self):
        look = (
            "import os, re\n"
            "print(re.findall(r'^Sig(?:Blk|Ign|Cgt).*', open('/proc/self/status').read(), re.M))\n"
            "print(sorted(int(f) for f in os.listdir('/proc/self/fd') if int(f) < 1000)[:5], os.getcwd(), os.getsid(0), os.getpgrp())\n"
        )
        for recorder in RECORDERS:
            with self.subTest(recorder=recorder):
                plain, watched = self.both(recorder, [*PYTHON, look])
                self.assertEqual((watched.returncode, watched.stdout), (0, plain.stdout), self.explain(watched))

    def test_a_descriptor_that_is_handed_down_arrives_and_that_of_out_fd_does_not(self):
        reading, writing = os.pipe()
        own, report = os.pipe()
        look = f"import os; os.write({writing}, b'here'); os.fstat({report})"
        result = run("run", "--out-fd", str(report), "--", *PYTHON, look, pass_fds=(writing, report))
        os.close(writing)
        os.close(report)
        self.assertEqual(os.read(reading, 100), b"here")
        self.assertEqual(result.returncode, 1)
        self.assertIn("Bad file descriptor", result.stderr)
        os.close(reading)
        os.close(own)

    def test_what_is_not_there_is_127_and_what_is_no_program_126(self):
        for recorder in RECORDERS:
            cases = (("no-such-command", 127), ("/etc/passwd", 126), ("/no/such/command", 127), ("/", 126))
            for command, status in cases[: 2 if recorder == "bpf" else None]:  # an exec() fails there as without a recorder
                with self.subTest(recorder=recorder, command=command):
                    result = run("run", "--recorder", recorder, command)
                    self.assertEqual((result.returncode, result.stdout), (status, ""), self.explain(result))
                    self.assertIn(command, result.stderr)
                    self.assertEqual(result.stderr.count("\n"), 1, result.stderr)

    def test_options_behind_the_command_are_the_commands(self):
        result = run("run", "-q", "--recorder", "none", "echo", "--format", "-o", "x")
        self.assertEqual((result.returncode, result.stdout), (0, "--format -o x\n"))
        result = run("run", "-q", "--recorder", "none", "--", "echo", "--", "-v")
        self.assertEqual((result.returncode, result.stdout), (0, "-- -v\n"))

    def test_the_environment_is_changed_as_E_says(self):
        result = run("run", "-q", "-E", "GIVEN=a=b", "-E", "HOME", "sh", "-c", "echo ${GIVEN} ${HOME-gone} ${KEPT}", env=environment(KEPT="kept"))
        self.assertEqual((result.returncode, result.stdout), (0, "a=b gone kept\n"), self.explain(result))
        self.assertEqual(run("run", "-E", "=x", "true").returncode, 2)

    def test_u_runs_it_as_another_user(self):
        for recorder in RECORDERS:
            result = run("run", "-q", "--recorder", recorder, "-u", "nobody", "id", "-un")
            self.assertEqual((result.returncode, result.stdout), (0, "nobody\n"), self.explain(result))
        self.assertEqual(run("run", "-u", "no-such-user", "true").returncode, 2)
        self.assertEqual(run("run", "-u", "root", "true", command=self.ordinary(), cwd="/").returncode, 3)

    def test_nothing_is_said_of_a_command_without_connections_but_that(self):
        result = run("run", "true")
        self.assertEqual((result.returncode, result.stdout), (0, ""))
        self.assertEqual(result.stderr, "tcpwhy: true made no TCP connection and sent no datagram\n")


class Signals(Test):
    def start(self, recorder, code, *options):
        process = subprocess.Popen(
            [program(), "run", "-q", "--recorder", recorder, *options, "--", *PYTHON, code],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", env=traced(environment()),
        )
        return process, int(process.stdout.readline())

    def test_term_and_hup_are_passed_on_and_int_is_the_commands_alone(self):
        code = (
            "import os, signal, time\n"
            "for name in ('SIGTERM', 'SIGHUP', 'SIGINT'): signal.signal(getattr(signal, name), lambda n, f: os.write(1, b'%d\\n' % n))\n"
            "print(os.getpid(), flush=True)\n"
            "while True: time.sleep(0.01)\n"
        )
        for recorder in RECORDERS:
            with self.subTest(recorder=recorder):
                process, pid = self.start(recorder, code)
                process.send_signal(signal.SIGHUP)
                self.assertEqual(process.stdout.readline(), f"{int(signal.SIGHUP)}\n")
                process.send_signal(signal.SIGINT)
                process.send_signal(signal.SIGQUIT)
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.stdout.readline(), f"{int(signal.SIGTERM)}\n")
                os.kill(pid, signal.SIGKILL)
                process.communicate(timeout=PATIENCE_S)
                self.assertEqual(process.returncode, -signal.SIGKILL)

    def test_kill_9_of_either_leaves_nothing(self):
        code = "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(1000)\n"
        for recorder in RECORDERS:
            with self.subTest(recorder=recorder):
                process, pid = self.start(recorder, code)
                process.kill()
                process.communicate(timeout=PATIENCE_S)
                self.assertTrue(wait_for(lambda: not is_alive(pid)))
        descendants = (
            "import os, time\nprint(os.getpid(), flush=True)\npids = []\n"
            "for i in range(3):\n    pid = os.fork()\n    if pid == 0:\n        os.setsid()\n        if os.fork(): os._exit(0)\n"
            "        print(os.getpid(), flush=True)\n        time.sleep(1000)\n    os.waitpid(pid, 0)\ntime.sleep(1000)\n"
        )
        for recorder in ("bpf", "ptrace"):  # without a recorder nobody knows what the command has made
            with self.subTest(recorder=recorder, who="daemons"):
                process, pid = self.start(recorder, descendants)
                pids = [pid, *(int(process.stdout.readline()) for _ in range(3))]
                self.assertTrue(all(map(is_alive, pids)))
                process.kill()
                process.communicate(timeout=PATIENCE_S)
                self.assertTrue(wait_for(lambda: not any(map(is_alive, pids))), [p for p in pids if is_alive(p)])

    def test_what_a_daemon_does_is_followed_until_it_ends(self):
        code = "import os, time\nprint(os.getpid(), flush=True)\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(0.5)\n    print('daemon', flush=True)\n"
        for recorder in ("bpf", "ptrace"):
            with self.subTest(recorder=recorder):
                process, _ = self.start(recorder, code)
                output, _ = process.communicate(timeout=PATIENCE_S)
                self.assertEqual((process.returncode, output), (0, "daemon\n"))

    def test_a_stopped_command_goes_on_when_it_is_continued(self):
        code = "import os, signal\nprint(os.getpid(), flush=True)\nos.kill(os.getpid(), signal.SIGSTOP)\nprint('went on', flush=True)\n"
        for recorder in RECORDERS:
            with self.subTest(recorder=recorder):
                process, pid = self.start(recorder, code)
                self.assertTrue(wait_for(lambda: pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "Tt"))
                time.sleep(0.2)
                os.kill(pid, signal.SIGCONT)
                output, _ = process.communicate(timeout=PATIENCE_S)
                self.assertEqual((process.returncode, output), (0, "went on\n"))


class Terminal(Test):
    """Through a shell with job control, as a person uses it."""

    def setUp(self):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve("/bin/bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"], traced(environment(PS1="$ ", TERM="dumb", HISTFILE=None)))
        self.seen = ""
        self.expect("$ ")

    def tearDown(self):
        os.kill(self.pid, signal.SIGKILL)
        os.close(self.fd)
        os.waitpid(self.pid, 0)

    def expect(self, words):
        """Reads until the terminal shows the words, and returns what stood before them."""
        deadline = time.monotonic() + PATIENCE_S
        while words not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                self.fail(f"the terminal never showed {words!r}, but {self.seen!r}")
            self.seen += os.read(self.fd, 65536).decode(errors="replace")
        before, self.seen = self.seen.split(words, 1)
        return before

    def type(self, text):
        os.write(self.fd, text.encode())

    def test_it_stops_and_goes_on_as_a_job_and_reads_its_terminal(self):
        for recorder in RECORDERS:
            with self.subTest(recorder=recorder):
                self.type(f"{program()} run -q --recorder {recorder} -- sh -c 'echo be''gan; read x </dev/tty; echo \"re''ad $x\"; read y; exit 5'\n")
                self.expect("began")
                self.type("\x1a")
                self.expect("Stopped")
                self.type("jobs; echo jo''bs\n")
                self.assertIn("Stopped", self.expect("jobs\r\n"))
                self.type("fg\n")
                self.expect("sh -c")
                time.sleep(0.2)
                self.type("first\n")
                self.expect("read first")
                self.type("second\n")
                self.type("echo status $?\n")
                self.expect("status 5")
                self.expect("$ ")

    def test_the_terminals_interrupt_ends_the_command_and_what_was_seen_is_told(self):
        for recorder in ("bpf", "ptrace"):
            with self.subTest(recorder=recorder):
                self.type(f"{program()} run --recorder {recorder} -- sh -c 'echo be''gan; sleep 1000'\n")
                self.expect("began")
                time.sleep(0.2)
                self.type("\x03")
                self.expect("made no TCP connection")
                self.type("echo status $?\n")
                self.expect("status 130")
                self.expect("$ ")


if __name__ == "__main__":
    main()
