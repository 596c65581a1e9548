use super::{Asked, Document, Form, Page, Part, Server};
use crate::announce::{Message, Token};
use crate::target::Target;

const WEATHER: Option<Target<'static>> = Some(Target::Route("weather"));
const REPLICA: Option<Target<'static>> = Some(Target::Agent("weather-1"));

#[test]
fn a_path_asks_for_an_endpoint_or_for_what_lies_beside_it() {
    use Document::{AuthorizationServer, OpenIdConfiguration, ProtectedResource};
    use Form::{Appended, Inserted, Root};
    for (path, target, part) in [
        ("/weather/mcp", WEATHER, Part::Endpoint),
        ("/weather/sse", WEATHER, Part::Endpoint),
        ("/agents/weather-1/mcp", REPLICA, Part::Endpoint),
        ("/mcp", Some(Target::Everything), Part::Endpoint),
        ("/.well-known/oauth-protected-resource", None, Part::Document(ProtectedResource, Root)),
        ("/.well-known/oauth-protected-resource/", None, Part::Document(ProtectedResource, Root)),
        ("/.well-known/oauth-protected-resource/weather/mcp", WEATHER, Part::Document(ProtectedResource, Inserted)),
        ("/.well-known/openid-configuration/weather/mcp", WEATHER, Part::Document(OpenIdConfiguration, Inserted)),
        ("/weather/mcp/.well-known/openid-configuration", WEATHER, Part::Document(OpenIdConfiguration, Appended)),
        ("/weather/.well-known/oauth-authorization-server", WEATHER, Part::Document(AuthorizationServer, Root)),
        (
            "/.well-known/oauth-authorization-server/agents/weather-1/mcp",
            REPLICA,
            Part::Document(AuthorizationServer, Inserted),
        ),
        (
            "/agents/weather-1/mcp/.well-known/oauth-protected-resource",
            REPLICA,
            Part::Document(ProtectedResource, Appended),
        ),
        ("/agents/weather-1/.well-known/oauth-protected-resource", REPLICA, Part::Document(ProtectedResource, Root)),
        ("/authorize", None, Part::Page(Page::Authorize)),
        ("/weather/token", WEATHER, Part::Page(Page::Token)),
        ("/agents/weather-1/register", REPLICA, Part::Page(Page::Register)),
    ] {
        assert_eq!(Asked::of(path), Some(Asked { target, part }), "{path}");
    }
}

#[test]
fn what_is_not_on_the_list_is_asked_for_in_vain() {
    for path in [
        "/.well-known/security.txt",
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-protected-resource/weather",
        "/.well-known/oauth-protected-resource/a/b/mcp",
        "/.well-known/oauth-protected-resource//mcp",
        "/.well-known/oauth-protected-resource/weather/mcp/admin",
        "/.well-known/oauth-protected-resource/../weather/mcp",
        "/weather/mcp/.well-known/oauth-protected-resource/more",
        "/weather/mcp/.well-known/../admin",
        "/weather/admin",
        "/weather/mcp/authorize",
        "/a/b/token",
        "//token",
        "/agents//token",
        "/",
        "*",
    ] {
        assert_eq!(Asked::of(path), None, "{path}");
    }
}

#[test]
fn each_part_has_its_own_place_and_is_found_there() {
    let servers = [
        Server { root: "/agents/weather-1", endpoint: "/agents/weather-1/mcp" },
        Server { root: "", endpoint: "/mcp" },
        Server { root: "", endpoint: "/deep/er/mcp/" },
    ];
    for server in servers {
        for part in Part::all() {
            let path = part.path(server);
            assert_eq!(Part::at(server, &path), Some(part), "{path}");
        }
    }
    let [named, ..] = servers;
    for part in Part::all() {
        assert_eq!(Asked::of(&part.path(named)), Some(Asked { target: REPLICA, part }), "{part:?}");
    }
}

#[test]
fn the_place_at_an_agent_follows_from_its_own_path() {
    let at = |endpoint, path: &str| Asked::of(path).map(|asked| asked.part.path(Server { root: "", endpoint }));
    for (endpoint, asked, there) in [
        ("/mcp", "/.well-known/oauth-protected-resource/weather/mcp", "/.well-known/oauth-protected-resource/mcp"),
        ("/api/mcp", "/weather/mcp/.well-known/openid-configuration", "/api/mcp/.well-known/openid-configuration"),
        ("/", "/.well-known/oauth-protected-resource/weather/mcp", "/.well-known/oauth-protected-resource"),
        ("/api/mcp", "/weather/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server"),
        ("/api/mcp", "/weather/authorize", "/authorize"),
    ] {
        assert_eq!(at(endpoint, asked).as_deref(), Some(there), "{asked}");
    }
}

#[test]
fn a_query_that_was_announced_asks_the_replica_that_announced_it() {
    let token = Token([7; 16]);
    let query = Message { replica: "weather-1", token, query: "" }.uri("");
    let query = query.strip_prefix('?');
    let messages = Some(Asked { target: REPLICA, part: Part::Messages(token) });
    for path in ["/weather/mcp", "/weather/sse", "/agents/weather-1/mcp", "/agents/weather/mcp"] {
        assert_eq!(Asked::read(path, query), messages, "{path}");
    }
    assert_eq!(Asked::read("/mcp", query), Asked::of("/mcp"));
    assert_eq!(Asked::read("/weather/token", query), Asked::of("/weather/token"));
    assert_eq!(Asked::read("/weather/mcp", Some("a=1")), Asked::of("/weather/mcp"));
}
