"""A client on the official Python SDK, driven line by line.

Usage: client_mcp.py URL MODE, where MODE is `legacy`, `auto`, `sse` (the transport of 2024-11-05), or `stdio`: then URL is a
command with its arguments, as a JSON list, that speaks MCP on its standard streams. Reads one JSON object a line from standard input:
`{"do": "open" | "call" | "tools" | "close", "session": NAME, "tool": NAME, "arguments": {…}}`, and answers each with
one JSON line: `{"ok": true, "text": …}` or `{"ok": false, "error": …}`.
"""

import asyncio
import json
import os
import sys

from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.stdio import StdioServerParameters, stdio_client

URL, MODE = sys.argv[1], sys.argv[2]


def connect() -> Client:
    """A client that has not been entered yet."""
    if MODE == "sse":
        return Client(sse_client(URL), mode="legacy", read_timeout_seconds=20)
    if MODE == "stdio":
        command, *arguments = json.loads(URL)
        parameters = StdioServerParameters(command=command, args=arguments, env=dict(os.environ))
        return Client(stdio_client(parameters), mode="legacy", read_timeout_seconds=20)
    return Client(URL, mode=MODE, read_timeout_seconds=20)


async def live(orders: asyncio.Queue, answers: asyncio.Queue) -> None:
    """One session from open to close, in one task: the SDK wants to be entered and left by the same task."""
    try:
        async with connect() as client:
            await answers.put({"ok": True, "text": str(client.protocol_version)})
            while (order := await orders.get()) is not None:
                try:
                    await answers.put({"ok": True, "text": await obey(client, order)})
                except Exception as error:
                    await answers.put({"ok": False, "error": repr(error)})
    except BaseException as error:
        await answers.put({"ok": False, "error": repr(error)})
        return
    await answers.put({"ok": True, "text": "closed"})


async def obey(client: Client, order: dict) -> str:
    if order["do"] == "tools":
        return ",".join(sorted(tool.name for tool in (await client.list_tools()).tools))
    result = await client.call_tool(order["tool"], order.get("arguments") or {})
    text = "".join(part.text for part in result.content if part.type == "text")
    if result.is_error:
        raise RuntimeError(text)
    return text


async def main() -> None:
    sessions: dict[str, tuple] = {}
    while line := await asyncio.to_thread(sys.stdin.readline):
        order = json.loads(line)
        name = order["session"]
        if order["do"] == "open":
            orders, answers = asyncio.Queue(), asyncio.Queue()
            sessions[name] = (orders, answers, asyncio.create_task(live(orders, answers)))
            answer = await answers.get()
        elif name not in sessions or sessions[name][2].done():
            answer = {"ok": False, "error": "this session is not open"}
        else:
            orders, answers, _ = sessions[name]
            await orders.put(None if order["do"] == "close" else order)
            answer = await answers.get()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
