//! The plain model: what is known of replicas and sessions by whoever reads docs, and what a call may therefore do.
//!
//! In: what each replica does at the moment of a call, and what happened before. Out: who may be picked, and whether the call must succeed.
//! Never here: anything of the code under test but its words.

use crate::script::Behaviour;
use crate::stage::Rules;

const EJECTED_FIRST: u64 = 1_000;
const EJECTED_MAX: u64 = 30_000;
/// Fewer of a tier than this are not enough.
const PANIC_PERCENT: usize = 50;
/// No call takes longer.
const CALL_MAX: u64 = 8_000;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Running it twice changes nothing.
    List,
    /// It may act.
    Call,
    /// It may act, and its route says that it may do so twice.
    Repeatable,
    /// It opens a session; one that nobody hears of is no harm.
    Initialize,
    /// It may act, and belongs to this session.
    InSession(usize),
}

/// What must be true of how a call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Must {
    Succeed,
    Fail,
    Either,
}

/// What an attempt that is over says of its replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub behaviour: Behaviour,
    /// The replica is not that of the session, and says so.
    pub is_stranger: bool,
    pub began: u64,
    pub tool: Option<usize>,
}

/// One replica, as the calls so far showed it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Replica {
    /// Until when it is left alone after failures, and for how long it was.
    failing: Option<(u64, u64)>,
    /// Bad answers in a row that counted, and when the last of them came.
    bad: (u32, u64),
    /// Since when its circuit is not closed, and until when it is open.
    open: Option<(u64, u64)>,
    tools: [Tool; 2],
    pub in_flight: usize,
}

/// A tool at a replica.
#[derive(Debug, Clone, Copy, Default)]
struct Tool {
    bad: u32,
    pause: u64,
    until: u64,
}

impl Kind {
    /// Whether it may run twice.
    pub const fn repeats(self) -> bool {
        matches!(self, Self::List | Self::Repeatable | Self::Initialize)
    }

    pub const fn tool(self) -> Option<usize> {
        match self {
            Self::Call | Self::InSession(_) => Some(0),
            Self::Repeatable => Some(1),
            Self::List | Self::Initialize => None,
        }
    }
}

impl Replica {
    pub fn is_ejected(&self, ms: u64) -> bool {
        self.failing.is_some_and(|(until, _)| ms < until)
    }

    /// Whether no call may go there.
    pub fn is_open(&self, ms: u64) -> bool {
        self.open.is_some_and(|(_, until)| ms < until)
    }

    pub const fn is_closed(&self) -> bool {
        self.open.is_none()
    }

    /// A call is sent there; if the circuit was open, it is the only one.
    pub fn enter(&mut self, rules: &Rules, ms: u64) {
        if self.open.is_some() {
            self.open = Some((ms, ms + rules.recovery));
        }
    }

    fn answers(&mut self, began: u64) {
        self.bad.0 = 0;
        self.open = self.open.filter(|(since, _)| began < *since);
    }

    fn answers_badly(&mut self, rules: &Rules, began: u64, always: bool, ms: u64) {
        match self.open {
            _ if rules.failure_threshold == 0 => {}
            Some((since, _)) if began < since => {}
            Some(_) => self.open = Some((ms, ms + rules.recovery)),
            None if always || self.bad.0 == 0 || began >= self.bad.1 => {
                self.bad = (self.bad.0 + 1, ms);
                if self.bad.0 >= rules.failure_threshold {
                    self.bad.0 = 0;
                    self.open = Some((ms, ms + rules.recovery));
                }
            }
            None => {}
        }
    }

    fn tool_fails(&mut self, rules: &Rules, tool: usize, ms: u64) {
        let tool = &mut self.tools[tool];
        tool.bad += 1;
        if rules.failure_threshold != 0 && tool.bad >= rules.failure_threshold && ms >= tool.until {
            tool.pause = (tool.pause * 2).clamp(EJECTED_FIRST, EJECTED_MAX);
            tool.until = ms + tool.pause;
        }
    }

    /// Less is better; none is never.
    fn grade(&self, tool: Option<usize>, ms: u64) -> Option<u8> {
        let fails = tool.is_some_and(|tool| ms < self.tools[tool].until);
        (!self.is_open(ms)).then_some(match (self.is_ejected(ms), fails) {
            (false, false) => 0,
            (false, true) => 1,
            (true, _) => 2,
        })
    }
}

