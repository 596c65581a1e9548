//! How long it takes to find the provider of one requirement among ten thousand capabilities.
//!
//! In: [`Options`]. Out: a row: inside the core, timed one by one, and over HTTP from a real control.
//! Invariant: every resolution that is timed finds a provider; one that does not is an error.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_control_core::facts::{Facts, Standing};
use outrigger_control_core::resolve::{resolve, winners};
use outrigger_model::capability::Capability;
use outrigger_model::name::{AgentName, CapabilityName, NodeId, ReplicaId};
use outrigger_model::registration::{AgentKind, Function, FunctionNeed, Registration, Shape};
use outrigger_model::replica::{Generation, Replica, ReplicaState};
use outrigger_model::requirement::Requirement;
use outrigger_model::tag::TagSet;
use outrigger_wire::proto::registry::Report;

use super::crowd::{Crowd, register};
use super::error::ControlError;
use crate::generate::connection::Connection;
use crate::generate::figures::Times;
use crate::machine::about::About;
use crate::peers::Place;
use crate::row::Row;
use crate::stage::ask;
use crate::stage::control::Control;

#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Offers in all; the agents have ten each.
    pub capabilities: usize,
    /// Resolutions that are timed, of each kind.
    pub count: usize,
    /// The same over HTTP.
    pub http_count: usize,
}

const EACH: usize = 10;
/// How many agents offer each name; with more of them there are fewer names.
const PROVIDERS: [usize; 3] = [1, 10, 100];

pub async fn measure(place: &Place, options: Options, tell: &dyn Fn(String)) -> Result<Row, ControlError> {
    let version = crate::machine::about::first_line(&place.outrigger.display().to_string(), &["--version"], None);
    let says = format!("one requirement with a version range and tags, among {} capabilities", options.capabilities);
    let mut row = Row::new(About::now(0, vec![version]), "control resolution", says);
    for providers in PROVIDERS {
        let times = inside(options, providers)?;
        let what = format!("in the core, {providers} agents offer the name");
        tell(format!("{what}: p50 {:.2} us, p99 {:.2} us", times.quantile_us(0.5), times.quantile_us(0.99)));
        row.at_most(format!("{what}, p50"), times.quantile_us(0.5), "µs", 50.0);
        row.at_most(format!("{what}, p99"), times.quantile_us(0.99), "µs", 50.0);
    }
    let Registered { first, times } = registered_inside(options)?;
    let what = "in the core, agents of mcp-mesh that require each other in chains";
    tell(format!("{what}: p50 {:.2} us, p99 {:.2} us", times.quantile_us(0.5), times.quantile_us(0.99)));
    row.at_most(format!("{what}, p50"), times.quantile_us(0.5), "µs", 50.0);
    row.at_most(format!("{what}, p99"), times.quantile_us(0.99), "µs", 50.0);
    row.figure("which functions work, worked out once per change of facts", first.as_secs_f64() * 1_000.0, "ms");
    let times = over_http(place, options).await?;
    row.figure("GET /v1/explain on a kept connection, p50", times.quantile_us(0.5), "µs");
    row.figure("GET /v1/explain on a kept connection, p99", times.quantile_us(0.99), "µs");
    row.note("the core is timed in this process with two readings of the clock around each resolution");
    row.note("over HTTP control explains all candidates to people, and one agent offers each name");
    row.about.finish();
    Ok(row)
}

fn inside(options: Options, providers: usize) -> Result<Times, ControlError> {
    let names = (options.capabilities / providers).max(1);
    let facts = facts(options.capabilities, names)?;
    let requirements = (0..names).map(|name| {
        let tags = ["eu", "+fast", "-slow"];
        Requirement::parse(&format!("skill-{name}"), Some("^1.2"), tags).map_err(wrong)
    });
    let requirements = requirements.collect::<Result<Vec<_>, _>>()?;
    let mut times = Times::default();
    let mut order = fastrand::Rng::with_seed(1);
    for _ in 0..options.count {
        let Some(requirement) = requirements.get(order.usize(..names)) else { continue };
        let began = Instant::now();
        let found = black_box(resolve(black_box(&facts), black_box(requirement))).is_some();
        times.record(began.elapsed());
        if !found {
            return Err(ControlError::Wrong(format!("nobody provides `{requirement}`")));
        }
    }
    Ok(times)
}

/// Resolutions among functions of registrations.
struct Registered {
    /// The one that finds out what works.
    first: Duration,
    times: Times,
}

/// Each function requires the one of the same number of the next agent, so that chains are as long as there are agents.
fn registered_inside(options: Options) -> Result<Registered, ControlError> {
    let agents = options.capabilities.div_ceil(EACH);
    let mut facts = Facts::default();
    for agent in 0..agents {
        let functions = (0..EACH).map(|which| function(agent, which, agents)).collect::<Result<Vec<_>, _>>()?;
        let registration = Registration {
            kind: AgentKind::Mcp,
            runtime: "python".into(),
            description: "".into(),
            host: "127.0.0.1".into(),
            port: 9,
            functions,
            raw: "{}".into(),
        };
        let replica = Replica { registration: Some(Arc::new(registration)), ..replica(agent, Vec::new())? };
        facts.put(Standing { replica: Arc::new(replica), state: ReplicaState::Healthy, trouble: "".into() });
    }
    let requirements = (0..agents * EACH).map(|name| {
        let text = format!("skill-{} eu +fast -slow @range=^1.2 @reach=ties", skill(name / EACH, name % EACH));
        text.parse::<Requirement>().map_err(wrong)
    });
    let requirements = requirements.collect::<Result<Vec<_>, _>>()?;
    let mut order = fastrand::Rng::with_seed(1);
    let (mut first, mut times) = (None, Times::default());
    for _ in 0..options.count {
        let Some(requirement) = requirements.get(order.usize(..requirements.len())) else { continue };
        let began = Instant::now();
        let found = black_box(winners(black_box(&facts), black_box(requirement)));
        let took = began.elapsed();
        if !found.first().is_some_and(|winner| winner.is_callable) {
            return Err(ControlError::Wrong(format!("nobody provides `{requirement}`")));
        }
        match first {
            None => first = Some(took),
            Some(_) => times.record(took),
        }
    }
    Ok(Registered { first: first.unwrap_or_default(), times })
}

