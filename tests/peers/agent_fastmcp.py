"""A stateful MCP agent on FastMCP: one count per session, told with the name of the process.

Usage: agent_fastmcp.py NAME. Listens on a free port of 127.0.0.1 and prints `listening HOST:PORT`.
"""

import sys

from fastmcp import Context, FastMCP
from fastmcp.server.dependencies import get_http_headers

import listen

NAME = sys.argv[1]
agent = FastMCP("counter-fastmcp")
counts: dict[str, int] = {}


@agent.tool
async def increment(context: Context) -> str:
    """Adds one to the count of this session and tells it."""
    session = get_http_headers(include_all=True).get("mcp-session-id", "")
    counts[session] = counts.get(session, 0) + 1
    return f"{NAME} counts {counts[session]}"


@agent.tool
async def whoami() -> str:
    """Tells the name of the replica that answers."""
    return NAME


listen.serve(agent.http_app())
