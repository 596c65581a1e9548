use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_config::{Environment, load_str};
use outrigger_model::snapshot::Snapshot;
use outrigger_proxy_core::outcome::Outcome;
use outrigger_proxy_core::world::compile::{Rules, compile};
use outrigger_proxy_core::world::table::World;
use prometheus_client::registry::Registry;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

use super::health::{self, Health};
use super::operator::{self, Operator};
use super::serve;
use crate::config::{Settings, Written};
use crate::lifecycle::{Readiness, Tasks};
use crate::snapshot::fixtures::mesh;
use crate::snapshot::worlds::Worlds;
use crate::telemetry::Metrics;

const SOON: Duration = Duration::from_secs(10);
const CONFIGURATION: &str = "agents: [{name: weather, url: \"http://127.0.0.1:8081/mcp\", replica: weather-1}]\n\
                             sessions: {redis_url: \"redis://user:hunter2@127.0.0.1:6379\"}";

struct Listener {
    address: String,
    readiness: Readiness,
    tasks: Tasks,
}

fn settings() -> Settings {
    let none: [(&str, &str); 0] = [];
    let file = load_str(CONFIGURATION, &Environment::new(none)).expect("a file");
    Settings::try_from(Written { file, host_name: "box".into(), ..Written::default() }).expect("settings")
}

impl Listener {
    async fn on(router: impl FnOnce(Readiness) -> axum::Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (readiness, mut tasks) = (Readiness::default(), Tasks::default());
        let stop = tasks.token();
        tasks.spawn("listener", serve(listener, router(readiness.clone()), stop));
        Self { address, readiness, tasks }
    }

    async fn health() -> Self {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        Self::on(|readiness| health::router(Health { readiness, metrics, registry: Arc::new(registry) })).await
    }

    async fn operator() -> Self {
        Self::operator_of(Arc::new(Worlds::new(World::default()))).await
    }

    async fn operator_of(worlds: Arc<Worlds>) -> Self {
        let (_, applied) = watch::channel(None);
        let settings = Arc::new(settings());
        let events = Arc::new(crate::telemetry::Events::new(Metrics::default()));
        let caller = outrigger_proxy_core::mcp::facts::Caller::new("desk");
        let catalog = Arc::new(crate::catalog::Catalog::new(
            Arc::clone(&worlds),
            Arc::clone(&events),
            settings.aggregate,
            &caller,
        ));
        let sessions = Arc::new(crate::session::sessions::Sessions::new(10, None, events));
        Self::on(|readiness| operator::router(Operator { settings, worlds, applied, readiness, catalog, sessions }))
            .await
    }

    async fn get(&self, path: &str, host: &str) -> String {
        let answer = timeout(SOON, async {
            let mut stream = TcpStream::connect(&self.address).await.expect("a connection");
            let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.expect("a request");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("an answer");
            answer
        });
        answer.await.expect("an answer in time")
    }

    async fn check(&self, path: &str, status: &str, body: &str) {
        let answer = self.get(path, "localhost").await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answer}");
        assert!(answer.contains(body), "{path}: `{body}` is not in {answer}");
    }
}

#[tokio::test]
async fn probes_say_what_is_missing() {
    let mut listener = Listener::health().await;
    let snapshot = listener.readiness.condition("snapshot", "the first one");
    listener.check("/healthz/live", "200", "live").await;
    listener.check("/healthz/started", "503", "starting").await;
    listener.check("/healthz/ready", "503", "not ready\nsnapshot: the first one\n").await;
    listener.readiness.started();
    snapshot.met();
    listener.check("/healthz/started", "200", "started").await;
    listener.check("/healthz/ready", "200", "ready\n").await;
    listener.check("/metrics", "200", "outrigger_build_info").await;
    listener.check("/config_dump", "404", "").await;
    listener.tasks.stop(SOON).await;
}

#[tokio::test]
async fn operators_see_settings_without_secrets() {
    let mut listener = Listener::operator().await;
    listener.check("/config_dump", "200", "\"replica\":\"weather-1\"").await;
    listener.check("/config_dump", "200", "\"redis\":\"redis://127.0.0.1:6379\"").await;
    listener.check("/clusters", "200", "\"items\":[]").await;
    listener.check("/ready", "503", "not ready").await;
    assert!(!listener.get("/config_dump", "localhost").await.contains("hunter2"));
    listener.tasks.stop(SOON).await;
}

/// A world with an agent `weather`, one replica, and a route that sets a header.
fn world() -> World {
    let mut resources = mesh("127.0.0.1:9");
    for route in resources.routes.values_mut() {
        route.policy.traffic.headers.set = vec![("authorization".into(), "hunter2".into())];
    }
    let snapshot = Snapshot::assemble(resources).expect("a snapshot");
    compile(&snapshot, None, &[], Rules::default(), &World::default(), Instant::now()).expect("a world")
}

#[tokio::test]
async fn a_decision_is_told_with_its_reasons_and_nothing_is_changed_by_asking() {
    let worlds = Arc::new(Worlds::new(world()));
    let mut listener = Listener::operator_of(Arc::clone(&worlds)).await;
    let world = worlds.current();
    let live = &world.replica("weather-1").expect("a replica").live;
    live.record(Outcome::ConnectFailed, Instant::now());
    let pool = &world.pool("weather").expect("a pool").live;
    let turn = pool.turn();
    let path = "/explain?name=weather&method=tools%2Fcall&tool=get&header=x-env:test";
    let told = listener.get(path, "localhost").await;
    for part in [
        "\"matched\":\"route\"",
        "\"row\":4",
        "\"rung\":\"agent\"",
        "\"class\":\"only if nothing was sent\"",
        "\"repetitions_left\":10",
        "\"passed_over\":null",
        "\"order\":1",
        "\"panic\":true",
        "\"ejected\":true",
        "\"caller\":\"desk\"",
        "\"set\":[\"authorization\"]",
    ] {
        assert!(told.starts_with("HTTP/1.1 200") && told.contains(part), "`{part}` is not in {told}");
    }
    assert!(!told.contains("hunter2"), "{told}");
    assert_eq!((pool.turn(), live.in_flight()), (turn, 0));
    assert!(live.is_ejected(Instant::now()));
    listener.check("/explain?name=tea&method=ping", "404", "named `tea`").await;
    listener.check("/explain?name=tea&method=ping", "404", "weather").await;
    listener.check("/explain?name=weather", "400", "`name` and `method` are needed").await;
    listener.tasks.stop(SOON).await;
}

#[tokio::test]
async fn a_page_that_points_its_own_name_here_reads_nothing() {
    let mut listener = Listener::operator().await;
    for (host, status) in
        [("localhost:1", "200"), ("127.0.0.1", "200"), ("[::1]:5", "200"), ("evil.example", "403"), ("a b", "400")]
    {
        let answer = listener.get("/clusters", host).await;
        let found = answer.split(' ').nth(1).unwrap_or_default();
        assert!(found == status || (status == "400" && found == "403"), "{host}: {answer}");
    }
    listener.tasks.stop(SOON).await;
}
