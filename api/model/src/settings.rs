//! Mesh-wide settings that every proxy must agree on.

use std::time::Duration;

/// Sent to every watcher as one resource named `self`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// A session binding that is not used for this long is forgotten.
    pub session_idle: Duration,
    /// A session is over after this long, however much it is used.
    pub session_lifetime: Duration,
    pub session_mode: SessionMode,
    pub session_limits: SessionLimits,
}

/// Who knows where a session lives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum SessionMode {
    /// The stores of the proxies; clients get the ids that agents mint.
    #[default]
    Stored,
    /// The client: the id it gets is sealed and says it. Stores only remember what moved.
    Sealed,
}

/// How many sessions one proxy holds open. `None` is no limit beside that of its memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SessionLimits {
    pub per_caller: Option<u32>,
    pub per_agent: Option<u32>,
    pub total: Option<u32>,
}

impl SessionMode {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Sealed => "sealed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Stored, Self::Sealed].into_iter().find(|mode| mode.as_str() == text)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            session_idle: Duration::from_secs(3_600),
            session_lifetime: Duration::from_secs(30 * 86_400),
            session_mode: SessionMode::default(),
            session_limits: SessionLimits::default(),
        }
    }
}
