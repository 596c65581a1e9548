//! A requirement, ready to be put to offers.
//!
//! In: a requirement, read once; an offer. Out: the points of the offer, or what rules it out: namespace, tags, version, schema, in
//! this order.
//! Never here: whether the offer may be called now.

use outrigger_model::requirement::Requirement;
use semver::{Version, VersionReq};

use crate::offer::Offer;

use super::range::Range;
use super::schema::Wanted;
use super::tags::{self, TagLoss};

/// A requirement as it is asked.
#[derive(Debug)]
pub struct Ask<'r> {
    pub requirement: &'r Requirement,
    versions: Versions<'r>,
    schema: Option<Wanted<'r>>,
}

#[derive(Debug)]
enum Versions<'r> {
    Any,
    /// As semver of Rust reads it.
    Plain(&'r VersionReq),
    /// As mcp-mesh reads it.
    Range(Range),
}

/// What keeps an offer from fitting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss<'r> {
    Namespace,
    Tag(TagLoss<'r>),
    Version,
    /// In words.
    Schema(String),
}

impl<'r> Ask<'r> {
    pub fn of(requirement: &'r Requirement) -> Self {
        let versions = match &requirement.also.range {
            Some(text) => Versions::Range(Range::of(text)),
            None if requirement.version == VersionReq::STAR => Versions::Any,
            None => Versions::Plain(&requirement.version),
        };
        Self { requirement, versions, schema: requirement.also.schema.as_ref().map(Wanted::of) }
    }

    /// The range as it was written.
    pub fn range(&self) -> String {
        let range = self.requirement.also.range.as_ref();
        range.map_or_else(|| self.requirement.version.to_string(), |range| range.as_str().to_owned())
    }

    pub fn judge(&self, offer: &Offer<'_>) -> Result<u32, Loss<'r>> {
        if self.requirement.namespace() != offer.standing.replica.namespace.as_str() {
            return Err(Loss::Namespace);
        }
        let score = tags::judge(&self.requirement.tags, offer.tags()).map_err(Loss::Tag)?;
        if !self.takes(offer.version()) {
            return Err(Loss::Version);
        }
        let shape = offer.registered().map(|function| &function.output);
        self.schema.as_ref().map_or(Ok(()), |schema| schema.judge(shape)).map_err(Loss::Schema)?;
        Ok(score)
    }

    /// `*` takes every version; any other range takes a pre-release only if it names one itself.
    fn takes(&self, offered: &Version) -> bool {
        match &self.versions {
            Versions::Any => true,
            Versions::Plain(range) => range.matches(offered),
            Versions::Range(range) => range.takes(offered),
        }
    }
}
