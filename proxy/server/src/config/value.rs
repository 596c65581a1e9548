//! Small checks that every key shares; each refusal names the key.
//!
//! In: a key's path and what is written there. Out: the value, or a `ConfigError`.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use outrigger_config::ConfigError;

/// Most entries of any list in the file.
const LIST_MAX: usize = 1_000;

pub(super) fn parsed<T: FromStr<Err: std::error::Error>>(path: &str, text: &str) -> Result<T, ConfigError> {
    text.parse().map_err(|error: T::Err| ConfigError::value(path, &error))
}

pub(super) fn refused(path: impl Into<String>, detail: impl Into<String>) -> ConfigError {
    ConfigError::Value { path: path.into(), detail: detail.into() }
}

pub(super) fn within<N: PartialOrd + Copy + Display>(
    path: &str,
    value: Option<N>,
    range: RangeInclusive<N>,
    default: N,
) -> Result<N, ConfigError> {
    let value = value.unwrap_or(default);
    if range.contains(&value) {
        return Ok(value);
    }
    Err(refused(path, format!("{value} is not within {} to {}", range.start(), range.end())))
}

pub(super) fn at_most<T>(path: &str, list: &[T]) -> Result<(), ConfigError> {
    if list.len() <= LIST_MAX { Ok(()) } else { Err(refused(path, format!("more than {LIST_MAX} entries"))) }
}

pub(super) fn size(
    path: &str,
    value: Option<u64>,
    range: RangeInclusive<u64>,
    default: u64,
) -> Result<usize, ConfigError> {
    let value = within(path, value, range, default)?;
    usize::try_from(value).map_err(|_| refused(path, format!("{value} is too large for this machine")))
}
