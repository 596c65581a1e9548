use super::*;
use crate::fixture::registered;
use crate::resolve::wiring::wiring;
use crate::standing::Standing;
use outrigger_model::name::RouteName;

fn facts(standings: Vec<Standing>) -> Facts {
    let mut facts = Facts::default();
    standings.into_iter().for_each(|standing| facts.put(standing));
    facts
}

/// The capabilities that work, of agents that are called like theirs.
fn working(facts: &Facts) -> Vec<String> {
    let names = facts.capabilities().filter(|name| {
        let requirement = format!("{name} @reach=ties").parse().unwrap();
        let route = RouteName::new("route").unwrap();
        wiring(facts, &route, &requirement).providers.iter().any(|provider| provider.callable)
    });
    names.map(ToString::to_string).collect()
}

fn agent(name: &str, needs: &str) -> Standing {
    registered(&format!("{name}-1 healthy"), &[&format!("do_{name}={name} 1.0.0 {needs}")])
}

#[test]
fn a_function_without_what_it_requires_is_offered_to_nobody() {
    let mut facts = facts(vec![agent("a", "<- !b; c"), agent("b", "")]);
    assert_eq!(working(&facts), ["a", "b"], "what is not required may be missing");
    facts.remove(&"b-1".parse().unwrap());
    assert_eq!(working(&facts), [""; 0]);
    facts.put(registered("b-1 unhealthy", &["do_b=b 1.0.0"]));
    assert_eq!(working(&facts), [""; 0]);
    facts.put(registered("b-2 draining", &["do_b=b 1.0.0"]));
    assert_eq!(working(&facts), ["a", "b"]);
}

#[test]
fn what_is_required_has_to_fit_in_every_way_and_to_work_itself() {
    let chain =
        |last: &str| facts(vec![agent("a", "<- !b"), agent("b", "<- !c ^2 eu"), registered("c-1 healthy", &[last])]);
    assert_eq!(working(&chain("do_c=c 2.1.0 eu")), ["a", "b", "c"]);
    assert_eq!(working(&chain("do_c=c 1.0.0 eu")), ["c"]);
    assert_eq!(working(&chain("do_c=c 2.1.0 us")), ["c"]);
    assert_eq!(working(&chain("do_c=c 2.1.0 eu <- !nobody")), [""; 0]);
}

#[test]
fn one_provider_that_works_is_enough() {
    let facts = facts(vec![
        agent("a", "<- !b"),
        registered("b-1 healthy", &["do_b=b 9.0.0 <- !nobody"]),
        registered("b-2 healthy", &["do_b=b 1.0.0"]),
    ]);
    assert_eq!(working(&facts), ["a", "b"]);
    let offers: Vec<_> = facts.offers(&"b".parse().unwrap()).map(|offer| is_callable(&facts, &offer)).collect();
    assert_eq!(offers, [false, true]);
}

#[test]
fn those_that_require_each_other_never_work_and_neither_do_those_that_require_them() {
    let facts = facts(vec![agent("a", "<- !b"), agent("b", "<- !a"), agent("c", "<- !b"), agent("d", "<- !d")]);
    assert_eq!(working(&facts), [""; 0]);
}

#[test]
fn the_first_need_that_is_not_met_is_told() {
    let facts = facts(vec![agent("a", "<- c; !b; !d ^3"), agent("b", "")]);
    let offer = facts.offers(&"a".parse().unwrap()).next().unwrap();
    assert_eq!(unmet(&facts, &offer).unwrap().to_string(), "d ^3 @reach=ties");
}

#[test]
fn other_namespaces_do_not_help() {
    let facts = facts(vec![agent("a", "<- !b"), registered("b-1@team healthy", &["do_b=b 1.0.0"])]);
    assert_eq!(working(&facts), [""; 0]);
}

#[test]
fn a_long_chain_is_worked_out_in_one_walk() {
    let mut facts = Facts::default();
    for number in 0..3_000 {
        facts.put(agent(&format!("x{number}"), &format!("<- !x{}", number + 1)));
    }
    facts.put(agent("x3000", ""));
    assert_eq!(facts.unavailable(find).len(), 0);
    facts.remove(&"x3000-1".parse().unwrap());
    assert_eq!(facts.unavailable(find).len(), 3_000);
}
