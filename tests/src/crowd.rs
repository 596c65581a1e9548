//! Many callers at once: each has something of its own at one replica, and chance chooses the proxy for each of its calls.
//!
//! In: what they do (a [`Habit`]), the proxies, how many calls, how many of them at one time. Out: [`Seen`].
//! Never here: what an answer must say; that is for the habit to know.
//! Invariant: a member makes one call at a time, so what it must hear next is known; a run ends by its calls or by its time.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ::http::Method;
use anyhow::{Context, Result, bail, ensure};
use fastrand::Rng;
use tokio::task::JoinSet;

use crate::http::{Kept, Reply};
use crate::wait;

/// Calls that are under way at one time, unless a test asks for others.
pub const AT_ONCE: usize = 16;
/// Nothing that works comes near it, on a machine that has other work as well.
const LIMIT: Duration = Duration::from_secs(180);
/// Texts of what went wrong that are kept; all of it is counted.
const TEXTS_MAX: usize = 12;
/// A seed that was printed makes the same choices again.
const SEED: &str = "CROWD_SEED";

/// What each member of a crowd does, again and again.
pub trait Habit: Clone + Send + Sync + 'static {
    type Member: Send + 'static;

    /// Makes what a member calls its own, through one proxy.
    fn arrive(&self, line: &mut Line, number: usize) -> impl Future<Output = Result<Self::Member>> + Send;

    /// One call, through one proxy. An error is a call that failed.
    fn step(&self, member: &mut Self::Member, line: &mut Line) -> impl Future<Output = Result<Heard>> + Send;
}

/// What an answer was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Right,
    /// The answer of a replica that does not have what is this member's own; in its own words.
    Misrouted(String),
}

/// A kept connection to one proxy.
pub struct Line {
    pub url: String,
    kept: Kept,
}

pub struct Crowd<H: Habit> {
    pub habit: H,
    /// Each with its number, by which what became of it is told.
    pub members: Vec<(usize, H::Member)>,
    pub at_once: usize,
    urls: Vec<String>,
    chance: Rng,
    seed: u64,
    pulse: Pulse,
}

/// How far a run has come, for whoever disturbs it.
#[derive(Clone, Default)]
pub struct Pulse(Arc<Beats>);

#[derive(Default)]
struct Beats {
    /// Calls that ended since the crowd gathered.
    calls: AtomicU64,
    /// Calls after which the run ends.
    until: AtomicU64,
}

/// What became of the calls of a run.
#[derive(Debug, Default)]
pub struct Seen {
    pub calls: u64,
    pub misrouted: u64,
    /// How many calls of a member failed; who is not in it lost none.
    pub failed_of: BTreeMap<usize, u64>,
    /// The first of what went wrong, in words.
    pub texts: Vec<String>,
    pub longest: Duration,
    pub took: Duration,
}

impl Line {
    pub fn to(url: &str) -> Self {
        Self { url: url.to_owned(), kept: Kept::default() }
    }

    pub async fn post(&mut self, headers: &[(&str, &str)], body: String) -> Result<Reply> {
        self.kept.send(Method::POST, &self.url, headers, body).await
    }
}

