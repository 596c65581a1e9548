//! A line in which each caller has its own row, and the rows take turns.
//!
//! In: who waits, and for whom. Out: who is next.
//! Invariant: of callers that wait, each is served once before any is served twice, however many calls one of them sends; within a row the
//! first that came is the first to go.

use std::collections::VecDeque;

/// A caller, as far as the line tells them apart.
pub type Who = u64;

/// Who waits.
#[derive(Debug)]
pub struct Line<T> {
    rows: VecDeque<(Who, VecDeque<T>)>,
    count: usize,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self { rows: VecDeque::new(), count: 0 }
    }
}

impl<T> Line<T> {
    pub fn join(&mut self, who: Who, waiting: T) {
        self.count += 1;
        match self.rows.iter_mut().find(|(known, _)| *known == who) {
            Some((_, row)) => row.push_back(waiting),
            None => self.rows.push_back((who, VecDeque::from([waiting]))),
        }
    }

    /// Takes out the first of the row whose turn it is.
    pub fn call_next(&mut self) -> Option<T> {
        let (who, mut row) = self.rows.pop_front()?;
        let next = row.pop_front();
        if !row.is_empty() {
            self.rows.push_back((who, row));
        }
        self.count = self.count.saturating_sub(usize::from(next.is_some()));
        next
    }

    /// Takes out those that wait no longer. Whether there were any.
    pub fn leave(&mut self, who: Who, left: impl Fn(&T) -> bool) -> bool {
        let before = self.count;
        let Some(at) = self.rows.iter().position(|(known, _)| *known == who) else { return false };
        let is_empty = self.rows.get_mut(at).is_some_and(|(_, row)| {
            let length = row.len();
            row.retain(|waiting| !left(waiting));
            self.count = self.count.saturating_sub(length.saturating_sub(row.len()));
            row.is_empty()
        });
        if is_empty {
            self.rows.remove(at);
        }
        self.count != before
    }

    pub const fn count(&self) -> usize {
        self.count
    }
}

#[cfg(test)]
mod tests;
