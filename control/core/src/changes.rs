//! What differs between two sets of facts, and a part of the facts that is kept up to date by it.
//!
//! In: facts as they were, and as they are. Out: one [`Change`] per replica that differs.
//! Cost: one comparison of pointers per replica that stays as it is.
//! Invariant: a part that followed every change holds exactly what its rule keeps.

use std::sync::Arc;

use outrigger_model::replica::Replica;

use crate::facts::{Facts, Standing};

/// What became of one replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'a> {
    Came(&'a Standing),
    Went(&'a Standing),
    Turned { was: &'a Standing, is: &'a Standing },
}

/// Sorted by replica.
pub fn between<'a>(old: &'a Facts, new: &'a Facts) -> Vec<Change<'a>> {
    let (mut was, mut is) = (old.standings().peekable(), new.standings().peekable());
    let mut changes = Vec::new();
    loop {
        let order = match (was.peek(), is.peek()) {
            (None, None) => return changes,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(was), Some(is)) => was.replica.id.cmp(&is.replica.id),
        };
        match order {
            std::cmp::Ordering::Less => changes.extend(was.next().map(Change::Went)),
            std::cmp::Ordering::Greater => changes.extend(is.next().map(Change::Came)),
            std::cmp::Ordering::Equal => {
                if let (Some(was), Some(is)) = (was.next(), is.next())
                    && !is_same(was, is)
                {
                    changes.push(Change::Turned { was, is });
                }
            }
        }
    }
}

/// Takes changes of the whole into a part of it.
pub fn follow(part: &mut Facts, changes: &[Change<'_>], keeps: fn(&Replica) -> bool) {
    for change in changes {
        match change {
            Change::Came(is) | Change::Turned { is, .. } if keeps(&is.replica) => part.put((*is).clone()),
            Change::Came(gone) | Change::Went(gone) | Change::Turned { is: gone, .. } => {
                part.remove(&gone.replica.id);
            }
        }
    }
}

fn is_same(was: &Standing, is: &Standing) -> bool {
    Arc::ptr_eq(&was.replica, &is.replica) && was.state == is.state && was.trouble == is.trouble
}

#[cfg(test)]
mod tests;
