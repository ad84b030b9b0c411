"""The manners of a program that runs as root: what becomes of the files that it writes, and what it can still do once it reads."""

import os
import pathlib
import stat
import subprocess
import tempfile

from cli import STORED
from support import ORDINARY_ID, Test, environment, main, run


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


if __name__ == "__main__":
    main()
