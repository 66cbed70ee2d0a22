#!/usr/bin/env python3
"""Request and response over one TCP connection: one byte each way. Server: `pingpong.py PORT`. Client: `pingpong.py PORT ADDRESS SECONDS` prints how many a second."""
import socket
import sys
import time

port = int(sys.argv[1])
if len(sys.argv) == 2:
    listener = socket.create_server(("0.0.0.0", port), backlog=8)
    while True:
        peer, _ = listener.accept()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with peer:
            while data := peer.recv(1):
                peer.send(data)
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
