"""A Python agent with the one tool of the echo agent, on an SDK and with a way to listen of choice.

Usage: agent.py SDK LISTEN PORT. SDK: mcp or fastmcp. LISTEN: `server` lets uvicorn open its port; `socket` hands it a
socket that is bound already, made as most programs make one. asyncio sets TCP_NODELAY only on connections of sockets
that were made with the protocol said (IPPROTO_TCP), which those are not.
"""

import socket
import sys
from typing import Any

import uvicorn

SDK, LISTEN, PORT = sys.argv[1], sys.argv[2], int(sys.argv[3])


async def echo(number: int, events: int = 0, every_ms: int = 0, text: str = "") -> dict[str, Any]:
    """Says the number again."""
    return {"number": number, "replica": f"{SDK}-{LISTEN}"}


if SDK == "mcp":
    from mcp.server.mcpserver import MCPServer

    agent = MCPServer("echo")
    agent.tool()(echo)
    application = agent.streamable_http_app()
else:
    from fastmcp import FastMCP

    agent = FastMCP("echo")
    agent.tool(echo)
    application = agent.http_app()

config = uvicorn.Config(application, host="127.0.0.1", port=PORT, log_level="warning", timeout_graceful_shutdown=1)
if LISTEN == "socket":
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", PORT))
    uvicorn.Server(config).run(sockets=[listener])
else:
    uvicorn.Server(config).run()
