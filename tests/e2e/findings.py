"""No finding stands in a story that the story's own evidence refutes: each finding of each scenario of the catalogue, and of each stored run, is
held against the drops, queues, states, calls and chains beside it. A finding that no predicate looks at fails, too."""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import tempfile

from support import ROOT, Test, main, parse, run

MS, S = 10**6, 10**9
EVENTS = ROOT / "tests" / "golden" / "events"
STRONG = ("context", "stack")


class Told:
    """One connection: its lines, by kind."""

    def __init__(self, lines, conn, trace):
        of = [line for line in lines if line.get("conn") == conn]
        self.connection = next(line for line in of if line["type"] == "connection")
        self.kinds = {kind: [line for line in of if line["type"] == kind]
                      for kind in ("segment", "datagram", "call", "state", "exit", "finding")}
        self.segments, self.datagrams, self.calls = self.kinds["segment"], self.kinds["datagram"], self.kinds["call"]
        self.states = [s for s in self.kinds["state"] if s["source"] == "segments"]
        self.kernel = [s for s in self.kinds["state"] if s["source"] == "kernel"]
        self.watched = trace["recorder"] == "bpf"
        self.two_hosts = len(trace["vantages"]) > 1
        self.end = max([s["sent"] for s in self.segments] + [c["exit"] or 0 for c in self.calls] + [s["t"] for s in self.states])

    def steps(self, finding, kind, lines):
        found = []
        for step in finding["steps"]:
            if kind in step and not ("end" in step and kind != "state"):
                found += [line for line in lines if line.get(kind) == step[kind]]
        return found

    def proof_segments(self, finding):
        return self.steps(finding, "segment", self.segments)

    def proof_calls(self, finding):
        return self.steps(finding, "call", self.calls)

    def of(self, label, end=None):
        return [s for s in self.segments if s["label"] == label and end in (None, s["end"])]


def other(end):
    return "client" if end == "server" else "server"


def came(segment):
    return segment["received"] or segment["sent"]


def was_full(segment):
    queue = segment.get("queue")
    return queue and queue["accept"] > queue["accept_most"]


def asleep_accept(told, at):
    """accept() that had begun and was not over: the queue was empty."""
    return any(c["name"].startswith("accept") and c["enter"] and c["enter"] < at and (c["exit"] is None or c["exit"] > at)
               for c in told.calls if c["end"] == "server")


def option(told, end, name):
    """The last value that this end gave to an option; None: never."""
    values = [c["args"] for c in told.calls if c["end"] == end and c["name"] == "setsockopt" and c["ret"] == 0 and f" {name}," in (c["args"] or "")]
    return values[-1].rsplit(", ", 1)[1] if values else None


def acked(told, segment):
    """The peer acknowledged all of it, and that arrived."""
    end = segment["seq"] + segment["len"] + ("F" in segment["flags"]) + ("S" in segment["flags"])
    return any(s["end"] != segment["end"] and s["ack"] is not None and s["ack"] >= end and not s["lost"] and s["sent"] >= segment["sent"]
               and "R" not in s["flags"] for s in told.segments)


# Each says what in the story refutes the finding, or nothing.

def full_syn_queue(finding, told):
    syn = next((s for s in told.proof_segments(finding) if s["label"] == "SYN"), None)
    if not syn:
        return "no SYN is its proof"
    if not was_full(syn):
        return f"the listener's queue is known: {syn.get('queue')}"
    if asleep_accept(told, came(syn)):
        return "accept() was asleep: nothing waited in the queue"
    if syn.get("dropped") and syn["dropped"]["reason"] == "NETFILTER_DROP":
        return "a firewall dropped it"
    return None


def full_ack_queue(finding, told):
    ack = next((s for s in told.proof_segments(finding) if s["label"] == "ACK"), None)
    if not ack or not was_full(ack):
        return f"the listener's queue: {ack and ack.get('queue')}"
    return "accept() was asleep" if asleep_accept(told, came(ack)) else None


def reset_by_full_queue(finding, told):
    resets = [s for s in told.proof_segments(finding) if s["label"] == "RST"]
    if told.kinds["exit"] and any(e["end"] == "server" and e["t"] < resets[0]["sent"] for e in told.kinds["exit"]):
        return "the server's process had ended"
    chain = resets[0]["cause"].get("chain") or []
    acks = [s for s in told.proof_segments(finding) if s["label"] == "ACK"]
    if not any("tcp_check_req" in f for f in chain) and not any(was_full(a) for a in acks):
        return f"neither chain nor queue shows it: {chain}"
    return "accept() was asleep" if asleep_accept(told, came(acks[0])) else None


def unanswered_syn(finding, told):
    syn = told.proof_segments(finding)[0]
    if syn["lost"]:
        return "it was lost on the way"
    if syn.get("dropped"):
        return f"a kernel says why: {syn['dropped']}"
    if was_full(syn):
        return "the queue was full, and that is known"
    again = [s for s in told.of("SYN", syn["end"]) if s["sent"] > syn["sent"]]
    answers = [s for s in told.segments if s["end"] != syn["end"] and s["sent"] >= came(syn)]
    if answers and (not again or answers[0]["sent"] < again[0]["sent"]):
        return f"#{answers[0]['segment']} answers it"
    return None


