//! Sessions that are being opened, and whether one more may be.
//!
//! In: who wants to open one where, the limits, what memory holds. Out: a place for it, or the limit that is reached.
//! Invariant: what is open and what is being opened never is more than a limit allows. A place ends with the [`Opening`]; from then on memory
//! counts the session, if there is one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use outrigger_model::name::AgentName;
use outrigger_model::settings::SessionLimits;
use outrigger_proxy_core::mcp::facts::Caller;
use outrigger_proxy_core::session::key::KeyKind;
use outrigger_proxy_core::session::limit::{Counts, SessionLimit, is_far, reached};

use super::sessions::Sessions;

/// All that are being opened now; never more than there are calls.
#[derive(Debug, Default)]
pub struct Openings(Mutex<Vec<(Caller, AgentName)>>);

/// One session that is being opened. It makes room when it is dropped.
#[derive(Debug)]
pub struct Opening {
    openings: Arc<Openings>,
    caller: Caller,
    agent: AgentName,
}

impl Openings {
    /// A place for one more session; none is needed where nothing is limited.
    pub fn enter(
        self: &Arc<Self>,
        sessions: &Sessions,
        limits: &SessionLimits,
        caller: &Caller,
        agent: &AgentName,
    ) -> Result<Option<Opening>, SessionLimit> {
        if *limits == SessionLimits::default() {
            return Ok(None);
        }
        let mut pending = self.pending();
        // Counting one by one is for those who come near a limit.
        if !is_far(limits, pending.len() + sessions.count())
            && let Some(limit) = reached(limits, count(&pending, sessions, caller, agent))
        {
            return Err(limit);
        }
        pending.push((caller.clone(), agent.clone()));
        Ok(Some(Opening { openings: Arc::clone(self), caller: caller.clone(), agent: agent.clone() }))
    }

    fn pending(&self) -> MutexGuard<'_, Vec<(Caller, AgentName)>> {
        // Nothing that is done under it can panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        let mut pending = self.openings.pending();
        if let Some(at) = pending.iter().position(|(caller, agent)| *caller == self.caller && *agent == self.agent) {
            pending.swap_remove(at);
        }
    }
}

fn count(pending: &[(Caller, AgentName)], sessions: &Sessions, caller: &Caller, agent: &AgentName) -> Counts {
    let held = sessions.held();
    let open = held.iter().map(|(_, binding)| binding).filter(|binding| binding.kind == KeyKind::Session);
    let open = open.map(|binding| (&binding.caller, &binding.agent));
    let mut counts = Counts::default();
    for (whose, at) in open.chain(pending.iter().map(|(caller, agent)| (caller, agent))) {
        counts.total += 1;
        counts.caller += usize::from(whose == caller);
        counts.agent += usize::from(at == agent);
    }
    counts
}

#[cfg(test)]
mod tests;
