use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use outrigger_model::name::AgentName;
use outrigger_model::revision::Era;

use super::{BadCursor, Known, View};
use crate::catalog::listing::{Kind, Listing};
use crate::catalog::object::Object;

fn agent(name: &str) -> AgentName {
    AgentName::new(name).expect("a name")
}

fn known(tools: &[&str], resources: &[&str], ttl: Option<u64>, private: bool) -> Arc<Known> {
    let list = |key: &str, texts: &[&str]| {
        texts.iter().map(|text| ((*text).to_owned(), Object::default().with(key, text))).collect()
    };
    let listing = Listing {
        era: Era::Modern,
        revision: "2026-07-28".to_owned(),
        capabilities: Object::default(),
        lists: [list("name", tools), Vec::new(), list("uri", resources), Vec::new()],
        ttl: ttl.map(Duration::from_millis),
        private,
    };
    Arc::new(Known { listing: Some(Arc::new(listing)), ..Known::default() })
}

fn view(targets: Vec<(&str, Arc<Known>)>) -> View {
    let targets: BTreeMap<_, _> = targets.into_iter().map(|(name, known)| (agent(name), known)).collect();
    View::of(targets, Duration::from_secs(30), true)
}

fn texts(view: &View, kind: Kind) -> Vec<String> {
    let (page, _) = view.page(kind, None, usize::MAX).expect("a page");
    page.iter().map(|raw| raw.get().to_owned()).collect()
}

#[test]
fn tools_are_told_under_their_aliases_in_the_order_of_agents() {
    let view = view(vec![("b", known(&["x"], &[], None, false)), ("a", known(&["x", "y"], &[], None, false))]);
    assert_eq!(texts(&view, Kind::Tools), [r#"{"name":"a__x"}"#, r#"{"name":"a__y"}"#, r#"{"name":"b__x"}"#]);
    assert_eq!(view.named(Kind::Tools, "b__x"), Some((agent("b"), "x".to_owned())));
    assert_eq!(view.named(Kind::Tools, "c__x"), None);
    assert_eq!(
        view.named(Kind::Tools, "a__new"),
        Some((agent("a"), "new".to_owned())),
        "a list may be older than a tool"
    );
}

#[test]
fn a_uri_of_two_agents_is_the_first_ones() {
    let view =
        view(vec![("a", known(&[], &["x://1"], None, false)), ("b", known(&[], &["x://1", "x://2"], None, false))]);
    assert_eq!(texts(&view, Kind::Resources).len(), 2);
    assert_eq!(view.resource("x://1"), Some(agent("a")));
    assert_eq!(view.resource("x://2"), Some(agent("b")));
    assert_eq!(view.resource("x://3"), None);
}

#[test]
fn pages_tell_everything_once_even_if_the_list_changes_in_between() {
    let before = view(vec![("a", known(&["1", "2", "3"], &[], None, false)), ("b", known(&["1"], &[], None, false))]);
    let (first, next) = before.page(Kind::Tools, None, 2).expect("a page");
    assert_eq!(first.len(), 2);
    let after = view(vec![("a", known(&["0", "3"], &[], None, false)), ("b", known(&["1"], &[], None, false))]);
    let (second, end) = after.page(Kind::Tools, next.as_deref(), 2).expect("a page");
    let told: Vec<&str> = second.iter().map(|raw| raw.get()).collect();
    assert_eq!((told.as_slice(), end), (&[r#"{"name":"a__3"}"#, r#"{"name":"b__1"}"#][..], None));
    assert_eq!(before.page(Kind::Tools, Some("nonsense"), 2).unwrap_err(), BadCursor);
}

#[test]
fn the_shortest_life_and_the_narrowest_scope_count() {
    let both = view(vec![("a", known(&[], &[], Some(500), false)), ("b", known(&[], &[], None, false))]);
    assert_eq!((both.ttl, both.private), (Duration::from_millis(500), false));
    let shy = view(vec![("a", known(&[], &[], None, true)), ("b", known(&[], &[], Some(90_000), false))]);
    assert_eq!((shy.ttl, shy.private), (Duration::from_secs(30), true));
}

#[test]
fn only_lists_that_changed_are_told_as_changed() {
    let one = view(vec![("a", known(&["x"], &["x://1"], None, false))]);
    let more = view(vec![("a", known(&["x", "y"], &["x://1"], Some(1), false))]);
    assert_eq!(one.changes(&more).into_iter().collect::<Vec<_>>(), ["tools"]);
    assert!(one.changes(&one).is_empty());
}
