//! Why no other intent runs.

use super::reign::NotLeading;

/// Why nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotPublished {
    #[error("intent {current} runs and not {expected}: somebody changed it meanwhile")]
    Moved { current: u64, expected: u64 },
    #[error("the store does not take what is written, and what runs must be stored; nothing was changed")]
    Storing,
    #[error(transparent)]
    NotLeading(#[from] NotLeading),
    #[error("control is stopping")]
    Stopped,
}
