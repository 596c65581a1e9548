"""A client on the official Python SDK that finds out by itself how to be authorised.

Usage: client_oauth.py URL. Calls the tool `whoami` once and prints one JSON line, `{"ok": true, "text": …, "asked": [URL, …]}` or
`{"ok": false, "error": …}`; `asked` are the URLs it sent requests to, without their queries.
"""

import asyncio
import json
import sys
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata

URL = sys.argv[1]
asked: list[str] = []
redirected: list[str] = []


class Memory:
    """What a client keeps of an authorisation."""

    def __init__(self) -> None:
        self.tokens = None
        self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens) -> None:
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client) -> None:
        self.client = client


async def note(request: httpx2.Request) -> None:
    asked.append(f"{request.method} {str(request.url).split('?')[0]}")


async def redirect(url: str) -> None:
    """Stands for the person at a browser, who agrees at once."""
    async with httpx2.AsyncClient() as browser:
        redirected.append((await browser.get(url)).headers["location"])


async def callback() -> AuthorizationCodeResult:
    query = parse_qs(urlsplit(redirected[-1]).query)
    return AuthorizationCodeResult(code=query["code"][0], state=query["state"][0], iss=query["iss"][0])


async def main() -> None:
    metadata = OAuthClientMetadata(
        client_name="mesh-test",
        redirect_uris=["http://127.0.0.1:1/callback"],
        token_endpoint_auth_method="none",
    )
    auth = OAuthClientProvider(URL, metadata, Memory(), redirect_handler=redirect, callback_handler=callback)
    async with httpx2.AsyncClient(auth=auth, event_hooks={"request": [note]}, timeout=20) as http:
        async with Client(streamable_http_client(URL, http_client=http), mode="legacy") as client:
            result = await client.call_tool("whoami", {})
            text = "".join(part.text for part in result.content if part.type == "text")
            print(json.dumps({"ok": True, "text": text, "asked": asked}), flush=True)


try:
    asyncio.run(main())
except BaseException as error:
    print(json.dumps({"ok": False, "error": repr(error), "asked": asked}), flush=True)
