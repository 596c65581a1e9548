//! One run of one peer: load on, CPU before and after, figures out.
//!
//! In: a running peer, agents, a scenario. Out: a [`Round`] and its tally.
//! Invariant: callers are connected and sessions open before the clock starts, and the agents' count begins anew.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};

use super::result::{Quantiles, Round};
use super::visit::{Visit, VisitError};
use crate::echo::{Ask, Mix};
use crate::generate::connection::{CallError, Connection};
use crate::generate::crew::CrewError;
use crate::generate::feeds::Feeds;
use crate::generate::figures::{Figures, Times};
use crate::generate::{Book, Crew, Dress, Target, rate, saturate, sessions, streams};
use crate::machine::process::{GoneError, cpu, machine_busy, resident_kib};
use crate::peers::mesh::Watched;
use crate::scenario::{Load, Scenario};
use crate::tally::{Executed, Tally};

#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    #[error(transparent)]
    Crew(#[from] CrewError),
    #[error("agent does not say what it executed")]
    Agent(#[from] CallError),
    #[error(transparent)]
    Gone(#[from] GoneError),
    #[error("world cannot be changed")]
    Visit(#[from] VisitError),
    #[error("run was given up after {0:?}")]
    Endless(Duration),
}

/// What is sampled.
pub struct Subject<'a> {
    pub target: &'a Target,
    pub proxies: &'a [u32],
    pub agents: &'a [SocketAddr],
    pub agent_pids: &'a [u32],
    /// Part of the peer but not on the path of a call.
    pub beside: &'a [u32],
    /// Where the world changes while the run lasts.
    pub changes: Option<Watched>,
}

/// CPU times at one moment.
struct Moment {
    proxies: Duration,
    agents: Duration,
    beside: Duration,
    own: Duration,
    machine: Duration,
}

impl Subject<'_> {
    fn moment(&self) -> Result<Moment, SampleError> {
        let sum = |pids: &[u32]| pids.iter().map(|pid| cpu(*pid)).sum::<Result<Duration, _>>();
        Ok(Moment {
            proxies: sum(self.proxies)?,
            agents: sum(self.agent_pids)?,
            beside: sum(self.beside)?,
            own: own_cpu(),
            machine: machine_busy(),
        })
    }
}

/// This process without its children, which are counted by themselves.
fn own_cpu() -> Duration {
    use nix::sys::resource::{UsageWho, getrusage};
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return Duration::ZERO };
    [usage.user_time(), usage.system_time()]
        .iter()
        .map(|time| {
            Duration::from_micros(u64::try_from(time.tv_sec() * 1_000_000 + time.tv_usec()).unwrap_or_default())
        })
        .sum()
}

/// Runs the scenario once.
pub async fn sample(subject: &Subject<'_>, scenario: &Scenario) -> Result<(Round, Tally), SampleError> {
    let most = scenario.time_max();
    tokio::time::timeout(most, run(subject, scenario)).await.map_err(|_| SampleError::Endless(most))?
}

/// A few calls in the same dress, so that pools are filled and code is loaded.
pub async fn warm_up(target: &Target, dress: &Dress, connections: usize) -> Result<(), SampleError> {
    let dress = Dress { mix: Mix::only(Ask::PLAIN), ..dress.clone() };
    let crew = Crew::hire(target, &dress, connections).await?;
    let (crew, _) = saturate::run(crew, &Book::new(connections as u64 * 10)).await?;
    crew.dismiss().await;
    Ok(())
}

/// What is open when the clock starts.
enum Ready {
    Crew(Crew),
    Feeds {
        feeds: Feeds,
        /// What makes the agents begin.
        telling: String,
    },
}

async fn ready(subject: &Subject<'_>, scenario: &Scenario) -> Result<Ready, SampleError> {
    let crew = Crew::hire(subject.target, &scenario.dress, scenario.connections).await?;
    let Load::Feeds { streams, events, every_ms } = scenario.load else { return Ok(Ready::Crew(crew)) };
    let feeds = Feeds::open(crew, streams, events).await?;
    Ok(Ready::Feeds { feeds, telling: format!("/tell/{events}/{every_ms}") })
}

