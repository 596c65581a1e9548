use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_model::digest::Digest;
use outrigger_upstream::needs;

use super::Members;
use crate::facade::fixtures::heartbeat;

fn join(members: &mut Members, id: &str, port: u16, wants: &[&str], now: Instant) -> bool {
    let heartbeat = Arc::new(heartbeat(id, port, wants));
    let needs = needs::of(&heartbeat.registration).unwrap();
    members.register(heartbeat, needs, true, now)
}

fn silent(members: &Members, now: Instant) -> Vec<String> {
    members.silent(now).into_iter().map(|member| member.heartbeat.id.to_string()).collect()
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[test]
fn an_agent_is_new_once_and_keeps_what_it_was_told_when_it_registers_again() {
    let (mut members, now) = (Members::default(), Instant::now());
    assert!(join(&mut members, "a-1", 9000, &[], now));
    members.tell("a-1", Digest::of(b"told"));
    assert!(!join(&mut members, "a-1", 9000, &["weather"], now));
    let member = members.get("a-1").unwrap();
    assert_eq!((member.told, member.needs.len()), (Some(Digest::of(b"told")), 1));
}

#[test]
fn what_several_agents_need_is_needed_once_beside_what_is_needed_anyway() {
    let (mut members, now) = (Members::default(), Instant::now());
    join(&mut members, "a-1", 9000, &["weather", "time"], now);
    join(&mut members, "b-1", 9001, &["weather"], now);
    let anyway = ["forecast=weather".parse().unwrap()];
    let all = members.needs(&anyway);
    let names: Vec<_> = all.iter().map(|need| need.requirement.capability.as_str()).collect();
    assert_eq!((all[0].alias.as_str(), names.len()), ("forecast", 3), "{names:?}");
    members.remove("a-1");
    assert_eq!(members.needs(&[]).len(), 1);
}

#[test]
fn a_process_that_starts_anew_at_the_port_of_another_takes_its_place() {
    let (mut members, now) = (Members::default(), Instant::now());
    join(&mut members, "a-1", 9000, &[], now);
    join(&mut members, "b-1", 9001, &[], now);
    let displaced = members.displaced(&heartbeat("a-2", 9000, &[]));
    assert_eq!(displaced.iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["a-1"]);
    assert!(members.displaced(&heartbeat("a-1", 9000, &[])).is_empty(), "itself");
}

#[test]
fn an_agent_is_silent_after_four_signals_that_did_not_come() {
    let (mut members, start) = (Members::default(), Instant::now());
    join(&mut members, "a-1", 9000, &[], start);
    assert!(silent(&members, start + seconds(20)).is_empty(), "nothing is known of its signals yet");
    assert_eq!(silent(&members, start + seconds(21)), ["a-1"]);

    assert!(members.hear("a-1", start + seconds(5)) && members.hear("a-1", start + seconds(7)));
    assert!(silent(&members, start + seconds(15)).is_empty());
    assert_eq!(silent(&members, start + seconds(16)), ["a-1"]);
    assert!(!members.hear("b-1", start), "nobody knows it");
}

#[test]
fn signals_that_come_fast_still_leave_an_agent_some_time() {
    let (mut members, start) = (Members::default(), Instant::now());
    join(&mut members, "a-1", 9000, &[], start);
    for tenths in [1, 2] {
        members.hear("a-1", start + Duration::from_millis(100 * tenths));
    }
    assert!(silent(&members, start + seconds(4)).is_empty());
    assert_eq!(silent(&members, start + seconds(5)), ["a-1"]);
}