def kernel_dropped(finding, told):
    first = told.proof_segments(finding)[0]
    dropped = first.get("dropped")
    return None if dropped and dropped["untaken"] and "NETFILTER" not in dropped["reason"] else f"dropped: {dropped}"


def black_hole(finding, told):
    syn = told.proof_segments(finding)[0]
    if [s for s in told.segments + told.datagrams if s["end"] != syn["end"] and not s["lost"]]:
        return "something came back"
    return "it arrived" if told.two_hosts and any(s["received"] for s in told.of("SYN", syn["end"])) else None


def by_firewall(finding, told):
    if "dropped" in finding["id"]:
        first = told.proof_segments(finding)[0]
        return None if first.get("dropped") and "NETFILTER" in first["dropped"]["reason"] else f"dropped: {first.get('dropped')}"
    reset = [s for s in told.proof_segments(finding) if s["label"] == "RST"][0]
    return None if any(f.startswith(("nf_", "nft_", "reject_")) for f in reset["cause"].get("chain") or []) else "the chain shows no firewall"


def refused(finding, told):
    if finding["text"].startswith("connect() failed with ECONNREFUSED"): # by its calls alone
        if told.segments:
            return "its segments were captured"
        return None if [c for c in told.proof_calls(finding) if c["errno"] == "ECONNREFUSED"] else "connect() says something else"
    reset = [s for s in told.proof_segments(finding) if s["label"] == "RST"][0]
    syn = told.of("SYN", "client")[0]
    if "no process listens on port" in finding["text"]:
        if any(f.startswith(("nf_", "nft_")) for f in reset["cause"].get("chain") or []):
            return "a firewall made the RST"
        if told.watched and told.two_hosts and reset["cause"]["name" if "name" in reset["cause"] else "kind"] == "made-on-the-way":
            return "the RST never left the server's host"
        listening = [s for s in told.states if s["end"] == "server" and s["to"] == "LISTEN" and s["t"] < syn["sent"]]
        left = [s for s in told.states if s["end"] == "server" and s["from"] == "LISTEN"]
        if listening and not left:
            return "the server is drawn in LISTEN"
    return None if told.connection["outcome"] == "refused" else f"the outcome is {told.connection['outcome']}"


def listens_elsewhere(finding, told):
    if "SO_BINDTODEVICE" in finding["text"]:
        return None if [c for c in told.calls if c["name"] == "listen" and c["listener"] and c["ret"] == 0] else "nobody listens"
    address = re.search(r"but on (\S+) alone, and the SYN was for ([^\s;]+)", finding["text"])
    return None if address and address[1] != address[2] else "the addresses are the same"


def despite_listener(finding, told):
    return "the listener's process had ended" if any(e["end"] == "server" for e in told.kinds["exit"]) else None


def listener_gone(finding, told):
    ack = [s for s in told.proof_segments(finding) if s["label"] == "ACK"][0]
    ends = [e["t"] for e in told.kinds["exit"] if e["end"] == "server"]
    ends += [c["exit"] for c in told.calls if c["end"] == "server" and c["name"] in ("close", "shutdown") and c["exit"]]
    return None if any(t <= came(ack) for t in ends) else "nothing ended it before"


def ignored_ack(finding, told):
    ack, again = told.proof_segments(finding)[:2]
    if ack["lost"] or ack.get("dropped") or was_full(ack):
        return f"it is known why: {ack.get('dropped')}, {ack.get('queue')}"
    return "it came only later" if came(ack) >= again["sent"] else None


def unanswered(finding, told):
    first = told.proof_segments(finding)[0]
    if acked(told, first):
        return "it was acknowledged"
    late = [s for s in told.segments if s["end"] != first["end"] and not s["lost"] and not s.get("dropped")
            and came(s) > first["sent"] + 200 * MS]
    if late:
        return f"#{late[0]['segment']} came from the peer"
    if finding["id"] == "user-timeout":
        limit = option(told, first["end"], "TCP_USER_TIMEOUT") or option(told, "server", "TCP_USER_TIMEOUT")
        return None if limit and int(limit) > 0 else "nobody set TCP_USER_TIMEOUT"
    if "the way lost" in finding["text"] and not first["lost"]:
        return "it arrived"
    return None


def silent_peer(finding, told):
    last = told.proof_segments(finding)[-1]
    late = [s for s in told.segments if s["end"] != last["end"] and not s["lost"] and came(s) > last["sent"]]
    if late:
        return f"#{late[0]['segment']} came from the peer"
    return "its window is closed" if last["class"] == "window-probe" else None


def closed_window(finding, told):
    first = told.proof_segments(finding)[0]
    last = told.proof_segments(finding)[-1]
    if first["window"]:
        return f"the window is {first['window']}"
    until = last["sent"] if last is not first else told.end
    between = [s for s in told.segments if s["end"] == first["end"] and first["sent"] < s["sent"] < until and s["window"] and "S" not in s["flags"]]
    reads = [c for c in told.calls if c["end"] == first["end"] and c["name"].startswith(("recv", "read")) and c["exit"] and (c["ret"] or 0) > 0
             and first["sent"] < c["exit"] < until]
    if between:
        return f"#{between[0]['segment']} offers a window"
    return "it did read" if reads and "read nothing" in finding["text"] else None


