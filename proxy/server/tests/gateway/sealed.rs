//! Sealed session ids: proxies that share keys and nothing else, and everybody who tries to get in without.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use outrigger_model::name::{AgentName, ReplicaId};
use outrigger_model::replica::Generation;
use outrigger_model::route::Affinity;
use outrigger_model::secret::{Keyring, SealKey, Secret};
use outrigger_model::settings::{SessionMode, Settings};
use outrigger_proxy_core::mcp::facts::Caller as Workload;
use outrigger_proxy_core::session::bind::Binding;
use outrigger_proxy_core::session::key::{KeyKind, SessionKey};
use outrigger_proxy_core::session::ticket;

use crate::agent::Agent;
use crate::caller::{Answer, CALL, Caller};
use crate::mesh::{Proxy, Scene};

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#;

fn ring(ids: &[u8]) -> Keyring {
    let key = |id: &u8| SealKey { id: u32::from(*id), secret: Secret::new([*id; 32]), made: 0 };
    Keyring { keys: ids.iter().map(key).collect() }
}

fn settings(session_mode: SessionMode) -> Settings {
    Settings { session_mode, ..Settings::default() }
}

fn sealed(scene: Scene) -> Scene {
    Scene { settings: settings(SessionMode::Sealed), keyring: ring(&[1]), ..scene }
}

/// An agent that mints `id`, says it again in every answer of that session, and answers 404 to every other session.
async fn stateful(id: impl Into<String>) -> Agent {
    let id: Arc<str> = id.into().into();
    Agent::start(move |mut conversation| {
        let id = Arc::clone(&id);
        async move {
            while let Some(request) = conversation.request().await {
                let named = request.head.lines().find_map(|line| line.strip_prefix("Mcp-Session-Id: "));
                let status = if named.is_none_or(|named| named == &*id) { "200 OK" } else { "404 Not Found" };
                let verb = request.head.split(' ').next().expect("a verb");
                let answer = format!(
                    "HTTP/1.1 {status}\r\nMcp-Session-Id: {id}\r\nContent-Length: {}\r\n\r\n{verb}",
                    verb.len()
                );
                conversation.send(answer.as_bytes()).await;
            }
        }
    })
    .await
}

fn id_of(answer: &Answer) -> String {
    let line = answer.head.lines().find_map(|line| line.strip_prefix("Mcp-Session-Id: "));
    line.expect("a session id").to_owned()
}

async fn open(proxy: &Proxy) -> String {
    let answer = Caller::connect(proxy.outbound).await.post("/weather/mcp", "", INITIALIZE).await;
    assert_eq!(answer.status, 200, "{}", answer.head);
    id_of(&answer)
}

async fn call(proxy: &Proxy, id: &str) -> Answer {
    request(proxy, "POST", id).await
}

async fn request(proxy: &Proxy, verb: &str, id: &str) -> Answer {
    let body = if verb == "POST" { CALL } else { "" };
    let mut caller = Caller::connect(proxy.outbound).await;
    let head = format!(
        "{verb} /weather/mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\nMcp-Session-Id: {id}\r\nMCP-Protocol-Version: 2025-11-25\r\n\r\n{body}",
        body.len()
    );
    caller.send(&head).await;
    caller.answer().await
}

/// What a caller learns of an id that is not followed.
fn told(answer: &Answer) -> (u16, String) {
    (answer.status, answer.text().to_owned())
}

/// What everybody is told who comes with an id that nobody made.
async fn told_of_garbage(proxy: &Proxy) -> (u16, String) {
    let answer = call(proxy, "o1.1.garbage").await;
    assert_eq!((answer.status, answer.reason().as_str()), (404, "session_gone"));
    told(&answer)
}

#[tokio::test]
async fn a_session_goes_on_through_any_proxy_with_any_verb_and_no_store() {
    let (one, two) = (stateful("s-one").await, stateful("s-two").await);
    let mut scene = sealed(Scene::of_own(&[("weather-1", one.address), ("weather-2", two.address)]));
    scene.policy.affinity = Affinity::Keys;
    let proxies = [scene.start(), scene.start()];
    // Each begins with the first replica, and goes on to the second.
    for opener in proxies.iter().chain(&proxies) {
        let id = open(opener).await;
        assert!(id.starts_with("o1.1."), "{id}");
        for verb in ["POST", "GET", "DELETE"] {
            for proxy in &proxies {
                let answer = request(proxy, verb, &id).await;
                assert_eq!((answer.status, answer.text()), (200, verb));
                assert_eq!(id_of(&answer), id, "the client never sees the id of the agent");
            }
        }
    }
    assert!(one.requests() > 0 && two.requests() > 0);
}

