//! Why no other intent runs.

/// Why nothing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPublished {
    #[error("intent {current} runs and not {expected}: somebody changed it meanwhile")]
    Moved { current: u64, expected: u64 },
    #[error("the store does not take what is written, and what runs must be stored; nothing was changed")]
    Storing,
    #[error("control is stopping")]
    Stopped,
}
