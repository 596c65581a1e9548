use std::collections::BTreeMap;

use super::*;

const EPOCH: Epoch = Epoch(3);

fn drafts(rows: &[(Kind, &str, &str)]) -> Vec<Draft> {
    let draft = |(kind, name, body): &(Kind, &str, &str)| Draft {
        kind: *kind,
        name: (*name).into(),
        body: (*body).to_owned().into(),
        leads_to: Vec::new(),
    };
    rows.iter().map(draft).collect()
}

fn next(ledger: &mut Ledger, before: Option<&Arc<Edition>>, rows: &[(Kind, &str, &str)], serial: u64) -> Arc<Edition> {
    assemble(&ViewKey::stored("stock-x"), drafts(rows), before, ledger, (EPOCH, Serial(serial))).0
}

fn tokens(edition: &Edition, kind: Kind) -> BTreeMap<String, u64> {
    edition.shelf(kind).resources.iter().map(|(name, it)| (name.to_string(), it.token.serial.0)).collect()
}

fn serials(rows: &[(&str, u64)]) -> BTreeMap<String, u64> {
    rows.iter().map(|(name, serial)| ((*name).to_owned(), *serial)).collect()
}

#[test]
fn what_did_not_change_keeps_its_token_and_a_shelf_that_did_not_change_is_shared() {
    let mut ledger = Ledger::default();
    let first =
        next(&mut ledger, None, &[(Kind::Cluster, "a", "1"), (Kind::Cluster, "b", "1"), (Kind::Route, "r", "1")], 1);
    let rows = [(Kind::Cluster, "a", "1"), (Kind::Cluster, "b", "2"), (Kind::Route, "r", "1")];
    let second = next(&mut ledger, Some(&first), &rows, 5);
    assert_eq!(tokens(&second, Kind::Cluster), serials(&[("a", 1), ("b", 5)]));
    assert!(Arc::ptr_eq(first.shelf(Kind::Route), second.shelf(Kind::Route)));
    assert_eq!(second.shelf(Kind::Cluster).version.serial, Serial(5));
    assert!(Arc::ptr_eq(&second, &next(&mut ledger, Some(&second), &rows, 6)), "equal content makes no edition");
}

#[test]
fn content_that_comes_back_has_another_token() {
    let mut ledger = Ledger::default();
    let first = next(&mut ledger, None, &[(Kind::Cluster, "a", "1")], 1);
    let second = next(&mut ledger, Some(&first), &[(Kind::Cluster, "a", "2")], 2);
    let third = next(&mut ledger, Some(&second), &[(Kind::Cluster, "a", "1")], 3);
    assert_ne!(first.shelf(Kind::Cluster).version, third.shelf(Kind::Cluster).version);
    assert_eq!(tokens(&third, Kind::Cluster), serials(&[("a", 3)]));
}

#[test]
fn tokens_are_the_same_after_a_restart() {
    let mut ledger = Ledger::default();
    let first = next(&mut ledger, None, &[(Kind::Cluster, "a", "1"), (Kind::Endpoints, "a", "1")], 1);
    let rows = [(Kind::Cluster, "a", "1"), (Kind::Endpoints, "a", "2")];
    let before = next(&mut ledger, Some(&first), &rows, 2);
    let mut stored = Ledger::default();
    for (key, view) in ledger.views() {
        stored.restore(key.clone(), view.clone());
    }
    let after = next(&mut stored, None, &rows, 9);
    for kind in Kind::ALL {
        assert_eq!(after.shelf(kind).resources, before.shelf(kind).resources, "{kind:?}");
    }
    assert_eq!(after.shelf(Kind::Endpoints).version, before.shelf(Kind::Endpoints).version);
}
