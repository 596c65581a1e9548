//! What becomes of the calls of a route beside being sent to its provider: from a file to checked values.
//!
//! In: the parts of a route as people write them. Out: an [`OperatorTraffic`], or the key that is wrong.
//! Invariant: a value of a header field may be a secret; no message and no debug output repeats it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use outrigger_control_core::intent::traffic::{OperatorBranch, OperatorMirror, OperatorShare, OperatorTraffic};
use outrigger_model::field::{is_token, is_value};
use outrigger_model::requirement::{BadRequirement, Requirement};
use outrigger_model::traffic::{
    BRANCHES_MAX, Faults, HEADER_EDITS_MAX, HEADER_VALUE_BYTES_MAX, HeaderEdits, SHARES_MAX, When, is_protected,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A longer one is no test of patience any more.
const DELAY_MS_MAX: u64 = 300_000;
const NAME_BYTES_MAX: usize = 128;
const WEIGHT_MAX: u16 = 1_000;

/// A provider and its part of the calls.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShareFile {
    /// 0 to 1000; its part of the calls is this of the sum of all weights.
    pub weight: u16,
    /// Default: the capability of the route
    #[serde(default)]
    pub capability: Option<String>,
    /// A semver range. Default: every version; that of the route does not count here
    #[serde(default)]
    pub version: Option<String>,
    /// Tags as those of the route, which do not count here.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// Where calls go that match; all that is said has to hold. Write one of `to` and `split`.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MatchFile {
    /// Header fields and the value that each must have, exactly.
    pub headers: BTreeMap<String, String>,
    /// Names of calling agents, or whole identities such as spiffe://mesh.local/agent/desk.
    pub callers: Vec<String>,
    /// The provider that gets all of them.
    pub to: Option<TargetFile>,
    /// The providers that share them.
    pub split: Vec<ShareFile>,
}

/// A provider.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TargetFile {
    /// Default: the capability of the route
    pub capability: Option<String>,
    /// A semver range. Default: every version
    pub version: Option<String>,
    /// Tags as those of the route.
    pub tags: Vec<String>,
}

/// Who gets copies of calls. Only calls that are part of no session, and whose body is at most 64 KiB, are copied.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MirrorFile {
    /// Default: the capability of the route
    pub capability: Option<String>,
    /// A semver range. Default: every version
    pub version: Option<String>,
    /// Tags as those of the route.
    pub tags: Vec<String>,
    /// Of the calls, 1 to 100. Default: 100
    pub percent: Option<u8>,
}

/// Calls that are made to wait or to fail. With both, they wait and then fail.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultsFile {
    /// Of the calls, 1 to 100.
    pub percent: u8,
    /// How long they wait before anything of them is sent, 1 to 300000.
    #[serde(default)]
    pub delay_ms: Option<u64>,
    /// The status that they are refused with, 400 to 599.
    #[serde(default)]
    pub status: Option<u16>,
}

/// Changes to the head of requests. Fields of the connection, of the framing and of the protocol cannot be changed.
#[derive(Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HeadersFile {
    /// Fields with the value that they get in place of what the caller wrote.
    pub set: BTreeMap<String, String>,
    /// Fields with a value that they get beside what the caller wrote.
    pub add: BTreeMap<String, String>,
    /// Fields that are taken away.
    pub remove: Vec<String>,
}

impl fmt::Debug for HeadersFile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { set, add, remove } = self;
        let mut told = out.debug_struct("HeadersFile");
        told.field("set", &set.keys()).field("add", &add.keys()).field("remove", remove).finish()
    }
}

/// The parts of a route that are about its calls.
pub(super) struct Written<'a> {
    pub capability: &'a str,
    pub split: &'a [ShareFile],
    pub matches: &'a [MatchFile],
    pub mirror: Option<&'a MirrorFile>,
    pub faults: Option<&'a FaultsFile>,
    pub headers: Option<&'a HeadersFile>,
}

/// What is wrong, and the key of the route under which it stands.
#[derive(Debug)]
pub(super) struct Misplaced {
    pub place: String,
    pub cause: TrafficError,
}

