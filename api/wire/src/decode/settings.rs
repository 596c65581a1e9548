//! Protobuf → settings.

use outrigger_model::settings::Settings;

use super::field;
use crate::error::DecodeError;
use crate::proto::snapshot as wire;

pub fn settings(wire: wire::Settings) -> Result<Settings, DecodeError> {
    let session_idle = field::required("session_idle", wire.session_idle)?;
    Ok(Settings { session_idle: field::duration("session_idle", session_idle)? })
}
