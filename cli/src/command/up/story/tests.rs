use std::time::Duration;

use serde_json::json;

use super::{agents, flag};
use crate::command::up::view::{Seen, View};

#[test]
fn an_agent_is_told_in_one_line_and_its_replicas_below() {
    let mut view =
        View::new(&["weather=http://a:1/mcp,http://a:2/mcp".parse().unwrap(), "time=http://a:3/mcp".parse().unwrap()]);
    let told = json!({"items": [
        {"name": "weather", "tools": ["get_forecast"], "replicas": [
            {"id": "weather-1", "state": "healthy", "revisions": ["2025-11-25"]},
            {"id": "weather-2", "state": "unhealthy", "trouble": "connection refused"}]},
        {"name": "time", "tools": ["now", "zone"], "replicas": [
            {"id": "time-1", "state": "healthy", "revisions": ["2025-11-25", "2026-07-28"]}]},
    ]});
    view.update(Seen { agents: told, serial: Some(3) }, Duration::from_millis(12));
    assert_eq!(
        agents(&view),
        "✓ weather  1/2 healthy  2025-11-25              1 tool: get_forecast  ready in 12 ms\n\
         ✓ time     1/1 healthy  2026-07-28, 2025-11-25  2 tools: now, zone    ready in 12 ms\n    \
             ✓ weather-1  http://a:1/mcp  healthy\n    \
             ✗ weather-2  http://a:2/mcp  unhealthy: connection refused"
    );
}

#[test]
fn an_address_is_named_only_where_commands_would_not_look() {
    assert_eq!(flag("--control", "127.0.0.1:8000".parse().unwrap(), 8000), "");
    assert_eq!(flag("--control", "127.0.0.1:8001".parse().unwrap(), 8000), " --control 127.0.0.1:8001");
}