def nagle(finding, told):
    first, ack, second = told.proof_segments(finding)[:3]
    if option(told, second["end"], "TCP_NODELAY") == "1":
        return "TCP_NODELAY is set"
    if second["cause"]["kind"] == "call" and second["cause"]["evidence"] in STRONG:
        call = next(c for c in told.calls if c["call"] == second["cause"]["call"])
        if call["enter"] and call["enter"] > came(ack):
            return "it was written only after the ACK"
    if ack["len"] or ack["end"] == first["end"]:
        return "it is no pure ACK of the peer"
    if ack["cause"]["kind"] == "segment" and ack["cause"]["evidence"] == "stack":
        return "the kernel shows that the ACK was not delayed"
    return None


def slow_answer(finding, told):
    request, answer = told.proof_segments(finding)[:2]
    between = [s for s in told.segments if request["segment"] < s["segment"] <= answer["segment"] and s["retransmission"]]
    if between or request["lost"]:
        return "something was sent again between"
    if told.two_hosts and request["received"] and answer["sent"] - request["received"] < 500 * MS:
        return "it was quick"
    return None


def gave_up(finding, told):
    request, end = told.proof_segments(finding)[:2]
    if "F" not in end["flags"] and "R" not in end["flags"]:
        end = next(s for s in told.segments if s["end"] == "client" and set(s["flags"]) & set("FR"))
    came_back = [s for s in told.segments if s["end"] == "server" and s["len"] and request["sent"] < came(s) < end["sent"]]
    return "something came back" if came_back else None


def half_closed(finding, told):
    fin = next(s for s in told.proof_segments(finding) if "F" in s["flags"])
    if [s for s in told.of("RST", fin["end"]) if s["sent"] > fin["sent"]]:
        return "it answered with RST"
    calls = [c for c in told.proof_calls(finding) if c["name"] == "shutdown" and "SHUT_WR" not in c["args"]]
    return f"{calls[0]['args']}" if calls else None


def close_wait(finding, told):
    end = "client" if finding["text"].startswith("the client stay") else "server"
    fins = told.of("FIN", end)
    closes = [c for c in told.calls if c["end"] == end and c["name"] == "close" and not c["listener"] and c["exit"] and c["ret"] == 0]
    if fins and not [f for f in fins if f["cause"]["kind"] == "exit"]:
        return "its FIN went out by a call"
    return None if not fins or closes or fins[0]["cause"]["kind"] == "exit" else "the end closed"


def idle_close_wait(finding, told):
    fin = told.proof_segments(finding)[0]
    return "it closed" if told.of("FIN", other(fin["end"])) or told.of("RST") else None


def not_last(finding, told):
    call = told.proof_calls(finding)[0]
    sent = [s for s in told.segments if s["cause"].get("call") == call["call"]]
    return f"it sent #{sent[0]['segment']}" if sent else None


def unread_reset(finding, told):
    reset = told.proof_segments(finding)[-1]
    taken = sum(c["ret"] for c in told.calls if c["end"] == reset["end"] and c["name"].startswith(("recv", "read")) and (c["ret"] or 0) > 0
                and c["exit"] <= reset["sent"] and "MSG_PEEK" not in (c["args"] or ""))
    sent = max([s["seq"] + s["len"] - 1 for s in told.segments if s["end"] != reset["end"] and s["len"] and came(s) <= reset["sent"]] or [0])
    return "all had been read" if taken >= sent else None


def lingering(finding, told):
    end = (told.proof_segments(finding) or told.proof_calls(finding))[0]["end"]
    value = option(told, end, "SO_LINGER")
    return None if value else "SO_LINGER is not set"


def closed_listener(finding, told):
    calls = [c for c in told.proof_calls(finding) if c["name"] in ("close", "shutdown")]
    if not calls:
        return "no call on the listener is its proof"
    took = [c for c in told.calls if c["name"].startswith("accept") and (c["ret"] or -1) >= 0 and c["exit"] and c["exit"] <= calls[0]["exit"]]
    return "it had been accepted" if took else None


def late_data(finding, told):
    fin, data, reset = told.proof_segments(finding)[:3]
    knew = data["ack"] == fin["seq"] + fin["len"] + 1
    if fin["end"] != reset["end"] or data["end"] == reset["end"]:
        return "the ends do not fit"
    return None if knew == (finding["id"] == "reset-late-data") else f"data #{data['segment']} acknowledges {data['ack']}"


def old_duplicate(finding, told):
    return None if acked(told, told.proof_segments(finding)[0]) else "what it carries was never acknowledged"


def ignored_reset(finding, told):
    reset = told.proof_segments(finding)[0]
    ended = [s for s in told.states if s["end"] != reset["end"] and s["to"] == "CLOSED" and s["cause"].get("segment") == reset["segment"]]
    back = [s for s in told.states if s["end"] != reset["end"] and s["from"] == "CLOSED"]  # what the story took back
    return "it ended its receiver" if ended and not back else None


