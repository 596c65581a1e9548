use super::super::conformance::{binding, key};
use super::*;

#[test]
fn a_full_memory_forgets_rather_than_grows() {
    let memory = Memory::new(100);
    for number in 0..10_000_u32 {
        memory.offer(key(&number.to_string()), Arc::new(binding("weather-1")), Duration::from_secs(60), Instant::now());
    }
    assert!(memory.count() <= 100, "{}", memory.count());
}

#[test]
fn a_binding_ends_with_its_time() {
    let memory = Memory::new(100);
    let now = Instant::now();
    memory.offer(key("a"), Arc::new(binding("weather-1")), Duration::from_secs(60), now);
    assert!(memory.find(&key("a"), now + Duration::from_secs(59)).is_some());
    assert!(memory.find(&key("a"), now + Duration::from_secs(61)).is_none());
    assert_eq!(memory.count(), 0);
}
