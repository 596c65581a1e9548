use super::*;
use crate::config::document::Document;

fn said(before: &str, after: &str) -> Vec<String> {
    let text = |yaml: &str| Document::read(yaml).unwrap().text;
    let mut lines = vec![];
    for Difference { kind, name, change, fields } in differences(&text(before), &text(after)).unwrap() {
        for FieldDifference { path, before, after } in fields {
            let show = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
            lines.push(format!("{} {kind} {name} {path}: {} > {}", change.as_str(), show(before), show(after)));
        }
    }
    lines
}

#[test]
fn equal_documents_do_not_differ_however_they_are_written() {
    let none: [&str; 0] = [];
    assert_eq!(
        said("routes: [{name: a, capability: b}]", "routes: [{capability: b, tags: [], name: a}]\npools: []"),
        none
    );
}

#[test]
fn what_differs_is_said_by_resource_and_field() {
    let before = "settings: {session_idle_seconds: 60}
routes:
  - {name: a, capability: x, split: [{weight: 90}, {weight: 10, version: ^2}]}
  - {name: b, capability: x}
pools: [{agent: x, breaker: {failure_threshold: 5}}]";
    let after = "settings: {session_idle_seconds: 61}
routes:
  - {name: c, capability: x}
  - {name: a, capability: x, split: [{weight: 50}, {weight: 10}], inspect: true}
pools: [{agent: x, breaker: {recovery_seconds: 5}}]";
    assert_eq!(
        said(before, after),
        [
            "changed pool x breaker.failure_threshold: 5 > -",
            "changed pool x breaker.recovery_seconds: - > 5",
            "changed route a inspect: - > true",
            "changed route a split[0].weight: 90 > 50",
            "changed route a split[1].version: ^2 > -",
            "removed route b capability: x > -",
            "removed route b name: b > -",
            "added route c capability: - > x",
            "added route c name: - > c",
            "changed settings settings session_idle_seconds: 60 > 61",
        ]
    );
}

#[test]
fn another_value_of_a_header_field_is_a_difference_that_shows_neither() {
    let with = |value: &str, condition: &str| {
        format!(
            "routes: [{{name: a, capability: b, headers: {{set: {{authorization: {value}}}, remove: [x]}},
                match: [{{headers: {{x-track: {condition}}}, to: {{}}}}]}}]"
        )
    };
    assert_eq!(
        said(&with("one", "two"), &with("three", "four")),
        [
            "changed route a headers.set.authorization: (hidden) > (hidden)",
            "changed route a match[0].headers.x-track: (hidden) > (hidden)",
        ]
    );
    assert_eq!(
        said(&with("one", "two"), &with("one", "two").replace("[x]", "[y]")),
        ["changed route a headers.remove[0]: x > y"]
    );
}
