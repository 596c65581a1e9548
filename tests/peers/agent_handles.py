"""A stateful MCP agent on FastMCP without sessions: one count per `session_id` in the arguments, in this process alone.

What `note` was told is appended to NAME.notes in the working directory before it answers, and so outlives the process.

Usage: agent_handles.py NAME. Listens on a free port of 127.0.0.1 and prints `listening HOST:PORT`.
"""

import sys

from fastmcp import FastMCP

import listen

NAME = sys.argv[1]
agent = FastMCP("counter-handles")
counts: dict[str, int] = {}


@agent.tool
async def increment(session_id: str) -> str:
    """Adds one to the count of this session and tells it."""
    counts[session_id] = counts.get(session_id, 0) + 1
    return f"{NAME} counts {counts[session_id]}"


@agent.tool
async def note(number: int) -> str:
    """Writes down that it was called with this number, before it answers."""
    with open(f"{NAME}.notes", "a") as notes:
        print(number, file=notes)
    return f"{NAME} noted {number}"


@agent.tool
async def whoami() -> str:
    """Tells the name of the replica that answers."""
    return NAME


listen.serve(agent.http_app(stateless_http=True, json_response=True))
