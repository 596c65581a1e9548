use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use outrigger_model::requirement::{Dependency, Requirement};
use outrigger_model::snapshot::Snapshot;
use outrigger_proxy_core::mcp::facts::Caller;
use outrigger_proxy_core::world::table::World;
use outrigger_upstream::heartbeat::Heartbeat;
use prometheus_client::registry::Registry;
use serde_json::Value;
use tokio::sync::watch;

use super::{Facade, Told};
use crate::catalog::Catalog;
use crate::config::Settings;
use crate::config::settings::Aggregate;
use crate::facade::Residents;
use crate::facade::fixtures::{heartbeat, snapshot, wiring};
use crate::health::roster::LocalAgents;
use crate::lifecycle::Tasks;
use crate::registration::report::{Refused, Status};
use crate::snapshot::worlds::Worlds;
use crate::telemetry::{Events, Metrics};
use crate::tests::{settings, until};

struct Stand {
    facade: Arc<Facade>,
    agents: LocalAgents,
    snapshots: watch::Sender<Arc<Snapshot>>,
    status: watch::Sender<Status>,
    needed: watch::Receiver<Vec<Dependency>>,
    tasks: Tasks,
}

fn stand(also: &str) -> Stand {
    let settings: Arc<Settings> = Arc::new(settings(&format!("needs: [forecast=weather]\n{also}")));
    let events = Arc::new(Events::new(Metrics::register(&mut Registry::default())));
    let mut tasks = Tasks::default();
    let agents = LocalAgents::watch(&[], &HashMap::new(), &events, &mut tasks);
    let worlds = Arc::new(Worlds::new(World::default()));
    let catalog = Arc::new(Catalog::new(worlds, events, Aggregate::default(), &Caller::new("desk")));
    let residents = Residents::back(&settings, vec![17001], &agents);
    let (needs, needed) = watch::channel(residents.needs());
    let (snapshots, seen) = watch::channel(Arc::new(snapshot(&[])));
    let (status, reported) = watch::channel(Status::default());
    let outbound = "127.0.0.1:17001".parse().unwrap();
    let told = Told { outbound, snapshots: seen, reported: Some(reported), needs };
    let facade = Arc::new(Facade::new(residents, told, catalog));
    tasks.spawn("facade", Arc::clone(&facade).run(tasks.token()));
    Stand { facade, agents, snapshots, status, needed, tasks }
}

impl Stand {
    fn knows(&self, heartbeat: &Heartbeat, agent: &str) {
        let wirings: Vec<_> = requirements(heartbeat).map(|requirement| wiring(requirement, agent)).collect();
        self.snapshots.send_replace(Arc::new(snapshot(&wirings)));
    }

    async fn end(mut self) {
        self.tasks.stop(Duration::from_secs(5)).await;
    }
}

fn requirements(heartbeat: &Heartbeat) -> impl Iterator<Item = &Requirement> {
    heartbeat.registration.functions[0].needs.iter().map(|need| &need.requirement)
}

fn entry(answer: &Value, at: usize) -> (&str, &str) {
    let entry = &answer["dependencies_resolved"]["f"][at];
    (entry["status"].as_str().unwrap(), entry["agent_id"].as_str().unwrap())
}

#[tokio::test(start_paused = true)]
async fn an_agent_is_told_of_a_change_with_its_next_signal_and_of_nothing_else() {
    let stand = stand("");
    let cons = heartbeat("cons-1", 9000, &["greeting", "time"]);
    assert_eq!(stand.facade.pulse("cons-1"), StatusCode::GONE);
    let first = stand.facade.register(cons.clone()).await;
    assert_eq!((entry(&first, 0), entry(&first, 1)), (("unresolved", ""), ("unresolved", "")));
    assert_eq!(stand.facade.pulse("cons-1"), StatusCode::OK);

    stand.knows(&cons, "anna");
    assert_eq!(stand.facade.pulse("cons-1"), StatusCode::ACCEPTED);
    assert_eq!(stand.facade.pulse("cons-1"), StatusCode::ACCEPTED, "until it has asked");
    assert_eq!(entry(&stand.facade.register(cons.clone()).await, 1), ("available", "anna"));
    assert_eq!(stand.facade.pulse("cons-1"), StatusCode::OK);

    stand.knows(&cons, "anna");
    assert_eq!(stand.facade.pulse("cons-1"), StatusCode::OK, "another snapshot says the same");
    stand.facade.leave("cons-1");
    assert_eq!(stand.facade.pulse("cons-1"), StatusCode::GONE);
    stand.end().await;
}

