use super::*;

fn content<'a>(rows: &[(&'a str, &str)]) -> Vec<(ResourceKind, &'a str, Digest)> {
    rows.iter().map(|(name, body)| (ResourceKind::Route, *name, Digest::of(body.as_bytes()))).collect()
}

fn serials(ledger: &Ledger) -> Vec<(String, u64)> {
    let view = ledger.view(&ViewKey::base()).unwrap();
    view.entries.iter().map(|((_, name), entry)| (name.clone(), entry.serial.0)).collect()
}

#[test]
fn a_resource_keeps_its_serial_until_its_content_changes() {
    let mut ledger = Ledger::default();
    let base = ViewKey::base();
    ledger.advance(&base, content(&[("a", "1"), ("b", "1")]), Serial(1));
    let change = ledger.advance(&base, content(&[("a", "1"), ("b", "2")]), Serial(2));
    assert_eq!(serials(&ledger), [("a".to_owned(), 1), ("b".to_owned(), 2)]);
    assert_eq!(change.changed.len(), 1);
}

#[test]
fn equal_content_changes_nothing_and_keeps_the_serial_of_the_view() {
    let mut ledger = Ledger::default();
    let base = ViewKey::base();
    ledger.advance(&base, content(&[("a", "1")]), Serial(1));
    let change = ledger.advance(&base, content(&[("a", "1")]), Serial(7));
    assert!(change.is_empty());
    assert_eq!(change.serial, Serial(1));
}

#[test]
fn what_goes_is_told_and_counts_as_a_change_of_the_view() {
    let mut ledger = Ledger::default();
    let base = ViewKey::base();
    ledger.advance(&base, content(&[("a", "1"), ("b", "1")]), Serial(1));
    let change = ledger.advance(&base, content(&[("a", "1")]), Serial(2));
    assert_eq!(change.removed, [(ResourceKind::Route, "b".to_owned())]);
    assert_eq!(ledger.view(&base).unwrap().serial, Serial(2));
}

#[test]
fn content_that_comes_back_gets_a_new_token() {
    let mut ledger = Ledger::default();
    let base = ViewKey::base();
    let token = |ledger: &Ledger| ledger.view(&base).unwrap().entries.values().next().unwrap().token(Epoch(1));
    ledger.advance(&base, content(&[("a", "1")]), Serial(1));
    let first = token(&ledger);
    ledger.advance(&base, content(&[("a", "2")]), Serial(2));
    ledger.advance(&base, content(&[("a", "1")]), Serial(3));
    assert_ne!(token(&ledger), first);
}

#[test]
fn views_do_not_know_of_each_other() {
    let mut ledger = Ledger::default();
    let other = ViewKey::stored("needs-1");
    ledger.advance(&ViewKey::base(), content(&[("a", "1")]), Serial(1));
    ledger.advance(&other, content(&[("a", "1")]), Serial(5));
    assert_eq!(serials(&ledger), [("a".to_owned(), 1)]);
    assert_eq!(ledger.view(&other).unwrap().serial, Serial(5));
}

#[test]
fn the_view_that_was_unchanged_longest_makes_room_and_base_never_does() {
    let mut ledger = Ledger::default();
    let view = |number: usize| ViewKey::stored(&format!("needs-{number}"));
    ledger.advance(&ViewKey::base(), content(&[]), Serial(0));
    for number in 1..VIEWS_MAX {
        ledger.advance(&view(number), content(&[]), Serial(number as u64));
    }
    let change = ledger.advance(&view(VIEWS_MAX), content(&[]), Serial(VIEWS_MAX as u64));
    assert_eq!(change.dropped, [view(1)]);
    assert!(ledger.view(&ViewKey::base()).is_some());
    assert_eq!(ledger.views().count(), VIEWS_MAX);
}

#[test]
fn a_change_that_is_repeated_elsewhere_leads_to_the_same_ledger() {
    let (mut ledger, mut copy) = (Ledger::default(), Ledger::default());
    let steps: [&[(&str, &str)]; 4] = [&[("a", "1")], &[("a", "2"), ("b", "1")], &[("b", "1")], &[]];
    for (serial, step) in (1..).zip(steps) {
        copy.repeat(&ledger.advance(&ViewKey::base(), content(step), Serial(serial)));
        assert_eq!(ledger, copy);
    }
}

#[test]
fn what_comes_goes_and_changes_at_once_is_told_apart_over_all_kinds() {
    let mut ledger = Ledger::default();
    let base = ViewKey::base();
    let digest = |text: &str| Digest::of(text.as_bytes());
    let (agent, pool, route) = (ResourceKind::Agent, ResourceKind::Pool, ResourceKind::Route);
    let first =
        [(agent, "b", digest("1")), (pool, "a", digest("1")), (pool, "c", digest("1")), (route, "z", digest("1"))];
    ledger.advance(&base, first, Serial(1));
    let second =
        [(agent, "a", digest("1")), (agent, "b", digest("1")), (pool, "c", digest("2")), (route, "a", digest("1"))];
    let change = ledger.advance(&base, second, Serial(2));
    let key = |kind, name: &str| (kind, name.to_owned());
    assert_eq!(change.removed, [key(pool, "a"), key(route, "z")]);
    let changed: Vec<ResourceKey> = change.changed.keys().cloned().collect();
    assert_eq!(changed, [key(agent, "a"), key(pool, "c"), key(route, "a")]);
    let kept = &ledger.view(&base).unwrap().entries;
    assert_eq!(kept.len(), 4);
    assert_eq!(kept.get(&key(agent, "b")).unwrap().serial, Serial(1));
}

#[test]
fn a_view_that_is_stamped_has_a_new_number_and_its_resources_keep_theirs() {
    let mut ledger = Ledger::default();
    let content = [(ResourceKind::Pool, "a", Digest::of(b"1"))];
    ledger.advance(&ViewKey::base(), content, Serial(1));
    let mut change = ledger.advance(&ViewKey::base(), content, Serial(5));
    assert!(change.is_nothing());
    ledger.stamp(Serial(5), &mut change);
    assert!(change.is_empty() && !change.is_nothing());
    let view = ledger.view(&ViewKey::base()).unwrap();
    assert_eq!((view.serial, view.entries.values().next().unwrap().serial), (Serial(5), Serial(1)));
    let mut repeated = Ledger::default();
    repeated.repeat(&change);
    assert_eq!(repeated.view(&ViewKey::base()).unwrap().serial, Serial(5));
}
