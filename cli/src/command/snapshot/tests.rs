use serde_json::json;

use super::*;

#[test]
fn a_plan_is_told_with_its_changes_and_findings() {
    let answer = json!({
        "current": 3, "view_count": 1, "proxy_count": 2,
        "views": [{"view": "base", "change_count": 3, "proxy_count": 2, "changes": [
            {"change": "added", "kind": "Route", "name": "forecast"},
            {"change": "changed", "kind": "Pool", "name": "weather"},
            {"change": "removed", "kind": "Route", "name": "tides"},
        ]}],
        "findings": [{"severity": "warning", "kind": "unknown_tag", "path": "routes[forecast].tags", "detail": "nobody\u{7} has it"}],
        "expressible": [],
    });
    let expected = "\
compared with intent 3, which runs: 1 view and 2 proxies would change
view base: 3 resources, 2 proxies
  + Route forecast
  ~ Pool weather
  - Route tides
findings:
SEVERITY  KIND         PATH                   DETAIL
warning   unknown_tag  routes[forecast].tags  nobody  has it";
    assert_eq!(plan::told(&answer, false), expected);
}

#[test]
fn a_long_list_of_changes_is_cut_unless_all_of_it_is_wanted() {
    let changes: Vec<_> =
        (0..25).map(|at| json!({"change": "added", "kind": "Route", "name": format!("r{at}")})).collect();
    let answer = json!({"views": [{"view": "base", "change_count": 25, "changes": changes}]});
    assert!(plan::told(&answer, false).ends_with("… and 5 more; -o wide"));
    assert!(plan::told(&answer, true).ends_with("+ Route r24"));
}

#[test]
fn differences_are_told_in_words() {
    let field =
        |path: &str, before: Option<&str>, after: Option<&str>| json!({"path": path, "before": before, "after": after});
    let answer = json!({"items": [
        {"change": "changed", "kind": "route", "name": "forecast", "fields": [
            field("inspect", None, Some("true")), field("split[0].weight", Some("90"), Some("10")), field("version", Some("^1"), None),
        ]},
        {"change": "changed", "kind": "settings", "name": "settings", "fields": [field("sessions_max", None, Some("7"))]},
    ]});
    let expected = "\
from intent 2 to 3
changed route forecast
  inspect: true (was not set)
  split[0].weight: 90 → 10
  version: not set (was ^1)
changed settings
  sessions_max: 7 (was not set)";
    assert_eq!(diff::told(&answer, 2, 3), expected);
    assert_eq!(diff::told(&json!({"items": []}), 2, 3), "intents 2 and 3 say the same");
}

#[test]
fn an_intent_is_shown_as_a_file_with_its_origin_in_comments() {
    let answer = json!({
        "number": 4, "runs": true, "source": "rollback", "at": "2026-01-02T03:04:05Z", "author": "ada", "reason": "it was wrong",
        "undoes": 3, "document": {"routes": [{"capability": "weather", "name": "forecast"}]},
    });
    let expected = "\
# intent 4, which runs; source: rollback
# 2026-01-02T03:04:05Z by ada: it was wrong
# undoes intent 3
routes:
- capability: weather
  name: forecast";
    assert_eq!(history::told(&answer).unwrap(), expected);
}