fn skill(agent: usize, which: usize) -> usize {
    agent * EACH + which
}

fn function(agent: usize, which: usize, agents: usize) -> Result<Function, ControlError> {
    let next =
        (agent + 1 < agents).then(|| format!("skill-{} eu @range=>=1.0.0,<2 @reach=ties", skill(agent + 1, which)));
    let need = |text: String| Ok(FunctionNeed { requirement: text.parse().map_err(wrong)?, required: true });
    Ok(Function {
        name: format!("do_{which}").into(),
        capability: format!("skill-{}", skill(agent, which)).into(),
        version: version()?,
        tags: TagSet::parse(["eu", "fast"]).map_err(wrong)?,
        description: "".into(),
        kwargs: "".into(),
        input_schema: "".into(),
        input: Shape::default(),
        output: Shape::default(),
        needs: next.map(need).into_iter().collect::<Result<_, ControlError>>()?,
        tools: None,
        model: None,
    })
}

/// Agents with ten offers each, whose names repeat after `names`.
fn facts(capabilities: usize, names: usize) -> Result<Facts, ControlError> {
    let mut facts = Facts::default();
    let agents = capabilities.div_ceil(EACH);
    for agent in 0..agents {
        // Spread over the agents, so that nobody offers one name twice.
        let offered = (0..EACH).map(|which| (agent + which * agents) % names);
        let mut capabilities = offered.map(capability).collect::<Result<Vec<_>, _>>()?;
        capabilities.sort_by(|a, b| a.name.cmp(&b.name));
        capabilities.dedup_by(|a, b| a.name == b.name);
        let replica = replica(agent, capabilities)?;
        facts.put(Standing { replica: Arc::new(replica), state: ReplicaState::Healthy, trouble: "".into() });
    }
    Ok(facts)
}

fn replica(agent: usize, capabilities: Vec<Capability>) -> Result<Replica, ControlError> {
    let id = format!("crowd-{agent}");
    Ok(Replica {
        id: ReplicaId::new(&id).map_err(wrong)?,
        agent: AgentName::new(&id).map_err(wrong)?,
        node: NodeId::new(&id).map_err(wrong)?,
        version: version()?,
        tags: TagSet::default(),
        address: ([127, 0, 0, 1], 9).into(),
        identity: None,
        generation: Generation(1),
        revisions: Vec::new(),
        weight: 100,
        zone: String::new(),
        namespace: Default::default(),
        registration: None,
        capabilities,
    })
}

fn capability(name: usize) -> Result<Capability, ControlError> {
    Ok(Capability {
        name: CapabilityName::new(&format!("skill-{name}")).map_err(wrong)?,
        version: version()?,
        tags: TagSet::parse(["eu", "fast"]).map_err(wrong)?,
        tools: Vec::new(),
        session_required: false,
        calls: Default::default(),
    })
}

fn version() -> Result<semver::Version, ControlError> {
    semver::Version::parse("1.2.3").map_err(wrong)
}

fn wrong(error: impl std::fmt::Display) -> ControlError {
    ControlError::Wrong(error.to_string())
}

async fn over_http(place: &Place, options: Options) -> Result<Times, ControlError> {
    let folder = tempfile::tempdir()?;
    let control = Control::start(place, folder.path(), place.cores.proxy, "store: memory\n").await?;
    let agents = options.capabilities.div_ceil(EACH);
    let crowd = Crowd { capabilities: EACH, replicas_per_agent: 1 };
    // Few nodes with many replicas each: who reports does not matter here.
    let nodes = (0..agents).collect::<Vec<_>>();
    let nodes = nodes.chunks(100).enumerate().map(|(at, chunk)| {
        (Crowd::node(at), Report { replicas: chunk.iter().map(|agent| crowd.replica(*agent)).collect(), calls: None })
    });
    let _speakers = register(control.grpc, nodes.collect()).await?;
    let last = format!("/v1/explain?capability=skill-{}-0", agents.saturating_sub(1));
    let is_shown = async || {
        ask::json(control.http, &last)
            .await
            .is_ok_and(|said| said.pointer("/winner").is_some_and(serde_json::Value::is_string))
    };
    crate::stage::part::until("the last agent is shown", Duration::from_secs(20), is_shown).await?;
    let mut connection = Connection::open(control.http).await?;
    let mut times = Times::default();
    let mut order = fastrand::Rng::with_seed(1);
    for _ in 0..options.http_count {
        let path = format!(
            "/v1/explain?capability=skill-{}-{}&version=%5E1.2&tag=eu",
            order.usize(..agents),
            order.usize(..EACH)
        );
        let began = Instant::now();
        let said = ask::get_on(&mut connection, control.http, &path).await?;
        times.record(began.elapsed());
        let said: serde_json::Value = serde_json::from_slice(&said).unwrap_or_default();
        if !said.pointer("/winner").is_some_and(serde_json::Value::is_string) {
            return Err(ControlError::Wrong(format!("{path} is answered with {said}")));
        }
    }
    Ok(times)
}
