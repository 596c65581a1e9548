use super::Door;

fn check(method: &str, path: &str, expected: Option<Door<'_>>) {
    assert_eq!(Door::of(method.as_bytes(), path), expected, "{method} {path}");
}

#[test]
fn an_agent_registers_lives_and_leaves() {
    check("POST", "/heartbeat", Some(Door::Heartbeat));
    check("HEAD", "/heartbeat/cons-2b47c468", Some(Door::Pulse("cons-2b47c468")));
    check("DELETE", "/agents/cons-2b47c468", Some(Door::Leave("cons-2b47c468")));
    check("GET", "/health", Some(Door::Health));
    check("GET", "/", Some(Door::Front));
    check("GET", "/heartbeat", Some(Door::Method));
    check("GET", "/heartbeat/cons-2b47c468", Some(Door::Method));
}

#[test]
fn jobs_are_claimed_and_all_else_of_them_is_refused() {
    check("POST", "/jobs/claim", Some(Door::Claim));
    for (method, path) in [("POST", "/jobs"), ("GET", "/jobs/1"), ("POST", "/jobs/batch"), ("POST", "/jobs/1/cancel")] {
        check(method, path, Some(Door::Jobs));
    }
}

#[test]
fn what_only_control_knows_is_said_to_be_there() {
    for path in ["/agents", "/agents/cons-1", "/events", "/schemas", "/schemas/ab", "/a2a/agents", "/trace/1"] {
        check("GET", path, Some(Door::Control));
    }
    check("POST", "/proxy/127.0.0.1:9000/mcp", Some(Door::Control));
}

#[test]
fn a_tool_is_called_by_the_name_of_its_service() {
    check("POST", "/api/v1/mcp/linear/execute", Some(Door::Execute("linear")));
    check("GET", "/api/v1/mcp/linear/execute", Some(Door::Method));
    check("POST", "/api/v1/mcp/linear/status", None);
    check("POST", "/api/v1/mcp/a/b/execute", None);
}

#[test]
fn what_belongs_to_an_endpoint_stays_with_it() {
    for path in [
        "/mcp",
        "/weather/mcp",
        "/agents/weather-1/mcp",
        "/agents/mcp",
        "/heartbeat/mcp",
        "/d/ask/weather.1a2b/mcp",
        "/agents/register",
        "/jobs/token",
        "/.well-known/oauth-protected-resource/health/mcp",
        "/weather",
    ] {
        check("POST", path, None);
    }
}
