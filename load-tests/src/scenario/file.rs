//! The keys of a scenario's file, and the one door from them to a [`Scenario`].
//!
//! In: a [`ScenarioFile`]. Out: a scenario, or the key that is wrong and how.

use serde::Deserialize;

use super::plan::{CALLS_MAX, CONNECTIONS_MAX, ROUNDS_MAX, SECONDS_MAX, Scenario};
use super::words::{Load, PeerName, Suite, Way};
use crate::echo::fill::FILL_BYTES_MAX;
use crate::echo::list::TOOLS_MAX;
use crate::echo::{Ask, Era, Form, Mix};
use crate::generate::Dress;

/// Kinds of calls in one mix, beside the first.
const KINDS_MAX: usize = 16;
const WEIGHT_MAX: u32 = 1_000;
const CHANGES_MAX: u64 = 100;

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LoadFile {
    Saturate,
    Rate,
    Sessions,
    Streams,
    Feeds,
    Idle,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EraFile {
    #[default]
    Legacy,
    Modern,
}

/// One kind of call in a mix.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KindFile {
    weight: u32,
    #[serde(default)]
    events: u32,
    #[serde(default)]
    every_ms: u32,
    #[serde(default)]
    tools: usize,
    #[serde(default = "hundred")]
    padding_bytes: usize,
    #[serde(default)]
    reply_bytes: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// Name in results and tables.
    name: String,
    /// One sentence for the reader of a table.
    says: String,
    #[serde(default)]
    suite: Suite,
    way: Way,
    peers: Vec<PeerName>,
    #[serde(default = "one")]
    replicas: usize,
    rounds: usize,
    load: LoadFile,
    connections: usize,
    /// Calls of a run: `saturate`, `sessions`, `streams`; for `idle`, calls before memory is looked at again.
    #[serde(default)]
    calls: u64,
    /// `rate`: how fast, and how long.
    #[serde(default)]
    per_second: u64,
    #[serde(default)]
    seconds: u64,
    /// `sessions`: calls between opening and closing.
    #[serde(default)]
    calls_each: u64,
    /// Events before the answer (`feeds`: events on each stream), and the pause between two.
    #[serde(default)]
    events: u32,
    #[serde(default)]
    every_ms: u32,
    /// `feeds`: open streams of each caller; `idle`: open streams, beside the connections.
    #[serde(default)]
    streams: usize,
    /// `idle`: sessions that are opened and not closed.
    #[serde(default)]
    sessions: u64,
    #[serde(default)]
    era: EraFile,
    /// Each caller opens a session before the run and calls within it.
    #[serde(default)]
    session: bool,
    /// `tools/list` instead of calls, with so many tools.
    #[serde(default)]
    tools: usize,
    /// Text added to the arguments of each call.
    #[serde(default = "hundred")]
    padding_bytes: usize,
    /// Text in each answer.
    #[serde(default)]
    reply_bytes: usize,
    /// Several kinds of calls, instead of the keys above.
    #[serde(default)]
    mix: Vec<KindFile>,
    /// Decides which call is of which kind, and which name it goes to.
    #[serde(default)]
    seed: u64,
    /// For the peers that are changing.
    #[serde(default)]
    changes_per_second: u64,
}

const fn one() -> usize {
    1
}

const fn hundred() -> usize {
    100
}

pub type Wrong = (&'static str, &'static str);

fn within(good: bool, key: &'static str, wrong: &'static str) -> Result<(), Wrong> {
    if good { Ok(()) } else { Err((key, wrong)) }
}

impl KindFile {
    fn ask(&self) -> Result<Ask, Wrong> {
        within(self.padding_bytes <= FILL_BYTES_MAX, "padding_bytes", "is over 1 MiB")?;
        within(self.reply_bytes <= FILL_BYTES_MAX, "reply_bytes", "is over 1 MiB")?;
        within(self.tools <= TOOLS_MAX, "tools", "is over 500")?;
        within((1..=WEIGHT_MAX).contains(&self.weight), "weight", "is not between 1 and 1000")?;
        let form = match (self.events, self.tools) {
            (0, 0) => Form::Json,
            (count, 0) => Form::Events { count, every_ms: self.every_ms },
            (0, tools) => Form::List { tools },
            _ => return Err(("tools", "has no events")),
        };
        Ok(Ask { form, padding_bytes: self.padding_bytes, reply_bytes: self.reply_bytes })
    }
}

