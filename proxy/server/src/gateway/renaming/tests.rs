use super::Called;

#[test]
fn what_was_called_follows_from_the_path() {
    for (path, root, endpoint) in [
        ("/weather/mcp", "/weather", "/weather/mcp"),
        ("/weather/sse/", "/weather", "/weather/sse"),
        ("/agents/weather-1/mcp", "/agents/weather-1", "/agents/weather-1/mcp"),
        ("/d/ask/weather.1a2b/mcp", "/d/ask/weather.1a2b", "/d/ask/weather.1a2b/mcp"),
        ("/.well-known/oauth-protected-resource/weather/sse", "/weather", "/weather/sse"),
        ("/weather/.well-known/oauth-protected-resource", "/weather", "/weather/mcp"),
        ("/.well-known/oauth-protected-resource", "/only", "/only/mcp"),
    ] {
        let called = Called::of(path, Some("only"));
        assert_eq!((called.root.as_str(), called.endpoint.as_str()), (root, endpoint), "{path}");
    }
}
