//! Sessions in wrong hands: guessed, stolen, replayed.

use std::sync::Arc;

use outrigger_model::identity::SpiffeId;
use outrigger_model::revocation::{Revocations, SessionName};
use outrigger_proxy::session::memory::Memory;
use outrigger_proxy::session::store::Store;

use crate::agent::Agent;
use crate::caller::{CALL, Caller};
use crate::mesh::{Authority, Proxy, Scene};

const WEATHER: &str = "spiffe://mesh.local/agent/weather";
const PLANNER: &str = "spiffe://mesh.local/agent/planner";
const THIEF: &str = "spiffe://mesh.local/agent/thief";

/// An agent, its proxy, and the proxies of two workloads that may call it.
struct Stage {
    agent: Agent,
    _provider: Proxy,
    planner: Proxy,
    thief: Proxy,
}

impl Stage {
    async fn new(shared: Option<Arc<dyn Store>>) -> Self {
        let agent = Agent::minting().await;
        let authority = Authority::new();
        let own = Scene::of_own(&[("weather-1", agent.address)]);
        let provider = Scene { material: Some(authority.issue(WEATHER)), ..own }.start();
        let id: SpiffeId = WEATHER.parse().expect("an id");
        let caller = |identity: &'static str| Scene {
            material: Some(authority.issue(identity)),
            caller: identity,
            shared: shared.clone(),
            ..Scene::of_peers(&[("weather-1", provider.inbound, Some(id.clone()))])
        };
        let (planner, thief) = (caller(PLANNER).start(), caller(THIEF).start());
        Self { agent, planner, thief, _provider: provider }
    }
}

#[tokio::test]
async fn a_stolen_id_is_refused_whether_stores_are_shared_or_not() {
    for shared in [None, Some(Arc::new(Memory::new(100)) as Arc<dyn Store>)] {
        let stage = Stage::new(shared).await;
        let mut owner = Caller::connect(stage.planner.outbound).await;
        let session = owner.open().await;
        let before = stage.agent.requests();
        let mut thief = Caller::connect(stage.thief.outbound).await;
        for _ in 0..3 {
            let answer = thief.call(&session).await;
            assert_eq!((answer.status, answer.reason().as_str()), (403, "session_of_another_caller"));
        }
        assert_eq!(thief.listen(&session).await.status, 403);
        let mut thief = Caller::connect(stage.thief.outbound).await;
        assert_eq!(thief.end(&session).await.status, 403);
        assert_eq!(stage.agent.requests(), before, "the agent sees none of it");
        assert_eq!(owner.call(&session).await.text(), session, "its owner goes on");
    }
}

#[tokio::test]
async fn ten_thousand_guesses_reach_no_session_and_push_none_out() {
    let stage = Stage::new(None).await;
    let mut owner = Caller::connect(stage.planner.outbound).await;
    let session = owner.open().await;
    let mut thief = Caller::connect(stage.thief.outbound).await;
    for number in 0..10_000_u32 {
        let guess = format!("{:08x}", number.wrapping_mul(2_654_435_761));
        assert_eq!(thief.call(&guess).await.status, 404, "{guess}");
    }
    assert_eq!(thief.call(&session).await.status, 403);
    assert_eq!(owner.call(&session).await.text(), session);
}

#[tokio::test]
async fn a_session_that_its_owner_ended_is_nobodys() {
    let stage = Stage::new(None).await;
    let mut owner = Caller::connect(stage.planner.outbound).await;
    let session = owner.open().await;
    assert_eq!(owner.end(&session).await.status, 200);
    let mut thief = Caller::connect(stage.thief.outbound).await;
    assert_eq!(thief.call(&session).await.status, 404, "the agent knows it no more");
}

#[tokio::test]
async fn a_second_session_header_hides_nothing() {
    let stage = Stage::new(None).await;
    let session = Caller::connect(stage.planner.outbound).await.open().await;
    let mut thief = Caller::connect(stage.thief.outbound).await;
    let own = thief.open().await;
    let before = stage.agent.requests();
    let headers = format!("Mcp-Session-Id: {own}\r\nMcp-Session-Id: {session}\r\n");
    assert!((400..500).contains(&thief.post("/weather/mcp", &headers, CALL).await.status));
    // A modern revision has no sessions, and an agent may look at the header all the same.
    let headers =
        format!("Mcp-Session-Id: {session}\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\n");
    assert_eq!(thief.post("/weather/mcp", &headers, CALL).await.status, 403);
    assert_eq!(stage.agent.requests(), before);
}

#[tokio::test]
async fn a_replay_after_a_revocation_is_refused_to_everyone() {
    let agent = Agent::minting().await;
    let scene = Scene::of_own(&[("weather-1", agent.address)]);
    let proxy = scene.start();
    let mut owner = Caller::connect(proxy.outbound).await;
    let session = owner.open().await;
    let key = outrigger_proxy_core::session::key::SessionKey::of(
        &outrigger_model::name::AgentName::new("weather").expect("name"),
        session.as_bytes(),
    );
    let sessions = [(SessionName::of(key.digest()), 0)].into();
    let revocations = Revocations { sessions, ..Revocations::default() };
    proxy.show(&Scene { revocations: revocations.clone(), ..scene.clone() });
    let other = Scene { revocations, caller: "thief", ..scene }.start();
    for address in [proxy.outbound, other.outbound] {
        let answer = Caller::connect(address).await.call(&session).await;
        assert_eq!((answer.status, answer.reason().as_str()), (404, "session_gone"));
    }
    assert_eq!(agent.requests(), 1);
}
