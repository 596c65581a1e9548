//! The agents that offer something under the name that is asked for, each replica judged by tags and version.
//!
//! In: facts and a requirement. Out: one [`Candidate`] per agent, sorted by agent name.
//! Cost: one look-up by name, then one judgement per replica that offers it; other capabilities cost nothing.

use outrigger_model::capability::Capability;
use outrigger_model::name::AgentName;
use outrigger_model::requirement::Requirement;

use crate::facts::{Facts, Standing};

use super::tags::{self, TagLoss};
use super::version;

/// One agent that offers the name.
#[derive(Debug)]
pub struct Candidate<'a, 'r> {
    pub agent: &'a AgentName,
    /// Sorted by id; never empty.
    pub replicas: Vec<Considered<'a, 'r>>,
}

/// One replica of a candidate.
#[derive(Debug)]
pub struct Considered<'a, 'r> {
    pub standing: &'a Standing,
    pub capability: &'a Capability,
    /// The tag score, or what rules the replica out.
    pub verdict: Result<usize, Loss<'r>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss<'r> {
    Tag(TagLoss<'r>),
    Version,
}

impl<'a, 'r> Candidate<'a, 'r> {
    pub fn fitting(&self) -> impl Iterator<Item = &Considered<'a, 'r>> {
        self.replicas.iter().filter(|considered| considered.verdict.is_ok())
    }
}

pub fn of<'a, 'r>(facts: &'a Facts, requirement: &'r Requirement) -> Vec<Candidate<'a, 'r>> {
    let mut candidates: Vec<Candidate<'a, 'r>> = Vec::new();
    for standing in facts.offering(&requirement.capability) {
        let Some(capability) = standing.capability(&requirement.capability) else { continue };
        let considered = Considered { standing, capability, verdict: judge(requirement, capability) };
        match candidates.last_mut() {
            Some(candidate) if *candidate.agent == standing.replica.agent => candidate.replicas.push(considered),
            _ => candidates.push(Candidate { agent: &standing.replica.agent, replicas: vec![considered] }),
        }
    }
    candidates
}

fn judge<'r>(requirement: &'r Requirement, capability: &Capability) -> Result<usize, Loss<'r>> {
    let score = tags::judge(&requirement.tags, &capability.tags).map_err(Loss::Tag)?;
    if version::fits(&requirement.version, &capability.version) { Ok(score) } else { Err(Loss::Version) }
}
