//! Where a reader is: the store that it read from, and the snapshot up to which it was told everything.

use std::fmt;
use std::str::FromStr;

use crate::resource::{Epoch, Serial};

/// `epoch.serial`, such as `0a1b2c3d.42`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub epoch: Epoch,
    pub serial: Serial,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a position is written epoch.serial, such as 0a1b2c3d.42")]
pub struct BadPosition;

impl FromStr for Position {
    type Err = BadPosition;

    fn from_str(text: &str) -> Result<Self, BadPosition> {
        let (epoch, serial) = text.split_once('.').ok_or(BadPosition)?;
        // Signs are digits to the readers of numbers.
        if epoch.len() != 8 || [epoch, serial].iter().any(|part| !part.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            return Err(BadPosition);
        }
        let epoch = u32::from_str_radix(epoch, 16).map_err(|_| BadPosition)?;
        Ok(Self { epoch: Epoch(epoch), serial: Serial(serial.parse().map_err(|_| BadPosition)?) })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.epoch, self.serial)
    }
}

#[cfg(test)]
mod tests;
