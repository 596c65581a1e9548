//! The loop of the writer: what waits in the queue is applied together, stored in one transaction, then answered.
//!
//! Invariant: answers are given in the order of the commands, after the store had its chance to take them.

mod rollouts;
mod intents;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use outrigger_control_core::event::{Event, EventKind};
use outrigger_control_core::intent::history::History;
use outrigger_control_core::keyring::{Keys, Turn};
use outrigger_control_core::moment::{Moment, Now};
use outrigger_control_core::port::Store;
use outrigger_control_core::registry::{Answer, Applied, Command, Registry};
use outrigger_model::resource::Serial;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::causes::chain;
use crate::store::{AnyStore, StoreError};

use super::chance;
use super::message::{Answered, Declared, Message, NotRotated, Storing};
use super::pending::Pending;
use super::picture::{self, Head, Picture};
use super::reign::NotLeading;
use super::stage::Stage;
use super::trial::{NotMoved, Trials};

/// Messages that share one transaction.
const BATCH_MAX: usize = 512;
/// A picture is shown when the facts were quiet for this long…
const QUIET: Duration = Duration::from_millis(25);
/// …or when this has passed since the first change that it does not have.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long a store that failed is left alone.
const RETRY_AFTER: Duration = Duration::from_secs(1);

pub struct Task {
    store: AnyStore,
    registry: Registry,
    history: History,
    main: Head,
    /// Whether the store may hold a record that it did not acknowledge.
    is_unsure: bool,
    keys: Keys,
    trials: Trials,
    pending: Pending,
    started: Instant,
    stage: Stage,
    declared: Declared,
    /// The next picture has at least this serial, and so has every view.
    floor: Serial,
    unshown: Option<Unshown>,
    retry_at: Option<Instant>,
    is_deposed: bool,
}

/// Why the writer ended.
pub enum Ended {
    Stopped,
    /// Another replica leads. What it was last told to go by is handed back.
    Deposed(Box<Declared>),
}

/// Changes that no picture has yet.
struct Unshown {
    first: Instant,
    newest: Instant,
    changes: usize,
    /// The first of them, in words.
    reason: String,
}

impl Unshown {
    fn due(&self) -> Instant {
        (self.newest + QUIET).min(self.first + PATIENCE)
    }
}

impl Task {
    pub fn new(
        store: AnyStore,
        (registry, history, keys, trials): (Registry, History, Keys, Trials),
        started: Instant,
        stage: Stage,
        declared: Declared,
    ) -> Self {
        let main = stage.show.borrow().main.clone();
        Self {
            store,
            registry,
            history,
            main,
            is_unsure: false,
            keys,
            trials,
            pending: Pending::default(),
            started,
            stage,
            declared,
            floor: Serial::default(),
            unshown: None,
            retry_at: None,
            is_deposed: false,
        }
    }

