use super::*;
use crate::fixture::registered;

fn check(there: &[(&str, &str)], comes: (&str, &str), expected: Option<&str>) {
    let mut facts = Facts::default();
    for (id, function) in there {
        facts.put(registered(&format!("{id} healthy"), &[function]));
    }
    let (id, function) = comes;
    let standing = registered(&format!("{id} healthy"), &[function]);
    assert_eq!(through(&facts, &standing.replica).as_deref(), expected, "{comes:?} comes to {there:?}");
}

#[test]
fn who_would_close_a_circle_is_told_its_names() {
    let chain = &[("b-1", "b=b 1.0.0 <- !c"), ("c-1", "c=c 1.0.0 <- !a")];
    check(chain, ("a-1", "a=a 1.0.0 <- !b"), Some("a → b → c → a"));
    check(&[], ("a-1", "a=a 1.0.0 <- !a"), Some("a → a"));
    check(&[("b-1", "b=b 1.0.0 <- !a")], ("a-1", "a=a 1.0.0 <- !b ^9 eu"), Some("a → b → a"));
}

#[test]
fn only_what_is_required_closes_a_circle() {
    let chain = &[("b-1", "b=b 1.0.0 <- !c"), ("c-1", "c=c 1.0.0 <- a")];
    check(chain, ("a-1", "a=a 1.0.0 <- !b"), None);
    check(&[("b-1", "b=b 1.0.0 <- !a")], ("a-1", "a=a 1.0.0 <- b"), None);
    check(&[("b-1", "b=b 1.0.0 <- !c")], ("a-1", "a=a 1.0.0 <- !b; !c"), None);
}

#[test]
fn what_the_replica_said_before_and_other_namespaces_do_not_count() {
    check(&[("a-1", "a=a 1.0.0 <- !a"), ("b-1", "b=b 1.0.0 <- !c")], ("a-1", "a=a 1.0.0 <- !b"), None);
    check(&[("b-1@team", "b=b 1.0.0 <- !a")], ("a-1", "a=a 1.0.0 <- !b"), None);
}

#[test]
fn a_circle_of_others_is_not_held_against_who_comes() {
    let others = &[("b-1", "b=b 1.0.0 <- !c"), ("c-1", "c=c 1.0.0 <- !b")];
    check(others, ("a-1", "a=a 1.0.0 <- !b"), None);
}
