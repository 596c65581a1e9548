//! Who may import whom: the arrows between our crates, and the outside crates that only one room may know.
//!
//! In: the manifests. Out: complaints about arrows that the house does not have.
//! Never here: what is inside a crate; that is `order`.
//! Invariant: a crate that is not in [`HOUSE`] is itself a complaint, so a new crate has to be placed.

use crate::manifest::{Manifest, crates};
use crate::tree::Source;

/// Folder of a crate, and the packages of ours that it may import.
const HOUSE: &[(&str, &[&str])] = &[
    ("api/model", &[]),
    ("api/config", &["outrigger-model"]),
    ("api/upstream", &["outrigger-model"]),
    ("api/identity", &["outrigger-model"]),
    ("api/wire", &["outrigger-model"]),
    ("api/client", &["outrigger-model", "outrigger-wire", "outrigger-identity"]),
    ("proxy/core", &["outrigger-model"]),
    ("control/core", &["outrigger-model"]),
    (
        "proxy/server",
        &[
            "outrigger-model",
            "outrigger-config",
            "outrigger-identity",
            "outrigger-wire",
            "outrigger-client",
            "outrigger-upstream",
            "outrigger-proxy-core",
        ],
    ),
    (
        "control/server",
        &[
            "outrigger-model",
            "outrigger-config",
            "outrigger-identity",
            "outrigger-wire",
            "outrigger-upstream",
            "outrigger-control-core",
        ],
    ),
    ("config-examples/agents/counter", &[]),
    ("tests/agents/rust", &[]),
    (
        "load-tests",
        &["outrigger-model", "outrigger-identity", "outrigger-wire", "outrigger-client", "outrigger-control-core"],
    ),
];

/// The cli joins everything, and the tests look at everything.
const SEES_ALL: &[&str] = &["cli", "tests"];

/// Outside crates (or families of them) that must stay behind one door.
const BEHIND_ONE_DOOR: &[(&str, &[&str])] = &[
    ("pingora", &["proxy/server"]),
    ("sqlx", &["control/server"]),
    ("redis", &["proxy/server"]),
    ("prost-build", &["api/wire"]),
    ("prost", &["api/wire", "api/client", "control/server"]),
    ("tonic-prost", &["api/wire", "control/server"]),
    ("tonic-prost-build", &["api/wire"]),
    ("protox", &["api/wire"]),
    ("reqwest", &["tests/agents/rust"]),
    ("clap", &["cli", "config-examples/agents/counter", "load-tests"]),
];

/// What the crates that only think must never know.
const NEVER_IN_A_CORE: &[&str] =
    &["tokio", "tracing", "serde", "prost", "tonic", "pingora", "sqlx", "hyper", "axum", "reqwest", "log"];
const CORES: &[&str] = &["api/model", "proxy/core", "control/core"];

fn check(sources: &[Source]) -> Vec<String> {
    let crates = crates(sources);
    crates.iter().flat_map(|manifest| [inner(manifest), doors(manifest), cores(manifest)].concat()).collect()
}

fn inner(manifest: &Manifest) -> Vec<String> {
    let folder = manifest.folder.as_str();
    if SEES_ALL.contains(&folder) {
        return vec![];
    }
    let Some((_, allowed)) = HOUSE.iter().find(|(known, _)| *known == folder) else {
        return vec![format!("{folder}: not in the house; place it in tests/tests/tidy/layers.rs and ARCHITECTURE.md")];
    };
    let ours = manifest.needs.iter().filter(|name| name.starts_with("outrigger"));
    ours.filter(|name| !allowed.contains(&name.as_str()))
        .map(|name| format!("{folder}/Cargo.toml: may not import {name}"))
        .collect()
}

fn doors(manifest: &Manifest) -> Vec<String> {
    let mut complaints = vec![];
    for (family, rooms) in BEHIND_ONE_DOOR {
        let known =
            manifest.needs.iter().any(|name| name == family || (*family == "pingora" && name.starts_with("pingora-")));
        if known && !rooms.contains(&manifest.folder.as_str()) {
            complaints.push(format!("{}/Cargo.toml: only {} may know {family}", manifest.folder, rooms.join(", ")));
        }
    }
    complaints
}

fn cores(manifest: &Manifest) -> Vec<String> {
    if !CORES.contains(&manifest.folder.as_str()) {
        return vec![];
    }
    let known = manifest.needs.iter().filter(|name| NEVER_IN_A_CORE.contains(&name.as_str()));
    known.map(|name| format!("{}/Cargo.toml: a crate that only thinks may not know {name}", manifest.folder)).collect()
}

#[test]
fn arrows_between_crates_go_one_way() {
    crate::must_be_clean(&check(&crate::tree::sources()));
}

#[test]
fn every_crate_of_the_house_exists() {
    let there = crates(&crate::tree::sources());
    let gone: Vec<String> = HOUSE
        .iter()
        .filter(|(folder, _)| !there.iter().any(|manifest| manifest.folder == *folder))
        .map(|(folder, _)| format!("{folder}: in the map but not in the repository"))
        .collect();
    crate::must_be_clean(&gone);
}

#[test]
fn an_arrow_that_goes_the_wrong_way_is_caught() {
    let planted = |path: &str, needs: &str| {
        check(&[Source::new(path, &format!("[package]\nname = \"x\"\n[dependencies]\n{needs}.workspace = true\n"))])
    };
    assert_eq!(planted("api/model/Cargo.toml", "outrigger-wire").len(), 1);
    assert_eq!(planted("control/server/Cargo.toml", "outrigger-proxy").len(), 1);
    assert_eq!(planted("control/server/Cargo.toml", "pingora-core").len(), 1);
    assert_eq!(planted("proxy/server/Cargo.toml", "sqlx").len(), 1);
    assert_eq!(planted("proxy/core/Cargo.toml", "tokio").len(), 1);
    assert_eq!(planted("drawer/Cargo.toml", "anyhow").len(), 1);
    assert!(planted("cli/Cargo.toml", "outrigger-proxy").is_empty());
}
