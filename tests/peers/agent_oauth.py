"""A protected MCP agent on the official Python SDK, with a small authorisation server beside it in the same process.

Usage: agent_oauth.py NAME. Listens on a free port of 127.0.0.1 and prints `listening HOST:PORT`. Every code and token that the
authorisation server gives out is good for this agent, and for nothing else.
"""

import os
import secrets
import socket
import sys
from urllib.parse import urlencode

from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse

import listen

NAME = sys.argv[1]


def free_port() -> int:
    """The settings want the URL before anything listens."""
    if port := int(os.environ.get("PORT", "0")):
        return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


PORT = free_port()
os.environ["PORT"] = str(PORT)
HERE = f"http://127.0.0.1:{PORT}"
codes: set[str] = set()
tokens: set[str] = set()
asked_for: list[str] = []


class Verifier:
    async def verify_token(self, token: str) -> AccessToken | None:
        if token not in tokens:
            return None
        return AccessToken(token=token, client_id="client", scopes=[], resource=f"{HERE}/mcp")


agent = MCPServer(
    "protected-python",
    token_verifier=Verifier(),
    auth=AuthSettings(
        issuer_url=HERE, resource_server_url=f"{HERE}/mcp", required_scopes=[], validate_token_resource=True
    ),
)


@agent.tool()
async def whoami() -> str:
    """Tells the name of the replica that answers, and for what resource its token was asked."""
    return f"{NAME} for {asked_for[-1]}"


@agent.custom_route("/.well-known/oauth-authorization-server", methods=["GET"])
async def metadata(_: Request) -> JSONResponse:
    return JSONResponse(
        {
            "issuer": HERE,
            "authorization_endpoint": f"{HERE}/authorize",
            "token_endpoint": f"{HERE}/token",
            "registration_endpoint": f"{HERE}/register",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
        }
    )


@agent.custom_route("/register", methods=["POST"])
async def register(request: Request) -> JSONResponse:
    return JSONResponse(await request.json() | {"client_id": "client"}, status_code=201)


@agent.custom_route("/authorize", methods=["GET"])
async def authorize(request: Request) -> RedirectResponse:
    asked = request.query_params
    asked_for.append(asked.get("resource", ""))
    codes.add(code := secrets.token_hex(8))
    answer = {"code": code, "state": asked.get("state", ""), "iss": HERE}
    return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", status_code=302)


@agent.custom_route("/token", methods=["POST"])
async def token(request: Request) -> JSONResponse:
    form = await request.form()
    if form.get("code") not in codes:
        return JSONResponse({"error": "invalid_grant"}, status_code=400)
    tokens.add(given := secrets.token_hex(16))
    return JSONResponse({"access_token": given, "token_type": "Bearer", "expires_in": 3600})


listen.serve(agent.streamable_http_app())
