use serde_json::json;

use super::{age, count, text};

#[test]
fn a_field_that_is_not_there_is_a_dash() {
    let row = json!({"name": "weather", "tags": [], "trouble": null, "revisions": ["2025-11-25", "2026-07-28"]});
    assert_eq!(text(&row, "name"), "weather");
    assert_eq!(text(&row, "tags"), "-");
    assert_eq!(text(&row, "trouble"), "-");
    assert_eq!(text(&row, "unheard_of"), "-");
    assert_eq!(text(&row, "revisions"), "2025-11-25,2026-07-28");
    assert_eq!(count(&row, "revisions"), "2");
    assert_eq!(count(&row, "unheard_of"), "0");
}

#[test]
fn an_age_is_told_in_its_largest_unit() {
    let rows = [(0.4, "0s"), (4.0, "4s"), (119.0, "119s"), (125.0, "2m"), (7_300.0, "2h"), (200_000.0, "2d")];
    for (seconds, expected) in rows {
        assert_eq!(age(&json!({ "seen": seconds }), "seen"), expected);
    }
    assert_eq!(age(&json!({}), "seen"), "-");
}
