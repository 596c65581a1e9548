//! Rollouts as proxies and operators see them.

use outrigger_wire::proto::registry::Calls;
use outrigger_wire::proto::rollout as wire;
use outrigger_wire::proto::rollout::rollouts_client::RolloutsClient;
use outrigger_wire::watcher::Role;
use serde_json::{Value, json};

use super::mesh::{Burst, post, post_with};
use super::*;

const FORECAST: &str = "routes: [{name: forecast, capability: weather}]";
pub const CANARY: &[(&str, &str)] = &[("track", "canary")];
pub const CURRENT: &str = "/v1/rollouts/current";

pub async fn start(control: &Running, expected: u64, more: Value) -> (u16, Value) {
    let mut body = json!({"document": FORECAST, "author": "ada", "reason": "try", "labels": "track=canary"});
    let (Value::Object(body), Value::Object(more)) = (&mut body, more) else { panic!("objects") };
    body.extend(more);
    let fields = format!("if-match: \"{expected}\"\r\n");
    post_with(control, "/v1/rollouts", &fields, &Value::Object(body.clone()).to_string()).await
}

pub async fn moved(control: &Running, how: &str) -> (u16, Value) {
    post(control, &format!("{CURRENT}/{how}"), r#"{"author": "ada"}"#).await
}

async fn until_phase(control: &Running, phase: &str) -> Value {
    json_until(control, CURRENT, |rollout| rollout["phase"] == phase).await
}

/// A rollout that somebody has to move.
pub async fn by_hand(control: &Running) -> Value {
    let (status, rollout) = start(control, 1, json!({"manual": true, "min_calls": 0, "soak_seconds": 0})).await;
    assert_eq!(status, 201, "{rollout}");
    rollout
}

pub fn forecast() -> (String, String) {
    key(ResourceKind::Route, "forecast")
}

/// The number in `epoch.serial-hash`.
fn serial(burst: &Burst) -> u64 {
    let after = burst.version.split_once('.').unwrap().1;
    after.split_once('-').unwrap().0.parse().unwrap()
}

/// Only the Manifest came.
fn is_bare(burst: &Burst) -> bool {
    burst.bodies == [(MANIFEST_TYPE_URL.to_owned(), SELF.to_owned())].into() && burst.removed.is_empty()
}

async fn apply(watcher: &mut Watcher) -> Burst {
    let burst = watcher.burst().await;
    watcher.answer(MANIFEST_TYPE_URL, &burst.nonce, None).await;
    burst
}

/// A mesh with an agent, and a proxy in either lane that is to come, both current.
async fn mesh(control: &Running) -> (Proxy, Watcher, Watcher) {
    let agent = register(control, "weather-1").await;
    let mut canary = Watcher::labelled(control, "caller-1", CANARY, Tokens::new()).await;
    let mut other = Watcher::open(control, "caller-2").await;
    for watcher in [&mut canary, &mut other] {
        watcher.apply_until(|held| held.contains_key(&key(ResourceKind::Route, "weather"))).await;
    }
    (agent, canary, other)
}

#[tokio::test]
async fn the_lane_gets_the_candidate_on_the_same_stream_and_an_abort_takes_it_back() {
    let control = control("store: memory").await;
    let (_agent, mut canary, mut other) = mesh(&control).await;
    let rollout = by_hand(&control).await;
    assert_eq!((&rollout["phase"], &rollout["step"], &rollout["steps"]), (&"running".into(), &1.into(), &1.into()));
    let given = canary.apply_until(|held| held.contains_key(&forecast())).await;
    assert_eq!(given.bodies, [forecast(), (MANIFEST_TYPE_URL.to_owned(), SELF.to_owned())].into(), "what differs");
    assert_eq!(json!(serial(&given)), rollout["serial"]);
    assert!(is_bare(&apply(&mut other).await), "the others get a number and nothing else");
    let proxies = json_until(&control, "/v1/proxies", |proxies| proxies["items"][0]["lane"] == "canary").await;
    let [one, two] = [0, 1].map(|at| &proxies["items"][at]);
    assert_eq!((&one["labels"], &one["view"]), (&json!({"track": "canary"}), &"canary-base".into()));
    assert_eq!((&two["labels"], &two["lane"]), (&json!({}), &"".into()));
    let seen = json_until(&control, CURRENT, |rollout| rollout["canary"]["applied"] == 1).await;
    assert_eq!((&seen["canary"]["proxies"], &seen["control"]["proxies"]), (&1.into(), &1.into()));

    let (status, aborted) = moved(&control, "abort").await;
    assert_eq!((status, &aborted["phase"]), (200, &"aborted".into()), "{aborted}");
    let back = canary.apply_until(|held| !held.contains_key(&forecast())).await;
    assert_eq!((json!(serial(&back)), back.removed.len()), (aborted["ended"].clone(), 1));
    assert!(serial(&back) > serial(&given), "proxies refuse older numbers");
    assert!(is_bare(&apply(&mut other).await));
    let all = |proxies: &Value| proxies["items"].as_array().unwrap().iter().all(|row| row["status"] == "SYNCED");
    let proxies = json_until(&control, "/v1/proxies", all).await;
    assert_eq!((&proxies["items"][0]["view"], &proxies["items"][0]["lane"]), (&"base".into(), &"".into()));
    soon(control.stop()).await;
}

#[tokio::test]
async fn facts_reach_both_lanes_under_one_number_and_who_comes_later_is_in_its_lane_at_once() {
    let control = control("store: memory").await;
    let (_agent, mut canary, mut other) = mesh(&control).await;
    by_hand(&control).await;
    canary.apply_until(|held| held.contains_key(&forecast())).await;
    apply(&mut other).await;
    let _news = register(&control, "news-1").await;
    let news = |held: &Tokens| held.contains_key(&key(ResourceKind::Route, "news"));
    let (one, two) = (canary.apply_until(news).await, other.apply_until(news).await);
    assert_eq!(serial(&one), serial(&two));
    let mut late = Watcher::labelled(&control, "caller-3", CANARY, Tokens::new()).await;
    assert!(late.burst().await.bodies.contains(&forecast()));
    let observer = Role::Observer;
    let mut observer = Watcher::connect_as(observer, channel(&control, None), "watch-1", &[], Tokens::new()).await;
    assert!(!observer.burst().await.bodies.contains(&forecast()), "who only looks sees what runs");
    soon(control.stop()).await;
}

#[tokio::test]
async fn the_first_refusal_in_the_lane_aborts_and_one_elsewhere_does_not() {
    let control = control("store: memory").await;
    let (_agent, mut canary, mut other) = mesh(&control).await;
    by_hand(&control).await;
    let burst = other.burst().await;
    other.answer(MANIFEST_TYPE_URL, &burst.nonce, Some("it does not like the number")).await;
    canary.apply_until(|held| held.contains_key(&forecast())).await;
    let seen = json_until(&control, CURRENT, |rollout| rollout["control"]["nacks"] == 1).await;
    assert_eq!((&seen["phase"], &seen["canary"]["nacks"]), (&"running".into(), &0.into()));
    let _news = register(&control, "news-1").await;
    let burst = canary.burst().await;
    canary.answer(MANIFEST_TYPE_URL, &burst.nonce, Some("Route/forecast.pool: there is none")).await;
    let aborted = until_phase(&control, "aborted").await;
    let why = aborted["why"].as_str().unwrap();
    assert!(why.starts_with("caller-1 refused ") && why.contains("Route/forecast.pool: there is none"), "{why}");
    canary.apply_until(|held| !held.contains_key(&forecast())).await;
    soon(control.stop()).await;
}

/// Says as `node` how its calls went since it started.
async fn calls(proxy: &mut Proxy, calls: u64, failed: u64) {
    let calls = Some(Calls { since: 1, calls, failed, begun: calls, begun_micros: calls * 1_000 });
    proxy.say(Fact::Light(Light { calls })).await;
}

#[tokio::test]
async fn a_lane_whose_calls_fail_more_often_than_those_of_the_others_is_taken_back() {
    let control = control("store: memory").await;
    let (_agent, mut canary, mut other) = mesh(&control).await;
    let (mut one, mut two) = (register(&control, "caller-1").await, register(&control, "caller-2").await);
    calls(&mut one, 1_000, 500).await;
    calls(&mut two, 1_000, 20).await;
    let weather = |held: &Tokens| held.contains_key(&key(ResourceKind::Route, "caller"));
    canary.apply_until(weather).await;
    other.apply_until(weather).await;
    let (status, rollout) = start(&control, 1, json!({"soak_seconds": 600})).await;
    assert_eq!(status, 201, "{rollout}");
    canary.apply_until(|held| held.contains_key(&forecast())).await;
    json_until(&control, CURRENT, |rollout| rollout["canary"]["applied"] == 1).await;
    calls(&mut one, 1_200, 504).await;
    calls(&mut two, 1_900, 38).await;
    let seen = json_until(&control, CURRENT, |rollout| rollout["canary"]["calls"] == 200).await;
    assert_eq!((&seen["phase"], &seen["canary"]["ratio"]), (&"running".into(), &0.02.into()), "as bad as the others");
    calls(&mut one, 1_300, 514).await;
    let aborted = until_phase(&control, "aborted").await;
    let why = aborted["why"].as_str().unwrap();
    assert!(why.starts_with("4.66 % of the calls of the lane fail, and 2.00 % of those of the control group"), "{why}");
    assert_eq!((&aborted["canary"]["failures"], &aborted["control"]["calls"]), (&14.into(), &900.into()));
    let metrics = get(&control, "/metrics", "127.0.0.1").await.2;
    assert!(metrics.contains("outrigger_rollouts_ended_total{end=\"aborted\"} 1"), "{metrics}");
    soon(control.stop()).await;
}

#[tokio::test]
async fn a_good_candidate_is_widened_and_promoted_by_itself() {
    let control = control("store: memory").await;
    let (_agent, mut canary, mut other) = mesh(&control).await;
    let quick = json!({"steps": [100], "soak_seconds": 0, "min_calls": 0});
    let (status, rollout) = start(&control, 1, quick).await;
    assert_eq!((status, &rollout["steps"]), (201, &2.into()), "labels first, then everybody: {rollout}");
    canary.apply_until(|held| held.contains_key(&forecast())).await;
    apply(&mut other).await;
    // Both apply whatever comes.
    let applying = [canary, other].map(|mut watcher| {
        tokio::spawn(async move {
            watcher.apply_until(|held| held.contains_key(&forecast())).await;
            loop {
                apply(&mut watcher).await;
            }
        })
    });
    until_phase(&control, "promoted").await;
    let history = json(&control, "/v1/history").await;
    let newest = &history["items"][0];
    assert_eq!((&newest["number"], &newest["author"]), (&2.into(), &"ada".into()));
    assert_eq!(newest["reason"], "promoted: try");
    let events = json(&control, "/v1/events?limit=1000").await;
    let kinds: Vec<&str> =
        events["items"].as_array().unwrap().iter().filter_map(|event| event["kind"].as_str()).collect();
    let ours: Vec<&str> =
        kinds.into_iter().filter(|kind| kind.starts_with("rollout") || *kind == "intent_changed").collect();
    assert_eq!(ours, ["rollout_started", "rollout_widened", "intent_changed", "rollout_promoted"]);
    let synced = |proxies: &Value| {
        let rows = proxies["items"].as_array().unwrap();
        rows.iter().all(|row| row["status"] == "SYNCED" && row["lane"] == "" && row["view"] == "base")
    };
    json_until(&control, "/v1/proxies", synced).await;
    applying.iter().for_each(JoinHandle::abort);
    soon(control.stop()).await;
}

#[tokio::test]
async fn a_restart_resumes_the_step_and_who_comes_back_keeps_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let begin = || Control::start(settings(folder.path(), "store: sqlite:control.db"));
    let control = soon(begin()).await.unwrap();
    let (_agent, mut canary, mut other) = mesh(&control).await;
    let quick = json!({"soak_seconds": 600, "min_calls": 0});
    assert_eq!(start(&control, 1, quick).await.0, 201);
    let given = canary.apply_until(|held| held.contains_key(&forecast())).await;
    apply(&mut other).await;
    let (held, others) = (canary.tokens.clone(), other.tokens.clone());
    soon(control.stop()).await;

    let control = soon(begin()).await.unwrap();
    let again = json(&control, CURRENT).await;
    assert_eq!((&again["phase"], &again["step"]), (&"running".into(), &1.into()));
    let mut canary = Watcher::labelled(&control, "caller-1", CANARY, held).await;
    let burst = apply(&mut canary).await;
    assert!(serial(&burst) >= serial(&given) && burst.removed.is_empty(), "{burst:?}");
    assert!(canary.tokens.contains_key(&forecast()), "it is still in the lane");
    let mut other = Watcher::connect(channel(&control, None), "caller-2", &[], others).await;
    let burst = apply(&mut other).await;
    assert!(serial(&burst) >= serial(&given) && !other.tokens.contains_key(&forecast()));
    let seen = json_until(&control, CURRENT, |rollout| rollout["canary"]["applied"] == 1).await;
    assert!(seen["step_seconds"].as_f64().unwrap() < 60.0, "the step began anew: {seen}");

    // And one that begins with a control that knows nothing of it any more.
    let (_, aborted) = moved(&control, "abort").await;
    let back = canary.apply_until(|held| !held.contains_key(&forecast())).await;
    assert_eq!(json!(serial(&back)), aborted["ended"]);
    let held = canary.tokens.clone();
    soon(control.stop()).await;
    let control = soon(begin()).await.unwrap();
    let mut canary = Watcher::labelled(&control, "caller-1", CANARY, held).await;
    assert!(serial(&apply(&mut canary).await) >= serial(&back), "its number stays");
    assert_eq!(json(&control, CURRENT).await["phase"], "aborted");
    soon(control.stop()).await;
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_what_to_do() {
    let control = control("store: memory").await;
    let check = |(status, problem): (u16, Value), expected: u16, text: &str| {
        assert_eq!(status, expected, "{problem}");
        assert!(problem.to_string().contains(text), "{text}: {problem}");
    };
    assert_eq!(get(&control, CURRENT, "127.0.0.1").await.0, 404);
    check(moved(&control, "abort").await, 404, "there is no rollout");
    check(start(&control, 1, json!({})).await, 409, "no proxy is connected");
    let (_agent, _canary, _other) = mesh(&control).await;
    check(start(&control, 7, json!({})).await, 412, "\"current\":1");
    check(start(&control, 1, json!({"labels": "track=blue"})).await, 409, "no connected proxy has the labels");
    check(start(&control, 1, json!({"labels": "track"})).await, 400, "a selector is");
    check(start(&control, 1, json!({"steps": [50, 10]})).await, 400, "they must grow");
    check(start(&control, 1, json!({"error_ratio_max_increase": 1.5})).await, 400, "0 to 1");
    check(start(&control, 1, json!({"slow_factor_max": 0.5})).await, 400, "1 to 1000");
    check(start(&control, 1, json!({"document": "routes: [{name: a}]"})).await, 422, "capability");
    check(start(&control, 1, json!({"document": "{}"})).await, 409, "intent 1 says the same");
    check(start(&control, 1, json!({"author": ""})).await, 400, "author");
    check(start(&control, 1, json!({"unknown": 1})).await, 422, "has not the members");
    let unconditional = json!({"document": FORECAST, "author": "a", "reason": "b"}).to_string();
    check(post(&control, "/v1/rollouts", &unconditional).await, 428, "If-Match");
    by_hand(&control).await;
    check(start(&control, 1, json!({})).await, 409, "under way");
    check(moved(&control, "widen").await, 409, "this is the last step");
    check(post(&control, &format!("{CURRENT}/abort"), r#"{"author": " "}"#).await, 400, "author");
    assert_eq!(moved(&control, "promote").await.1["phase"], "promoted");
    check(moved(&control, "abort").await, 404, "there is no rollout");
    soon(control.stop()).await;
}

#[tokio::test]
async fn the_value_of_a_header_field_of_a_candidate_is_shown_nowhere() {
    const MARKER: &str = "hunter2-marker";
    let folder = tempfile::tempdir().unwrap();
    let control = soon(Control::start(settings(folder.path(), "store: sqlite:control.db"))).await.unwrap();
    let (_agent, mut canary, _other) = mesh(&control).await;
    let document =
        format!("routes: [{{name: forecast, capability: weather, headers: {{set: {{authorization: {MARKER}}}}}}}]");
    let (status, started) = start(&control, 1, json!({"document": document, "min_calls": 0})).await;
    assert_eq!(status, 201, "{started}");
    let body = canary.route_body("forecast").await;
    assert!(String::from_utf8_lossy(&body).contains(MARKER), "the proxies of the lane get it");
    let mut said = vec![started.to_string()];
    let paths = [
        CURRENT,
        "/v1/events?limit=1000",
        "/v1/snapshots",
        "/v1/proxies",
        "/v1/routes",
        "/v1/explain?capability=forecast",
    ];
    for path in paths {
        said.push(get(&control, path, "127.0.0.1").await.2);
    }
    let mut grpc = RolloutsClient::new(channel(&control, None));
    said.push(format!("{:?}", grpc.current(wire::CurrentRequest {}).await.unwrap()));
    said.push(moved(&control, "abort").await.1.to_string());
    said.push(start(&control, 1, json!({"document": document.replace("set:", "sat:")})).await.1.to_string());
    said.push(start(&control, 9, json!({"document": document})).await.1.to_string());
    assert!(!said.iter().any(|text| text.contains(MARKER)), "{said:?}");
    soon(control.stop()).await;
}

#[tokio::test]
async fn the_same_is_done_over_grpc() {
    let control = control("store: memory").await;
    let (_agent, _canary, _other) = mesh(&control).await;
    let mut grpc = RolloutsClient::new(channel(&control, None));
    let missing = soon(grpc.current(wire::CurrentRequest {})).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    let wanted = wire::StartRequest {
        document: FORECAST.to_owned(),
        expected: 1,
        author: "ada".to_owned(),
        reason: "try".to_owned(),
        steps: vec![50, 100],
        labels: "track=canary".to_owned(),
        manual: true,
        ..wire::StartRequest::default()
    };
    let bad = wire::StartRequest { steps: vec![300], ..wanted.clone() };
    assert_eq!(soon(grpc.start(bad)).await.unwrap_err().code(), Code::InvalidArgument);
    let old = wire::StartRequest { expected: 9, ..wanted.clone() };
    assert_eq!(soon(grpc.start(old)).await.unwrap_err().code(), Code::Aborted);
    let started = soon(grpc.start(wanted)).await.unwrap().into_inner();
    assert_eq!((started.step, started.steps, started.phase()), (1, 3, wire::rollout::Phase::Running));
    let by = || "ada".to_owned();
    let wide = soon(grpc.widen(wire::WidenRequest { author: by() })).await.unwrap().into_inner();
    assert_eq!((wide.step, wide.share, wide.labels.as_str()), (2, 50, "track=canary"));
    let reason = "enough".to_owned();
    let ended = soon(grpc.abort(wire::AbortRequest { author: by(), reason })).await.unwrap().into_inner();
    assert_eq!((ended.phase(), ended.why.as_str()), (wire::rollout::Phase::Aborted, "enough (by ada)"));
    let late = soon(grpc.promote(wire::PromoteRequest { author: by() })).await.unwrap_err();
    assert_eq!(late.code(), Code::NotFound);
    soon(control.stop()).await;
}

#[tokio::test]
async fn over_tls_only_operators_move_rollouts_and_only_proxies_are_in_lanes() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::create(TrustDomain::new("mesh.local").unwrap()).unwrap();
    authority.save(folder.path()).unwrap();
    let material = |party: &str| {
        let id = format!("spiffe://mesh.local/{party}").parse().unwrap();
        let issued = authority.issue(&id, LEAF_VALIDITY, &[]).unwrap();
        issued.save(folder.path(), party.rsplit('/').next().unwrap()).unwrap();
        outrigger_identity::Material::from_pem(&issued.certificate_pem, &issued.key_pem, authority.certificate_pem())
            .unwrap()
    };
    let (desk, operator, _control) = (material("agent/desk"), material("operator/ada"), material("control"));
    let yaml = "store: memory\nidentity: {certificate: control.pem, key: control.key, authority: ca.pem}";
    let control = soon(Control::start(settings(folder.path(), yaml))).await.unwrap();
    let proxy = |material| Watcher::connect(channel(&control, Some(material)), "caller-1", &[], Tokens::new());
    let mut looking = proxy(&operator).await;
    assert!(!apply(&mut looking).await.bodies.is_empty());
    let wanted = wire::StartRequest {
        document: FORECAST.to_owned(),
        expected: 1,
        author: "mallory".to_owned(),
        reason: "try".to_owned(),
        steps: vec![100],
        ..wire::StartRequest::default()
    };
    let mut agent = RolloutsClient::new(channel(&control, Some(&desk)));
    let denied = soon(agent.start(wanted.clone())).await.unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied);
    let mut ada = RolloutsClient::new(channel(&control, Some(&operator)));
    let nobody = soon(ada.start(wanted.clone())).await.unwrap_err();
    assert_eq!(
        (nobody.code(), nobody.message()),
        (Code::FailedPrecondition, "no proxy is connected that could try it")
    );
    let mut caller = proxy(&desk).await;
    apply(&mut caller).await;
    let started = soon(ada.start(wanted)).await.unwrap().into_inner();
    assert_eq!(started.author, "spiffe://mesh.local/operator/ada", "who it is, not who it says");
    caller.apply_until(|held| held.contains_key(&forecast())).await;
    assert!(is_bare(&apply(&mut looking).await), "the same name with another identity");
    soon(control.stop()).await;
}
