use outrigger_model::secret::{Keyring, SealKey, Secret};
use outrigger_model::snapshot::{Resources, Snapshot};
use outrigger_proxy_core::world::compile::{Rules, compile};
use outrigger_proxy_core::world::table::World;

use super::*;

const VALUE: &[u8] = b"3 0 weather-1 7 - 1700000000 1700000000 session weather - 9 - planner x";
const NAME: &str = "session:abc";

/// A sealer whose world has keys of these numbers.
fn sealer(ids: &[u32]) -> Sealer {
    let key = |id: &u32| SealKey { id: *id, secret: Secret::new([u8::try_from(*id).expect("small"); 32]), made: 0 };
    let resources = Resources { keyring: Keyring { keys: ids.iter().map(key).collect() }, ..Resources::default() };
    let snapshot = Snapshot::assemble(resources).expect("a snapshot");
    let rules = Rules { plaintext_beyond_loopback: false, seed: 0, zone: String::new() };
    let world = compile(&snapshot, None, &[], rules, &World::default(), std::time::Instant::now());
    Sealer::of(Arc::new(Worlds::new(world.expect("a world"))))
}

#[test]
fn a_value_comes_back_under_its_name_and_shows_only_what_the_store_must_see() {
    let closed = sealer(&[1]).close(NAME, VALUE.to_vec()).expect("closed");
    let shown = String::from_utf8(closed.clone()).expect("text");
    assert!(shown.starts_with("3 0 weather-1 7 - 1700000000 ~1."), "{shown}");
    assert!(!shown.contains("planner") && !shown.contains(" weather "), "{shown}");
    assert_eq!(sealer(&[1]).open(NAME, &closed).as_deref(), Some(VALUE));
    assert_eq!(sealer(&[2, 1]).open(NAME, &closed).as_deref(), Some(VALUE), "after the keys were rotated");
}

#[test]
fn a_value_that_was_swapped_altered_or_never_sealed_is_none() {
    let sealer_of_mesh = sealer(&[1]);
    let closed = sealer_of_mesh.close(NAME, VALUE.to_vec()).expect("closed");
    let shown = String::from_utf8(closed.clone()).expect("text");
    assert_eq!(sealer_of_mesh.open("session:abd", &closed), None, "another name");
    for (from, to) in [
        ("3 0 ", "3 1 "),
        ("weather-1", "weather-2"),
        (" 7 ", " 8 "),
        (" - 17", " a 17"),
        ("00 ~", "01 ~"),
        ("~1.", "~2."),
        ("~", ""),
        ("~1.", "~1.A"),
    ] {
        assert_eq!(sealer_of_mesh.open(NAME, shown.replacen(from, to, 1).as_bytes()), None, "{from} → {to}");
    }
    assert_eq!(sealer_of_mesh.open(NAME, VALUE), None, "clear text where keys are shared");
    assert_eq!(sealer(&[2]).open(NAME, &closed), None, "another key");
    for garbage in ["", "~", "3", "3 0 weather-1 7 - 1", "3 0 weather-1 7 - 1 ~", "3 0 weather-1 7 - 1 ~1.~"] {
        assert_eq!(sealer_of_mesh.open(NAME, garbage.as_bytes()), None, "{garbage}");
    }
}

#[test]
fn where_no_keys_are_shared_values_are_as_they_are_written() {
    for sealer in [Sealer::default(), sealer(&[])] {
        assert_eq!(sealer.close(NAME, VALUE.to_vec()).expect("closed"), VALUE);
        assert_eq!(sealer.open(NAME, VALUE).as_deref(), Some(VALUE));
    }
}