impl ScenarioFile {
    pub fn check(self) -> Result<Scenario, Wrong> {
        within(!self.peers.is_empty(), "peers", "names nobody")?;
        within((1..=ROUNDS_MAX).contains(&self.rounds), "rounds", "is not between 1 and 50")?;
        within((1..=CONNECTIONS_MAX).contains(&self.connections), "connections", "is not between 1 and 4000")?;
        within((1..=8).contains(&self.replicas), "replicas", "is not between 1 and 8")?;
        let alone = self.peers.iter().all(|peer| peer.knows_sessions());
        within(self.replicas == 1 || alone, "replicas", "is more than 1 for peers that do not know sessions")?;
        let changing = self.peers.iter().any(|peer| peer.is_changing());
        let changes = if changing { 1..=CHANGES_MAX } else { 0..=0 };
        let wrong = "is not between 1 and 100 with a changing peer, or is there without one";
        within(changes.contains(&self.changes_per_second), "changes_per_second", wrong)?;
        let one_hop = self.way == Way::OneHop || !self.peers.iter().any(|peer| peer.is_one_hop());
        within(one_hop, "way", "is two hops for peers that are set up for one")?;
        let era = match self.era {
            EraFile::Legacy => Era::Legacy,
            EraFile::Modern => Era::Modern,
        };
        within(era == Era::Legacy || !self.session, "session", "does not exist in the modern era")?;
        let load = self.load()?;
        let dress = Dress { era, session: self.session, mix: self.mix()? };
        Ok(Scenario {
            name: self.name,
            says: self.says,
            suite: self.suite,
            way: self.way,
            peers: self.peers,
            replicas: self.replicas,
            rounds: self.rounds,
            connections: self.connections,
            load,
            changes_per_second: self.changes_per_second,
            dress,
        })
    }

    fn mix(&self) -> Result<Mix, Wrong> {
        let plain = KindFile {
            weight: 1,
            // The events of open streams are not those of calls.
            events: if matches!(self.load, LoadFile::Feeds) { 0 } else { self.events },
            every_ms: self.every_ms,
            tools: self.tools,
            padding_bytes: self.padding_bytes,
            reply_bytes: self.reply_bytes,
        };
        let Some((first, rest)) = self.mix.split_first() else {
            return Ok(Mix::of(self.seed, (1, plain.ask()?), Vec::new()));
        };
        let own = plain.ask()? != Ask::PLAIN;
        within(!own && rest.len() <= KINDS_MAX, "mix", "stands beside keys of a single kind, or has over 17 kinds")?;
        let rest = rest.iter().map(|kind| Ok((kind.weight, kind.ask()?))).collect::<Result<_, Wrong>>()?;
        Ok(Mix::of(self.seed, (first.weight, first.ask()?), rest))
    }

    fn load(&self) -> Result<Load, Wrong> {
        let calls =
            |calls| within((1..=CALLS_MAX).contains(&calls), "calls", "is not between 1 and 2000000").map(|()| calls);
        match self.load {
            LoadFile::Saturate => Ok(Load::Saturate { calls: calls(self.calls)? }),
            LoadFile::Rate => {
                within((1..=SECONDS_MAX).contains(&self.seconds), "seconds", "is not between 1 and 60")?;
                let calls = calls(self.per_second.saturating_mul(self.seconds))?;
                Ok(Load::Rate { per_second: self.per_second, calls })
            }
            LoadFile::Sessions if self.calls_each == 0 => Err(("calls_each", "is missing")),
            LoadFile::Sessions if self.session => Err(("session", "is what this load opens by itself")),
            LoadFile::Sessions => Ok(Load::Sessions { calls: calls(self.calls)?, calls_each: self.calls_each }),
            LoadFile::Streams if self.events == 0 => Err(("events", "is missing")),
            LoadFile::Streams => Ok(Load::Streams { calls: calls(self.calls)? }),
            LoadFile::Feeds => self.feeds(),
            LoadFile::Idle => {
                within(self.streams <= CONNECTIONS_MAX, "streams", "is over 4000")?;
                within(self.sessions <= CALLS_MAX, "sessions", "is over 2000000")?;
                within(self.calls <= CALLS_MAX, "calls", "is over 2000000")?;
                Ok(Load::Idle { streams: self.streams, sessions: self.sessions, calls: self.calls })
            }
        }
    }

    fn feeds(&self) -> Result<Load, Wrong> {
        let streams = self.streams.saturating_mul(self.connections);
        within((1..=CONNECTIONS_MAX).contains(&streams), "streams", "is not between 1 and 4000 over all connections")?;
        within(self.events > 0, "events", "is missing")?;
        let (events, every_ms) = (u64::from(self.events), self.every_ms);
        let time = events.saturating_mul(u64::from(every_ms));
        within(time <= SECONDS_MAX * 1_000, "every_ms", "makes a run of over 60 seconds")?;
        within(events.saturating_mul(streams as u64) <= CALLS_MAX, "events", "is over 2000000 over all streams")?;
        Ok(Load::Feeds { streams: self.streams, events, every_ms })
    }
}
