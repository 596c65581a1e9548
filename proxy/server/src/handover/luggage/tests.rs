use prometheus_client::registry::Registry;

use super::*;
use crate::session::conformance::{binding, key};
use crate::telemetry::{Events, Metrics};

const HOUR: Duration = Duration::from_secs(3_600);

fn luggage() -> Luggage {
    let events = Arc::new(Events::new(Metrics::register(&mut Registry::default())));
    Luggage { sessions: Arc::new(Sessions::new(100, None, events)), owners: Arc::new(Owners::new(100)) }
}

#[test]
fn what_one_process_knows_of_sessions_the_next_one_knows() {
    let (old, new) = (luggage(), luggage());
    let held = old.sessions.remember(key("a"), binding("weather-1"), HOUR);
    let owner = Owner { peer: Caller::new("spiffe://mesh/agent/desk"), began: 7 };
    old.owners.opened(key("b"), owner.clone());
    let lines = old.pack(&mut Packed::default());
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| new.unpack(line)));
    assert_eq!(new.sessions.recall(&key("a")), Some(held));
    assert_eq!(new.owners.of(&key("b")), Some(owner));
}

#[test]
fn what_was_packed_is_packed_again_only_when_it_moved() {
    let old = luggage();
    let mut packed = Packed::default();
    let held = old.sessions.remember(key("a"), binding("weather-1"), HOUR);
    assert_eq!(old.pack(&mut packed).len(), 1);
    assert!(old.pack(&mut packed).is_empty());
    let moved = outrigger_proxy_core::session::bind::Binding { moves: held.moves + 1, ..(*held).clone() };
    old.sessions.remember(key("a"), moved, HOUR);
    assert_eq!(old.pack(&mut packed).len(), 1);
}

#[test]
fn lines_that_say_nothing_are_passed_over() {
    let new = luggage();
    for line in ["", "binding", "binding zz 1 00", "owner 00 1 00", "binding 00 x 00", "other 00 1 00"] {
        assert!(!new.unpack(line), "{line}");
    }
    assert!(new.sessions.held().is_empty());
}
