"""A stateful MCP agent on the official Python SDK: one count per session, told with the name of the process.

What `note` was told to do is appended to NAME.notes in the working directory before it answers, and so outlives the process.

Usage: agent_mcp.py NAME [sse]; `sse` is the transport of 2024-11-05, at /sse. Listens on a free port of 127.0.0.1 and prints `listening HOST:PORT`.
"""

import sys

from mcp.server.mcpserver import Context, MCPServer

import listen

NAME = sys.argv[1]
SSE = sys.argv[2:] == ["sse"]
agent = MCPServer("counter-python")
counts: dict[str, int] = {}


def session_of(context: Context) -> str:
    """The session a call belongs to; calls of revisions without sessions share one count."""
    if SSE:
        return context.request_context.request.query_params["session_id"]
    return (context.headers or {}).get("mcp-session-id", "")


@agent.tool()
async def increment(context: Context) -> str:
    """Adds one to the count of this session and tells it."""
    session = session_of(context)
    counts[session] = counts.get(session, 0) + 1
    return f"{NAME} counts {counts[session]}"


@agent.tool()
async def note(number: int, context: Context) -> str:
    """Writes down that it was called with this number, and counts."""
    with open(f"{NAME}.notes", "a") as notes:
        print(number, file=notes)
    return await increment(context)


@agent.tool()
async def whoami() -> str:
    """Tells the name of the replica that answers."""
    return NAME


listen.serve(agent.sse_app() if SSE else agent.streamable_http_app())
