"""A name server on 127.0.0.1, UDP and TCP: every name is 127.0.0.1. name_server.py HOW says "ready".

HOW: wait=MS answers so late; lose=N is deaf to the first N datagrams; rcode=N answers with that error; truncate has the resolver ask again
over TCP."""

import socket
import struct
import sys
import threading
import time

HOST, PORT = "127.0.0.1", 53
HOW = dict(word.partition("=")[::2] for word in sys.argv[1].split(","))


def answer(question, stream):
    time.sleep(int(HOW.get("wait", 0)) / 1000)
    end = question.index(0, 12) + 5
    rcode, cut = int(HOW.get("rcode", 0)), "truncate" in HOW and not stream
    is_a = question[end - 4:end - 2] == b"\0\1" and not rcode and not cut
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 0, 4) + socket.inet_aton(HOST) if is_a else b""
    return question[:2] + struct.pack("!HHHHH", 0x8180 | cut << 9 | rcode, 1, is_a, 0, 0) + question[12:end] + record


def serve(client):
    with client, client.makefile("rb") as asked:
        while length := asked.read(2):
            said = answer(asked.read(struct.unpack("!H", length)[0]), True)
            client.sendall(struct.pack("!H", len(said)) + said)


def listen(streams):
    while True:
        threading.Thread(target=serve, args=streams.accept()[:1], daemon=True).start()


datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.bind((HOST, PORT))
threading.Thread(target=listen, args=[socket.create_server((HOST, PORT))], daemon=True).start()
print("ready", flush=True)
deaf = int(HOW.get("lose", 0))
while True:
    question, asker = datagrams.recvfrom(1500)
    deaf -= 1
    if deaf < 0:
        threading.Thread(target=lambda *of: datagrams.sendto(answer(of[0], False), of[1]), args=(question, asker), daemon=True).start()
