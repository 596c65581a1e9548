//! One seed, played: replicas with scripted faults, calls of each kind, and what control changes meanwhile.
//!
//! In: a seed. Out: nothing, or the promise that was broken.
//! Invariant: the same seed plays the same; time is virtual and only ever goes on.

mod playing;

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use outrigger_model::pool::Balance;
use outrigger_model::route::Affinity;
use outrigger_proxy_core::live::InFlight;
use outrigger_proxy_core::outcome::Outcome;
use outrigger_proxy_core::world::endpoint::Endpoint;
use outrigger_proxy_core::world::judged::Ended;
use outrigger_proxy_core::world::table::World;

use crate::budget::Budget;
use crate::chance::Chance;
use crate::drive::{Store, Written};
use crate::model::{self, Kind, Shown};
use crate::promises::{Known, Trace};
use crate::script::{Behaviour, FAULTS, Script};
use crate::stage::Stage;
use playing::Playing;

/// Of one scenario; far more than it opens.
const SESSIONS_MAX: usize = 40;
/// Longer than anything is left alone.
const HEALED: u64 = 31_000;

static LIST: LazyLock<Written> =
    LazyLock::new(|| Written::new("MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/list\r\n", "", None));
static CALL: LazyLock<Written> = LazyLock::new(|| {
    Written::new("MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: note\r\n", "", Some("note"))
});
static REPEATABLE: LazyLock<Written> = LazyLock::new(|| {
    let fields = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: get_it\r\n";
    Written::new(fields, "", Some("get_it"))
});
static INITIALIZE: LazyLock<Written> =
    LazyLock::new(|| Written::new("", r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#, None));
static IN_SESSION: LazyLock<Vec<Written>> = LazyLock::new(|| {
    let body = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"note"}}"#;
    (0..SESSIONS_MAX).map(|at| Written::new(&format!("Mcp-Session-Id: s-{at}\r\n"), body, Some("note"))).collect()
});

struct Play {
    chance: Chance,
    stage: Stage,
    world: Arc<World>,
    store: Store,
    ms: u64,
    scripts: Vec<Script>,
    replicas: Vec<model::Replica>,
    budget: Budget,
    /// Where each session lives; none where its process is gone.
    homes: Vec<Option<usize>>,
    /// Answers under way.
    flying: Vec<Flying>,
    /// How often balance chose each replica for a first attempt.
    chosen: Vec<usize>,
    /// Calls come while others are under way.
    crowded: bool,
}

/// An answer that has begun.
struct Flying {
    began: u64,
    until: u64,
    at: usize,
    endpoint: Arc<Endpoint>,
    _in_flight: InFlight,
}

/// Plays a seed.
pub fn play(seed: u64) -> Result<(), String> {
    let mut play = Play::begin(seed);
    let calm = play.scripts.iter().all(Script::is_calm);
    play.crowded = !calm && play.chance.one_in(2);
    for _ in 0..3 + play.chance.below(9) {
        play.time_passes();
        if !calm && play.chance.one_in(8) {
            play.control_changes();
        }
        let kind = play.kind();
        let knows = !play.searches(kind, calm);
        play.call(kind, knows)?;
    }
    if calm {
        play.shares_are_even()?;
    }
    play.heals()
}

impl Play {
    fn begin(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let stage = Stage::random(&mut chance);
        let count = stage.replicas.len();
        let (calm, outage) = (chance.one_in(4), chance.one_in(8).then(|| chance.of(&FAULTS)));
        let script = |_| match outage {
            _ if calm => Script::calm(),
            Some(fault) => Script::outage(fault),
            None => Script::random(&mut chance, 12_000),
        };
        let scripts = (0..count).map(script).collect();
        Self {
            world: Arc::new(stage.world(&World::default(), *BEGAN)),
            chance,
            stage,
            store: Store::new(),
            ms: 0,
            scripts,
            replicas: vec![model::Replica::default(); count],
            budget: Budget::default(),
            homes: Vec::new(),
            flying: Vec::new(),
            chosen: vec![0; count],
            crowded: false,
        }
    }

    fn now(&self) -> Instant {
        at(self.ms)
    }

    fn time_passes(&mut self) {
        self.ms += match self.chance.below(24) {
            0 => 31_000,
            1..4 => self.chance.next() % 4_000,
            _ => self.chance.next() % 300,
        };
        self.land();
    }

    /// Ends answers whose time is over, and those whose replica broke.
    fn land(&mut self) {
        let (ms, mut flying) = (self.ms, std::mem::take(&mut self.flying));
        flying.retain(|flight| {
            let breaks = matches!(self.scripts[flight.at].at(ms), Behaviour::Loses | Behaviour::Refuses);
            if breaks {
                let ended =
                    Ended { outcome: Outcome::BrokeOff, began: at(flight.began), tool: None, tool_failed: false };
                flight.endpoint.record(&ended, at(ms));
                let shown = Shown { behaviour: Behaviour::Loses, is_stranger: false, began: flight.began, tool: None };
                model::learn(&mut self.replicas, &self.stage.rules, flight.at, shown, ms);
            }
            let flies = !breaks && flight.until > ms;
            self.replicas[flight.at].in_flight -= usize::from(!flies);
            flies
        });
        self.flying = flying;
    }

    /// A replica begins to drain or no longer does, or comes back as another process.
    fn control_changes(&mut self) {
        let at = self.chance.below(self.stage.replicas.len());
        let replica = &mut self.stage.replicas[at];
        if self.chance.one_in(2) {
            replica.draining = !replica.draining;
        } else {
            replica.generation += 1;
            // Another process, of which nothing is known.
            self.replicas[at] = model::Replica::default();
            self.flying.retain(|flight| flight.at != at);
            self.homes.iter_mut().filter(|home| **home == Some(at)).for_each(|home| *home = None);
        }
        self.world = Arc::new(self.stage.world(&self.world, self.now()));
    }

