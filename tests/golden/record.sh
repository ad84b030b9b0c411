#!/bin/sh
# record.sh PROGRAM [NAME…]: records the stored runs of this folder anew, as root (for bpf). All, or those named.
# Afterwards: run.py --regenerate PROGRAM, and read the difference before you believe it.
set -eu
program=$1
shift
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

record() {
    name=$1
    shift
    if [ -n "$wanted" ]; then
        case " $wanted " in *" $name "*) ;; *) return 0 ;; esac
    fi
    # A refused connection is a story too: the demo's status does not count here.
    "$program" demo --quiet -o "$here/events/$name.events" "$@" || true
    echo "recorded $name"
}

wanted=$*
record echo --recorder bpf
record echo-ptrace --recorder ptrace
record echo-none --recorder none
record server-first --recorder bpf --close-first server
record accept-late --recorder bpf --accept-delay 300
record ipv6 --recorder bpf -6
record fork --recorder bpf --serve fork
record epoll --recorder bpf --serve epoll
record epoll-ptrace --recorder ptrace --serve epoll
record clients --recorder bpf --clients 3
record udp --recorder bpf --udp
record udp-closed --recorder bpf --udp --closed-port
record refused --recorder bpf --closed-port
record refused-ptrace --recorder ptrace --closed-port
record hostile --recorder ptrace --name "$(printf 'a\033[31m\nb"<')"
# Scenarios of the catalogue, with a wire that does something: two vantages, and segments that come late or never.
record scene-syn-lost --recorder bpf syn-lost
record scene-black-hole --recorder bpf black-hole
record scene-simultaneous-open --recorder bpf simultaneous-open
record scene-simultaneous-close --recorder bpf simultaneous-close
record scene-fin-lost --recorder bpf fin-lost
record scene-keepalive --recorder bpf peer-vanishes-keepalive
record scene-half-open-forgotten --recorder bpf half-open-forgotten
record scene-half-open-forgotten-ptrace --recorder ptrace half-open-forgotten
record scene-abort-in-closing --recorder bpf abort-in-closing
record scene-reset-in-syn-rcvd --recorder bpf reset-in-syn-rcvd
record scene-time-wait-assassination --recorder bpf time-wait-assassination
# What the catalogue cannot stage: how segments are let go and sent again, and a firewall that answers.
record scene-loss-recovery --recorder bpf "$here/scenes/loss-recovery.scn"
record scene-fast-retransmission --recorder bpf "$here/scenes/fast-retransmission.scn"
record scene-paced --recorder bpf "$here/scenes/paced.scn"

behind_firewall() {
    rule="table inet t { chain c { type filter hook $2 priority 0; tcp dport 3333 reject with tcp reset; }; }"
    name=$1
    if [ -n "$wanted" ]; then
        case " $wanted " in *" $name "*) ;; *) return 0 ;; esac
    fi
    PROGRAM=$program RULE=$rule FILE=$here/events/$name.events unshare --net sh -c \
        'ip link set lo up && nft "$RULE" && "$PROGRAM" demo --quiet --host-network --recorder bpf -o "$FILE"' || true
    echo "recorded $name"
}
behind_firewall firewall-input input
behind_firewall firewall-output output
# fins-cross-in-backlog, of curl and http.server, and fin-crosses-abort and abort-crosses-fin, of threads that close and abort at once, are some of
# many (`tcpwhy run -o`, `read --conn N -o`): whether a segment comes while a call holds the socket is chance.
