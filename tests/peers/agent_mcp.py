"""A stateful MCP agent on the official Python SDK: one count per session, told with the name of the process.

Usage: agent_mcp.py NAME. Listens on a free port of 127.0.0.1 and prints `listening HOST:PORT`.
"""

import sys

from mcp.server.mcpserver import Context, MCPServer

import listen

NAME = sys.argv[1]
agent = MCPServer("counter-python")
counts: dict[str, int] = {}


def session_of(context: Context) -> str:
    """The session a call belongs to; calls of revisions without sessions share one count."""
    return (context.headers or {}).get("mcp-session-id", "")


@agent.tool()
async def increment(context: Context) -> str:
    """Adds one to the count of this session and tells it."""
    session = session_of(context)
    counts[session] = counts.get(session, 0) + 1
    return f"{NAME} counts {counts[session]}"


@agent.tool()
async def whoami() -> str:
    """Tells the name of the replica that answers."""
    return NAME


listen.serve(agent.streamable_http_app())
