"""What is not permitted is said in one line that one reads once, and what the line advises helps: each advice is followed here."""

import os
import pathlib
import re
import subprocess

from support import Test, main, run

LINE_MOST = 240


class Denied(Test):
    def refused(self, *arguments, command=None):
        """The one line of a run that is denied, without the program's name."""
        result = run(*arguments, command=command or self.ordinary(), cwd="/")
        self.assertEqual((result.returncode, result.stdout), (3, ""), self.explain(result))
        self.assertEqual(result.stderr.count("\n"), 1, "one line")
        self.assertLessEqual(len(result.stderr), LINE_MOST, result.stderr)
        more = run(*arguments, "-v", command=command or self.ordinary(), cwd="/")
        self.assertEqual((more.returncode, more.stderr.splitlines()[0]), (3, result.stderr.strip()))
        self.assertEqual(len(more.stderr.splitlines()), 2, "the long story behind -v: " + more.stderr)
        return result.stderr, more.stderr.splitlines()[1]

    def works(self, *arguments, command=None):
        result = run(*arguments, command=command or self.ordinary(), cwd="/")
        self.assertEqual(result.returncode, 0, self.explain(result))
        return result.stdout

    def with_capabilities(self, names):
        """The ordinary user's program, which a file capability makes able."""
        command = self.ordinary()
        able = pathlib.Path(command[-1] + "-able")
        able.write_bytes(pathlib.Path(command[-1]).read_bytes())
        able.chmod(0o755)
        subprocess.run(["setcap", names, able], check=True)
        return [*command[:-1], str(able)]

    def test_bpf_for_an_ordinary_user(self):
        for what in (["demo"], ["demo", "refused"]):
            line, more = self.refused(*what, "--recorder", "bpf")
            self.assertIn("CAP_BPF", line)
            self.assertIn("sudo", line)
            self.assertEqual(run(*what, "--recorder", "bpf").returncode, 0, "as root, as it says")
            self.assertIn("--recorder ptrace", line)
            self.works(*what, "--recorder", "ptrace")
            able = self.with_capabilities(re.search(r"setcap (\S+)", more).group(1))
            self.assertIn("recorded by bpf", self.works(*what, "--recorder", "bpf", command=able))

    def test_bpf_on_the_hosts_own_network_takes_less(self):
        _, more = self.refused("demo", "--recorder", "bpf")
        names = re.search(r"setcap (\S+)\+ep", more).group(1).split(",")
        self.assertIn("without the first two", more)
        able = self.with_capabilities(",".join(names[2:]) + "+ep")
        line, _ = self.refused_once("demo", "--recorder", "bpf", command=able)
        self.assertIn("--host-network", line)
        self.assertIn("recorded by bpf", self.works("demo", "--recorder", "bpf", "--host-network", command=able))

    def refused_once(self, *arguments, command):
        result = run(*arguments, command=command, cwd="/")
        self.assertEqual((result.returncode, result.stderr.count("\n")), (3, 1), self.explain(result))
        return result.stderr, ""

    def test_the_hosts_own_network_for_an_ordinary_user(self):
        line, more = self.refused("demo", "--host-network")
        self.assertIn("CAP_NET_RAW", line)
        self.assertIn("without --host-network", line)
        self.works("demo")
        able = self.with_capabilities(re.search(r"setcap (\S+)", more).group(1))
        self.works("demo", "--host-network", command=able)

    def limited(self, limit, *, then=""):
        """A user namespace of one's own that has no room for another namespace of some kind, and in it a user without more than the
        right to be mapped into one (which an ordinary user has by not being root)."""
        command = self.ordinary()
        script = f'echo 0 > /proc/sys/user/{limit}; {then} exec setpriv --bounding-set=-all,+setfcap --inh-caps=-all "$@"'
        return [*command[:-1], "unshare", "--user", "--map-root-user", "--net", "sh", "-c", script, "sh", command[-1]]

    def test_no_namespaces_for_an_ordinary_user(self):
        for limit in ("max_net_namespaces", "max_user_namespaces"):
            for what in (["demo"], ["demo", "refused"]):
                with self.subTest(limit=limit, what=what):
                    line, _ = self.refused(*what, command=self.limited(limit))
                    self.assertIn(f"user.{limit} is 0", line)
                    value = re.search(rf"sudo sysctl user\.{limit}=(\d+)", line).group(1)
                    self.works(*what, command=self.limited(limit, then=f"echo {value} > /proc/sys/user/{limit};"))

    def test_inside_a_user_namespace_nobody_loads_bpf_and_ptrace_works(self):
        inside = [*self.ordinary()[:-1], "unshare", "--user", "--map-root-user", "--net", self.ordinary()[-1]]
        line, _ = self.refused("demo", "--recorder", "bpf", command=inside)
        self.assertIn("user namespace", line)
        self.assertNotIn("sudo", line)
        self.works("demo", "--recorder", "ptrace", command=inside)

    def test_the_reason_of_a_weaker_recorder_is_short(self):
        foot = re.sub(r"\s+", " ", self.works("demo", "-q"))
        self.assertRegex(foot, r"auto: no bpf: the bpf recorder needs root: CAP_BPF and CAP_PERFMON are missing nothing lost")

    def test_it_is_root_who_runs_this(self):
        self.assertEqual(os.geteuid(), 0, "file capabilities and other users take root")


if __name__ == "__main__":
    main()
