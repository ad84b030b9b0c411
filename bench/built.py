"""Where the benchmarks find what was built: $TCPWHY_BUILD, or build/ (the release build, whose figures count), or build-dev/."""
import os
import pathlib
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
TCPWHY = "src/cli/tcpwhy"
ROUNDS = "bench/rounds"


def folders():
    own = os.environ.get("TCPWHY_BUILD")
    return [pathlib.Path(own)] if own else [ROOT / "build", ROOT / "build-dev"]


def find(said=None, what=TCPWHY):
    """The program that was `said`, else the built one, as an absolute path. Where there is none the benchmark ends, and says how to build it."""
    if said:
        path = shutil.which(str(said))
        if path:
            return os.path.abspath(path)
        sys.exit(f"{os.path.basename(sys.argv[0])}: {said} is no program that can be run")
    for folder in folders():
        if os.access(folder / what, os.X_OK):
            return str((folder / what).resolve())
    target = os.path.basename(what)
    sys.exit(
        f"{os.path.basename(sys.argv[0])}: {target} is not built: there is no {' or '.join(str(folder / what) for folder in folders())}\n"
        f"build it:  cd {ROOT} && cmake --preset release && cmake --build build --target {target}\n"
        f"or say where: TCPWHY_BUILD=FOLDER, or the program itself (--help)"
    )


def need_root():
    if os.geteuid():
        sys.exit(f"{os.path.basename(sys.argv[0])}: this takes root (BPF and packet capture)")
