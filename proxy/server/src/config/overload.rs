//! When there is too much to do: from a file to checked values.
//!
//! In: what is written under `overload`. Out: [`Overload`], or the key that is wrong.
//! Never here: how much memory there is.

use std::time::Duration;

use outrigger_config::ConfigError;

use super::file::OverloadFile;
use super::settings::{MemoryMax, Overload};
use super::value::within;

pub(super) fn overload(file: &OverloadFile) -> Result<Overload, ConfigError> {
    let in_flight_max = file.in_flight_max.map(|max| within("overload.in_flight_max", Some(max), 1..=1_000_000, max));
    let memory = match (file.memory_bytes_max, file.memory_percent) {
        (Some(_), Some(_)) => {
            let detail = "`overload.memory_percent` is written, too";
            return Err(ConfigError::contradiction("overload.memory_bytes_max", detail, "write one of the two"));
        }
        (Some(bytes), None) => {
            Some(MemoryMax::Bytes(within("overload.memory_bytes_max", Some(bytes), 16 << 20..=1 << 50, bytes)?))
        }
        (None, Some(percent)) => {
            Some(MemoryMax::Percent(within("overload.memory_percent", Some(percent), 1..=100, percent)?))
        }
        (None, None) => None,
    };
    let check = Duration::from_millis(within("overload.check_ms", file.check_ms, 10..=10_000, 100)?);
    Ok(Overload { in_flight_max: in_flight_max.transpose()?, memory, check })
}
