//! Snapshots and heartbeats for tests of this room.

use outrigger_model::requirement::Requirement;
use outrigger_model::route::{Route, RoutePolicy};
use outrigger_model::snapshot::Snapshot;
use outrigger_model::wiring::{Provider, Wiring};
use outrigger_upstream::heartbeat::Heartbeat;
use outrigger_upstream::needs;

use crate::snapshot::fixtures::mesh;

/// An agent that serves nothing at `port`, with one function `f` that depends on these.
pub(super) fn heartbeat(id: &str, port: u16, wants: &[&str]) -> Heartbeat {
    let wants: Vec<_> = wants.iter().map(|name| format!(r#"{{"capability":"{name}"}}"#)).collect();
    let wants = wants.join(",");
    let body = format!(
        r#"{{"agent_id":"{id}","name":"{}","http_host":"127.0.0.1","http_port":{port},
            "tools":[{{"function_name":"f","capability":"c","dependencies":[{wants}]}}]}}"#,
        id.split('-').next().expect("a name")
    );
    Heartbeat::read(body.as_bytes()).expect("a heartbeat")
}

/// One provider of a requirement.
pub(super) fn wiring(requirement: &Requirement, agent: &str) -> Wiring {
    let provider = Provider {
        agent: agent.parse().expect("a name"),
        replica: format!("{agent}-1").parse().expect("a name"),
        capability: requirement.capability.clone(),
        function: "greet".into(),
        version: semver::Version::new(2, 0, 0),
        tags: outrigger_model::tag::TagSet::default(),
        description: "".into(),
        kwargs: "".into(),
        input_schema: "".into(),
        callable: true,
    };
    Wiring { route: needs::route(requirement).expect("a name"), providers: vec![provider] }
}

/// A snapshot with these wirings.
pub(super) fn snapshot(wirings: &[Wiring]) -> Snapshot {
    let mut resources = mesh("127.0.0.1:8080");
    let pool = resources.pools.keys().next().expect("a pool").clone();
    for wiring in wirings {
        let (name, policy) = (wiring.route.clone(), RoutePolicy::default());
        resources.routes.insert(name.clone(), Route { name, pool: pool.clone(), policy });
        resources.wirings.insert(wiring.route.clone(), wiring.clone());
    }
    Snapshot::assemble(resources).expect("it fits together")
}
