use outrigger_control_core::snapshot::ledger::Ledger;
use outrigger_control_core::snapshot::scope::ViewKey;
use outrigger_model::replica::ReplicaState;
use outrigger_model::resource::Epoch;

use super::*;
use crate::publish::assemble::assemble;
use crate::publish::assemble::tests::{at, snapshot};

#[test]
fn behind_is_an_older_serial_or_the_same_with_other_content_and_nothing_of_another_epoch() {
    let mesh = snapshot(&[("weather-1", ReplicaState::Healthy)]);
    let edition = assemble(&ViewKey::base(), &mesh, None, &mut Ledger::default(), &at(5)).edition;
    let same = edition.manifest.token(SELF).unwrap();
    for (runs, behind) in [
        (same, false),
        (Token { serial: Serial(4), ..same }, false),
        (Token { serial: Serial(6), ..same }, true),
        (Token { hash: [0; 6], ..same }, true),
        (Token { hash: [0; 6], serial: Serial(4), ..same }, false),
        (Token { epoch: Epoch(1), serial: Serial(6), ..same }, false),
    ] {
        assert_eq!(is_behind(&edition, runs), behind, "{runs}");
    }
}
