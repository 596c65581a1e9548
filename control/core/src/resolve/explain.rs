//! Why a requirement leads where it leads, in words: for every candidate, what spoke for or against it.
//!
//! In: facts and a requirement. Out: an [`Explanation`] with the winner first, then the others as they ranked, and the stages.
//! Invariant: the winner is the one that `resolve` finds.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use outrigger_model::name::{AgentName, Namespace, ReplicaId};
use outrigger_model::replica::ReplicaState;
use outrigger_model::requirement::Requirement;
use outrigger_model::requirement::also::Reach;
use outrigger_model::tag::TagSet;
use semver::Version;

use crate::facts::Facts;
use crate::standing::Standing;

use super::ask::Ask;
use super::candidates::{self, Candidate, Considered};
use super::eviction::{self, Eviction, Reason};
use super::score::{self, Edge, Precedence, Rank};
use super::trace::{Trace, trace};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub requirement: String,
    pub winner: Option<AgentName>,
    pub candidates: Vec<Explained>,
    /// The whole in one sentence.
    pub summary: String,
    pub trace: Trace,
}

/// One candidate: an agent in a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    pub agent: AgentName,
    pub namespace: Namespace,
    pub version: Version,
    pub tags: TagSet,
    /// What calls of it name.
    pub function: String,
    /// The points of its tags.
    pub score: u32,
    pub verdict: Verdict,
    /// What keeps it from being chosen, in the words of an audit.
    pub evicted: Option<Reason>,
    /// One sentence for people.
    pub reason: String,
    pub replicas: Vec<(ReplicaId, ReplicaState)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Chosen,
    /// Calls go there too, because it is as good, or because everything that fits is asked for.
    Included,
    /// It fits; another one is better.
    Outranked,
    /// It fits; none of its replicas may be called.
    NotCallable,
    /// It fits; something that it requires is not there.
    Unavailable,
    /// A required tag is missing, or an excluded one is there.
    Tags,
    /// Its version is outside the range.
    Version,
    /// Its answers have another shape.
    Schema,
    /// It is somebody else's.
    Namespace,
}

impl Verdict {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chosen => "chosen",
            Self::Included => "included",
            Self::Outranked => "outranked",
            Self::NotCallable => "not_callable",
            Self::Unavailable => "unavailable",
            Self::Tags => "tags",
            Self::Version => "version",
            Self::Schema => "schema",
            Self::Namespace => "namespace",
        }
    }

    const fn of(reason: Reason) -> Self {
        match reason {
            Reason::NamespaceMismatch => Self::Namespace,
            Reason::Unhealthy => Self::NotCallable,
            Reason::Unavailable => Self::Unavailable,
            Reason::MissingTag | Reason::ExtraTagDisallowed => Self::Tags,
            Reason::VersionConstraintFailed => Self::Version,
            Reason::SchemaIncompatible => Self::Schema,
        }
    }
}

/// What all candidates are measured by.
struct Scale<'f, 'a, 'r> {
    facts: &'f Facts,
    ask: Ask<'r>,
    best: Option<(Rank<'a>, &'a AgentName)>,
}

pub fn explain(facts: &Facts, requirement: &Requirement) -> Explanation {
    let ask = Ask::of(requirement);
    let candidates = candidates::everywhere(facts, &ask);
    let mut ranked: Vec<_> = candidates.iter().map(|candidate| (score::rank(candidate), candidate)).collect();
    // A stable sort: what does not fit stays in the order of agent names, behind what does.
    ranked.sort_by_key(|(rank, _)| Reverse(*rank));
    let best = ranked.first().and_then(|(rank, candidate)| rank.filter(Rank::is_callable).zip(Some(candidate.agent)));
    let scale = Scale { facts, ask, best };
    let candidates: Vec<_> = ranked.iter().map(|(rank, candidate)| scale.explained(*rank, candidate)).collect();
    let winner = best.map(|(_, agent)| agent.clone());
    Explanation {
        requirement: requirement.to_string(),
        summary: summary(requirement, &winner, &candidates),
        winner,
        candidates,
        trace: trace(facts, requirement),
    }
}

fn summary(requirement: &Requirement, winner: &Option<AgentName>, candidates: &[Explained]) -> String {
    let included = candidates.iter().filter(|candidate| candidate.verdict == Verdict::Included).count();
    match (winner, candidates.len()) {
        (Some(agent), 1) => format!("`{agent}` is the only agent that offers `{}`", requirement.capability),
        (Some(agent), count) if included > 0 => {
            format!("`{agent}` and {included} more of {count} agents that offer `{}`", requirement.capability)
        }
        (Some(agent), count) => {
            format!("`{agent}` is the best of {count} agents that offer `{}`", requirement.capability)
        }
        (None, 0) => format!("no agent offers `{}`", requirement.capability),
        (None, 1) => format!("the only agent that offers `{}` cannot be used", requirement.capability),
        (None, count) => format!("none of {count} agents that offer `{}` can be used", requirement.capability),
    }
}

