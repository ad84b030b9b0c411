"""The manners of a program that runs as root: what becomes of the files that it writes, and what it can still do once it reads."""

import os
import pathlib
import signal
import stat
import subprocess
import tempfile
import time

from cli import STORED, exchange, pcap
from support import ORDINARY_ID, TIMEOUT_S, Test, environment, main, program, run, traced


class Outputs(Test):
    """-o FILE as root, among files, links and folders of others."""

    def setUp(self):
        self.assertEqual(os.geteuid(), 0, "this is about root")
        folder = tempfile.TemporaryDirectory(dir="/tmp")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.folder.chmod(0o755)

    def theirs(self, path):
        os.chown(path, ORDINARY_ID, ORDINARY_ID, follow_symlinks=False)
        return path

    def write(self, path, status=0, command=None, **options):
        result = run("read", "-", "-o", path, input=STORED, stdin=None, command=command, **options)
        self.assertEqual(result.returncode, status, self.explain(result))
        return result

    def crowded(self):
        path = self.folder / "crowded"
        path.mkdir()
        path.chmod(0o1777)
        return path

    def test_what_is_new_only_root_can_read(self):
        path = self.folder / "x.txt"
        self.write(path, umask=0)
        self.assertEqual((stat.S_IMODE(path.stat().st_mode), path.stat().st_uid), (0o600, 0))
        self.assertIn("3333", path.read_text())

    def test_an_ordinary_users_new_file_has_the_mode_that_umask_leaves(self):
        self.theirs(self.folder)
        path = self.folder / "x.txt"
        self.write(path, umask=0o027, command=self.ordinary(), cwd="/")
        self.assertEqual((stat.S_IMODE(path.stat().st_mode), path.stat().st_uid), (0o640, ORDINARY_ID))

    def test_a_replaced_file_keeps_its_owner_and_loses_setuid_and_setgid(self):
        path = self.folder / "x.txt"
        path.write_text("old")
        self.theirs(path)
        path.chmod(0o6755)
        self.write(path)
        self.assertIn("3333", path.read_text())
        self.assertEqual((stat.S_IMODE(path.stat().st_mode), path.stat().st_uid, path.stat().st_gid), (0o755, ORDINARY_ID, ORDINARY_ID))

    def test_a_file_in_a_folder_of_who_called_sudo_is_theirs(self):
        sudo = environment(SUDO_UID=str(ORDINARY_ID), SUDO_GID=str(ORDINARY_ID))
        home, root = self.folder / "home", self.folder / "root"
        home.mkdir(), root.mkdir()
        self.theirs(home)
        for folder, owner in ((home, ORDINARY_ID), (root, 0)):
            path = folder / "x.txt"
            self.write(path, env=sudo)
            self.assertEqual((stat.S_IMODE(path.stat().st_mode), path.stat().st_uid), (0o600, owner))

    def test_no_symbolic_link_of_another_user_is_followed(self):
        victim, folder = self.folder / "victim.txt", self.folder / "folder"
        victim.write_text("precious")
        folder.mkdir()
        crowded = self.crowded()
        for link, target, path in ((self.folder / "a.txt", victim, ""), (self.folder / "b", folder, "x.txt"),
                                   (crowded / "a.txt", victim, ""), (crowded / "b", folder, "x.txt"), (crowded / "c.txt", "new.txt", "")):
            with self.subTest(link=link):
                link.symlink_to(target)
                self.theirs(link)
                result = self.write(link / path if path else link, status=1)
                self.assertIn("belongs to another user (uid 65534)", result.stderr)
        self.assertEqual(victim.read_text(), "precious")
        self.assertEqual((list(folder.iterdir()), (crowded / "new.txt").exists()), ([], False))

    def test_roots_own_links_and_those_of_who_called_sudo_are_followed(self):
        target, own, theirs = self.folder / "target.txt", self.folder / "own.txt", self.folder / "theirs"
        own.symlink_to("target.txt")
        theirs.symlink_to(self.folder)
        self.theirs(theirs)
        self.write(own)
        target.unlink()
        self.write(theirs / ".." / self.folder.name / "theirs" / "own.txt",
                   env=environment(SUDO_UID=str(ORDINARY_ID), SUDO_GID=str(ORDINARY_ID)))
        self.assertIn("3333", target.read_text())
        self.assertTrue(own.is_symlink())

    def test_what_another_user_left_in_a_crowded_folder_is_let_alone(self):
        crowded = self.crowded()
        path, fifo = crowded / "x.txt", crowded / "fifo.txt"
        path.write_text("theirs")
        os.mkfifo(fifo)
        for bait in (path, fifo):
            self.theirs(bait)
            self.assertIn("belongs to another user", self.write(bait, status=1).stderr)
        self.assertEqual(path.read_text(), "theirs")

    def test_an_ordinary_user_meets_the_same_in_a_crowded_folder(self):
        """As with fs.protected_symlinks, which may be off; elsewhere links of others are followed as ever."""
        os.chown(crowded := self.crowded(), 1, 1)
        bait, link, target = crowded / "bait.txt", self.folder / "link.txt", self.theirs_folder() / "x.txt"
        for path in (bait, link):
            path.symlink_to(target)
            os.chown(path, 2, 2, follow_symlinks=False)
        self.write(bait, status=1, command=self.ordinary(), cwd="/")
        self.write(link, command=self.ordinary(), cwd="/")
        self.assertIn("3333", target.read_text())

    def theirs_folder(self):
        (self.folder / "their").mkdir()
        return self.theirs(self.folder / "their")

    def test_links_in_a_ring_and_a_path_that_ends_in_a_slash_are_refused(self):
        (self.folder / "a.txt").symlink_to("b.txt")
        (self.folder / "b.txt").symlink_to("a.txt")
        self.assertIn("Too many levels of symbolic links", self.write(self.folder / "a.txt", status=1).stderr)
        (self.folder / "x.txt").write_text("old")
        for wrong in ("x.txt/y.txt", "no/x.txt", "n" * 256 + ".txt", "x.txt" + "/" * 4096 + "x.txt"):
            self.write(f"{self.folder}/{wrong}", status=1)
        self.assertEqual((self.folder / "x.txt").read_text(), "old")

    def test_a_fifo_of_ones_own_and_a_redirected_standard_output_are_written_to(self):
        fifo = self.folder / "x.txt"
        os.mkfifo(fifo)
        with subprocess.Popen(["timeout", "20", "cat", fifo], stdout=subprocess.PIPE, text=True) as reader:
            self.write(fifo)
            self.assertIn("3333", reader.stdout.read())
        log, link = self.folder / "log", self.folder / "out.txt"
        link.symlink_to("/dev/stdout")
        with open(log, "w") as out:
            out.write("before\n")
            out.flush()
            self.write(link, stdout=out)
        self.assertTrue(log.read_text().startswith("before\n"))
        self.assertIn("3333", log.read_text())

    def test_nothing_is_left_where_a_run_fails(self):
        bad = self.folder / "bad.events"
        bad.write_text("# tcpwhy events 1\nnonsense\n")
        for kept in (False, True):
            path = self.folder / "x.txt"
            if kept:
                path.write_text("precious")
            self.assertEqual(run("read", bad, "-o", path).returncode, 1)
            self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["bad.events"] + ["x.txt"] * kept)


CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SETPCAP, CAP_NET_ADMIN, CAP_SYS_PTRACE, CAP_SYS_ADMIN = (1 << n for n in (5, 6, 7, 8, 12, 19, 21))


def status(pid):
    return dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())


def rights(pid):
    """Effective user, effective and permitted and bounding capabilities, and whether it can gain any."""
    fields = status(pid)
    return (int(fields["Uid"].split()[1]), *(int(fields[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")), int(fields["NoNewPrivs"]))


class Rights(Test):
    """What is left of root's rights, in the running program."""

    def setUp(self):
        self.assertEqual(os.geteuid(), 0, "this is about root")
        folder = tempfile.TemporaryDirectory(dir="/tmp")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)  # 0700

    def start(self, *arguments, **options):
        options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        process = subprocess.Popen([program(), *map(str, arguments)], env=traced(environment()), **options)
        self.addCleanup(lambda: [stream.close() for stream in (process.stdin, process.stdout, process.stderr) if stream])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def comes(self, what, seconds=TIMEOUT_S):
        until = time.monotonic() + seconds
        while not what():
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
        return True

    def test_a_reader_that_waits_for_its_first_byte_has_nothing_left(self):
        for arguments in (("read", "-"), ("read", "-", "-o", self.folder / "x.txt"), ("states", "-")):
            with self.subTest(arguments=arguments):
                process = self.start(*arguments)
                self.assertTrue(self.comes(lambda: status(process.pid)["Seccomp"].strip() == "2"), rights(process.pid))
                self.assertEqual(rights(process.pid), (ORDINARY_ID, 0, 0, 0, 1))

    def test_a_demo_can_end_its_children_and_no_more(self):
        for recorder, kept in (("bpf", CAP_KILL), ("none", CAP_KILL), ("ptrace", CAP_KILL | CAP_SYS_PTRACE)):
            with self.subTest(recorder=recorder):
                process = self.start("demo", "--accept-delay", 1000, "--recorder", recorder)
                self.assertTrue(self.comes(lambda: status(process.pid)["NoNewPrivs"].strip() == "1"))
                self.assertTrue(self.comes(lambda: rights(process.pid) == (ORDINARY_ID, kept, kept, kept, 1)), rights(process.pid))
                out, err = process.communicate(timeout=TIMEOUT_S)
                self.assertEqual((process.returncode, err), (0, b""))
                self.assertIn(b"TIME_WAIT", out)

    def test_a_scenario_keeps_what_its_steps_take_until_it_is_over(self):
        kept = CAP_KILL | CAP_SYS_ADMIN | CAP_NET_ADMIN | CAP_SETUID | CAP_SETGID | CAP_SETPCAP
        process = self.start("demo", "late-accept", "--step")
        self.assertTrue(self.comes(lambda: rights(process.pid) == (0, kept, kept, kept & ~CAP_SETPCAP, 1)), rights(process.pid))
        self.assertTrue(self.comes(lambda: status(process.pid)["Seccomp"].strip() == "2"))  # it tells, and waits for Enter
        self.assertEqual(rights(process.pid), (ORDINARY_ID, 0, 0, 0, 1))

    def test_who_reads_what_many_scenarios_came_to_has_nothing_left(self):
        for arguments, name in ((("demo", "--all"), "rows.jsonl"), (("states",), "states.svg"), (("claims", "--all"), None)):
            with self.subTest(arguments=arguments):
                path = self.folder / name if name else None
                what = ("1",) if arguments[0] == "claims" else ("late-accept", "dup-close")
                process = self.start(*arguments, *what, *(("-o", path) if path else ()))
                self.assertTrue(self.comes(lambda: status(process.pid)["Seccomp"].strip() == "2"), rights(process.pid))
                self.assertEqual(rights(process.pid), (ORDINARY_ID, 0, 0, 0, 1))
                err = process.communicate(timeout=TIMEOUT_S)[1]
                self.assertEqual(process.returncode, 0, err)
                if path:
                    self.assertGreater(path.stat().st_size, 0)
                    self.assertEqual((stat.S_IMODE(path.stat().st_mode), path.stat().st_uid), (0o600, 0))

    def test_scenarios_end_with_who_asked_for_them(self):
        process = self.start("states", "a-minute-of-time-wait", "a-minute-of-time-wait")
        self.assertTrue(self.comes(lambda: status(process.pid)["Seccomp"].strip() == "2"))
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
        starters = [int(pid) for pid in children.read_text().split()]
        of = lambda pid: [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        self.assertTrue(self.comes(lambda: any(of(pid) for pid in starters)))
        jobs = [child for pid in starters for child in of(pid)]
        process.kill()
        process.wait()
        gone = lambda pid: not os.path.exists(f"/proc/{pid}") or status(pid)["State"].startswith("Z")
        self.assertTrue(self.comes(lambda: all(map(gone, starters + jobs))))

    def test_files_that_only_root_can_reach_are_read_and_written(self):
        one, other, table, path = (self.folder / name for name in ("one.pcap", "other.pcap", "x.csv", "x.events"))
        one.write_bytes(pcap(exchange(40000)))
        other.write_bytes(pcap(exchange(40001)))
        for file in (one, other):
            file.chmod(0o600)
        self.assertEqual(run("read", one, other, "-o", table, "-o", table).stderr, "")
        self.assertEqual(len(table.read_text().splitlines()), 3)
        path.write_text(STORED)
        path.chmod(0o600)
        self.assertEqual(run("read", path).returncode, 0)
        self.assertEqual(run("states", path).returncode, 0)
        self.assertEqual(run("demo", "-q", "-o", self.folder / "y.events").returncode, 0)
        self.assertIn("# tcpwhy events", (self.folder / "y.events").read_text())
        missing = run("read", self.folder / "missing.pcap")
        self.assertEqual(missing.returncode, 1)
        self.assertIn("No such file", missing.stderr)

    def test_a_named_pipe_is_waited_for_and_the_wait_can_be_broken_off(self):
        fifo = self.folder / "fifo"
        os.mkfifo(fifo, 0o600)
        process = self.start("read", fifo, "--format", "csv")
        self.assertTrue(self.comes(lambda: status(process.pid)["Seccomp"].strip() == "2"))
        self.assertIsNone(process.poll())
        fifo.write_bytes(pcap(exchange(40000)))
        self.assertEqual(len(process.communicate(timeout=TIMEOUT_S)[0].splitlines()), 2)
        process = self.start("read", fifo, "--format", "csv")
        self.assertTrue(self.comes(lambda: status(process.pid)["Seccomp"].strip() == "2"))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, -signal.SIGINT)

    def test_the_keeper_ends_with_the_program_however_that_ends(self):
        fifo = self.folder / "x.txt"
        os.mkfifo(fifo)
        for arguments, options in ((("read", "-", "-o", self.folder / "y.txt"), {}), (("read", "-", "-o", fifo), {"stdin": subprocess.PIPE})):
            with self.subTest(arguments=arguments):
                process = self.start(*arguments, **options)
                children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
                self.assertTrue(self.comes(lambda: children.read_text().split()))
                keeper = int(children.read_text().split()[0])
                if arguments[-1] == fifo:
                    process.stdin.write(STORED.encode())
                    process.stdin.close()
                    time.sleep(0.1)  # it waits for the pipe's reader
                process.kill()
                process.wait()
                self.assertTrue(self.comes(lambda: not os.path.exists(f"/proc/{keeper}") or status(keeper)["State"].startswith("Z")))
        self.assertEqual([path.name for path in self.folder.iterdir()], ["x.txt"])


if __name__ == "__main__":
    main()
