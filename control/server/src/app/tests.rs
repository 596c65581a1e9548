//! Control as its peers see it, over its real ports on loopback.

use outrigger_model::identity::TrustDomain;
use outrigger_model::resource::ResourceKind;
use outrigger_wire::kind::{MANIFEST_TYPE_URL, SELF};
use outrigger_wire::proto::discovery::DeltaDiscoveryRequest;
use outrigger_wire::proto::discovery::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
use outrigger_wire::proto::registry::facts::Fact;
use outrigger_wire::proto::registry::hint::Hint as Kind;
use outrigger_wire::proto::registry::registry_client::RegistryClient;
use outrigger_wire::proto::registry::{Draining, Facts, Leave, Light};
use tonic::Code;

use super::*;
use crate::ca::{Authority, LEAF_VALIDITY};

mod mesh;
mod keys;
mod revocations;
mod reload;
mod replicas;
mod intents;
mod rollouts;
mod watch;
mod streams;
mod wirings;
mod upstream;
mod relay;
mod services;
mod followers;

use mesh::{Proxy, Tokens, Watcher, channel, control, get, json, json_until, key, register, replica, settings, soon};

#[tokio::test]
async fn a_replica_that_registers_reaches_a_watcher_and_its_proxy_shows_as_synced() {
    let control = control("store: memory").await;
    let mut watcher = Watcher::open(&control, "caller-1").await;
    let first = watcher.burst().await;
    assert!(first.bodies.contains(&key(ResourceKind::Settings, SELF)));
    watcher.answer(MANIFEST_TYPE_URL, &first.nonce, None).await;
    let _proxy = register(&control, "weather-1").await;
    let burst = watcher.apply_until(|held| held.contains_key(&key(ResourceKind::Route, "weather"))).await;
    for kind in [ResourceKind::Agent, ResourceKind::Capability, ResourceKind::Pool, ResourceKind::Endpoints] {
        assert!(burst.bodies.contains(&key(kind, "weather")), "{kind}: {burst:?}");
    }
    assert!(!burst.bodies.contains(&key(ResourceKind::Settings, SELF)), "what did not change does not travel");
    let proxies = json_until(&control, "/v1/proxies", |proxies| proxies["items"][0]["status"] == "SYNCED").await;
    let caller = &proxies["items"][0];
    assert_eq!((&caller["node"], &caller["view"]), (&"caller-1".into(), &"base".into()));
    assert_eq!(caller["serial"], caller["target"]);
    soon(control.stop()).await;
}

#[tokio::test]
async fn only_endpoints_move_when_a_replica_changes_its_state() {
    let control = control("store: memory").await;
    let proxy = register(&control, "weather-1").await;
    let mut watcher = Watcher::open(&control, "caller-1").await;
    watcher.apply_until(|held| held.contains_key(&key(ResourceKind::Route, "weather"))).await;
    proxy.say(Fact::Draining(Draining {})).await;
    let burst = watcher.burst().await;
    let endpoints = key(ResourceKind::Endpoints, "weather");
    assert_eq!(burst.bodies, [endpoints, (MANIFEST_TYPE_URL.to_owned(), SELF.to_owned())].into());
    proxy.say(Fact::Leave(Leave {})).await;
    watcher.answer(MANIFEST_TYPE_URL, &burst.nonce, None).await;
    let burst = watcher.apply_until(|held| !held.contains_key(&key(ResourceKind::Route, "weather"))).await;
    assert!(burst.removed.contains(&key(ResourceKind::Pool, "weather")));
    soon(control.stop()).await;
}

#[tokio::test]
async fn a_refused_snapshot_is_shown_and_the_next_one_mends_it() {
    let control = control("store: memory").await;
    let mut watcher = Watcher::open(&control, "caller-1").await;
    let first = watcher.burst().await;
    watcher.answer(MANIFEST_TYPE_URL, &first.nonce, None).await;
    let mut proxy = register(&control, "weather-1").await;
    let burst = watcher.burst().await;
    watcher.answer(MANIFEST_TYPE_URL, &burst.nonce, Some("Route/weather.pool: there is no pool")).await;
    let proxies = json_until(&control, "/v1/proxies", |proxies| proxies["items"][0]["status"] == "REFUSED").await;
    assert!(proxies["items"][0]["refusal"].as_str().unwrap().ends_with("Route/weather.pool: there is no pool"));
    let refused = |events: &serde_json::Value| events["items"].as_array().unwrap().last().unwrap()["kind"].clone();
    json_until(&control, "/v1/events", |events| refused(events) == "snapshot_refused").await;
    proxy.report(vec![replica("weather-1"), replica("news-1")]).await;
    let burst = watcher.burst().await;
    // What the client dropped with the refused snapshot comes along.
    assert!(burst.bodies.contains(&key(ResourceKind::Route, "weather")), "{burst:?}");
    watcher.answer(MANIFEST_TYPE_URL, &burst.nonce, None).await;
    json_until(&control, "/v1/proxies", |proxies| proxies["items"][0]["status"] == "SYNCED").await;
    soon(control.stop()).await;
}

