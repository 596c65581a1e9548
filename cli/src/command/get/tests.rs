use serde_json::json;

use super::{AGENTS, CAPABILITIES, REPLICAS, answer_without_ages, rows};
use crate::args::Kind;
use crate::render::table::table;

#[test]
fn an_agent_shows_how_many_replicas_are_healthy_and_what_troubles_the_others() {
    let agents = [json!({
        "name": "weather", "version": "1.2.0", "tags": ["eu"], "tools": ["get_forecast"],
        "replicas": [{"id": "weather-1", "state": "healthy"}, {"id": "weather-2", "state": "unhealthy", "trouble": "connection refused"}],
    })];
    assert_eq!(
        table(AGENTS, &agents, false),
        "NAME     VERSION  HEALTHY  TOOLS  TAGS  TROUBLE\n\
         weather  1.2.0    1/2      1      eu    weather-2: connection refused"
    );
}

#[test]
fn replicas_and_providers_have_a_row_each() {
    let agents = json!({"items": [{"name": "weather", "replicas": [{"id": "weather-1", "state": "healthy", "last_seen_seconds": 3}]}]});
    let replicas = rows(Kind::Replicas, agents);
    assert_eq!(
        table(REPLICAS, replicas["items"].as_array().unwrap(), false),
        "REPLICA    AGENT    STATE    ADDRESS  VERSION  LAST SEEN  TROUBLE\n\
         weather-1  weather  healthy  -        -        3s         -"
    );
    let capabilities = json!({"items": [{"name": "forecast", "providers": [{"agent": "a"}, {"agent": "b"}]}]});
    let capabilities = rows(Kind::Capabilities, capabilities);
    assert_eq!(table(CAPABILITIES, capabilities["items"].as_array().unwrap(), false).lines().count(), 3);
}

#[test]
fn growing_older_is_not_a_change() {
    let then = json!({"items": [{"id": 1, "last_seen_seconds": 3}]});
    let now = json!({"items": [{"id": 1, "last_seen_seconds": 4}]});
    assert_eq!(answer_without_ages(&then), answer_without_ages(&now));
}