/// Learns what an attempt at `at` shows that ended at `ms`.
pub fn learn(replicas: &mut [Replica], rules: &Rules, at: usize, shown: Shown, ms: u64) {
    let Shown { behaviour, is_stranger, began, tool } = shown;
    let others = replicas.iter().enumerate().filter(|(other, replica)| *other != at && replica.is_ejected(ms)).count();
    let most = (replicas.len() * usize::from(rules.share_max_percent)).div_ceil(100).max(1);
    let replica = &mut replicas[at];
    match behaviour {
        Behaviour::Refuses | Behaviour::Unreachable => match replica.failing {
            failing if others >= most => replica.failing = Some((ms, failing.map_or(0, |(_, time)| time))),
            Some((until, _)) if ms < until => {}
            failing => {
                let time = failing.map_or(EJECTED_FIRST, |(_, time)| (time * 2).clamp(EJECTED_FIRST, EJECTED_MAX));
                replica.failing = Some((ms + time, time));
            }
        },
        Behaviour::Full | Behaviour::Leaving => {}
        Behaviour::Loses | Behaviour::Unavailable | Behaviour::Slow | Behaviour::Fails => {
            replica.answers_badly(rules, began, behaviour == Behaviour::Slow, ms);
            if let Some(tool) = tool {
                replica.tool_fails(rules, tool, ms);
            }
            if !matches!(behaviour, Behaviour::Loses | Behaviour::Slow) {
                replica.failing = None;
            }
        }
        Behaviour::Well | Behaviour::Limits | Behaviour::Sick => {
            replica.answers(began);
            replica.failing = None;
            match tool {
                Some(tool) if behaviour == Behaviour::Sick && !is_stranger => replica.tool_fails(rules, tool, ms),
                Some(tool) => replica.tools[tool] = Tool::default(),
                None => {}
            }
        }
    }
}

/// Who of `left`, which were not tried, may be tried next; `tiers` and `up` are of all. Those that are not as bad as others, and of them
/// the tiers that are enough.
pub fn fit(
    replicas: &[Replica],
    tiers: &[u8],
    up: &[usize],
    left: &[usize],
    tool: Option<usize>,
    ms: u64,
) -> Vec<usize> {
    let grade = |at: usize| replicas[at].grade(tool, ms);
    let Some(best) = left.iter().filter_map(|at| grade(*at)).min() else { return Vec::new() };
    let fit: Vec<usize> = left.iter().copied().filter(|at| grade(*at) == Some(best)).collect();
    if best != 0 {
        return fit;
    }
    let is_enough = |tier: &u8| {
        let of = |at: &&usize| tiers[**at] == *tier;
        let usable = up.iter().filter(of).filter(|at| grade(**at) == Some(0)).count();
        fit.iter().any(|at| of(&at)) && usable * 100 >= up.iter().filter(of).count() * PANIC_PERCENT
    };
    match (0..=1).find(is_enough) {
        Some(most) => fit.into_iter().filter(|at| tiers[*at] <= most).collect(),
        None => fit,
    }
}

/// What must become of a call that may go to any of `up`. `repeats_left`: so many of its attempts may certainly be followed by others after a pause.
pub fn of_free(
    kind: Kind,
    (replicas, up): (&[Replica], &[usize]),
    behaviours: &[Behaviour],
    (attempts, repeats_left): (usize, usize),
    ms: u64,
) -> Must {
    let is_there = |at: &&usize| !replicas[**at].is_open(ms);
    let may_be_there = |at: &&usize| !replicas[**at].is_open(ms + CALL_MAX);
    let passes_by = |behaviour| matches!(behaviour, Behaviour::Refuses | Behaviour::Unreachable | Behaviour::Leaving);
    let goes_on = |behaviour| match behaviour {
        Behaviour::Well | Behaviour::Sick | Behaviour::Fails => false,
        Behaviour::Loses | Behaviour::Unavailable | Behaviour::Slow | Behaviour::Limits => kind.repeats(),
        Behaviour::Full => true,
        behaviour => passes_by(behaviour),
    };
    let bad: Vec<Behaviour> =
        up.iter().filter(may_be_there).map(|at| behaviours[*at]).filter(|behaviour| !behaviour.serves()).collect();
    let after_pause = bad.iter().filter(|behaviour| !passes_by(**behaviour)).count();
    if !up.iter().filter(may_be_there).any(|at| behaviours[*at].serves()) {
        return Must::Fail;
    }
    let is_well = up.iter().filter(is_there).any(|at| behaviours[*at].serves());
    let all_go_on = bad.iter().all(|behaviour| goes_on(*behaviour));
    if is_well && all_go_on && bad.len() < attempts && after_pause <= repeats_left {
        Must::Succeed
    } else {
        Must::Either
    }
}

/// What must become of a call of a session that lives at `home`, if it lives. `bound`: it is known where.
pub fn in_session(
    home: Option<usize>,
    bound: bool,
    (replicas, behaviours): (&[Replica], &[Behaviour]),
    ms: u64,
) -> Must {
    let Some(home) = home else { return Must::Fail };
    let is_asked_on = |behaviour: &Behaviour| behaviour.serves() || !behaviour.runs();
    match behaviours[home].serves() {
        false => Must::Fail,
        true if bound && replicas[home].is_open(ms) => Must::Fail,
        true if bound => Must::Succeed,
        true if replicas.iter().any(|replica| replica.is_open(ms)) => Must::Either,
        true if behaviours.iter().all(is_asked_on) => Must::Succeed,
        true => Must::Either,
    }
}
