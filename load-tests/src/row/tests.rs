use super::*;

#[test]
fn a_target_that_was_missed_is_said() {
    let mut row = Row::new(About::default(), "control registry", "reports".to_owned());
    row.at_least("light signals", 19_000.0, "/s", 20_000.0);
    row.at_most("failed calls", 0.0, "", 0.0);
    row.at_most("p99", 99.56, "ms", 100.0);
    row.figure("CPU of each", 9.437, "µs");
    let table = row.markdown();
    assert!(table.contains("| light signals | 19000 /s | ≥ 20000 /s | no |"), "{table}");
    assert!(table.contains("| failed calls | 0 | ≤ 0 | yes |"), "{table}");
    assert!(table.contains("| p99 | 99.6 ms | ≤ 100 ms | yes |"), "{table}");
    assert!(table.contains("| CPU of each | 9.44 µs | – |  |"), "{table}");
}

#[test]
fn a_row_is_read_again_from_its_json() {
    let mut row = Row::new(About::default(), "x", "y".to_owned());
    row.at_most("failed", 1.0, "", 0.0);
    let again: Row = serde_json::from_str(&serde_json::to_string(&row).unwrap()).unwrap();
    assert_eq!(again.markdown(), row.markdown());
    assert_eq!(again.value("failed"), Some(1.0));
    assert_eq!(again.value("else"), None);
}

#[test]
fn what_was_not_measured_is_no_figure_and_is_said() {
    let mut row = Row::new(About::default(), "x", "y".to_owned());
    row.at_most("one to the other", f64::NAN, "×", 1.0);
    assert!(row.figures.is_empty());
    assert!(row.markdown().contains("one to the other: too little"), "{:?}", row.notes);
}
