use super::*;

fn told(hash: u32) -> Told {
    Told {
        consumer: "cons-1".parse().unwrap(),
        name: "cons".to_owned(),
        function: "f".to_owned(),
        at_dependency: 0,
        is_resolved: true,
        data: json!({ "trace": hash }),
    }
}

#[test]
fn the_same_resolution_is_told_once() {
    let mut trail = Trail::default();
    for hash in [1, 1, 2, 2, 1] {
        trail.resolution(told(hash), SystemTime::UNIX_EPOCH);
    }
    let all = Filter::default();
    let traces = trail.newest(&all).map(|line| line.data["trace"].as_u64().unwrap());
    assert_eq!(traces.collect::<Vec<_>>(), [1, 2, 1]);
}

#[test]
fn the_newest_lines_are_kept() {
    let mut trail = Trail::default();
    for hash in 0..=u32::try_from(LINES_MAX).unwrap() {
        trail.resolution(told(hash), SystemTime::UNIX_EPOCH);
    }
    assert_eq!(trail.newest(&Filter::default()).count(), LINES_MAX);
    assert_eq!(trail.newest(&Filter { kind: "register", ..Filter::default() }).count(), 0);
    assert_eq!(trail.newest(&Filter { agent: "cons-1", function: "f", ..Filter::default() }).take(500).count(), 500);
}
