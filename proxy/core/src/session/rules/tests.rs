use std::time::Duration;

use outrigger_model::key::KINDS_OF_PROTOCOL;

use super::{RULES, Rule};
use crate::session::key::KeyKind;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn the_rows_stand_in_the_order_in_which_keys_decide() {
    assert_eq!(RULES.map(|rule| rule.kind), KeyKind::ALL);
    for kind in KeyKind::ALL {
        assert_eq!(Rule::of(kind).kind, kind);
    }
    let [session, task, state, handle] = KeyKind::ALL.map(KeyKind::as_str);
    assert_eq!(([session, task, state], handle), (KINDS_OF_PROTOCOL, "handle"));
}

/// (kind, what the agent said, how long it is kept)
#[test]
fn a_binding_is_kept_for_as_long_as_its_rule_says() {
    let seconds = Duration::from_secs;
    for (kind, told, kept) in [
        (KeyKind::Session, None, HOUR),
        (KeyKind::Handle, None, HOUR),
        (KeyKind::Task, None, HOUR),
        (KeyKind::Task, Some(seconds(7_200)), seconds(7_200)),
        (KeyKind::Task, Some(seconds(60)), seconds(60)),
        (KeyKind::Task, Some(Duration::ZERO), seconds(1)),
        (KeyKind::Task, Some(Duration::MAX), DAY),
        (KeyKind::State, None, seconds(600)),
    ] {
        assert_eq!(Rule::of(kind).kept(told, HOUR, DAY), kept, "{kind:?} {told:?}");
    }
    assert_eq!(Rule::of(KeyKind::State).kept(None, seconds(60), DAY), seconds(60));
}