#[tokio::test]
async fn after_a_restart_on_the_same_store_nothing_is_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Control::start(settings(folder.path(), "store: sqlite:control.db"));
    let control = soon(start()).await.unwrap();
    let _proxy = register(&control, "weather-1").await;
    let mut watcher = Watcher::open(&control, "caller-1").await;
    watcher.apply_until(|held| held.contains_key(&key(ResourceKind::Route, "weather"))).await;
    let held = watcher.tokens.clone();
    soon(control.stop()).await;

    let control = soon(start()).await.unwrap();
    let mut watcher = Watcher::connect(channel(&control, None), "caller-1", &[], held.clone()).await;
    let burst = watcher.burst().await;
    assert_eq!((burst.bodies.len(), burst.removed.len()), (0, 0), "{burst:?}");
    assert_eq!(burst.standing, [(MANIFEST_TYPE_URL.to_owned(), SELF.to_owned())].into());
    assert_eq!(watcher.tokens, held);
    json_until(&control, "/v1/proxies", |proxies| proxies["items"][0]["status"] == "SYNCED").await;
    let agents = json(&control, "/v1/agents").await;
    assert_eq!(agents["items"][0]["replicas"][0]["state"], "healthy", "control's own absence is nobody's fault");
    soon(control.stop()).await;
}

