"""The client of the official conformance suite on the official Python SDK.

Usage: client_conformance.py URL. The suite names the scenario in MCP_CONFORMANCE_SCENARIO, the revision in
MCP_CONFORMANCE_PROTOCOL_VERSION and what else there is to know (credentials, calls to make) as JSON in
MCP_CONFORMANCE_CONTEXT. Every scenario is what a user of the SDK would write for it; nothing is written on the wire by
hand.
"""

import asyncio
import contextlib
import json
import os
import sys
from dataclasses import dataclass

import mcp_types as types
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from pydantic import ValidationError

import client_auth


@dataclass
class Task:
    """What the suite wants of this run."""

    url: str
    scenario: str
    revision: str
    context: dict

    @classmethod
    def of(cls, url: str, environment) -> "Task":
        return cls(
            url,
            environment["MCP_CONFORMANCE_SCENARIO"],
            environment.get("MCP_CONFORMANCE_PROTOCOL_VERSION", "2025-11-25"),
            json.loads(environment.get("MCP_CONFORMANCE_CONTEXT", "{}")),
        )

    def client(self, transport=None, **callbacks) -> Client:
        """Revisions with a handshake are asked for as such; from 2026-07-28 on the SDK looks for the newest itself."""
        mode = "legacy" if self.revision <= "2025-11-25" else "auto"
        return Client(transport or self.url, mode=mode, read_timeout_seconds=20, **callbacks)


async def accept(_context, params: types.ElicitRequestParams) -> types.ElicitResult:
    """Says yes, fills in what has a default, and confirms what asks for a yes."""
    content = {}
    for name, schema in params.requested_schema.get("properties", {}).items():
        if "default" in schema:
            content[name] = schema["default"]
        elif schema.get("type") == "boolean":
            content[name] = True
    return types.ElicitResult(action="accept", content=content)


async def sample(_context, _params) -> types.CreateMessageResult:
    return types.CreateMessageResult(role="assistant", content=types.TextContent(text="sampled"), model="none")


async def roots(_context) -> types.ListRootsResult:
    return types.ListRootsResult(roots=[])


async def look(task: Task) -> None:
    """Opens, lists the tools, leaves."""
    async with task.client() as session:
        await session.list_tools()


async def look_with_everything_declared(task: Task) -> None:
    everything = {"elicitation_callback": accept, "sampling_callback": sample, "list_roots_callback": roots}
    async with task.client(**everything) as session:
        await session.list_tools()


async def add_numbers(task: Task) -> None:
    async with task.client() as session:
        await session.list_tools()
        await session.call_tool("add_numbers", {"a": 5, "b": 3})


async def answer_elicitation(task: Task) -> None:
    async with task.client(elicitation_callback=accept) as session:
        await session.list_tools()
        await session.call_tool("test_client_elicitation_defaults", {})


async def outlive_a_closed_stream(task: Task) -> None:
    """The call waits until the SDK listens on its own stream: the suite would take that GET for the reconnection."""
    listens = asyncio.Event()

    async def seen(response) -> None:
        if response.request.method == "GET":
            listens.set()

    async with create_mcp_http_client() as http:
        http.event_hooks = {"response": [seen]}
        async with task.client(streamable_http_client(task.url, http_client=http)) as session:
            await session.list_tools()
            await listens.wait()
            await session.call_tool("test_reconnection", {})


async def be_asked_for_input(task: Task) -> None:
    """Another call goes out while the first is being answered for: what belongs to one stays with it."""
    session: Client

    async def accept_with_a_call_between(context, params) -> types.ElicitResult:
        await session.call_tool("test_mrtr_unrelated", {})
        return await accept(context, params)

    async with task.client(elicitation_callback=accept_with_a_call_between) as session:
        await session.list_tools()
        for tool in ("test_mrtr_echo_state", "test_mrtr_no_state"):
            await session.call_tool(tool, {})
        # The SDK takes such a result for an error; what the suite wants is that it is not taken for a question.
        with contextlib.suppress(ValidationError):
            await session.call_tool("test_mrtr_no_result_type", {})


async def use_everything(task: Task) -> None:
    async with task.client() as session:
        for tool in (await session.list_tools()).tools:
            await session.call_tool(tool.name, {})
        for resource in (await session.list_resources()).resources:
            await session.read_resource(resource.uri)
        for prompt in (await session.list_prompts()).prompts:
            await session.get_prompt(prompt.name)


async def make_the_calls_asked_for(task: Task) -> None:
    async with task.client() as session:
        await session.list_tools()
        for call in task.context["toolCalls"]:
            await session.call_tool(call["name"], call["arguments"])


async def call_every_tool_that_is_left(task: Task) -> None:
    """The SDK leaves out tools whose header annotations are wrong; whatever it lists is called."""
    async with task.client() as session:
        for tool in (await session.list_tools()).tools:
            names = tool.input_schema.get("properties", {})
            await session.call_tool(tool.name, {name: "eu-west1" for name in names})


async def echo_a_schema(task: Task) -> None:
    async with task.client() as session:
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
        schema = tools["json_schema_2020_12_tool"].input_schema
        await session.call_tool("json_schema_echo", {"schema": schema})


async def prove_who_it_is(task: Task) -> None:
    """Lists and calls twice: an authorization server may change between, and one call may ask for more than another."""
    if task.scenario == "auth/enterprise-managed-authorization":
        proof = await client_auth.by_identity_assertion(task.url, task.context)
    else:
        proof = client_auth.provider(task.scenario, task.url, task.context)
    async with create_mcp_http_client(auth=proof) as http:
        async with task.client(streamable_http_client(task.url, http_client=http)) as session:
            await session.list_tools(cache_mode="bypass")
            await session.call_tool("test-tool", {})
            await session.list_tools(cache_mode="bypass")


SCENARIOS = {
    "initialize": look,
    "tools_call": add_numbers,
    "elicitation-sep1034-client-defaults": answer_elicitation,
    "sse-retry": outlive_a_closed_stream,
    "request-metadata": look_with_everything_declared,
    "sep-2322-client-request-state": be_asked_for_input,
    "http-standard-headers": use_everything,
    "http-custom-headers": make_the_calls_asked_for,
    "http-invalid-tool-headers": call_every_tool_that_is_left,
    "json-schema-ref-no-deref": look,
    "json-schema-2020-12-preservation": echo_a_schema,
}


def main(url: str, environment) -> None:
    task = Task.of(url, environment)
    run = prove_who_it_is if task.scenario.startswith("auth/") else SCENARIOS[task.scenario]
    asyncio.run(run(task))


if __name__ == "__main__":
    main(sys.argv[-1], os.environ)
