//! Decides, look by look at the database, whether this replica of control leads.
//!
//! In: the seat in the store. Out: a [`Role`], and every change of it.
//! Never here: what a leader does; a role is a belief, and the store lets only the real leader write.
//! Invariant: no clock of anybody else is compared with: a leader is silent if its beat stood still while the database answered us.

mod silence;

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::store::{Look, PostgresStore, Seat};

use silence::Silence;

/// How often a follower looks; a leader beats half as often.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const BEAT_EVERY: Duration = Duration::from_secs(1);
/// A follower that could not reach the database lets the leader come back to it first: what that one holds in memory is newer.
const HESITATION: Duration = Duration::from_secs(2);

/// What this replica is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    Leading {
        term: u64,
    },
    /// Where the leader is reached, if there is one and it says.
    Following {
        leader: Option<String>,
    },
}

/// One replica that wants to lead.
#[derive(Debug)]
struct Candidate {
    seat: Seat,
    /// What others are told of where we are reached.
    address: String,
    role: watch::Sender<Role>,
    silence: Silence,
    hesitates_until: Option<Instant>,
}

/// Takes the seat now, or follows whoever has it; then goes on looking until `stop`.
pub async fn stand(
    store: &PostgresStore,
    address: String,
    stop: CancellationToken,
) -> (watch::Receiver<Role>, JoinHandle<()>) {
    let (role, shown) = watch::channel(Role::Following { leader: None });
    let mut candidate =
        Candidate { seat: store.seat(), address, role, silence: Silence::default(), hesitates_until: None };
    candidate.look().await;
    let task = tokio::spawn(candidate.run(stop));
    (shown, task)
}

impl Candidate {
    async fn run(mut self, stop: CancellationToken) {
        loop {
            let wait = match &*self.role.borrow() {
                Role::Leading { .. } => BEAT_EVERY,
                Role::Following { .. } => LOOK_EVERY,
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(wait) => {}
            }
            let term = match &*self.role.borrow() {
                Role::Leading { term } => Some(*term),
                Role::Following { .. } => None,
            };
            match term {
                Some(term) => self.beat(term).await,
                None => self.look().await,
            }
        }
        self.seat.leave().await;
    }

    async fn beat(&mut self, term: u64) {
        match self.seat.beat(term).await {
            Ok(true) => {}
            Ok(false) => {
                warn!(term, "another control leads now");
                self.role.send_replace(Role::Following { leader: None });
            }
            // Whoever cannot be reached has elected nobody either, for all we know; and the store would refuse what we write.
            Err(error) => warn!(%error, term, "the seat of the leader cannot be reached; this control leads on"),
        }
    }

    async fn look(&mut self) {
        let now = Instant::now();
        if self.hesitates_until.is_some_and(|until| now < until) {
            return;
        }
        match self.seat.look(&self.address).await {
            Ok(Look::Taken { term }) => {
                info!(term, "this control leads");
                self.silence = Silence::default();
                self.role.send_replace(Role::Leading { term });
            }
            Ok(Look::Held(holder)) => {
                let is_silent = self.silence.hear(holder.as_ref().map(|holder| (holder.term, holder.beat)), now);
                let leader = holder.map(|holder| holder.address).filter(|address| !address.is_empty());
                let role = Role::Following { leader };
                self.role.send_if_modified(|known| std::mem::replace(known, role.clone()) != role);
                if is_silent {
                    warn!("the control that leads holds its seat and shows no life; it is unseated");
                    self.silence = Silence::default();
                    if let Err(error) = self.seat.unseat().await {
                        warn!(%error, "it could not be unseated");
                    }
                }
            }
            Err(error) => {
                warn!(%error, "the seat of the leader cannot be reached");
                self.silence.forget();
                self.hesitates_until = Some(Instant::now() + HESITATION);
            }
        }
    }
}

#[cfg(test)]
mod tests;
