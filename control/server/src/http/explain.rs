//! `GET /v1/explain?capability=&version=&tag=&tag=&namespace=&schema=`: who would provide this, and why not the others.
//!
//! A capability that is the name of a declared route, with nothing beside it, asks what the route asks for. `requirement=` takes the
//! text of a requirement in place of all others.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use outrigger_control_core::resolve::eviction::{Eviction, Reason};
use outrigger_control_core::resolve::explain::{Explained, explain};
use outrigger_control_core::resolve::resolve;
use outrigger_control_core::resolve::trace::StageTrace;
use outrigger_control_core::snapshot::build::pool_name;
use outrigger_control_core::snapshot::scope::Scope;
use outrigger_model::key::KINDS_OF_PROTOCOL;
use outrigger_model::name::{Namespace, RouteName};
use outrigger_model::requirement::also::{Also, BadWord, Reach, SchemaMode, SchemaNeed};
use outrigger_model::requirement::{BadRequirement, Requirement};
use outrigger_model::route::Route;
use outrigger_model::snapshot::Kinds;
use serde::Serialize;

use crate::http::api::{Api, texts};
use crate::http::problem::Problem;
use crate::http::traffic::TrafficItem;
use crate::publish::view::Published;

const HINT: &str = "write ?capability=NAME&version=^1.2&tag=TAG&namespace=NAME&schema=subset:JSON, with a tag= for each tag, or ?requirement=TEXT";

#[derive(Debug, Serialize)]
pub struct ExplainItem {
    /// The number of the intent that decides, and the snapshot that goes by it.
    intent: u64,
    serial: u64,
    requirement: String,
    winner: Option<String>,
    /// Of a route that has the name that was asked for.
    pool: Option<String>,
    /// Other agents that take calls, because they are as good.
    ties: Vec<String>,
    summary: String,
    /// How that route treats sessions and keys.
    sessions: Option<SessionsItem>,
    /// What happens to calls of that route beside being sent to its pool.
    traffic: Option<TrafficItem>,
    candidates: Vec<CandidateItem>,
    /// What each stage kept and evicted, offers as `replica:function`.
    stages: Vec<StageItem>,
}

#[derive(Debug, Serialize)]
struct SessionsItem {
    route: String,
    affinity: &'static str,
    /// What a key is read from, in the order in which keys decide; empty where the route follows none.
    keys: Vec<String>,
    on_replica_loss: &'static str,
    session_mode: &'static str,
}

#[derive(Debug, Serialize)]
struct CandidateItem {
    agent: String,
    namespace: String,
    function: String,
    version: String,
    tags: Vec<String>,
    score: u32,
    verdict: &'static str,
    evicted: Option<&'static str>,
    reason: String,
    replicas: Vec<ReplicaItem>,
}

#[derive(Debug, Serialize)]
struct ReplicaItem {
    id: String,
    state: &'static str,
}

#[derive(Debug, Serialize)]
struct StageItem {
    stage: &'static str,
    considered: usize,
    kept: Vec<String>,
    evicted: Vec<EvictedItem>,
}

#[derive(Debug, Serialize)]
struct EvictedItem {
    id: String,
    reason: &'static str,
    detail: String,
}