    fn kind(&mut self) -> Kind {
        let free = [Kind::List, Kind::Call, Kind::Repeatable, Kind::Initialize];
        match self.homes.len() {
            sessions if sessions > 0 && self.stage.affinity != Affinity::None && self.chance.one_in(2) => {
                Kind::InSession(self.chance.below(sessions))
            }
            SESSIONS_MAX.. => Kind::Call,
            _ => self.chance.of(&free),
        }
    }

    /// Whether a call of a session comes to a proxy that does not know it.
    fn searches(&mut self, kind: Kind, calm: bool) -> bool {
        matches!(kind, Kind::InSession(_)) && !calm && self.chance.one_in(5)
    }

    /// Makes a call and checks it. `knows`: the store has what was learned.
    fn call(&mut self, kind: Kind, knows: bool) -> Result<Trace, String> {
        let up: Vec<usize> = self.stage.up().collect();
        let behaviours: Vec<Behaviour> = self.scripts.iter().map(|script| script.at(self.ms)).collect();
        let mut store = if knows { std::mem::take(&mut self.store) } else { Store::new() };
        let (written, world) = (written(kind), Arc::clone(&self.world));
        let (known, bound, began) = (store.len(), written.is_known(&store), self.ms);
        let attempts_max = usize::from(self.stage.rules.attempts);
        let home = match kind {
            Kind::InSession(at) => self.homes[at],
            _ => None,
        };
        let repeats_left = self.budget.certain(&self.stage.rules, began);
        let must = match kind {
            Kind::InSession(_) => model::in_session(home, bound, (&self.replicas, &behaviours), began),
            _ => model::of_free(kind, (&self.replicas, &up), &behaviours, (attempts_max, repeats_left), began),
        };
        // One whose process is gone is not sent anywhere.
        if !bound || home.is_some() {
            self.budget.saw_call(began);
        }
        let (trace, shown) = (Trace::default(), None);
        let mut playing = Playing { play: self, kind, bound, behaviours: &behaviours, up: &up, trace, shown };
        let end = written.drive(&world, &mut store, &mut playing);
        let mut trace = playing.trace;
        if knows {
            self.store = store;
        }
        let known_of_it = Known { kind, bound, home, must, attempts_max };
        let failed = trace.wrong.take().or_else(|| trace.broken(known_of_it, &end).map(str::to_owned));
        match failed {
            None => Ok(trace),
            Some(promise) => Err(format!(
                "{promise}: {kind:?} at {began} ms, {end:?} after {:?}, ran at {:?}, {behaviours:?}, up {up:?}, {known} known, {:?}, {:?}",
                trace.attempts, trace.ran, self.replicas, self.stage
            )),
        }
    }

    /// Balance gives all replicas of a calm mesh the same that are of the first tier.
    fn shares_are_even(&self) -> Result<(), String> {
        let chosen = self.first_tier().map(|at| self.chosen[at]);
        let (least, most) = (chosen.clone().min(), chosen.max());
        let even = most.zip(least).is_some_and(|(most, least)| most - least <= 1);
        let counts = self.stage.affinity != Affinity::Auto && self.stage.balance == Balance::RoundRobin;
        if counts && !even { Err(format!("shares are even: {:?}", self.chosen)) } else { Ok(()) }
    }

    /// Those that are preferred while all is well.
    fn first_tier(&self) -> impl Iterator<Item = usize> + Clone + '_ {
        let first = self.stage.up().map(|at| self.stage.replicas[at].tier).min();
        (0..self.replicas.len()).filter(move |at| {
            let replica = self.stage.replicas[*at];
            !replica.draining && Some(replica.tier) == first
        })
    }

    /// When all faults are over, every replica that takes what is new gets calls again, or the caller's does.
    fn heals(&mut self) -> Result<(), String> {
        self.scripts.iter_mut().for_each(|script| *script = Script::calm());
        self.ms += HEALED;
        self.crowded = false;
        self.land();
        let up: Vec<usize> = self.first_tier().collect();
        let mut seen = vec![0; self.replicas.len()];
        for _ in 0..2 * up.len() {
            self.ms += 1_600;
            self.land();
            let trace = self.call(Kind::List, true)?;
            if trace.attempts.len() != 1 {
                return Err(format!("one attempt is enough in a mesh that is well: {:?}", trace.attempts));
            }
            seen[trace.attempts[0]] += 1;
        }
        let visited = up.iter().filter(|at| seen[**at] > 0).count();
        let expected = if self.stage.affinity == Affinity::Auto { up.len().min(1) } else { up.len() };
        let closed = up.iter().filter(|at| self.replicas[**at].is_closed()).count();
        if visited != expected || closed < expected {
            return Err(format!("what was ejected comes back: {seen:?} of {up:?} with {:?}", self.stage));
        }
        Ok(())
    }
}

fn at(ms: u64) -> Instant {
    *BEGAN + Duration::from_millis(ms)
}

fn written(kind: Kind) -> &'static Written {
    match kind {
        Kind::List => &LIST,
        Kind::Call => &CALL,
        Kind::Repeatable => &REPEATABLE,
        Kind::Initialize => &INITIALIZE,
        Kind::InSession(at) => &IN_SESSION[at],
    }
}

/// Where virtual time begins; nothing reads the clock after it.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
