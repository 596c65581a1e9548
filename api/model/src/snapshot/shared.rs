//! A sorted map whose copies share everything until one of them is changed, and then all but what changed.
//!
//! In: entries by key. Out: entries, and what differs between two copies, found without looking into what they share.
//! Invariant: an entry is shared only under the key under which it was put, so whoever shares it agrees on both.

use std::borrow::Borrow;
use std::collections::{BTreeMap, btree_map};
use std::iter;
use std::ops::Index;
use std::sync::Arc;

/// A map from which copies are cheap: to make one is to count one more owner, to change one copies only pointers.
#[derive(Debug, PartialEq, Eq)]
pub struct Shared<K, V>(Arc<BTreeMap<K, Arc<V>>>);

/// Entries in the order of their keys.
pub type Iter<'a, K, V> = iter::Map<btree_map::Iter<'a, K, Arc<V>>, fn((&'a K, &'a Arc<V>)) -> (&'a K, &'a V)>;

impl<K: Ord, V> Shared<K, V> {
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(key).map(|value| &**value)
    }

    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.contains_key(key)
    }

    pub fn iter(&self) -> Iter<'_, K, V> {
        self.into_iter()
    }

    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.keys()
    }

    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.values().map(|value| &**value)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both are one allocation; maps that are not may still be equal.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// What was put into this map since it was a copy of `before`, and, with `None`, the keys that went.
    ///
    /// An entry that was put again counts, even if it is equal. What both share is passed over by its address.
    pub fn changed_since<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = (&'a K, Option<&'a V>)> {
        let walk = !self.is_same(before);
        let mut old = before.0.iter().filter(move |_| walk).peekable();
        let mut new = self.0.iter().filter(move |_| walk).peekable();
        iter::from_fn(move || {
            loop {
                let gone = match (old.peek(), new.peek()) {
                    (Some((_, was)), Some((_, is))) if Arc::ptr_eq(was, is) => {
                        old.next();
                        new.next();
                        continue;
                    }
                    (Some((was, _)), Some((is, _))) if was == is => {
                        old.next();
                        false
                    }
                    (Some((was, _)), Some((is, _))) => was < is,
                    (was, _) => was.is_some(),
                };
                return if gone {
                    old.next().map(|(key, _)| (key, None))
                } else {
                    new.next().map(|(key, value)| (key, Some(&**value)))
                };
            }
        })
    }
}

impl<K: Ord + Clone, V> Shared<K, V> {
    /// Puts an entry in place of the one of the same key.
    pub fn insert(&mut self, key: K, value: V) -> Option<Arc<V>> {
        Arc::make_mut(&mut self.0).insert(key, Arc::new(value))
    }

    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<Arc<V>>
    where
        K: Borrow<Q>,
    {
        // What is not there is no reason for a copy.
        if self.0.contains_key(key) { Arc::make_mut(&mut self.0).remove(key) } else { None }
    }
}

impl<K, V> Clone for Shared<K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, V> Default for Shared<K, V> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Shared<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(Arc::new(entries.into_iter().map(|(key, value)| (key, Arc::new(value))).collect()))
    }
}

impl<'a, K, V> IntoIterator for &'a Shared<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(key, value)| (key, &**value))
    }
}

impl<K: Ord + Borrow<Q>, V, Q: Ord + ?Sized> Index<&Q> for Shared<K, V> {
    type Output = V;

    #[expect(clippy::indexing_slicing, reason = "as that of any map; the lint keeps its use inside tests")]
    fn index(&self, key: &Q) -> &V {
        &self.0[key]
    }
}

#[cfg(test)]
mod tests;
