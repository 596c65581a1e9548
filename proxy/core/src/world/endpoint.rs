//! Endpoints, pools and routes, compiled for lookup.
//!
//! In: their parts, from `compile`. Out: shared values that a call holds by `Arc` for as long as it needs them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use http::Uri;
use outrigger_model::endpoint::EndpointState;
use outrigger_model::identity::SpiffeId;
use outrigger_model::name::{AgentName, PoolName, ReplicaId, RouteName};
use outrigger_model::pool::Balance;
use outrigger_model::pool::policy::PoolPolicy;
use outrigger_model::replica::Generation;
use outrigger_model::route::RoutePolicy;
use outrigger_model::traffic::{Faults, HeaderEdits, When};

use crate::asked::Server;
use crate::live::{Live, PoolLive};
use crate::mcp::envelope::probe::Wants;
use crate::site::Site;

/// Stands where an endpoint of the mesh has names.
const ELSEWHERE: &str = "elsewhere";

/// Where the bytes of a call go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The inbound listener of another proxy. No identity means plaintext.
    Peer { address: SocketAddr, identity: Option<SpiffeId> },
    /// The own agent, at its configured URL.
    Own { upstream: Uri },
}

/// What depends on the endpoint only when a call goes to it; written once, when the world is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// Where to connect. None for an own agent whose URL holds a name.
    pub address: Option<SocketAddr>,
    /// Of its MCP endpoint.
    pub path: String,
    /// In front of what lies beside the endpoint; empty at the agent itself.
    pub root: String,
    /// Stands in the agent's URL, and replaces what the caller wrote.
    pub query: Option<String>,
    /// What an own agent is told as `Host`; a peer gets the caller's.
    pub host: Option<String>,
}

/// One replica that can be called.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub replica: ReplicaId,
    pub agent: AgentName,
    pub place: Place,
    pub lead: Arc<Lead>,
    pub generation: Generation,
    pub weight: u16,
    pub state: EndpointState,
    /// 0 comes first.
    pub tier: u8,
    pub zone: String,
    pub live: Arc<Live>,
    pub terms: Arc<Terms>,
    /// What the function of a wired route is called there, where it is called otherwise than by the first provider.
    pub tool: Option<Arc<str>>,
}

/// By what the endpoints of a pool are judged, and what they share.
#[derive(Debug)]
pub struct Terms {
    pub balance: Balance,
    pub policy: PoolPolicy,
    /// How many there are.
    pub size: usize,
    pub live: Arc<PoolLive>,
}

/// Interchangeable endpoints of one agent.
#[derive(Debug, Clone)]
pub struct Pool {
    pub name: PoolName,
    pub agent: AgentName,
    pub balance: Balance,
    pub policy: PoolPolicy,
    /// Sorted by replica.
    pub endpoints: Vec<Arc<Endpoint>>,
    /// Whether some of them are preferred to others, by tier or by zone.
    pub preferences: Preferences,
    pub live: Arc<PoolLive>,
}

/// What of a pool has to be looked at before the endpoints themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preferences {
    /// The tiers that its endpoints are of, if that is more than one; ascending.
    pub tiers: Vec<u8>,
    /// The proxy's own zone, if some of its endpoints are there and some are not.
    pub zone: Option<String>,
}

/// A name that callers use, with everything behind it.
#[derive(Debug, Clone)]
pub struct Route {
    pub name: RouteName,
    pub policy: RoutePolicy,
    /// What is looked for in bodies because of its keys.
    pub wants: Option<Wants>,
    /// Sorted tools of the agent that say of themselves that running them twice changes nothing; none where such words are not trusted.
    pub hinted: Vec<String>,
    pub pool: Arc<Pool>,
    /// What happens to its calls beside being sent to its pool; none where nothing does.
    pub shaping: Option<Box<Shaping>>,
    /// Which function it stands for, if agents of mcp-mesh call one by it.
    pub wired: Option<Wired>,
}

/// The one function that calls of a dependency are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wired {
    /// What the first provider calls it.
    pub function: Arc<str>,
    /// Whether others call it something else.
    pub mixed: bool,
}

/// What a route does with its calls, with its pools at hand.
#[derive(Debug, Clone)]
pub struct Shaping {
    /// The first that matches decides.
    pub branches: Vec<Branch>,
    pub mirror: Option<Mirror>,
    pub faults: Option<Faults>,
    pub edits: Option<Arc<HeaderEdits>>,
}

