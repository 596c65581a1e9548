//! Why a requirement leads where it leads, in words: for every candidate, what spoke for or against it.
//!
//! In: facts and a requirement. Out: an [`Explanation`] with the winner first, then the others as they ranked.
//! Invariant: the winner is the one that `resolve` finds.

use outrigger_model::name::{AgentName, ReplicaId};
use outrigger_model::replica::ReplicaState;
use outrigger_model::requirement::Requirement;
use outrigger_model::tag::TagSet;
use semver::Version;

use crate::facts::Facts;

use super::candidates::{self, Candidate, Loss};
use super::score::{self, Edge, Rank};
use super::tags::TagLoss;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub requirement: String,
    pub winner: Option<AgentName>,
    pub candidates: Vec<Explained>,
    /// The whole in one sentence.
    pub summary: String,
}

/// One candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    pub agent: AgentName,
    pub version: Version,
    pub tags: TagSet,
    /// How many preferred tags it has.
    pub score: usize,
    pub verdict: Verdict,
    /// One sentence for people.
    pub reason: String,
    pub replicas: Vec<(ReplicaId, ReplicaState)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Chosen,
    /// It fits; another one is better.
    Outranked,
    /// It fits; none of its replicas may be called.
    NotCallable,
    /// A required tag is missing, or an excluded one is there.
    Tags,
    /// Its version is outside the range.
    Version,
}

impl Verdict {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chosen => "chosen",
            Self::Outranked => "outranked",
            Self::NotCallable => "not_callable",
            Self::Tags => "tags",
            Self::Version => "version",
        }
    }
}

pub fn explain(facts: &Facts, requirement: &Requirement) -> Explanation {
    let mut ranked: Vec<_> =
        candidates::of(facts, requirement).into_iter().map(|candidate| (score::rank(&candidate), candidate)).collect();
    // A stable sort: what does not fit stays in the order of agent names, behind what does.
    ranked.sort_by(|(a, _), (b, _)| b.cmp(a));
    let best = ranked.first().and_then(|(rank, candidate)| rank.filter(Rank::is_callable).zip(Some(candidate.agent)));
    let candidates: Vec<_> =
        ranked.iter().map(|(rank, candidate)| explained(requirement, best, *rank, candidate)).collect();
    let winner = best.map(|(_, agent)| agent.clone());
    Explanation {
        requirement: requirement.to_string(),
        summary: summary(requirement, &winner, &candidates),
        winner,
        candidates,
    }
}

fn summary(requirement: &Requirement, winner: &Option<AgentName>, candidates: &[Explained]) -> String {
    match (winner, candidates.len()) {
        (Some(agent), 1) => format!("`{agent}` is the only agent that offers `{}`", requirement.capability),
        (Some(agent), count) => {
            format!("`{agent}` is the best of {count} agents that offer `{}`", requirement.capability)
        }
        (None, 0) => format!("no agent offers `{}`", requirement.capability),
        (None, 1) => format!("the only agent that offers `{}` cannot be used", requirement.capability),
        (None, count) => format!("none of {count} agents that offer `{}` can be used", requirement.capability),
    }
}

fn explained(
    requirement: &Requirement,
    best: Option<(Rank<'_>, &AgentName)>,
    rank: Option<Rank<'_>>,
    candidate: &Candidate<'_, '_>,
) -> Explained {
    let (verdict, reason) = match (rank, best) {
        (None, _) => unfit(requirement, candidate),
        (Some(_), Some((_, agent))) if agent == candidate.agent => (Verdict::Chosen, chosen(candidate)),
        (Some(rank), Some((best, agent))) if rank.is_callable() => (Verdict::Outranked, outranked(&best, agent, &rank)),
        (Some(_), _) => (Verdict::NotCallable, "it fits, and all its replicas that fit are unhealthy".to_owned()),
    };
    // What is shown is the replica that speaks best for the candidate.
    let shown = candidate.replicas.iter().max_by_key(|one| (one.verdict.is_ok(), &one.capability.version));
    let capability = shown.map(|one| one.capability);
    Explained {
        agent: candidate.agent.clone(),
        version: capability.map_or(Version::new(0, 0, 0), |capability| capability.version.clone()),
        tags: capability.map(|capability| capability.tags.clone()).unwrap_or_default(),
        score: rank.map_or(0, |rank| rank.tag_score),
        verdict,
        reason,
        replicas: candidate.replicas.iter().map(|one| (one.standing.replica.id.clone(), one.standing.state)).collect(),
    }
}

fn chosen(candidate: &Candidate<'_, '_>) -> String {
    let fitting = candidate.fitting().count();
    let callable = candidate.fitting().filter(|one| one.standing.is_callable()).count();
    if fitting == candidate.replicas.len() {
        format!("chosen; {callable} of {fitting} replicas may be called")
    } else {
        let all = candidate.replicas.len();
        format!("chosen; {fitting} of {all} replicas fit, {callable} of them may be called")
    }
}

fn outranked(best: &Rank<'_>, agent: &AgentName, rank: &Rank<'_>) -> String {
    match best.edge_over(rank) {
        Edge::Standing => format!("it has no healthy replica and `{agent}` has one"),
        Edge::Tags => {
            format!("it has {} of the preferred tags and `{agent}` has {}", rank.tag_score, best.tag_score)
        }
        Edge::Version => format!("its version {} is lower than {} of `{agent}`", rank.version, best.version),
        Edge::Name => format!("it is as good as `{agent}`, whose name sorts first"),
    }
}

/// Why no replica fits: the loss of the one that came closest, tags being judged before versions.
fn unfit(requirement: &Requirement, candidate: &Candidate<'_, '_>) -> (Verdict, String) {
    let by_version = candidate.replicas.iter().filter(|one| one.verdict == Err(Loss::Version));
    if let Some(closest) = by_version.max_by_key(|one| &one.capability.version) {
        let version = &closest.capability.version;
        return (Verdict::Version, format!("its version {version} is outside `{}`", requirement.version));
    }
    let tag = candidate.replicas.iter().find_map(|one| match one.verdict {
        Err(Loss::Tag(loss)) => Some(loss),
        _ => None,
    });
    let reason = match tag {
        Some(TagLoss::Missing(tag)) => format!("it lacks the required tag `{tag}`"),
        Some(TagLoss::Excluded(tag)) => format!("it has the excluded tag `{tag}`"),
        None => "it has no replica".to_owned(),
    };
    (Verdict::Tags, reason)
}
