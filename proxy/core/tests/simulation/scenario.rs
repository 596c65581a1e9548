//! One seed, played: replicas with scripted faults, calls of each kind, and what control changes meanwhile.
//!
//! In: a seed. Out: nothing, or the promise that was broken.
//! Invariant: the same seed plays the same; time is virtual and only ever goes on.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use http::StatusCode;
use outrigger_model::pool::Balance;
use outrigger_model::route::Affinity;
use outrigger_proxy_core::live::InFlight;
use outrigger_proxy_core::outcome::Outcome;
use outrigger_proxy_core::world::endpoint::Endpoint;
use outrigger_proxy_core::world::table::World;

use crate::chance::Chance;
use crate::drive::{Attempted, End, Store, Written};
use crate::model::{self, ATTEMPTS_MAX, Kind, Must};
use crate::script::{Behaviour, Script};
use crate::stage::{self, Stage};

/// Of one scenario; far more than it opens.
const SESSIONS_MAX: usize = 40;
/// Longer than anything is left alone.
const HEALED: u64 = 31_000;

static LIST: LazyLock<Written> =
    LazyLock::new(|| Written::new("MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/list\r\n", ""));
static CALL: LazyLock<Written> = LazyLock::new(|| {
    Written::new("MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: note\r\n", "")
});
static INITIALIZE: LazyLock<Written> =
    LazyLock::new(|| Written::new("", r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#));
static IN_SESSION: LazyLock<Vec<Written>> = LazyLock::new(|| {
    let body = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"note"}}"#;
    (0..SESSIONS_MAX).map(|at| Written::new(&format!("Mcp-Session-Id: s-{at}\r\n"), body)).collect()
});

struct Play {
    chance: Chance,
    stage: Stage,
    world: World,
    store: Store,
    began: Instant,
    ms: u64,
    scripts: Vec<Script>,
    replicas: Vec<model::Replica>,
    /// Where each session lives; none where its process is gone.
    homes: Vec<Option<usize>>,
    /// Calls under way: until when, and where.
    flying: Vec<(u64, usize, InFlight)>,
    /// How often balance chose each replica for a first attempt.
    chosen: Vec<usize>,
}

/// A call, and how things stand when it is made.
struct Moment {
    kind: Kind,
    /// It is known where its session lives.
    bound: bool,
    behaviours: Vec<Behaviour>,
    up: Vec<usize>,
}

/// What one call did.
#[derive(Default)]
struct Trace {
    attempts: Vec<usize>,
    /// Replicas at which it ran, or may have.
    ran: Vec<usize>,
    wrong: Option<String>,
}