impl Scale<'_, '_, '_> {
    fn explained(&self, rank: Option<Rank<'_>>, candidate: &Candidate<'_, '_>) -> Explained {
        let (verdict, evicted, reason) = self.verdict(rank, candidate);
        // What is shown is the offer that speaks best for the candidate; there is always one.
        let shown = candidate.offers.iter().max_by(|a, b| score::order(a).cmp(&score::order(b))).map(|one| one.offer);
        let namespace = shown.map(|offer| offer.standing.replica.namespace.clone());
        Explained {
            agent: candidate.agent.clone(),
            namespace: namespace.unwrap_or_default(),
            version: shown.map_or(Version::new(0, 0, 0), |offer| offer.version().clone()),
            tags: shown.map(|offer| offer.tags().clone()).unwrap_or_default(),
            function: shown.map(|offer| offer.function().to_owned()).unwrap_or_default(),
            score: rank.map_or(0, |rank| rank.tag_score),
            verdict,
            evicted,
            reason,
            replicas: replicas(candidate),
        }
    }

    fn verdict(&self, rank: Option<Rank<'_>>, candidate: &Candidate<'_, '_>) -> (Verdict, Option<Reason>, String) {
        let Some(rank) = rank else {
            let Eviction { reason, detail } = self.loss(candidate);
            return (Verdict::of(reason), Some(reason), detail);
        };
        match self.best.filter(|_| rank.is_callable()) {
            Some((_, agent)) if agent == candidate.agent => (Verdict::Chosen, None, chosen(candidate)),
            Some((best, agent)) => match self.ask.requirement.also.reach {
                Reach::Ties if rank.ties_with(&best) => {
                    (Verdict::Included, None, format!("it is as good as `{agent}`, and takes calls too"))
                }
                Reach::All | Reach::Every => {
                    (Verdict::Included, None, "it fits, and everything that fits is asked for".to_owned())
                }
                Reach::One | Reach::Ties => (Verdict::Outranked, None, outranked(&best, agent, &rank)),
            },
            None => {
                let outages = candidate.fitting().filter_map(|one| eviction::outage(self.facts, one));
                match outages.max_by_key(|outage| outage.reason) {
                    Some(Eviction { reason: Reason::Unavailable, detail }) => {
                        (Verdict::Unavailable, Some(Reason::Unavailable), detail)
                    }
                    _ => {
                        let told = "it fits, and all its replicas that fit are unhealthy".to_owned();
                        (Verdict::NotCallable, Some(Reason::Unhealthy), told)
                    }
                }
            }
        }
    }

    /// Why no offer fits: the loss of the one that came closest.
    fn loss(&self, candidate: &Candidate<'_, '_>) -> Eviction {
        let losses = candidate.offers.iter().filter_map(|one| Some((eviction::loss(&self.ask, one)?, one)));
        let version = |one: &Considered<'_, '_>| one.offer.version().clone();
        let closest = losses.max_by(|(a, one), (b, other)| {
            a.reason.cmp(&b.reason).then_with(|| Precedence(&version(one)).cmp(&Precedence(&version(other))))
        });
        let nothing = || Eviction { reason: Reason::Unhealthy, detail: "it has no replica".to_owned() };
        closest.map_or_else(nothing, |(loss, _)| loss)
    }
}

fn replicas(candidate: &Candidate<'_, '_>) -> Vec<(ReplicaId, ReplicaState)> {
    let standings = candidate.offers.iter().map(|one| one.offer.standing);
    let mut replicas: Vec<_> = standings.map(|standing| (standing.replica.id.clone(), standing.state)).collect();
    replicas.dedup();
    replicas
}

fn chosen(candidate: &Candidate<'_, '_>) -> String {
    let distinct = |standings: &mut dyn Iterator<Item = &Standing>| {
        standings.map(|standing| &standing.replica.id).collect::<BTreeSet<_>>().len()
    };
    let fitting = distinct(&mut candidate.fitting().map(|one| one.offer.standing));
    let callable = distinct(&mut candidate.fitting().filter(|one| one.is_callable).map(|one| one.offer.standing));
    let all = distinct(&mut candidate.offers.iter().map(|one| one.offer.standing));
    if fitting == all {
        format!("chosen; {callable} of {fitting} replicas may be called")
    } else {
        format!("chosen; {fitting} of {all} replicas fit, {callable} of them may be called")
    }
}

fn outranked(best: &Rank<'_>, agent: &AgentName, rank: &Rank<'_>) -> String {
    match best.edge_over(rank) {
        Edge::Standing => format!("it has no healthy replica and `{agent}` has one"),
        Edge::Tags => format!("its tags score {} and those of `{agent}` {}", rank.tag_score, best.tag_score),
        Edge::Version => format!("its version {} is lower than {} of `{agent}`", rank.version, best.version),
        Edge::Name => format!("it is as good as `{agent}`, whose name sorts first"),
    }
}
