"""The conformance client, imported once: each run is a fork of this process, so that none pays for the imports again.

Usage: client_warm.py. A run is a connection: what comes first is its environment, as `env -0` writes it with the URL as
`CLIENT_URL`, ended by an empty entry; what goes back is all that the run prints, and `exit N` as the last line.
"""

import os
import signal
import socket
import sys
import traceback

import client_conformance


def environment(connection: socket.socket) -> dict[str, str]:
    received = b""
    while not received.endswith(b"\0\0"):
        piece = connection.recv(65536)
        if not piece:
            raise SystemExit("the environment did not come to its end")
        received += piece
    entries = received.decode().rstrip("\0").split("\0")
    return dict(entry.split("=", 1) for entry in entries)


def run(connection: socket.socket) -> int:
    os.environ.clear()
    os.environ.update(environment(connection))
    for stream in (sys.stdout, sys.stderr):
        os.dup2(connection.fileno(), stream.fileno())
    try:
        client_conformance.main(os.environ["CLIENT_URL"], os.environ)
        return 0
    except BaseException:
        traceback.print_exc()
        return 1


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a run but who connected for it
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(f"listening 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            print(f"exit {run(connection)}", flush=True)
            os._exit(0)
        connection.close()


main()
