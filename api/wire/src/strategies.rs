//! Arbitrary model values, for the tests of this crate only.

mod policy;

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use outrigger_model::agent::Agent;
use outrigger_model::capability::{Capability, Tool, ToolHints};
use outrigger_model::digest::Digest;
use outrigger_model::endpoint::{Endpoint, EndpointState, TIER_MAX};
use outrigger_model::identity::SpiffeId;
use outrigger_model::key::{ArgumentKey, KEYS_MAX, KeySource, OnLoss, SessionPolicy};
use outrigger_model::pool::{Balance, Endpoints, Pool};
use outrigger_model::replica::Generation;
use outrigger_model::revocation::{Revocations, SessionName};
use outrigger_model::route::{Affinity, Limits, Route, RoutePolicy, Timeouts};
use outrigger_model::secret::{Keyring, SealKey, Secret};
use outrigger_model::settings::{SessionLimits, SessionMode, Settings};
use outrigger_model::snapshot::Kinds;
use outrigger_model::tag::TagSet;
use outrigger_model::wiring::{Provider, Wiring};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use semver::Version;

fn text<T: FromStr<Err: std::fmt::Debug> + std::fmt::Debug>(form: &'static str) -> impl Strategy<Value = T> {
    form.prop_map(|text| text.parse().unwrap())
}

fn name<T: FromStr<Err: std::fmt::Debug> + std::fmt::Debug>() -> impl Strategy<Value = T> {
    text("[A-Za-z0-9][A-Za-z0-9._-]{0,30}")
}

fn version() -> impl Strategy<Value = Version> {
    text("(0|[1-9][0-9]{0,5})\\.(0|[1-9][0-9]{0,5})\\.[1-9](-[a-z]{1,8}(\\.[1-9])?)?(\\+[a-z0-9]{1,8})?")
}

fn tags() -> impl Strategy<Value = TagSet> {
    vec("[A-Za-z0-9._:/=][A-Za-z0-9._:/=-]{0,20}", 0..5).prop_map(|texts| TagSet::parse(texts).unwrap())
}

fn address() -> impl Strategy<Value = SocketAddr> {
    (any::<IpAddr>(), any::<u16>()).prop_map(SocketAddr::from)
}

fn identity() -> impl Strategy<Value = Option<SpiffeId>> {
    option::of(text("spiffe://mesh\\.example/(control|(agent|node|operator)/[a-z][a-z0-9-]{0,20})"))
}

fn duration() -> impl Strategy<Value = Duration> {
    (0..=crate::limit::DURATION_SECONDS_MAX, 0..1_000_000_000u32).prop_map(|(seconds, nanos)| {
        let whole = seconds == crate::limit::DURATION_SECONDS_MAX;
        Duration::new(seconds, if whole { 0 } else { nanos })
    })
}

pub fn settings() -> impl Strategy<Value = Settings> {
    let mode = prop_oneof![Just(SessionMode::Stored), Just(SessionMode::Sealed)];
    let limit = || option::of(any::<u32>());
    let limits = (limit(), limit(), limit());
    let limits = limits.prop_map(|(per_caller, per_agent, total)| SessionLimits { per_caller, per_agent, total });
    (duration(), duration(), mode, limits).prop_map(|(session_idle, session_lifetime, session_mode, session_limits)| {
        Settings { session_idle, session_lifetime, session_mode, session_limits }
    })
}

pub fn keyring() -> impl Strategy<Value = Keyring> {
    let keys = btree_map(any::<u32>(), (any::<[u8; 32]>(), seconds()), 0..4);
    keys.prop_map(|keys| {
        let keys = keys.into_iter().map(|(id, (secret, made))| SealKey { id, secret: Secret::new(secret), made });
        Keyring { keys: keys.collect() }
    })
}

pub fn revocations() -> impl Strategy<Value = Revocations> {
    let sessions = btree_map(any::<u64>().prop_map(SessionName::from_number), seconds(), 0..4);
    let callers = btree_map("spiffe://mesh/agent/[a-z]{1,20}", seconds(), 0..4);
    (sessions, callers, btree_map(name(), seconds(), 0..4)).prop_map(|(sessions, callers, agents)| Revocations {
        sessions,
        callers,
        agents,
    })
}

fn seconds() -> impl Strategy<Value = u64> {
    0..=crate::limit::TIME_SECONDS_MAX
}

fn key_source() -> impl Strategy<Value = KeySource> {
    let argument = ("[a-z]{1,9}(\\.[a-z_]{1,9}){0,3}", vec("[a-z]{1,9}", 0..4));
    prop_oneof![
        "[A-Za-z0-9_-]{1,20}".prop_map(|name| KeySource::header(&name).unwrap()),
        "[A-Za-z0-9_.~-]{1,20}".prop_map(|name| KeySource::param(&name).unwrap()),
        "[A-Za-z0-9_-]{1,20}".prop_map(|name| KeySource::cookie(&name).unwrap()),
        argument.prop_map(|(path, tools)| KeySource::Argument(ArgumentKey::new(&path, tools).unwrap())),
    ]
}

fn session_policy() -> impl Strategy<Value = SessionPolicy> {
    let on_loss = prop_oneof![Just(OnLoss::NotFound), Just(OnLoss::Reestablish)];
    (vec(key_source(), 0..=KEYS_MAX), on_loss).prop_map(|(keys, on_loss)| SessionPolicy { keys, on_loss })
}

