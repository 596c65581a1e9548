//! Chance that costs no generator: the turn of a pool, mixed.
//!
//! In: a number that grows by one. Out: numbers that look as if they had nothing to do with each other.

/// 2^64 divided by the golden ratio.
pub(crate) const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// `SplitMix64` at its step `turn`.
pub(crate) const fn drawn(turn: u64) -> u64 {
    mix(turn.wrapping_mul(GOLDEN))
}

/// A number below `end`, from one that could be any.
pub(crate) fn below(chance: u64, end: u64) -> u64 {
    u64::try_from((u128::from(chance) * u128::from(end)) >> 64).unwrap_or_default()
}

/// The finaliser of `SplitMix64`.
pub(crate) const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// FNV-1a, 64 bits: the same in every build, which the hashers of the standard library do not promise.
pub(crate) fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
