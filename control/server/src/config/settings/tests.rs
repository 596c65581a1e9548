mod rates;

use outrigger_config::log::LogFormat;
use outrigger_config::{Environment, load_str};
use outrigger_control_core::intent::Intent;
use outrigger_model::key::OnLoss;
use outrigger_model::name::AgentName;
use outrigger_model::pool::Balance;
use outrigger_model::pool::policy::{Breaker, Concurrency, Outlier, PoolPolicy};
use outrigger_model::route::{Affinity, Limits, Timeouts};
use outrigger_model::settings::{SessionLimits, SessionMode};

use super::*;
use crate::ca::{Authority, LEAF_VALIDITY};

fn settings(yaml: &str) -> Result<Settings, SettingsError> {
    let file: ControlFile = load_str(yaml, &Environment::default()).unwrap();
    Settings::try_from((file, Path::new("/etc/outrigger")))
}

/// The message with its causes, as the logger prints it.
fn refusal(yaml: &str) -> String {
    let error = settings(yaml).unwrap_err();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(deeper) = cause {
        text = format!("{text}: {deeper}");
        cause = deeper.source();
    }
    text
}

#[test]
fn an_empty_file_is_a_working_control_on_loopback() {
    let settings = settings("").unwrap();
    assert_eq!(settings.grpc, "127.0.0.1:17010".parse().unwrap());
    assert_eq!(settings.http, "127.0.0.1:8000".parse().unwrap());
    assert_eq!(settings.store, StorePlace::Sqlite(std::path::PathBuf::from("/etc/outrigger/control.db")));
    assert_eq!(settings.rules, Rules::default());
    assert_eq!(settings.declared.intent, Intent::default());
}

#[test]
fn everything_that_can_be_written_arrives() {
    let settings = settings(
        r#"
listen: {grpc: "127.0.0.1:0", http: "127.0.0.1:0"}
store: memory
registration: {allow_networks: ["10.0.0.0/8"], replicas_max: 7}
lease: {light_seconds: 1, lease_seconds: 3}
settings: {session_idle_seconds: 60, session_lifetime_seconds: 90, session_mode: sealed, sessions_per_caller_max: 1,
  sessions_per_agent_max: 2, sessions_max: 3}
routes:
  - {name: forecast, capability: weather, version: "^1.2", tags: [eu, +fast], affinity: agent,
     keys: [{header: X-Cart}, {param: basket}, {cookie: sid}, {argument: cart.id, tools: [pay, add]}], on_replica_loss: reestablish,
     timeouts: {connect_ms: 100, quick: {total_ms: 1}, call: {first_byte_ms: 2}, stream: {idle_ms: 3}, keep_alive_ms: 4}}
pools: [{agent: weather, balance: round_robin}]
log: {level: debug, format: json}
"#,
    )
    .unwrap();
    assert_eq!(settings.store, StorePlace::Memory);
    assert_eq!(settings.rules.replicas_max, 7);
    assert_eq!(settings.rules.lease.lease(), Duration::from_secs(3));
    let route = settings.declared.intent.routes().next().unwrap();
    assert_eq!(route.requirement.to_string(), "weather ^1.2 eu +fast");
    let (usual, some) = (Timeouts::default(), |ms| Some(Duration::from_millis(ms)));
    let timeouts = Timeouts {
        connect: Duration::from_millis(100),
        quick: Limits { total: some(1), ..usual.quick },
        call: Limits { first_byte: some(2), ..usual.call },
        stream: Limits { idle: some(3), ..usual.stream },
        keep_alive: some(4),
    };
    assert_eq!((route.policy.affinity, route.policy.timeouts), (Affinity::Agent, timeouts));
    let keys: Vec<String> = route.policy.sessions.keys.iter().map(ToString::to_string).collect();
    assert_eq!(keys, ["header x-cart", "param basket", "cookie sid", "argument cart.id (tools add, pay)"]);
    assert_eq!(route.policy.sessions.on_loss, OnLoss::Reestablish);
    let mesh = outrigger_model::settings::Settings {
        session_idle: Duration::from_secs(60),
        session_lifetime: Duration::from_secs(90),
        session_mode: SessionMode::Sealed,
        session_limits: SessionLimits { per_caller: Some(1), per_agent: Some(2), total: Some(3) },
    };
    assert_eq!(*settings.declared.intent.settings(), mesh);
    assert_eq!((settings.log.level.as_str(), settings.log.format), ("debug", LogFormat::Json));
}

#[test]
fn rules_of_pools_arrive_in_their_own_spelling_and_in_that_of_mcp_services() {
    let settings = settings(
        r#"
store: memory
pools:
  - {agent: a, balance: peak_ewma, tiers: [[gpu, eu], [gpu]], panic_percent: 30, prefer_zone: false, slow_start_ms: 5000,
     outlier: {first_ms: 100, longest_ms: 200, share_max_percent: 20, tool_errors: true},
     breaker: {failure_threshold: 9, recovery_seconds: 7},
     concurrency: {per_endpoint: 1, total: 2, queue: 3, queue_wait_ms: 4}}
  - {agent: b, load_balancer: IP_HASH, circuit_breaker: {failure_threshold: 5, recovery_timeout: 60}}
"#,
    )
    .unwrap();
    let pool = |name: &str| settings.declared.intent.pool(&AgentName::new(name).unwrap()).unwrap().clone();
    let (a, b) = (pool("a"), pool("b"));
    assert_eq!((a.balance, a.tiers.len()), (Balance::PeakEwma, 2));
    let milliseconds = Duration::from_millis;
    let expected = PoolPolicy {
        slow_start: milliseconds(5_000),
        panic_percent: 30,
        prefer_zone: false,
        outlier: Outlier {
            first: milliseconds(100),
            longest: milliseconds(200),
            share_max_percent: 20,
            tool_errors: true,
        },
        breaker: Breaker { failure_threshold: 9, recovery: milliseconds(7_000) },
        concurrency: Concurrency {
            per_endpoint: Some(1),
            total: Some(2),
            queue: 3,
            queue_wait: milliseconds(4),
            adaptive: false,
        },
        rates: Vec::new(),
    };
    assert_eq!(a.policy, expected);
    assert_eq!(b.balance, Balance::ConsistentHash);
    let breaker = Breaker { failure_threshold: 5, recovery: Duration::from_secs(60) };
    assert_eq!(b.policy, PoolPolicy { breaker, ..PoolPolicy::default() });
}