def forged_reset(finding, told):
    reset, on, *answer = told.proof_segments(finding)
    if on["end"] != reset["end"] or any(segment["end"] == reset["end"] for segment in answer):
        return "its sender, or its receiver, is another"
    said = [s for s in told.segments if s["end"] != reset["end"] and s["segment"] > reset["segment"] and s["flags"] != "R"]
    return f"its receiver still speaks: #{said[0]['segment']}" if said else None


def unowned_reset(finding, told):
    reset = told.proof_segments(finding)[-1]
    said = [s for s in told.segments if s["end"] == reset["end"] and s["segment"] > reset["segment"] and s["flags"] != "R"]
    ended = [s for s in told.segments if s["segment"] < reset["segment"] and set(s["flags"]) & set("FR")]
    # what made a listener is shown with each connection to its port
    calls = [c for c in told.calls if c["end"] == reset["end"] and c["name"] not in ("socket", "bind", "listen")]
    if reset["cause"]["kind"] != "unknown" or calls:
        return "it is known who made it"
    return "its sender goes on" if said else "the connection was over" if ended else None


def leaping(finding, told):
    (to,) = told.proof_segments(finding)
    before = [s for s in told.segments if s["segment"] < to["segment"] and s["end"] == to["end"] and "R" not in s["flags"]]
    near = [s for s in before if (to["seq_absolute"] - s["seq_absolute"]) % 2**32 <= 2**24]
    return "its end was there already" if near or "S" in to["flags"] or not before else None


def epipe(finding, told):
    call = told.proof_calls(finding)[-1]
    shut = [c for c in told.calls if c["end"] == call["end"] and c["name"] == "shutdown" and c["ret"] == 0 and "SHUT_RD" != c["args"].split(", ")[1]
            and c["exit"] <= call["exit"]]
    if call["errno"] != "EPIPE":
        return f"it failed with {call['errno']}"
    return None if bool(shut) == (finding["id"] == "epipe-after-shutdown") else f"shutdown() before it: {bool(shut)}"


def half_open_reset(finding, told):
    lost = [s for s in told.proof_segments(finding) if s["label"] == "RST" and s["lost"]]
    return None if lost else "no RST was lost"


def fin_wait_2(finding, told):
    reset = told.proof_segments(finding)[-1]
    passed = [s for s in told.states if s["end"] == reset["end"] and s["to"] == "FIN_WAIT_2" and s["t"] < reset["sent"]]
    return None if passed else "that end was never in FIN_WAIT_2"


def assassinated(finding, told):
    if not told.watched:
        return None
    ended = [s for s in told.states if s["from"] == "TIME_WAIT" and s["to"] == "CLOSED"]
    return None if ended and ended[0]["cause"]["evidence"] in STRONG else "no kernel was seen to end it"


def time_wait_answer(finding, told):
    ack = told.proof_segments(finding)[-1]
    before = [s["to"] for s in told.states if s["end"] == ack["end"] and s["t"] <= ack["sent"]]
    return None if before and before[-1] in ("TIME_WAIT", "CLOSED") and "TIME_WAIT" in before else f"it was in {before[-1:]}"


def simultaneous_close(finding, told):
    fins = {s["end"]: s for s in reversed(told.of("FIN"))}
    crossed = [s for s in told.states if s["to"] == "CLOSING"]
    return None if len(fins) == 2 and crossed else "no end was in CLOSING"


def simultaneous_open(finding, told):
    return None if told.of("SYN", "client") and told.of("SYN", "server") else "only one end sent a SYN"


def late_accept(finding, told):
    call = told.proof_calls(finding)[-1]
    ack = told.proof_segments(finding)
    return "accept() was asleep already" if ack and call["enter"] and call["enter"] < came(ack[0]) else None


def cookie(finding, told):
    changes = [s for s in told.kernel if any("cookie" in f for f in s["cause"].get("chain") or [])]
    return None if changes or told.watched else "no chain shows it"


def deferred(finding, told):
    return None if option(told, "server", "TCP_DEFER_ACCEPT") not in (None, "0") else "TCP_DEFER_ACCEPT is not set"


def fast_open(finding, told):
    syn = told.of("SYN")[0]
    answer = told.of("SYN-ACK", other(syn["end"]))
    taken = answer and answer[0]["ack"] > 1
    if finding["id"] == "fast-open-cookie":
        return "the SYN carries data" if syn["len"] else None
    if finding["id"] == "fast-open-not-taken":
        return "all of it was taken" if taken and answer[0]["ack"] > syn["len"] else None
    return None if syn["len"] else "the SYN carries nothing"


def retransmitted(finding, told):
    return None if [s for s in told.segments if s["retransmission"]] else "nothing was sent again"


def duplicated(finding, told):
    return None if [s for s in told.segments if s["copy"]] else "nothing came twice"


def lost_on_the_way(finding, told):
    end = "client" if finding["id"].endswith("server") else "server"
    return None if [s for s in told.segments if s["end"] == end and s["lost"]] else "nothing of it was lost"


def not_sent(finding, told):
    first = told.proof_segments(finding)[0]
    return "its host's kernel was seen to send it" if first["cause"]["evidence"] == "stack" else None


