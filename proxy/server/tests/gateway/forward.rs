//! Agents whose HTTP proxy is the outbound listener: whole URLs and tunnels.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::agent::Agent;
use crate::caller::{Answer, CALL, Caller};
use crate::mesh::{Scene, closed_port};

/// A request for a whole URL, as clients send it to their HTTP proxy.
async fn whole(proxy: SocketAddr, method: &str, url: &str, headers: &str, body: &str) -> Answer {
    let host = url.split('/').nth(2).expect("a host");
    let length = body.len();
    let mut caller = Caller::connect(proxy).await;
    caller
        .send(&format!("{method} {url} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n{headers}\r\n{body}"))
        .await;
    caller.answer().await
}

async fn connect(proxy: SocketAddr, site: &str) -> Caller {
    let mut caller = Caller::connect(proxy).await;
    caller.send(&format!("CONNECT {site} HTTP/1.1\r\nHost: {site}\r\nProxy-Authorization: Basic YTpi\r\n\r\n")).await;
    caller
}

#[tokio::test]
async fn a_url_that_stands_for_a_route_is_a_call_of_that_route_across_two_proxies() {
    let agent = Agent::echoing().await;
    let beside = Scene::of_own(&[("weather-1", agent.address)]).start();
    let calling = Scene::of_peers(&[("weather-1", beside.inbound, None)]).knowing("weather.example:8080", "/api/mcp");
    let calling = calling.start();
    let answer = whole(calling.outbound, "POST", "http://weather.example:8080/api/mcp", "", CALL).await;
    assert_eq!(answer.status, 200);
    let seen = answer.text();
    assert!(seen.starts_with("POST /mcp HTTP/1.1\r\n") && seen.ends_with(CALL), "{seen}");
    assert!(seen.contains(&format!("Host: {}\r\n", agent.address)), "{seen}");
    let answer = whole(calling.outbound, "GET", "http://weather.example:8080/admin", "", "").await;
    assert_eq!((answer.status, answer.reason().as_str()), (403, "forward_not_allowed"));
    assert_eq!(agent.requests(), 1);
}

#[tokio::test]
async fn an_own_agent_is_known_by_its_own_url_and_so_are_the_documents_beside_it() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    for path in ["/mcp", "/.well-known/oauth-protected-resource/mcp", "/.well-known/openid-configuration", "/token"] {
        let url = format!("http://localhost:{}{path}?a=1", agent.address.port());
        let answer = whole(proxy.outbound, "GET", &url, "Authorization: Bearer t\r\n", "").await;
        assert!(answer.text().starts_with(&format!("GET {path}?a=1 HTTP/1.1\r\n")), "{}", answer.text());
        assert!(answer.text().contains("Authorization: Bearer t\r\n"), "{}", answer.text());
    }
}

#[tokio::test]
async fn our_own_address_written_out_is_the_same_as_a_path() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let answer = whole(proxy.outbound, "POST", &format!("http://{}/weather/mcp", proxy.outbound), "", CALL).await;
    assert!(answer.text().starts_with("POST /mcp HTTP/1.1\r\n"), "{}", answer.text());
}

#[tokio::test]
async fn a_listed_site_gets_the_request_as_it_was_meant_and_others_get_nothing() {
    let site = Agent::echoing().await;
    let other = Agent::echoing().await;
    let proxy = Scene::empty().allowing(&[&site.address.to_string()]).start();
    let url = format!("http://{}/any/path?a=%20b", site.address);
    let headers = "Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic YTpi\r\nX-Odd: 1\r\n";
    let answer = whole(proxy.outbound, "PUT", &url, headers, "body").await;
    let host = site.address;
    let expected =
        format!("PUT /any/path?a=%20b HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\nX-Odd: 1\r\n\r\nbody");
    assert_eq!(answer.text(), expected);
    let refused = whole(proxy.outbound, "POST", &format!("http://{}/mcp", other.address), "", CALL).await;
    assert_eq!((refused.status, refused.reason().as_str()), (403, "forward_not_allowed"));
    assert_eq!(refused.json()["id"], "call-7");
    assert_eq!(other.requests(), 0);
}

#[tokio::test]
async fn a_site_that_cannot_be_reached_and_a_circle_are_refused() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).allowing(&["127.0.0.1:*", "localhost:*"]).start();
    let answer = whole(proxy.outbound, "GET", &format!("http://{}/", closed_port()), "", "").await;
    assert_eq!((answer.status, answer.reason().as_str()), (503, "forward_unreachable"));
    for host in ["127.0.0.1", "localhost"] {
        let ours = format!("http://{host}:{}/agents/weather-1/mcp", proxy.inbound.port());
        let answer = whole(proxy.outbound, "POST", &ours, "", CALL).await;
        assert_eq!((answer.status, answer.reason().as_str()), (403, "forward_address"), "{host}");
        let mut caller = connect(proxy.outbound, &format!("{host}:{}", proxy.inbound.port())).await;
        assert_eq!(caller.answer().await.reason(), "forward_address");
    }
    assert_eq!(agent.requests(), 0);
}

