//! What can keep a row about control from being measured.

use crate::generate::connection::CallError;
use crate::machine::process::GoneError;
use crate::speaker::SpeakerError;
use crate::stage::part::StageError;

#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error(transparent)]
    Stage(#[from] StageError),
    #[error(transparent)]
    Speaker(#[from] SpeakerError),
    #[error("control's HTTP does not answer")]
    Call(#[from] CallError),
    #[error(transparent)]
    Gone(#[from] GoneError),
    #[error("calls cannot be paced")]
    Pace(#[from] crate::generate::pace::PaceError),
    #[error("a file cannot be written")]
    File(#[from] std::io::Error),
    #[error("a task of the measurement ended badly")]
    Ended(#[from] tokio::task::JoinError),
    #[error("not within {seconds} s: {what}")]
    InVain { what: String, seconds: u64 },
    #[error("{0}")]
    Wrong(String),
}
