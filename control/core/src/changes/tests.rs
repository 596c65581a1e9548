use outrigger_model::replica::ReplicaState;

use super::*;
use crate::fixture::{facts, standing};

fn shown(old: &Facts, new: &Facts) -> Vec<String> {
    let id = |standing: &Standing| standing.replica.id.to_string();
    let show = |change: &Change<'_>| match change {
        Change::Came(is) => format!("+{}", id(is)),
        Change::Went(was) => format!("-{}", id(was)),
        Change::Turned { was, is } => format!("{} {}>{}", id(is), was.state, is.state),
    };
    between(old, new).iter().map(show).collect()
}

#[test]
fn only_replicas_that_differ_are_told_of() {
    let old = facts(&["a-1 healthy 1.0.0", "b-1 healthy 1.0.0", "d-1 healthy 1.0.0"]);
    let mut new = old.clone();
    assert!(shown(&old, &new).is_empty());
    new.remove(&"a-1".parse().unwrap());
    new.put(standing("c-1 healthy 1.0.0"));
    let sick = Standing { state: ReplicaState::Unhealthy, ..new.get(&"d-1".parse().unwrap()).unwrap().clone() };
    new.put(sick);
    assert_eq!(shown(&old, &new), ["-a-1", "+c-1", "d-1 healthy>unhealthy"]);
}

#[test]
fn a_part_that_followed_every_change_holds_what_its_rule_keeps() {
    let keeps = |replica: &Replica| replica.agent.as_str() != "b";
    let steps = [
        facts(&["a-1 healthy 1.0.0", "b-1 healthy 1.0.0"]),
        facts(&["b-1 healthy 1.0.0", "b-2 healthy 1.0.0", "c-1 healthy 1.0.0"]),
        facts(&["c-1 draining 2.0.0"]),
        facts(&[]),
    ];
    let (mut part, mut last) = (Facts::default(), Facts::default());
    for step in steps {
        follow(&mut part, &between(&last, &step), keeps);
        let mut wanted = Facts::default();
        step.standings().filter(|standing| keeps(&standing.replica)).for_each(|standing| wanted.put(standing.clone()));
        assert_eq!(part, wanted);
        last = step;
    }
}

#[test]
fn a_replica_that_stops_being_kept_leaves_the_part() {
    let old = facts(&["a-1 healthy 1.0.0"]);
    let mut new = old.clone();
    let mut changed = (*standing("a-1 healthy 1.0.0").replica).clone();
    changed.agent = "b".parse().unwrap();
    new.put(Standing { replica: Arc::new(changed), ..standing("a-1 healthy 1.0.0") });
    let mut part = old.clone();
    follow(&mut part, &between(&old, &new), |replica| replica.agent.as_str() == "a");
    assert!(part.is_empty());
}
