//! What the locked dependencies may not hold: a second TLS stack, a second crypto provider, crates known to be unsafe to us.
//!
//! In: `Cargo.lock`. Out: complaints by crate.
//! Never here: licences and advisories; `deny.toml` says those, for who has the network.
//! Invariant: the list below is the list in `deny.toml`.

use crate::tree::{Source, sources};

/// Crate and reason, the same as in `deny.toml`.
const BANNED: &[(&str, &str)] = &[
    ("openssl", "one TLS stack: rustls"),
    ("openssl-sys", "one TLS stack: rustls"),
    ("native-tls", "one TLS stack: rustls"),
    ("boring", "one TLS stack: rustls"),
    ("aws-lc-rs", "one crypto provider: ring"),
    ("aws-lc-sys", "one crypto provider: ring"),
    ("reqwest", "hyper is the one HTTP client"),
];

fn locked(source: &Source) -> Vec<&str> {
    source.lines().filter_map(|(_, line)| line.strip_prefix("name = \"")?.strip_suffix('"')).collect()
}

fn check(source: &Source) -> Vec<String> {
    let locked = locked(source);
    let found = BANNED.iter().filter(|(name, _)| locked.contains(name));
    found.map(|(name, why)| format!("{}: {name} is banned: {why}", source.path)).collect()
}

#[test]
fn no_banned_crate_is_locked() {
    let sources = sources();
    let lock = sources.iter().find(|source| source.path == "Cargo.lock").expect("Cargo.lock is committed");
    crate::must_be_clean(&check(lock));
}

#[test]
fn a_banned_crate_is_caught() {
    let planted = Source::new("Cargo.lock", "[[package]]\nname = \"openssl\"\nversion = \"0\"\n");
    assert_eq!(check(&planted).len(), 1);
}
