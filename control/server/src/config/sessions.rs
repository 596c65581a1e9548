//! Keys of routes, and what the mesh does with sessions: from a file to checked values.
//!
//! In: their parts of a [`ControlFile`](crate::config::file::ControlFile). Out: values of the model, or the key that is wrong.

use std::time::Duration;

use outrigger_model::key::{ArgumentKey, BadKey, KEYS_MAX, KeySource, OnLoss, SessionPolicy};
use outrigger_model::settings::{SessionLimits, SessionMode, Settings};

use crate::config::file::{KeyFile, MeshFile, RouteFile};

const KEY_DAYS: u32 = 30;
const DAY_SECONDS: u64 = 86_400;
const KEY_DAYS_MAX: u32 = 365;

/// What is wrong, behind the place where it stands.
#[derive(Debug, thiserror::Error)]
pub enum SessionsError {
    #[error("keys: {0} are more than {KEYS_MAX}")]
    ManyKeys(usize),
    #[error("keys[{0}]: write exactly one of header, param, cookie and argument")]
    Sources(usize),
    #[error("keys[{0}].tools: only an `argument` is of tools")]
    Tools(usize),
    #[error("keys[{at}]: {cause}")]
    Key { at: usize, cause: BadKey },
    #[error("on_replica_loss: `{0}` is neither 404 nor reestablish")]
    OnLoss(String),
    #[error("session_key_days: {0} is not within 0 to {KEY_DAYS_MAX}")]
    KeyDays(u32),
    #[error("session_mode: `{0}` is neither stored nor sealed")]
    Mode(String),
}

pub(super) fn policy(route: &RouteFile) -> Result<SessionPolicy, SessionsError> {
    if route.keys.len() > KEYS_MAX {
        return Err(SessionsError::ManyKeys(route.keys.len()));
    }
    let keys = route.keys.iter().enumerate().map(|(at, file)| key(at, file)).collect::<Result<_, _>>()?;
    let on_loss = match route.on_replica_loss.as_deref() {
        None => OnLoss::default(),
        Some(text) => OnLoss::parse(text).ok_or_else(|| SessionsError::OnLoss(text.to_owned()))?,
    };
    Ok(SessionPolicy { keys, on_loss })
}

fn key(at: usize, file: &KeyFile) -> Result<KeySource, SessionsError> {
    let KeyFile { header, param, cookie, argument, tools } = file;
    if argument.is_none() && !tools.is_empty() {
        return Err(SessionsError::Tools(at));
    }
    let key = match (header, param, cookie, argument) {
        (Some(name), None, None, None) => KeySource::header(name),
        (None, Some(name), None, None) => KeySource::param(name),
        (None, None, Some(name), None) => KeySource::cookie(name),
        (None, None, None, Some(path)) => ArgumentKey::new(path, tools.clone()).map(KeySource::Argument),
        _ => return Err(SessionsError::Sources(at)),
    };
    key.map_err(|cause| SessionsError::Key { at, cause })
}

/// After how long a key is followed by a new one where nothing is said.
pub(super) fn keys_every_usual() -> Option<Duration> {
    Some(Duration::from_secs(u64::from(KEY_DAYS) * DAY_SECONDS))
}

/// After how long a key of session ids is followed by a new one.
pub(super) fn keys_every(file: &MeshFile) -> Result<Option<Duration>, SessionsError> {
    match file.session_key_days.unwrap_or(KEY_DAYS) {
        0 => Ok(None),
        days @ 1..=KEY_DAYS_MAX => Ok(Some(Duration::from_secs(u64::from(days) * DAY_SECONDS))),
        days => Err(SessionsError::KeyDays(days)),
    }
}

pub(super) fn settings(file: &MeshFile) -> Result<Settings, SessionsError> {
    let usual = Settings::default();
    let session_mode = match file.session_mode.as_deref() {
        None => SessionMode::default(),
        Some(text) => SessionMode::parse(text).ok_or_else(|| SessionsError::Mode(text.to_owned()))?,
    };
    Ok(Settings {
        session_idle: file.session_idle_seconds.map_or(usual.session_idle, Duration::from_secs),
        session_lifetime: file.session_lifetime_seconds.map_or(usual.session_lifetime, Duration::from_secs),
        session_mode,
        session_limits: SessionLimits {
            per_caller: file.sessions_per_caller_max,
            per_agent: file.sessions_per_agent_max,
            total: file.sessions_max,
        },
    })
}