    /// Until `stop`, or until another replica leads.
    pub async fn run(
        mut self,
        messages: &mut mpsc::Receiver<Message>,
        stop: &CancellationToken,
        over: impl Future<Output = ()>,
    ) -> Ended {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        let mut over = std::pin::pin!(over);
        loop {
            if self.is_deposed {
                return Ended::Deposed(Box::new(self.declared));
            }
            let (show_at, retry_at) = (self.unshown.as_ref().map(Unshown::due), self.retry_at);
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = &mut over => self.is_deposed = true,
                () = until(show_at) => self.show(),
                () = until(retry_at) => self.store().await,
                count = messages.recv_many(&mut batch, BATCH_MAX) => {
                    if count == 0 {
                        break;
                    }
                    self.take(&mut batch).await;
                }
            }
        }
        // What was sent before the end is still taken; nobody can send more.
        messages.close();
        while messages.recv_many(&mut batch, BATCH_MAX).await > 0 {
            self.take(&mut batch).await;
        }
        if !self.pending.is_empty() {
            self.store().await;
        }
        Ended::Stopped
    }

    fn now(&self) -> Now {
        Now { moment: Moment::from_start(self.started.elapsed()), time: SystemTime::now() }
    }

    async fn take(&mut self, batch: &mut Vec<Message>) {
        let mut answers = Vec::with_capacity(batch.len());
        let (mut rotated, mut declarations, mut moves) = (Vec::new(), Vec::new(), Vec::new());
        for message in batch.drain(..) {
            match message {
                Message::Apply { command, answer } => {
                    let told = self.apply(command);
                    answers.push((answer, Answered { answer: told, serial: self.next_serial() }));
                }
                Message::Record(recorded) => self.pending.record(recorded),
                Message::Declare { declared, answer } => declarations.push((answer, self.declare(*declared).await)),
                Message::Publish { wanted, answer } => declarations.push((answer, self.publish(*wanted).await)),
                Message::Rollout(asked) => moves.push(self.asked(asked).await),
                Message::Tallies { answer } => {
                    // Whoever asked may have gone.
                    let _ = answer.send(self.registry.tallies());
                }
                Message::Overtake { floor } => self.overtake(floor),
                Message::RotateKey { answer } => rotated.push((answer, self.rotate())),
                Message::LastHeard { answer } => {
                    // Whoever asked may have gone.
                    let _ = answer.send(self.registry.last_heard(self.now()));
                }
            }
        }
        // A key that the store may not have got yet is not to seal.
        if self.retry_at.is_none() {
            let now = self.now();
            let turns = chance::turn(&mut self.keys, now);
            self.turned(&turns);
        }
        if !self.pending.is_empty() && self.retry_at.is_none() {
            self.store().await;
        }
        let elsewhere = self.is_deposed.then(NotLeading::default);
        for (answer, number) in rotated {
            let _ = answer.send(elsewhere.clone().map_or(number, |it| Err(it.into())));
        }
        for (answer, moved) in moves {
            let elsewhere = elsewhere.clone().map(|it| NotMoved::NotPublished(it.into()));
            let _ = answer.send(elsewhere.map_or(moved, Err));
        }
        for (answer, declaration) in declarations {
            let _ = answer.send(elsewhere.clone().map_or(declaration, |it| Err(it.into())));
        }
        for (answer, answered) in answers {
            let answer: oneshot::Sender<Result<Answered, NotLeading>> = answer;
            let _ = answer.send(elsewhere.clone().map_or(Ok(answered), Err));
        }
    }

    fn apply(&mut self, command: Command) -> Answer {
        // Without the shared store nobody knows who leads: no lease ends, and all get time once it is back.
        if matches!(command, Command::Sweep) && self.retry_at.is_some() && self.store.is_shared() {
            return Answer::Noted;
        }
        let mut applied = self.registry.apply(command, self.now());
        for event in &applied.events {
            say(event);
        }
        if applied.is_relevant {
            let count = applied.touched.len() + usize::from(applied.revoked.is_some()) + applied.released.len();
            self.changed(reason(&applied), count);
        }
        let answer = std::mem::take(&mut applied.answer);
        self.pending.add(applied);
        answer
    }

    /// The next picture differs from the one that is shown.
    fn changed(&mut self, reason: String, changes: usize) {
        let now = Instant::now();
        let unshown = self.unshown.get_or_insert(Unshown { first: now, newest: now, changes: 0, reason });
        unshown.newest = now;
        unshown.changes += changes;
    }

    /// A watcher runs a snapshot that was published and never stored: whatever comes next is later than that.
    fn overtake(&mut self, floor: Serial) {
        if floor <= self.floor {
            return;
        }
        self.floor = floor;
        let (kind, subject) = (EventKind::SerialOvertaken, "control".to_owned());
        self.changed(format!("{subject}: {kind}"), 1);
        let detail = format!("a watcher runs a snapshot that no store has; the next one is at least {floor}");
        self.apply(Command::Note { kind, subject, detail });
    }

    fn rotate(&mut self) -> Result<u32, NotRotated> {
        if self.retry_at.is_some() {
            return Err(NotRotated::Storing);
        }
        let turn = self.keys.add(chance::secret().ok_or(NotRotated::Chance)?, self.now())?;
        self.turned(&[turn]);
        Ok(turn.id())
    }

    /// Has it told, stored and shared that keys turned.
    fn turned(&mut self, turns: &[Turn]) {
        let kind = EventKind::SessionKeyTurned;
        for turn in turns {
            let (subject, detail) = (format!("key {}", turn.id()), turn.detail().to_owned());
            self.changed(format!("{subject}: {kind}"), 1);
            self.apply(Command::Note { kind, subject, detail });
        }
        if !turns.is_empty() {
            self.pending.set_keys(self.keys.held().to_vec());
        }
    }

    /// The serial of the next picture if there will be one, else of the one that is shown.
    fn next_serial(&self) -> Serial {
        let shown = self.stage.show.borrow().serial;
        if self.unshown.is_some() { Serial(shown.0.saturating_add(1)).max(self.floor) } else { shown }
    }

    async fn store(&mut self) {
        let batch = self.pending.batch(&self.registry, self.next_serial());
        match self.store.commit(&batch).await {
            Ok(()) => {
                self.pending.clear();
                if self.retry_at.take().is_some() {
                    self.stage.tell.send_replace(Storing::Fine);
                    self.apply(note(EventKind::StoreRecovered, "everything that waited is stored"));
                }
                self.settle().await;
            }
            Err(error) => self.not_stored(&error),
        }
    }

    fn not_stored(&mut self, error: &StoreError) {
        if matches!(error, StoreError::Deposed { .. }) {
            self.is_deposed = true;
            return;
        }
        if self.retry_at.is_none() {
            let detail = chain(error);
            warn!(error = detail, "store failed; facts are kept in memory and will be stored later");
            self.apply(note(EventKind::StoreFailed, &detail));
            self.stage.tell.send_replace(Storing::Failing { since: SystemTime::now(), error: detail });
        }
        self.retry_at = Some(Instant::now() + RETRY_AFTER);
    }

    fn show(&mut self) {
        let serial = self.next_serial();
        let Some(unshown) = self.unshown.take() else { return };
        let reason = match unshown.changes {
            0 | 1 => unshown.reason,
            more => format!("{} (and {} more)", unshown.reason, more - 1),
        };
        let last = self.stage.show.borrow().clone();
        let (facts, book) = (self.registry.facts().clone(), self.registry.book().clone());
        let mesh = picture::mesh(&last, &facts);
        let picture = Picture {
            epoch: last.epoch,
            serial,
            overtaken: self.floor,
            facts,
            mesh,
            main: self.main.clone(),
            trial: self.trials.trial.clone(),
            lanes_since: self.trials.since,
            book,
            keyring: Arc::new(self.keys.ring()),
            reason,
            made_at: SystemTime::now(),
        };
        self.stage.show.send_replace(Arc::new(picture));
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn note(kind: EventKind, detail: &str) -> Command {
    Command::Note { kind, subject: "store".to_owned(), detail: detail.to_owned() }
}

/// The first change of a command, in words.
fn reason(applied: &Applied) -> String {
    let first = applied.events.first().map(|event| format!("{}: {}", event.subject, event.kind));
    let left = || applied.released.first().map(|target| format!("{target}: its revocation is too old"));
    first.or_else(left).unwrap_or_default()
}

fn say(event: &Event) {
    let Event { kind, subject, detail, .. } = event;
    match kind {
        EventKind::LeasesHeld | EventKind::ReportRefused => warn!(kind = kind.as_str(), subject, detail, "event"),
        _ => info!(kind = kind.as_str(), subject, detail, "event"),
    }
}
