use std::time::Duration;

use outrigger_config::{Environment, load_str};
use outrigger_control_core::intent::traffic::OperatorTraffic;
use outrigger_model::traffic::Faults;

use super::Written;
use crate::config::file::{ControlFile, RouteFile};

fn route(lines: &str) -> RouteFile {
    let yaml = format!("routes:\n  - {{name: shop, capability: counter, {lines}}}\n");
    let file: ControlFile = load_str(&yaml, &Environment::default()).unwrap();
    file.routes.into_iter().next().unwrap()
}

fn traffic(lines: &str) -> Result<OperatorTraffic, String> {
    let route = route(lines);
    let written = Written {
        capability: &route.capability,
        split: &route.split,
        matches: &route.matches,
        mirror: route.mirror.as_ref(),
        faults: route.faults.as_ref(),
        headers: route.headers.as_ref(),
    };
    super::traffic(&written).map_err(|wrong| format!("{}: {}", wrong.place, wrong.cause))
}

#[test]
fn a_match_comes_before_the_split_of_all_others() {
    let read = traffic(
        "split: [{weight: 90, version: ^1}, {weight: 10, version: ^2, tags: [eu]}], \
         match: [{headers: {X-Env: test}, callers: [desk], to: {capability: other}}]",
    );
    let branches = read.unwrap().branches;
    assert_eq!(branches[0].when.headers, [("x-env".to_owned(), "test".to_owned())]);
    assert_eq!(branches[0].when.callers, ["desk"]);
    let told = |at: usize| {
        let shares = branches[at].shares.iter().map(|share| format!("{} {}", share.weight, share.requirement));
        shares.collect::<Vec<_>>()
    };
    assert_eq!(told(0), ["1 other"]);
    assert_eq!(told(1), ["90 counter ^1", "10 counter ^2 eu"]);
    assert!(branches[1].when.headers.is_empty() && branches[1].when.callers.is_empty());
}

#[test]
fn mirror_faults_and_headers_arrive() {
    let read = traffic(
        "mirror: {tags: [shadow], percent: 5}, faults: {percent: 1, delay_ms: 20, status: 503}, \
         headers: {set: {Authorization: Bearer x}, add: {x-team: blue}, remove: [X-Debug]}",
    )
    .unwrap();
    let mirror = read.mirror.unwrap();
    assert_eq!((mirror.requirement.to_string().as_str(), mirror.percent), ("counter shadow", 5));
    assert_eq!(read.faults, Some(Faults { percent: 1, delay: Some(Duration::from_millis(20)), status: Some(503) }));
    assert_eq!(read.headers.names().collect::<Vec<_>>(), ["x-debug", "authorization", "x-team"]);
    assert_eq!(traffic("tags: []").unwrap(), OperatorTraffic::default());
    assert_eq!(traffic("mirror: {}").unwrap().mirror.unwrap().percent, 100);
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    let check = |lines: &str, expected: &str| {
        assert_eq!(traffic(lines).unwrap_err(), expected, "{lines}");
    };
    check("split: [{weight: 1001}]", "split: a weight of 1001 is not within 0 to 1000");
    check("split: [{weight: 0}]", "split: no weight is above 0, so nobody would get a call");
    let many = ["{weight: 1}"; 9].join(", ");
    check(&format!("split: [{many}]"), "split: 9 are more than 8");
    let about = "{headers: {a: b}, to: {}}";
    check(&format!("match: [{}]", [about; 16].join(", ")), "match: 16 are more than 15");
    let unconditional =
        "name `headers` or `callers` that it is about; what is about all calls stands in `split` of the route";
    check(&format!("match: [{about}, {{to: {{}}}}]"), &format!("match[1]: {unconditional}"));
    check("match: [{callers: [a]}]", "match[0]: write exactly one of `to` and `split`");
    check("match: [{callers: [a], to: {}, split: [{weight: 1}]}]", "match[0]: write exactly one of `to` and `split`");
    check("match: [{callers: [\"\"], to: {}}]", "match[0]: a caller is an agent or an identity, and not empty");
    check("match: [{headers: {\"a b\": c}, to: {}}]", "match[0]: `a b` is no name of a header field");
    check("mirror: {percent: 0}", "mirror: percent: 0 is not within 1 to 100");
    check("mirror: {version: \"?\"}", "mirror: it asks for what cannot be");
    check("faults: {percent: 10}", "faults: write `delay_ms`, `status` or both");
    check("faults: {percent: 10, status: 200}", "faults: status: 200 is not within 400 to 599");
    check("faults: {percent: 10, delay_ms: 0}", "faults: delay_ms: 0 is not within 1 to 300000");
    check("faults: {percent: 101, delay_ms: 1}", "faults: percent: 101 is not within 1 to 100");
    for name in ["Host", "content-length", "Mcp-Session-Id", "outrigger-as-is", "Transfer_Encoding"] {
        let text = format!(
            "headers: `{}` is of the connection, the framing or the protocol; it cannot be changed",
            name.to_lowercase()
        );
        check(&format!("headers: {{set: {{{name}: x}}}}"), &text);
        check(&format!("headers: {{remove: [{name}]}}"), &text);
    }
    check("headers: {add: {a: x, A: y}}", "headers: `a` stands there twice");
}

#[test]
fn no_message_and_no_debug_output_repeats_a_value() {
    let lines = "headers: {set: {a: \"hunter2\\n\"}}";
    let said = traffic(lines).unwrap_err();
    assert!(said.starts_with("headers: the value of `a` holds bytes") && !said.contains("hunter2"), "{said}");
    let debugged = format!("{:?} {:?}", route(lines), traffic("headers: {set: {a: hunter2}}"));
    assert!(!debugged.contains("hunter2"), "{debugged}");
}
