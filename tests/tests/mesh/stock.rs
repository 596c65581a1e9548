//! Stock clients: Envoy in both variants of the protocol and gRPC, told by control of the same mesh as our own proxies.

mod plain;
mod swaps;
mod restarts;
mod refusals;
mod grpc;

use anyhow::{Result, ensure};
use outrigger_tests::http::get;
use outrigger_tests::mcp::Session;
use outrigger_tests::stock::{Bootstrap, Envoy, told};
use outrigger_tests::wait;
use serde_json::{Value, json};

use plain::Plain;

/// Each variant by its example, and as control calls it.
const VARIANTS: [(&str, &str); 2] = [("envoy-sotw", "sotw"), ("envoy-delta", "delta")];

#[tokio::test]
async fn an_envoy_of_either_variant_calls_agents_through_their_proxies() -> Result<()> {
    let mut plain = Plain::start("").await?;
    plain.replica("weather-1", "1.0.0").await?;
    plain.replica("weather-2", "1.0.0").await?;
    for (example, mode) in VARIANTS {
        let mut envoy = plain.envoy(&Bootstrap::of(example, &format!("edge-{mode}"))).await?;
        envoy.is_told().await?;
        wait::until("both replicas are called", async || {
            let seen = [plain.call(&envoy, "weather").await?, plain.call(&envoy, "weather").await?];
            ensure!(seen[0] != seen[1], "{seen:?}");
            Ok(())
        })
        .await?;
        sessions_stay(&envoy).await?;
        what_is_not_there_is_told(&envoy).await?;
        let seen = told(&plain.http, &envoy.node).await?;
        assert_eq!((&seen["kind"], &seen["mode"], &seen["connected"]), (&json!("envoy"), &json!(mode), &json!(true)));
        for kind in ["Cluster", "ClusterLoadAssignment", "Listener", "RouteConfiguration"] {
            assert!(seen["types"][kind]["version"].is_string() && seen["types"][kind]["refusal"].is_null(), "{seen}");
        }
    }
    let gaps = get(&format!("http://{}/v1/stock", plain.http)).await?.json()?["inexpressible"].clone();
    assert!(
        gaps.as_array().is_some_and(|gaps| gaps.iter().all(|gap| gap["at"] == "mesh")),
        "nothing was declared: {gaps}"
    );
    Ok(())
}

/// Twice each, so that neither is where its calls go by chance.
async fn sessions_stay(envoy: &Envoy) -> Result<()> {
    for _ in 0..2 {
        let session = Session::open(&envoy.url("weather")).await?;
        let first = session.call("increment").await?;
        let replica = first.split(' ').next().unwrap_or_default();
        for count in 2..=4 {
            assert_eq!(session.call("increment").await?, format!("{replica} counts {count}"));
        }
    }
    Ok(())
}

/// By the Envoy where it knows no such path, and by the agent where the session is not one of its own.
async fn what_is_not_there_is_told(envoy: &Envoy) -> Result<()> {
    assert_eq!(get(&envoy.url("wether")).await?.status.as_u16(), 404);
    let lost =
        Session { url: envoy.url("weather"), id: "no-such-session".to_owned(), revision: "2025-06-18".to_owned() };
    assert_eq!(lost.try_call("increment").await?.status.as_u16(), 404, "a client then opens another");
    let page = [("origin", "https://evil.example")];
    let refused = outrigger_tests::http::send(::http::Method::POST, &envoy.url("weather"), &page, "{}").await?;
    assert_eq!(refused.status.as_u16(), 403);
    Ok(())
}

/// How often a node was answered about a kind since control started.
fn answers(told: &Value, kind: &str) -> u64 {
    told["types"][kind]["answers"].as_u64().unwrap_or_default()
}
