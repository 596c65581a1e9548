use std::path::Path;
use std::time::Duration;

use outrigger_config::{Environment, load_str};
use outrigger_model::name::AgentName;
use outrigger_model::rate::{Allowance, Per, RateLimit};
use outrigger_model::traffic::Priority;

use crate::config::file::ControlFile;
use crate::config::settings::Settings;

fn settings(yaml: &str) -> Result<Settings, String> {
    let file: ControlFile = load_str(yaml, &Environment::default()).expect("a file");
    Settings::try_from((file, Path::new("/"))).map_err(|error| error.to_string())
}

fn of_route(rates: &str) -> String {
    format!("routes: [{{name: forecast, capability: weather, {rates}}}]")
}

#[test]
fn limits_and_priority_of_routes_and_pools_arrive() {
    let settings = settings(
        r#"
routes:
  - {name: forecast, capability: weather, priority: high,
     rates: [{calls: 10, every_ms: 1000, burst: 20}, {per: tool, tools: [get_*, pay], calls: 5, window_seconds: 60}]}
pools:
  - {agent: weather, balance: round_robin, rates: [{per: caller, calls: 3, every_ms: 500}]}
"#,
    )
    .expect("settings");
    let route = settings.declared.intent.routes().next().expect("a route");
    let seconds = Duration::from_secs;
    let bucket = |calls, every, burst| Allowance::Bucket { calls, every, burst };
    let tools = ["get_*", "pay"].map(|tool| tool.parse().expect("a pattern")).to_vec();
    let expected = [
        RateLimit { per: Per::All, tools: vec![], allowance: bucket(10, seconds(1), 20) },
        RateLimit { per: Per::Tool, tools, allowance: Allowance::Quota { calls: 5, window: seconds(60) } },
    ];
    assert_eq!(route.policy.rates, expected);
    assert_eq!(route.policy.traffic.priority, Priority::High);
    let pool = settings.declared.intent.pool(&AgentName::new("weather").expect("a name")).expect("a pool");
    let expected = RateLimit { per: Per::Caller, tools: vec![], allowance: bucket(3, Duration::from_millis(500), 3) };
    assert_eq!(pool.policy.rates, [expected]);
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_what_to_write() {
    let nine = ["{calls: 1, every_ms: 1}"; 9].join(", ");
    let rows = [
        ("rates: [{calls: 0, every_ms: 1}]", "routes[0].rates[0].calls: 0 would refuse every call"),
        ("rates: [{calls: 1}]", "routes[0].rates[0]: write exactly one of every_ms and window_seconds"),
        (
            "rates: [{calls: 1, every_ms: 1, window_seconds: 1}]",
            "routes[0].rates[0]: write exactly one of every_ms and window_seconds",
        ),
        ("rates: [{calls: 1, every_ms: 0}]", "routes[0].rates[0].every_ms: 0 is not within 1 to 86400000"),
        ("rates: [{calls: 1, window_seconds: 0}]", "routes[0].rates[0].window_seconds: 0 is not within 1 to 31622400"),
        ("rates: [{calls: 1, every_ms: 1, burst: 0}]", "routes[0].rates[0].burst: 0 would refuse every call"),
        (
            "rates: [{calls: 1, window_seconds: 1, burst: 2}]",
            "routes[0].rates[0].burst: a quota has none; write `every_ms` instead of `window_seconds`, or leave it out",
        ),
        (
            "rates: [{calls: 1, every_ms: 1}, {per: user, calls: 1, every_ms: 1}]",
            "routes[0].rates[1].per: `user` is none of all, caller, agent and tool",
        ),
        ("priority: urgent", "routes[0].priority: `urgent` is none of low, normal and high"),
        (&format!("rates: [{nine}]"), "routes[0].rates: 9 are more than 8"),
    ];
    for (written, expected) in rows {
        assert_eq!(settings(&of_route(written)).expect_err(written), expected);
    }
    let tools = settings(&of_route("rates: [{tools: ['a*b*'], calls: 1, every_ms: 1}]")).expect_err("two stars");
    assert!(tools.starts_with("routes[0].rates[0].tools: `a*b*` names no tools"), "{tools}");
    let pool = settings("pools: [{agent: weather, balance: round_robin, rates: [{calls: 0, every_ms: 1}]}]");
    assert_eq!(pool.expect_err("no calls"), "pools[0].rates[0].calls: 0 would refuse every call");
}
