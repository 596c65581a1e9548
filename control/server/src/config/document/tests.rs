use std::path::Path;

use super::*;

const MARKER: &str = "hunter2";

/// Every key that a document can have.
const EVERYTHING: &str = r#"
settings: {session_idle_seconds: 60, session_lifetime_seconds: 90, session_mode: sealed, session_key_days: 7,
  sessions_per_caller_max: 1, sessions_per_agent_max: 2, sessions_max: 3}
routes:
  - {name: forecast, capability: weather, version: "^1.2", tags: [eu, +fast, -beta], affinity: agent, inspect: true,
     keys: [{header: X-Cart}, {param: basket}, {cookie: sid}, {argument: cart.id, tools: [pay, add]}],
     on_replica_loss: reestablish, priority: high,
     timeouts: {connect_ms: 100, quick: {total_ms: 1}, call: {first_byte_ms: 2}, stream: {idle_ms: 3}, keep_alive_ms: 4},
     match: [{headers: {x-track: next}, to: {}}, {callers: [desk], split: [{weight: 1, tags: [a]}, {weight: 0, version: "^2"}]}],
     split: [{weight: 9}, {weight: 1, capability: sea}],
     mirror: {}, faults: {percent: 1, delay_ms: 5, status: 503},
     headers: {set: {Authorization: "$${x}"}, add: {x-team: a}, remove: [x-old]},
     retries: {attempts: 2, per_try_ms: 5, backoff_ms: 1, backoff_max_ms: 9, budget_percent: 5, budget_per_second_min: 1,
       tools: [get_*], trust_hints: true, hedge_after_ms: 8, body_bytes_max: 10},
     rates: [{per: tool, tools: [x], calls: 5, every_ms: 100, burst: 7}, {calls: 1, window_seconds: 60}]}
  - {name: plain, capability: weather}
pools:
  - {agent: weather, balance: round_robin, tiers: [[eu], []], panic_percent: 10, prefer_zone: false, slow_start_ms: 4,
     outlier: {first_ms: 1, longest_ms: 2, share_max_percent: 3, tool_errors: true},
     breaker: {failure_threshold: 0, recovery_seconds: 2},
     concurrency: {per_endpoint: 1, total: 2, queue: 3, queue_wait_ms: 4}, rates: [{calls: 2, every_ms: 3}]}
"#;

fn read(text: &str) -> Document {
    Document::read(text).unwrap_or_else(|error| panic!("{}", error.finding()))
}

#[test]
fn what_is_stored_means_what_was_written() {
    let written = read(EVERYTHING);
    let stored = Document::literal(&written.text).unwrap();
    assert_eq!(stored, written);
    assert_eq!(stored.keys_every, Some(Duration::from_secs(7 * 86_400)));
    let values: Vec<&str> =
        stored.intent.routes().flat_map(|route| &route.traffic.headers.set).map(|(_, value)| value.as_str()).collect();
    assert_eq!(values, ["${x}"], "a `$` that was meant stays one");
}

#[test]
fn every_example_can_be_stored() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config-examples");
    let mut seen = 0;
    for name in ["canary", "mtls", "quickstart", "sessions"] {
        let file = folder.join(name).join("control.yaml");
        let file: ControlFile = outrigger_config::load(&file, &Environment::default()).unwrap();
        let written = Document::of(file.into()).unwrap();
        assert_eq!(Document::literal(&written.text).unwrap(), written, "{name}");
        seen += usize::from(written.intent.routes().next().is_some());
    }
    assert!(seen >= 3);
}

#[test]
fn one_declaration_has_one_text_however_it_is_written() {
    let text = read("routes: [{name: a, capability: b}]").text;
    assert_eq!(text, r#"{"routes":[{"capability":"b","name":"a"}]}"#);
    for other in [
        "pools: []\nroutes:\n  - capability: b\n    name: a\n    inspect: false\n    timeouts: {quick: {}}\n    retries:\n",
        r#"{"settings": {}, "routes": [{"name": "a", "capability": "b", "tags": [], "headers": {"set": {}}}]}"#,
    ] {
        assert_eq!(read(other).text, text);
    }
    assert_eq!(read(""), Document::default());
    assert_ne!(
        read("routes: [{name: a, capability: b, mirror: {}}]").text,
        text,
        "copies to the own provider are something"
    );
}

fn finding(text: &str) -> String {
    let found = Document::read(text).unwrap_err().finding();
    assert_eq!(found.kind, FindingKind::Invalid);
    format!("{} | {}", found.path, found.detail)
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let check = |text: &str, expected: &str| assert_eq!(finding(text), expected);
    check("zzz: {}", "zzz | unknown key; known here: settings, routes, pools");
    check("routes: [{nam: a, capability: b}]", "routes[0].nam | unknown key; did you mean `name`?");
    check("routes: [{name: a}]", "routes[0].capability | it is missing; add it");
    check(
        "routes: [{name: a, capability: b, inspect: 7}]",
        "routes[0].inspect | invalid type: integer `7`, expected a boolean",
    );
    check(
        "routes: [{name: a, capability: b, affinity: x}]",
        "routes[0].affinity | `x` is none of auto, agent, keys and none",
    );
    check("routes: [{name: a, capability: b}, {name: a, capability: c}]", "routes | `a` is declared twice");
    check("settings: {session_mode: x}", "settings.session_mode | `x` is neither stored nor sealed");
    check("pools: [{agent: a, panic_percent: 101}]", "pools | agent `a`: panic_percent: 101 is more than 100");
    let variable = finding("routes: [{name: '${NAME}', capability: b}]");
    assert!(variable.starts_with("line 1 | `${NAME}` is a variable of another machine"), "{variable}");
    assert!(finding("routes: [").starts_with("line "), "{}", finding("routes: ["));
}

#[test]
fn no_message_and_no_debug_output_repeats_what_stands_under_headers() {
    for headers in [
        "{set: {authorization: [hunter2]}}",
        "{set: {authorization: {hunter2: x}}}",
        "{set: hunter2}",
        "{add: [hunter2]}",
        "hunter2",
        "{set: {authorization: \"hunter2\\u0001\"}}",
        "{set: {host: hunter2}}",
    ] {
        let text = format!("routes: [{{name: a, capability: b, headers: {headers}}}]");
        let error = Document::read(&text).unwrap_err();
        let said = error.finding().to_string();
        assert!(said.contains("headers") && !said.contains(MARKER), "{said}");
    }
    let document = read("routes: [{name: a, capability: b, headers: {set: {authorization: hunter2}}}]");
    assert!(document.text.contains(MARKER) && !format!("{document:?}").contains(MARKER));
}
