//! What a reader is told, row by row, and a plain reader that meets everything at random.

use std::collections::BTreeMap;

use outrigger_model::resource::ResourceKind::{Pool, Route};
use outrigger_model::resource::{Epoch, Token};

use super::*;
use crate::publish::fixture::{Desk, Stored, seeds};
use crate::publish::past::Past;

fn all(start: Start) -> Cursor {
    Cursor::new(Filter::default(), start)
}

fn next(cursor: &mut Cursor, past: &Past, newest: &Arc<Edition>) -> Option<Say> {
    cursor.next(newest, |from| past.steps(from, newest.serial))
}

/// `reset added a, removed b synced`
fn text(say: Option<Say>) -> String {
    let Some(say) = say else { return "nothing".to_owned() };
    let changes: Vec<_> = say.changes.iter().map(|touch| format!("{} {}", touch.op.as_str(), touch.name)).collect();
    let (reset, synced) = (if say.is_reset { "reset " } else { "" }, if say.is_synced { " synced" } else { "" });
    format!("{reset}{}{synced}", changes.join(", ")).trim_start().to_owned()
}

fn desk() -> (Desk, Past) {
    let mut desk = Desk::open();
    let first = desk.put(Route, "a", "1").put(Pool, "p", "1").publish();
    (desk, Past::new(first, None))
}

#[test]
fn a_reader_that_has_nothing_is_told_everything_and_then_what_changes() {
    let (mut desk, mut past) = desk();
    let mut cursor = all(Start::Nothing);
    assert_eq!(cursor.position(), None);
    assert_eq!(text(next(&mut cursor, &past, &desk.newest())), "added p, added a synced");
    assert_eq!(cursor.position().map(|position| position.serial), Some(Serial(1)));
    assert_eq!(text(next(&mut cursor, &past, &desk.newest())), "nothing");
    past.push(desk.put(Route, "a", "2").take(Pool, "p").publish());
    assert_eq!(text(next(&mut cursor, &past, &desk.newest())), "removed p, changed a synced");
}

#[test]
fn a_slow_reader_is_told_once_what_happened_many_times() {
    let (mut desk, mut past) = desk();
    let mut cursor = all(Start::Nothing);
    next(&mut cursor, &past, &desk.newest());
    for number in 0..100 {
        past.push(desk.put(Route, "a", &number.to_string()).publish());
    }
    assert_eq!(text(next(&mut cursor, &past, &desk.newest())), "changed a synced");
    assert_eq!(cursor.position().map(|position| position.serial), Some(Serial(101)));
}

#[test]
fn who_is_further_behind_than_is_remembered_loses_nothing() {
    let (mut desk, past) = desk();
    let mut cursor = all(Start::Nothing);
    next(&mut cursor, &past, &desk.newest());
    desk.put(Route, "a", "2").put(Route, "b", "1").publish();
    let newest = desk.newest();
    assert_eq!(text(cursor.next(&newest, |_| None)), "changed a, added b synced");
}

#[test]
fn a_reader_that_says_where_it_is_goes_on_there() {
    let (mut desk, mut past) = desk();
    past.push(desk.put(Route, "b", "1").publish());
    let at = |epoch, serial| Start::At(Position { epoch: Epoch(epoch), serial: Serial(serial) });
    let rows = [
        (at(1, 1), "added b synced"),
        (at(1, 2), " synced"),
        (at(2, 1), "reset added p, added a, added b synced"),
        (at(1, 99), "reset added p, added a, added b synced"),
        (Start::Lost, "reset added p, added a, added b synced"),
    ];
    for (start, expected) in rows {
        assert_eq!(text(next(&mut all(start), &past, &desk.newest())), expected.trim_start(), "{start:?}");
    }
}

#[test]
fn what_is_not_asked_for_is_not_told_and_moves_the_reader_all_the_same() {
    let (mut desk, mut past) = desk();
    let mut cursor = Cursor::new(Filter { kinds: [Route].into(), bodies: false }, Start::Nothing);
    assert_eq!(text(next(&mut cursor, &past, &desk.newest())), "added a synced");
    past.push(desk.put(Pool, "p", "2").publish());
    assert_eq!(text(next(&mut cursor, &past, &desk.newest())), "nothing");
    assert_eq!(cursor.position().map(|position| position.serial), Some(Serial(2)));
}

