//! How dependencies were resolved, for who asks why: a line of the trail where there was something to decide.
//!
//! In: the newest sheet, and what changed to it. Out: lines with the stages of a resolution, as `meshctl audit` shows them.
//! Never here: resolution; the core tells how it came to what calls go by.
//! Invariant: a dependency is looked at where something that it asks for changed, and at no other time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use outrigger_control_core::changes::Change;
use outrigger_control_core::facts::Standing;
use outrigger_control_core::resolve::eviction::Eviction;
use outrigger_control_core::resolve::trace::{OfferName, Stage, StageTrace, TIE_BREAK, Trace, trace};
use outrigger_model::name::ReplicaId;
use outrigger_model::replica::Replica;
use outrigger_model::requirement::Requirement;
use outrigger_model::requirement::also::SchemaMode;
use serde_json::{Value, json};

use crate::upstream::memory::{Consumer, Memory, Need};
use crate::upstream::resolved::{Resolved, base_url};
use crate::upstream::sheet::Sheet;
use crate::upstream::trail::Told;

/// Looks at every dependency that the changes may concern.
pub fn look(memory: &Memory, sheet: &Sheet, changes: &[Change<'_>], at: SystemTime) {
    let touched = touched(changes);
    let consumers: Vec<(ReplicaId, Consumer)> =
        memory.lock().consumers.iter().map(|(id, consumer)| (id.clone(), consumer.clone())).collect();
    for (id, consumer) in consumers {
        let Some(standing) = sheet.picture.facts.get(&id) else { continue };
        let replica = &standing.replica;
        let now: Vec<Arc<Resolved>> =
            consumer.needs.iter().map(|need| sheet.for_replica(replica.is_direct(), &need.dependency)).collect();
        let mut told = Vec::new();
        for (index, (need, found)) in consumer.needs.iter().zip(&now).enumerate() {
            let before = consumer.last.get(index);
            let is_same = before.is_some_and(|before| Arc::ptr_eq(before, found) || before == found);
            if !is_same || touched.contains(need.dependency.requirement.capability.as_str()) {
                told.extend(resolution(sheet, replica, &consumer, need, (before, found)));
            }
        }
        let mut remembered = memory.lock();
        told.into_iter().for_each(|told| remembered.trail.resolution(told, at));
        if let Some(held) = remembered.consumers.get_mut(&id)
            && Arc::ptr_eq(&held.needs, &consumer.needs)
        {
            held.last = now;
        }
    }
}

/// Names under which something changed.
fn touched(changes: &[Change<'_>]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut add = |standing: &Standing| {
        let replica = &standing.replica;
        names.extend(replica.capabilities.iter().map(|capability| capability.name.to_string()));
        let functions = replica.registration.iter().flat_map(|registration| &registration.functions);
        names.extend(functions.map(|function| function.capability.to_string()));
    };
    for change in changes {
        match change {
            Change::Came(one) | Change::Went(one) => add(one),
            Change::Turned { was, is } => {
                add(was);
                add(is);
            }
        }
    }
    names
}

/// Models and tools are chosen among many and are not part of the trail.
fn resolution(
    sheet: &Sheet,
    replica: &Replica,
    consumer: &Consumer,
    need: &Need,
    (before, found): (Option<&Arc<Resolved>>, &Arc<Resolved>),
) -> Option<Told> {
    let at_dependency = need.at?;
    let function = consumer.registration.functions.get(need.function)?;
    let facts = if replica.is_direct() { &sheet.plain } else { &*sheet.picture.mesh };
    let trace = trace(facts, &need.dependency.requirement);
    let chosen = |resolved: &Resolved| resolved.callable().next().map(|(provider, _)| provider.replica.clone());
    let (prior, now) = (before.and_then(|before| chosen(before)), chosen(found));
    let is_flip = prior.is_some() && prior != now;
    if !trace.is_interesting() && !is_flip {
        return None;
    }
    let mut data = shown(&trace, found, at_dependency, &replica.id);
    if let (Some(prior), true, Some(fields)) = (prior, is_flip, data.as_object_mut()) {
        fields.insert("prior_chosen".to_owned(), json!(prior.as_str()));
    }
    if let (Some(chosen), Some(fields)) = (&trace.chosen, data.as_object_mut()) {
        let url = facts.get(&chosen.replica).map(|standing| base_url(&standing.replica)).unwrap_or_default();
        let shown = json!({ "agent_id": chosen.replica.as_str(), "endpoint": url, "function_name": &*chosen.function });
        fields.insert("chosen".to_owned(), shown);
    }
    Some(Told {
        consumer: replica.id.clone(),
        name: replica.agent.to_string(),
        function: function.name.to_string(),
        at_dependency,
        is_resolved: trace.chosen.is_some(),
        data,
    })
}

fn shown(trace: &Trace, found: &Resolved, at_dependency: usize, consumer: &ReplicaId) -> Value {
    json!({
        "consumer": consumer.as_str(),
        "dep_index": at_dependency,
        "route": found.wiring.route.as_str(),
        "spec": spec(&trace.requirement),
        "stages": trace.stages.iter().map(|stage| self::stage(stage, trace)).collect::<Vec<_>>(),
    })
}

fn spec(requirement: &Requirement) -> Value {
    let range = requirement.also.range.as_ref().map_or("", |range| range.as_str());
    let schema = requirement.also.schema.as_ref().map_or("none", |schema| match schema.mode {
        SchemaMode::Subset => "subset",
        SchemaMode::Strict => "strict",
    });
    json!({
        "capability": requirement.capability.as_str(),
        "tags": requirement.tags.texts().collect::<Vec<_>>(),
        "version_constraint": range,
        "schema_mode": schema,
    })
}

fn stage(stage: &StageTrace, trace: &Trace) -> Value {
    let kept: Vec<String> = stage.kept.iter().map(ToString::to_string).collect();
    let mut shown = json!({ "stage": stage.stage.as_str(), "kept": kept });
    let Some(fields) = shown.as_object_mut() else { return shown };
    if !stage.evicted.is_empty() {
        let one = |(offer, eviction): &(OfferName, Eviction)| json!({ "id": offer.to_string(), "reason": eviction.reason.as_str(), "details": { "why": eviction.detail } });
        fields.insert("evicted".to_owned(), stage.evicted.iter().map(one).collect());
    }
    if stage.stage == Stage::Tiebreaker {
        fields.extend(trace.chosen.as_ref().map(|chosen| ("chosen".to_owned(), json!(chosen.to_string()))));
        fields.insert("reason".to_owned(), json!(TIE_BREAK));
    }
    shown
}
