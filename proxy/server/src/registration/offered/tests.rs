use std::sync::Arc;

use outrigger_model::capability::{Tool, ToolHints};
use outrigger_model::digest::Digest;
use outrigger_model::name::NodeId;
use outrigger_model::replica::Generation;

use super::{capabilities, reported};
use crate::health::local::LocalReplica;
use crate::introspect::offer::Offer;
use crate::tests::agents;

fn tools(names: &[&str]) -> Vec<Tool> {
    let tool = |name: &&str| Tool { name: (*name).to_owned(), schema: Digest::of(b""), hints: ToolHints::default() };
    names.iter().map(tool).collect()
}

fn shown(yaml: &str, names: &[&str]) -> Vec<String> {
    let agent = agents(yaml).remove(0);
    let show = |name: String, tools: Vec<String>| format!("{name}: {}", tools.join(" "));
    capabilities(&agent, &tools(names))
        .into_iter()
        .map(|found| show(found.name.to_string(), found.tools.into_iter().map(|tool| tool.name).collect()))
        .collect()
}

#[test]
fn an_agent_offers_itself_what_it_declares_and_each_tool_besides() {
    let plain = "agents: [{name: weather, url: 'http://127.0.0.1:1/mcp'}]";
    assert_eq!(shown(plain, &["get", "set"]), ["weather: get set", "get: get", "set: set"]);
    assert_eq!(shown(plain, &[]), ["weather: "]);
    assert_eq!(shown(plain, &["weather", "not a name!"]), ["weather: weather not a name!"]);

    let declared = "agents: [{name: weather, url: 'http://127.0.0.1:1/mcp', \
                    capabilities: [{name: forecast, version: 2.0.0, tools: [get, absent]}]}]";
    assert_eq!(shown(declared, &["get", "set"]), ["forecast: get", "weather: get set", "set: set"]);
}

#[test]
fn versions_and_tags_are_those_of_the_agent_unless_declared() {
    let agent = agents(
        "agents: [{name: weather, version: 1.2.0, tags: [eu], url: 'http://127.0.0.1:1/mcp', \
         capabilities: [{name: forecast, version: 2.0.0, tags: [fast], tools: [get]}]}]",
    )
    .remove(0);
    let offered = capabilities(&agent, &tools(&["get"]));
    let [forecast, weather] = offered.as_slice() else { panic!("{offered:?}") };
    assert_eq!((forecast.version.to_string(), weather.version.to_string()), ("2.0.0".into(), "1.2.0".into()));
    assert_eq!(weather.tags, agent.tags);
    assert_ne!(forecast.tags, agent.tags);
}

#[test]
fn a_capability_needs_sessions_only_where_that_is_declared() {
    let declared = "agents: [{name: counter, url: 'http://127.0.0.1:1/mcp', \
                    capabilities: [{name: counting, tools: [count], session_required: true}]}]";
    let offered = capabilities(&agents(declared).remove(0), &tools(&["count", "look"]));
    let needs: Vec<_> = offered.iter().map(|found| (found.name.as_str(), found.session_required)).collect();
    assert_eq!(needs, [("counting", true), ("counter", false), ("look", false)]);
}

#[test]
fn only_agents_that_were_looked_at_are_reported() {
    let yaml = "agents: [{name: a, url: 'http://127.0.0.1:1/mcp'}, {name: b, url: 'http://127.0.0.1:2/mcp'}]";
    let agents = agents(yaml);
    let mut locals: Vec<_> = agents.iter().map(|agent| LocalReplica::unseen(agent, Generation(1))).collect();
    locals[1].probed = true;
    locals[1].offer = Some(Arc::new(Offer { tools: tools(&["t"]), ..Offer::default() }));
    locals[1].trouble = Some("its port is closed".into());
    let told = reported(&NodeId::new("n").unwrap(), "127.0.0.1:5".parse().unwrap(), &locals);
    let [one] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(one.replica.agent.as_str(), "b");
    assert!(!one.serving && one.trouble == "its port is closed");
    assert_eq!(one.replica.capabilities.len(), 2, "what it offered when it last served");
}