impl<H: Habit> Crowd<H> {
    /// So many members, each having arrived through a proxy that chance chose.
    pub async fn gather(habit: H, urls: &[String], count: usize) -> Result<Self> {
        let seed = match std::env::var(SEED) {
            Ok(text) => text.parse().with_context(|| format!("{SEED}: `{text}` is no number"))?,
            Err(_) => fastrand::u64(..),
        };
        ensure!(!urls.is_empty() && count > 0, "a crowd has members and proxies");
        let mut crowd = Self {
            habit,
            members: vec![],
            at_once: AT_ONCE,
            urls: urls.to_owned(),
            chance: Rng::with_seed(seed),
            seed,
            pulse: Pulse::default(),
        };
        let mut arriving = JoinSet::new();
        for share in split((0..count).collect(), AT_ONCE) {
            let (habit, mut visit) = (crowd.habit.clone(), crowd.visit());
            arriving.spawn(async move {
                let mut arrived = vec![];
                for number in share {
                    let member = habit.arrive(visit.any_line()?, number).await;
                    arrived.push((number, member.with_context(|| format!("member {number} does not arrive"))?));
                }
                Ok::<_, anyhow::Error>(arrived)
            });
        }
        while let Some(arrived) = arriving.join_next().await {
            crowd.members.extend(arrived??);
        }
        // Who arrived first is chance of another kind than that of the seed.
        crowd.members.sort_by_key(|(number, _)| *number);
        Ok(crowd)
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    fn visit(&mut self) -> Visit {
        Visit { lines: self.urls.iter().map(|url| Line::to(url)).collect(), chance: self.chance.fork() }
    }

    /// Each member once through each proxy, so that every proxy has met everybody.
    pub async fn tour(&mut self) -> Result<Seen> {
        let rounds = self.urls.len();
        self.all(move |visit, members| Turns::Tour { rounds, members, at: 0, lines: visit.lines.len() }).await
    }

    /// So many calls in all: a member by chance, through a proxy by chance.
    pub async fn run(&mut self, calls: u64) -> Result<Seen> {
        self.pulse.0.until.store(self.pulse.now().saturating_add(calls), Ordering::Relaxed);
        self.all(move |_, members| Turns::Chance { members }).await
    }

    async fn all(&mut self, turns: impl Fn(&Visit, usize) -> Turns) -> Result<Seen> {
        let begun = Instant::now();
        let mut working = JoinSet::new();
        for mut members in split(std::mem::take(&mut self.members), self.at_once) {
            let (habit, mut visit, pulse) = (self.habit.clone(), self.visit(), self.pulse.clone());
            let mut turns = turns(&visit, members.len());
            working.spawn(async move {
                let mut seen = Seen::default();
                while let Some((member, line)) = turns.next(&pulse, &mut visit.chance) {
                    if begun.elapsed() > LIMIT {
                        bail!("not done within {LIMIT:?}: {seen}");
                    }
                    let (number, member) = members.get_mut(member).context("a member")?;
                    let line = match line {
                        Some(line) => visit.lines.get_mut(line).context("a line")?,
                        None => visit.any_line()?,
                    };
                    let asked = Instant::now();
                    let heard = habit.step(member, line).await;
                    seen.note(*number, heard, asked.elapsed(), &line.url);
                    pulse.0.calls.fetch_add(1, Ordering::Relaxed);
                }
                Ok((members, seen))
            });
        }
        let mut sum = Seen::default();
        while let Some(done) = working.join_next().await {
            let (members, seen) = done??;
            self.members.extend(members);
            sum.add(seen);
        }
        self.members.sort_by_key(|(number, _)| *number);
        sum.took = begun.elapsed();
        Ok(sum)
    }
}

/// Whose turn it is, and through which proxy; no proxy is any.
enum Turns {
    Tour { rounds: usize, members: usize, at: usize, lines: usize },
    Chance { members: usize },
}

impl Turns {
    fn next(&mut self, pulse: &Pulse, chance: &mut Rng) -> Option<(usize, Option<usize>)> {
        match self {
            Self::Tour { rounds, members, at, lines } => {
                let turn = *at;
                *at += 1;
                let (round, member) = (turn / *members, turn % *members);
                (round < *rounds).then_some((member, Some((round + member) % *lines)))
            }
            // Calls that are under way come on top: at most as many as there are at one time.
            Self::Chance { members } => {
                let until = pulse.0.until.load(Ordering::Relaxed);
                (pulse.now() < until).then(|| (chance.usize(..*members), None))
            }
        }
    }
}

/// One walk over the proxies.
struct Visit {
    lines: Vec<Line>,
    chance: Rng,
}

impl Visit {
    fn any_line(&mut self) -> Result<&mut Line> {
        let at = self.chance.usize(..self.lines.len());
        self.lines.get_mut(at).context("a line")
    }
}

impl Pulse {
    /// Waits until so many calls have ended since the crowd gathered.
    pub async fn reaches(&self, calls: u64) -> Result<()> {
        wait::until(&format!("{calls} calls"), async || {
            let done = self.now();
            ensure!(done >= calls, "{done}");
            Ok(())
        })
        .await
    }

    /// Waits for so many calls more.
    pub async fn beats(&self, calls: u64) -> Result<()> {
        self.reaches(self.now() + calls).await
    }

    pub fn now(&self) -> u64 {
        self.0.calls.load(Ordering::Relaxed)
    }

    /// Ends the run before it has made all of its calls.
    pub fn is_enough(&self) {
        self.0.until.store(0, Ordering::Relaxed);
    }
}

impl Seen {
    fn note(&mut self, number: usize, heard: Result<Heard>, took: Duration, url: &str) {
        self.calls += 1;
        self.longest = self.longest.max(took);
        let text = match heard {
            Ok(Heard::Right) => return,
            Ok(Heard::Misrouted(text)) => {
                self.misrouted += 1;
                format!("misrouted: {text}")
            }
            Err(error) => {
                *self.failed_of.entry(number).or_default() += 1;
                format!("failed: {error:#}")
            }
        };
        if self.texts.len() < TEXTS_MAX {
            self.texts.push(format!("member {number} through {url} after {took:?}: {text}"));
        }
    }

    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.misrouted += other.misrouted;
        self.longest = self.longest.max(other.longest);
        self.failed_of.extend(other.failed_of);
        self.texts.extend(other.texts);
        self.texts.truncate(TEXTS_MAX);
    }

    pub fn failed(&self) -> u64 {
        self.failed_of.values().sum()
    }

    /// The most calls that one member lost.
    pub fn failed_most(&self) -> u64 {
        self.failed_of.values().copied().max().unwrap_or_default()
    }

    /// Whether every call was answered by the replica that it was meant for.
    pub fn is_clean(&self) -> bool {
        self.misrouted == 0 && self.failed_of.is_empty()
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, misrouted, longest, took, .. } = self;
        let per_second = *calls as f64 / took.as_secs_f64().max(0.001);
        write!(f, "{calls} calls in {:.1} s ({per_second:.0}/s), {misrouted} misrouted, ", took.as_secs_f64())?;
        write!(f, "{} failed, the longest took {longest:?}", self.failed())?;
        self.texts.iter().try_for_each(|text| write!(f, "\n  {text}"))
    }
}

/// Into so many shares of nearly the same size, none of them empty.
fn split<T>(all: Vec<T>, shares: usize) -> Vec<Vec<T>> {
    let shares = shares.clamp(1, all.len().max(1));
    let mut split: Vec<Vec<T>> = (0..shares).map(|_| vec![]).collect();
    for (at, one) in all.into_iter().enumerate() {
        if let Some(share) = split.get_mut(at % shares) {
            share.push(one);
        }
    }
    split.retain(|share| !share.is_empty());
    split
}
