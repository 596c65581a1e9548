//! Two proxies: mutual TLS between them, and what the calling one makes of the other's refusals.

use outrigger_identity::Material;
use outrigger_model::identity::SpiffeId;
use outrigger_proxy::gateway::Limits;

use crate::agent::Agent;
use crate::caller::{CALL, Caller};
use crate::mesh::{Authority, Proxy, Scene, closed_port};

const WEATHER: &str = "spiffe://mesh.local/agent/weather";
const PLANNER: &str = "spiffe://mesh.local/agent/planner";

fn id(text: &str) -> Option<SpiffeId> {
    Some(text.parse().expect("an id"))
}

fn provider(agent: &Agent, material: Option<Material>) -> Proxy {
    Scene { material, ..Scene::of_own(&[("weather-1", agent.address)]) }.start()
}

async fn called(scene: Scene) -> crate::caller::Answer {
    let proxy = scene.start();
    Caller::connect(proxy.outbound).await.post("/weather/mcp", "Outrigger-Refusal: agent_unreachable\r\n", CALL).await
}

#[tokio::test]
async fn a_call_crosses_two_proxies_in_plain_text_and_in_mutual_tls() {
    let agent = Agent::echoing().await;
    let authority = Authority::new();
    let plain = provider(&agent, None);
    let answer = called(Scene::of_peers(&[("weather-1", plain.inbound, None)])).await;
    assert!(answer.text().starts_with("POST /mcp HTTP/1.1\r\n") && answer.text().ends_with(CALL), "{}", answer.text());

    // One connection has to be enough for calls that follow each other: a handshake for each would be ten times the work.
    let limits = Limits { connections_max: 1, ..Limits::default() };
    let own = Scene::of_own(&[("weather-1", agent.address)]);
    let secured = Scene { material: Some(authority.issue(WEATHER)), limits, ..own }.start();
    let scene = Scene {
        material: Some(authority.issue(PLANNER)),
        ..Scene::of_peers(&[("weather-1", secured.inbound, id(WEATHER))])
    };
    let proxy = scene.start();
    let mut caller = Caller::connect(proxy.outbound).await;
    for _ in 0..20 {
        let answer = caller.post("/weather/mcp", "", CALL).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let seen = answer.text().to_lowercase();
        assert!(seen.contains("x-forwarded-host: 127.0.0.1") && answer.text().ends_with(CALL), "{seen}");
        assert!(!seen.contains("outrigger-"), "{seen}");
    }
}

#[tokio::test]
async fn a_peer_with_another_identity_is_not_talked_to() {
    let agent = Agent::echoing().await;
    let (ours, theirs) = (Authority::new(), Authority::new());
    for material in [ours.issue(PLANNER), theirs.issue(WEATHER)] {
        let impostor = provider(&agent, Some(material));
        let scene = Scene {
            material: Some(ours.issue(PLANNER)),
            ..Scene::of_peers(&[("weather-1", impostor.inbound, id(WEATHER))])
        };
        let answer = called(scene).await;
        assert_eq!((answer.status, answer.reason().as_str()), (503, "no_endpoint"));
    }
    assert_eq!(agent.requests(), 0);
}

#[tokio::test]
async fn a_caller_without_an_identity_does_not_get_in() {
    let agent = Agent::echoing().await;
    let authority = Authority::new();
    let secured = provider(&agent, Some(authority.issue(WEATHER)));
    // Without a material of its own, and with one of another mesh.
    let answer = called(Scene::of_peers(&[("weather-1", secured.inbound, id(WEATHER))])).await;
    assert_eq!(answer.status, 503);
    let material = Some(Authority::new().issue(PLANNER));
    let answer = called(Scene { material, ..Scene::of_peers(&[("weather-1", secured.inbound, id(WEATHER))]) }).await;
    assert_eq!(answer.status, 503);
    let mut plain = Caller::connect(secured.inbound).await;
    plain.send("POST /agents/weather-1/mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").await;
    assert!(plain.stream.readable().await.is_ok());
    assert_eq!(agent.requests(), 0);
}

#[tokio::test]
async fn a_peer_that_reached_nobody_is_passed_over() {
    let agent = Agent::echoing().await;
    let (good, dead) = (provider(&agent, None), Scene::of_own(&[("weather-2", closed_port())]).start());
    let proxy = Scene::of_peers(&[
        ("weather-1", good.inbound, None),
        ("weather-2", dead.inbound, None),
        // Its proxy does not know that replica.
        ("weather-3", good.inbound, None),
    ])
    .start();
    for _ in 0..10 {
        let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", "", CALL).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(agent.requests(), 10);
}

#[tokio::test]
async fn an_agents_own_refusal_header_means_nothing() {
    let agent =
        Agent::answering("HTTP/1.1 200 OK\r\nOutrigger-Refusal: agent_unreachable\r\nContent-Length: 2\r\n\r\nok")
            .await;
    let peer = provider(&agent, None);
    let answer = called(Scene::of_peers(&[("weather-1", peer.inbound, None)])).await;
    assert_eq!((answer.status, answer.text()), (200, "ok"));
    assert!(!answer.head.to_lowercase().contains("outrigger-"), "{}", answer.head);
    assert_eq!(agent.requests(), 1);
}

#[tokio::test]
async fn the_inbound_listener_serves_own_replicas_only() {
    let agent = Agent::echoing().await;
    let proxy = provider(&agent, None);
    let mut caller = Caller::connect(proxy.inbound).await;
    let answer = caller.post("/agents/weather-9/mcp", "", CALL).await;
    assert_eq!((answer.status, answer.reason().as_str()), (503, "unknown_replica"));
    assert!(answer.has_header("outrigger-refusal: unknown_replica"), "{}", answer.head);
    let answer = caller.post("/weather/mcp", "", CALL).await;
    assert_eq!((answer.status, answer.reason().as_str()), (404, "no_such_path"));
}
