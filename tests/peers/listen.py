"""Serves an ASGI application on a free port of 127.0.0.1 and says which one it is."""

import os
import socket

import uvicorn


def serve(application) -> None:
    """`PORT` in the environment asks for one port, as an agent that starts again where it was does."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(os.environ.get("PORT", "0"))))
    listener.listen(256)
    print(f"listening 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(application, log_level="warning", lifespan="on", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[listener])