/// The same key may come more than once, which a struct cannot hold.
pub async fn one(
    State(api): State<Api>,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<ExplainItem>, Problem> {
    let Query(pairs) = pairs?;
    let written = requirement(&pairs)?;
    let name = written.capability.clone();
    let picture = api.writer.picture();
    let declared = picture.head(&Scope::base()).intent.route(name.as_str()).filter(|_| pairs.len() == 1);
    let requirement = declared.map_or(written, |route| route.requirement.clone());
    let facts = &picture.mesh;
    let explanation = explain(facts, &requirement);
    let pool = resolve(facts, &requirement).filter(|_| explanation.winner.is_some()).and_then(|winner| {
        let route = RouteName::new(name.as_str()).ok()?;
        pool_name(facts, winner.namespace(), &route, &winner).ok()
    });
    // A route of a dependency of mcp-mesh is not named like its capability.
    let pool = pool.filter(|_| requirement.also.reach == Reach::One);
    let Published { edition, built, intent } = api.views.base().newest();
    let resources = built.snapshot.resources();
    // Of the route that has the name, as every proxy has it.
    let route = resources.routes.get(name.as_str());
    let route = route.filter(|_| requirement.namespace() == Namespace::DEFAULT);
    Ok(Json(ExplainItem {
        intent,
        serial: edition.serial.0,
        requirement: explanation.requirement,
        winner: explanation.winner.map(|agent| agent.to_string()),
        pool: pool.map(|pool| pool.to_string()),
        ties: texts(explanation.trace.ties.iter()),
        summary: explanation.summary,
        sessions: route.map(|route| sessions(resources, route)),
        traffic: route.and_then(|route| TrafficItem::of(resources, route)),
        candidates: explanation.candidates.into_iter().map(candidate).collect(),
        stages: explanation.trace.stages.into_iter().map(stage).collect(),
    }))
}

fn sessions(resources: &Kinds, route: &Route) -> SessionsItem {
    let keys = KINDS_OF_PROTOCOL.into_iter().map(str::to_owned);
    let keys = keys.chain(route.policy.sessions.keys.iter().map(ToString::to_string));
    SessionsItem {
        route: route.name.to_string(),
        affinity: route.policy.affinity.as_str(),
        keys: if route.policy.affinity.follows_keys() { keys.collect() } else { Vec::new() },
        on_replica_loss: route.policy.sessions.on_loss.as_str(),
        session_mode: resources.settings.session_mode.as_str(),
    }
}

fn requirement(pairs: &[(String, String)]) -> Result<Requirement, Problem> {
    if let [(key, text)] = pairs
        && key == "requirement"
    {
        return text.parse().map_err(bad);
    }
    let (mut capability, mut version, mut tags, mut also) = (None, None, Vec::new(), Also::default());
    for (key, value) in pairs {
        match key.as_str() {
            "capability" => capability = Some(value.as_str()),
            "version" => version = Some(value.as_str()),
            "tag" => tags.push(value.as_str()),
            "namespace" => also.namespace = Some(value.parse().map_err(|error| bad(BadRequirement::Name(error)))?),
            "schema" => also.schema = Some(schema(value).ok_or_else(|| bad(BadWord::Schema.into()))?),
            "requirement" => return Err(Problem::bad_query("`requirement` stands alone", HINT)),
            other => return Err(Problem::bad_query(format!("`{}` is no key", excerpt(other)), HINT)),
        }
    }
    let capability = capability.ok_or_else(|| Problem::bad_query("`capability` is missing", HINT))?;
    let requirement = Requirement::parse(capability, version, tags).map_err(bad)?;
    Ok(Requirement { also, ..requirement })
}

/// `subset:` or `strict:`, then JSON or a hash.
fn schema(text: &str) -> Option<SchemaNeed> {
    let (mode, rest) = text.split_once(':')?;
    let (hash, canonical) = if rest.starts_with('{') { ("", rest) } else { (rest, "") };
    SchemaNeed::new(SchemaMode::parse(mode)?, hash, canonical)
}

fn bad(bad: BadRequirement) -> Problem {
    let cause = std::error::Error::source(&bad).map(|cause| format!(": {cause}")).unwrap_or_default();
    Problem::bad_query(excerpt(&format!("{bad}{cause}")), HINT)
}

fn excerpt(text: &str) -> String {
    text.chars().take(256).collect()
}

fn candidate(candidate: Explained) -> CandidateItem {
    let replicas = candidate.replicas.into_iter();
    CandidateItem {
        agent: candidate.agent.to_string(),
        namespace: candidate.namespace.to_string(),
        function: candidate.function,
        version: candidate.version.to_string(),
        tags: texts(candidate.tags.iter()),
        score: candidate.score,
        verdict: candidate.verdict.as_str(),
        evicted: candidate.evicted.map(Reason::as_str),
        reason: candidate.reason,
        replicas: replicas.map(|(id, state)| ReplicaItem { id: id.to_string(), state: state.as_str() }).collect(),
    }
}

fn stage(stage: StageTrace) -> StageItem {
    let evicted = stage.evicted.into_iter().map(|(offer, Eviction { reason, detail })| EvictedItem {
        id: offer.to_string(),
        reason: reason.as_str(),
        detail,
    });
    StageItem {
        stage: stage.stage.as_str(),
        considered: stage.considered,
        kept: texts(stage.kept.iter()),
        evicted: evicted.collect(),
    }
}
