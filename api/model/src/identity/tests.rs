use super::*;

#[test]
fn an_identity_reads_back_as_it_was_written() {
    for text in [
        "spiffe://mesh.local/agent/weather",
        "spiffe://mesh.local/node/laptop",
        "spiffe://mesh.local/operator/ada",
        "spiffe://mesh.local/control",
    ] {
        assert_eq!(text.parse::<SpiffeId>().unwrap().to_string(), text);
    }
}

#[test]
fn an_identity_of_another_shape_is_refused() {
    for text in [
        "https://mesh.local/agent/weather",
        "spiffe://mesh.local",
        "spiffe://mesh.local/",
        "spiffe://mesh.local/agent/",
        "spiffe://mesh.local/agent/a/b",
        "spiffe://Mesh.local/agent/a",
        "spiffe://mesh.local:80/agent/a",
        "spiffe://mesh.local/admin/a",
        "spiffe://mesh.local/control/x",
    ] {
        assert!(text.parse::<SpiffeId>().is_err(), "{text} was accepted");
    }
}

#[test]
fn an_agent_registers_itself_only_and_a_node_registers_any() {
    let weather = AgentName::new("weather").unwrap();
    let check =
        |id: &str, expected| assert_eq!(id.parse::<SpiffeId>().unwrap().may_register(&weather), expected, "{id}");
    check("spiffe://m/agent/weather", true);
    check("spiffe://m/agent/time", false);
    check("spiffe://m/node/laptop", true);
    check("spiffe://m/operator/ada", false);
    check("spiffe://m/control", false);
}
