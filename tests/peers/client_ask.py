"""A client on the official Python SDK that can be asked: it samples, answers forms and watches progress.

Usage: client_ask.py URL MODE SERVER, where MODE is `legacy` or `auto` and SERVER names a `server-everything` among the agents.
Prints one JSON object: what its tools answered, what the client was asked, and the steps of progress it saw.
"""

import asyncio
import json
import sys

from mcp import Client
from mcp import types

URL, MODE, SERVER = sys.argv[1:4]
asked: list[str] = []
steps: list[float] = []


async def sample(_context, params) -> types.CreateMessageResult:
    asked.append("sampling")
    return types.CreateMessageResult(
        role="assistant", model="none", content=types.TextContent(type="text", text="a sampled answer")
    )


async def fill(_context, params) -> types.ElicitResult:
    asked.append("elicitation")
    return types.ElicitResult(action="decline")


async def progressed(progress: float, total: float | None, message: str | None) -> None:
    steps.append(progress)


async def main() -> None:
    texts = {}
    can = {} if MODE == "auto" else {"sampling_callback": sample, "elicitation_callback": fill}
    async with Client(URL, mode=MODE, read_timeout_seconds=20, **can) as client:

        async def call(tool: str, arguments: dict) -> None:
            result = await client.call_tool(f"{SERVER}__{tool}", arguments, progress_callback=progressed)
            texts[tool] = "".join(part.text for part in result.content if part.type == "text")

        listed = [tool.name for tool in (await client.list_tools()).tools]
        await call("trigger-long-running-operation", {"duration": 0.6, "steps": 3})
        await call("trigger-sampling-request", {"prompt": "p", "maxTokens": 5})
        await call("trigger-elicitation-request", {})
        resources = [str(resource.uri) for resource in (await client.list_resources()).resources]
        read = await client.read_resource(resources[0])
        prompts = [prompt.name for prompt in (await client.list_prompts()).prompts]
        prompt = await client.get_prompt(f"{SERVER}__simple-prompt")
        print(json.dumps({
            "version": str(client.protocol_version), "texts": texts, "asked": asked, "steps": steps, "listed": listed,
            "read": len(read.contents), "prompts": prompts, "prompt": len(prompt.messages),
        }), flush=True)


asyncio.run(main())