#[tokio::test]
async fn an_id_that_was_made_up_for_a_replica_that_exists_is_told_what_garbage_is_told() {
    let agent = stateful("s-one").await;
    let proxy = sealed(Scene::of_own(&[("weather-1", agent.address)])).start();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time").as_secs();
    let binding = Binding {
        kind: KeyKind::Session,
        agent: AgentName::new("weather").expect("name"),
        replica: ReplicaId::new("weather-1").expect("name"),
        generation: Generation(1),
        moves: 0,
        caller: Workload::new("planner"),
        created: now,
        last_seen: now,
        upstream: Some(Arc::from(&b"s-one"[..])),
        opening: None,
    };
    let made = |ring: &Keyring, binding: &Binding, ends| {
        String::from_utf8(ticket::write(ring, binding, ends, [7; 24]).expect("an id").to_vec()).expect("text")
    };
    let other_secret = Keyring { keys: vec![SealKey { secret: Secret::new([9; 32]), ..ring(&[1]).keys[0].clone() }] };
    let news = Binding { agent: AgentName::new("news").expect("name"), ..binding.clone() };
    let stranger = Binding { caller: Workload::new("stranger"), ..binding.clone() };
    let gone = Binding { replica: ReplicaId::new("weather-9").expect("name"), ..binding.clone() };
    let restarted = Binding { generation: Generation(2), ..binding.clone() };
    let garbage = told_of_garbage(&proxy).await;
    for (what, id) in [
        ("another secret", made(&other_secret, &binding, now + 60)),
        ("an unknown key", made(&ring(&[2]), &binding, now + 60)),
        ("another agent", made(&ring(&[1]), &news, now + 60)),
        ("another caller", made(&ring(&[1]), &stranger, now + 60)),
        ("over", made(&ring(&[1]), &binding, now - 1)),
        ("a replica that is not there", made(&ring(&[1]), &gone, now + 60)),
        ("another process of the replica", made(&ring(&[1]), &restarted, now + 60)),
    ] {
        assert_eq!(told(&call(&proxy, &id).await), garbage, "{what}");
    }
    assert_eq!(agent.requests(), 0);
    assert_eq!(call(&proxy, &made(&ring(&[1]), &binding, now + 60)).await.status, 200, "the right one is followed");
}

#[tokio::test]
async fn an_id_with_any_letter_changed_is_told_what_garbage_is_told() {
    let agent = stateful("s-one").await;
    let proxy = sealed(Scene::of_own(&[("weather-1", agent.address)])).start();
    let id = open(&proxy).await;
    let garbage = told_of_garbage(&proxy).await;
    let before = agent.requests();
    // The prefix makes it one of ours; without it the id is an agent's.
    for at in 3..id.len() {
        let mut altered = id.clone().into_bytes();
        altered[at] ^= 1;
        let altered = String::from_utf8(altered).expect("text");
        assert_eq!(told(&call(&proxy, &altered).await), garbage, "letter {at}");
    }
    assert_eq!(agent.requests(), before);
    assert_eq!(call(&proxy, &id).await.status, 200);
}

#[tokio::test]
async fn who_took_an_id_from_another_workload_is_told_nothing_and_is_counted() {
    let agent = stateful("s-one").await;
    let scene = sealed(Scene::of_own(&[("weather-1", agent.address)]));
    let proxy = scene.start();
    let thief = Scene { caller: "thief", ..scene }.start();
    let id = open(&proxy).await;
    assert_eq!(told(&call(&thief, &id).await), told_of_garbage(&thief).await);
    assert_eq!(thief.count("outrigger_sealed_ids_refused_total{reason=\"other_caller\"}"), 1);
    assert_eq!(thief.count("outrigger_session_refusals_total{reason=\"another_caller\"}"), 1, "auditors are told");
    assert_eq!(call(&proxy, &id).await.status, 200, "its owner notices nothing");
}

#[tokio::test]
async fn a_session_whose_agent_left_or_restarted_is_404() {
    let agent = stateful("s-one").await;
    let scene = sealed(Scene::of_own(&[("weather-1", agent.address)]));
    let (opener, other) = (scene.start(), scene.start());
    let id = open(&opener).await;
    for changed in
        [Scene { generation: 2, ..scene.clone() }, Scene { own: vec![("weather-2", agent.address)], ..scene }]
    {
        for proxy in [&opener, &other] {
            proxy.show(&changed);
            assert_eq!(told(&call(proxy, &id).await), told_of_garbage(proxy).await);
        }
    }
}

#[tokio::test]
async fn a_key_that_was_rotated_goes_on_opening_and_the_new_one_seals() {
    let agent = stateful("s-one").await;
    let scene = sealed(Scene::of_own(&[("weather-1", agent.address)]));
    let (opener, other) = (scene.start(), scene.start());
    let old = open(&opener).await;
    for keys in [[1, 2], [2, 1]] {
        let rotated = Scene { keyring: ring(&keys), ..scene.clone() };
        opener.show(&rotated);
        other.show(&rotated);
        let new = open(&opener).await;
        assert!(new.starts_with(&format!("o1.{}.", keys[0])), "{new}");
        for proxy in [&opener, &other] {
            assert_eq!((call(proxy, &old).await.status, call(proxy, &new).await.status), (200, 200));
        }
    }
    let dropped = Scene { keyring: ring(&[2]), ..scene };
    let late = dropped.start();
    assert_eq!(told(&call(&late, &old).await), told_of_garbage(&late).await, "its key is gone");
}

