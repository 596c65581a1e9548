"""A client on FastMCP, driven line by line; the orders are those of client_mcp.py.

Usage: client_fastmcp.py URL MODE, where MODE is `legacy` or `auto`.
"""

import asyncio

from fastmcp import Client

import client_mcp


def connect() -> Client:
    return Client(client_mcp.URL, mode=client_mcp.MODE, timeout=20)


async def obey(client: Client, order: dict) -> str:
    if order["do"] == "tools":
        return ",".join(sorted(tool.name for tool in await client.list_tools()))
    # An answer that says it is an error is raised as one.
    result = await client.call_tool(order["tool"], order.get("arguments") or {})
    return "".join(part.text for part in result.content if part.type == "text")


client_mcp.connect, client_mcp.obey = connect, obey
asyncio.run(client_mcp.main())
