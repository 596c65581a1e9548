//! Looks at each own agent, again and again, and asks it what it offers whenever it appears.
//!
//! In: one agent. Out: changes of its entry among [`LocalReplicas`].
//! Rules: a closed port withdraws an agent at once, and the end of the connection kept from the last look is a reason to
//! look now, also while a check runs; so many bad looks in a row as the settings say do, and so many good ones bring it back.
//! An agent serves when its port is open, its check is well and it answers HTTP. One that answers and is not understood
//! serves, with its trouble told: calls may still work. One that must not be asked serves without that.
//! Invariant: one task per agent, each the only writer of its entry; it asks one thing at a time.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use outrigger_model::name::ReplicaId;
use outrigger_model::replica::Generation;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::check::Checker;
use super::local::{LocalReplica, LocalReplicas};
use super::port::{self, Port};
use super::streak::Streak;
use crate::config::settings::{AgentSettings, Probe};
use crate::introspect::offer::Offer;
use crate::introspect::talk::introspect;
use crate::lifecycle::drain::Stop;
use crate::telemetry::events::Events;
use crate::telemetry::probed::Probed;

/// First and longest pause before an agent that was not understood is asked again.
const ASK_AGAIN_FIRST: Duration = Duration::from_secs(5);
const ASK_AGAIN_MAX: Duration = Duration::from_secs(60);
/// The shortest time between two looks.
const HELD_MIN: Duration = Duration::from_millis(100);

/// The place of one agent in the watch.
pub(super) struct Entry {
    pub id: ReplicaId,
    pub replicas: Arc<watch::Sender<LocalReplicas>>,
    pub events: Arc<Events>,
}

/// Looks at one agent.
pub(super) struct Watcher {
    began: Instant,
    probe: Probe,
    checker: Checker,
    entry: Entry,
    streak: Streak,
    /// When to ask again what it offers.
    ask_again: Option<Instant>,
    pause: Duration,
    /// The connection of the last look, if the port was open.
    held: Option<TcpStream>,
}

/// What one look found.
enum Seen {
    Well,
    /// Nobody listens.
    Closed,
    /// No answer in time; for people.
    Late(String),
    /// An answer that says that it is not well; for people.
    Ill(String),
}

impl Seen {
    const fn told(&self) -> Probed {
        match self {
            Self::Well => Probed::Well,
            Self::Closed => Probed::Closed,
            Self::Late(_) => Probed::Late,
            Self::Ill(_) => Probed::Ill,
        }
    }
}

impl Watcher {
    pub(super) fn new(agent: &AgentSettings, entry: Entry) -> Self {
        Self {
            began: Instant::now(),
            probe: agent.probe.clone(),
            checker: Checker::of(agent),
            entry,
            streak: Streak::new(agent.probe.unhealthy_after, agent.probe.healthy_after),
            ask_again: None,
            pause: ASK_AGAIN_FIRST,
            held: None,
        }
    }

    pub(super) async fn run(mut self, stop: Stop) {
        let looking = async {
            loop {
                self.look().await;
                // The end of the connection ends the wait early; it does not matter which it was.
                let _ = timeout(self.probe.interval, self.ended()).await;
            }
        };
        stop.run_until_cancelled(looking).await;
        self.checker.end().await;
    }

    /// Ends when the agent closes the connection that the last look left open, and never sooner than [`HELD_MIN`]: a
    /// server that closes every connection at once is not looked at without end.
    async fn ended(&self) {
        let soonest = Instant::now() + HELD_MIN;
        port::until_closed(self.held.as_ref()).await;
        sleep(soonest.saturating_duration_since(Instant::now())).await;
    }

    async fn look(&mut self) {
        let Some(known) = self.entry.read() else { return };
        self.held = None;
        let seen = self.see(&known).await;
        self.entry.events.agent_looked_at(known.agent.as_str(), known.id.as_str(), seen.told());
        match seen {
            Seen::Well => {
                let is_enough = self.streak.well();
                if known.serving {
                    if self.ask_again.is_some_and(|at| at <= Instant::now()) {
                        self.ask(&known).await;
                    }
                } else if is_enough {
                    self.begin(&known).await;
                } else if !known.probed {
                    self.withdraw("it has yet to be well in more probes", false);
                }
            }
            Seen::Closed => {
                self.streak.forget();
                self.withdraw("its port is closed", true);
            }
            Seen::Late(trouble) | Seen::Ill(trouble) => {
                if self.streak.ill() || !known.probed {
                    self.withdraw(&trouble, false);
                }
            }
        }
    }

