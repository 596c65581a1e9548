//! The members of one JSON object, each as the bytes it came in.
//!
//! In: the text of an object. Out: its members in order, to be looked at, replaced and written again.
//! Invariant: a member that is not replaced is written byte for byte; a key given twice is refused, since parsers differ in what they take.

use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// A JSON value as it came.
pub type Raw = Box<RawValue>;

/// Most members of one object that are told apart.
const MEMBERS_MAX: usize = 4_096;

/// An object, one level deep.
#[derive(Debug, Clone, Default)]
pub struct Object(Vec<(String, Raw)>);

impl Object {
    pub fn read(raw: &RawValue) -> Option<Self> {
        serde_json::from_str(raw.get()).ok()
    }

    pub fn get(&self, key: &str) -> Option<&RawValue> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_ref())
    }

    pub fn text(&self, key: &str) -> Option<String> {
        as_text(self.get(key)?)
    }

    pub fn object(&self, key: &str) -> Option<Self> {
        Self::read(self.get(key)?)
    }

    pub fn items(&self, key: &str) -> Vec<Raw> {
        self.get(key).and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
    }

    /// Replaces a member where it stands, or adds it at the end.
    pub fn set(&mut self, key: &str, value: Raw) {
        match self.0.iter_mut().find(|(known, _)| known == key) {
            Some((_, held)) => *held = value,
            None => self.0.push((key.to_owned(), value)),
        }
    }

    pub fn with(mut self, key: &str, value: &impl Serialize) -> Self {
        self.set(key, raw(value));
        self
    }

    pub fn remove(&mut self, key: &str) -> Option<Raw> {
        let at = self.0.iter().position(|(known, _)| known == key)?;
        Some(self.0.remove(at).1)
    }

    pub fn members(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_ref()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn raw(&self) -> Raw {
        raw(self)
    }
}

/// Any value as JSON.
pub fn raw(value: &impl Serialize) -> Raw {
    // Our own values have string keys and finite numbers; those do not fail.
    serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

pub fn as_text(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

impl Serialize for Object {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object without repeated keys")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members: Vec<(String, Raw)> = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, Raw>()? {
                    if members.len() >= MEMBERS_MAX || members.iter().any(|(known, _)| *known == key) {
                        return Err(A::Error::custom("repeated key, or too many"));
                    }
                    members.push((key, value));
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests;