def killed(finding, told):
    return None if any(e["signal"] for e in told.kinds["exit"]) else "nobody was killed"


def by_exec(finding, told):
    return None if any(c["name"].startswith("execve") for c in told.proof_calls(finding)) else "no execve()"


def by_disconnect(finding, told):
    return None if any(c["name"] == "connect" and "AF_UNSPEC" in (c["args"] or "AF_UNSPEC") for c in told.proof_calls(finding)) else "no such call"


def orphan(finding, told):
    end = "client" if "client's" in finding["text"] else "server"
    later = [c for c in told.calls if c["end"] == end and not c["listener"] and c["enter"] and c["name"] not in ("socket", "connect")
             and c["enter"] > max(s["sent"] for s in told.of("FIN", end)) and (c["ret"] or 0) >= 0 and c["name"] != "close"]
    return f"{later[0]['name']}() still used it" if later else None


def address_taken(finding, told):
    call = told.proof_calls(finding)[0]
    return None if call["name"] == "bind" and call["errno"] == "EADDRINUSE" else "bind() did not say so"


def clipped(finding, told):
    listen = next((c for c in told.proof_calls(finding) if c["name"] == "listen"), None)
    full = next((s for s in told.proof_segments(finding) if was_full(s)), None)
    if not listen or not full:
        return "no listen(), or no segment that met a full queue, is its proof"
    return None if int(listen["args"].rsplit(", ", 1)[1]) > full["queue"]["accept_most"] else "the queue is as long as was asked for"


def destroyed(finding, told):
    reset = told.proof_segments(finding)[0]
    if (reset["cause"]["kind"], reset["cause"].get("name"), reset["cause"]["evidence"]) != ("kernel", "destroyed", "stack"):
        return f"its RST was made otherwise: {reset['cause']}"
    ended = [c for c in told.calls if c["end"] == reset["end"] and c["name"] in ("close", "shutdown") and c["enter"] and c["enter"] < reset["sent"]]
    return "its own process had closed it" if ended else None


def keepalive_off(finding, told):
    used = told.proof_segments(finding)[0]
    if option(told, used["end"], "SO_KEEPALIVE") not in (None, "0"):
        return "SO_KEEPALIVE is set"
    if acked(told, used):
        return "what was sent then was acknowledged"
    before = [came(s) for s in told.segments if s["sent"] < used["sent"]]
    return None if before and used["sent"] - max(before) >= 5 * S else "it had not been idle"


def portless(finding, told):
    """The connect() stands beside the stories; here is the end that held the port."""
    held = [step for step in finding["steps"] if step.get("end") == "client"]
    return None if held and held[0]["state"] != "CLOSED" else "no state of the client's is its proof"


def named(finding, told):
    questions = [d for d in told.datagrams if d["end"] == "client" and not d["icmp"]]
    answers = [d for d in told.datagrams if d["end"] == "server" and not d["icmp"]]
    if not told.connection["server"]["addr"].endswith(":53") or not questions:
        return "nothing was asked of a name server"
    if finding["id"] == "name-lookup-slow":
        return None if any(came(a) - questions[0]["sent"] >= 500 * MS for a in answers) else "each answer came at once"
    return "it was answered" if answers and finding["text"].startswith("no answer") and answers[-1]["sent"] > questions[-1]["sent"] else None


def self_connected(finding, told):
    return None if told.connection["client"]["addr"] == told.connection["server"]["addr"] else "the ends differ"


def joined(finding, told):
    call = told.proof_calls(finding)[0]
    size = sum(s["len"] for s in told.segments if s["end"] != call["end"] and s["len"] and not s["retransmission"] and not s["copy"]
               and told.proof_segments(finding)[0]["segment"] <= s["segment"] <= told.proof_segments(finding)[-1]["segment"])
    return None if size == call["ret"] else f"these segments carry {size} bytes, the call took {call['ret']}"


def unconfirmed(finding, told):
    return "it was acknowledged" if acked(told, told.proof_segments(finding)[0]) else None


def partial(finding, told):
    call = told.proof_calls(finding)[0]
    asked = int(call["args"].split(", ")[2])
    return None if 0 < call["ret"] < asked else f"{call['ret']} of {asked}"


def shut_read(finding, told):
    call = told.proof_calls(finding)[0]
    sent = [s for s in told.segments if s["cause"].get("call") == call["call"]]
    return f"it sent #{sent[0]['segment']}" if sent or "SHUT_RD" not in call["args"].split(", ") else None


def icmp(finding, told):
    errors = [d for d in told.datagrams if d.get("icmp")]
    if not errors:
        return "there is no ICMP error"
    if finding["id"] == "icmp-refused" and told.of("SYN-ACK"):
        return "the SYN was answered"
    if finding["id"] == "icmp-too-big" and not [e for e in errors if e["icmp"] in ("fragmentation needed", "packet too big")]:
        return "none says so"
    if finding["id"] == "udp-unreachable" and "no process has a UDP socket on port" in finding["text"] and "or a firewall" not in finding["text"]:
        return "a firewall made it" if errors[0]["cause"]["kind"] == "kernel" else None
    return None


