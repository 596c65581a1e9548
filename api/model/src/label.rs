//! Labels of proxies, `track=canary`, and the selector that picks proxies by them.
//!
//! In: texts of names and values. Out: [`Labels`] of one proxy, or a [`Selector`] that says of labels whether they match.
//! Source: labels and selectors of Kubernetes, as far as equality: a name is `[prefix/]name`, the prefix a DNS name.
//! Invariant: at most [`LABELS_MAX`] labels; a name is 1 to 63 bytes, its prefix up to 253, a value up to 63 and may be empty.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Most labels of one proxy, and most that one selector names.
pub const LABELS_MAX: usize = 16;
const NAME_BYTES_MAX: usize = 63;
const PREFIX_BYTES_MAX: usize = 253;
const VALUE_BYTES_MAX: usize = 63;
/// How much of a text an error shows, in characters.
const EXCERPT_CHARS_MAX: usize = 64;

/// The labels of one proxy, sorted by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(BTreeMap<String, String>);

/// Labels that must all be there, with these values; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector(Labels);

/// Why texts are not labels.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLabel {
    #[error(
        "label name `{0}` must be 1 to {NAME_BYTES_MAX} letters, digits, `.`, `_` and `-`, with a letter or digit at both ends, perhaps after a DNS name and `/`"
    )]
    Name(String),
    #[error(
        "value `{0}` of a label must be up to {VALUE_BYTES_MAX} letters, digits, `.`, `_` and `-`, with a letter or digit at both ends"
    )]
    Value(String),
    #[error("more than {LABELS_MAX} labels")]
    Many,
    #[error("label `{0}` is given twice")]
    Twice(String),
    #[error("a selector is `name=value`, several joined by commas, not `{0}`")]
    Selector(String),
}

impl Labels {
    pub fn parse<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> Result<Self, BadLabel> {
        let mut labels = BTreeMap::new();
        for (name, value) in pairs {
            let (name, value) = (name.as_ref(), value.as_ref());
            if !is_label_name(name) {
                return Err(BadLabel::Name(excerpt(name)));
            }
            if !value.is_empty() && !is_word(value, VALUE_BYTES_MAX) {
                return Err(BadLabel::Value(excerpt(value)));
            }
            if labels.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(BadLabel::Twice(excerpt(name)));
            }
            if labels.len() > LABELS_MAX {
                return Err(BadLabel::Many);
            }
        }
        Ok(Self(labels))
    }

    /// Sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Selector {
    /// Whether all of its labels are among these.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|(name, value)| labels.0.get(name).is_some_and(|held| held == value))
    }
}

impl FromStr for Selector {
    type Err = BadLabel;

    fn from_str(text: &str) -> Result<Self, BadLabel> {
        let bad = || BadLabel::Selector(excerpt(text));
        // One more than may be, so that too many are told as such.
        let pairs: Vec<&str> = text.split(',').map(str::trim).take(LABELS_MAX + 1).collect();
        let pairs =
            pairs.into_iter().map(|pair| pair.split_once('=').ok_or_else(bad)).collect::<Result<Vec<_>, _>>()?;
        Labels::parse(pairs).map(Self)
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, value)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(out, "{comma}{name}={value}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

fn is_label_name(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_dns_name(prefix) && is_word(name, NAME_BYTES_MAX),
        None => is_word(text, NAME_BYTES_MAX),
    }
}

fn is_dns_name(text: &str) -> bool {
    let is_part = |part: &str| {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !part.is_empty() && part.bytes().all(fits) && !part.starts_with('-') && !part.ends_with('-')
    };
    text.len() <= PREFIX_BYTES_MAX && text.split('.').all(is_part)
}

fn is_word(text: &str, bytes_max: usize) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let is_end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    text.len() <= bytes_max && text.bytes().all(fits) && is_end(text.bytes().next()) && is_end(text.bytes().last())
}

fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests;
