//! What can keep a row about outages from being measured.

use crate::control::ControlError;
use crate::generate::connection::CallError;
use crate::generate::crew::CrewError;
use crate::machine::process::GoneError;
use crate::speaker::SpeakerError;
use crate::stage::part::StageError;

#[derive(Debug, thiserror::Error)]
pub enum OutageError {
    #[error(transparent)]
    Stage(#[from] StageError),
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Speaker(#[from] SpeakerError),
    #[error("callers cannot begin")]
    Crew(#[from] CrewError),
    #[error("a part of the mesh does not answer")]
    Call(#[from] CallError),
    #[error(transparent)]
    Gone(#[from] GoneError),
    #[error("a file cannot be written or read")]
    File(#[from] std::io::Error),
    #[error("a caller ended badly")]
    Ended(#[from] tokio::task::JoinError),
    #[error("{0}")]
    Wrong(String),
}
