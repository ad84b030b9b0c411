"""Other tools that watch the same rounds, for bench/run and bench/watch: those that trace a command, and those that run beside it."""
import shutil
import signal
import subprocess

STRACE = ["strace", "-f", "--seccomp-bpf", "-e", "trace=network,close", "-o", "/dev/null"]
STRACE_IO = [word.replace("close", "close,read,write") for word in STRACE]
# How each says that it has begun: a line on standard error, or the heading of its table.
TOOLS = {
    "tcpdump": (["tcpdump", "-i", "lo", "-U", "-w", "/dev/null", "tcp"], "listening on"),
    "tcplife": (["stdbuf", "-oL", "tcplife-bpfcc"], "PID"),
    "tcpstates": (["stdbuf", "-oL", "tcpstates-bpfcc"], "SKADDR"),
}


class Tool:
    """One that runs beside the rounds. `why_not` says why it can't; else it has begun."""

    def __init__(self, name):
        command, sign = TOOLS[name]
        self.why_not, self.process = "", None
        if not shutil.which(command[-1] if command[0] == "stdbuf" else command[0]):
            self.why_not = "is not installed"
            return
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = []
        for line in self.process.stdout:
            if sign in line:
                break
            said.append(line.strip())
        else:
            self.process.wait()
            self.why_not = "does not load here: " + next((line for line in said if "kernel headers" in line), (said or ["it says nothing"])[-1])

    def end(self):
        """What it says of its losses; what it told besides is thrown away."""
        self.process.send_signal(signal.SIGINT)
        said = self.process.communicate()[0].splitlines()
        return next((line for line in said if "dropped by kernel" in line), "")
