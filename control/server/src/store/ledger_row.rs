//! A ledger as rows.
//!
//! In: rows of views and of their entries. Out: the [`Ledger`], without what makes no sense.
//! A ledger needs no hashes: an entry that is wrong makes a token that matches nothing, and the resource is sent again.

use std::collections::BTreeMap;

use outrigger_control_core::port::DamagedRow;
use outrigger_control_core::snapshot::ledger::{Entry, Ledger, View};
use outrigger_control_core::snapshot::scope::ViewKey;
use outrigger_model::digest::Digest;
use outrigger_model::resource::{ResourceKind, Serial};

/// View and serial.
pub type ViewRow = (String, i64);
/// View, kind, name, digest, serial.
pub type LedgerRow = (String, String, String, Vec<u8>, i64);

/// Nothing in it is newer than `newest`.
pub fn ledger(views: Vec<ViewRow>, entries: Vec<LedgerRow>, newest: Serial, damaged: &mut Vec<DamagedRow>) -> Ledger {
    let mut read = BTreeMap::new();
    for (view, serial) in views {
        match u64::try_from(serial).map(Serial) {
            Ok(serial) if serial <= newest => {
                read.insert(view, View { serial, ..View::default() });
            }
            _ => damaged.push(DamagedRow { table: "view", key: view, why: "its serial is from the future".to_owned() }),
        }
    }
    for (view, kind, name, digest, serial) in entries {
        let serial = u64::try_from(serial).map(Serial).ok().filter(|serial| *serial <= newest);
        let parsed = (ResourceKind::parse(&kind), Digest::from_bytes(&digest), serial, read.get_mut(&view));
        match parsed {
            (Some(kind), Some(digest), Some(serial), Some(view)) => {
                view.entries.insert((kind, name), Entry { digest, serial });
            }
            _ => {
                let key = format!("{view} {kind} {name}");
                damaged.push(DamagedRow { table: "ledger", key, why: "a field of it is unreadable".to_owned() });
            }
        }
    }
    let mut ledger = Ledger::default();
    for (key, view) in read {
        ledger.restore(ViewKey::stored(&key), view);
    }
    ledger
}
