"""However tcpwhy ends, it leaves nothing behind: no process of the pair, no namespace."""

import os
import pathlib
import random
import signal
import subprocess
import time
import uuid

from support import Story, Test, environment, main, program, traced

KILLS = 20


def processes_with(*words):
    """Pids of living processes whose command line holds the words."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
            if all(word.encode() in line for word in words):
                found.append(int(path.parent.name))
        except OSError:  # it ended meanwhile
            pass
    return found


def processes_in_network(inode):
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/ns/net"):
        try:
            if path.stat().st_ino == inode:
                found.append(int(path.parts[2]))
        except OSError:
            pass
    return found


def wait_until_empty(look, limit_s=5):
    deadline = time.monotonic() + limit_s
    while (left := look()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return left


class Kill(Test):
    def start(self, word, *arguments, command=None):
        return subprocess.Popen(
            [*(command or [program()]), "demo", "--message", word, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            cwd="/",
            env=traced(environment()) if command else environment(),
        )

    def network_of(self, pid):
        try:
            return os.stat(f"/proc/{pid}/ns/net").st_ino
        except OSError:
            return 0

    def time_to_begin(self, recorder, command):
        """How long it takes here and now until the pair runs."""
        word, begin = f"kill-{uuid.uuid4()}", time.monotonic()
        process = self.start(word, "--recorder", recorder, "--accept-delay", "20000", command=command)
        while len(processes_with(word)) < 2 and process.poll() is None and time.monotonic() < begin + 10:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=10)
        return time.monotonic() - begin

    def kill_at_random_moments(self, recorder, command):
        own = os.stat("/proc/self/ns/net").st_ino
        longest_s = 0.5 + 1.5 * self.time_to_begin(recorder, command)
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        killed_in_play = 0
        for turn in range(KILLS):
            word = f"kill-{uuid.uuid4()}"
            style = chance.choice(["iterative", "fork", "epoll"])
            # A pair that would stay for long by itself, or one that goes through all of its life.
            delay = chance.choice(["20000", "50"])
            arguments = ["--recorder", recorder, "--serve", style, "--accept-delay", delay, "--clients", "3"]
            process = self.start(word, *arguments, command=command)
            time.sleep(chance.uniform(0, longest_s))
            killed_in_play += len(processes_with(word)) > 1
            network = self.network_of(process.pid)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=10)
            with self.subTest(seed=seed, turn=turn):
                self.assertEqual(wait_until_empty(lambda: processes_with(word)), [], "processes of the pair are left")
                if network not in (0, own):
                    self.assertEqual(wait_until_empty(lambda: processes_in_network(network)), [], "the network is left")
                    self.assertNotIn(f"net:[{network}]", pathlib.Path("/proc/self/mountinfo").read_text())
        self.assertGreater(killed_in_play, KILLS // 4, "the kills came at moments when there was something to leave behind")

    def test_a_kill_at_any_moment_leaves_nothing_with_bpf(self):
        self.kill_at_random_moments("bpf", None)

    def test_a_kill_at_any_moment_leaves_nothing_with_ptrace(self):
        self.kill_at_random_moments("ptrace", self.ordinary())


class Interrupt(Kill):
    test_a_kill_at_any_moment_leaves_nothing_with_bpf = None
    test_a_kill_at_any_moment_leaves_nothing_with_ptrace = None

    def interrupt(self, number, recorder, command):
        word = f"interrupt-{uuid.uuid4()}"
        process = self.start(word, "--recorder", recorder, "--accept-delay", "20000", "--format", "jsonl", command=command)
        deadline = time.monotonic() + 10
        while not processes_with(word, "\0client\0") and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.4)  # for its handshake
        begin = time.monotonic()
        os.kill(process.pid, number)
        output, errors = process.communicate(timeout=15)
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual(process.returncode, -number, errors)
        self.assertEqual(wait_until_empty(lambda: processes_with(word)), [])
        (connection,) = Story(output).connections
        self.assert_in_order(["S", "S.", "."], [s["flags"] for s in connection.segments])

    def test_a_signal_ends_the_pair_in_order_and_the_story_so_far_is_told(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            for recorder in ("bpf", "ptrace"):
                with self.subTest(number=number, recorder=recorder):
                    self.interrupt(number, recorder, None if recorder == "bpf" else self.ordinary())

    def test_a_signal_ends_the_telling_to_somebody_who_does_not_read(self):
        word = f"unread-{uuid.uuid4()}"
        process = self.start(word, "--count", "200", "--format", "events")
        deadline = time.monotonic() + 10
        while not processes_with(word, "\0client\0") and time.monotonic() < deadline:
            time.sleep(0.01)
        while processes_with(word, "\0client\0") and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(1)  # the pipe is full by now
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=5), -signal.SIGINT)
        process.communicate()


if __name__ == "__main__":
    main()