#[tokio::test]
async fn a_replica_at_a_forbidden_address_is_refused_and_its_neighbours_are_not() {
    let control = control("store: memory").await;
    let mut proxy = Proxy::connect(channel(&control, None), "box").await.unwrap();
    let mut bad = replica("weather-1");
    bad.address = "169.254.169.254:80".to_owned();
    let refused = proxy.report(vec![bad, replica("news-1")]).await;
    assert_eq!(refused.len(), 1);
    let refused = &refused[0];
    assert_eq!((refused.replica.as_str(), refused.reason.as_str()), ("weather-1", "address"));
    assert_eq!(refused.field, "replicas[0].address");
    assert!(refused.detail.contains("169.254.169.254"), "{}", refused.detail);
    let names = |agents: &serde_json::Value| {
        let items = agents["items"].as_array().unwrap().iter();
        items.map(|agent| agent["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    json_until(&control, "/v1/agents", |agents| names(agents) == ["news"]).await;
    soon(control.stop()).await;
}

#[tokio::test]
async fn a_stream_that_breaks_makes_its_replicas_unknown_and_a_new_one_healthy() {
    let control = control("store: memory").await;
    drop(register(&control, "weather-1").await);
    let state = |agents: &serde_json::Value| agents["items"][0]["replicas"][0]["state"].clone();
    json_until(&control, "/v1/agents", |agents| state(agents) == "unknown").await;
    let mut proxy = Proxy::connect(channel(&control, None), "weather-1").await.unwrap();
    proxy.say(Fact::Light(Light::default())).await;
    assert!(matches!(proxy.hint().await.unwrap(), Kind::ReportAgain(_)));
    proxy.report(vec![replica("weather-1")]).await;
    json_until(&control, "/v1/agents", |agents| state(agents) == "healthy").await;
    soon(control.stop()).await;
}

#[tokio::test]
async fn needs_make_a_view_of_their_own() {
    let control = control("store: memory").await;
    let _proxy = register(&control, "weather-1").await;
    let needs = ["forecast=weather ^1", "tides=sea"];
    let mut watcher = Watcher::connect(channel(&control, None), "caller-1", &needs, Tokens::new()).await;
    watcher.apply_until(|held| held.contains_key(&key(ResourceKind::Route, "weather"))).await;
    assert!(watcher.tokens.contains_key(&key(ResourceKind::Route, "forecast")));
    assert!(watcher.tokens.contains_key(&key(ResourceKind::Pool, "tides--none")), "{:?}", watcher.tokens.keys());
    let routes = json(&control, "/v1/routes").await;
    let rows: Vec<_> = routes["items"].as_array().unwrap().iter().collect();
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).unwrap();
    assert_eq!((&row("forecast")["kind"], &row("forecast")["pool"]), (&"dependency".into(), &"weather".into()));
    assert_eq!((&row("tides")["endpoints"], &row("weather")["kind"]), (&0.into(), &"agent".into()));
    soon(control.stop()).await;
}

#[tokio::test]
async fn operators_get_what_they_ask_for_or_a_problem_that_says_why_not() {
    let control = control("store: memory\nroutes: [{name: forecast, capability: weather}]").await;
    let _proxy = register(&control, "weather-1").await;
    let explained = json_until(&control, "/v1/explain?capability=weather", |it| it["winner"] == "weather").await;
    assert_eq!((&explained["pool"], &explained["candidates"][0]["verdict"]), (&"weather".into(), &"chosen".into()));
    let keys = serde_json::json!(["session", "task", "state"]);
    let sessions = serde_json::json!({
        "route": "weather", "affinity": "auto", "keys": keys, "on_replica_loss": "404", "session_mode": "stored",
    });
    json_until(&control, "/v1/explain?capability=weather", |it| it["sessions"] == sessions).await;
    let route = json(&control, "/v1/explain?capability=forecast").await;
    assert_eq!((&route["winner"], &route["requirement"]), (&"weather".into(), &"weather".into()), "{route}");
    assert_eq!((&route["sessions"]["route"], &route["pool"]), (&"forecast".into(), &"weather".into()));
    let other = json(&control, "/v1/explain?capability=weather&namespace=team-a").await;
    assert_eq!((&other["winner"], &other["sessions"]), (&serde_json::Value::Null, &serde_json::Value::Null), "{other}");
    let evicted = &other["stages"][0]["evicted"][0];
    assert_eq!((&evicted["id"], &evicted["reason"]), (&"weather-1:weather".into(), &"NamespaceMismatch".into()));
    let written =
        json(&control, "/v1/explain?requirement=weather%20%40range%3D%3E%3D9%7C%7C0.1%20%40reach%3Dties").await;
    assert_eq!(
        (&written["winner"], &written["candidates"][0]["evicted"]),
        (&serde_json::Value::Null, &"VersionConstraintFailed".into()),
        "{written}"
    );
    let snapshots = json_until(&control, "/v1/snapshots", |it| it["items"].as_array().unwrap().len() == 2).await;
    assert!(snapshots["items"][0]["made_at"].as_str().unwrap().ends_with('Z'), "{snapshots}");
    let capabilities = json(&control, "/v1/capabilities").await;
    assert_eq!(capabilities["items"][0]["providers"][0]["agent"], "weather");
    let events = json(&control, "/v1/events?limit=1").await;
    let last = &events["items"][0];
    assert_eq!(last["kind"], "replica_registered");
    assert_eq!(json(&control, &format!("/v1/events?after={}", last["id"])).await["items"], serde_json::json!([]));
    let metrics = get(&control, "/metrics", "127.0.0.1").await;
    assert!(metrics.2.contains("outrigger_replicas{state=\"healthy\"} 1"), "{}", metrics.2);
    for path in ["/healthz/started", "/healthz/ready", "/healthz/live"] {
        assert_eq!(get(&control, path, "127.0.0.1").await.0, 200, "{path}");
    }
    let rows = [
        ("/v1/explain", "[::1]", 400),
        ("/v1/explain?capability=a+b", "localhost:8000", 400),
        ("/v1/explain?capability=a&color=red", "127.0.0.1", 400),
        ("/v1/explain?capability=a&requirement=a", "127.0.0.1", 400),
        ("/v1/explain?capability=a&namespace=", "127.0.0.1", 400),
        ("/v1/explain?capability=a&schema=loose:x", "127.0.0.1", 400),
        ("/v1/explain?requirement=a%20%40x", "127.0.0.1", 400),
        ("/v1/events?limit=many", "127.0.0.1", 400),
        ("/v1/nothing", "127.0.0.1", 404),
        ("/v1/agents", "evil.example", 403),
    ];
    for (path, host, expected) in rows {
        let (status, kind, body) = get(&control, path, host).await;
        assert_eq!((status, kind.as_str()), (expected, "application/problem+json"), "{path}: {body}");
        let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert!(!problem["hint"].as_str().unwrap().is_empty() && problem["status"] == expected, "{problem}");
    }
    soon(control.stop()).await;
}

#[tokio::test]
async fn a_busy_port_is_named_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = settings(std::path::Path::new("/"), "store: memory");
    settings.http = taken.local_addr().unwrap();
    let error = soon(Control::start(settings)).await.unwrap_err();
    assert!(matches!(error, StartError::Busy { key: "listen.http", .. }), "{error:?}");
    assert!(error.to_string().contains("in use"), "{error}");
}

#[tokio::test]
async fn b1_b10_streams_that_do_not_say_who_they_are_are_refused() {
    let control = control("store: memory").await;
    let mut registry = RegistryClient::new(channel(&control, None));
    let light = Facts { fact: Some(Fact::Light(Light::default())) };
    let mut hints = soon(registry.report(tokio_stream::iter([light]))).await.unwrap().into_inner();
    assert_eq!(soon(hints.message()).await.unwrap_err().code(), Code::InvalidArgument);
    let mut discovery = AggregatedDiscoveryServiceClient::new(channel(&control, None));
    let nobody = DeltaDiscoveryRequest { type_url: MANIFEST_TYPE_URL.to_owned(), ..Default::default() };
    let stream = discovery.delta_aggregated_resources(tokio_stream::iter([nobody]));
    let mut responses = soon(stream).await.unwrap().into_inner();
    let status = soon(responses.message()).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("node.id"), "{status}");
    soon(control.stop()).await;
}

