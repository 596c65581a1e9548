use outrigger_control_core::snapshot::ledger::Ledger;
use outrigger_model::digest::Digest;
use outrigger_model::resource::{ResourceKind, Serial};

use super::*;

/// Some hundred steps of a few views and names: what was merged leads to the ledger that the steps led to.
#[test]
fn merged_changes_lead_where_the_changes_led_one_after_the_other() {
    for seed in 0..200 {
        let mut chance = fastrand::Rng::with_seed(seed);
        let (mut ledger, mut merged) = (Ledger::default(), Merged::default());
        let mut before = Ledger::default();
        for serial in 1..=40 {
            let view = ViewKey::stored(["base", "needs-1", "needs-2"][chance.usize(..3)]);
            let names = ["a", "b", "c", "d"].into_iter().filter(|_| chance.bool());
            let content: Vec<_> = names
                .map(|name| (ResourceKind::Route, name, Digest::of(&[u8::try_from(serial % 3).unwrap()])))
                .collect();
            let mut change = ledger.advance(&view, content, Serial(serial));
            if chance.u8(..10) == 0 && view != ViewKey::base() {
                // As where room was needed for another view.
                let gone = ViewKey::stored("needs-1");
                if gone != view {
                    ledger.forget(&gone);
                    change.dropped.push(gone);
                }
            }
            if serial <= 10 {
                before.repeat(&change);
            } else {
                merged.add(change);
            }
        }
        for change in merged.changes() {
            before.repeat(&change);
        }
        assert_eq!(before, ledger, "seed {seed}");
    }
}

#[test]
fn they_are_never_more_than_the_views() {
    let (mut ledger, mut merged) = (Ledger::default(), Merged::default());
    for serial in 1..=10_000_u64 {
        let content = [(ResourceKind::Route, "a", Digest::of(&serial.to_be_bytes()))];
        merged.add(ledger.advance(&ViewKey::base(), content, Serial(serial)));
    }
    let changes = merged.changes();
    assert_eq!((changes.len(), changes[0].changed.len(), changes[0].serial), (1, 1, Serial(10_000)));
}
