"""What a watch adds up, held against what the load itself measured: how many connections there were and what became of them, what
the kernel counted as sent again, how long each connect() took. On a wire that loses segments, in a network of the test's own."""

import json
import subprocess

from support import Test, main, parse
from watching import LONG_S, Watching, lost_here

LOAD = """
import json, socket, sys, threading, time
COUNT, AT_ONCE, BYTES = 200, 50, 30000
def counters():
    found = {}
    for name in ("snmp", "netstat"):
        lines = open("/proc/self/net/" + name).read().splitlines()
        for head, values in zip(lines[::2], lines[1::2]):
            found.update(zip(head.split()[1:], map(int, values.split()[1:])))
    return found
def read(end, left):
    while left:
        left -= len(end.recv(65536))
def serve(peer):
    with peer:
        read(peer, BYTES)
        peer.sendall(bytes(BYTES))
        peer.recv(1)
def accept():
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
def one():
    client = socket.socket()
    client.bind(("127.0.0.1", 0))
    began = time.monotonic_ns()
    client.connect(server.getsockname())
    took[f"127.0.0.1:{client.getsockname()[1]}"] = time.monotonic_ns() - began
    with client:
        for _ in range(10):
            client.sendall(bytes(BYTES // 10))
        read(client, BYTES)
server, knocked, closed, took = socket.create_server(("127.0.0.1", 3333), backlog=512), socket.create_server(("127.0.0.1", 3334)), socket.socket(), {}
closed.bind(("127.0.0.1", 0))
threading.Thread(target=accept, daemon=True).start()
print(flush=True)
for word in map(str.strip, sys.stdin):
    if word == "knock":
        with socket.create_connection(knocked.getsockname()), knocked.accept()[0]:
            pass
        print(flush=True)
        continue
    took, before = {}, counters()
    for _ in range(COUNT // AT_ONCE):
        threads = [threading.Thread(target=one) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for _ in range(20):  # nobody listens there
        with socket.socket() as refused:
            assert refused.connect_ex(closed.getsockname())
    # All is over when nothing is on its way any more.
    while any(line.split()[3] not in ("0A", "06") for line in open("/proc/self/net/tcp").read().splitlines()[1:]):
        time.sleep(0.1)
    after = counters()
    print(json.dumps({"took": took, "refused": 20, "counters": {name: after[name] - before[name] for name in after}}), flush=True)
"""
# One of 23 SYNs, SYN,ACKs and segments of data, from and to the server; not of those that only find out whether the watch records.
LOSS = "add table inet loss; add chain inet loss in { type filter hook input priority 0; }; " + "; ".join(
    f"add rule inet loss in tcp {port} 3333 tcp flags & (fin|rst) == 0 tcp flags & (syn|psh) != 0 numgen inc mod 23 == 7 drop" for port in ("dport", "sport"))


class Totals(Test):
    def test_totals_are_those_of_the_load(self):
        words = f"ip link set lo up mtu 1500; nft '{LOSS}'; exec python3 -c \"$0\""
        load = subprocess.Popen(["unshare", "-n", "sh", "-ec", words, LOAD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="ascii")
        self.addCleanup(load.stdout.close)
        self.addCleanup(load.wait, LONG_S)
        self.addCleanup(load.kill)
        self.addCleanup(load.stdin.close)
        load.stdout.readline()

        def ask(word):
            load.stdin.write(word + "\n")
            load.stdin.flush()
            return load.stdout.readline()

        watching = Watching("--netns", f"/proc/{load.pid}/ns/net", "--format", "jsonl")
        self.addCleanup(watching.close)
        watching.begun(3334, lambda: ask("knock"))
        made = json.loads(ask("go"))
        for addr in made["took"]:
            watching.until(lambda line, addr=addr: '"ended"' in line and f'"{addr}"' in line)
        watching.end()
        lines = parse("\n".join(watching.lines))
        ended = {line["client"]["addr"]: line for line in lines if line["type"] == "ended"}
        totals = lines[-1]
        self.assertEqual(totals["type"], "watch_totals")
        self.assertEqual((lost_here(totals), totals["touched"], totals["given_up"], totals["open"]), ([], 0, 0, 0))
        ours = {addr: line for addr, line in ended.items() if addr in made["took"]}
        self.assertEqual(set(ours), set(made["took"]))
        others = len(ended) - len(ours)
        self.assertEqual(totals["connections"], len(ended))
        self.assertEqual(totals["outcomes"], {"closed": len(ours) + others - made["refused"], "refused": made["refused"]})
        self.assertEqual((sum(line["client"]["bytes"] for line in ours.values()), sum(line["server"]["bytes"] for line in ours.values())),
                         (30000 * len(ours),) * 2)
        self.check_sent_again(totals["sent_again"], ended, made["counters"])
        self.check_durations(totals["connect"], ended, made["took"])

    def check_sent_again(self, again, ended, counters):
        """Each kind as the kernel counts it."""
        self.assertGreater(counters["RetransSegs"], 50)
        self.assertEqual(sum(again.values()), counters["RetransSegs"], again)
        self.assertEqual(again.get("syn", 0) + again.get("syn-ack", 0), counters["TCPSynRetrans"], again)
        self.assertEqual(again.get("fast", 0), counters["TCPFastRetrans"] + counters["TCPSlowStartRetrans"], again)
        self.assertLessEqual(again.get("loss-probe", 0), counters["TCPLossProbes"], again)  # a probe may be new data
        self.assertEqual(sum(line["retransmissions"] for line in ended.values()), counters["RetransSegs"])

    def check_durations(self, spread, ended, took):
        ours = {addr: ended[addr] for addr in took}
        for addr, line in ours.items():  # connect() returns when it has the processor again: later
            self.assertLess(line["connect"], took[addr] + 1_000_000)
        self.assertEqual({addr for addr, line in ours.items() if line["connect"] > 900_000_000}, {addr for addr, ns in took.items() if ns > 900_000_000})
        order = sorted(line["connect"] for line in ended.values() if line["connect"] is not None)
        for name, percent in (("p50", 50), ("p90", 90), ("p99", 99)):
            exact = order[int(len(order) * percent / 100 + 0.9999) - 1]
            self.assertTrue(exact <= spread[name] <= exact * 9 / 8 + 1000, (name, exact, spread))
        self.assertEqual(spread["most"], order[-1])


if __name__ == "__main__":
    main()
