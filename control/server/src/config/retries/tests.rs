use std::time::Duration;

use outrigger_model::retries::{Backoff, Budget, Retries};

use super::{RetriesFile, retries};

fn read(text: &str) -> Result<Retries, String> {
    let file: RetriesFile = serde_json::from_str(text).unwrap();
    retries(&file).map_err(|bad| bad.to_string())
}

#[test]
fn what_is_not_written_is_as_usual() {
    assert_eq!(read("{}"), Ok(Retries::default()));
}

#[test]
fn what_is_written_holds() {
    let text = r#"{"attempts": 5, "per_try_ms": 800, "backoff_ms": 10, "backoff_max_ms": 100, "budget_percent": 30,
        "budget_per_second_min": 2, "tools": ["search", "get_*"], "trust_hints": true, "hedge_after_ms": 200,
        "body_bytes_max": 1048576}"#;
    let ms = Duration::from_millis;
    assert_eq!(
        read(text),
        Ok(Retries {
            attempts: 5,
            per_try: Some(ms(800)),
            backoff: Backoff { first: ms(10), longest: ms(100) },
            budget: Budget { percent: 30, per_second_min: 2 },
            tools: vec!["search".parse().unwrap(), "get_*".parse().unwrap()],
            trust_hints: true,
            hedge_after: Some(ms(200)),
            body_bytes_max: 1 << 20,
        })
    );
    let slow = read(r#"{"backoff_ms": 1000}"#).unwrap();
    assert_eq!(slow.backoff, Backoff { first: ms(1_000), longest: ms(1_000) }, "the longest pause is no shorter");
}

#[test]
fn what_cannot_be_is_refused_by_its_key() {
    for (text, key) in [
        (r#"{"attempts": 0}"#, "attempts: 0"),
        (r#"{"attempts": 11}"#, "attempts: 11"),
        (r#"{"per_try_ms": 0}"#, "per_try_ms: 0"),
        (r#"{"hedge_after_ms": 3600001}"#, "hedge_after_ms: 3600001"),
        (r#"{"backoff_ms": 50, "backoff_max_ms": 10}"#, "backoff_max_ms: 10 is less than"),
        (r#"{"budget_percent": 101}"#, "budget_percent: 101"),
        (r#"{"tools": ["a", "b*c*"]}"#, "tools[1]: `b*c*`"),
        (r#"{"body_bytes_max": 1048577}"#, "body_bytes_max: 1048577"),
    ] {
        let bad = read(text).unwrap_err();
        assert!(bad.starts_with(key), "{text}: {bad}");
    }
}
