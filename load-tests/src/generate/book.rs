//! The account that all callers of a run write to; they share one thread, so nobody waits for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::figures::Figures;
use crate::tally::{Executed, Ledger};

#[derive(Debug, Clone)]
pub struct Book(Arc<Mutex<(Ledger, Figures)>>);

impl Book {
    pub fn new(numbers: u64) -> Self {
        Self(Arc::new(Mutex::new((Ledger::new(numbers), Figures::default()))))
    }

    pub fn write<T>(&self, entry: impl FnOnce(&mut Ledger, &mut Figures) -> T) -> T {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (ledger, figures) = &mut *book;
        entry(ledger, figures)
    }

    /// Closes the account with what the agents say.
    pub fn close(self, executed: Executed, elapsed: Duration) -> Figures {
        let (ledger, figures) =
            self.write(|ledger, figures| (std::mem::replace(ledger, Ledger::new(0)), std::mem::take(figures)));
        Figures { tally: ledger.close(executed), elapsed, ..figures }
    }
}
