#!/usr/bin/env python3
"""Boots another Linux kernel in an emulator and runs tcpwhy under it: the recorders' answer to "does it work on 5.15?".

    tests/kernels/boot.py [--program FILE] [--root FOLDER] [--clock N] PACKAGE.deb… [-- COMMAND]

PACKAGE: a kernel, and its modules where they are a package of their own (Debian: `apt-get download linux-image-VERSION`, signed or
not; Ubuntu: linux-image-unsigned-VERSION and linux-modules-VERSION). Several kernels are booted one after the other. COMMAND is a line
for sh (unless told: tcpwhy demo --all --recorder bpf), run as root with tcpwhy in PATH and the catalogue in /scenarios. --program: a
tcpwhy to copy in (that of build/ or build-dev/ unless told); one for arm64 boots arm64 kernels, with --root as the folder where its libraries and
a busybox for arm64 are. --clock: the machine's time is reckoned by what it does, an instruction 2**N ns (1 is about right), and doing nothing takes
none: so a busy host delays nothing there, and no waiting is waited for. Ends with status 1 when a command failed.

It takes qemu-system-x86 (qemu-system-arm), busybox-static, cpio and kmod, and no privileges. A processor is emulated, so all takes some
ten times as long as it should: waits that scenarios hold for long enough may not be. It is no part of script/test for the packages' sake.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench"))
import built  # noqa: E402

# Without cx16, and the two processors in turns: QEMU 7.2's cmpxchg16b can destroy the flags, and a processor can meet code that
# the other one is patching; kernels panic on both.
ARCHITECTURES = { # as ELF's e_machine says it
    62: ("x86_64-linux-gnu", ["qemu-system-x86_64", "-machine", "q35", "-cpu", "max,-cx16"], "ttyS0"),
    183: ("aarch64-linux-gnu", ["qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a72"], "ttyAMA0"),
}
MODULES = ("net/packet", "net/mptcp", "net/ipv4", "net/ipv6", "net/unix", "net/netlink", "net/core", "drivers/net/veth.ko", "drivers/net/tun.ko")
LIMIT_SECONDS = 2400

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin:/sbin HOME=/root TERM=dumb
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs tmp /tmp; chmod 1777 /tmp
mkdir -p /dev/pts /dev/shm; mount -t devpts pts /dev/pts; mount -t tmpfs shm /dev/shm
mount -t debugfs none /sys/kernel/debug; mount -t tracefs none /sys/kernel/tracing; mount -t bpf none /sys/fs/bpf
for module in af_packet veth tun inet_diag tcp_diag udp_diag mptcp_diag ipv6; do modprobe $module 2>/dev/null; done
ip link set lo up
cd /tmp
echo "=== begin $(uname -rm)"
sh /command
echo "=== status $?"
poweroff -f
"""


def machine(program):
    head = program.read_bytes()[:20]
    return int.from_bytes(head[18:20], "little")


def needed(program, root, triple, found):
    """The libraries that a program needs, as paths below `root`, without running anything of it."""
    text = subprocess.run(["readelf", "-d", "-l", program], capture_output=True, text=True, check=True).stdout
    names = re.findall(r"\(NEEDED\).*\[(.*)\]", text) + re.findall(r"interpreter: (.*)\]", text)
    return find(names, program, root, triple, found)


def find(names, program, root, triple, found):
    for name in names:
        folders = ("",) if name.startswith("/") else (f"lib/{triple}", f"usr/lib/{triple}", "lib", "usr/lib")
        places = [root / folder / name.lstrip("/") for folder in folders]
        path = next((place for place in places if place.exists()), None)
        if path is None:
            sys.exit(f"{program} needs {name}, which is not below {root}")
        if path not in found:
            found.append(path)
            needed(path, root, triple, found)
    return found


def copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def modules_of(unpacked, version, tree):
    base = next((path for path in unpacked.glob(f"**/lib/modules/{version}") if path.is_dir()), None)
    if base is None:
        sys.exit(f"no package has the modules of {version}")
    target = tree / "lib/modules" / version
    for module in (base / "kernel").rglob("*.ko*"):
        if str(module.relative_to(base / "kernel")).startswith(MODULES) and "netfilter" not in module.parts:
            copy(module, target / "kernel" / module.name)
    for packed in list(target.rglob("*.xz")) + list(target.rglob("*.zst")):
        subprocess.run(["xz" if packed.suffix == ".xz" else "zstd", "-qd", *([] if packed.suffix == ".xz" else ["--rm"]), packed], check=True)
    for index in base.glob("modules.[bo]*"):
        copy(index, target / index.name)
    subprocess.run(["/sbin/depmod", "-b", tree, version], check=True)


def version_of(kernel):
    """boot/vmlinuz-VERSION; where kernels lie beside their modules (Debian from 7 on), lib/modules/VERSION/vmlinuz or vmlinuz.unsigned."""
    return kernel.name.removeprefix("vmlinuz-") if kernel.parent.name == "boot" else kernel.parent.name


def boot(kernel, unpacked, options, folder):
    version = version_of(kernel)
    triple, emulator, console = ARCHITECTURES[machine(options.program)]
    tree = folder / version
    for name in ("bin", "sbin", "proc", "sys", "dev", "tmp", "root"):
        (tree / name).mkdir(parents=True)
    copy(options.root / "bin/busybox", tree / "bin/busybox")
    copy(options.program, tree / "bin/tcpwhy")
    # What it loads by itself where that is needed (src/base/library.h), it names.
    loaded = sorted(set(re.findall(rb"\0(lib[a-z]+\.so\.[0-9.]+)\0", options.program.read_bytes())))
    libraries = needed(options.program, options.root, triple, [])
    find([name.decode() for name in loaded], options.program, options.root, triple, libraries)
    for library in libraries:
        copy(library, tree / library.relative_to(options.root))
    shutil.copytree(pathlib.Path(__file__).parents[2] / "scenarios", tree / "scenarios")
    modules_of(unpacked, version, tree)
    (tree / "etc").mkdir()
    (tree / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/bin/sh\n")
    (tree / "command").write_text(options.command + "\n")
    (tree / "init").write_text(INIT)
    (tree / "init").chmod(0o755)
    image = folder / f"{version}.cpio"
    with open(image, "wb") as file:
        names = subprocess.run(["find", "."], cwd=tree, capture_output=True, check=True).stdout
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=tree, input=names, stdout=file, check=True)
    clock = ["-icount", f"shift={options.clock},sleep=off"] if options.clock is not None else []
    run = subprocess.run([*emulator, "-accel", "tcg,thread=single", *clock, "-m", "1500", "-smp", "2", "-kernel", kernel, "-initrd", image, "-append", f"console={console} quiet panic=-1 no_timer_check",
                          "-nographic", "-no-reboot", "-net", "none"], stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_SECONDS)
    said = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", run.stdout.decode(errors="replace").replace("\r", ""))
    begin, status = said.find("=== begin"), re.search(r"=== status (\d+)", said)
    print(said[max(begin, 0):status.end() if status else len(said)], flush=True)
    return status is not None and status.group(1) == "0"


def main():
    arguments = sys.argv[1:]
    command = []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, command = arguments[:at], arguments[at + 1:]
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("--program")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path("/"))
    parser.add_argument("--clock", type=int)
    parser.add_argument("packages", nargs="+", type=pathlib.Path)
    options = parser.parse_args(arguments)
    options.program = pathlib.Path(built.find(options.program))
    options.command = " ".join(command) or "tcpwhy demo --all --recorder bpf"
    if machine(options.program) not in ARCHITECTURES:
        sys.exit(f"{options.program}: neither x86-64 nor arm64")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        unpacked = folder / "packages"
        for package in options.packages:
            subprocess.run(["dpkg-deb", "-x", package, unpacked], check=True)
        kernels = sorted(unpacked.glob("**/vmlinuz*"))
        if not kernels:
            sys.exit("none of the packages has a kernel (boot/vmlinuz-VERSION, or lib/modules/VERSION/vmlinuz)")
        good = [boot(kernel, unpacked, options, folder) for kernel in kernels]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    os.environ["PATH"] += ":/sbin:/usr/sbin"
    main()