def one_way(finding, told):
    missing = re.search(r"nothing of the (client|server) was captured", finding["text"])[1]
    return "it was captured" if [s for s in told.segments if s["end"] == missing] else None


def missed_fin(finding, told):
    ack = told.proof_segments(finding)[0]
    last = ack["ack_absolute"] - 1
    behind = [s for s in told.segments if s["end"] != ack["end"] and s["len"] + ("F" in s["flags"]) + ("S" in s["flags"])
              and (s["seq_absolute"] + s["len"] - last - 1) % 2**32 < 2**31]
    return f"#{behind[0]['segment']} carries it, or what follows" if behind else None


def reused(finding, told):
    return None if told.of("SYN") else "no SYN"


def forgotten(finding, told):
    taken = [s for s in told.kernel if s["end"] == "server" and s["to"] == "ESTABLISHED"]
    return "the kernel reports it as ESTABLISHED" if taken else None


def challenged(finding, told):
    syn = told.proof_segments(finding)[0]
    answered = [s for s in told.of("SYN-ACK", other(syn["end"])) if s["sent"] < syn["sent"]]
    return "it had been answered" if answered else None


def needs_no_more(finding, told):
    """It only repeats what its steps show: nothing beside them could refute it, but without steps nothing shows it."""
    return None if finding["steps"] else "no step is its proof"


REFUTES = {
    "accept-late": late_accept,
    "ack-dropped-full-queue": full_ack_queue,
    "address-in-use": address_taken,
    "backlog-clipped": clipped,
    "black-hole": black_hole,
    "capture-missed-client": needs_no_more,
    "capture-missed-server": needs_no_more,
    "client-gave-up": gave_up,
    "close-not-last": not_last,
    "close-wait-idle": idle_close_wait,
    "close-wait-leak": close_wait,
    "closed-by-exec": by_exec,
    "closed-by-signal": killed,
    "closed-listener": closed_listener,
    "data-unanswered": unanswered,
    "deferred-accept": deferred,
    "destroyed-from-outside": destroyed,
    "duplicated": duplicated,
    "epipe-after-rst": epipe,
    "epipe-after-shutdown": epipe,
    "fast-open": fast_open,
    "fast-open-cookie": fast_open,
    "fast-open-not-taken": fast_open,
    "fin-maybe-missed": missed_fin,
    "fin-unanswered": unanswered,
    "fin-wait-2-timeout": fin_wait_2,
    "firewall-dropped": by_firewall,
    "half-close": half_closed,
    "half-open-forgotten": forgotten,
    "half-open-rst": half_open_reset,
    "handshake-ack-ignored": ignored_ack,
    "icmp-refused": icmp,
    "icmp-too-big": icmp,
    "icmp-unreachable": icmp,
    "keepalive-dead": silent_peer,
    "keepalive-off": keepalive_off,
    "linger-blocked": lingering,
    "linger-zero": lingering,
    "listener-gone": listener_gone,
    "kernel-dropped": kernel_dropped,
    "listens-elsewhere": listens_elsewhere,
    "lost-to-client": lost_on_the_way,
    "lost-to-server": lost_on_the_way,
    "nagle-delayed-ack": nagle,
    "name-lookup-failed": named,
    "name-lookup-slow": named,
    "no-arrow": needs_no_more,
    "no-port-left": portless,
    "numbers-leap": leaping,
    "one-direction": one_way,
    "orphaned-socket": orphan,
    "partial-write": partial,
    "peer-silent": silent_peer,
    "refused": refused,
    "refused-by-firewall": by_firewall,
    "refused-despite-listener": despite_listener,
    "reset-by-disconnect": by_disconnect,
    "reset-by-firewall": by_firewall,
    "reset-crossed": late_data,
    "reset-forged": forged_reset,
    "reset-unowned": unowned_reset,
    "reset-from-between": not_sent,
    "reset-full-queue": reset_by_full_queue,
    "reset-ignored": ignored_reset,
    "reset-late-data": late_data,
    "reset-old-duplicate": old_duplicate,
    "reset-unread-data": unread_reset,
    "retransmitted": retransmitted,
    "self-connect": self_connected,
    "send-unconfirmed": unconfirmed,
    "several-sights": needs_no_more,
    "shutdown-read": shut_read,
    "simultaneous-close": simultaneous_close,
    "simultaneous-open": simultaneous_open,
    "slow-answer": slow_answer,
    "split-handshake": simultaneous_open,
    "stray": needs_no_more,
    "stream-joined": joined,
    "syn-challenged": challenged,
    "syn-cookies": cookie,
    "syn-data": fast_open,
    "syn-dropped-full-queue": full_syn_queue,
    "syn-unanswered": unanswered_syn,
    "time-wait-answers": time_wait_answer,
    "time-wait-assassination": assassinated,
    "time-wait-reuse": reused,
    "translated": needs_no_more,
    "two-places": needs_no_more,
    "udp-unreachable": icmp,
    "unsent-client": not_sent,
    "unsent-server": not_sent,
    "user-timeout": unanswered,
    "zero-window": closed_window,
}


# The kernel's words for states of closing that it reports whenever a socket comes to them, and the RFC's.
CLOSING_STATES = {"FIN_WAIT1": "FIN_WAIT_1", "CLOSE_WAIT": "CLOSE_WAIT", "LAST_ACK": "LAST_ACK", "CLOSING": "CLOSING"}


