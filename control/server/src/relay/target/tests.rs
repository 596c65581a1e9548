use std::sync::Arc;

use outrigger_control_core::facts::Standing;
use outrigger_model::name::{AgentName, NodeId};
use outrigger_model::replica::{Generation, ReplicaState};

use super::*;

/// `id node address`.
fn facts(rows: &[&str]) -> Facts {
    let mut facts = Facts::default();
    for row in rows {
        let [id, node, address] = row.split(' ').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let replica = Replica {
            id: ReplicaId::new(id).unwrap(),
            agent: AgentName::new("a").unwrap(),
            node: NodeId::new(node).unwrap(),
            version: "1.0.0".parse().unwrap(),
            tags: Default::default(),
            address: address.parse().unwrap(),
            identity: None,
            generation: Generation(1),
            revisions: vec![],
            weight: 100,
            zone: String::new(),
            namespace: Default::default(),
            capabilities: vec![],
            registration: None,
        };
        facts.put(Standing { replica: Arc::new(replica), state: ReplicaState::Healthy, trouble: "".into() });
    }
    facts
}

#[test]
fn only_the_mcp_endpoint_of_a_registered_replica_is_reached() {
    let facts = facts(&["d direct-d 127.0.0.1:81", "p1 box 127.0.0.1:82", "p2 box 127.0.0.1:82", "q other [::1]:83"]);
    let rows = [
        ("127.0.0.1:81/mcp", "d /mcp"),
        ("127.0.0.1:81/mcp/", "d /mcp/"),
        ("http://127.0.0.1:81/mcp", "d /mcp"),
        ("127.0.0.1:82/agents/p1/mcp", "p1 /agents/p1/mcp"),
        ("https://127.0.0.1:82/agents/p2/mcp", "p2 /agents/p2/mcp"),
        ("[::1]:83/mcp", "q /agents/q/mcp"),
        ("127.0.0.1:82/mcp", "several"),
        ("127.0.0.1:81", "no path"),
        ("127.0.0.1:81/health", "path"),
        ("127.0.0.1:81/mcp/../health", "path"),
        ("127.0.0.1:81/mcp/./x", "path"),
        ("127.0.0.1:81/mcpx", "path"),
        ("127.0.0.1:82/agents/d/mcp", "unknown"),
        ("127.0.0.1:84/mcp", "unknown"),
        ("localhost:81/mcp", "unknown"),
        ("127.0.0.1:81@127.0.0.1:84/mcp", "unknown"),
    ];
    for (written, wanted) in rows {
        let found = match Target::find(&facts, written, None) {
            Ok(target) => format!("{} {}", target.replica.id, target.path),
            Err(NoTarget::NoPath) => "no path".to_owned(),
            Err(NoTarget::Path) => "path".to_owned(),
            Err(NoTarget::Unknown(_)) => "unknown".to_owned(),
            Err(NoTarget::Several(_)) => "several".to_owned(),
        };
        assert_eq!(found, wanted, "{written}");
    }
    assert_eq!(Target::find(&facts, "127.0.0.1:81/mcp", Some("a=b")).unwrap().path, "/mcp?a=b");
}