    /// The port first, which costs next to nothing; then whatever else is to be well.
    async fn see(&mut self, known: &LocalReplica) -> Seen {
        let patience = self.probe.timeout;
        let mut held = match port::look(&known.url, patience).await {
            Port::Open(stream) => stream,
            Port::Closed => return Seen::Closed,
            Port::Unclear => return Seen::Late("it does not accept connections in time".to_owned()),
        };
        let checked = tokio::select! {
            biased;
            checked = timeout(patience, self.checker.run(known)) => checked,
            () = port::until_gone(&known.url, &mut held, patience, HELD_MIN) => return Seen::Closed,
        };
        self.held = Some(held);
        match checked {
            Ok(Ok(())) => Seen::Well,
            Ok(Err(error)) => Seen::Ill(describe(&error)),
            Err(_) => Seen::Late(format!("its check takes longer than {} ms", patience.as_millis())),
        }
    }

    async fn begin(&mut self, known: &LocalReplica) {
        if self.probe.ask {
            self.ask(known).await;
        } else {
            self.serve(None, None);
        }
    }

    async fn ask(&mut self, known: &LocalReplica) {
        match introspect(&known.url).await {
            Ok(offer) => {
                self.ask_again = None;
                self.pause = ASK_AGAIN_FIRST;
                self.serve(Some(offer), None);
            }
            Err(error) if error.answered() => {
                self.ask_again = Some(Instant::now() + self.pause);
                self.pause = (self.pause * 2).min(ASK_AGAIN_MAX);
                self.serve(None, Some(describe(&error)));
            }
            Err(error) => {
                // The port was open a moment ago; pause, or a hung agent is asked without end.
                self.withdraw(&describe(&error), false);
                sleep(self.probe.interval).await;
            }
        }
    }

    fn serve(&self, offer: Option<Offer>, trouble: Option<String>) {
        let began = self.began;
        self.entry.change(|replica| {
            if !replica.serving && replica.ready_in.is_some() {
                replica.generation = fresh_generation(Some(replica.generation));
            }
            let ready_in = *replica.ready_in.get_or_insert_with(|| began.elapsed());
            if !replica.serving {
                let tools = offer.as_ref().map_or(0, |offer| offer.tools.len());
                info!(agent = %replica.agent, replica = %replica.id, tools, ready_ms = ready_in.as_millis(), "agent serves");
            }
            if let Some(trouble) = &trouble {
                warn!(agent = %replica.agent, replica = %replica.id, %trouble, "agent serves and is not understood");
            }
            replica.serving = true;
            replica.gone = false;
            replica.offer = offer.map(Arc::new);
            replica.trouble = trouble;
        });
    }

    fn withdraw(&mut self, trouble: &str, gone: bool) {
        self.ask_again = None;
        self.pause = ASK_AGAIN_FIRST;
        self.entry.change(|replica| {
            if replica.serving || !replica.probed {
                warn!(agent = %replica.agent, replica = %replica.id, url = %replica.url, trouble, "agent does not serve");
            }
            replica.serving = false;
            replica.gone = gone;
            replica.trouble = Some(trouble.to_owned());
        });
    }
}

impl Entry {
    fn read(&self) -> Option<LocalReplica> {
        self.replicas.borrow().iter().find(|replica| replica.id == self.id).cloned()
    }

    /// Changes the entry and tells the watchers, if anything is different afterwards.
    fn change(&self, change: impl FnOnce(&mut LocalReplica)) {
        self.replicas.send_if_modified(|replicas| {
            let Some(replica) = replicas.iter_mut().find(|replica| replica.id == self.id) else { return false };
            let before = replica.clone();
            change(replica);
            replica.probed = true;
            self.events.agent_probed(replica.agent.as_str(), replica.id.as_str(), replica.serving);
            *replica != before
        });
    }
}

/// The error with its causes, in one line.
fn describe(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// Unix time in nanoseconds, and always after the one before.
pub(super) fn fresh_generation(before: Option<Generation>) -> Generation {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
    Generation(before.map_or(nanos, |before| nanos.max(before.0.saturating_add(1))))
}
