//! One view as its readers see it: the newest edition, those before it, and what led from one to another.
//!
//! In: a view that remembers. Out: editions and steps.

use std::sync::Arc;

use outrigger_model::resource::Serial;
use tokio::sync::watch;

use crate::publish::edition::Edition;
use crate::publish::step::Touch;
use crate::publish::view::{Published, View};

/// Holding it keeps the view published.
#[derive(Debug)]
pub struct Feed(Arc<View>);

impl Feed {
    pub fn of(view: Arc<View>) -> Self {
        Self(view)
    }

    pub fn view(&self) -> &Arc<View> {
        &self.0
    }

    pub fn newest(&self) -> Arc<Edition> {
        self.0.newest().edition
    }

    /// Wakes whenever there is a newer edition, and tells when there will be none.
    pub fn follow(&self) -> watch::Receiver<Published> {
        self.0.follow()
    }

    /// What leads from one snapshot to a later one; none where it is not known.
    pub fn steps(&self, from: Serial, to: Serial) -> Option<Vec<Touch>> {
        self.0.past()?.steps(from, to)
    }

    /// An edition that is kept, or the serials of those that are.
    pub fn at(&self, serial: Serial) -> Result<Arc<Edition>, Vec<Serial>> {
        let past = self.0.past().ok_or_else(Vec::new)?;
        past.at(serial).cloned().ok_or_else(|| past.kept().collect())
    }
}
