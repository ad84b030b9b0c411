"""script/install, and what it lays out: the program, a manual page a verb, completion, the unit of a service."""

import os
import pathlib
import re
import subprocess
import tempfile

from support import ROOT, Test, environment, main, program, run

COMPLETE = """
. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_tcpwhy tcpwhy "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


class Install(Test):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.root = pathlib.Path(cls.folder.name)
        build = pathlib.Path(program()).resolve().parents[2]
        cls.done = subprocess.run(
            [ROOT / "script/install", "/opt/it"],
            env=dict(environment(), DESTDIR=str(cls.root), TCPWHY_BUILD=str(build)),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        cls.prefix = cls.root / "opt/it"
        cls.verbs = re.findall(r"^  tcpwhy ([a-z]+) ", run("--help").stdout, re.M)

    def setUp(self):
        self.assertEqual(self.done.returncode, 0, self.done.stderr)
        self.assertEqual(self.done.stdout, f"tcpwhy is {self.prefix}/bin/tcpwhy: see man tcpwhy\n")

    def page(self, name):
        """As a reader sees it, in one line."""
        done = subprocess.run(
            ["mandoc", "-T", "utf8", "-O", "width=400", "-W", "warning", self.prefix / f"share/man/man1/{name}.1"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""), name)
        return " ".join(re.sub(".\x08", "", done.stdout).replace("‐", "-").replace("’", "'").split())

    def test_the_program_runs_where_it_lies_and_the_unit_starts_it_there(self):
        done = subprocess.run([self.prefix / "bin/tcpwhy", "--version"], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.stdout, run("--version").stdout)
        unit = (self.prefix / "lib/systemd/system/tcpwhy-watch.service").read_text()
        self.assertIn("\nExecStart=/opt/it/bin/tcpwhy watch ", unit)
        kept = (ROOT / "share/systemd/tcpwhy-watch.service").read_text()
        self.assertEqual(unit, kept.replace("/usr/local/bin/", "/opt/it/bin/"))

    def test_what_few_runs_need_is_not_loaded_at_the_start(self):
        """TLS, Kerberos and LDAP, which --otlp and --prometheus bring along, and D-Bus, which libpcap does, cost more time than all the rest of a start."""
        tracing = environment(LD_TRACE_LOADED_OBJECTS="1")
        done = subprocess.run([self.prefix / "bin/tcpwhy"], env=tracing, capture_output=True, text=True, timeout=60, check=False)
        libraries = re.findall(r"^\s*(lib[^\s/]+)\.so", done.stdout, re.M)
        self.assertIn("libc", libraries)
        self.assertEqual(set(libraries) & {"libcurl", "libcurl-gnutls", "libmicrohttpd", "libgnutls", "libssl", "libldap", "libgssapi_krb5", "libpcap", "libdbus-1", "libsystemd"}, set())

    def test_each_verb_has_a_page_with_all_that_its_help_says(self):
        self.assertGreater(len(self.verbs), 9)
        whole = self.page("tcpwhy")
        for verb in self.verbs:
            text, told = self.page(f"tcpwhy-{verb}"), run(verb, "--help").stdout
            self.assertIn(f"tcpwhy-{verb}(1)", whole)
            self.assertRegex(text, f"NAME tcpwhy-{verb} - .* SYNOPSIS tcpwhy {verb} ")
            for option in re.findall(r"^ {2,6}(?:-\w, )?(--[a-z-]+)", told, re.M):
                self.assertIn(option, text, verb)
            notes = told.split("this text\n")[-1].split()
            self.assertIn(" ".join(notes), text, verb)
        pages = {path.stem for path in (self.prefix / "share/man/man1").iterdir()}
        self.assertEqual(pages, {"tcpwhy", *(f"tcpwhy-{verb}" for verb in self.verbs)})

    def test_each_example_of_a_page_is_one_of_the_readme_where_it_is_run(self):
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        lines = {re.sub(r"\s+#.*$", "", line) for line in readme.splitlines()}
        for verb in self.verbs:
            text = (ROOT / f"share/man/{verb}.h2m").read_text(encoding="utf-8").split(".nf\n")[1].split(".fi\n")[0]
            examples = text.replace("\\-", "-").replace("\\(aq", "'").splitlines()
            self.assertTrue(examples, verb)
            self.assertLessEqual(set(examples), lines)
            self.assertIn(f" EXAMPLES {' '.join(examples)} SEE ALSO ", self.page(f"tcpwhy-{verb}"))

    def complete(self, *words):
        file = self.prefix / "share/bash-completion/completions/tcpwhy"
        path = f"{self.prefix}/bin:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", COMPLETE, "bash", file, "tcpwhy", *words],
            env=dict(environment(), PATH=path),
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_what_is_completed_is_what_the_program_knows(self):
        self.assertEqual(set(self.complete("")), {*self.verbs, "help", "--help", "--version"})
        self.assertEqual(self.complete("wa"), ["watch"])
        self.assertEqual(self.complete("help", "cla"), ["claims"])
        self.assertIn("--backlog", self.complete("demo", "--"))
        self.assertEqual(self.complete("run", "--rec"), ["--recorder"])
        self.assertIn("pcapng", self.complete("read", "--format", ""))
        self.assertNotIn("such", self.complete("read", "--format", ""))
        self.assertIn("simultaneous-close", self.complete("demo", "sim"))
        self.assertEqual(self.complete("explain", "close-wait-l"), ["close-wait-leak"])
        self.assertIn("reset-unread-data", self.complete("watch", "--on", "reset-u"))
        (self.root / "some.pcap").touch()
        self.assertEqual(self.complete("read", "so"), ["some.pcap"])
        self.assertEqual(self.complete("run", "-o", "x.svg", "--", "so"), [])

    def test_a_prefix_that_is_none_is_refused(self):
        done = subprocess.run([ROOT / "script/install", "here"], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr.split(":")[0]), (2, "usage"))


if __name__ == "__main__":
    main()
