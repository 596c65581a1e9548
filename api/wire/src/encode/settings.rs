//! Settings → protobuf.

use outrigger_model::settings::Settings;

use super::field;
use crate::proto::snapshot as wire;

pub fn settings(settings: &Settings) -> wire::Settings {
    wire::Settings { session_idle: Some(field::duration(settings.session_idle)) }
}
