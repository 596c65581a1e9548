use outrigger_model::name::RouteName;
use outrigger_model::wiring::{Provider, Wiring};
use serde_json::json;

use super::{Wirings, answer};
use crate::heartbeat::Heartbeat;
use crate::needs;

struct One(Wiring);

impl Wirings for One {
    fn wiring(&self, route: &RouteName) -> Option<&Wiring> {
        (self.0.route == *route).then_some(&self.0)
    }

    fn endpoint(&self, function: &str, _: &RouteName, provider: &Provider, _: bool) -> String {
        format!("http://127.0.0.1:17001/d/{function}/{}", provider.capability)
    }

    fn agent_id(&self, provider: &Provider) -> String {
        provider.agent.to_string()
    }

    fn is_own(&self, _: &Provider) -> bool {
        false
    }
}

#[test]
fn each_dependency_has_its_entry_in_order_also_where_nobody_provides_it() {
    let body = br#"{"agent_id":"cons-1","tools":[{"function_name":"f","dependencies":[{"capability":"nosuch"},{"capability":"greeting"}]}]}"#;
    let heartbeat = Heartbeat::read(body).unwrap();
    let greeting = &heartbeat.registration.functions[0].needs[1].requirement;
    let provider = Provider {
        agent: "prov".parse().unwrap(),
        replica: "prov-1".parse().unwrap(),
        capability: "greeting".parse().unwrap(),
        function: "greet".into(),
        version: semver::Version::new(2, 0, 0),
        tags: Default::default(),
        description: "".into(),
        kwargs: r#"{"timeout":20}"#.into(),
        input_schema: "".into(),
        callable: true,
    };
    let wiring = Wiring { route: needs::route(greeting).unwrap(), providers: vec![provider] };
    let said = answer("cons-1", &heartbeat.registration, &One(wiring), true, "2026-11-20T11:50:28Z");
    let expected = json!([
        { "agent_id": "", "capability": "nosuch", "endpoint": "", "function_name": "", "status": "unresolved" },
        { "agent_id": "prov", "capability": "greeting", "endpoint": "http://127.0.0.1:17001/d/f/greeting",
          "function_name": "greet", "kwargs": { "timeout": 20 }, "status": "available" },
    ]);
    assert_eq!(said["dependencies_resolved"]["f"], expected);
    assert_eq!((&said["status"], &said["agent_id"]), (&json!("success"), &json!("cons-1")));
}

fn offered(agent: &str, function: &str, version: u64, tags: &[&str], schema: &str) -> Provider {
    Provider {
        agent: agent.parse().unwrap(),
        replica: format!("{agent}-1").parse().unwrap(),
        capability: "search".parse().unwrap(),
        function: function.into(),
        version: semver::Version::new(version, 0, 0),
        tags: outrigger_model::tag::TagSet::parse(tags).unwrap(),
        description: "".into(),
        kwargs: "".into(),
        input_schema: schema.into(),
        callable: true,
    }
}

#[test]
fn a_model_is_offered_each_tool_that_it_can_call_once() {
    let providers = vec![
        offered("a", "find", 1, &["x", "y"], "{}"),
        offered("b", "find", 2, &["x"], "{}"),
        offered("c", "look", 2, &["x", "y"], "{}"),
        offered("d", "mute", 3, &["x"], ""),
    ];
    let check = |filter: &str, expected: &[&str]| {
        let body = format!(r#"{{"agent_id":"cons-1","tools":[{{"function_name":"ask","llm_filter":{filter}}}]}}"#);
        let heartbeat = Heartbeat::read(body.as_bytes()).unwrap();
        let choice = heartbeat.registration.functions[0].tools.as_ref().unwrap();
        let route = needs::route(&choice.any_of[0]).unwrap();
        let wirings = One(Wiring { route, providers: providers.clone() });
        let said = answer("cons-1", &heartbeat.registration, &wirings, true, "2026-11-20T11:50:28Z");
        let tools = said["llm_tools"]["ask"].as_array().unwrap();
        assert_eq!(tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect::<Vec<_>>(), expected, "{filter}");
    };
    check(r#"{"filter":["search"],"filter_mode":"all"}"#, &["find", "look"]);
    check(r#"{"filter":[{"tags":["x"]}]}"#, &["find", "look"]);
    check(r#"{"filter":["search"],"filter_mode":"best_match"}"#, &["look"]);
    check(r#"{"filter_mode":"*"}"#, &["find", "look"]);
}
