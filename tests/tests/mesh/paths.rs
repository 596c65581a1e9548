//! URLs that agents keep, and what lies beside an MCP endpoint.

use anyhow::Result;
use outrigger_tests::fleet::{AGENT, Fleet, REPLICAS};
use outrigger_tests::http;
use outrigger_tests::mesh::Shape;
use outrigger_tests::peers::{Agent, Client, ClientSdk, Sdk};

/// A URL that leads nowhere but through a proxy that knows it.
const WRITTEN: &str = "http://weather.example:8080/mcp";

#[tokio::test]
async fn a_client_with_the_mesh_as_its_http_proxy_keeps_its_urls_and_its_sessions_stay() -> Result<()> {
    let fleet = Fleet::start(Sdk::Python).await?;
    let other = Agent::start(Sdk::Python, "other", fleet.mesh.folder()).await?;
    let listed = other.url();
    let site = listed.split('/').nth(2).unwrap();
    let lines = format!("forward: {{routes: {{\"{WRITTEN}\": {AGENT}}}, allow: [\"{site}\"]}}");
    let proxy = fleet.mesh.start_proxy(&Shape::calling("desk-2", "agent/desk").with(&lines)).await?;
    proxy.sees(AGENT, REPLICAS.len()).await?;
    let through = format!("http://{}", proxy.outbound);
    let variables = [("HTTP_PROXY", through.as_str()), ("http_proxy", &through), ("NO_PROXY", ""), ("no_proxy", "")];
    for (sdk, name) in [(ClientSdk::PythonLegacy, "legacy"), (ClientSdk::PythonAuto, "auto")] {
        let mut client = Client::start_with(sdk, WRITTEN, name, fleet.mesh.folder(), &variables)?;
        let mut homes = vec![];
        for session in ["a", "b", "c"] {
            client.open(session).await?;
            let text = client.call(session, "increment").await?;
            homes.push(Sdk::Python.replica_in(&text)?);
        }
        assert!(homes.iter().all(|home| REPLICAS.contains(&home.as_str())), "{homes:?}");
        for (session, home) in ["a", "b", "c"].into_iter().zip(&homes) {
            let text = client.call(session, "increment").await?;
            assert_eq!(&Sdk::Python.replica_in(&text)?, home, "{name}: {text}");
        }
        let mut client = Client::start_with(sdk, &listed, &format!("{name}-listed"), fleet.mesh.folder(), &variables)?;
        client.open("d").await?;
        assert!(client.call("d", "increment").await?.starts_with("other counts"), "{name}");
    }
    let metrics = proxy.metrics().await?;
    assert!(metrics.contains("route=\"weather\"") && metrics.contains("route=\"_forward\""), "{metrics}");
    Ok(())
}

#[tokio::test]
async fn who_is_not_listed_is_told_what_to_write() -> Result<()> {
    let fleet = Fleet::start(Sdk::Rust).await?;
    let url = fleet.agents[0].url();
    let site = url.split('/').nth(2).unwrap();
    for request in [
        format!("GET {url} HTTP/1.1\r\nHost: {site}\r\nConnection: close\r\n\r\n"),
        format!("CONNECT {site} HTTP/1.1\r\nHost: {site}\r\nConnection: close\r\n\r\n"),
    ] {
        let reply = http::raw(&fleet.caller.outbound, request.as_bytes()).await?;
        assert!(reply.starts_with("HTTP/1.1 403 ") && reply.contains("\"forward_not_allowed\""), "{reply}");
        assert!(reply.contains("forward.allow"), "{reply}");
    }
    Ok(())
}
