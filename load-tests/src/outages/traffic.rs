//! Load that goes on until it is told to end, while something else happens to the mesh.
//!
//! In: a target, a dress, a rate. Out: [`Seen`]: the tally, and for each call when it was due, how long it took, what came.
//! Invariant: an open loop: a call that finds no free caller waits, and its wait is part of its time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::BodyExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::error::OutageError;
use crate::echo::answer::read_answer;
use crate::generate::book::Book;
use crate::generate::connection::{ANSWER_MAX, CallError};
use crate::generate::crew::Caller;
use crate::generate::dress::Wardrobe;
use crate::generate::figures::Times;
use crate::generate::pace::{Pace, beat};
use crate::generate::{Crew, Dress, Target};
use crate::tally::{Back, Executed, Tally};

/// Calls of one run, whatever its rate; the log of a run is that long at most.
pub const CALLS_MAX: u64 = 2_000_000;
const WAITING_MAX: usize = 65_536;

/// What became of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Answered,
    /// A success that is not the answer to this call, or not of the replica that holds the session.
    Wrong,
    Refused(u16),
    Lost,
}

/// One call; times count from the start of the traffic.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    pub number: u64,
    pub due: Duration,
    pub took: Duration,
    pub fate: Fate,
}

impl Call {
    pub fn ended(&self) -> Duration {
        self.due + self.took
    }
}

#[derive(Debug)]
pub struct Traffic {
    pub started: Instant,
    book: Book,
    log: Arc<Mutex<Vec<Call>>>,
    is_over: Arc<AtomicBool>,
    callers: JoinSet<Caller>,
    wardrobe: Arc<Wardrobe>,
}

/// Traffic that ended.
#[derive(Debug)]
pub struct Seen {
    pub started: Instant,
    pub tally: Tally,
    /// In the order in which they ended.
    pub calls: Vec<Call>,
}

/// Everything one caller needs.
#[derive(Clone)]
struct Errand {
    started: Instant,
    book: Book,
    log: Arc<Mutex<Vec<Call>>>,
    is_over: Arc<AtomicBool>,
    waiting: Arc<tokio::sync::Mutex<mpsc::Receiver<Instant>>>,
    wardrobe: Arc<Wardrobe>,
}

impl Traffic {
    /// Connects the callers, opens their sessions if the dress asks for them, and begins.
    pub async fn start(target: &Target, dress: &Dress, callers: usize, per_second: u64) -> Result<Self, OutageError> {
        let crew = Crew::hire(target, dress, callers).await?;
        let (due, waiting) = mpsc::channel(WAITING_MAX);
        let errand = Errand {
            started: Instant::now(),
            book: Book::new(CALLS_MAX),
            log: Arc::default(),
            is_over: Arc::default(),
            waiting: Arc::new(tokio::sync::Mutex::new(waiting)),
            wardrobe: Arc::clone(&crew.wardrobe),
        };
        beat(Pace::new(errand.started, per_second), CALLS_MAX, due).map_err(crate::generate::crew::CrewError::from)?;
        let mut under_way = JoinSet::new();
        for caller in crew.callers {
            under_way.spawn(errand.clone().run(caller));
        }
        let Errand { started, book, log, is_over, wardrobe, .. } = errand;
        Ok(Self { started, book, log, is_over, callers: under_way, wardrobe })
    }

    /// Calls that ended until now, and how many of them were not answered rightly.
    pub fn so_far(&self) -> (usize, usize) {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        (log.len(), log.iter().filter(|call| call.fate != Fate::Answered).count())
    }

    /// Gives out no further calls, and waits for those that are under way.
    pub async fn end(mut self) -> Result<Seen, OutageError> {
        self.is_over.store(true, Ordering::Relaxed);
        let mut callers = Vec::new();
        while let Some(caller) = self.callers.join_next().await {
            callers.push(caller?);
        }
        Crew { wardrobe: self.wardrobe, callers }.dismiss().await;
        let figures = self.book.close(Executed::default(), self.started.elapsed());
        let calls = std::mem::take(&mut *self.log.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(Seen { started: self.started, tally: figures.tally, calls })
    }
}

impl Errand {
    async fn run(self, mut caller: Caller) -> Caller {
        loop {
            let Some(due) = self.waiting.lock().await.recv().await else { return caller };
            if self.is_over.load(Ordering::Relaxed) {
                return caller;
            }
            let Some(number) = self.book.write(|ledger, _| ledger.next_number()) else { return caller };
            let fate = self.call(&mut caller, number).await;
            let call = Call { number, due: due.saturating_duration_since(self.started), took: due.elapsed(), fate };
            self.log.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        }
    }

    async fn call(&self, caller: &mut Caller, number: u64) -> Fate {
        let request = self.wardrobe.call(number, caller.session.as_ref());
        let back = ask(caller, request).await;
        let home = caller.session.as_ref().map(|session| session.home.as_str());
        let asked = self.wardrobe.dress.mix.ask(number);
        let (back, fate) = match &back {
            Ok((status, bytes)) if (200..300).contains(status) => {
                let answer = read_answer(bytes, asked).filter(|answer| answer.number == number);
                let is_right = answer.is_some_and(|answer| home.is_none_or(|home| home == answer.replica));
                (Back::Answer(bytes), if is_right { Fate::Answered } else { Fate::Wrong })
            }
            Ok((status, _)) => (Back::Refused(*status), Fate::Refused(*status)),
            Err(_) => (Back::Lost, Fate::Lost),
        };
        self.book.write(|ledger, _| ledger.settle(number, asked, home, back));
        fate
    }
}

async fn ask(
    caller: &mut Caller,
    request: http::Request<http_body_util::Full<bytes::Bytes>>,
) -> Result<(u16, bytes::Bytes), CallError> {
    let response = caller.connection.send(request).await?;
    let status = response.status().as_u16();
    let body = tokio::time::timeout(ANSWER_MAX, response.into_body().collect());
    let body = body.await.map_err(|_| CallError::Slow)??;
    Ok((status, body.to_bytes()))
}

impl Seen {
    /// The times of the calls that were due within a part of the run.
    pub fn times(&self, from: Duration, to: Duration) -> Times {
        let mut times = Times::default();
        for call in self.calls.iter().filter(|call| call.due >= from && call.due < to) {
            times.record(call.took);
        }
        times
    }

    pub fn all_times(&self) -> Times {
        self.times(Duration::ZERO, Duration::MAX)
    }

    /// How often each thing other than a right answer came, in words.
    pub fn faults(&self) -> String {
        let mut counts = std::collections::BTreeMap::<String, usize>::new();
        for call in self.calls.iter().filter(|call| call.fate != Fate::Answered) {
            let name = match call.fate {
                Fate::Refused(status) => format!("HTTP {status}"),
                other => format!("{other:?}").to_lowercase(),
            };
            *counts.entry(name).or_default() += 1;
        }
        if counts.is_empty() {
            return "none".to_owned();
        }
        counts.iter().map(|(name, count)| format!("{count} × {name}")).collect::<Vec<_>>().join(", ")
    }
}
