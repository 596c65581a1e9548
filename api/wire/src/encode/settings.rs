//! Settings → protobuf.

use outrigger_model::settings::{SessionMode, Settings};

use super::field;
use crate::proto::snapshot as wire;

pub fn settings(settings: &Settings) -> wire::Settings {
    let mode = match settings.session_mode {
        SessionMode::Stored => wire::settings::SessionMode::Stored,
        SessionMode::Sealed => wire::settings::SessionMode::Sealed,
    };
    wire::Settings {
        session_idle: Some(field::duration(settings.session_idle)),
        session_lifetime: Some(field::duration(settings.session_lifetime)),
        session_mode: mode.into(),
        sessions_per_caller_max: settings.session_limits.per_caller,
        sessions_per_agent_max: settings.session_limits.per_agent,
        sessions_max: settings.session_limits.total,
    }
}
