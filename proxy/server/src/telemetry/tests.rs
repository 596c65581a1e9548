use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use super::{CallEnd, CallReport, Direction, Events, Invalidation, Lookup, Metrics, StoreFault, StoreKind, process};

struct Proxy {
    registry: Registry,
    metrics: Metrics,
    events: Arc<Events>,
}

impl Proxy {
    fn new() -> Self {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        Self { events: Arc::new(Events::new(metrics.clone())), metrics, registry }
    }

    fn scrape(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("metrics encode");
        text
    }

    fn check(&self, line: &str) {
        let text = self.scrape();
        assert!(text.lines().any(|found| found == line), "`{line}` is not in:\n{text}");
    }
}

fn call(end: CallEnd, status: u16) -> CallReport<'static> {
    CallReport {
        trail: "",
        path: None,
        direction: Direction::Outbound,
        route: Some("weather"),
        end,
        status,
        attempts: 1,
        took: Duration::from_micros(300),
        first_byte: Some(Duration::from_micros(200)),
        replica: None,
        method: None,
        serial: 1,
    }
}

#[test]
fn each_call_is_counted_once_by_route_outcome_and_code() {
    let proxy = Proxy::new();
    for report in [call(CallEnd::Answered, 200), call(CallEnd::Answered, 200), call(CallEnd::Answered, 404)] {
        proxy.events.call_finished(&report);
    }
    proxy.events.call_finished(&CallReport { attempts: 3, ..call(CallEnd::Refused("no_healthy_endpoint"), 503) });
    proxy.events.call_finished(&CallReport { route: None, ..call(CallEnd::Refused("no_route"), 404) });
    proxy.events.call_finished(&CallReport { first_byte: None, ..call(CallEnd::Abandoned, 0) });

    let labels =
        |route: &str, rest: &str| format!("outrigger_calls_total{{direction=\"outbound\",route=\"{route}\",{rest}}}");
    proxy.check(&format!("{} 2", labels("weather", "outcome=\"answered\",code=\"200\"")));
    proxy.check(&format!("{} 1", labels("weather", "outcome=\"answered\",code=\"404\"")));
    proxy.check(&format!("{} 1", labels("weather", "outcome=\"refused\",code=\"503\"")));
    proxy.check(&format!("{} 1", labels("weather", "outcome=\"abandoned\",code=\"none\"")));
    proxy.check(&format!("{} 1", labels("_none", "outcome=\"refused\",code=\"404\"")));
    proxy.check("outrigger_refusals_total{reason=\"no_healthy_endpoint\"} 1");
    proxy.check("outrigger_attempts_total{direction=\"outbound\"} 8");
    proxy.check("outrigger_call_duration_seconds_count{direction=\"outbound\",route=\"weather\"} 5");
    proxy.check("outrigger_call_first_byte_seconds_count{direction=\"outbound\",route=\"weather\"} 4");
    proxy.check("outrigger_call_duration_seconds_bucket{le=\"0.00025\",direction=\"outbound\",route=\"weather\"} 0");
    proxy.check("outrigger_call_duration_seconds_bucket{le=\"0.0005\",direction=\"outbound\",route=\"weather\"} 5");
}

#[test]
fn a_status_of_an_agent_cannot_make_new_labels() {
    let proxy = Proxy::new();
    for status in [418, 499, 799, 999] {
        proxy.events.call_finished(&call(CallEnd::Answered, status));
    }
    let code = |code: &str, count: u32| {
        format!(
            "outrigger_calls_total{{direction=\"outbound\",route=\"weather\",outcome=\"answered\",code=\"{code}\"}} {count}"
        )
    };
    proxy.check(&code("4xx", 2));
    proxy.check(&code("7xx", 1));
    proxy.check(&code("9xx", 1));
}

#[test]
fn calls_of_many_threads_on_new_routes_are_all_counted() {
    let proxy = Proxy::new();
    thread::scope(|scope| {
        for thread in 0..4 {
            let events = &proxy.events;
            scope.spawn(move || {
                for at in 0..200 {
                    let route = format!("route-{}", (at + thread) % 10);
                    let open = events.call_started(Direction::Inbound);
                    let report = CallReport { route: Some(&route), ..call(CallEnd::Answered, 200) };
                    events.call_finished(&CallReport { direction: Direction::Inbound, ..report });
                    drop(open);
                }
            });
        }
    });
    for at in 0..10 {
        proxy.check(&format!(
            "outrigger_calls_total{{direction=\"inbound\",route=\"route-{at}\",outcome=\"answered\",code=\"200\"}} 80"
        ));
    }
    proxy.check("outrigger_calls_in_flight{direction=\"inbound\"} 0");
}

#[test]
fn what_is_no_call_is_told_as_well() {
    let proxy = Proxy::new();
    let events = &proxy.events;
    events.call_retried("connect_failed");
    events.endpoint_ejected("weather-1", Duration::from_secs(1));
    events.picked_in_panic();
    events.session_looked_up(Lookup::Shared);
    events.sessions_held(StoreKind::Memory, 7);
    events.redis_failed(StoreFault::Timeout);
    events.redis_connected(true);
    events.sessions_written_back(3);
    events.session_invalidated(Invalidation::Moved);
    events.snapshot_applied(41, SystemTime::UNIX_EPOCH + Duration::from_secs(1_000), "a replica came");
    events.snapshot_refused(42, "Route/a.pool: there is none");
    events.control_connected(true);
    events.agent_probed("weather", "weather-1", true);
    proxy.metrics.refresh(SystemTime::UNIX_EPOCH + Duration::from_secs(1_060));
    for line in [
        "outrigger_retries_total{reason=\"connect_failed\"} 1",
        "outrigger_ejections_total 1",
        "outrigger_panic_picks_total 1",
        "outrigger_session_lookups_total{result=\"shared\"} 1",
        "outrigger_session_lookups_total{result=\"unknown\"} 0",
        "outrigger_sessions{store=\"memory\"} 7",
        "outrigger_redis_errors_total{kind=\"timeout\"} 1",
        "outrigger_redis_connected 1",
        "outrigger_redis_listening 0",
        "outrigger_sessions_written_back_total 3",
        "outrigger_session_invalidations_total{reason=\"moved\"} 1",
        "outrigger_snapshot_serial 41",
        "outrigger_snapshot_age_seconds 60",
        "outrigger_snapshots_rejected_total 1",
        "outrigger_control_connected 1",
        "outrigger_agent_up{agent=\"weather\",replica=\"weather-1\"} 1",
        &format!("outrigger_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION")),
    ] {
        proxy.check(line);
    }
}

#[test]
fn the_process_tells_its_memory_and_open_files() {
    let mut registry = Registry::default();
    process::register(&mut registry);
    let mut text = String::new();
    encode(&mut text, &registry).expect("metrics encode");
    let value = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {text}"));
        line.rsplit(' ').next().and_then(|value| value.parse::<i64>().ok()).expect("a number")
    };
    assert!(value("process_resident_memory_bytes ") > 1_000_000);
    assert!(value("process_open_fds ") > 2);
}
