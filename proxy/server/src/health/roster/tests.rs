use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use outrigger_model::name::ReplicaId;
use outrigger_upstream::heartbeat::Heartbeat;
use prometheus_client::registry::Registry;
use serde_json::json;
use tokio::time::sleep;

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

fn probed(agent: &Scripted, probe: &str) -> Vec<AgentSettings> {
    let address = agent.address;
    agents(&format!("agents: [{{name: weather, url: 'http://{address}/mcp', probe: {{interval_ms: 50, {probe}}}}}]"))
}

#[tokio::test]
async fn an_agent_does_not_serve_while_its_page_says_so() {
    let well = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&well);
    let agent = Scripted::agent(move |heard| match heard.method.as_str() {
        "GET" => Some(respond(if asked.load(Ordering::SeqCst) { 200 } else { 503 }, "", "")),
        _ => weather(heard),
    })
    .await;
    let (locals, mut tasks) = watch(&probed(&agent, "http: {path: /health}"));
    let mut replicas = locals.replicas();
    let ill = until(&mut replicas, |all| all[0].probed).await.remove(0);
    assert!(!ill.serving && ill.trouble.unwrap().contains("503"));
    assert!(!agent.said().contains(&"tools/list".to_owned()), "it is asked what it offers when it is well");

    well.store(true, Ordering::SeqCst);
    let served = until(&mut replicas, |all| all[0].serving).await.remove(0);
    assert_eq!(served.offer.unwrap().tools.len(), 1);

    well.store(false, Ordering::SeqCst);
    let ill = until(&mut replicas, |all| !all[0].serving).await.remove(0);
    assert!(ill.trouble.unwrap().contains("503"));
    tasks.stop(Duration::from_secs(5)).await;
}

/// Of every three looks two fail, and three in a row would be too many.
#[tokio::test]
async fn fewer_bad_looks_in_a_row_than_are_allowed_change_nothing() {
    let looks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&looks);
    let agent = Scripted::agent(move |heard| match heard.method.as_str() {
        "GET" => {
            Some(respond(if counted.fetch_add(1, Ordering::SeqCst).is_multiple_of(3) { 200 } else { 500 }, "", ""))
        }
        _ => weather(heard),
    })
    .await;
    let (locals, mut tasks) = watch(&probed(&agent, "http: {path: /health}, unhealthy_after: 3"));
    let mut replicas = locals.replicas();
    let first = until(&mut replicas, |all| all[0].serving).await.remove(0);
    while looks.load(Ordering::SeqCst) < 13 {
        sleep(Duration::from_millis(10)).await;
    }
    let last = replicas.borrow()[0].clone();
    assert!(last.serving && last.generation == first.generation, "it never went away: {last:?}");
    tasks.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn an_agent_serves_after_as_many_good_looks_as_are_wanted() {
    let looks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&looks);
    let agent = Scripted::agent(move |heard| match heard.method.as_str() {
        "GET" => {
            counted.fetch_add(1, Ordering::SeqCst);
            Some(respond(200, "", ""))
        }
        _ => weather(heard),
    })
    .await;
    let (locals, mut tasks) = watch(&probed(&agent, "http: {path: /health}, healthy_after: 3"));
    let mut replicas = locals.replicas();
    let waits = until(&mut replicas, |all| all[0].probed).await.remove(0);
    assert!(!waits.serving && looks.load(Ordering::SeqCst) < 3, "{waits:?}");
    until(&mut replicas, |all| all[0].serving).await;
    assert!(looks.load(Ordering::SeqCst) >= 3);
    tasks.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn an_agent_that_hangs_is_withdrawn_although_its_port_is_open() {
    let hangs = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&hangs);
    let agent = Scripted::agent(move |heard| if asked.load(Ordering::SeqCst) { None } else { weather(heard) }).await;
    let (locals, mut tasks) = watch(&probed(&agent, "timeout_ms: 100, mcp: {}"));
    let mut replicas = locals.replicas();
    until(&mut replicas, |all| all[0].serving).await;
    hangs.store(true, Ordering::SeqCst);
    let hung = until(&mut replicas, |all| !all[0].serving).await.remove(0);
    assert_eq!(hung.trouble.as_deref(), Some("its check takes longer than 100 ms"));
    hangs.store(false, Ordering::SeqCst);
    until(&mut replicas, |all| all[0].serving).await;
    tasks.stop(Duration::from_secs(5)).await;
}

/// The command is well once and hangs from then on, for longer than the test.
#[tokio::test]
async fn an_agent_that_dies_is_withdrawn_while_its_check_runs() {
    let folder = tempfile::tempdir().unwrap();
    let begun = folder.path().join("begun");
    let script = format!("[ -e {0}.once ] && touch {0} && sleep 300; touch {0}.once", begun.display());
    let agent = Scripted::agent(weather).await;
    let probe = format!("timeout_ms: 60000, exec: {{command: [sh, -c, \"{script}\"]}}");
    let (locals, mut tasks) = watch(&probed(&agent, &probe));
    let mut replicas = locals.replicas();
    until(&mut replicas, |all| all[0].serving).await;
    while !begun.exists() {
        sleep(Duration::from_millis(10)).await;
    }
    agent.stop().await;
    let dead = until(&mut replicas, |all| !all[0].serving).await.remove(0);
    assert_eq!(dead.trouble.as_deref(), Some("its port is closed"));
    tasks.stop(Duration::from_secs(5)).await;
}

/// An agent of mcp-mesh at an address.
fn registered(id: &str, version: &str) -> Arc<Heartbeat> {
    let body = format!(r#"{{"agent_id":"{id}","name":"weather","version":"{version}"}}"#);
    Arc::new(Heartbeat::read(body.as_bytes()).unwrap())
}

#[tokio::test]
async fn an_agent_joins_while_the_proxy_runs_and_leaves_nothing_behind() {
    let (fixed, joined) = (Scripted::agent(weather).await, Scripted::agent(weather).await);
    let (locals, mut tasks) = watch(&settings(&fixed, 100));
    let mut replicas = locals.replicas();
    let another = settings(&joined, 100).remove(0);
    let another = AgentSettings { replica: "weather-2".parse().unwrap(), ..another };
    locals.join(&another, &registered("weather-2", "1.0.0"));
    let both = until(&mut replicas, |all| all.len() == 2 && all.iter().all(|one| one.serving)).await;
    let generation = both[1].generation;

    locals.join(&another, &registered("weather-2", "1.1.0"));
    let again = until(&mut replicas, |all| all[1].heartbeat.as_ref().unwrap().version.minor == 1).await;
    assert!(again[1].serving && again[1].generation == generation, "only what it says has changed");

    joined.stop().await;
    let gone = until(&mut replicas, |all| !all[1].serving).await;
    assert!(gone[1].gone && gone[0].serving);
    locals.leave(&another.replica);
    assert_eq!(until(&mut replicas, |all| all.len() == 1).await[0].id.as_str(), "weather-1");
    locals.leave(&fixed_id());
    assert_eq!(replicas.borrow().len(), 1, "what the configuration names does not leave");
    tasks.stop(Duration::from_secs(5)).await;
}

fn fixed_id() -> ReplicaId {
    "weather-1".parse().unwrap()
}
