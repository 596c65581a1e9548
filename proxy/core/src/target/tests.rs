use super::Target;

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
