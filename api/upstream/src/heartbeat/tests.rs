use outrigger_model::registration::AgentKind;

use super::{BadHeartbeat, Heartbeat};
use crate::needs;

/// As an agent of mcp-mesh 3.8.0 sent it, with fewer tools.
const CONSUMER: &str = r#"{"agent_id":"cons-2b47c468","name":"cons","agent_type":"mcp_agent","version":"1.0.0",
 "http_host":"127.0.0.1","http_port":19102,"namespace":"default","status":"healthy","runtime":"python",
 "tools":[{"function_name":"hello_via","capability":"hello_via","version":"1.0.0","tags":["front"],
   "dependencies":[{"capability":"nosuch"},
                   {"capability":"greeting","tags":["prod","+en","-beta",["us","+eu"]],"version":">=2.0.0, <3.0.0"},
                   {"capability":"counter","required":true}],
   "inputSchemaHash":"sha256:2b71","outputSchemaCanonical":{"type":"object"},"outputSchemaHash":"sha256:a2c7",
   "schemaWarnings":["stripped"],
   "kwargs":{"task":false,"function_name":"hello_via"}},
  {"function_name":"GET:/hi","capability":"","dependencies":[{"capability":"counter"}]}],
 "a2a_producer":false,"a2a_consumer":false}"#;

#[test]
fn an_agent_is_read_with_its_functions_and_what_they_depend_on() {
    let heartbeat = Heartbeat::read(CONSUMER.as_bytes()).unwrap();
    assert_eq!((heartbeat.id.as_str(), heartbeat.agent.as_str()), ("cons-2b47c468", "cons"));
    let registration = &heartbeat.registration;
    assert_eq!((registration.kind, &*registration.host, registration.port), (AgentKind::Mcp, "127.0.0.1", 19102));
    let [hello, route] = registration.functions.as_slice() else { panic!("{registration:?}") };
    assert_eq!((&*hello.name, &*hello.capability, &*route.capability), ("hello_via", "hello_via", ""));
    let texts: Vec<_> = hello.needs.iter().map(|need| need.requirement.to_string()).collect();
    let greeting = "greeting prod +en -beta (us|+eu) @range=>=2.0.0,<3.0.0 @reach=ties";
    assert_eq!(texts, ["nosuch @reach=ties", greeting, "counter @reach=ties"]);
    assert_eq!(hello.needs.iter().map(|need| need.required).collect::<Vec<_>>(), [false, false, true]);
    assert!(
        texts
            .iter()
            .all(|text| text.parse::<outrigger_model::requirement::Requirement>().unwrap().to_string() == *text)
    );
}

#[test]
fn equal_dependencies_of_two_functions_share_one_route() {
    let heartbeat = Heartbeat::read(CONSUMER.as_bytes()).unwrap();
    let needs = needs::of(&heartbeat.registration).unwrap();
    assert_eq!(needs.len(), 3, "{needs:?}");
}

#[test]
fn what_is_no_heartbeat_is_refused_with_its_field() {
    let refused = |body: &str| Heartbeat::read(body.as_bytes()).unwrap_err();
    assert!(matches!(refused("{}"), BadHeartbeat::NoId));
    assert!(matches!(refused("no"), BadHeartbeat::Json(_)));
    let check = |body: &str, expected: &str| assert_eq!(refused(body).to_string(), expected);
    check(
        r#"{"agent_id":"bad id!"}"#,
        "validation failed: agent_id: agent_id must contain only lowercase alphanumeric characters and hyphens",
    );
    check(
        r#"{"agent_id":"a","agent_type":"weird"}"#,
        "validation failed: agent_type: `weird` is not mcp_agent, api or a2a",
    );
    check(
        r#"{"agent_id":"a","runtime":"cobol"}"#,
        "validation failed: runtime: `cobol` is not python, typescript or java",
    );
    check(
        r#"{"agent_id":"a","tools":[{"function_name":"f","dependencies":[{"capability":""}]}]}"#,
        "validation failed: tools[0].dependencies[0]: a dependency names a capability",
    );
}
