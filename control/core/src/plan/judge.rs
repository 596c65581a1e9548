//! Judges an intent against who is there now: what it names that nobody has, and what of it never decides anything.
//!
//! In: an intent and the facts. Out: findings, in the order of routes and pools.
//! Never here: whether it is valid; an intent is. What stock clients cannot be told; see `stock`.
//! Invariant: names of header fields only, never values.

use std::collections::BTreeSet;

use outrigger_model::name::CapabilityName;
use outrigger_model::requirement::Requirement;
use outrigger_model::tag::{Tag, TagSet};
use outrigger_model::traffic::When;

use crate::facts::{Facts, Standing};
use crate::intent::traffic::{OperatorBranch, OperatorTraffic};
use crate::intent::{Intent, OperatorRoute};
use crate::resolve::resolve;
use crate::snapshot::build::{Built, RouteKind};

use super::finding::{Finding, FindingKind};

/// What names of fields have in them that carry secrets.
const SECRET_WORDS: [&str; 7] = ["auth", "cookie", "token", "secret", "password", "key", "credential"];

pub fn judge(intent: &Intent, facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    for route in intent.routes() {
        of_route(route, facts, &mut findings);
    }
    for (agent, pool) in intent.pools() {
        let path = format!("pools[{agent}]");
        if !facts.has_agent(agent.as_str()) {
            let detail = format!("no agent `{agent}` is registered; the rules wait for it");
            findings.push(Finding::new(FindingKind::UnknownAgent, format!("{path}.agent"), detail));
            continue;
        }
        for (at, tier) in pool.tiers.iter().enumerate() {
            let has_all = |standing: &Standing| tier.iter().all(|tag| standing.replica.tags.contains(tag));
            if !facts.replicas_of(agent).any(has_all) {
                let detail = format!("no replica of `{agent}` has {}", listed(tier.iter()));
                findings.push(Finding::new(FindingKind::UnknownTag, format!("{path}.tiers[{at}]"), detail));
            }
        }
    }
    findings
}

/// Routes that watchers of a view never get, because a need of theirs has the name.
pub fn shadowed(intent: &Intent, built: &Built) -> Vec<Finding> {
    let hidden = intent.routes().filter(|route| built.kinds.get(&route.name) == Some(&RouteKind::Dependency));
    let finding = |route: &OperatorRoute| {
        let detail = format!("a proxy needs something else under the name `{}`; there its own need counts", route.name);
        Finding::new(FindingKind::ShadowedName, format!("routes[{}].name", route.name), detail)
    };
    hidden.map(finding).collect()
}

fn of_route(route: &OperatorRoute, facts: &Facts, findings: &mut Vec<Finding>) {
    let OperatorRoute { name, requirement, traffic, .. } = route;
    let path = format!("routes[{name}]");
    shadows(route, facts, &path, findings);
    let is_split = traffic.branches.last().is_some_and(|last| last.when == When::default());
    if !is_split {
        asked(requirement, facts, &path, findings);
    } else if *requirement != Requirement::any(requirement.capability.clone()) {
        let detail =
            "with `split`, the version and the tags of the route itself decide nothing; give them to the shares";
        findings.push(Finding::new(FindingKind::Unreachable, path.clone(), detail));
    }
    for (at, branch) in traffic.branches.iter().enumerate() {
        let place = place(branch, at, &path);
        let before = traffic.branches.iter().take(at).position(|earlier| covers(&earlier.when, &branch.when));
        if let Some(earlier) = before {
            let detail = format!("match[{earlier}] takes every call that this is about, and comes first");
            findings.push(Finding::new(FindingKind::Unreachable, place.clone(), detail));
        }
        of_branch(branch, facts, &place, findings);
    }
    if let Some(mirror) = &traffic.mirror {
        asked(&mirror.requirement, facts, &format!("{path}.mirror"), findings);
    }
    secrets(traffic, &path, findings);
}

fn place(branch: &OperatorBranch, at: usize, path: &str) -> String {
    if branch.when == When::default() { format!("{path}.split") } else { format!("{path}.match[{at}]") }
}

