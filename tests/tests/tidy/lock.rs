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
];

/// Crate, who alone may need it, and reason; the same as in `deny.toml`.
const ONLY_FOR: &[(&str, &[&str], &str)] = &[(
    "reqwest",
    &["rmcp", "conformance-agents"],
    "hyper is the one HTTP client; the Rust SDK, as a peer of the tests, brings its own",
)];

/// Packages of the lock file, each with what it needs; `name version` becomes `name`.
fn locked(source: &Source) -> Vec<(&str, Vec<&str>)> {
    let packages = source.text.split("[[package]]").skip(1);
    packages.filter_map(|package| Some((named(package)?, needs(package)))).collect()
}

fn named(package: &str) -> Option<&str> {
    package.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
}

fn needs(package: &str) -> Vec<&str> {
    let lines = package.lines().filter_map(|line| line.strip_prefix(" \"")?.strip_suffix("\","));
    lines.filter_map(|need| need.split(' ').next()).collect()
}

fn check(source: &Source) -> Vec<String> {
    let locked = locked(source);
    let banned = BANNED.iter().filter(|(banned, _)| locked.iter().any(|(name, _)| name == banned));
    let mut complaints: Vec<String> =
        banned.map(|(name, why)| format!("{}: {name} is banned: {why}", source.path)).collect();
    for (name, only, why) in ONLY_FOR {
        let others = locked.iter().filter(|(other, needs)| needs.contains(name) && !only.contains(other));
        complaints.extend(others.map(|(other, _)| format!("{}: {other} needs {name}: {why}", source.path)));
    }
    complaints
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

#[test]
fn a_crate_that_only_some_may_need_is_caught_elsewhere() {
    let needs = |who: &str| {
        let text = format!("[[package]]\nname = \"{who}\"\ndependencies = [\n \"anyhow\",\n \"reqwest 0.13.5\",\n]\n");
        check(&Source::new("Cargo.lock", &text)).len()
    };
    assert_eq!(needs("outrigger-proxy"), 1);
    assert_eq!(needs("rmcp"), 0);
}
