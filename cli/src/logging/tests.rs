use super::filter;

#[test]
fn the_environment_beats_the_file() {
    assert_eq!(filter(Some("debug"), "info").unwrap().to_string(), "debug");
    assert_eq!(filter(None, "info").unwrap().to_string(), "info");
}

#[test]
fn a_filter_that_means_nothing_is_refused_with_its_origin() {
    assert!(filter(Some("a=b=c"), "info").unwrap_err().to_string().starts_with("OUTRIGGER_LOG"));
    assert!(filter(None, "a=b=c").unwrap_err().to_string().starts_with("log.level"));
}
