use serde_json::json;

use super::{Column, table};
use crate::render::cell;

const COLUMNS: &[Column] = &[
    Column { title: "NAME", wide: false, read: |row| cell::text(row, "name") },
    Column { title: "NODE", wide: true, read: |row| cell::text(row, "node") },
    Column { title: "STATE", wide: false, read: |row| cell::text(row, "state") },
];

#[test]
fn columns_are_as_wide_as_their_widest_cell_and_wide_ones_are_asked_for() {
    let rows =
        [json!({"name": "weather-1", "node": "n", "state": "healthy"}), json!({"name": "time", "state": "unknown"})];
    assert_eq!(table(COLUMNS, &rows, false), "NAME       STATE\nweather-1  healthy\ntime       unknown");
    assert_eq!(
        table(COLUMNS, &rows, true),
        "NAME       NODE  STATE\nweather-1  n     healthy\ntime       -     unknown"
    );
}

#[test]
fn what_a_terminal_would_act_upon_is_not_printed() {
    let rows = [json!({"name": "a\u{1b}[31mred\n", "state": "x"})];
    assert_eq!(table(COLUMNS, &rows, false), "NAME        STATE\na [31mred   x");
}
