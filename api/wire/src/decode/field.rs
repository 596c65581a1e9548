//! Fields that several messages share.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use outrigger_model::digest::Digest;
use outrigger_model::endpoint::is_zone;
use outrigger_model::identity::SpiffeId;
use outrigger_model::tag::TagSet;
use semver::Version;

use crate::error::{DecodeError, Wrong, cut};
use crate::limit::{DURATION_SECONDS_MAX, TIME_SECONDS_MAX, VERSION_BYTES_MAX, WEIGHT_MAX};

pub fn version(field: &'static str, text: &str) -> Result<Version, DecodeError> {
    if text.len() > VERSION_BYTES_MAX {
        return Err(DecodeError::field(field, Wrong::Large { bytes: text.len(), max: VERSION_BYTES_MAX }));
    }
    Version::parse(text).map_err(|cause| DecodeError::field(field, Wrong::Version { text: cut(text), cause }))
}

pub fn tags(field: &'static str, texts: &[String]) -> Result<TagSet, DecodeError> {
    TagSet::parse(texts).map_err(|bad| DecodeError::field(field, bad))
}

pub fn digest(field: &'static str, bytes: &[u8]) -> Result<Digest, DecodeError> {
    Digest::from_bytes(bytes).ok_or_else(|| DecodeError::field(field, Wrong::Digest(bytes.len())))
}

pub fn address(field: &'static str, text: &str) -> Result<SocketAddr, DecodeError> {
    text.parse().map_err(|_| DecodeError::field(field, Wrong::Address(cut(text))))
}

/// An empty text is no identity.
pub fn identity(field: &'static str, text: &str) -> Result<Option<SpiffeId>, DecodeError> {
    match text {
        "" => Ok(None),
        text => {
            text.parse().map(Some).map_err(|bad: outrigger_model::identity::BadIdentity| DecodeError::field(field, bad))
        }
    }
}

/// A number of 8 bits.
pub fn small(field: &'static str, value: u32, min: u8, max: u8) -> Result<u8, DecodeError> {
    let value = within(field, value, min.into(), max.into())?;
    Ok(u8::try_from(value).unwrap_or(max))
}

pub fn percent(field: &'static str, value: u32, min: u8) -> Result<u8, DecodeError> {
    small(field, value, min, 100)
}

pub fn within(field: &'static str, value: u32, min: u32, max: u32) -> Result<u32, DecodeError> {
    if (min..=max).contains(&value) {
        return Ok(value);
    }
    Err(DecodeError::field(field, Wrong::Range { value: value.into(), min: min.into(), max: max.into() }))
}

/// A length of time that must be there, and longer than nothing.
pub fn lasting(field: &'static str, wire: Option<prost_types::Duration>) -> Result<Duration, DecodeError> {
    let duration = duration(field, required(field, wire)?)?;
    if duration.is_zero() { Err(DecodeError::field(field, Wrong::Zero)) } else { Ok(duration) }
}

pub fn zone(field: &'static str, text: &str) -> Result<String, DecodeError> {
    if is_zone(text) {
        return Ok(text.to_owned());
    }
    Err(DecodeError::field(field, Wrong::Zone(cut(text))))
}

pub fn weight(field: &'static str, value: u32) -> Result<u16, DecodeError> {
    u16::try_from(value)
        .ok()
        .filter(|weight| (1..=WEIGHT_MAX).contains(weight))
        .ok_or_else(|| DecodeError::field(field, Wrong::Range { value: value.into(), min: 1, max: WEIGHT_MAX.into() }))
}

pub fn count(field: &'static str, count: usize, max: usize) -> Result<(), DecodeError> {
    if count > max { Err(DecodeError::field(field, Wrong::Many { count, max })) } else { Ok(()) }
}

/// A value of a protobuf enum that this build knows.
pub fn choice<E: TryFrom<i32>>(field: &'static str, value: i32) -> Result<E, DecodeError> {
    E::try_from(value).map_err(|_| DecodeError::field(field, Wrong::Unknown(value)))
}

pub fn duration(field: &'static str, wire: prost_types::Duration) -> Result<Duration, DecodeError> {
    let seconds = u64::try_from(wire.seconds).ok().filter(|seconds| *seconds <= DURATION_SECONDS_MAX);
    let nanos = u32::try_from(wire.nanos).ok().filter(|nanos| *nanos < 1_000_000_000);
    match (seconds, nanos) {
        (Some(seconds), Some(nanos)) => Ok(Duration::new(seconds, nanos)),
        _ => Err(DecodeError::field(field, Wrong::Duration)),
    }
}

pub fn time(field: &'static str, wire: prost_types::Timestamp) -> Result<SystemTime, DecodeError> {
    let seconds = u64::try_from(wire.seconds).ok().filter(|seconds| *seconds <= TIME_SECONDS_MAX);
    let nanos = u32::try_from(wire.nanos).ok().filter(|nanos| *nanos < 1_000_000_000);
    match (seconds, nanos) {
        (Some(seconds), Some(nanos)) => SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanos)),
        _ => None,
    }
    .ok_or_else(|| DecodeError::field(field, Wrong::Time))
}

/// Whole seconds since 1970.
pub fn seconds(field: &'static str, wire: Option<prost_types::Timestamp>) -> Result<u64, DecodeError> {
    let wire = required(field, wire)?;
    let seconds = u64::try_from(wire.seconds).ok().filter(|seconds| *seconds <= TIME_SECONDS_MAX && wire.nanos == 0);
    seconds.ok_or_else(|| DecodeError::field(field, Wrong::Time))
}

pub fn required<T>(field: &'static str, value: Option<T>) -> Result<T, DecodeError> {
    value.ok_or_else(|| DecodeError::field(field, Wrong::Missing))
}

/// The first two neighbours of a sorted list with the same key.
pub fn twice<'a, T, K: PartialEq + ?Sized>(sorted: &'a [T], key: impl Fn(&'a T) -> &'a K) -> Option<&'a K> {
    sorted.windows(2).find_map(|pair| match pair {
        [one, other] if key(one) == key(other) => Some(key(one)),
        _ => None,
    })
}
