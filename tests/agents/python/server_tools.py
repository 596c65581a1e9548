"""Tools that answer at once, talk while they work, or ask the client over the session (revisions before 2026)."""

import json
from typing import Annotated

import anyio
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp_types import AudioContent, EmbeddedResource, ImageContent, SamplingMessage, TextContent
from pydantic import Field

from server_contents import PIXEL, SILENCE, text_of_resource

# Between two notifications of one call, so that they travel one by one.
PAUSE_SECONDS = 0.05

WIDE_SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


def offer(agent: MCPServer) -> None:
    offer_contents(agent)
    offer_talk(agent)
    offer_questions(agent)
    offer_changes(agent)


def wide_schema() -> Tool:
    """A tool whose schema uses what no Python signature can say."""

    def json_schema_2020_12_tool() -> str:
        """Has a schema with keywords of JSON Schema 2020-12."""
        return "The schema is what matters here."

    tool = Tool.from_function(json_schema_2020_12_tool, structured_output=False)
    tool.parameters = WIDE_SCHEMA
    return tool


def offer_contents(agent: MCPServer) -> None:
    image = ImageContent(type="image", data=PIXEL, mime_type="image/png")

    @agent.tool(structured_output=False)
    async def test_simple_text() -> str:
        """Returns a text."""
        return "This is a simple text response for testing."

    @agent.tool(structured_output=False)
    async def test_image_content() -> ImageContent:
        """Returns a picture."""
        return image

    @agent.tool(structured_output=False)
    async def test_audio_content() -> AudioContent:
        """Returns a sound."""
        return AudioContent(type="audio", data=SILENCE, mime_type="audio/wav")

    @agent.tool(structured_output=False)
    async def test_embedded_resource() -> EmbeddedResource:
        """Returns a resource."""
        resource = text_of_resource("test://embedded-resource", "This is an embedded resource content.")
        return EmbeddedResource.model_validate(resource)

    @agent.tool(structured_output=False)
    async def test_multiple_content_types() -> list:
        """Returns a text, a picture and a resource."""
        mixed = json.dumps({"test": "data", "value": 123})
        resource = text_of_resource("test://mixed-content-resource", mixed, "application/json")
        text = TextContent(type="text", text="Multiple content types test:")
        return [text, image, EmbeddedResource.model_validate(resource)]

    @agent.tool(structured_output=False)
    async def test_error_handling() -> str:
        """Fails."""
        raise ToolError("This tool intentionally returns an error for testing")

    @agent.tool(structured_output=False)
    async def test_header_param(region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})]) -> str:
        """Has an argument that travels as a header too."""
        return f"The region is {region}"


def offer_talk(agent: MCPServer) -> None:
    @agent.tool(structured_output=False)
    async def test_tool_with_logging(ctx: Context) -> str:
        """Logs while it works."""
        await ctx.info("Tool execution started")
        await anyio.sleep(PAUSE_SECONDS)
        await ctx.info("Tool processing data")
        await anyio.sleep(PAUSE_SECONDS)
        await ctx.info("Tool execution completed")
        return "Three messages were logged."

    @agent.tool(structured_output=False)
    async def test_logging_tool(ctx: Context) -> str:
        """Logs for those who asked for it."""
        await ctx.info("Only for a request that names a level")
        return "Logged, if a level was named."

    @agent.tool(structured_output=False)
    async def test_tool_with_progress(ctx: Context) -> str:
        """Tells how far it is."""
        for progress in (0, 50, 100):
            await ctx.report_progress(progress, 100)
            await anyio.sleep(PAUSE_SECONDS)
        return "The work is done."

    @agent.tool(structured_output=False)
    async def test_reconnection(ctx: Context) -> str:
        """Closes its stream, and has its answer ready for the client that resumes it."""
        await ctx.close_sse_stream()
        await anyio.sleep(2 * PAUSE_SECONDS)
        return "The answer that came after the stream was closed."


def offer_questions(agent: MCPServer) -> None:
    @agent.tool(structured_output=False)
    async def test_sampling(prompt: str, ctx: Context) -> str:
        """Asks the client's model."""
        message = SamplingMessage(role="user", content=TextContent(type="text", text=prompt))
        result = await ctx.session.create_message([message], max_tokens=100, related_request_id=ctx.request_id)
        return f"LLM response: {result.content.text}"

    async def elicit(ctx: Context, message: str, properties: dict, required: list[str]):
        schema = {"type": "object", "properties": properties, "required": required}
        return await ctx.session.elicit_form(message, schema, related_request_id=ctx.request_id)

    @agent.tool(structured_output=False)
    async def test_elicitation(message: str, ctx: Context) -> str:
        """Asks the user."""
        fields = {
            "username": {"type": "string", "description": "User's response"},
            "email": {"type": "string", "description": "User's email address"},
        }
        result = await elicit(ctx, message, fields, list(fields))
        return f"User response: action={result.action}, content={json.dumps(result.content)}"

    @agent.tool(structured_output=False)
    async def test_elicitation_sep1034_defaults(ctx: Context) -> str:
        """Asks with a default for every kind of field."""
        fields = {
            "name": {"type": "string", "default": "John Doe"},
            "age": {"type": "integer", "default": 30},
            "score": {"type": "number", "default": 95.5},
            "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
            "verified": {"type": "boolean", "default": True},
        }
        result = await elicit(ctx, "Look through these values", fields, [])
        return f"Elicitation completed: action={result.action}, content={json.dumps(result.content)}"

    @agent.tool(structured_output=False)
    async def test_elicitation_sep1330_enums(ctx: Context) -> str:
        """Asks with every kind of choice."""
        options = ["option1", "option2", "option3"]
        titled = [{"const": f"value{n}", "title": f"{word} Option"} for n, word in enumerate(["First", "Second"], 1)]
        names = ["Option One", "Option Two", "Option Three"]
        fields = {
            "untitledSingle": {"type": "string", "enum": options},
            "titledSingle": {"type": "string", "oneOf": titled},
            "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": names},
            "untitledMulti": {"type": "array", "items": {"type": "string", "enum": options}},
            "titledMulti": {"type": "array", "items": {"anyOf": titled}},
        }
        result = await elicit(ctx, "Choose", fields, [])
        return f"Elicitation completed: action={result.action}, content={json.dumps(result.content)}"


def offer_changes(agent: MCPServer) -> None:
    def test_come_and_go() -> str:
        """Is there every other time."""
        return "Here."

    there = {"tool": False, "prompt": False}

    @agent.tool(structured_output=False)
    async def test_trigger_tool_change(ctx: Context) -> str:
        """Changes the list of tools."""
        there["tool"] = not there["tool"]
        if there["tool"]:
            agent.add_tool(test_come_and_go, structured_output=False)
        else:
            agent.remove_tool("test_come_and_go")
        await ctx.notify_tools_changed()
        return "The list of tools has changed."

    @agent.tool(structured_output=False)
    async def test_trigger_prompt_change(ctx: Context) -> str:
        """Changes the list of prompts."""
        there["prompt"] = not there["prompt"]
        if there["prompt"]:
            agent.prompt("test_come_and_go", description="Is there every other time.")(test_come_and_go)
        else:
            agent.remove_prompt("test_come_and_go")
        await ctx.notify_prompts_changed()
        return "The list of prompts has changed."