#[test]
fn what_cannot_be_is_refused_with_its_key() {
    let rows = [
        ("listen: {grpc: localhost}", "listen.grpc: `localhost` is not an address"),
        ("store: postgres", "store: `postgres` is not a store"),
        ("listen: {grpc: \"0.0.0.0:17010\"}", "listen.grpc: 0.0.0.0:17010 is beyond loopback"),
        ("listen: {http: \"0.0.0.0:8000\"}", "listen.http: 0.0.0.0:8000 is beyond loopback and it is plaintext"),
        ("registration: {allow_networks: [\"10/8\"]}", "registration.allow_networks[0]: `10/8` is not a network"),
        ("registration: {replicas_max: 0}", "registration.replicas_max: 0 is not within"),
        ("lease: {light_seconds: 10, lease_seconds: 11}", "lease: a lease of 11s must be at least twice"),
        ("routes: [{name: a b, capability: c}]", "routes[0].name: route name `a b`"),
        (
            "routes: [{name: a, capability: c, version: new}]",
            "routes[0] asks for what cannot be: `new` is not a version",
        ),
        ("routes: [{name: a, capability: c, affinity: all}]", "routes[0].affinity: `all` is none of"),
        ("pools: [{agent: a, balance: fair}]", "pools[0].balance: `fair` is none of"),
        ("pools: [{agent: a, tiers: [[eu], [\"no tag\"]]}]", "pools[0].tiers[1]: "),
        ("pools: [{agent: a, concurrency: {total: 0}}]", "pools: agent `a`: concurrency.total: a limit of zero"),
        ("settings: {session_idle_seconds: 0}", "settings: a session may be idle for"),
        ("settings: {session_lifetime_seconds: 60}", "settings: a session may live for as long as it may be idle"),
        ("settings: {session_mode: shut}", "settings.session_mode: `shut` is neither stored nor sealed"),
        ("routes: [{name: a, capability: c, on_replica_loss: move}]", "routes[0].on_replica_loss: `move` is neither"),
        ("routes: [{name: a, capability: c, keys: [{}]}]", "routes[0].keys[0]: write exactly one of header, param"),
        (
            "routes: [{name: a, capability: c, keys: [{header: x, cookie: y}]}]",
            "routes[0].keys[0]: write exactly one of",
        ),
        ("routes: [{name: a, capability: c, keys: [{header: x, tools: [t]}]}]", "routes[0].keys[0].tools: only an"),
        (
            "routes: [{name: a, capability: c, keys: [{argument: a..b}]}]",
            "routes[0].keys[0]: path `a..b` is not 1 to 4",
        ),
        (
            "routes: [{name: a, capability: c, keys: [{header: a}, {header: b}, {header: c}, {header: d}, {header: e}]}]",
            "routes[0].keys: 5 are more than 4",
        ),
        ("identity: {certificate: no.pem, key: no.key, authority: no.pem}", "/etc/outrigger/no.pem"),
    ];
    for (yaml, expected) in rows {
        let text = refusal(yaml);
        assert!(text.contains(expected), "{yaml}: {text}");
    }
}

#[test]
fn insecure_allows_plaintext_anywhere() {
    let settings = settings("insecure: true\nlisten: {grpc: \"0.0.0.0:17010\", http: \"0.0.0.0:8000\"}").unwrap();
    assert!(settings.is_insecure && settings.material.is_none());
}

#[test]
fn only_controls_own_certificate_will_do() {
    let folder = tempfile::tempdir().unwrap();
    let domain = outrigger_model::identity::TrustDomain::new("mesh.local").unwrap();
    let authority = Authority::create(domain).unwrap();
    authority.save(folder.path()).unwrap();
    for (id, stem) in [("control", "control"), ("agent/weather", "weather")] {
        let id = format!("spiffe://mesh.local/{id}").parse().unwrap();
        authority.issue(&id, LEAF_VALIDITY, &[]).unwrap().save(folder.path(), stem).unwrap();
    }
    let with = |stem: &str| {
        let yaml = format!(
            "identity: {{certificate: {stem}.pem, key: {stem}.key, authority: ca.pem}}\nlisten: {{grpc: \"0.0.0.0:1\"}}"
        );
        let file: ControlFile = load_str(&yaml, &Environment::default()).unwrap();
        Settings::try_from((file, folder.path()))
    };
    assert!(with("control").unwrap().material.is_some());
    assert!(matches!(with("weather"), Err(SettingsError::NotControl(_))));
}