def other_states(told):
    """Ends that are told to close in another way than the kernel said, as sentences. Only where it said something of that end."""
    said = []
    for end in ("client", "server"):
        kernel = [s for s in told.kernel if s["end"] == end]
        reported = [CLOSING_STATES[s["to"]] for s in kernel if s["to"] in CLOSING_STATES and s["to"] != s["from"]]
        seen = [s["to"] for s in told.states if s["end"] == end and s["to"] in CLOSING_STATES.values()]
        if kernel and seen != reported:
            said.append(f"the {end} is told to be in {seen}, and the kernel reported {reported}")
    return said


def refutations(text, where):
    """What is refuted in these event lines, as sentences; and how many findings there were."""
    lines = parse(text)
    trace = next(line for line in lines if line["type"] == "trace")
    said, found = [], 0
    for conn in [line["conn"] for line in lines if line["type"] == "connection"]:
        told = Told(lines, conn, trace)
        said += [f"{where}, connection {conn}: {why}" for why in other_states(told)]
        for finding in told.kinds["finding"]:
            found += 1
            why = REFUTES[finding["id"]](finding, told) if finding["id"] in REFUTES else "nothing here looks at this id"
            if why:
                said.append(f"{where}, connection {conn}: {finding['id']} ({finding['text'][:90]}…) is refuted: {why}")
    return said, found


def forge(text, finding_id, labels, calls=()):
    """The same lines with one finding more: of connection 1, with the first segment of each label (and call of each name) as its proof."""
    lines = parse(text)
    steps = [{"segment": next(s["segment"] for s in lines if s["type"] == "segment" and s["label"] == label)} for label in labels]
    steps += [{"call": next(c["call"] for c in lines if c["type"] == "call" and c["name"] == name)} for name in calls]
    trace = next(line for line in lines if line["type"] == "trace")
    told = Told(lines, 1, trace)
    finding = {"type": "finding", "conn": 1, "id": finding_id, "severity": "error", "text": "no process listens on port", "steps": steps}
    return REFUTES[finding_id](finding, told)


class Stored(Test):
    def test_each_id_has_its_predicate(self):
        table = (ROOT / "src" / "story" / "finding_ids.c").read_text()
        self.assertEqual(sorted(REFUTES), re.findall(r'^    "([a-z0-9-]+)",$', table, re.M))

    def test_no_finding_of_a_stored_run_is_refuted(self):
        said, found = [], 0
        for path in sorted(EVENTS.glob("*.events")):
            result = run("read", str(path), "--format", "jsonl", "--quiet")
            self.assertEqual(result.returncode, 0, self.explain(result))
            more, count = refutations(result.stdout, path.stem)
            said += more
            found += count
        self.assertEqual(said, [])
        self.assertGreater(found, 20)


class Captures(Test):
    """Captures without any call or kernel: fewer findings, and those that are right."""

    RIGHT = {
        "client-direction-only": ["fin-maybe-missed", "one-direction"],
        "fin-again-12s-after-close": ["time-wait-answers"],
        "fin-again-200ms-after-close": ["time-wait-answers"],
        "fin-first-of-the-server": ["fin-maybe-missed"],
        "fin-maybe-missed-before-fin": ["fin-maybe-missed"],
        "fin-missed-and-acknowledged-alone": ["fin-maybe-missed"],
        "fin-unheard-for-a-minute": ["simultaneous-close"],
        "fins-cross-and-one-is-lost": ["simultaneous-close"],
        "fins-cross-at-the-client": ["simultaneous-close"],
        "fins-cross-at-the-server": ["simultaneous-close"],
        "data-behind-a-fin": ["no-arrow"],
        "four-interfaces": ["several-sights"],
        "gap-in-both-directions": ["numbers-leap"],
        "half-open-of-before-is-reset": ["syn-challenged"],
        "icmp-port-unreachable": ["icmp-refused"],
        "idle-for-ten-hours": ["reset-unowned"],
        "k8s-invalid": ["reset-unowned", "stray"],
        "last-ack-answered-with-rst": ["time-wait-assassination"],
        "lower-syn-in-time-wait": ["time-wait-reuse"],
        "mirrored-a-millisecond-later": ["two-places"],
        "mirrored-without-identification": ["several-sights"],
        "old-rst-first-then-life": ["reset-ignored"],
        "old-rst-long-before": ["reset-ignored"],
        "one-direction-client-rst": ["one-direction"],
        "opened-back-out-of-time-wait": ["time-wait-reuse"],
        "pmtu": ["icmp-too-big"],
        "probe-bytes-taken": ["zero-window"],
        "numbers-that-leap": ["numbers-leap"],
        "reset-by-a-box": ["reset-forged"],
        "reset-by-a-router": ["reset-unowned"],
        "reset-by-a-box-before-the-handshake-was-seen": ["reset-forged"],
        "refused-and-nothing-crossed": ["refused"],
        "refused-and-then-answered": ["refused-despite-listener"],
        "request-crosses-fin": ["reset-crossed"],
        "routed-sights-without-identification": ["several-sights"],
        "reused-out-of-time-wait": ["time-wait-reuse"],
        "rst-in-window": ["reset-ignored"],
        "server-direction-alone": ["fin-maybe-missed", "one-direction"],
        "simultaneous-close-at-client": ["simultaneous-close"],
        "simultaneous-open": ["simultaneous-open"],
        "split-handshake": ["split-handshake"],
        "syn-again-after-rst": ["refused"],
        "syn-repeated-after-rst-same-isn": ["refused"],
        "syn-in-mid-life-challenged": ["syn-challenged"],
        "syns-that-are-questioned": ["syn-challenged"],
        "syn-with-fin-taken": ["syn-data"],
        "teredo": ["fin-maybe-missed", "fin-maybe-missed", "one-direction", "one-direction"],
        "tfo-data-not-taken": ["fast-open", "fast-open-not-taken"],
        "tfo-data-taken-in-part": ["fast-open-not-taken", "syn-data"],
        "unanswered-after-one-was-answered": ["black-hole"],
        "unanswered-but-the-next-is-answered": ["syn-unanswered"],
        "window-taken-back-then-probes": ["zero-window"],
        "zwp-linux": ["zero-window"],
        "syn-acks-cross": ["simultaneous-open"],
    }

    def test_each_has_the_findings_that_are_right_and_no_other(self):
        captures = sorted((ROOT / "tests" / "inputs").glob("*.pcap"))
        self.assertGreaterEqual(len(captures), len(self.RIGHT))
        for capture in captures:
            with self.subTest(capture.stem):
                result = run("read", str(capture), "--conn", "1-", "--format", "jsonl", "--quiet")
                found = [line["id"] for line in parse(result.stdout) if line["type"] == "finding" and line["id"] != "retransmitted"]
                self.assertEqual(sorted(found), self.RIGHT.get(capture.stem, []))
                self.assertEqual(refutations(result.stdout, capture.stem)[0], [])