#[tokio::test]
async fn with_identities_each_party_may_do_what_it_is_there_for() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::create(TrustDomain::new("mesh.local").unwrap()).unwrap();
    authority.save(folder.path()).unwrap();
    let material = |party: &str| {
        let id = format!("spiffe://mesh.local/{party}").parse().unwrap();
        let issued = authority.issue(&id, LEAF_VALIDITY, &[]).unwrap();
        issued.save(folder.path(), party.rsplit('/').next().unwrap()).unwrap();
        let pem = authority.certificate_pem();
        outrigger_identity::Material::from_pem(&issued.certificate_pem, &issued.key_pem, pem).unwrap()
    };
    let (weather, operator, _control) = (material("agent/weather"), material("operator/ada"), material("control"));
    let yaml = "store: memory\nidentity: {certificate: control.pem, key: control.key, authority: ca.pem}";
    let control = soon(Control::start(settings(folder.path(), yaml))).await.unwrap();

    let mut proxy = Proxy::connect(channel(&control, Some(&weather)), "weather-1").await.unwrap();
    let refused = proxy.report(vec![replica("weather-1"), replica("news-1")]).await;
    assert_eq!((refused.len(), refused[0].reason.as_str()), (1, "identity"));
    let status = Proxy::connect(channel(&control, Some(&operator)), "ada").await.err().unwrap();
    assert_eq!(status.code(), Code::PermissionDenied);
    let mut watcher = Watcher::connect(channel(&control, Some(&operator)), "ada", &[], Tokens::new()).await;
    watcher.apply_until(|held| held.contains_key(&key(ResourceKind::Agent, "weather"))).await;
    let proxies = json(&control, "/v1/proxies").await;
    assert_eq!(proxies["items"][0]["identity"], "spiffe://mesh.local/operator/ada");
    assert!(Proxy::connect(channel(&control, None), "weather-2").await.is_err(), "nobody without a certificate");
    soon(control.stop()).await;
}

#[tokio::test]
async fn stopping_tells_every_stream_and_leaves_nothing_running() {
    let control = control("store: memory").await;
    let mut proxy = register(&control, "weather-1").await;
    let mut watcher = Watcher::open(&control, "caller-1").await;
    watcher.apply_until(|held| held.contains_key(&key(ResourceKind::Route, "weather"))).await;
    let (grpc, tasks) = (control.grpc, control.lifecycle().tasks().clone());
    soon(control.stop()).await;
    assert_eq!(proxy.hint().await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(tasks.len(), 0);
    assert!(tokio::net::TcpStream::connect(grpc).await.is_err());
}
