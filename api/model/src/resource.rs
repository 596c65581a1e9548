//! The kinds of resource a snapshot is made of, and the token that names one version of one resource.
//!
//! Invariant: a token carries the serial of the last change before the hash of the content, so that going back to
//! old content is a new token (a bare hash leaves clients on refused content for ever after a partial refusal).

use std::fmt;
use std::str::FromStr;

use crate::digest::Digest;

/// The resource types, in the order in which they are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    Settings,
    Keyring,
    Revocations,
    Agent,
    Capability,
    Pool,
    Endpoints,
    Route,
    Wiring,
}

/// Made anew when a store is created or restored; tokens of a lost future can never match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u32);

/// The number of a snapshot: grows by one per snapshot, never reused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(pub u64);

/// `epoch.serial-hash`, such as `0a1b2c3d.42-9f86d081884c`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token {
    pub epoch: Epoch,
    /// The snapshot in which this resource last changed.
    pub serial: Serial,
    /// The first six bytes of the content's digest.
    pub hash: [u8; 6],
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a resource token of the form epoch.serial-hash")]
pub struct BadToken(String);

impl ResourceKind {
    pub const ALL: [Self; 9] = [
        Self::Settings,
        Self::Keyring,
        Self::Revocations,
        Self::Agent,
        Self::Capability,
        Self::Pool,
        Self::Endpoints,
        Self::Route,
        Self::Wiring,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Settings => "Settings",
            Self::Keyring => "Keyring",
            Self::Revocations => "Revocations",
            Self::Agent => "Agent",
            Self::Capability => "Capability",
            Self::Pool => "Pool",
            Self::Endpoints => "Endpoints",
            Self::Route => "Route",
            Self::Wiring => "Wiring",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl Token {
    pub fn new(epoch: Epoch, serial: Serial, content: &Digest) -> Self {
        let [a, b, c, d, e, f, ..] = *content.as_bytes();
        Self { epoch, serial, hash: [a, b, c, d, e, f] }
    }
}

impl FromStr for Token {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Self, BadToken> {
        let parse = || {
            let (epoch, rest) = text.split_once('.')?;
            let (serial, hash) = rest.split_once('-')?;
            let epoch = (epoch.len() == 8).then(|| u32::from_str_radix(epoch, 16).ok())??;
            let mut bytes = [0; 6];
            hex::decode_to_slice(hash, &mut bytes).ok()?;
            Some(Self { epoch: Epoch(epoch), serial: Serial(serial.parse().ok()?), hash: bytes })
        };
        parse().ok_or_else(|| BadToken(text.chars().take(64).collect()))
    }
}

impl fmt::Display for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:08x}.{}-{}", self.epoch.0, self.serial.0, hex::encode(self.hash))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:08x}", self.0)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
