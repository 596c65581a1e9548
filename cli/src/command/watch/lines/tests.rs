use std::sync::Arc;
use std::time::SystemTime;

use outrigger_client::Op;
use outrigger_model::resource::{Epoch, ResourceKind, Serial};

use super::*;

#[test]
fn what_a_line_says_is_what_since_takes() {
    let synced = Observed::Synced {
        epoch: Epoch(0x0a1b_2c3d),
        serial: Serial(42),
        reason: "weather-1 is healthy".to_owned(),
        made_at: SystemTime::UNIX_EPOCH,
    };
    assert_eq!(line(Lines::Text, &synced), "SYNCED   0a1b2c3d.42  weather-1 is healthy");
    let written: serde_json::Value = serde_json::from_str(&line(Lines::Json, &synced)).unwrap();
    assert_eq!((&written["op"], &written["serial"]), (&json!("synced"), &json!(42)));
    let since: Position = written["since"].as_str().unwrap().parse().unwrap();
    assert_eq!(since, Position { epoch: Epoch(0x0a1b_2c3d), serial: Serial(42) });
}

#[test]
fn starting_over_is_said() {
    let reset = Observed::Reset { epoch: Epoch(7) };
    assert!(line(Lines::Text, &reset).starts_with("RESET    00000007  "));
    assert_eq!(line(Lines::Json, &reset), r#"{"epoch":"00000007","op":"reset"}"#);
}

#[test]
fn what_went_has_no_content() {
    let token = "0a1b2c3d.42-9f86d081884c".parse().unwrap();
    let change = Change { kind: ResourceKind::Route, name: Arc::from("weather"), op: Op::Removed, token };
    let removed = Observed::Changed { change, resource: None };
    assert_eq!(line(Lines::Text, &removed), "REMOVED  Route       weather");
}
