use super::*;

#[test]
fn equal_needs_share_a_view_in_whatever_order_they_are_written() {
    let one = Scope::parse(&["forecast=weather ^1.2 +eu", "time"]).unwrap();
    let other = Scope::parse(&["time", " forecast=weather ^1.2   +eu", "time"]).unwrap();
    assert_eq!(one, other);
    assert_ne!(one.key(), Scope::parse(&["time"]).unwrap().key());
    assert_eq!(Scope::parse::<&str>(&[]).unwrap(), Scope::base());
    assert_eq!(Scope::base().key().as_str(), "base");
    assert_eq!(Scope::base().of(Audience::Observers).key().as_str(), "observer-base");
    assert_eq!(Scope::base().of(Audience::Observers).of(Audience::Proxies), Scope::base());
}

#[test]
fn a_need_that_cannot_be_read_is_refused_by_its_place() {
    let error = Scope::parse(&["time", "a/b"]).unwrap_err();
    assert!(error.to_string().starts_with("needs[1]: `a/b`"), "{error}");
    let error = Scope::parse(&["x=time ^1", "x=time ^2"]).unwrap_err();
    assert!(error.to_string().starts_with("needs[1]: `x` already stands"), "{error}");
    assert!(matches!(Scope::parse(&vec!["time"; NEEDS_MAX + 1]), Err(ScopeError::Many(_))));
}

#[test]
fn a_proxy_in_a_lane_has_a_view_of_its_own_and_who_only_looks_never_is_in_one() {
    let canary = Scope::parse(&["time"]).unwrap().on(Lane::Canary);
    assert_eq!(canary.lane(), Lane::Canary);
    assert_eq!(Scope::base().on(Lane::Canary).key().as_str(), "canary-base");
    assert_eq!(canary.on(Lane::Main), Scope::parse(&["time"]).unwrap());
    let observer = Scope::base().of(Audience::Observers);
    assert_eq!(observer.clone().on(Lane::Canary), observer);
}

#[test]
fn a_view_of_another_namespace_is_another_view_also_without_needs() {
    let team = || "team-a".parse::<Namespace>().unwrap();
    assert_eq!(Scope::base().within(team()).key().as_str(), "base@team-a");
    assert_eq!(Scope::base().within(Namespace::default()), Scope::base());
    let (one, other) = (Scope::base().of(Audience::Observers).within(team()), Scope::base().within(team()));
    assert_eq!((one.key().as_str(), one.clone()), ("observer-base@team-a", other.of(Audience::Observers)));
}

#[test]
fn a_need_is_of_the_namespace_of_its_watcher_unless_it_says_otherwise_or_is_complete() {
    let needs = ["one", "two=two @namespace=team-b", "three=three @reach=ties"];
    let scope = Scope::parse(&needs).unwrap().within("team-a".parse().unwrap());
    let told: Vec<String> = scope.needs().map(|(_, requirement)| requirement.to_string()).collect();
    assert_eq!(told, ["one @namespace=team-a", "three @reach=ties", "two @namespace=team-b"]);
}
