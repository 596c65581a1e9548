//! What lies beside an endpoint, and the URLs of the agent that a client compares with the one that it called.

use crate::agent::Agent;
use crate::caller::{Answer, CALL, Caller};
use crate::mesh::{Proxy, Scene};

/// Answers a GET with metadata in chunks, and anything else with a challenge; both name its own URL.
async fn protected() -> Agent {
    Agent::start(|mut conversation| async move {
        while let Some(request) = conversation.request().await {
            let host = request.head.lines().find_map(|line| line.strip_prefix("Host: ")).expect("a host").to_owned();
            let metadata = format!("http://{host}/.well-known/oauth-protected-resource/mcp");
            let answer = if request.head.starts_with("GET /.well-known/oauth-protected-resource/mcp ") {
                let json = format!("{{\"resource\":\"http://{host}/mcp\",\"authorization_servers\":[\"http://{host}/\"]}}");
                let (front, back) = json.split_at(20);
                format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{front}\r\n{:x}\r\n{back}\r\n0\r\n\r\n",
                    front.len(),
                    back.len()
                )
            } else if request.head.starts_with("GET") || request.head.starts_with("OPTIONS") {
                let line = request.head.lines().next().expect("a line").to_owned();
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{line}", line.len())
            } else {
                format!(
                    "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer error=\"invalid_token\", resource_metadata=\"{metadata}\"\r\nContent-Length: 0\r\n\r\n"
                )
            };
            conversation.send(answer.as_bytes()).await;
        }
    })
    .await
}

async fn ask(proxy: &Proxy, method: &str, target: &str, host: &str) -> Answer {
    let mut caller = Caller::connect(proxy.outbound).await;
    let body = if method == "POST" { CALL } else { "" };
    let length = body.len();
    caller.send(&format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n{body}")).await;
    caller.answer().await
}

/// One proxy beside the agent that is called as well, and two with the mesh between.
async fn proxies(agent: &Agent) -> Vec<(Proxy, Option<Proxy>)> {
    let own = Scene::of_own(&[("weather-1", agent.address)]);
    let beside = own.start();
    let calling = Scene::of_peers(&[("weather-1", beside.inbound, None)]).knowing("weather.example:80", "/mcp").start();
    let site = agent.address.to_string();
    vec![(own.knowing(&site, "/mcp").start(), None), (calling, Some(beside))]
}

#[tokio::test]
async fn challenge_and_metadata_name_the_url_that_was_called() {
    let agent = protected().await;
    for (proxy, _beside) in proxies(&agent).await {
        for root in ["weather", "agents/weather-1"] {
            let host = format!("localhost:{}", proxy.outbound.port());
            let answer = ask(&proxy, "POST", &format!("/{root}/mcp"), &host).await;
            let metadata = format!("/.well-known/oauth-protected-resource/{root}/mcp");
            assert_eq!(answer.status, 401);
            let challenge = format!(
                "WWW-Authenticate: Bearer error=\"invalid_token\", resource_metadata=\"http://{host}{metadata}\""
            );
            assert!(answer.has_header(&challenge), "{}", answer.head);
            let mut caller = Caller::connect(proxy.outbound).await;
            caller.send(&format!("GET {metadata} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
            let answer = caller.answer().await;
            assert!(answer.whole && !answer.head.contains("chunked"), "{}", answer.head);
            let expected = format!(
                "{{\"resource\":\"http://{host}/{root}/mcp\",\"authorization_servers\":[\"http://{}/\"]}}",
                agent.address
            );
            assert_eq!(answer.text(), expected);
            assert_eq!(caller.post(&format!("/{root}/mcp"), "", CALL).await.status, 401, "the connection goes on");
        }
    }
}

#[tokio::test]
async fn who_calls_by_the_agents_own_url_finds_it_everywhere() {
    let agent = protected().await;
    for (number, (proxy, _beside)) in proxies(&agent).await.into_iter().enumerate() {
        let host = if number == 0 { agent.address.to_string() } else { "weather.example".to_owned() };
        let answer = ask(&proxy, "POST", &format!("http://{host}/mcp"), &host).await;
        let metadata = format!("http://{}/.well-known/oauth-protected-resource/mcp", agent.address);
        assert!(answer.head.contains(&format!("resource_metadata=\"{metadata}\"")), "{}", answer.head);
        let answer =
            ask(&proxy, "GET", &format!("http://{host}/.well-known/oauth-protected-resource/mcp"), &host).await;
        assert!(
            answer.text().starts_with(&format!("{{\"resource\":\"http://{}/mcp\"", agent.address)),
            "{}",
            answer.text()
        );
        assert!(answer.head.contains("chunked"), "as it came: {}", answer.head);
    }
}

#[tokio::test]
async fn each_part_is_asked_of_the_same_agent_at_its_own_place_and_nothing_else_is() {
    let agent = protected().await;
    for (proxy, beside) in proxies(&agent).await {
        for (path, there) in [
            ("/.well-known/oauth-authorization-server/weather/mcp", "/.well-known/oauth-authorization-server/mcp"),
            ("/weather/mcp/.well-known/openid-configuration", "/mcp/.well-known/openid-configuration"),
            ("/weather/.well-known/openid-configuration", "/.well-known/openid-configuration"),
            ("/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server"),
            ("/authorize", "/authorize"),
            ("/weather/authorize", "/authorize"),
        ] {
            for method in ["GET", "OPTIONS"] {
                let answer = ask(&proxy, method, &format!("{path}?a=%20b"), "localhost:1").await;
                assert_eq!(answer.text(), format!("{method} {there}?a=%20b HTTP/1.1"), "{path}");
            }
        }
        let before = agent.requests();
        for path in ["/.well-known/security.txt", "/weather/admin", "/weather/mcp/authorize", "/other/token"] {
            let answer = ask(&proxy, "GET", path, "localhost:1").await;
            assert_eq!(answer.status, 404, "{path}");
        }
        if let Some(beside) = beside {
            let mut peer = Caller::connect(beside.inbound).await;
            for path in ["/admin", "/token", "/weather/token", "/agents/weather-1/admin"] {
                assert_eq!(peer.post(path, "", "").await.reason(), "no_such_path", "{path}");
            }
        }
        assert_eq!(agent.requests(), before);
    }
}

#[tokio::test]
async fn discovery_of_a_route_that_is_not_there_is_a_404_in_every_era() {
    let proxy = Scene::empty().start();
    let mut caller = Caller::connect(proxy.outbound).await;
    let modern = "MCP-Protocol-Version: 2026-07-28\r\n";
    caller
        .send(&format!(
            "GET /.well-known/oauth-protected-resource/other/mcp HTTP/1.1\r\nHost: localhost\r\n{modern}\r\n"
        ))
        .await;
    assert_eq!(caller.answer().await.status, 404);
}
