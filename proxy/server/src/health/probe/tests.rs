use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use prometheus_client::registry::Registry;
use serde_json::json;

use super::LocalAgents;
use crate::config::settings::AgentSettings;
use crate::lifecycle::drain::Tasks;
use crate::telemetry::events::Events;
use crate::telemetry::metrics::Metrics;
use crate::tests::{Heard, Scripted, agents, respond, result, until};

fn weather(heard: &Heard) -> Option<String> {
    Some(match heard.says() {
        "server/discover" => result(heard, "", &json!({ "supportedVersions": ["2026-07-28"] })),
        "tools/list" => result(heard, "", &json!({ "tools": [{ "name": "get_forecast" }] })),
        _ => respond(404, "", ""),
    })
}

fn settings(agent: &Scripted, interval_ms: u64) -> Vec<AgentSettings> {
    let address = agent.address;
    agents(&format!(
        "agents: [{{name: weather, replica: weather-1, url: 'http://{address}/mcp', probe: {{interval_ms: {interval_ms}}}}}]"
    ))
}

fn watch(agents: &[AgentSettings]) -> (LocalAgents, Tasks) {
    let events = Arc::new(Events::new(Metrics::register(&mut Registry::default())));
    let mut tasks = Tasks::default();
    (LocalAgents::watch(agents, &std::collections::HashMap::new(), &events, &mut tasks), tasks)
}

#[tokio::test]
async fn an_agent_that_dies_is_withdrawn_and_one_that_returns_is_another_generation() {
    let agent = Scripted::agent(weather).await;
    let (locals, mut tasks) = watch(&settings(&agent, 100));
    let mut replicas = locals.replicas();
    let first = until(&mut replicas, |all| all[0].serving).await.remove(0);
    assert_eq!(first.offer.as_ref().unwrap().tools.len(), 1);
    assert!(first.ready_in.is_some() && first.trouble.is_none() && first.probed);

    let address = agent.stop().await;
    let dead = until(&mut replicas, |all| !all[0].serving).await.remove(0);
    assert_eq!(dead.trouble.as_deref(), Some("its port is closed"));
    assert_eq!(dead.generation, first.generation);
    assert!(!dead.own().unwrap().serving);

    let _again = Scripted::at(address, weather).await;
    let back = until(&mut replicas, |all| all[0].serving).await.remove(0);
    assert!(back.generation > first.generation, "it may have lost its memory");
    assert_eq!(back.own().unwrap().upstream.to_string(), format!("http://{address}/mcp"));
    tasks.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn an_agent_that_dies_is_withdrawn_long_before_the_next_look() {
    let agent = Scripted::agent(weather).await;
    let (locals, mut tasks) = watch(&settings(&agent, 60_000));
    let mut replicas = locals.replicas();
    until(&mut replicas, |all| all[0].serving).await;
    agent.stop().await;
    until(&mut replicas, |all| !all[0].serving).await;
    tasks.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn an_agent_that_is_not_understood_serves_and_its_trouble_is_told() {
    let agent = Scripted::agent(|_| Some(respond(401, "", ""))).await;
    let (locals, mut tasks) = watch(&settings(&agent, 100));
    let found = until(&mut locals.replicas(), |all| all[0].probed).await.remove(0);
    assert!(found.serving && found.offer.is_none());
    assert!(found.trouble.unwrap().contains("401"));
    tasks.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn an_agent_that_must_not_be_asked_serves_and_hears_nothing() {
    let heard = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&heard);
    let agent = Scripted::agent(move |call| {
        counted.fetch_add(1, Ordering::Relaxed);
        weather(call)
    })
    .await;
    let address = agent.address;
    let file =
        format!("agents: [{{name: weather, url: 'http://{address}/mcp', probe: {{interval_ms: 50, ask: false}}}}]");
    let (locals, mut tasks) = watch(&agents(&file));
    let found = until(&mut locals.replicas(), |all| all[0].probed).await.remove(0);
    assert!(found.serving && found.offer.is_none() && found.trouble.is_none());
    tasks.stop(Duration::from_secs(5)).await;
    assert_eq!(heard.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_port_that_speaks_no_http_does_not_serve() {
    let agent = Scripted::agent(|_| Some("SSH-2.0\r\n".into())).await;
    let (locals, mut tasks) = watch(&settings(&agent, 100));
    let found = until(&mut locals.replicas(), |all| all[0].probed).await.remove(0);
    assert!(!found.serving && found.trouble.is_some(), "{found:?}");
    tasks.stop(Duration::from_secs(5)).await;
}