#[tokio::test]
async fn a_page_from_elsewhere_is_refused_in_every_form() {
    let site = Agent::echoing().await;
    let proxy = Scene::empty().allowing(&["127.0.0.1:*"]).start();
    let origin = "Origin: http://evil.example\r\n";
    let answer = whole(proxy.outbound, "GET", &format!("http://{}/", site.address), origin, "").await;
    assert_eq!((answer.status, answer.reason().as_str()), (403, "origin_not_allowed"));
    let mut caller = Caller::connect(proxy.outbound).await;
    caller.send(&format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n{origin}\r\n", site.address)).await;
    assert_eq!(caller.answer().await.reason(), "origin_not_allowed");
    let mut caller = Caller::connect(proxy.outbound).await;
    caller.send(&format!("GET http://{}/ HTTP/1.1\r\nHost: other.example\r\n\r\n", site.address)).await;
    assert_eq!(caller.answer().await.reason(), "malformed");
    assert_eq!(site.requests(), 0);
}

#[tokio::test]
async fn a_tunnel_to_a_listed_site_carries_bytes_and_each_way_ends_by_itself() {
    let site = Agent::start(|mut conversation| async move {
        let mut heard = Vec::new();
        conversation.stream.read_to_end(&mut heard).await.expect("read");
        conversation.send(&[b"heard ", heard.as_slice()].concat()).await;
    })
    .await;
    let proxy = Scene::empty().allowing(&["127.0.0.1:*"]).start();
    let mut caller = connect(proxy.outbound, &site.address.to_string()).await;
    assert!(caller.head().await.head.starts_with("HTTP/1.1 200 "));
    caller.send("\x16\x03 no http\r\n").await;
    caller.stream.shutdown().await.expect("shutdown");
    let mut heard = Vec::new();
    caller.stream.read_to_end(&mut heard).await.expect("read");
    assert_eq!(heard, b"heard \x16\x03 no http\r\n");
}

#[tokio::test]
async fn a_tunnel_in_which_nothing_moves_is_closed() {
    let site = Agent::start(|mut conversation| async move { conversation.closed().await }).await;
    let mut scene = Scene::empty().allowing(&["127.0.0.1:*"]);
    scene.tunnel_idle = Duration::from_millis(200);
    let proxy = scene.start();
    let mut caller = connect(proxy.outbound, &site.address.to_string()).await;
    assert_eq!(caller.head().await.status, 200);
    assert!(caller.try_head().await.is_none(), "closed without a word");
}

#[tokio::test]
async fn a_tunnel_that_is_not_listed_is_refused_and_the_connection_goes_on() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut caller = connect(proxy.outbound, "api.example:443").await;
    let answer = caller.answer().await;
    assert_eq!((answer.status, answer.reason().as_str()), (403, "forward_not_allowed"));
    assert_eq!(caller.post("/weather/mcp", "", CALL).await.status, 200);
    for line in ["CONNECT / HTTP/1.1", "CONNECT api.example HTTP/1.1", "CONNECT u@api.example:443 HTTP/1.1"] {
        let mut caller = Caller::connect(proxy.outbound).await;
        caller.send(&format!("{line}\r\nHost: api.example\r\n\r\n")).await;
        assert_eq!(caller.answer().await.reason(), "malformed", "{line}");
    }
}

#[tokio::test]
async fn plain_http_in_a_tunnel_to_an_agents_url_is_the_meshs() {
    let agent = Agent::echoing().await;
    let beside = Scene::of_own(&[("weather-1", agent.address)]).start();
    let calling = Scene::of_peers(&[("weather-1", beside.inbound, None)]).knowing("weather.example:8080", "/api/mcp");
    let calling = calling.start();
    let mut caller = connect(calling.outbound, "weather.example:8080").await;
    assert_eq!(caller.head().await.status, 200);
    for (path, there) in [("/api/mcp", "/mcp"), ("/.well-known/oauth-protected-resource/api/mcp", "")] {
        let there = if there.is_empty() { "/.well-known/oauth-protected-resource/mcp" } else { there };
        caller.send(&format!("GET {path} HTTP/1.1\r\nHost: weather.example:8080\r\n\r\n")).await;
        let answer = caller.answer().await;
        assert!(answer.text().starts_with(&format!("GET {there} HTTP/1.1\r\n")), "{}", answer.text());
    }
    caller.send("GET /api/mcp HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await;
    assert_eq!(caller.answer().await.reason(), "malformed", "the tunnel is to one site");
}

#[tokio::test]
async fn a_tunnel_to_ourselves_is_read_as_if_there_were_none() {
    let agent = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).start();
    let mut caller = connect(proxy.outbound, &proxy.outbound.to_string()).await;
    assert_eq!(caller.head().await.status, 200);
    assert_eq!(caller.post("/weather/mcp", "", CALL).await.status, 200);
}

#[tokio::test]
async fn only_the_listener_of_the_own_agents_forwards() {
    let agent = Agent::echoing().await;
    let site = Agent::echoing().await;
    let proxy = Scene::of_own(&[("weather-1", agent.address)]).allowing(&["127.0.0.1:*"]).start();
    let answer = whole(proxy.inbound, "GET", &format!("http://{}/", site.address), "", "").await;
    assert_eq!((answer.status, answer.reason().as_str()), (404, "no_such_path"));
    let mut caller = connect(proxy.inbound, &site.address.to_string()).await;
    assert_eq!(caller.answer().await.reason(), "malformed");
    assert_eq!(site.requests(), 0);
}
