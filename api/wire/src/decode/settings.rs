//! Protobuf → settings.

use outrigger_model::settings::{SessionLimits, SessionMode, Settings};

use super::field;
use crate::error::DecodeError;
use crate::proto::snapshot as wire;

pub fn settings(wire: wire::Settings) -> Result<Settings, DecodeError> {
    let session_idle = field::required("session_idle", wire.session_idle)?;
    let lifetime = wire.session_lifetime.map(|lifetime| field::duration("session_lifetime", lifetime)).transpose()?;
    Ok(Settings {
        session_idle: field::duration("session_idle", session_idle)?,
        session_lifetime: lifetime.unwrap_or(Settings::default().session_lifetime),
        session_mode: match field::choice("session_mode", wire.session_mode)? {
            wire::settings::SessionMode::Unspecified | wire::settings::SessionMode::Stored => SessionMode::Stored,
            wire::settings::SessionMode::Sealed => SessionMode::Sealed,
        },
        session_limits: SessionLimits {
            per_caller: wire.sessions_per_caller_max,
            per_agent: wire.sessions_per_agent_max,
            total: wire.sessions_max,
        },
    })
}
