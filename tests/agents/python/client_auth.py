"""How the conformance client proves who it is: one OAuth provider of the official Python SDK per kind of scenario.

The person in front of a browser is played by one GET of the authorization URL: the suite's authorization servers ask
nothing and redirect at once, and the redirect holds the answer.
"""

from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import (
    ClientCredentialsOAuthProvider,
    PrivateKeyJWTOAuthProvider,
    SignedJWTParameters,
)
from mcp.client.auth.extensions.identity_assertion import IdentityAssertionOAuthProvider
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

REDIRECT_URI = "http://127.0.0.1:3999/callback"  # nothing listens there: the redirect is read, never followed
METADATA_DOCUMENT = "https://conformance-test.local/client-metadata.json"  # the client id the suite looks for


class Memory:
    """Tokens and the client's registration, for as long as the process lives."""

    def __init__(self, client: OAuthClientInformationFull | None = None) -> None:
        self.client, self.tokens = client, None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class Browser:
    """Opens the authorization URL and brings back what the authorization server put into the redirect."""

    def __init__(self) -> None:
        self.answer: dict[str, list[str]] = {}

    async def open(self, url: str) -> None:
        async with httpx2.AsyncClient() as http:
            response = await http.get(url)
        self.answer = parse_qs(urlsplit(response.headers["location"]).query)

    async def came_back(self) -> AuthorizationCodeResult:
        one = {name: values[0] for name, values in self.answer.items()}
        return AuthorizationCodeResult(code=one.get("code", ""), state=one.get("state"), iss=one.get("iss"))


def provider(scenario: str, url: str, context: dict) -> httpx2.Auth:
    """The way in that the scenario's authorization server offers."""
    match scenario:
        case "auth/client-credentials-basic":
            return ClientCredentialsOAuthProvider(url, Memory(), context["client_id"], context["client_secret"])
        case "auth/client-credentials-jwt":
            own = SignedJWTParameters(
                issuer=context["client_id"],
                subject=context["client_id"],
                signing_key=context["private_key_pem"],
                signing_algorithm=context["signing_algorithm"],
            )
            return PrivateKeyJWTOAuthProvider(url, Memory(), context["client_id"], own.create_assertion_provider())
        case "auth/pre-registration":
            return with_a_person(url, Memory(registered(context)))
        case "auth/basic-cimd":
            return with_a_person(url, Memory(), client_metadata_url=METADATA_DOCUMENT)
        case _:
            return with_a_person(url, Memory())


def with_a_person(url: str, memory: Memory, **more: str) -> OAuthClientProvider:
    browser = Browser()
    metadata = OAuthClientMetadata(
        client_name="conformance-client",
        redirect_uris=[REDIRECT_URI],
        grant_types=["authorization_code", "refresh_token"],
    )
    return OAuthClientProvider(url, metadata, memory, browser.open, browser.came_back, **more)


def registered(context: dict) -> OAuthClientInformationFull:
    """Credentials that were agreed on beforehand; they belong to one issuer."""
    return OAuthClientInformationFull(
        client_id=context["client_id"],
        client_secret=context["client_secret"],
        redirect_uris=[REDIRECT_URI],
        token_endpoint_auth_method="client_secret_basic",
        issuer=context["issuer"],
    )


async def by_identity_assertion(url: str, context: dict) -> httpx2.Auth:
    """Enterprise-managed authorization: the identity provider vouches, no person is asked.

    Which authorization server the MCP server trusts is configuration in this flow; here it is read from the MCP
    server's own metadata, because the suite does not tell it.
    """
    issuer = await issuer_of(url)

    async def vouched_for(audience: str, resource: str) -> str:
        wish = {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "requested_token_type": "urn:ietf:params:oauth:token-type:id-jag",
            "subject_token": context["idp_id_token"],
            "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
            "client_id": context["idp_client_id"],
            "audience": audience,
            "resource": resource,
        }
        async with httpx2.AsyncClient() as http:
            answer = await http.post(context["idp_token_endpoint"], data=wish)
        answer.raise_for_status()
        return answer.json()["access_token"]

    return IdentityAssertionOAuthProvider(
        url,
        Memory(),
        context["client_id"],
        context["client_secret"],
        issuer,
        vouched_for,
        token_endpoint_auth_method="client_secret_basic",
    )


async def issuer_of(url: str) -> str:
    parts = urlsplit(url)
    place = f"{parts.scheme}://{parts.netloc}/.well-known/oauth-protected-resource{parts.path}"
    async with httpx2.AsyncClient() as http:
        answer = await http.get(place)
    answer.raise_for_status()
    return answer.json()["authorization_servers"][0]
