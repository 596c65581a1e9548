use outrigger_model::secret::{Keyring, SealKey, Secret};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::{Chance, Purpose, open, seal, text_len};

pub fn ring(ids: &[u32]) -> Keyring {
    let key = |id: &u32| SealKey { id: *id, secret: Secret::new([u8::try_from(*id).unwrap(); 32]), made: 0 };
    Keyring { keys: ids.iter().map(key).collect() }
}

fn sealed(plain: &[u8], chance: Chance) -> String {
    seal(&ring(&[1]), Purpose::Id, b"weather", plain, chance).unwrap()
}

#[test]
fn a_seal_opens_for_its_purpose_at_its_place_with_its_key_and_never_else() {
    let text = sealed(b"hello", [7; 24]);
    let opened = |ids: &[u32], purpose, place: &[u8]| open(&ring(ids), purpose, place, text.as_bytes());
    assert_eq!(opened(&[1], Purpose::Id, b"weather").as_deref(), Some(&b"hello"[..]));
    assert_eq!(opened(&[2, 1], Purpose::Id, b"weather").as_deref(), Some(&b"hello"[..]), "any key of the ring opens");
    assert_eq!(opened(&[2], Purpose::Id, b"weather"), None);
    assert_eq!(opened(&[], Purpose::Id, b"weather"), None);
    assert_eq!(opened(&[1], Purpose::Value, b"weather"), None);
    assert_eq!(opened(&[1], Purpose::Id, b"news"), None);
    let same_name = Keyring { keys: vec![SealKey { secret: Secret::new([9; 32]), ..ring(&[1]).keys[0].clone() }] };
    assert_eq!(open(&same_name, Purpose::Id, b"weather", text.as_bytes()), None, "another secret under the same name");
}

#[test]
fn the_first_key_seals_and_without_one_nothing_is_sealed() {
    let text = seal(&ring(&[11, 1]), Purpose::Value, b"", b"", [0; 24]).unwrap();
    assert!(text.starts_with("b."), "{text}");
    assert_eq!(seal(&Keyring::default(), Purpose::Value, b"", b"", [0; 24]), None);
}

#[test]
fn a_text_of_which_any_bit_is_flipped_does_not_open() {
    let text = sealed(b"where a session lives", [3; 24]).into_bytes();
    for at in 0..text.len() * 8 {
        let mut flipped = text.clone();
        flipped[at / 8] ^= 1 << (at % 8);
        assert_eq!(open(&ring(&[1, 2, 3]), Purpose::Id, b"weather", &flipped), None, "bit {at}");
    }
}

#[test]
fn the_same_bytes_sealed_with_other_chance_look_like_others() {
    assert_ne!(sealed(b"hello", [1; 24])[35..], sealed(b"hello", [2; 24])[35..]);
}

proptest! {
    #[test]
    fn what_was_sealed_opens(plain in proptest::collection::vec(any::<u8>(), 0..700), chance in any::<[u8; 24]>()) {
        let text = sealed(&plain, chance);
        prop_assert_eq!(text_len(&ring(&[1]), plain.len()), Some(text.len()));
        prop_assert!(text.bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
        prop_assert_eq!(open(&ring(&[1]), Purpose::Id, b"weather", text.as_bytes()), Some(plain));
    }

    #[test]
    fn what_nobody_sealed_does_not_open(text in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(open(&ring(&[1]), Purpose::Id, b"weather", &text), None);
        let named = [b"1.", text.as_slice()].concat();
        prop_assert_eq!(open(&ring(&[1]), Purpose::Id, b"weather", &named), None);
    }
}
