"""The server that the official conformance suite asks for, on the official Python SDK, in both eras.

Usage: server_conformance.py. Listens on `PORT`, or on a free port of 127.0.0.1, and prints `listening HOST:PORT`.
Everything it remembers (sessions, events, the key that seals `requestState`) belongs to this process alone.
"""

import sys
from pathlib import Path

from mcp.server.caching import CacheHint
from mcp.server.mcpserver import MCPServer
from mcp_types import EmptyResult, SetLevelRequestParams

sys.path.insert(0, str(Path(__file__).parents[2] / "peers"))

import listen  # noqa: E402

import server_contents as contents  # noqa: E402
import server_events as events  # noqa: E402
import server_rounds as rounds  # noqa: E402
import server_tools as tools  # noqa: E402

# How soon a client should come back to a stream that was closed on it.
RETRY_MILLISECONDS = 100

CACHEABLE = [
    "server/discover",
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "resources/read",
]


async def set_level(_, params: SetLevelRequestParams) -> EmptyResult:
    return EmptyResult()


agent = MCPServer(
    "conformance-python",
    version="1.0.0",
    tools=[tools.wide_schema()],
    cache_hints={method: CacheHint(ttl_ms=1000, scope="public") for method in CACHEABLE},
)
agent._lowlevel_server.add_request_handler("logging/setLevel", SetLevelRequestParams, set_level)
tools.offer(agent)
rounds.offer(agent)
contents.offer_resources(agent)
contents.offer_prompts(agent)
contents.offer_completion(agent)

listen.serve(agent.streamable_http_app(event_store=events.Remembered(), retry_interval=RETRY_MILLISECONDS))