class Played(Test):
    """The catalogue, played once for all that is looked at: a pool, for its scenarios wait more than they work."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        names = sorted(path.stem for path in pathlib.Path(ROOT / "scenarios").glob("*.scn"))
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            cls.results = dict(zip(names, pool.map(cls.play, names)))
        cls.missing = [name for name, result in cls.results.items() if result.returncode == 3]

    @classmethod
    def play(cls, name):
        return run("demo", name, "--format", "jsonl", "-o", f"{cls.folder.name}/{name}.events", timeout=120)

    def test_the_catalogue_is_met_and_no_finding_of_it_is_refuted(self):
        said, found = [], 0
        for name, result in self.results.items():
            if name in self.missing:
                continue
            if result.returncode:
                said.append(f"{name}: status {result.returncode}: {result.stderr}")
            more, count = refutations(result.stdout, name)
            said += more
            found += count
        self.assertEqual(said, [])
        self.assertLessEqual(len(self.missing), 3, f"io_uring, MPTCP and nft may be missing: {self.missing}")
        self.assertGreater(found, 100)

    def test_every_lesson_fits_a_screen_of_24_lines(self):
        """A row has the size of its lesson in the language that needs the most, by the very function that `demo --all` asks."""
        names = [name for name in self.results if name not in self.missing]
        told = subprocess.run([os.environ["LESSON_SIZE"], self.folder.name, *names], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(told.returncode, 0, told.stderr)
        sizes = {name: (int(rows), int(columns)) for name, rows, columns in (line.split() for line in told.stdout.splitlines())}
        self.assertEqual(list(sizes), names)
        drawn = {name: size for name, size in sizes.items() if size[0]}
        self.assertGreater(len(drawn), len(names) - 5)
        for name, (rows, columns) in drawn.items():
            with self.subTest(scenario=name):
                self.assertLessEqual(rows, 22)
                self.assertGreaterEqual(rows, 5)
                self.assertLessEqual(columns, 80)

    def test_what_was_said_wrongly_once_is_refuted(self):
        for name, finding_id, labels in (
                ("path-dies", "syn-dropped-full-queue", ["SYN"]),
                ("fin-never-acknowledged", "syn-dropped-full-queue", ["SYN"]),
                ("firewall-drop", "syn-dropped-full-queue", ["SYN"]),
                ("firewall-drop", "syn-unanswered", ["SYN"]),
                ("killed-in-handshake", "reset-full-queue", ["ACK", "RST"]),
                ("firewall-reset", "refused", ["RST"]),
                ("echo", "data-unanswered", ["data"]),
                ("echo", "send-unconfirmed", ["data"]),
                ("syn-lost", "syn-unanswered", ["SYN"]),
                ("path-dies", "user-timeout", ["data"]),
                ("nagle-switched-off", "nagle-delayed-ack", ["data", "ACK", "data"]),
                ("request-crosses-fin", "reset-late-data", ["FIN", "data", "RST"]),
                ("echo", "simultaneous-close", ["FIN"]),
                ("two-writes-two-reads", "retransmitted", ["data"])):
            with self.subTest(f"{finding_id} in {name}"):
                self.assertIsNotNone(forge(self.results[name].stdout, finding_id, labels))


if __name__ == "__main__":
    main()