pub fn agent() -> impl Strategy<Value = Agent> {
    let parts = (
        name(),
        version(),
        tags(),
        name(),
        vec(key_source(), 0..=KEYS_MAX),
        btree_set("\\PC{1,40}", 0..4),
        policy::calls(),
    );
    parts.prop_map(|(name, version, tags, pool, keys, repeatable, calls)| {
        let repeatable = repeatable.into_iter().collect();
        Agent { name, version, tags, pool, keys, repeatable, calls }
    })
}

pub fn capability() -> impl Strategy<Value = Capability> {
    let hints = any::<(bool, bool, bool)>();
    let hints = hints.prop_map(|(read_only, idempotent, destructive)| ToolHints { read_only, idempotent, destructive });
    let tools = btree_map("\\PC{1,40}", (any::<[u8; 32]>(), hints), 0..6).prop_map(|tools| {
        let tools = tools.into_iter();
        tools.map(|(name, (schema, hints))| Tool { name, schema: Digest::of(&schema), hints }).collect()
    });
    let parts = (name(), version(), tags(), tools, any::<bool>(), policy::calls());
    parts.prop_map(|(name, version, tags, tools, session_required, calls)| Capability {
        name,
        version,
        tags,
        tools,
        session_required,
        calls,
    })
}

pub fn pool() -> impl Strategy<Value = Pool> {
    let parts = (name(), name(), select(&Balance::ALL[..]), policy::pool_policy());
    parts.prop_map(|(name, agent, balance, policy)| Pool { name, agent, balance, policy })
}

pub fn endpoints() -> impl Strategy<Value = Endpoints> {
    let state = prop_oneof![Just(EndpointState::Up), Just(EndpointState::Suspect), Just(EndpointState::Draining)];
    let place = (0..=TIER_MAX, "[a-z0-9-]{0,9}", "[a-z_]{0,9}");
    let rest = (address(), identity(), any::<u64>(), 1..=1000u16, state, place);
    let endpoints = btree_map(name(), rest, 0..6).prop_map(|endpoints| {
        let endpoints = endpoints.into_iter();
        let endpoint = |(replica, (address, identity, generation, weight, state, (tier, zone, tool)))| {
            let generation = Generation(generation);
            Endpoint { replica, address, identity, generation, weight, state, tier, zone, tool }
        };
        endpoints.map(endpoint).collect()
    });
    (name(), endpoints).prop_map(|(pool, endpoints)| Endpoints { pool, endpoints })
}

pub fn route() -> impl Strategy<Value = Route> {
    let affinity = prop_oneof![Just(Affinity::Auto), Just(Affinity::Agent), Just(Affinity::Keys), Just(Affinity::None)];
    let timeouts = (duration(), limits(), limits(), limits(), option::of(duration()));
    let timeouts = timeouts.prop_map(|(connect, quick, call, stream, keep_alive)| Timeouts {
        connect,
        quick,
        call,
        stream,
        keep_alive,
    });
    let more = (policy::retries(), policy::rates(), policy::traffic());
    let policy = (affinity, any::<bool>(), session_policy(), timeouts, more);
    let policy = policy.prop_map(|(affinity, inspect, sessions, timeouts, (retries, rates, traffic))| RoutePolicy {
        affinity,
        inspect,
        sessions,
        timeouts,
        retries,
        rates,
        traffic,
    });
    (name(), name(), policy).prop_map(|(name, pool, policy)| Route { name, pool, policy })
}

pub fn wiring() -> impl Strategy<Value = Wiring> {
    let texts = ("[a-z_]{1,20}", "\\PC{0,40}", "\\PC{0,40}", "\\PC{0,40}");
    let provider = ((name(), name(), name()), texts, version(), tags(), any::<bool>());
    let provider = provider.prop_map(|((agent, replica, capability), texts, version, tags, callable)| Provider {
        agent,
        replica,
        capability,
        function: texts.0.into(),
        version,
        tags,
        description: texts.1.into(),
        kwargs: texts.2.into(),
        input_schema: texts.3.into(),
        callable,
    });
    (name(), vec(provider, 0..4)).prop_map(|(route, providers)| Wiring { route, providers })
}

fn limits() -> impl Strategy<Value = Limits> {
    let limit = || option::of(duration());
    (limit(), limit(), limit()).prop_map(|(first_byte, idle, total)| Limits { first_byte, idle, total })
}

/// Any set; references between its resources may lead nowhere.
pub fn resources() -> impl Strategy<Value = Kinds> {
    let single = (settings(), keyring(), revocations());
    let parts = (single, vec(agent(), 0..4), vec(capability(), 0..4), vec(pool(), 0..4), vec(endpoints(), 0..4));
    (parts, vec(route(), 0..4), vec(wiring(), 0..4)).prop_map(
        |(((settings, keyring, revocations), agents, capabilities, pools, endpoints), routes, wirings)| Kinds {
            settings,
            keyring,
            revocations,
            agents: agents.into_iter().map(|agent| (agent.name.clone(), agent)).collect(),
            capabilities: capabilities.into_iter().map(|capability| (capability.name.clone(), capability)).collect(),
            pools: pools.into_iter().map(|pool| (pool.name.clone(), pool)).collect(),
            endpoints: endpoints.into_iter().map(|endpoints| (endpoints.pool.clone(), endpoints)).collect(),
            routes: routes.into_iter().map(|route| (route.name.clone(), route)).collect(),
            wirings: wirings.into_iter().map(|wiring| (wiring.route.clone(), wiring)).collect(),
        },
    )
}
