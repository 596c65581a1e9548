//! What a consumer asks for: a capability, a version range, tags.
//!
//! In: configuration, or the text form `name [range] [tag …]`. Out: a [`Requirement`].
//! Text form: `weather ^1.2 eu +fast -beta (us|uk)`; with an alias in front, `forecast=weather ^1.2`, see [`Dependency`].
//! Words that start with `@` ask for more, see [`also`].

pub mod also;

use std::fmt;
use std::str::FromStr;

use semver::VersionReq;

use crate::name::{BadName, CapabilityName, Namespace, RouteName};
use crate::tag::{BadTag, TagFilter};

use self::also::{Also, BadWord};

/// A capability by name, with what its provider must be like.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Requirement {
    pub capability: CapabilityName,
    /// Semver range; `*` takes every version.
    pub version: VersionReq,
    pub tags: TagFilter,
    pub also: Also,
}

/// A requirement under the local name by which the agent calls it: `/{alias}/mcp`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Dependency {
    pub alias: RouteName,
    pub requirement: Requirement,
}

#[derive(Debug, thiserror::Error)]
pub enum BadRequirement {
    #[error("requirement is empty; write `name [range] [tag …]`")]
    Empty,
    #[error("requirement names its capability badly")]
    Name(#[from] BadName),
    #[error("requirement has a bad tag")]
    Tag(#[from] BadTag),
    #[error("requirement asks for more badly")]
    Also(#[from] BadWord),
    #[error("`{text}` is not a version range such as ^1.2 or >=2.0.0")]
    Version {
        text: String,
        #[source]
        cause: semver::Error,
    },
}

impl Requirement {
    /// Any provider of `capability`.
    pub fn any(capability: CapabilityName) -> Self {
        Self { capability, version: VersionReq::STAR, tags: TagFilter::default(), also: Also::default() }
    }

    /// Whose offers count.
    pub fn namespace(&self) -> &str {
        self.also.namespace.as_ref().map_or(Namespace::DEFAULT, Namespace::as_str)
    }

    /// Builds a requirement from its written parts; an absent range takes every version.
    pub fn parse<T: AsRef<str>>(
        capability: &str,
        range: Option<&str>,
        tags: impl IntoIterator<Item = T>,
    ) -> Result<Self, BadRequirement> {
        let version = match range {
            None => VersionReq::STAR,
            Some(text) => {
                VersionReq::parse(text).map_err(|cause| BadRequirement::Version { text: text.to_owned(), cause })?
            }
        };
        let (capability, tags) = (CapabilityName::new(capability)?, TagFilter::parse(tags)?);
        Ok(Self { capability, version, tags, also: Also::default() })
    }
}

/// A word that starts like a range: a comparison, a wildcard, or a digit.
fn looks_like_range(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '^' | '~' | '>' | '<' | '=' | '*'))
}

impl FromStr for Requirement {
    type Err = BadRequirement;

    fn from_str(text: &str) -> Result<Self, BadRequirement> {
        let mut words = text.split_whitespace().peekable();
        let name = words.next().ok_or(BadRequirement::Empty)?;
        let range = words.next_if(|word| looks_like_range(word));
        let (mut tags, mut also) = (Vec::new(), Also::default());
        for word in words {
            match word.starts_with('@') {
                true => also.take(word)?,
                false => tags.push(word),
            }
        }
        Ok(Self { also, ..Self::parse(name, range, tags)? })
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.capability)?;
        if self.version != VersionReq::STAR {
            write!(out, " {}", self.version.to_string().replace(' ', ""))?;
        }
        for tag in self.tags.texts() {
            write!(out, " {tag}")?;
        }
        write!(out, "{}", self.also)
    }
}

impl FromStr for Dependency {
    type Err = BadRequirement;

    fn from_str(text: &str) -> Result<Self, BadRequirement> {
        let text = text.trim();
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        match text.find('=') {
            Some(at) if at < end => {
                let (alias, requirement) = text.split_at(at);
                let requirement = requirement.strip_prefix('=').unwrap_or(requirement).parse()?;
                Ok(Self { alias: RouteName::new(alias)?, requirement })
            }
            _ => {
                let requirement: Requirement = text.parse()?;
                Ok(Self { alias: RouteName::new(requirement.capability.as_str())?, requirement })
            }
        }
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}={}", self.alias, self.requirement)
    }
}

#[cfg(test)]
mod tests;
