//! Version ranges as agents of mcp-mesh write them: the grammar of Masterminds/semver 3.4.
//!
//! In: a [`RangeText`]. Out: whether a version lies in it.
//! Grammar: conditions joined by `,` must all hold, alternatives stand between `||`. A bare version is exact, and one with parts left
//! out or written `x` stands for all of them. A pre-release counts only beside a condition that names one.
//! Invariant: what cannot be read is compared as text, as mcp-mesh does.

use std::cmp::Ordering;

use outrigger_model::requirement::also::RangeText;
use semver::{BuildMetadata, Prerelease, Version};

/// A range, ready to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range(Result<Vec<Alternative>, RangeText>);

/// Conditions that must all hold.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Alternative {
    conditions: Vec<Condition>,
    takes_pre_releases: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Condition {
    operator: Operator,
    /// Parts that are not written are zero.
    version: Version,
    written: Written,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Tilde,
    Caret,
}

/// How much of a version is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Nothing,
    Major,
    Minor,
    Patch,
}

/// Longer ones first.
const OPERATORS: [(&str, Operator); 11] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterOrEqual),
    ("=>", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("=<", Operator::LessOrEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

impl Range {
    pub fn of(text: &RangeText) -> Self {
        let alternatives: Option<Vec<_>> = text.as_str().split("||").map(Alternative::parse).collect();
        Self(alternatives.ok_or_else(|| text.clone()))
    }

    pub fn takes(&self, version: &Version) -> bool {
        match &self.0 {
            Ok(alternatives) => alternatives.iter().any(|alternative| alternative.takes(version)),
            Err(text) => text.as_str() == version.to_string(),
        }
    }
}

impl Alternative {
    fn parse(text: &str) -> Option<Self> {
        let conditions = text.split(',').map(Condition::parse).collect::<Option<Vec<_>>>()?;
        let takes_pre_releases = conditions.iter().any(|condition| !condition.version.pre.is_empty());
        Some(Self { conditions, takes_pre_releases })
    }

    fn takes(&self, version: &Version) -> bool {
        (version.pre.is_empty() || self.takes_pre_releases)
            && self.conditions.iter().all(|condition| condition.holds(version))
    }
}

impl Condition {
    fn parse(text: &str) -> Option<Self> {
        let found = OPERATORS.iter().find_map(|(sign, operator)| Some((*operator, text.strip_prefix(sign)?)));
        let (operator, rest) = found.unwrap_or((Operator::Equal, text));
        let (version, written) = version(rest)?;
        Some(Self { operator, version, written })
    }

    fn holds(&self, offered: &Version) -> bool {
        let (asked, written) = (&self.version, self.written);
        let order = offered.cmp_precedence(asked);
        let minor = |version: &Version| (version.major, version.minor);
        match self.operator {
            Operator::Equal if written == Written::Patch => order == Ordering::Equal,
            Operator::Equal | Operator::Tilde => self.is_within_tilde(offered),
            Operator::NotEqual => match written {
                Written::Major => offered.major != asked.major,
                // Of the patches of a minor only the pre-release can tell, where one is named.
                Written::Minor => minor(offered) != minor(asked) || offered.pre != asked.pre,
                Written::Nothing | Written::Patch => order != Ordering::Equal,
            },
            Operator::Greater => match written {
                Written::Major => offered.major > asked.major,
                Written::Minor => minor(offered) > minor(asked),
                Written::Nothing | Written::Patch => order == Ordering::Greater,
            },
            Operator::Less => order == Ordering::Less,
            Operator::GreaterOrEqual => order != Ordering::Less,
            Operator::LessOrEqual => match written {
                Written::Major => offered.major <= asked.major,
                Written::Nothing | Written::Minor => minor(offered) <= minor(asked),
                Written::Patch => order != Ordering::Greater,
            },
            Operator::Caret => self.is_within_caret(offered),
        }
    }

    /// The same minor, or the same major where no minor is written. `~0.0.0` and `*` take everything.
    fn is_within_tilde(&self, offered: &Version) -> bool {
        let (asked, written) = (&self.version, self.written);
        let is_zero = (asked.major, asked.minor, asked.patch) == (0, 0, 0);
        if offered.cmp_precedence(asked) == Ordering::Less {
            return false;
        }
        match written {
            Written::Nothing => true,
            Written::Patch if is_zero => true,
            Written::Major => offered.major == asked.major,
            Written::Minor | Written::Patch => (offered.major, offered.minor) == (asked.major, asked.minor),
        }
    }

    /// The first written part that is not zero stays.
    fn is_within_caret(&self, offered: &Version) -> bool {
        let (asked, written) = (&self.version, self.written);
        if offered.cmp_precedence(asked) == Ordering::Less || offered.major != asked.major {
            return false;
        }
        asked.major > 0
            || written == Written::Major
            || offered.minor == asked.minor
                && (asked.minor > 0 || written == Written::Minor || offered.patch == asked.patch)
    }
}

/// `v1.x`, `1.2.3-beta.1+build`, `*`.
fn version(text: &str) -> Option<(Version, Written)> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let (text, build) = text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
    let (numbers, pre) = text.split_once('-').map_or((text, None), |(numbers, pre)| (numbers, Some(pre)));
    let is_good = |word: Option<&str>| word.is_none_or(|word| !word.is_empty());
    if !is_good(build) || !is_good(pre) || build.is_some_and(|build| BuildMetadata::new(build).is_err()) {
        return None;
    }
    let mut parts = Vec::with_capacity(3);
    for part in numbers.split('.') {
        let is_any = matches!(part, "x" | "X" | "*");
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        match (is_any, is_number) {
            (true, _) => parts.push(None),
            (_, true) => parts.push(Some(part.parse::<u64>().ok()?)),
            _ => return None,
        }
    }
    if parts.len() > 3 {
        return None;
    }
    let (numbers, written) = match parts.as_slice() {
        [Some(major), Some(minor), Some(patch)] => ((*major, *minor, *patch), Written::Patch),
        [Some(major), Some(minor), ..] => ((*major, *minor, 0), Written::Minor),
        [Some(major), ..] => ((*major, 0, 0), Written::Major),
        _ => ((0, 0, 0), Written::Nothing),
    };
    let (major, minor, patch) = numbers;
    let pre = Prerelease::new(pre.unwrap_or_default()).ok()?;
    Some((Version { major, minor, patch, pre, build: BuildMetadata::EMPTY }, written))
}

#[cfg(test)]
mod tests;