#[tokio::test]
async fn what_agents_need_is_needed_for_as_long_as_they_are_here() {
    let stand = stand("");
    let mut needed = stand.needed.clone();
    let cons = heartbeat("cons-1", 9000, &["greeting", "time"]);
    let other = heartbeat("other-1", 9001, &["greeting"]);
    stand.knows(&cons, "anna");
    stand.facade.register(cons).await;
    stand.facade.register(other).await;
    until(&mut needed, |needs| needs.len() == 3).await;
    stand.facade.leave("cons-1");
    let left = until(&mut needed, |needs| needs.len() == 2).await;
    assert_eq!(left[0].alias.as_str(), "forecast", "what the configuration needs stays");
    stand.end().await;
}

#[tokio::test]
async fn a_process_that_starts_anew_takes_the_place_of_the_one_at_its_port() {
    let stand = stand("");
    stand.facade.register(heartbeat("cons-1", 9000, &[])).await;
    stand.facade.register(heartbeat("cons-2", 9000, &[])).await;
    assert_eq!(stand.facade.pulse("cons-1"), StatusCode::GONE);
    let locals = stand.agents.replicas().borrow().clone();
    assert_eq!(locals.iter().map(|local| local.id.as_str()).collect::<Vec<_>>(), ["cons-2"]);
    stand.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_the_snapshot_has_lost_is_told_as_it_was() {
    let stand = stand("");
    let cons = heartbeat("cons-1", 9000, &["greeting"]);
    stand.knows(&cons, "anna");
    stand.facade.register(cons.clone()).await;
    // Such as one that was made before this proxy said what its agents need.
    stand.snapshots.send_replace(Arc::new(snapshot(&[])));
    assert_eq!(stand.facade.pulse("cons-1"), StatusCode::OK);
    assert_eq!(entry(&stand.facade.register(cons).await, 0), ("available", "anna"));
    stand.end().await;
}

#[tokio::test]
async fn who_may_not_join_is_told_why() {
    let stand = stand("facade: {agents_max: 1}");
    assert_eq!(stand.facade.register(heartbeat("a-1", 9000, &[])).await["status"], "success");
    let second = stand.facade.register(heartbeat("b-1", 9001, &[])).await;
    assert_eq!((&second["status"], &second["agent_id"]), (&Value::from("error"), &Value::from("b-1")));
    let names: Vec<String> = (0..300).map(|number| format!("need{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut greedy = heartbeat("a-1", 9000, &[]);
    for part in names.chunks(50) {
        greedy.registration.functions.extend(heartbeat("a-1", 9000, part).registration.functions);
    }
    assert_eq!(stand.facade.register(greedy).await["status"], "error", "more than one watcher may need");
    stand.end().await;
}

#[tokio::test]
async fn what_control_refuses_an_agent_is_told() {
    let stand = stand("");
    let cons = heartbeat("cons-1", 9000, &[]);
    stand.facade.register(cons.clone()).await;
    let detail = "required dependency cycle: CA → CB → CA".to_owned();
    let refused = Refused { replica: "cons-1".into(), reason: "cycle".into(), field: String::new(), detail };
    stand.status.send_modify(|status| status.refused.push(refused));
    assert_eq!(stand.facade.pulse("cons-1"), StatusCode::ACCEPTED);
    let answer = stand.facade.register(cons).await;
    assert_eq!(answer["message"], "required dependency cycle: CA → CB → CA");
    assert_eq!(stand.facade.pulse("cons-1"), StatusCode::OK, "it knows");
    stand.end().await;
}

#[tokio::test]
async fn agents_that_had_joined_are_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("snapshot: {{file: {}}}", folder.path().join("snapshot.bin").display());
    let before = stand(&file);
    before.facade.register(heartbeat("cons-1", 9000, &[])).await;
    let written = folder.path().join("snapshot.agents");
    let mut waited = 0;
    while !written.exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
        waited += 1;
        assert!(waited < 1_000, "it is written");
    }
    before.end().await;

    let after = stand(&file);
    assert_eq!(after.agents.replicas().borrow().len(), 1);
    assert_eq!(after.facade.pulse("cons-1"), StatusCode::ACCEPTED, "nobody knows what it was told");
    after.end().await;
}
