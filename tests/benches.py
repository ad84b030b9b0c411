"""Each benchmark says how to build what is not built, and what is no program: in words, not in a traceback."""
import os
import pathlib
import subprocess
import sys
import unittest

BENCH = pathlib.Path(__file__).resolve().parents[1] / "bench"


def scripts():
    """Those that have a beginning line: what others only import has none."""
    return [path for path in sorted(BENCH.iterdir()) if path.is_file() and path.suffix in ("", ".py") and path.read_bytes()[:2] == b"#!"]


class Benches(unittest.TestCase):
    def said(self, *words):
        done = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, env={**os.environ, "TCPWHY_BUILD": "/nowhere"}, check=False)
        self.assertNotIn("Traceback", done.stderr, words)
        self.assertNotEqual(done.returncode, 0, words)
        return done.stderr

    def test_what_is_not_built_is_named_with_the_way_to_build_it(self):
        self.assertGreater(len(scripts()), 8)
        for script in scripts():
            with self.subTest(script.name):
                said = self.said(script)
                if os.geteuid() and "takes root" in said:
                    continue
                self.assertIn("is not built", said)
                self.assertIn("/nowhere/", said)
                self.assertIn("cmake --build build --target ", said)

    def test_what_was_named_and_is_no_program_is_said(self):
        self.assertIn("/no/such/program is no program", self.said(BENCH / "rules", "/no/such/program"))


if __name__ == "__main__":
    unittest.main()
