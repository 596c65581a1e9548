use std::time::Duration;

use serde_json::{Value, json};

use super::{Seen, View};

fn view() -> View {
    View::new(&["weather=http://a:1/mcp,http://a:2/mcp".parse().unwrap()])
}

fn seen(replicas: Value) -> Seen {
    Seen { agents: json!({"items": [{"name": "weather", "tools": ["get"], "replicas": replicas}]}), serial: Some(2) }
}

#[test]
fn every_replica_that_changed_has_a_line_and_the_others_have_none() {
    let mut view = view();
    let both = json!([
        {"id": "weather-1", "state": "healthy", "revisions": ["2025-11-25"]},
        {"id": "weather-2", "state": "unhealthy", "trouble": "connection refused"},
    ]);
    let lines = view.update(seen(both.clone()), Duration::from_millis(40));
    assert_eq!(
        lines,
        ["✓ weather-1  http://a:1/mcp  healthy", "✗ weather-2  http://a:2/mcp  unhealthy: connection refused"]
    );
    assert!(view.update(seen(both), Duration::from_secs(1)).is_empty());
    assert_eq!((view.is_complete(), view.agents[0].healthy(), view.serial), (false, 1, Some(2)));
}

#[test]
fn a_replica_keeps_the_time_at_which_it_was_first_ready() {
    let mut view = view();
    view.update(seen(json!([{"id": "weather-1", "state": "healthy"}])), Duration::from_millis(40));
    view.update(seen(json!([{"id": "weather-1", "state": "unhealthy"}])), Duration::from_secs(2));
    view.update(seen(json!([{"id": "weather-1", "state": "healthy"}])), Duration::from_secs(3));
    assert_eq!(view.agents[0].replicas[&0].ready_after, Some(Duration::from_millis(40)));
}

#[test]
fn a_replica_that_control_has_not_heard_of_is_shown_as_such() {
    let view = view();
    assert_eq!(view.agents[0].replicas[&1].told(), "✗ weather-2  http://a:2/mcp  not registered");
}
