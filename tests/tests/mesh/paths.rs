//! URLs that agents keep, and what lies beside an MCP endpoint.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use outrigger_tests::fleet::{AGENT, Fleet, REPLICAS};
use outrigger_tests::http;
use outrigger_tests::mesh::{Mesh, Shape};
use outrigger_tests::peers::{Agent, Client, ClientSdk, Sdk, authorised};
use serde_json::{Value, json};

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

/// Sessions of 2024-11-05 side by side, in turns, on one proxy: each stays where its stream is, whatever the others do.
async fn old_sessions_stay(sdk: Sdk) -> Result<()> {
    let mut fleet = Fleet::start(sdk).await?;
    let names = ["a", "b", "c"];
    let mut clients = vec![];
    for (client, path, home) in [
        (ClientSdk::PythonSse, format!("{AGENT}/sse"), None),
        (ClientSdk::PythonSse, format!("agents/{}/mcp", REPLICAS[0]), Some(REPLICAS[0])),
        (ClientSdk::TypeScriptSse, format!("agents/{}/sse", REPLICAS[1]), Some(REPLICAS[1])),
        (ClientSdk::TypeScriptSse, format!("agents/{}/mcp", REPLICAS[2]), Some(REPLICAS[2])),
    ] {
        let (url, name) = (format!("http://{}/{path}", fleet.caller.outbound), format!("client-{}", clients.len()));
        clients.push((Client::start(client, &url, &name, fleet.mesh.folder())?, home));
    }
    let mut homes: BTreeMap<(usize, &str), BTreeSet<String>> = BTreeMap::new();
    for turn in 0..4 {
        for name in names {
            for (number, (client, home)) in clients.iter_mut().enumerate() {
                if turn == 0 {
                    client.open(name).await?;
                    continue;
                }
                let text = client.call(name, sdk.tool()).await?;
                let replica = sdk.replica_in(&text)?;
                assert!(home.is_none_or(|home| home == replica), "{name} of {number} asked for {home:?}: {text}");
                homes.entry((number, name)).or_default().insert(replica);
                if sdk == Sdk::PythonSse {
                    assert!(text.ends_with(&format!("counts {turn}")), "{name} lost its count: {text}");
                }
            }
        }
    }
    assert_eq!(homes.len(), clients.len() * names.len());
    assert!(homes.values().all(|replicas| replicas.len() == 1), "a session moved: {homes:?}");
    let rewritten = format!("outrigger_announcements_total{{result=\"rewritten\"}} {}", homes.len());
    let metrics = fleet.caller.metrics().await?;
    assert!(metrics.contains(&rewritten), "{metrics}");
    fleet.agent(REPLICAS[2])?.process.kill().await?;
    let [_, (python, _), _, (typescript, _)] = clients.as_mut_slice() else { panic!("four clients") };
    assert!(typescript.call("a", sdk.tool()).await.is_err(), "its replica was killed");
    python.call("a", sdk.tool()).await?;
    Ok(())
}

#[tokio::test]
async fn sessions_of_2024_11_05_stay_on_their_replica_of_an_agent_in_python() -> Result<()> {
    old_sessions_stay(Sdk::PythonSse).await
}

#[tokio::test]
async fn sessions_of_2024_11_05_stay_on_their_replica_of_an_agent_in_typescript() -> Result<()> {
    old_sessions_stay(Sdk::EverythingSse).await
}

#[tokio::test]
async fn a_client_of_a_protected_agent_finds_its_way_by_either_url() -> Result<()> {
    let mut mesh = Mesh::new().await?;
    mesh.start_control().await?;
    let agent = Agent::start(Sdk::PythonProtected, "weather-1", mesh.folder()).await?;
    let own = agent.url();
    let shape = Shape { node: "beside".to_owned(), ..Shape::beside(AGENT, "weather-1", &own) };
    let _beside = mesh.start_proxy(&shape).await?;
    let site = own.trim_end_matches("/mcp");
    let lines = format!("forward: {{routes: {{\"{own}\": {AGENT}}}}}");
    let proxy = mesh.start_proxy(&Shape::calling("desk-1", "agent/desk").with(&lines)).await?;
    proxy.sees(AGENT, 1).await?;

    let direct = authorised(&own, mesh.folder(), &[]).await?;
    assert_eq!(direct["text"], format!("weather-1 for {own}"), "{direct}");

    // By its own URL through the mesh, everything is as it is direct.
    let through = format!("http://{}", proxy.outbound);
    let variables = [("HTTP_PROXY", through.as_str()), ("http_proxy", &through), ("NO_PROXY", ""), ("no_proxy", "")];
    assert_eq!(authorised(&own, mesh.folder(), &variables).await?, direct);

    // By the mesh's URL, the metadata is found where the challenge says, and the token is asked for what was called.
    let called = proxy.url(AGENT);
    let found = authorised(&called, mesh.folder(), &[]).await?;
    assert_eq!(found["text"], format!("weather-1 for {called}"), "{found}");
    let swap = |asked: &Value| asked.as_str().unwrap().replace(&format!("{site}/mcp"), &called);
    let expected: Vec<String> = direct["asked"].as_array().unwrap().iter().map(swap).collect();
    let metadata = (
        format!("{site}/.well-known/oauth-protected-resource/mcp"),
        format!("{through}/.well-known/oauth-protected-resource/{AGENT}/mcp"),
    );
    let expected: Vec<String> = expected.iter().map(|asked| asked.replace(&metadata.0, &metadata.1)).collect();
    assert_eq!(found["asked"], json!(expected));
    Ok(())
}
