//! Follows the facts: with each picture it says of every agent whether what it was told still holds.
//!
//! In: pictures of the writer. Out: sheets, signals in the directory, lines of the trail.
//! Invariant: a sheet is shown before anything is judged by it, and one task shows them all.

use std::sync::Arc;

use outrigger_control_core::changes;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::upstream::audit;
use crate::upstream::desk::Desk;
use crate::upstream::directory::{Entry, Signal};
use crate::upstream::resolved::Resolved;
use crate::upstream::sheet::Sheet;

/// Agents that are judged before others get their turn on the thread.
const AT_ONCE: usize = 64;

pub async fn run(desk: Desk, show: watch::Sender<Arc<Sheet>>, stop: CancellationToken) {
    let mut pictures = desk.writer.pictures();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = pictures.changed() => if changed.is_err() { return },
        }
        let picture = pictures.borrow_and_update().clone();
        let last = desk.sheet();
        let changes = changes::between(&last.picture.facts, &picture.facts);
        desk.memory.change(&changes, picture.made_at);
        let sheet = Arc::new(last.next(Arc::clone(&picture), &changes));
        show.send_replace(Arc::clone(&sheet));
        for (at, entry) in desk.directory.all().into_iter().enumerate() {
            let signal = judge(&entry, &sheet);
            entry.set(signal);
            if signal == Signal::Gone && sheet.picture.facts.get(&entry.id).is_none() {
                desk.directory.remove(&entry);
            }
            if at % AT_ONCE == AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
        }
        audit::look(&desk.memory, &sheet, &changes, picture.made_at);
    }
}

/// What an agent is to be signalled, as things are in a sheet.
pub fn judge(entry: &Entry, sheet: &Sheet) -> Signal {
    let Some(standing) = sheet.picture.facts.get(&entry.id) else { return Signal::Gone };
    let is_registered = standing
        .replica
        .registration
        .as_ref()
        .is_some_and(|held| Arc::ptr_eq(held, &entry.registration) || held.raw == entry.registration.raw);
    if standing.replica.node != entry.node || !standing.is_callable() || !is_registered {
        return Signal::Gone;
    }
    let mut all = entry.needs.iter().zip(&entry.told);
    let is_same = |now: &Arc<Resolved>, told: &Arc<Resolved>| Arc::ptr_eq(now, told) || now == told;
    if all.all(|(need, told)| is_same(&sheet.plain(need), told)) { Signal::Same } else { Signal::Changed }
}
