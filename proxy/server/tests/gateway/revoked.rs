//! Sessions that operators end, and sessions that grow too old: refused before anything is sent, and their streams end.

use std::time::{Duration, Instant, SystemTime};

use outrigger_model::name::AgentName;
use outrigger_model::revocation::{Revocations, SessionName};
use outrigger_proxy_core::session::key::SessionKey;

use crate::agent::Agent;
use crate::caller::Caller;
use crate::mesh::{Proxy, Scene};

/// Within this a revocation has to be seen by what is open.
const SOON: Duration = Duration::from_secs(1);

fn weather() -> AgentName {
    AgentName::new("weather").expect("name")
}

fn name(id: &str) -> SessionName {
    SessionKey::of(&weather(), id.as_bytes()).name()
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time").as_secs()
}

fn by_name(id: &str) -> Revocations {
    Revocations { sessions: [(name(id), now())].into(), ..Revocations::default() }
}

fn by_caller(at: u64) -> Revocations {
    Revocations { callers: [("planner".to_owned(), at)].into(), ..Revocations::default() }
}

fn by_agent(at: u64) -> Revocations {
    Revocations { agents: [(weather(), at)].into(), ..Revocations::default() }
}

async fn is_gone(caller: &mut Caller, session: &str, agent: &Agent) {
    let before = agent.requests();
    for _ in 0..3 {
        let answer = caller.call(session).await;
        assert_eq!((answer.status, answer.reason().as_str()), (404, "session_gone"));
    }
    assert_eq!(agent.requests(), before, "nothing is sent");
}

struct Stage {
    agent: Agent,
    scene: Scene,
    proxy: Proxy,
}

impl Stage {
    async fn new() -> Self {
        let agent = Agent::minting().await;
        let scene = Scene::of_own(&[("weather-1", agent.address)]);
        let proxy = scene.start();
        Self { agent, scene, proxy }
    }

    fn revoke(&self, revocations: Revocations) {
        self.proxy.show(&Scene { revocations, ..self.scene.clone() });
    }
}

#[tokio::test]
async fn a_session_that_is_revoked_by_name_is_gone_and_stays_gone_and_others_go_on() {
    let stage = Stage::new().await;
    let mut caller = Caller::connect(stage.proxy.outbound).await;
    let (ended, other) = (caller.open().await, caller.open().await);
    stage.revoke(by_name(&ended));
    // After the first refusal no store knows it, and still it is not asked for.
    is_gone(&mut caller, &ended, &stage.agent).await;
    assert_eq!(caller.call(&other).await.text(), other);
    assert_eq!(caller.call(&caller_opens(&stage).await).await.status, 200);
    assert_eq!(stage.proxy.metric("outrigger_session_refusals_total{reason=\"revoked\"}"), 3);
}

async fn caller_opens(stage: &Stage) -> String {
    Caller::connect(stage.proxy.outbound).await.open().await
}

#[tokio::test]
async fn a_caller_or_an_agent_loses_what_it_opened_until_then_and_nothing_later() {
    for revoke in [by_caller, by_agent] {
        let stage = Stage::new().await;
        let mut caller = Caller::connect(stage.proxy.outbound).await;
        let session = caller.open().await;
        stage.revoke(revoke(now() - 60));
        assert_eq!(caller.call(&session).await.text(), session, "it began later");
        stage.revoke(revoke(now()));
        is_gone(&mut caller, &session, &stage.agent).await;
    }
}

#[tokio::test]
async fn a_session_of_a_revoked_caller_that_no_store_knows_is_not_brought_back_by_its_replica() {
    let stage = Stage::new().await;
    let session = caller_opens(&stage).await;
    // A proxy that started anew; the replica knows the session and would accept it.
    let revocations = by_caller(now());
    let proxy = Scene { revocations, ..stage.scene.clone() }.start();
    let mut caller = Caller::connect(proxy.outbound).await;
    is_gone(&mut caller, &session, &stage.agent).await;
    assert_eq!(stage.agent.requests(), 1);
}

#[tokio::test]
async fn a_session_that_is_revoked_meanwhile_is_refused_by_the_proxy_beside_the_agent_as_well() {
    let agent = Agent::minting().await;
    let own = Scene::of_own(&[("weather-1", agent.address)]);
    let provider = own.start();
    let proxy = Scene::of_peers(&[("weather-1", provider.inbound, None)]).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    let session = caller.open().await;
    // Only the provider has heard of it.
    provider.show(&Scene { revocations: by_name(&session), ..own });
    is_gone(&mut caller, &session, &agent).await;
}

#[tokio::test]
async fn open_streams_of_a_revoked_session_end_between_two_events_and_others_go_on() {
    let stage = Stage::new().await;
    let mut callers = Vec::new();
    for _ in 0..2 {
        let mut caller = Caller::connect(stage.proxy.outbound).await;
        let session = caller.open().await;
        assert_eq!(caller.listen(&session).await.status, 200);
        assert_eq!(caller.chunk().await.expect("an event"), b"data: one\r\n\r\n");
        callers.push((caller, session));
    }
    let (mut other, _) = callers.pop().expect("two");
    let (mut ended, session) = callers.pop().expect("two");
    let began = Instant::now();
    stage.revoke(by_name(&session));
    assert_eq!(ended.chunk().await, Some(Vec::new()), "as a stream ends that is over");
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    assert_eq!(ended.call(&session).await.status, 404, "the connection goes on");
    assert_eq!(other.chunk_within(Duration::from_millis(100)).await, None);
}

#[tokio::test]
async fn a_stream_in_the_middle_of_an_event_is_cut_off() {
    let agent = Agent::start(|mut conversation| async move {
        while let Some(request) = conversation.request().await {
            let answer = match request.head.starts_with("GET") {
                false => "HTTP/1.1 200 OK\r\nMcp-Session-Id: s-one\r\nContent-Length: 2\r\n\r\n{}",
                true => {
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ndata:\r\n"
                }
            };
            conversation.send(answer.as_bytes()).await;
        }
    })
    .await;
    let scene = Scene::of_own(&[("weather-1", agent.address)]);
    let proxy = scene.start();
    let mut caller = Caller::connect(proxy.outbound).await;
    let session = caller.open().await;
    caller.listen(&session).await;
    assert_eq!(caller.chunk().await.expect("a part"), b"data:");
    proxy.show(&Scene { revocations: by_name(&session), ..scene });
    assert_eq!(caller.chunk().await, None, "it does not look whole");
}

#[tokio::test]
async fn a_session_is_over_at_the_end_of_its_life_however_much_it_is_used() {
    let mut stage = Stage::new().await;
    let mut caller = Caller::connect(stage.proxy.outbound).await;
    let session = caller.open().await;
    assert_eq!(caller.call(&session).await.text(), session);
    stage.scene.settings.session_lifetime = Duration::ZERO;
    stage.revoke(Revocations::default());
    let before = stage.agent.requests();
    let answer = caller.call(&session).await;
    assert_eq!((answer.status, answer.reason().as_str()), (404, "session_gone"));
    assert_eq!(stage.agent.requests(), before);
    assert_eq!(stage.proxy.metric("outrigger_session_refusals_total{reason=\"aged\"}"), 1);
}
