"""What the suite reads: resources, prompts, completions, and the pieces that tools return as well."""

import base64
import json
import struct
import zlib

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import Completion, EmptyResult, InputRequiredResult, SubscribeRequestParams, UnsubscribeRequestParams

import server_rounds as rounds


def pixel() -> bytes:
    """The smallest picture: one red pixel as PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\xff\0\0")) + chunk(b"IEND", b"")


def silence() -> bytes:
    """The shortest sound: one silent sample as WAV."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8)
    data = struct.pack("<4sI", b"data", 1) + b"\x80\0"
    return struct.pack("<4sI4s", b"RIFF", 4 + len(form) + len(data), b"WAVE") + form + data


PIXEL = base64.b64encode(pixel()).decode()
SILENCE = base64.b64encode(silence()).decode()


def text_of_resource(uri: str, text: str, mime_type: str = "text/plain") -> dict:
    return {"type": "resource", "resource": {"uri": uri, "mimeType": mime_type, "text": text}}


def said(content: dict) -> dict:
    return {"role": "user", "content": content}


def offer_resources(agent: MCPServer) -> None:
    @agent.resource("test://static-text", name="static-text", description="A text.", mime_type="text/plain")
    def static_text() -> str:
        return "This is the content of the static text resource."

    @agent.resource("test://static-binary", name="static-binary", description="A picture.", mime_type="image/png")
    def static_binary() -> bytes:
        return pixel()

    @agent.resource("test://watched-resource", name="watched", description="To subscribe to.", mime_type="text/plain")
    def watched() -> str:
        return "Nothing has happened yet."

    @agent.resource("test://template/{id}/data", name="template", description="By id.", mime_type="application/json")
    def template(id: str) -> str:
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})

    watchers: set[str] = set()

    async def subscribe(_, params: SubscribeRequestParams) -> EmptyResult:
        watchers.add(str(params.uri))
        return EmptyResult()

    async def unsubscribe(_, params: UnsubscribeRequestParams) -> EmptyResult:
        watchers.discard(str(params.uri))
        return EmptyResult()

    # `MCPServer` has no door of its own for the two requests of the older revisions.
    inner = agent._lowlevel_server
    inner.add_request_handler("resources/subscribe", SubscribeRequestParams, subscribe)
    inner.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, unsubscribe)


def offer_prompts(agent: MCPServer) -> None:
    @agent.prompt(description="Without arguments.")
    def test_simple_prompt() -> list:
        return [said({"type": "text", "text": "This is a simple prompt for testing."})]

    @agent.prompt(description="With two arguments.")
    def test_prompt_with_arguments(arg1: str, arg2: str) -> list:
        return [said({"type": "text", "text": f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"})]

    @agent.prompt(description="With a resource in it.")
    def test_prompt_with_embedded_resource(resourceUri: str) -> list:
        resource = text_of_resource(resourceUri, "Embedded resource content for testing.")
        return [said(resource), said({"type": "text", "text": "Please process the embedded resource above."})]

    @agent.prompt(description="With a picture in it.")
    def test_prompt_with_image() -> list:
        image = {"type": "image", "data": PIXEL, "mimeType": "image/png"}
        return [said(image), said({"type": "text", "text": "Please analyze the image above."})]

    @agent.prompt(description="Asks before it answers.")
    def test_input_required_result_prompt(ctx: Context) -> list | InputRequiredResult:
        answer = rounds.accepted(ctx, "user_context")
        if answer is None:
            question = "What context should the prompt use?"
            return rounds.ask({"user_context": rounds.form(question, context="string")})
        return [said({"type": "text", "text": f"Work in this context: {answer.get('context')}"})]


def offer_completion(agent: MCPServer) -> None:
    words = ["paris", "park", "party", "testing"]

    @agent.completion()
    async def complete(ref, argument, context) -> Completion:
        values = [word for word in words if word.startswith(argument.value)]
        return Completion(values=values, total=len(values), has_more=False)
