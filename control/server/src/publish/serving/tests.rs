use outrigger_control_core::snapshot::ledger::{Ledger, LedgerChange};
use outrigger_control_core::snapshot::scope::ViewKey;
use outrigger_model::replica::ReplicaState;

use super::*;
use crate::publish::assemble::tests::{at, snapshot};
use crate::publish::assemble::{Assembled, assemble};

/// What a store has that is newer than what was held before a change.
fn stored(edition: &Edition, ledger: &Ledger, change: &LedgerChange, is_whole: bool) -> Served {
    let view = ledger.view(&ViewKey::base()).unwrap();
    let entries = if is_whole { view.entries.clone() } else { change.changed.clone() };
    let body = |(kind, name): &ledger::ResourceKey| {
        edition.shelf(Topic::Resources(*kind)).entries[name.as_str()].body.to_vec()
    };
    Served {
        view: ViewKey::base(),
        epoch: edition.epoch,
        serial: edition.serial,
        manifest: edition.manifest.entries[SELF].body.to_vec(),
        is_whole,
        changed: entries.into_iter().map(|(key, entry)| (key.clone(), (entry, body(&key)))).collect(),
        names: Some(view.entries.keys().cloned().collect()),
    }
}

fn same(ours: &Edition, theirs: &Edition) {
    assert_eq!((ours.epoch, ours.serial, ours.digest), (theirs.epoch, theirs.serial, theirs.digest));
    for topic in Topic::ALL {
        assert_eq!(ours.shelf(topic).entries, theirs.shelf(topic).entries, "{}", topic.as_str());
    }
}

/// Some steps of a small mesh, followed one by one, and some left out.
#[test]
fn a_follower_that_sees_all_or_some_of_the_changes_serves_byte_for_byte_what_the_leader_sends() {
    for seed in 0..100 {
        let mut chance = fastrand::Rng::with_seed(seed);
        let (mut ledger, key) = (Ledger::default(), ViewKey::base());
        let (mut leader, mut follower): (Option<Arc<Edition>>, Option<Edition>) = (None, None);
        let mut missed = LedgerChange::default();
        for serial in 1..=20 {
            let states = [ReplicaState::Healthy, ReplicaState::Unknown, ReplicaState::Draining];
            let all = ["weather-1", "weather-2", "news-1", "clock-1"];
            let here = all.into_iter().filter(|_| chance.bool()).collect::<Vec<_>>();
            let standings = here.into_iter().map(|id| (id, chance.choice(states).unwrap()));
            let mesh = snapshot(&standings.collect::<Vec<_>>());
            let Assembled { edition, change } = assemble(&key, &mesh, leader.as_ref(), &mut ledger, &at(serial));
            missed.changed.extend(change.changed);
            leader = Some(Arc::clone(&edition));
            if chance.u8(..3) == 0 {
                continue;
            }
            let view = ledger.view(&key).unwrap();
            missed.changed.retain(|key, entry| view.entries.get(key) == Some(entry));
            let is_whole = follower.is_none();
            let next = super::edition(follower.as_ref(), stored(&edition, &ledger, &missed, is_whole)).unwrap();
            missed = LedgerChange::default();
            same(&next, &edition);
            follower = Some(next);
        }
    }
}

#[test]
fn what_does_not_add_up_is_not_served() {
    let (mut ledger, key) = (Ledger::default(), ViewKey::base());
    let mesh = snapshot(&[("weather-1", ReplicaState::Healthy)]);
    let Assembled { edition, change } = assemble(&key, &mesh, None, &mut ledger, &at(1));
    let whole = || stored(&edition, &ledger, &change, true);
    let mut lacks = whole();
    lacks.changed.pop_last();
    assert!(matches!(super::edition(None, lacks), Err(Unsound::Sum(_))), "a body is missing");
    let later = Served { serial: Serial(2), ..whole() };
    assert!(matches!(super::edition(None, later), Err(Unsound::Other(..))), "the manifest is of another serial");
    let cut = Served { manifest: vec![1, 2, 3], ..whole() };
    assert!(super::edition(None, cut).is_err());
}
