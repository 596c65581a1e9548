use super::{Target, function};

#[test]
fn a_path_names_a_route_an_agent_or_everything() {
    for (path, expected) in [
        ("/weather/mcp", Some(Target::Route("weather"))),
        ("/weather/mcp/", Some(Target::Route("weather"))),
        ("/agents/weather-1/mcp", Some(Target::Agent("weather-1"))),
        ("/agents/weather-1/mcp/", Some(Target::Agent("weather-1"))),
        ("/agents/mcp", Some(Target::Route("agents"))),
        ("/weather/sse", Some(Target::Route("weather"))),
        ("/agents/weather-1/sse", Some(Target::Agent("weather-1"))),
        ("/d/greet_all/greeting.1a2b/mcp", Some(Target::Route("greeting.1a2b"))),
        ("/d/greet_all/greeting.1a2b/mcp/", Some(Target::Route("greeting.1a2b"))),
        ("/d/GET%3A%2Fhi/agents/weather/mcp", Some(Target::Agent("weather"))),
        ("/d/mcp", Some(Target::Route("d"))),
        ("/d/weather/mcp", None),
        ("/d//weather/mcp", None),
        ("/d/f//mcp", None),
        ("/d/f/a/b/mcp", None),
        ("/sse", None),
        ("/mcp", Some(Target::Everything)),
        ("/mcp/", Some(Target::Everything)),
        ("/mcp/mcp", Some(Target::Route("mcp"))),
        ("//mcp", None),
        ("/weather", None),
        ("/weather/mcp//", None),
        ("/a/b/mcp", None),
        ("/agents//mcp", None),
        ("/agents/a/b/mcp", None),
        ("weather/mcp", None),
        ("*", None),
        ("", None),
    ] {
        assert_eq!(Target::from_path(path), expected, "{path}");
    }
}

#[test]
fn a_path_may_note_which_function_of_the_caller_calls() {
    for (path, expected) in [
        ("/d/greet_all/greeting.1a2b/mcp", Some("greet_all")),
        ("/d/GET%3A%2Fhi/agents/weather/mcp", Some("GET%3A%2Fhi")),
        ("/greeting.1a2b/mcp", None),
        ("/d/mcp", None),
        ("/d//weather/mcp", None),
    ] {
        assert_eq!(function(path), expected, "{path}");
    }
}
