use super::{Name, Renaming, with_length};
use crate::asked::Server;
use crate::http1::written;

const AGENT: Name<'static> = Name { authority: "127.0.0.1:8081", server: Server { root: "", endpoint: "/api/mcp" } };
const PEER: Name<'static> = Name {
    authority: "localhost:17001",
    server: Server { root: "/agents/weather-1", endpoint: "/agents/weather-1/mcp" },
};
const CALLER: Name<'static> =
    Name { authority: "localhost:17001", server: Server { root: "/weather", endpoint: "/weather/mcp" } };
const DIRECT: Renaming<'static> = Renaming { from: AGENT, to: CALLER };

#[test]
fn a_url_of_the_agent_becomes_that_of_the_call_and_no_other_does() {
    for (url, there) in [
        ("http://127.0.0.1:8081/api/mcp", Some("http://localhost:17001/weather/mcp")),
        ("http://localhost:8081/api/mcp/", Some("http://localhost:17001/weather/mcp")),
        ("http://127.0.0.1:8081", Some("http://localhost:17001/weather")),
        ("http://127.0.0.1:8081/", Some("http://localhost:17001/weather/")),
        (
            "http://127.0.0.1:8081/.well-known/oauth-protected-resource/api/mcp",
            Some("http://localhost:17001/.well-known/oauth-protected-resource/weather/mcp"),
        ),
        (
            "http://127.0.0.1:8081/.well-known/oauth-protected-resource",
            Some("http://localhost:17001/weather/.well-known/oauth-protected-resource"),
        ),
        ("http://127.0.0.1:8081/other", None),
        ("http://127.0.0.1:8082/api/mcp", None),
        ("https://127.0.0.1:8081/api/mcp", None),
        ("https://weather.example/api/mcp", None),
        ("http://127.0.0.1:8081/api/mcp?a=1", None),
        ("http://u@127.0.0.1:8081/api/mcp", None),
        ("", None),
    ] {
        assert_eq!(DIRECT.url(url).as_deref(), there, "{url}");
    }
}

#[test]
fn through_two_proxies_it_becomes_the_same() {
    let (beside, calling) = (Renaming { from: AGENT, to: PEER }, Renaming { from: PEER, to: CALLER });
    for path in
        ["/api/mcp", "", "/", "/.well-known/oauth-protected-resource/api/mcp", "/.well-known/oauth-protected-resource"]
    {
        let url = format!("http://127.0.0.1:8081{path}");
        let between = beside.url(&url).unwrap();
        assert_eq!(calling.url(&between), DIRECT.url(&url), "{between}");
    }
}

#[test]
fn a_challenge_leads_to_metadata_through_the_mesh_and_keeps_everything_else() {
    let url = "http://127.0.0.1:8081/.well-known/oauth-protected-resource/api/mcp";
    let there = "http://localhost:17001/.well-known/oauth-protected-resource/weather/mcp";
    let changed = |value: &str, status: &str| {
        let text = format!("HTTP/1.1 {status}\r\nX-Odd:  a\r\nWWW-Authenticate: {value}\r\nContent-Length: 2");
        DIRECT.challenge(&written::answer(&text)).map(|head| String::from_utf8(head.written()).unwrap())
    };
    for value in [
        "Bearer error=\"invalid_token\", resource_metadata=\"URL\"",
        "Bearer resource_metadata=URL, scope=\"a b\"",
        "Bearer scope=\"say \\\"resource_metadata=x\\\" , \",RESOURCE_METADATA = \"URL\", x=1",
    ] {
        for status in ["401 Unauthorized", "403 Forbidden"] {
            let expected = format!(
                "HTTP/1.1 {status}\r\nX-Odd: a\r\nWWW-Authenticate: {}\r\nContent-Length: 2\r\n\r\n",
                value.replace("URL", there)
            );
            assert_eq!(changed(&value.replace("URL", url), status), Some(expected), "{value}");
        }
    }
    for value in [
        "Bearer",
        "Bearer resource_metadata=\"https://a.example/\"",
        "Bearer x=\"resource_metadata=http://127.0.0.1:8081/\"",
        "Bearer resource_metadata=\"unended",
    ] {
        assert_eq!(changed(value, "401 Unauthorized"), None, "{value}");
    }
    assert_eq!(changed(&format!("Bearer resource_metadata=\"{url}\""), "200 OK"), None);
}

#[test]
fn only_the_resource_of_the_metadata_is_changed() {
    let there = "http://localhost:17001/weather/mcp";
    for json in [
        "{\"resource\":\"URL\",\"authorization_servers\":[\"http://127.0.0.1:8081/\"]}",
        "{ \"a\": {\"resource\": \"URL2\"}, \"b\": \"resource\", \"n\": 1e2,\n \"resource\" : \"URL\" }",
        "{\"x\\\"y\": \"\\\\\", \"resource\": \"http:\\/\\/127.0.0.1:8081\\/api\\/mcp\"}",
    ] {
        let sent = json.replace("URL2", "u").replace("URL", "http://127.0.0.1:8081/api/mcp");
        let expected =
            json.replace("URL2", "u").replace("URL", there).replace("http:\\/\\/127.0.0.1:8081\\/api\\/mcp", there);
        assert_eq!(DIRECT.resource(sent.as_bytes()), Some(expected.into_bytes()), "{json}");
    }
    for json in [
        "",
        "[]",
        "{\"resource\":1}",
        "{\"resource\":\"https://a.example/mcp\"}",
        "{\"resource\":\"http",
        "{\"a\":[\"resource\",\"http://127.0.0.1:8081/api/mcp\"]}",
        "}",
    ] {
        assert_eq!(DIRECT.resource(json.as_bytes()), None, "{json}");
    }
}

#[test]
fn a_body_of_another_length_has_one_length() {
    let head = written::answer("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\nX: y");
    let head = with_length(&head, 7).unwrap();
    assert_eq!(head.written(), b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nX: y\r\nContent-Length: 7\r\n\r\n");
}
