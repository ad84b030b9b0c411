"""Connections that end in ways that show in no close(): the ends of processes, execve(), copies that go with something else, and what
somebody else ends. Each is played by its name: endings.py KIND …; a line for each server says its port."""

import ctypes
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

CLOSE_RANGE = 436
MPTCP = 262
MANY = 20  # more than an event lists
playing = ""


def said(server):
    print(playing, server.getsockname()[1], flush=True)
    return server


def listening():
    return said(socket.create_server(("127.0.0.1", 0), backlog=64))


def pair(server, client=None):
    client = client or socket.socket()
    client.connect(server.getsockname())
    return client, server.accept()[0]


def exchange(client, peer):
    client.sendall(b"12345678")
    peer.recv(100)


def until_closed(*ends):
    for end in ends:
        select.select([end], [], [])
        try:
            while end.recv(100):
                pass
        except OSError:
            pass
        end.close()


def child(work):
    pid = os.fork()
    if not pid:
        work()
        os._exit(0)
    return pid


def in_a_child(last, server=None):
    """The client's socket is held by a child alone, which ends it by `last`."""
    server = server or listening()
    client, peer = pair(server)
    exchange(client, peer)
    taken, told = os.pipe()

    def work():
        peer.close()
        os.read(taken, 1)
        last(client)

    pid = child(work)
    client.close()
    os.write(told, b".")
    until_closed(peer)
    os.waitpid(pid, 0)


def exits():
    in_a_child(lambda client: os._exit(3))


def killed():
    in_a_child(lambda client: os.kill(os.getpid(), signal.SIGKILL))


def executes():
    in_a_child(lambda client: os.execv("/bin/true", ["true"]))


def executes_and_keeps():
    """The program that it becomes ends with the socket open."""
    def last(client):
        client.set_inheritable(True)
        os.execv("/bin/true", ["true"])

    in_a_child(last)


def executes_in_a_thread():
    def last(client):
        threading.Thread(target=lambda: os.execv("/bin/true", ["true"])).start()
        time.sleep(60)

    in_a_child(last)


def many_in_a_child(last=lambda: None):
    """Many connections, of which a child holds the clients' ends until it is told; then it does the last thing. Its pid comes, too."""
    server = listening()
    ends = [pair(server) for _ in range(MANY)]
    taken, told = os.pipe()

    def work():
        for _, peer in ends:
            peer.close()
        os.read(taken, 1)
        last()

    return ends, told, child(work)


def executes_with_many():
    ends, told, pid = many_in_a_child(lambda: os.execv("/bin/true", ["true"]))
    for client, _ in ends:
        client.close()
    os.write(told, b".")
    until_closed(*(peer for _, peer in ends))
    os.waitpid(pid, 0)


def shared_with_one_that_ends_later():
    """One process closes all its descriptors with one call, and sends nothing: another, which holds them, too, ends later."""
    ends, told, pid = many_in_a_child()
    for place, (client, peer) in enumerate(ends):
        os.dup2(client.fileno(), 200 + place)
        client.close()
        peer.setblocking(True)
    ctypes.CDLL(None).syscall(CLOSE_RANGE, 200, 200 + MANY, 0)
    time.sleep(0.1)
    os.write(told, b".")
    until_closed(*(peer for _, peer in ends))
    os.waitpid(pid, 0)


def served_by_forks():
    """A server that forks for each connection, and whose children end without close(), as it closes its own copy."""
    server = listening()

    def serve():
        for _ in range(4):
            peer, _ = server.accept()
            child(lambda peer=peer: peer.sendall(peer.recv(100)))
            peer.close()
        for _ in range(4):
            os.wait()

    pid = child(serve)
    for _ in range(4):
        client = socket.create_connection(server.getsockname())
        client.sendall(b"12345678")
        until_closed(client)
    os.waitpid(pid, 0)


def inherited():
    """By a program that knows nothing of it."""
    client, peer = pair(listening())
    with subprocess.Popen(["sleep", "0.3"], pass_fds=[client.fileno()]):
        client.close()
        until_closed(peer)


def in_flight():
    """The last copy lies in a socket of UNIX, and goes with that: no close() of it sends anything."""
    client, peer = pair(listening())
    exchange(client, peer)
    near, far = socket.socketpair()
    near.sendmsg([b"."], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", client.fileno()))])
    client.close()
    far.close()
    near.close()
    until_closed(peer)


def aborted_by_an_end():
    def last(client):
        client.recv(1, socket.MSG_PEEK)

    server = listening()
    client, peer = pair(server)
    peer.sendall(b"nobody reads this")
    pid = child(lambda: (peer.close(), last(client)))
    client.close()
    until_closed(peer)
    os.waitpid(pid, 0)


def destroyed():
    client, peer = pair(listening())
    exchange(client, peer)
    subprocess.run(["ss", "-K", "src", "127.0.0.1", "sport", "=", str(client.getsockname()[1])], check=False, stdout=subprocess.DEVNULL)
    until_closed(peer)
    client.close()


def multipath():
    try:
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM, MPTCP)
    except OSError:  # a kernel without it
        return
    server.bind(("127.0.0.1", 0))
    server.listen(5)
    said(server)
    client, peer = pair(server, socket.socket(socket.AF_INET, socket.SOCK_STREAM, MPTCP))
    exchange(client, peer)
    client.close()
    until_closed(peer)
    time.sleep(0.3)


def fast_open():
    """The active open is a sendto()."""
    client, server = socket.socket(), listening()
    client.sendto(b"12345678", socket.MSG_FASTOPEN, server.getsockname())
    peer, _ = server.accept()
    peer.recv(100)
    client.close()
    until_closed(peer)


def to_itself():
    client = socket.socket()
    client.bind(("127.0.0.1", 0))
    said(client)
    client.connect(client.getsockname())
    client.sendall(b"12345678")
    client.recv(100)
    client.close()


def closed_and_reset():
    """What close() and shutdown() end, which needs no chain."""
    server = listening()
    for last in (lambda end: end.close(), lambda end: end.shutdown(socket.SHUT_WR),
                 lambda end: (end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)), end.close())):
        client, peer = pair(server)
        exchange(client, peer)
        last(client)
        until_closed(peer)
        client.close()


KINDS = {play.__name__: play for play in
         (exits, killed, executes, executes_and_keeps, executes_in_a_thread, executes_with_many, shared_with_one_that_ends_later,
          served_by_forks, inherited, in_flight, aborted_by_an_end, destroyed, multipath, fast_open, to_itself, closed_and_reset)}

if __name__ == "__main__":
    for playing in sys.argv[1:]:
        KINDS[playing]()
