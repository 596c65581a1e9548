use std::time::Duration;

use outrigger_model::secret::{KEYS_HELD_MAX, Secret};

use super::{KeyRules, Keys, NoNewKey, Turn};
use crate::fixture::at;
use crate::moment::{Moment, Now};

const DAY: u64 = 86_400;
const RULES: KeyRules = KeyRules { every: Some(Duration::from_secs(30 * DAY)), lifetime: Duration::from_secs(7 * DAY) };

fn secret(byte: u8) -> Secret {
    Secret::new([byte; 32])
}

/// Keys of which the first was made at the start of the clock.
fn keys(rules: KeyRules) -> Keys {
    let mut keys = Keys::restore(Vec::new(), rules);
    assert!(keys.is_due(at(0)));
    assert_eq!(keys.add(secret(1), at(0)), Ok(Turn::Made(1)));
    keys
}

fn ids(keys: &Keys) -> Vec<u32> {
    keys.ring().keys.iter().map(|key| key.id).collect()
}

#[test]
fn the_first_key_seals_at_once() {
    let mut keys = keys(RULES);
    assert_eq!(ids(&keys), [1]);
    assert!(keys.turn(at(100)).is_empty());
    assert!(!keys.is_due(at(100)));
}

#[test]
fn a_new_key_is_shared_before_it_seals() {
    let mut keys = keys(RULES);
    assert_eq!(keys.add(secret(2), at(100)), Ok(Turn::Made(2)));
    assert_eq!(ids(&keys), [1, 2], "all can open what it will seal");
    assert_eq!(keys.add(secret(3), at(105)), Err(NoNewKey::Turning));
    assert!(keys.turn(at(109)).is_empty());
    assert_eq!(keys.turn(at(110)), [Turn::Seals(2)]);
    assert_eq!(ids(&keys), [2, 1]);
}

#[test]
fn a_control_that_restarts_shares_a_new_key_anew_before_it_seals() {
    let mut keys = keys(RULES);
    keys.add(secret(2), at(100)).unwrap();
    let mut keys = Keys::restore(keys.held().to_vec(), RULES);
    let after = |seconds| Now { moment: Moment::from_start(Duration::from_secs(seconds)), ..at(500 + seconds) };
    assert!(keys.turn(after(9)).is_empty());
    assert_eq!(keys.turn(after(10)), [Turn::Seals(2)]);
}

#[test]
fn a_key_goes_when_no_session_can_be_left_that_it_sealed() {
    let mut keys = keys(RULES);
    keys.add(secret(2), at(100)).unwrap();
    keys.turn(at(110));
    assert!(keys.turn(at(110 + 7 * DAY)).is_empty());
    assert_eq!(keys.turn(at(110 + 7 * DAY + 11)), [Turn::Dropped(1)]);
    assert_eq!(ids(&keys), [2]);
    assert!(keys.turn(at(1_000 * DAY)).is_empty(), "the one that seals stays");
}

#[test]
fn keys_are_made_on_their_day_and_never_where_that_is_not_wanted() {
    let rotated = keys(RULES);
    assert!(!rotated.is_due(at(30 * DAY - 1)));
    assert!(rotated.is_due(at(30 * DAY)));
    assert!(!keys(KeyRules { every: None, ..RULES }).is_due(at(10_000 * DAY)));
}

#[test]
fn there_are_never_too_many_keys_and_none_that_may_be_needed_goes() {
    let mut keys = keys(RULES);
    let mut now = 0;
    for number in 2..=u8::try_from(KEYS_HELD_MAX).unwrap() {
        now += 100;
        keys.add(secret(number), at(now)).unwrap();
        keys.turn(at(now + 50));
    }
    assert_eq!(keys.add(secret(9), at(now + 60)), Err(NoNewKey::Full));
    assert!(
        !Keys::restore(keys.held().to_vec(), KeyRules { every: Some(Duration::ZERO), ..RULES }).is_due(at(now + 60))
    );
    keys.turn(at(now + 8 * DAY));
    assert_eq!(keys.add(secret(9), at(now + 8 * DAY)), Ok(Turn::Made(9)), "numbers are not used again");
}