/// Plays a seed.
pub fn play(seed: u64) -> Result<(), String> {
    let mut play = Play::begin(seed);
    let calls = 4 + play.chance.below(16);
    let calm = play.scripts.iter().all(Script::is_calm);
    for _ in 0..calls {
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
        let calm = chance.one_in(4);
        let script = |_| if calm { Script::calm() } else { Script::random(&mut chance, 12_000) };
        let scripts = (0..count).map(script).collect();
        let began = *BEGAN;
        Self {
            world: stage.world(&World::default(), began),
            chance,
            stage,
            store: Store::new(),
            began,
            ms: 0,
            scripts,
            replicas: vec![model::Replica::default(); count],
            homes: Vec::new(),
            flying: Vec::new(),
            chosen: vec![0; count],
        }
    }

    fn now(&self) -> Instant {
        self.began + Duration::from_millis(self.ms)
    }

    fn time_passes(&mut self) {
        self.ms += if self.chance.one_in(6) { self.chance.next() % 4_000 } else { self.chance.next() % 300 };
        self.land();
    }

    /// Ends calls whose time is over.
    fn land(&mut self) {
        let (ms, replicas) = (self.ms, &mut self.replicas);
        self.flying.retain(|(until, at, _)| {
            let flies = *until > ms;
            replicas[*at].in_flight -= usize::from(!flies);
            flies
        });
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
            self.flying.retain(|(_, place, _)| *place != at);
            self.homes.iter_mut().filter(|home| **home == Some(at)).for_each(|home| *home = None);
        }
        self.world = self.stage.world(&self.world, self.now());
    }

    fn kind(&mut self) -> Kind {
        let free = [Kind::List, Kind::Call, Kind::Initialize];
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
        let (written, before) = (self.written(kind), self.now());
        // It would be borrowed by the call and by each attempt.
        let world = std::mem::take(&mut self.world);
        let known = store.len();
        let bound = written.is_known(&store);
        let (mut trace, moment) = (Trace::default(), Moment { kind, bound, behaviours, up });
        let end = written.drive(&world, &mut store, before, |endpoint| self.attempt(&moment, endpoint, &mut trace));
        let Moment { behaviours, up, .. } = moment;
        self.world = world;
        if knows {
            self.store = store;
        }
        let must = match kind {
            Kind::InSession(at) => model::in_session(self.homes[at], bound, &behaviours),
            _ => model::of_free(kind, &up, &behaviours),
        };
        let failed = trace.wrong.take().or_else(|| self.broken(kind, bound, must, &end, &trace));
        match failed {
            None => Ok(trace),
            Some(promise) => Err(format!(
                "{promise}: {kind:?} at {} ms, {end:?} after {:?}, ran at {:?}, {behaviours:?}, up {up:?}, {known} known, {:?}",
                self.ms, trace.attempts, trace.ran, self.stage
            )),
        }
    }

    fn written(&self, kind: Kind) -> &'static Written {
        match kind {
            Kind::List => &LIST,
            Kind::Call => &CALL,
            Kind::Initialize => &INITIALIZE,
            Kind::InSession(at) => &IN_SESSION[at],
        }
    }

    fn attempt(&mut self, moment: &Moment, endpoint: &Arc<Endpoint>, trace: &mut Trace) -> Attempted {
        let Moment { kind, bound, ref behaviours, ref up } = *moment;
        let at = stage::number(&endpoint.replica);
        if trace.attempts.is_empty() && !bound {
            trace.wrong = self.picked_wrongly(kind, up, at);
        }
        trace.attempts.push(at);
        let guard = endpoint.live.enter();
        let behaviour = behaviours[at];
        self.ms += behaviour.takes();
        let is_stranger = matches!(kind, Kind::InSession(session) if self.homes[session] != Some(at));
        let outcome = match behaviour {
            Behaviour::Well if is_stranger => Outcome::Answered(StatusCode::NOT_FOUND),
            behaviour => behaviour.outcome(),
        };
        if behaviour.runs() && !is_stranger {
            trace.ran.push(at);
        }
        self.replicas[at].shows(behaviour, matches!(outcome, Outcome::Answered(_)), self.ms);
        let mut minted = None;
        if outcome == Outcome::Answered(StatusCode::OK) {
            let until = self.ms + self.chance.next() % 1_500;
            self.replicas[at].in_flight += 1;
            self.flying.push((until, at, guard));
            if kind == Kind::Initialize {
                minted = Some(format!("s-{}", self.homes.len()).into_bytes());
                self.homes.push(Some(at));
            }
        }
        Attempted { outcome, at: self.now(), minted }
    }

    /// What is wrong with where a call goes first that nothing holds.
    fn picked_wrongly(&mut self, kind: Kind, up: &[usize], at: usize) -> Option<String> {
        let fit = model::fit(&self.replicas, up, self.ms);
        // Only what is searched for may be at one that drains.
        if !fit.contains(&at) && (!up.is_empty() || !matches!(kind, Kind::InSession(_))) {
            return Some(format!("{at} is picked, and not one of {fit:?}"));
        }
        if self.stage.affinity == Affinity::Auto {
            return None;
        }
        self.chosen[at] += 1;
        let least = fit.iter().map(|at| self.replicas[*at].in_flight).min().unwrap_or_default();
        let mine = self.replicas[at].in_flight;
        (self.stage.balance == Balance::LeastRequest && mine > least && !up.is_empty())
            .then(|| format!("{at} is picked with {mine} calls, and another one has {least}"))
    }

    /// The first promise that a call broke.
    fn broken(&self, kind: Kind, bound: bool, must: Must, end: &End, trace: &Trace) -> Option<String> {
        let Trace { attempts, ran, .. } = trace;
        let is_free = !matches!(kind, Kind::InSession(_));
        let succeeded = *end == End::Passed(StatusCode::OK);
        let repeated = (1..attempts.len()).any(|at| attempts[..at].contains(&attempts[at]));
        let says_it_may_have_run = match end {
            End::Refused(refusal) => refusal.shape(None).may_have_run,
            End::Passed(_) => true,
        };
        let promises = [
            (repeated, "no replica is tried twice"),
            (is_free && attempts.len() > ATTEMPTS_MAX, "attempts are bounded"),
            (bound && attempts.len() > 1, "a session that is known is asked at one replica"),
            (!matches!(kind, Kind::List | Kind::Initialize) && ran.len() > 1, "what may act runs once"),
            (succeeded && ran.last() != attempts.last(), "an answer is of who ran the call"),
            (!ran.is_empty() && !says_it_may_have_run, "what may have run is told"),
            (must == Must::Succeed && !succeeded, "a call succeeds while a replica is left for it"),
            (must == Must::Fail && succeeded, "nobody answers who cannot"),
        ];
        let home = match kind {
            Kind::InSession(at) => self.homes[at],
            _ => None,
        };
        let strays = !is_free && ran.iter().any(|at| Some(*at) != home);
        let strayed = strays.then_some("a session runs at its replica only");
        promises.iter().find(|(broken, _)| *broken).map(|(_, promise)| *promise).or(strayed).map(str::to_owned)
    }

    /// Balance gives all replicas of a calm mesh the same.
    fn shares_are_even(&self) -> Result<(), String> {
        let (least, most) = (self.chosen.iter().min(), self.chosen.iter().max());
        let even = most.zip(least).is_some_and(|(most, least)| most - least <= 1);
        let counts = self.stage.affinity != Affinity::Auto && self.stage.balance == Balance::RoundRobin;
        if counts && !even { Err(format!("shares are even: {:?}", self.chosen)) } else { Ok(()) }
    }

    /// When all faults are over, every replica that takes what is new gets calls again, or the caller's does.
    fn heals(&mut self) -> Result<(), String> {
        self.scripts.iter_mut().for_each(|script| *script = Script::calm());
        self.ms += HEALED;
        self.land();
        let up: Vec<usize> = self.stage.up().collect();
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
        if visited != expected {
            return Err(format!("what was ejected comes back: {seen:?} of {up:?} with {:?}", self.stage));
        }
        Ok(())
    }
}

/// Where virtual time begins; nothing reads the clock after it.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
