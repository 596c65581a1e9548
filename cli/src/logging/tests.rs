use tracing::Level;

use super::{filter, is_discreet};

#[test]
fn the_environment_beats_the_file() {
    assert_eq!(filter(Some("debug"), "info").unwrap().to_string(), "debug");
    assert!(filter(None, "info").unwrap().to_string().ends_with("info"));
}

#[test]
fn a_filter_that_means_nothing_is_refused_with_its_origin() {
    assert!(filter(Some("a=b=c"), "info").unwrap_err().to_string().starts_with("OUTRIGGER_LOG"));
    assert!(filter(None, "a=b=c").unwrap_err().to_string().starts_with("log.level"));
}

#[test]
fn carriers_of_calls_never_write_what_they_carry() {
    assert!(!is_discreet("pingora_proxy::proxy_h1", &Level::DEBUG));
    assert!(!is_discreet("h2::codec::framed_read", &Level::TRACE));
    assert!(!is_discreet("pingora_core::protocols", &Level::ERROR));
    assert!(is_discreet("redis::aio", &Level::WARN));
    assert!(is_discreet("outrigger_proxy::gateway", &Level::DEBUG));
}
