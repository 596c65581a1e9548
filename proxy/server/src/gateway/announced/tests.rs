use super::*;

fn replica(name: &str) -> ReplicaId {
    ReplicaId::new(name).unwrap()
}

#[test]
fn what_was_announced_is_found_by_its_token_at_its_replica_until_the_stream_ends() {
    let announced = Arc::new(Announced::default());
    let (one, two) = (replica("weather-1"), replica("weather-2"));
    let held = announced.hold(&one, "/messages?s=1").unwrap();
    let other = announced.hold(&one, "/messages?s=2").unwrap();
    assert_eq!(announced.find(held.token, &one).as_deref(), Some("/messages?s=1"));
    assert_eq!(announced.find(other.token, &one).as_deref(), Some("/messages?s=2"));
    assert_eq!(announced.find(held.token, &two), None);
    let token = held.token;
    drop(held);
    assert_eq!(announced.find(token, &one), None);
    assert_eq!(announced.find(other.token, &one).as_deref(), Some("/messages?s=2"));
}

#[test]
fn there_is_a_bound_and_room_again_after_it() {
    let announced = Arc::new(Announced::default());
    let one = replica("weather-1");
    let mut held: Vec<_> = (0..STREAMS_MAX).map(|_| announced.hold(&one, "/m").unwrap()).collect();
    assert!(announced.hold(&one, "/m").is_none());
    held.pop();
    assert!(announced.hold(&one, "/m").is_some());
}
