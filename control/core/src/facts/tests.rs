use super::*;
use crate::fixture::{facts, standing};

fn offering(facts: &Facts, name: &str) -> Vec<String> {
    let name = CapabilityName::new(name).unwrap();
    facts.offering(&name).map(|standing| standing.replica.id.to_string()).collect()
}

#[test]
fn a_replica_is_found_by_its_agent_and_by_what_it_offers() {
    let facts = facts(&["b-1 healthy 1.0.0", "a-2 healthy 1.0.0", "a-1 unhealthy 1.0.0"]);
    assert_eq!(offering(&facts, "forecast"), ["a-1", "a-2", "b-1"]);
    assert_eq!(offering(&facts, "b"), ["b-1"]);
    assert_eq!(facts.replicas_of(&AgentName::new("a").unwrap()).count(), 2);
}

#[test]
fn a_replica_that_is_gone_is_found_nowhere() {
    let mut facts = facts(&["a-1 healthy 1.0.0", "b-1 healthy 1.0.0"]);
    facts.remove(&ReplicaId::new("a-1").unwrap());
    assert_eq!(offering(&facts, "forecast"), ["b-1"]);
    assert!(!facts.has_agent("a"));
    assert!(offering(&facts, "a").is_empty());
}

#[test]
fn a_replica_that_changes_is_found_as_what_it_is_now() {
    let mut facts = facts(&["a-1 healthy 1.0.0"]);
    let mut changed = (*standing("a-1 healthy 1.0.0").replica).clone();
    changed.agent = AgentName::new("c").unwrap();
    changed.capabilities.retain(|capability| capability.name.as_str() == "forecast");
    facts.put(Standing { replica: Arc::new(changed), ..standing("a-1 healthy 1.0.0") });
    assert!(offering(&facts, "a").is_empty() && !facts.has_agent("a") && facts.has_agent("c"));
    assert_eq!(offering(&facts, "forecast"), ["a-1"]);
}

#[test]
fn a_copy_does_not_change_with_its_original() {
    let mut facts = facts(&["a-1 healthy 1.0.0"]);
    let copy = facts.clone();
    facts.put(standing("b-1 healthy 1.0.0"));
    assert_eq!((copy.len(), offering(&copy, "forecast").len()), (1, 1));
}
