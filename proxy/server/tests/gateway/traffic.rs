//! Routes that share their calls among pools, copy them, fail some on purpose, and change their heads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use outrigger_model::name::PoolName;
use outrigger_model::route::{Affinity, RoutePolicy};
use outrigger_model::traffic::{Branch, Faults, HeaderEdits, Mirror, Share, Traffic, When};

use crate::agent::{Agent, Request};
use crate::caller::{CALL, Caller, in_session, message, post};
use crate::mesh::{Proxy, Scene, closed_port};
use crate::server::{Manner, Server, field};

const MODERN: &str = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\n";
const PATH: &str = "/weather/mcp";

fn saying(name: &str) -> String {
    let body = format!(r#"{{"from":"{name}"}}"#);
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn pool(name: &str) -> PoolName {
    PoolName::new(name).expect("name")
}

fn branch(header: Option<(&str, &str)>, shares: &[(&str, u16)]) -> Branch {
    let headers = header.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
    let shares = shares.iter().map(|(name, weight)| Share { pool: pool(name), weight: *weight });
    Branch { when: When { headers, callers: Vec::new() }, shares: shares.collect() }
}

fn split(weights: [u16; 2]) -> Traffic {
    Traffic { branches: vec![branch(None, &[("weather", weights[0]), ("canary", weights[1])])], ..Traffic::default() }
}

/// Agent `weather`, an agent `canary` beside it, and the traffic of the route `weather`.
fn scene(weather: &Agent, canary: &Agent, affinity: Affinity, traffic: Traffic) -> Scene {
    let policy = RoutePolicy { affinity, traffic, ..RoutePolicy::default() };
    Scene { others: vec![("canary", canary.address)], policy, ..Scene::of_own(&[("weather-1", weather.address)]) }
}

async fn two() -> (Agent, Agent) {
    (Agent::answering(saying("weather")).await, Agent::answering(saying("canary")).await)
}

#[tokio::test]
async fn calls_are_shared_by_weight_and_a_match_comes_first() {
    let (weather, canary) = two().await;
    let mut traffic = split([90, 10]);
    traffic.branches.insert(0, branch(Some(("x-env", "canary")), &[("canary", 1)]));
    let proxy = scene(&weather, &canary, Affinity::None, traffic).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    for _ in 0..1_000 {
        assert_eq!(caller.post(PATH, MODERN, CALL).await.status, 200);
    }
    // Five standard deviations.
    assert!((52..=148).contains(&canary.requests()), "{} of 1,000", canary.requests());
    for _ in 0..20 {
        let answer = caller.post(PATH, &format!("{MODERN}X-Env: canary\r\n"), CALL).await;
        assert_eq!(answer.text(), r#"{"from":"canary"}"#);
    }
}

#[tokio::test]
async fn one_caller_sees_one_version_and_among_many_each_gets_its_share() {
    let (weather, canary) = two().await;
    let mut at_canary = 0;
    for caller in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"] {
        let proxy = Scene { caller, ..scene(&weather, &canary, Affinity::Auto, split([50, 50])) }.start();
        let mut conversation = Caller::connect(proxy.outbound).await;
        let mut seen = Vec::new();
        for _ in 0..10 {
            seen.push(conversation.post(PATH, MODERN, CALL).await.text().to_owned());
        }
        seen.dedup();
        assert_eq!(seen.len(), 1, "{caller} sees {seen:?}");
        at_canary += usize::from(seen[0].contains("canary"));
    }
    assert!((1..12).contains(&at_canary), "{at_canary} of 12 callers");
}

/// Also where its id is known by another agent than the one that new sessions go to.
#[tokio::test]
async fn sessions_stay_at_the_version_that_opened_them_when_weights_turn() {
    let (weather, canary) = (Server::start("w", Manner::default()).await, Server::start("c", Manner::default()).await);
    let scene = |weights| Scene {
        others: vec![("canary", canary.address())],
        policy: RoutePolicy { affinity: Affinity::Keys, traffic: split(weights), ..RoutePolicy::default() },
        ..Scene::of_own(&[("weather-1", weather.address())])
    };
    let proxy = scene([0, 1]).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    let old = caller.open().await;
    assert!(old.starts_with("c-"), "{old}");
    proxy.show(&scene([1, 0]));
    let new = caller.open().await;
    assert!(new.starts_with("w-"), "{new}");
    for _ in 0..5 {
        for session in [&old, &new] {
            let answer = caller.call(session).await;
            assert_eq!((answer.status, answer.json()["result"]["session"].as_str()), (200, Some(session.as_str())));
        }
    }
    assert_eq!(caller.end(&old).await.status, 200);
    assert_eq!(canary.sessions(), 0);
}

#[tokio::test]
async fn a_share_whose_replicas_refuse_connections_goes_to_the_others() {
    let weather = Agent::answering(saying("weather")).await;
    let policy = RoutePolicy { affinity: Affinity::None, traffic: split([1, 99]), ..RoutePolicy::default() };
    let scene =
        Scene { others: vec![("canary", closed_port())], policy, ..Scene::of_own(&[("weather-1", weather.address)]) };
    let proxy = scene.start();
    let mut caller = Caller::connect(proxy.outbound).await;
    // One call has to find out.
    let mut failed = 0;
    for _ in 0..50 {
        failed += usize::from(caller.post(PATH, MODERN, CALL).await.status != 200);
    }
    assert!(failed <= 2, "{failed} of 50");
}

fn mirrored(percent: u8) -> Traffic {
    Traffic { mirror: Some(Mirror { pool: pool("canary"), percent }), ..Traffic::default() }
}

fn copies(proxy: &Proxy, result: &str) -> u64 {
    proxy.metric(&format!("outrigger_copies_total{{result=\"{result}\"}}"))
}

async fn until(what: &str, done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(10), "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_mirror_gets_the_same_call_and_its_answer_goes_nowhere() {
    let heard = Arc::new(std::sync::Mutex::new(Vec::<Request>::new()));
    let (weather, listening) = (Agent::answering(saying("weather")).await, Arc::clone(&heard));
    let canary = Agent::start(move |mut conversation| {
        let heard = Arc::clone(&listening);
        async move {
            while let Some(request) = conversation.request().await {
                heard.lock().expect("lock").push(request);
                conversation.send(b"HTTP/1.1 500 x\r\nContent-Length: 3\r\n\r\nbad").await;
            }
        }
    })
    .await;
    let proxy = scene(&weather, &canary, Affinity::Auto, mirrored(100)).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    for _ in 0..10 {
        assert_eq!(caller.post(PATH, &format!("{MODERN}x-team: blue\r\n"), CALL).await.text(), r#"{"from":"weather"}"#);
    }
    until("ten copies", || copies(&proxy, "answered") == 10).await;
    for Request { head, body } in heard.lock().expect("lock").iter() {
        assert_eq!(String::from_utf8_lossy(body), CALL);
        assert!(head.starts_with("POST /mcp HTTP/1.1"), "{head}");
        for (name, value) in [("x-mesh-mirrored", "1"), ("x-team", "blue"), ("mcp-method", "tools/call")] {
            assert_eq!(field(head, name).as_deref(), Some(value), "{head}");
        }
    }
    // What is too large to be kept is not copied, nor what opens a session.
    assert_eq!(caller.post(PATH, MODERN, &message(100 * 1024)).await.status, 200);
    until("the large one is counted", || copies(&proxy, "large") == 1).await;
    let opening = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#;
    assert_eq!(caller.post(PATH, "", opening).await.status, 200);
    assert_eq!(canary.requests(), 10);
}

/// The mirror takes connections and says nothing: places fill, further copies are dropped, and no call notices.
#[tokio::test]
async fn a_mirror_that_hangs_makes_nobody_wait_and_holds_a_bounded_number_of_copies() {
    let weather = Agent::answering(saying("weather")).await;
    let canary = Agent::start(|mut conversation| async move { conversation.closed().await }).await;
    let proxy = scene(&weather, &canary, Affinity::Auto, mirrored(100)).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    let began = Instant::now();
    for _ in 0..500 {
        assert_eq!(caller.post(PATH, MODERN, CALL).await.status, 200);
    }
    assert!(began.elapsed() < Duration::from_secs(10), "{:?} for 500 calls", began.elapsed());
    assert_eq!(copies(&proxy, "full"), 500 - 64);
    assert_eq!(copies(&proxy, "answered") + copies(&proxy, "failed"), 0);
}

#[tokio::test]
async fn faults_delay_and_refuse_their_share_and_reach_nobody() {
    let (weather, canary) = two().await;
    let faults = |percent, delay_ms: u64, status| Traffic {
        faults: Some(Faults { percent, delay: Some(Duration::from_millis(delay_ms)), status }),
        ..Traffic::default()
    };
    let proxy = scene(&weather, &canary, Affinity::Auto, faults(100, 50, Some(429))).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    let began = Instant::now();
    let answer = caller.post(PATH, MODERN, CALL).await;
    assert!(began.elapsed() >= Duration::from_millis(50));
    assert_eq!((answer.status, answer.reason().as_str()), (429, "fault_injected"));
    assert!(answer.has_header("retry-after: 1"), "{}", answer.head);
    assert_eq!((weather.requests(), proxy.refusals()["fault_injected"]), (0, 1));
    for kind in ["delay", "refusal"] {
        assert_eq!(proxy.metric(&format!("outrigger_faults_injected_total{{kind=\"{kind}\"}}")), 1);
    }
    // The same connection goes on, and a share of a hundred is a share.
    proxy.show(&scene(&weather, &canary, Affinity::Auto, faults(20, 1, Some(503))));
    let mut refused = 0;
    for _ in 0..500 {
        refused += usize::from(caller.post(PATH, MODERN, CALL).await.status == 503);
    }
    assert!((55..=145).contains(&refused), "{refused} of 500");
    // 404 is a word of the protocol that no proxy says to a modern caller.
    proxy.show(&scene(&weather, &canary, Affinity::Auto, faults(100, 1, Some(404))));
    assert_eq!(caller.post(PATH, MODERN, CALL).await.status, 503);
    assert_eq!(caller.post(PATH, "", CALL).await.status, 404);
}

#[tokio::test]
async fn a_delay_ends_when_its_caller_leaves() {
    let (weather, canary) = two().await;
    let faults = Some(Faults { percent: 100, delay: Some(Duration::from_secs(3_600)), status: None });
    let proxy = scene(&weather, &canary, Affinity::Auto, Traffic { faults, ..Traffic::default() }).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    caller.send(&post(PATH, MODERN, CALL)).await;
    until("the call waits", || proxy.metric("outrigger_faults_injected_total{kind=\"delay\"}") == 1).await;
    assert_eq!(proxy.metric("outrigger_calls_in_flight{direction=\"outbound\"}"), 1);
    drop(caller);
    until("the call is over", || proxy.metric("outrigger_calls_in_flight{direction=\"outbound\"}") == 0).await;
    assert_eq!(weather.requests(), 0);
}

#[tokio::test]
async fn heads_are_changed_for_calls_of_all_kinds() {
    let (weather, canary) = (Agent::echoing().await, Agent::answering(saying("canary")).await);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let headers = HeaderEdits {
        remove: vec!["x-debug".to_owned()],
        set: vec![pair("authorization", "Bearer mesh")],
        add: vec![pair("x-team", "blue")],
    };
    let proxy = scene(&weather, &canary, Affinity::Auto, Traffic { headers, ..Traffic::default() }).start();
    let mut caller = Caller::connect(proxy.outbound).await;
    for headers in [MODERN.to_owned(), String::new(), in_session("s-1")] {
        let sent = format!("{headers}X-Debug: 1\r\nAuthorization: Bearer caller\r\nX-Team: red\r\n");
        let answer = caller.post(PATH, &sent, CALL).await;
        let seen = answer.text();
        assert!(seen.contains("authorization: Bearer mesh\r\nx-team: blue\r\n"), "{seen}");
        assert!(seen.contains("X-Team: red\r\n") && !seen.contains("X-Debug") && !seen.contains("caller"), "{seen}");
        assert!(seen.ends_with(CALL), "the body is untouched");
    }
}

/// "1,000 configuration changes under keep-alive POST load": weights turn while four callers call on connections that they keep.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_changes_of_weights_under_load_fail_no_call() {
    const CHANGES: u16 = 1_000;
    const CALLS_MIN: usize = 20_000;
    let (weather, canary) = two().await;
    let proxy = Arc::new(scene(&weather, &canary, Affinity::None, split([500, 500])).start());
    let (called, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let callers = (0..4).map(|_| {
        let (outbound, called, over) = (proxy.outbound, Arc::clone(&called), Arc::clone(&over));
        tokio::spawn(async move {
            // One connection for all of them: a proxy that hangs up is a failure.
            let mut caller = Caller::connect(outbound).await;
            while !over.load(Ordering::SeqCst) {
                let answer = caller.post(PATH, MODERN, CALL).await;
                assert!(answer.status == 200 && answer.whole, "{}", answer.head);
                called.fetch_add(1, Ordering::SeqCst);
            }
        })
    });
    let callers: Vec<_> = callers.collect();
    let each = CALLS_MIN / usize::from(CHANGES);
    for change in 1..=CHANGES {
        proxy.show(&scene(&weather, &canary, Affinity::None, split([change, 1_000 - change])));
        let wanted = each * usize::from(change);
        until("calls between two changes", || called.load(Ordering::SeqCst) >= wanted).await;
    }
    over.store(true, Ordering::SeqCst);
    for caller in callers {
        caller.await.expect("no call fails");
    }
    let (seen, counted) = (weather.requests() + canary.requests(), called.load(Ordering::SeqCst));
    assert!(counted >= CALLS_MIN && seen == counted, "{counted} calls, {seen} arrived");
    assert!(canary.requests() > CALLS_MIN / 4 && weather.requests() > CALLS_MIN / 4, "both had their turn");
    let answered = "outrigger_calls_total{direction=\"outbound\",route=\"weather\",outcome=\"answered\",code=\"200\"}";
    // A call is told once its last byte is written, which its caller may see first.
    until("every call is counted as answered", || proxy.metric(answered) == counted as u64).await;
}
