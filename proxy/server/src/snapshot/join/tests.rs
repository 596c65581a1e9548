use std::sync::Arc;
use std::time::{Duration, SystemTime};

use outrigger_config::{Environment, load_str};
use outrigger_model::replica::Generation;
use outrigger_model::resource::{Epoch, Serial};
use outrigger_model::snapshot::Snapshot;
use outrigger_proxy_core::world::compile::Rules;
use outrigger_proxy_core::world::table::World;
use outrigger_wire::body::Bodies;
use prometheus_client::registry::Registry;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Applied, Feed, Frozen, Join};
use crate::config::{Settings, Written};
use crate::health::local::{LocalReplica, LocalReplicas};
use crate::lifecycle::{Readiness, Stop};
use crate::snapshot::fixtures::mesh;
use crate::snapshot::worlds::Worlds;
use crate::telemetry::{Events, Metrics};

const SOON: Duration = Duration::from_secs(10);

fn frozen(address: &str) -> Frozen {
    let resources = mesh(address);
    let manifest =
        outrigger_wire::manifest::of(&Bodies::of(&resources), Epoch(1), Serial(7), SystemTime::now(), "a test");
    Frozen { snapshot: Arc::new(Snapshot::assemble(resources).expect("it fits together")), manifest }
}

fn own(serving: bool) -> LocalReplicas {
    own_replica("weather-1", serving)
}

fn own_replica(id: &str, serving: bool) -> LocalReplicas {
    let text = format!("agents: [{{name: weather, url: \"http://127.0.0.1:8081/mcp\", replica: {id}}}]");
    let nothing: [(&str, &str); 0] = [];
    let file = load_str(&text, &Environment::new(nothing)).expect("a file");
    let settings =
        Settings::try_from(Written { file, host_name: "box".into(), ..Written::default() }).expect("settings");
    settings.agents.iter().map(|agent| LocalReplica { serving, ..LocalReplica::unseen(agent, Generation(1)) }).collect()
}

struct Running {
    worlds: Arc<Worlds>,
    readiness: Readiness,
    agents: watch::Sender<LocalReplicas>,
    applied: watch::Receiver<Option<Applied>>,
    stop: Stop,
    task: JoinHandle<()>,
}

impl Running {
    fn on(feed: Feed) -> Self {
        let worlds = Arc::new(Worlds::new(World::default()));
        let events = Arc::new(Events::new(Metrics::register(&mut Registry::default())));
        let (agents, seen) = watch::channel(Vec::new());
        let readiness = Readiness::default();
        readiness.started();
        let rules = Rules { plaintext_beyond_loopback: false, seed: 1, zone: String::new() };
        let join = Join::new(feed, Arc::clone(&worlds), events, rules, seen, &readiness);
        let (applied, stop) = (join.applied(), Stop::new());
        let task = tokio::spawn(join.run(stop.clone()));
        Self { worlds, readiness, agents, applied, stop, task }
    }

    async fn until(&self, fits: impl Fn(&World) -> bool) {
        let mut changes = self.worlds.changes();
        let seen = timeout(SOON, async {
            while !fits(&self.worlds.current()) {
                changes.changed().await.expect("the cell lives");
            }
        });
        seen.await.expect("a fitting world in time");
    }

    async fn end(self) {
        self.stop.cancel();
        timeout(SOON, self.task).await.expect("it ends in time").expect("it does not panic");
    }
}

#[tokio::test]
async fn the_last_good_snapshot_serves_without_control_and_says_that_it_is_old() {
    let running = Running::on(Feed::File(Some(frozen("127.0.0.1:5"))));
    running.until(|world| world.route("weather").is_some()).await;
    timeout(SOON, running.readiness.until_ready()).await.expect("ready");
    let details = running.readiness.report().details;
    assert_eq!(details, ["stale: no `control:` is configured; the last good snapshot is in use"]);
    let applied = running.applied.borrow().clone().expect("a snapshot");
    assert_eq!((applied.serial, applied.from_control), (Serial(7), false));
    running.end().await;
}

#[tokio::test]
async fn without_control_and_without_a_file_it_says_why_it_is_not_ready() {
    let running = Running::on(Feed::File(None));
    running.agents.send_replace(own(true));
    running.until(|world| world.own("weather-1").is_some()).await;
    let report = running.readiness.report();
    assert!(!report.ready);
    assert_eq!(report.details, ["snapshot: no `control:` is configured and there is no last good snapshot"]);
    running.end().await;
}

#[tokio::test]
async fn an_own_agent_that_stops_serving_leaves_the_world() {
    let running = Running::on(Feed::File(Some(frozen("127.0.0.1:5"))));
    running.agents.send_replace(own(true));
    running.until(|world| world.replica("weather-1").is_some_and(|endpoint| endpoint.is_own())).await;
    running.agents.send_replace(own(false));
    running.until(|world| world.replica("weather-1").is_none()).await;
    assert_eq!(running.worlds.current().serial(), Some(Serial(7)), "the snapshot in use stays in use");
    running.end().await;
}

#[tokio::test]
async fn a_snapshot_that_does_not_compile_changes_nothing() {
    let running = Running::on(Feed::File(Some(frozen("10.0.0.1:5"))));
    running.agents.send_replace(own_replica("weather-2", false));
    running.until(|world| world.own("weather-2").is_some()).await;
    // A change after the first world is taken up only once the file was judged.
    running.agents.send_replace(own_replica("weather-2", true));
    running.until(|world| world.replica("weather-2").is_some()).await;
    assert!(running.worlds.current().route("weather").is_none());
    let report = running.readiness.report();
    assert!(!report.ready);
    assert!(
        report.details.contains(&"snapshot: the last good snapshot does not fit this proxy; see the log".to_owned())
    );
    running.end().await;
}
