use outrigger_model::resource::ResourceKind::Route;

use super::*;
use crate::publish::fixture::Desk;

/// A past of so many snapshots, from the one with serial 1 on.
fn past(desk: &mut Desk, snapshots: usize) -> Past {
    let mut past = Past::new(desk.put(Route, "r", "first").publish(), None);
    for number in 1..snapshots {
        past.push(desk.put(Route, "r", &number.to_string()).publish());
    }
    past
}

#[test]
fn what_happened_since_is_known_for_as_long_as_it_is_remembered() {
    let past = past(&mut Desk::open(), STEPS_MAX + 10);
    let newest = Serial(STEPS_MAX as u64 + 10);
    assert_eq!(past.steps(newest, newest), Some(Vec::new()));
    assert_eq!(past.steps(Serial(10), newest).map(|touches| touches.len()), Some(1));
    assert_eq!(past.steps(Serial(9), newest), None);
    assert_eq!(past.steps(Serial(newest.0 + 1), newest), None, "it never was");
    assert_eq!(past.steps(newest, Serial(10)), None, "time has one direction");
}

#[test]
fn so_many_resources_touched_are_remembered_and_not_more() {
    let mut desk = Desk::open();
    let mut past = past(&mut desk, 2);
    for round in 0..3 {
        for number in 0..TOUCHES_MAX / 2 {
            desk.put(Route, &format!("r{number}"), &round.to_string());
        }
        past.push(desk.publish());
    }
    assert!(past.touches <= TOUCHES_MAX, "{}", past.touches);
    let newest = desk.newest().serial;
    assert_eq!(past.steps(Serial(1), newest), None);
    assert!(past.steps(Serial(newest.0 - 2), newest).is_some());
}

#[test]
fn the_newest_editions_are_kept_whole() {
    let past = past(&mut Desk::open(), EDITIONS_MAX + 5);
    let kept: Vec<_> = past.kept().map(|serial| serial.0).collect();
    assert_eq!((kept.len(), kept[0]), (EDITIONS_MAX, 6));
    assert!(past.at(Serial(5)).is_none());
    assert_eq!(past.at(Serial(6)).map(|edition| edition.serial), Some(Serial(6)));
}

#[test]
fn a_reader_goes_on_over_a_restart_from_where_the_store_was() {
    let mut desk = Desk::open();
    desk.put(Route, "a", "1").put(Route, "b", "1").publish();
    let told = desk.newest().serial;
    desk.restart(false);
    let past_of_same = Past::new(desk.newest(), desk.before());
    assert_eq!(past_of_same.steps(told, told), Some(Vec::new()), "nothing changed");
    desk.take(Route, "a").put(Route, "c", "1").publish();
    desk.restart(false);
    let before = Stepped::of(&desk, told);
    assert_eq!(before, ["removed a", "added c"]);
}

/// What a new past knows of the way from a snapshot, in words.
struct Stepped;

impl Stepped {
    fn of(desk: &Desk, from: Serial) -> Vec<String> {
        // The one before is what the store knew when the first snapshot was told.
        let mut past = Past::new(desk.newest(), None);
        past.push_step(Step { from, touches: since_ledger(&told_at(from), &desk.newest()) });
        let touches = past.steps(from, desk.newest().serial).unwrap();
        touches.iter().map(|touch| format!("{} {}", touch.op.as_str(), touch.name)).collect()
    }
}

/// The ledger as it was after `a` and `b` were published.
fn told_at(serial: Serial) -> ledger::View {
    let mut desk = Desk::open();
    desk.put(Route, "a", "1").put(Route, "b", "1").publish();
    desk.restart(false);
    assert_eq!(desk.newest().serial, serial);
    desk.before().cloned().unwrap()
}

#[test]
fn a_change_that_the_store_lost_is_a_gap_and_not_guessed() {
    let mut desk = Desk::open();
    desk.put(Route, "a", "1").publish();
    desk.put(Route, "a", "2").publish();
    let (known, told) = (Serial(1), desk.newest().serial);
    desk.restart(true);
    let past = Past::new(desk.newest(), desk.before());
    assert_eq!(desk.newest().serial, told, "the serial was in the store before it was told");
    assert_eq!(past.steps(told, told), Some(Vec::new()));
    assert!(past.steps(known, told).is_some());
    assert_eq!(past.steps(Serial(0), told).map(|touches| touches.len()), None);
}