/// Calls that match, and who shares them.
#[derive(Debug, Clone)]
pub struct Branch {
    pub when: When,
    pub shares: Vec<Share>,
}

#[derive(Debug, Clone)]
pub struct Share {
    pub pool: Arc<Pool>,
    pub weight: u16,
}

/// Who gets copies of calls.
#[derive(Debug, Clone)]
pub struct Mirror {
    pub pool: Arc<Pool>,
    /// Of the calls, 1 to 100.
    pub percent: u8,
}

impl Route {
    /// Whether calls of any tool may run twice.
    pub fn has_repeatable(&self) -> bool {
        !self.policy.retries.tools.is_empty() || !self.hinted.is_empty()
    }

    /// Whether calls of a tool may run twice.
    pub fn may_repeat(&self, tool: &str) -> bool {
        let is_hinted = || self.hinted.binary_search_by(|hinted| hinted.as_str().cmp(tool)).is_ok();
        self.policy.retries.names(tool) || is_hinted()
    }
}

impl Lead {
    pub fn of(replica: &ReplicaId, place: &Place) -> Self {
        match place {
            Place::Peer { address, .. } => {
                let root = format!("/agents/{replica}");
                Self { address: Some(*address), path: format!("{root}/mcp"), root, query: None, host: None }
            }
            Place::Own { upstream } => {
                let host = upstream.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
                let port = upstream.port_u16().unwrap_or(80);
                Self {
                    address: host.parse().ok().map(|ip| SocketAddr::new(ip, port)),
                    path: upstream.path().to_owned(),
                    root: String::new(),
                    query: upstream.query().map(str::to_owned),
                    host: Some(upstream.authority().map_or("", |authority| authority.as_str()).to_owned()),
                }
            }
        }
    }
}

impl Lead {
    /// The paths of what can be asked for there.
    pub fn server(&self) -> Server<'_> {
        Server { root: &self.root, endpoint: &self.path }
    }
}

impl Terms {
    /// Those of an endpoint that belongs to no pool: no limits, and nothing shared.
    pub fn alone() -> Self {
        let live = Arc::new(PoolLive::new(0));
        Self { balance: Balance::default(), policy: PoolPolicy::default(), size: 1, live }
    }

    /// Most endpoints that are ejected at a time.
    pub fn ejected_max(&self) -> usize {
        (self.size * usize::from(self.policy.outlier.share_max_percent)).div_ceil(100).max(1)
    }
}

impl Preferences {
    /// `zone` is that of the proxy.
    pub fn of(endpoints: &[Arc<Endpoint>], policy: &PoolPolicy, zone: &str) -> Self {
        let mut tiers: Vec<u8> = endpoints.iter().map(|endpoint| endpoint.tier).collect();
        tiers.sort_unstable();
        tiers.dedup();
        let tiers = if tiers.len() > 1 { tiers } else { Vec::new() };
        let near = endpoints.iter().filter(|endpoint| endpoint.zone == zone).count();
        let tells = policy.prefer_zone && !zone.is_empty() && near != 0 && near != endpoints.len();
        Self { tiers, zone: tells.then(|| zone.to_owned()) }
    }
}

impl Endpoint {
    /// A place that is no agent of the mesh, for one request that goes there with all that stands in it.
    pub fn elsewhere(site: &Site, address: SocketAddr, path: &str, now: Instant) -> Option<Self> {
        let path = if path.is_empty() { "/" } else { path }.to_owned();
        let upstream = Uri::builder().scheme("http").authority(site.to_string()).path_and_query("/").build().ok()?;
        Some(Self {
            replica: ReplicaId::new(ELSEWHERE).ok()?,
            agent: AgentName::new(ELSEWHERE).ok()?,
            place: Place::Own { upstream },
            lead: Arc::new(Lead { address: Some(address), path, root: String::new(), query: None, host: None }),
            generation: Generation(0),
            weight: 1,
            state: EndpointState::Up,
            tier: 0,
            zone: String::new(),
            live: Arc::new(Live::new(now)),
            terms: Arc::new(Terms::alone()),
            tool: None,
        })
    }

    pub const fn is_own(&self) -> bool {
        matches!(self.place, Place::Own { .. })
    }

    /// Whether this is the same running copy at the same place; only then its live state is kept.
    pub(super) fn same_life(&self, replica: &ReplicaId, place: &Place, generation: Generation) -> bool {
        self.replica == *replica && self.place == *place && self.generation == generation
    }
}
