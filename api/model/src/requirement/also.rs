//! What a requirement may ask beside name, range and tags: the words that start with `@` in its text.
//!
//! In: one word. Out: an [`Also`]; nothing in it is what most requirements ask.
//! Text form: `@range=>=1.0.0,<2.0.0||3.x`, `@namespace=team-a`, `@schema=strict:<hash>:<hex of JSON>`, `@reach=ties`.
//! Never here: what an offer must be to fit; the core of control knows.

use std::fmt;
use std::sync::Arc;

use crate::name::{BadName, Namespace};

/// Longest range, in bytes.
pub const RANGE_BYTES_MAX: usize = 256;
/// Longest canonical schema, in bytes.
pub const SCHEMA_BYTES_MAX: usize = 64 * 1024;

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Also {
    /// In place of the range before the tags.
    pub range: Option<RangeText>,
    pub schema: Option<SchemaNeed>,
    /// Whose offers count; none is `default`.
    pub namespace: Option<Namespace>,
    pub reach: Reach,
}

/// A range in the grammar of Masterminds/semver, which mcp-mesh writes: `>=1.0.0, <2.0.0 || 3.x`. Bare versions are exact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RangeText(Arc<str>);

/// What the output of a provider has to look like.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaNeed {
    pub mode: SchemaMode,
    /// Such as `sha256:…`, as the consumer worked it out.
    pub hash: Arc<str>,
    /// JSON.
    pub canonical: Arc<str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SchemaMode {
    /// At least what the consumer reads.
    Subset,
    /// Exactly that.
    Strict,
}

/// How many of those that fit calls may go to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// One agent, so that a list and a call that follow each other see the same tools.
    #[default]
    One,
    /// Every agent that is as good as the best: calls of one function are spread over them.
    Ties,
    /// Everything that fits, each by itself: tools for a model to choose from.
    All,
    /// The same under whatever name it is offered.
    Every,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWord {
    #[error("`{0}` is none of @range=, @namespace=, @schema= and @reach=")]
    Unknown(String),
    #[error("a version range has 1 to {RANGE_BYTES_MAX} visible ASCII characters")]
    Range,
    #[error("@schema= is subset:HASH:HEX or strict:HASH:HEX with at most {SCHEMA_BYTES_MAX} bytes of JSON")]
    Schema,
    #[error("@reach= is one, ties, all or every, not `{0}`")]
    Reach(String),
    #[error(transparent)]
    Namespace(#[from] BadName),
}

impl Also {
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Takes one word in.
    pub fn take(&mut self, word: &str) -> Result<(), BadWord> {
        let (key, value) = word.split_once('=').ok_or_else(|| BadWord::Unknown(cut(word)))?;
        match key {
            "@range" => self.range = Some(RangeText::new(value)?),
            "@namespace" => self.namespace = Some(Namespace::new(value)?),
            "@schema" => self.schema = Some(schema(value).ok_or(BadWord::Schema)?),
            "@reach" => self.reach = Reach::parse(value).ok_or_else(|| BadWord::Reach(cut(value)))?,
            _ => return Err(BadWord::Unknown(cut(word))),
        }
        Ok(())
    }
}

impl RangeText {
    /// Blanks are taken out: those between two conditions become a comma, and `1.2 - 2` becomes `>=1.2,<=2`, because without blanks
    /// it would be read as a pre-release.
    pub fn new(text: &str) -> Result<Self, BadWord> {
        let words: Vec<&str> = text.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        let is_dash = |at: Option<usize>| at.and_then(|at| words.get(at)) == Some(&"-");
        let mut written = String::with_capacity(text.len());
        for (at, word) in words.iter().enumerate().filter(|(_, word)| **word != "-") {
            let glued = written.ends_with([',', '|', '<', '>', '=', '!', '~', '^']);
            if !written.is_empty() && !glued && !word.starts_with([',', '|']) {
                written.push(',');
            }
            if is_dash(Some(at + 1)) {
                written.push_str(">=");
            } else if is_dash(at.checked_sub(1)) {
                written.push_str("<=");
            }
            written.push_str(word);
        }
        let fits =
            (1..=RANGE_BYTES_MAX).contains(&written.len()) && written.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(written.into())) } else { Err(BadWord::Range) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SchemaNeed {
    /// None if the JSON is too long or the hash no word.
    pub fn new(mode: SchemaMode, hash: &str, canonical: &str) -> Option<Self> {
        let is_word = hash.len() <= 128 && hash.bytes().all(|byte| byte.is_ascii_graphic());
        (is_word && canonical.len() <= SCHEMA_BYTES_MAX).then(|| Self {
            mode,
            hash: hash.into(),
            canonical: canonical.into(),
        })
    }
}

impl SchemaMode {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subset => "subset",
            Self::Strict => "strict",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Subset, Self::Strict].into_iter().find(|mode| mode.as_str() == text)
    }
}

impl Reach {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Ties => "ties",
            Self::All => "all",
            Self::Every => "every",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::One, Self::Ties, Self::All, Self::Every].into_iter().find(|reach| reach.as_str() == text)
    }
}

fn schema(text: &str) -> Option<SchemaNeed> {
    let (mode, rest) = text.split_once(':')?;
    let (hash, canonical) = rest.rsplit_once(':')?;
    let canonical = String::from_utf8(hex::decode(canonical).ok()?).ok()?;
    SchemaNeed::new(SchemaMode::parse(mode)?, hash, &canonical)
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

impl fmt::Display for Also {
    /// Every word with a blank before it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { range, schema, namespace, reach } = self;
        if let Some(range) = range {
            write!(out, " @range={}", range.as_str())?;
        }
        if let Some(namespace) = namespace {
            write!(out, " @namespace={namespace}")?;
        }
        if let Some(SchemaNeed { mode, hash, canonical }) = schema {
            write!(out, " @schema={}:{hash}:{}", mode.as_str(), hex::encode(canonical.as_bytes()))?;
        }
        if *reach != Reach::One {
            write!(out, " @reach={}", reach.as_str())?;
        }
        Ok(())
    }
}
