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