fn of_branch(branch: &OperatorBranch, facts: &Facts, place: &str, findings: &mut Vec<Finding>) {
    let is_one = branch.shares.len() == 1 && branch.when != When::default();
    for (at, share) in branch.shares.iter().enumerate() {
        let path = match (is_one, place.ends_with(".split")) {
            (true, _) => format!("{place}.to"),
            (false, true) => format!("{place}[{at}]"),
            (false, false) => format!("{place}.split[{at}]"),
        };
        if share.weight == 0 {
            findings.push(Finding::new(FindingKind::ZeroWeight, format!("{path}.weight"), "it gets no calls"));
        }
        asked(&share.requirement, facts, &path, findings);
    }
}

/// Whether whatever `later` is about is taken by `earlier` already.
fn covers(earlier: &When, later: &When) -> bool {
    let callers: BTreeSet<&String> = earlier.callers.iter().collect();
    let whoever = earlier.callers.is_empty()
        || !later.callers.is_empty() && later.callers.iter().all(|caller| callers.contains(caller));
    whoever && earlier.headers.iter().all(|field| later.headers.contains(field))
}

/// Where a requirement leads now.
fn asked(requirement: &Requirement, facts: &Facts, path: &str, findings: &mut Vec<Finding>) {
    let name = &requirement.capability;
    let offered: Vec<&TagSet> = facts
        .offering(name)
        .filter_map(|standing| standing.capability(name).map(|capability| &capability.tags))
        .collect();
    let mut find = |kind, key: &str, detail: String| findings.push(Finding::new(kind, format!("{path}{key}"), detail));
    if offered.is_empty() {
        return find(FindingKind::UnknownCapability, ".capability", format!("no agent offers `{name}`"));
    }
    let missing = requirement.tags.required().find(|tag| !offered.iter().any(|tags| tags.contains(tag)));
    if let Some(tag) = missing {
        let detail = format!("nobody who offers `{name}` has the tag `{tag}`");
        return find(FindingKind::UnknownTag, ".tags", detail);
    }
    match resolve(facts, requirement) {
        None => find(FindingKind::LeadsNowhere, "", format!("nobody who offers `{name}` fits `{requirement}`")),
        Some(winner) if !winner.is_callable => {
            let detail =
                format!("`{}` would provide `{requirement}`, and none of its replicas is healthy", winner.agent);
            find(FindingKind::LeadsNowhere, "", detail);
        }
        Some(_) => {}
    }
}

/// A route that has the name of what it leads to gives that a policy, which is common; under another's name it surprises.
fn shadows(route: &OperatorRoute, facts: &Facts, path: &str, findings: &mut Vec<Finding>) {
    let (name, capability) = (route.name.as_str(), route.requirement.capability.as_str());
    if name == capability {
        return;
    }
    let is_offered = CapabilityName::new(name).is_ok_and(|name| facts.offering(&name).next().is_some());
    let what = match (facts.has_agent(name), is_offered) {
        (true, _) => "agent",
        (false, true) => "capability",
        (false, false) => return,
    };
    let detail = format!("the {what} `{name}` is no longer reached by its name, which leads to `{capability}`");
    findings.push(Finding::new(FindingKind::ShadowedName, format!("{path}.name"), detail));
}

fn secrets(traffic: &OperatorTraffic, path: &str, findings: &mut Vec<Finding>) {
    let written = [("set", &traffic.headers.set), ("add", &traffic.headers.add)];
    for (how, fields) in written {
        for (name, _) in fields.iter().filter(|(name, _)| is_secret(name)) {
            let detail = "its value is kept in control's store and at proxies, and shown nowhere";
            findings.push(Finding::new(FindingKind::SecretValue, format!("{path}.headers.{how}.{name}"), detail));
        }
    }
    for (at, branch) in traffic.branches.iter().enumerate() {
        for (name, _) in branch.when.headers.iter().filter(|(name, _)| is_secret(name)) {
            let detail = "whoever may watch snapshots sees the value that this asks for";
            findings.push(Finding::new(FindingKind::SecretValue, format!("{path}.match[{at}].headers.{name}"), detail));
        }
    }
}

fn is_secret(name: &str) -> bool {
    SECRET_WORDS.iter().any(|word| name.to_ascii_lowercase().contains(word))
}

fn listed<'a>(tags: impl Iterator<Item = &'a Tag>) -> String {
    tags.map(|tag| format!("`{tag}`")).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests;
