#!/usr/bin/env python3
"""Request and response over TCP: one byte each way. Server: `pingpong.py PORT`. Client: `pingpong.py PORT ADDRESS SECONDS [requests]` prints how many a
second over one connection, `pingpong.py PORT ADDRESS SECONDS connections` how many each over a new one."""
import socket
import struct
import sys
import time

port = int(sys.argv[1])
if len(sys.argv) == 2:
    listener = socket.create_server(("0.0.0.0", port), backlog=128)
    while True:
        peer, _ = listener.accept()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with peer:
            try:
                while data := peer.recv(1):
                    peer.send(data)
            except ConnectionResetError:
                pass
elif sys.argv[4:] == ["connections"]:
    count, end = 0, time.monotonic() + float(sys.argv[3])
    while time.monotonic() < end:
        with socket.create_connection((sys.argv[2], port)) as peer:
            peer.send(b"x")
            peer.recv(1)
            # Reset, and not closed: no port waits for a minute until it can be used again.
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        count += 1
    print(f"{count / float(sys.argv[3]):.0f}")
else:
    with socket.create_connection((sys.argv[2], port)) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        count, end = 0, time.monotonic() + float(sys.argv[3])
        while time.monotonic() < end:
            for _ in range(100):
                peer.send(b"x")
                peer.recv(1)
            count += 100
        print(f"{count / float(sys.argv[3]):.0f}")