#[tokio::test]
async fn a_session_that_was_revoked_is_over_where_it_is_known_and_where_not() {
    let agent = stateful("s-one").await;
    let scene = sealed(Scene::of_own(&[("weather-1", agent.address)]));
    let (opener, other) = (scene.start(), scene.start());
    let id = open(&opener).await;
    let name = SessionKey::of(&AgentName::new("weather").expect("name"), id.as_bytes()).name();
    let mut revoked = scene;
    revoked.revocations.sessions.insert(name, u64::MAX);
    for proxy in [&opener, &other] {
        proxy.show(&revoked);
        assert_eq!(told(&call(proxy, &id).await), told_of_garbage(proxy).await);
        assert_eq!(proxy.count("outrigger_sealed_ids_refused_total{reason=\"revoked\"}"), 1);
    }
}

#[tokio::test]
async fn sessions_go_on_when_the_mode_changes() {
    let agent = stateful("s-one").await;
    let stored = Scene { keyring: ring(&[1]), ..Scene::of_own(&[("weather-1", agent.address)]) };
    let proxy = stored.start();
    let plain = open(&proxy).await;
    assert_eq!(plain, "s-one");
    proxy.show(&sealed(stored.clone()));
    let id = open(&proxy).await;
    assert_ne!(id, plain);
    assert_eq!((call(&proxy, &plain).await.status, call(&proxy, &id).await.status), (200, 200));
    proxy.show(&stored);
    assert_eq!((call(&proxy, &plain).await.status, call(&proxy, &id).await.status), (200, 200));
}

#[tokio::test]
async fn without_shared_keys_ids_are_sealed_all_the_same_and_are_of_use_at_one_proxy() {
    let agent = stateful("s-one").await;
    let scene = Scene { keyring: Keyring::default(), ..sealed(Scene::of_own(&[("weather-1", agent.address)])) };
    let (opener, other) = (scene.start(), scene.start());
    let id = open(&opener).await;
    assert!(id.starts_with("o1.0.") && !id.contains("s-one"), "{id}");
    assert_eq!(call(&opener, &id).await.status, 200);
    assert_eq!(told(&call(&other, &id).await), told_of_garbage(&other).await);
    opener.show(&sealed(scene));
    assert_eq!(call(&opener, &id).await.status, 200, "also when control shares keys later");
}

#[tokio::test]
async fn an_agents_id_that_is_too_long_to_seal_stays_its_own() {
    let long = "x".repeat(900);
    let agent = stateful(long.clone()).await;
    let proxy = sealed(Scene::of_own(&[("weather-1", agent.address)])).start();
    assert_eq!(open(&proxy).await, long);
    assert_eq!(call(&proxy, &long).await.status, 200);
    assert_eq!(proxy.count("outrigger_sessions_not_sealed_total"), 1);
}

#[tokio::test]
async fn a_session_is_over_after_its_lifetime() {
    let agent = stateful("s-one").await;
    let mut scene = sealed(Scene::of_own(&[("weather-1", agent.address)]));
    let proxy = scene.start();
    let id = open(&proxy).await;
    scene.settings.session_lifetime = Duration::ZERO;
    proxy.show(&scene);
    assert_eq!(told(&call(&proxy, &id).await), told_of_garbage(&proxy).await);
}

#[tokio::test]
async fn an_agent_that_begins_another_session_in_answer_to_a_known_one_gets_another_id_for_it() {
    let agent = Agent::start(|mut conversation| async move {
        let mut minted = 0;
        while let Some(request) = conversation.request().await {
            let fresh = String::from_utf8_lossy(&request.body).contains("initialize");
            minted += u32::from(fresh);
            let answer = format!("HTTP/1.1 200 OK\r\nMcp-Session-Id: s-{minted}\r\nContent-Length: 0\r\n\r\n");
            conversation.send(answer.as_bytes()).await;
        }
    })
    .await;
    let proxy = sealed(Scene::of_own(&[("weather-1", agent.address)])).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    let first = id_of(&caller.post("/weather/mcp", "", INITIALIZE).await);
    let named = format!("Mcp-Session-Id: {first}\r\n");
    let second = id_of(&caller.post("/weather/mcp", &named, INITIALIZE).await);
    assert!(second.starts_with("o1.1.") && second != first, "{second}");
    let named = format!("Mcp-Session-Id: {second}\r\n");
    assert_eq!(id_of(&caller.post("/weather/mcp", &named, CALL).await), second);
}