#[test]
fn what_is_large_comes_in_pieces_and_only_the_last_is_a_place_to_go_on_from() {
    let mut desk = Desk::open();
    for number in 0..CHANGES_MAX * 2 + 1 {
        desk.put(Route, &format!("r{number:04}"), "1");
    }
    let mut past = Past::new(desk.publish(), None);
    let mut cursor = all(Start::Nothing);
    let mut sizes = Vec::new();
    for _ in 0..3 {
        assert_eq!(cursor.position(), None);
        sizes.push(next(&mut cursor, &past, &desk.newest()).unwrap().changes.len());
        // What is published meanwhile waits until this is told.
        past.push(desk.put(Pool, "p", &sizes.len().to_string()).publish());
    }
    assert_eq!(sizes, [CHANGES_MAX, CHANGES_MAX, 1]);
    assert_eq!(text(next(&mut cursor, &past, &desk.newest())), "added p synced");
}

#[test]
fn bodies_that_are_asked_for_count() {
    let mut desk = Desk::open();
    let long = "x".repeat(BYTES_MAX / 2);
    desk.put(Route, "a", &long).put(Route, "b", &long).put(Route, "c", "1");
    let past = Past::new(desk.publish(), None);
    for (bodies, expected) in [(false, "added a, added b, added c synced"), (true, "added a")] {
        let mut cursor = Cursor::new(Filter { bodies, ..Filter::default() }, Start::Nothing);
        assert_eq!(text(next(&mut cursor, &past, &desk.newest())), expected);
    }
}

/// Does as it is told, and remembers where it may go on.
#[derive(Default)]
struct Reader {
    holds: BTreeMap<(ResourceKind, Arc<str>), Token>,
    told: Option<Position>,
}

impl Reader {
    fn start(&mut self) -> Cursor {
        if self.told.is_none() {
            self.holds.clear();
        }
        all(self.told.map_or(Start::Nothing, Start::At))
    }

    fn take(&mut self, say: &Say) {
        if say.is_reset {
            self.holds.clear();
        }
        for touch in &say.changes {
            let key = (touch.kind, Arc::clone(&touch.name));
            match touch.op {
                Op::Removed => assert!(self.holds.remove(&key).is_some() || self.told.is_some(), "{touch:?}"),
                Op::Added | Op::Changed => drop(self.holds.insert(key, touch.token)),
            }
        }
        if say.is_synced {
            self.told = Some(Position { epoch: say.edition.epoch, serial: say.edition.serial });
        }
    }
}

struct Stage {
    desk: Desk,
    past: Past,
    backup: Option<Stored>,
    reader: Reader,
    cursor: Cursor,
}

impl Stage {
    fn new() -> Self {
        let desk = Desk::open();
        let past = Past::new(desk.newest(), desk.before());
        Self { desk, past, backup: None, reader: Reader::default(), cursor: all(Start::Nothing) }
    }

    /// The past begins anew with what the store remembers, and the reader comes again.
    fn process_starts(&mut self) {
        self.past = Past::new(self.desk.newest(), self.desk.before());
        self.cursor = self.reader.start();
    }

    fn step(&mut self, rng: &mut fastrand::Rng) {
        match rng.u8(..16) {
            0..4 => {
                let (kind, name) = (if rng.bool() { Route } else { Pool }, format!("r{}", rng.u8(..6)));
                if rng.u8(..3) == 0 {
                    self.desk.take(kind, &name)
                } else {
                    self.desk.put(kind, &name, &rng.u8(..3).to_string())
                };
                self.past.push(self.desk.publish());
            }
            4 if rng.u8(..4) == 0 => {
                self.desk.restart(rng.bool());
                self.process_starts();
            }
            5 if rng.u8(..4) == 0 => self.backup = Some(self.desk.backup()),
            6 if rng.u8(..8) == 0 => {
                if let Some(backup) = self.backup.clone() {
                    self.desk.restore(&backup);
                    self.process_starts();
                }
            }
            7 if rng.u8(..2) == 0 => self.cursor = self.reader.start(),
            _ => self.read(),
        }
    }

    fn read(&mut self) {
        if let Some(say) = next(&mut self.cursor, &self.past, &self.desk.newest()) {
            self.reader.take(&say);
        }
    }
}

#[test]
fn whatever_happens_a_reader_ends_with_exactly_what_control_has() {
    for seed in seeds(2_000) {
        let (mut stage, mut rng) = (Stage::new(), fastrand::Rng::with_seed(seed.0));
        for _ in 0..80 {
            stage.step(&mut rng);
        }
        stage.read();
        let newest = stage.desk.newest();
        let has = whole(&newest).into_iter().map(|touch| ((touch.kind, touch.name), touch.token));
        assert_eq!(stage.reader.holds, has.collect());
        let place = Position { epoch: newest.epoch, serial: newest.serial };
        assert_eq!(stage.cursor.position(), Some(place), "it knows so even where nothing was to be told");
    }
}
