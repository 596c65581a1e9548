//! What is asked beside an open port.
//!
//! In: what the settings say, and what is known of the agent. Out: nothing, or why it is not well.
//! Invariant: one question at a time; whoever asks bounds the time.

use outrigger_model::revision::Era;

use super::command::{self, CommandError};
use super::local::LocalReplica;
use super::page::{self, PageError};
use crate::config::settings::{AgentSettings, Check, Command, Page};
use crate::introspect::ping::{PingError, Pinger};

/// Asks one agent, each time in the same way.
#[derive(Debug)]
pub(super) enum Checker {
    Port,
    Page(Page),
    Ping(Pinger),
    Command(Command),
}

#[derive(Debug, thiserror::Error)]
pub(super) enum CheckError {
    #[error(transparent)]
    Page(#[from] PageError),
    #[error(transparent)]
    Ping(#[from] PingError),
    #[error(transparent)]
    Command(#[from] CommandError),
}

impl Checker {
    pub(super) fn of(agent: &AgentSettings) -> Self {
        match &agent.probe.check {
            Check::Port => Self::Port,
            Check::Page(page) => Self::Page(page.clone()),
            Check::Ping => Self::Ping(Pinger::new(agent.url.clone(), agent.probe.timeout)),
            Check::Command(command) => Self::Command(command.clone()),
        }
    }

    pub(super) async fn run(&mut self, known: &LocalReplica) -> Result<(), CheckError> {
        match self {
            Self::Port => Ok(()),
            Self::Page(page) => Ok(page::look(page).await?),
            Self::Ping(pinger) => Ok(pinger.ask(spoken(known)).await?),
            Self::Command(command) => Ok(command::run(command, known).await?),
        }
    }

    /// Leaves nothing of ours at the agent.
    pub(super) async fn end(&mut self) {
        if let Self::Ping(pinger) = self {
            pinger.end().await;
        }
    }
}

/// What it last said it speaks. One that does not serve may come back as another program.
fn spoken(known: &LocalReplica) -> Option<Era> {
    let offer = known.offer.as_ref().filter(|_| known.serving)?;
    offer.revisions.last().map(|newest| newest.era())
}