async fn work(crew: Crew, load: Load, book: &Book) -> Result<(Crew, Duration), SampleError> {
    Ok(match load {
        Load::Saturate { .. } | Load::Idle { .. } | Load::Feeds { .. } => saturate::run(crew, book).await?,
        Load::Rate { per_second, calls } => rate::run(crew, book, per_second, calls).await?,
        Load::Sessions { calls_each, .. } => sessions::run(crew, book, calls_each).await?,
        Load::Streams { .. } => streams::run(crew, book).await?,
    })
}

async fn run(subject: &Subject<'_>, scenario: &Scenario) -> Result<(Round, Tally), SampleError> {
    for agent in subject.agents {
        begin(*agent, scenario.numbers()).await?;
    }
    let ready = ready(subject, scenario).await?;
    let book = Book::new(scenario.numbers());
    let visit = match subject.changes {
        Some(watched) => Some(Visit::begin(watched, scenario.changes_per_second).await?),
        None => None,
    };
    let before = subject.moment()?;
    let (crew, elapsed) = match ready {
        Ready::Crew(crew) => work(crew, scenario.load, &book).await?,
        Ready::Feeds { feeds, telling } => {
            for agent in subject.agents {
                ask(*agent, Method::PUT, &telling).await?;
            }
            feeds.read(&book).await?
        }
    };
    let after = subject.moment()?;
    let changes = match visit {
        Some(visit) => visit.end().await?,
        None => 0,
    };
    let resident = subject.proxies.iter().map(|pid| resident_kib(*pid)).sum::<Result<u64, _>>()?;
    crew.dismiss().await;
    let mut sum = Executed::default();
    for agent in subject.agents {
        let executed = executed(*agent).await?;
        sum.once += executed.once;
        sum.again += executed.again;
    }
    let figures = book.close(sum, elapsed);
    let round = Round { resident_kib: resident, changes, ..round(&figures, &before, &after) };
    Ok((round, figures.tally))
}

fn round(figures: &Figures, before: &Moment, after: &Moment) -> Round {
    let seconds = figures.elapsed.as_secs_f64();
    let units = figures.units.max(1) as f64;
    let spent = |after: Duration, before: Duration| after.saturating_sub(before).as_secs_f64();
    let proxies = spent(after.proxies, before.proxies);
    let agents = spent(after.agents, before.agents);
    let beside = spent(after.beside, before.beside);
    let ours = proxies + agents + beside + spent(after.own, before.own);
    let machine = spent(after.machine, before.machine);
    Round {
        units: figures.units,
        seconds,
        per_second: units / seconds,
        cpu_us: proxies / units * 1e6,
        cpu_share: proxies / seconds,
        agent_cpu_us: agents / units * 1e6,
        foreign_cores: ((machine - ours) / seconds).max(0.0),
        beside_cores: beside / seconds,
        latency: quantiles(&figures.latency),
        late: quantiles(&figures.late),
        opening: quantiles(&figures.opening),
        first_byte: quantiles(&figures.first_byte),
        lag: quantiles(&figures.lag),
        ..Round::default()
    }
}

fn quantiles(times: &Times) -> Quantiles {
    Quantiles {
        p50: times.quantile_us(0.5),
        p90: times.quantile_us(0.9),
        p99: times.quantile_us(0.99),
        p999: times.quantile_us(0.999),
        max: times.max_us(),
    }
}

/// Tells an agent that a run begins.
pub async fn begin(agent: SocketAddr, numbers: u64) -> Result<(), CallError> {
    ask(agent, Method::PUT, &format!("/run/{numbers}")).await.map(drop)
}

/// What an agent executed since the run began.
pub async fn executed(agent: SocketAddr) -> Result<Executed, CallError> {
    let bytes = ask(agent, Method::GET, "/run").await?;
    Ok(serde_json::from_slice(&bytes).unwrap_or_default())
}

async fn ask(agent: SocketAddr, method: Method, path: &str) -> Result<Bytes, CallError> {
    let mut request = Request::new(Full::new(Bytes::new()));
    *request.method_mut() = method;
    *request.uri_mut() = path.parse().unwrap_or_default();
    request.headers_mut().insert(http::header::HOST, http::HeaderValue::from_static("agent"));
    // Held until the body is read, which comes through it.
    let mut connection = Connection::open(agent).await?;
    let response = connection.send(request).await?;
    Ok(response.into_body().collect().await?.to_bytes())
}
