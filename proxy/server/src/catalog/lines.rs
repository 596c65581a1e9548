//! The lines that one client has to targets, each opened when it is needed first.
//!
//! In: the name of a target and the era it speaks. Out: a line that is open.
//! Invariant: one client has one session per target, however many of its calls come at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use outrigger_model::name::AgentName;
use outrigger_model::revision::Era;
use tokio::sync::{OnceCell, mpsc};
use tokio::time::timeout;

use super::line::{Identity, Line, LineError};
use super::message::Message;
use super::pipe::Pipes;
use super::view::View;

/// How long a target may take to open a session.
const OPEN_DEADLINE: Duration = Duration::from_secs(10);
const END_DEADLINE: Duration = Duration::from_secs(2);

/// Where targets speak by themselves.
pub type Inbox = mpsc::Sender<(AgentName, Message)>;

/// One client's lines.
pub struct Lines {
    pipes: Pipes,
    identity: Identity,
    inbox: Inbox,
    open: Mutex<HashMap<AgentName, Arc<OnceCell<Arc<Line>>>>>,
}

impl Lines {
    pub fn new(pipes: Pipes, identity: Identity, inbox: Inbox) -> Self {
        Self { pipes, identity, inbox, open: Mutex::default() }
    }

    /// The line to a target. `new` says whether this call opened it.
    pub async fn line(&self, view: &View, agent: &AgentName) -> Result<(Arc<Line>, bool), LineError> {
        let known = view.targets.get(agent).and_then(|known| known.listing.clone());
        let era = known.as_ref().map(|listing| listing.era).ok_or(LineError::Unknown)?;
        let cell = {
            let mut open = self.open();
            let stale =
                open.get(agent).and_then(|cell| cell.get()).is_some_and(|line| line.is_lost() || line.era != era);
            if stale {
                open.remove(agent);
            }
            Arc::clone(open.entry(agent.clone()).or_default())
        };
        let mut new = false;
        let line = cell.get_or_try_init(|| async {
            new = true;
            if era == Era::Modern {
                let revision = known.map(|listing| listing.revision.clone()).unwrap_or_default();
                return Ok(Arc::new(Line::modern(&self.pipes, agent, &self.identity, &revision)));
            }
            let opening = Line::initialize(&self.pipes, agent, &self.identity);
            let (line, _) = timeout(OPEN_DEADLINE, opening).await.unwrap_or(Err(LineError::Late))?;
            let line = Arc::new(line);
            line.listen_to(self.inbox.clone());
            Ok::<_, LineError>(line)
        });
        let line = Arc::clone(line.await?);
        Ok((line, new))
    }

    /// The lines that are open now.
    pub fn opened(&self) -> Vec<Arc<Line>> {
        self.open().values().filter_map(|cell| cell.get().cloned()).collect()
    }

    pub fn opened_to(&self, agent: &AgentName) -> Option<Arc<Line>> {
        self.open().get(agent).and_then(|cell| cell.get().cloned())
    }

    /// Ends all sessions. Who cannot be told in time forgets them by itself.
    pub async fn end(&self) {
        let lines = self.opened();
        let ends = lines.iter().map(|line| timeout(END_DEADLINE, line.end()));
        futures_util::future::join_all(ends).await;
    }

    fn open(&self) -> MutexGuard<'_, HashMap<AgentName, Arc<OnceCell<Arc<Line>>>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