#[derive(Debug, thiserror::Error)]
pub enum TrafficError {
    #[error("{count} are more than {max}")]
    Many { count: usize, max: usize },
    #[error("a weight of {0} is not within 0 to {WEIGHT_MAX}")]
    Weight(u16),
    #[error("no weight is above 0, so nobody would get a call")]
    Weightless,
    #[error("name `headers` or `callers` that it is about; what is about all calls stands in `split` of the route")]
    Unconditional,
    #[error("write exactly one of `to` and `split`")]
    Targets,
    #[error("it asks for what cannot be")]
    Requirement(#[source] BadRequirement),
    #[error("percent: {0} is not within 1 to 100")]
    Percent(u8),
    #[error("delay_ms: {0} is not within 1 to {DELAY_MS_MAX}")]
    Delay(u64),
    #[error("status: {0} is not within 400 to 599")]
    Status(u16),
    #[error("write `delay_ms`, `status` or both")]
    Harmless,
    #[error("a caller is an agent or an identity, and not empty")]
    Caller,
    #[error("`{0}` is no name of a header field")]
    Name(String),
    #[error("`{0}` is of the connection, the framing or the protocol; it cannot be changed")]
    Protected(String),
    #[error("`{0}` stands there twice")]
    Twice(String),
    #[error("the value of `{0}` holds bytes that no field may hold, or is longer than {HEADER_VALUE_BYTES_MAX} bytes")]
    Value(String),
}

pub(super) fn traffic(written: &Written<'_>) -> Result<OperatorTraffic, Misplaced> {
    let at = |place: &str| {
        let place = place.to_owned();
        move |cause| Misplaced { place, cause }
    };
    let mut branches = Vec::new();
    if written.matches.len() >= BRANCHES_MAX {
        let cause = TrafficError::Many { count: written.matches.len(), max: BRANCHES_MAX - 1 };
        return Err(at("match")(cause));
    }
    for (number, file) in written.matches.iter().enumerate() {
        branches.push(branch(written.capability, file).map_err(at(&format!("match[{number}]")))?);
    }
    if !written.split.is_empty() {
        let shares = shares(written.capability, written.split).map_err(at("split"))?;
        branches.push(OperatorBranch { when: When::default(), shares });
    }
    let mirror = written.mirror.map(|file| mirror(written.capability, file)).transpose().map_err(at("mirror"))?;
    let faults = written.faults.map(faults).transpose().map_err(at("faults"))?;
    let headers = written.headers.map(edits).transpose().map_err(at("headers"))?.unwrap_or_default();
    Ok(OperatorTraffic { branches, mirror, faults, headers })
}

fn branch(capability: &str, file: &MatchFile) -> Result<OperatorBranch, TrafficError> {
    let MatchFile { headers: fields, callers, to, split } = file;
    if fields.is_empty() && callers.is_empty() {
        return Err(TrafficError::Unconditional);
    }
    within(callers.len(), HEADER_EDITS_MAX)?;
    if callers.iter().any(|caller| caller.trim().is_empty()) {
        return Err(TrafficError::Caller);
    }
    let shares = match (to, split.as_slice()) {
        (Some(TargetFile { capability: other, version, tags }), []) => {
            let requirement = requirement(capability, other.as_deref(), version.as_deref(), tags)?;
            vec![OperatorShare { requirement, weight: 1 }]
        }
        (None, [_, ..]) => shares(capability, split)?,
        _ => return Err(TrafficError::Targets),
    };
    Ok(OperatorBranch { when: When { headers: headers(fields)?, callers: callers.clone() }, shares })
}

fn shares(capability: &str, files: &[ShareFile]) -> Result<Vec<OperatorShare>, TrafficError> {
    within(files.len(), SHARES_MAX)?;
    let share = |ShareFile { weight, capability: other, version, tags }: &ShareFile| {
        if *weight > WEIGHT_MAX {
            return Err(TrafficError::Weight(*weight));
        }
        let requirement = requirement(capability, other.as_deref(), version.as_deref(), tags)?;
        Ok(OperatorShare { requirement, weight: *weight })
    };
    let shares = files.iter().map(share).collect::<Result<Vec<_>, _>>()?;
    if shares.iter().all(|share| share.weight == 0) {
        return Err(TrafficError::Weightless);
    }
    Ok(shares)
}

fn requirement(
    of_route: &str,
    capability: Option<&str>,
    version: Option<&str>,
    tags: &[String],
) -> Result<Requirement, TrafficError> {
    Requirement::parse(capability.unwrap_or(of_route), version, tags).map_err(TrafficError::Requirement)
}

fn mirror(of_route: &str, file: &MirrorFile) -> Result<OperatorMirror, TrafficError> {
    let MirrorFile { capability, version, tags, percent: part } = file;
    let requirement = requirement(of_route, capability.as_deref(), version.as_deref(), tags)?;
    Ok(OperatorMirror { requirement, percent: percent(part.unwrap_or(100))? })
}

fn faults(file: &FaultsFile) -> Result<Faults, TrafficError> {
    let FaultsFile { percent: part, delay_ms, status } = *file;
    if let Some(delay) = delay_ms.filter(|delay| !(1..=DELAY_MS_MAX).contains(delay)) {
        return Err(TrafficError::Delay(delay));
    }
    if let Some(status) = status.filter(|status| !(400..600).contains(status)) {
        return Err(TrafficError::Status(status));
    }
    if delay_ms.is_none() && status.is_none() {
        return Err(TrafficError::Harmless);
    }
    Ok(Faults { percent: percent(part)?, delay: delay_ms.map(Duration::from_millis), status })
}

fn percent(percent: u8) -> Result<u8, TrafficError> {
    if (1..=100).contains(&percent) { Ok(percent) } else { Err(TrafficError::Percent(percent)) }
}

fn edits(file: &HeadersFile) -> Result<HeaderEdits, TrafficError> {
    within(file.remove.len(), HEADER_EDITS_MAX)?;
    let remove = file.remove.iter().map(|name| field_name(name)).collect::<Result<Vec<_>, _>>()?;
    let edits = HeaderEdits { remove, set: headers(&file.set)?, add: headers(&file.add)? };
    if let Some(name) = edits.names().find(|name| is_protected(name)) {
        return Err(TrafficError::Protected(name.to_owned()));
    }
    Ok(edits)
}

fn headers(fields: &BTreeMap<String, String>) -> Result<Vec<(String, String)>, TrafficError> {
    within(fields.len(), HEADER_EDITS_MAX)?;
    let mut read: Vec<(String, String)> = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        let name = field_name(name)?;
        if !is_value(value) || value.len() > HEADER_VALUE_BYTES_MAX {
            return Err(TrafficError::Value(name));
        }
        if read.iter().any(|(known, _)| *known == name) {
            return Err(TrafficError::Twice(name));
        }
        read.push((name, value.clone()));
    }
    Ok(read)
}

/// Names are the same in any case (RFC 9110 section 5.1).
fn field_name(name: &str) -> Result<String, TrafficError> {
    if name.len() <= NAME_BYTES_MAX && is_token(name) {
        return Ok(name.to_ascii_lowercase());
    }
    Err(TrafficError::Name(name.chars().take(NAME_BYTES_MAX).collect()))
}

const fn within(count: usize, max: usize) -> Result<(), TrafficError> {
    if count > max { Err(TrafficError::Many { count, max }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
