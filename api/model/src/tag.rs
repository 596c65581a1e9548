//! Tags on what is offered, and the filter that a consumer writes: `required`, `+preferred`, `-excluded`, `(any|of|these)`.
//!
//! In: tag texts. Out: a [`TagSet`], or a [`TagFilter`] that says of a set whether it fits and how well.
//! Invariant: a tag is 1 to 63 bytes of `[A-Za-z0-9._:/=-]` and does not start with `+` or `-`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// Longest tag, in bytes.
pub const TAG_BYTES_MAX: usize = 63;
/// Most tags in one set or one filter.
pub const TAGS_MAX: usize = 64;

/// A label such as `eu`, `gpu=a100` or `gpu`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(String);

/// The tags of one offer, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagSet(BTreeSet<Tag>);

/// What a consumer asks of the tags of an offer.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagFilter {
    pub required: BTreeSet<Tag>,
    pub preferred: BTreeSet<Tag>,
    pub excluded: BTreeSet<Tag>,
    /// Of each group at least one choice has to hold.
    pub groups: BTreeSet<TagGroup>,
}

/// Choices of which one is enough, sorted; at least one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagGroup(BTreeSet<TagChoice>);

/// One choice of a group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TagChoice {
    Required(Tag),
    Preferred(Tag),
    Excluded(Tag),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTag {
    #[error("tag `{0}` must be 1 to {TAG_BYTES_MAX} characters of letters, digits, `.`, `_`, `:`, `/`, `=` and `-`")]
    Text(String),
    #[error("more than {TAGS_MAX} tags")]
    Many,
    #[error("`{0}` is not a group such as (us|uk)")]
    Group(String),
    #[error("tag `{0}` is both asked for and excluded")]
    Contradiction(String),
}

impl Tag {
    pub fn new(text: &str) -> Result<Self, BadTag> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'/' | b'=' | b'-');
        let starts_well = text.bytes().next().is_some_and(|byte| byte != b'-');
        if !starts_well || text.len() > TAG_BYTES_MAX || !text.bytes().all(fits) {
            return Err(BadTag::Text(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TagSet {
    pub fn parse<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Result<Self, BadTag> {
        let tags = texts.into_iter().map(|text| Tag::new(text.as_ref())).collect::<Result<BTreeSet<_>, _>>()?;
        if tags.len() > TAGS_MAX {
            return Err(BadTag::Many);
        }
        Ok(Self(tags))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Tag> {
        self.0.iter()
    }

    pub fn contains(&self, tag: &Tag) -> bool {
        self.0.contains(tag)
    }
}

impl TagFilter {
    /// Parses texts of the forms `tag`, `+tag`, `-tag` and `(tag|+tag|-tag)`.
    pub fn parse<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Result<Self, BadTag> {
        let mut filter = Self::default();
        for text in texts {
            let text = text.as_ref();
            if text.starts_with('(') {
                filter.groups.insert(text.parse()?);
                continue;
            }
            let (set, tag) = match text.split_at_checked(1) {
                Some(("+", tag)) => (&mut filter.preferred, tag),
                Some(("-", tag)) => (&mut filter.excluded, tag),
                _ => (&mut filter.required, text),
            };
            set.insert(Tag::new(tag)?);
        }
        let choices: usize = filter.groups.iter().map(|group| group.0.len()).sum();
        if filter.required.len() + filter.preferred.len() + filter.excluded.len() + choices > TAGS_MAX {
            return Err(BadTag::Many);
        }
        let asked = filter.required.union(&filter.preferred);
        if let Some(tag) = asked.into_iter().find(|tag| filter.excluded.contains(*tag)) {
            return Err(BadTag::Contradiction(tag.as_str().to_owned()));
        }
        Ok(filter)
    }

    /// The tags that must be there, sorted.
    pub fn required(&self) -> impl Iterator<Item = &Tag> {
        self.required.iter()
    }

    /// How many of the preferred tags the offer has. Only meaningful if nothing is missing or excluded.
    pub fn score(&self, offer: &TagSet) -> usize {
        self.preferred.iter().filter(|tag| offer.contains(tag)).count()
    }

    /// The first required tag that the offer lacks.
    pub fn missing<'a>(&'a self, offer: &TagSet) -> Option<&'a Tag> {
        self.required.iter().find(|tag| !offer.contains(tag))
    }

    /// The first excluded tag that the offer has.
    pub fn clash<'a>(&'a self, offer: &TagSet) -> Option<&'a Tag> {
        self.excluded.iter().find(|tag| offer.contains(tag))
    }

    /// The texts that parse to this filter, in a stable order.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        let required = self.required.iter().map(|tag| tag.as_str().to_owned());
        let preferred = self.preferred.iter().map(|tag| format!("+{tag}"));
        let excluded = self.excluded.iter().map(|tag| format!("-{tag}"));
        let groups = self.groups.iter().map(ToString::to_string);
        required.chain(preferred).chain(excluded).chain(groups)
    }
}

impl TagGroup {
    pub fn new(choices: impl IntoIterator<Item = TagChoice>) -> Option<Self> {
        let choices: BTreeSet<TagChoice> = choices.into_iter().collect();
        (!choices.is_empty()).then_some(Self(choices))
    }

    pub fn choices(&self) -> impl Iterator<Item = &TagChoice> {
        self.0.iter()
    }
}

impl FromStr for TagGroup {
    type Err = BadTag;
    fn from_str(text: &str) -> Result<Self, BadTag> {
        let inside = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
        let inside = inside.ok_or_else(|| BadTag::Group(text.chars().take(TAG_BYTES_MAX).collect()))?;
        let choices = inside.split('|').map(str::parse).collect::<Result<Vec<_>, _>>()?;
        Self::new(choices).ok_or_else(|| BadTag::Group(text.to_owned()))
    }
}

impl fmt::Display for TagGroup {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, choice) in self.0.iter().enumerate() {
            let before = if at == 0 { '(' } else { '|' };
            write!(out, "{before}{choice}")?;
        }
        out.write_str(")")
    }
}

impl FromStr for TagChoice {
    type Err = BadTag;
    fn from_str(text: &str) -> Result<Self, BadTag> {
        match text.split_at_checked(1) {
            Some(("+", tag)) => Tag::new(tag).map(Self::Preferred),
            Some(("-", tag)) => Tag::new(tag).map(Self::Excluded),
            _ => Tag::new(text).map(Self::Required),
        }
    }
}

impl fmt::Display for TagChoice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Required(tag) => write!(out, "{tag}"),
            Self::Preferred(tag) => write!(out, "+{tag}"),
            Self::Excluded(tag) => write!(out, "-{tag}"),
        }
    }
}

impl FromStr for Tag {
    type Err = BadTag;
    fn from_str(text: &str) -> Result<Self, BadTag> {
        Self::new(text)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
