use super::*;

fn of_rounds(values: &[f64]) -> OfPeer {
    let rounds = values.iter().map(|value| Round { cpu_us: *value, ..Round::default() }).collect();
    OfPeer { peer: PeerName::Nginx, missing: None, rounds, memory: None, tally: Tally::default() }
}

#[test]
fn the_median_is_the_middle_or_between_the_two_middle_ones() {
    let cpu = |round: &Round| round.cpu_us;
    assert_eq!(of_rounds(&[9.0, 1.0, 5.0]).median(cpu), Some(5.0));
    assert_eq!(of_rounds(&[9.0, 1.0, 5.0, 7.0]).median(cpu), Some(6.0));
    assert_eq!(of_rounds(&[]).median(cpu), None);
    assert_eq!(of_rounds(&[9.0, 1.0, 5.0]).range(cpu), Some((1.0, 9.0)));
}

#[test]
fn memory_per_connection_is_what_came_on_top() {
    let memory = Memory { idle: 1_000, connections: 1_000, with_connections: 5_000, ..Memory::default() };
    assert_eq!(memory.per_connection(), 4.0);
    assert_eq!(memory.per_stream(), 0.0);
    let memory = Memory { without_sessions: 2_000, sessions: 1_024, with_sessions: 2_300, ..Memory::default() };
    assert_eq!(memory.bytes_per_session(), 300.0);
}

#[test]
fn a_result_of_before_there_were_sessions_in_it_is_still_read() {
    let text = r#"{"idle":1,"connections":2,"with_connections":3,"idle_again":4,"streams":5,"with_streams":6}"#;
    let memory: Memory = serde_json::from_str(text).unwrap();
    assert_eq!((memory.streams, memory.sessions), (5, 0));
}
