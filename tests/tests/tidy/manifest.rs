//! A crate's manifest, as far as the checks ask: its folder, its dependencies by kind, whether it takes the lints.
//!
//! In: the text of a `Cargo.toml`. Out: a [`Manifest`].
//! Never here: features, targets, versions.
//! Invariant: the reader follows the one shape our manifests have: one dependency a line, sections in brackets.

use crate::tree::Source;

pub struct Manifest {
    /// Folder of the crate, such as `proxy/core`.
    pub folder: String,
    /// What the crate itself needs, to build or to run.
    pub needs: Vec<String>,
    /// What only its tests need.
    pub needs_in_tests: Vec<String>,
    pub inherits_lints: bool,
    pub is_crate: bool,
}

pub fn read(source: &Source) -> Manifest {
    let folder = source.path.trim_end_matches("Cargo.toml").trim_end_matches('/').to_owned();
    let mut manifest =
        Manifest { folder, needs: vec![], needs_in_tests: vec![], inherits_lints: false, is_crate: false };
    let mut section = String::new();
    for (_, line) in source.lines() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.trim_matches(['[', ']']).to_owned();
            manifest.is_crate |= section == "package";
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let name = key.split('.').next().unwrap_or(key).trim().to_owned();
        match section.as_str() {
            "dependencies" | "build-dependencies" => manifest.needs.push(name),
            "dev-dependencies" => manifest.needs_in_tests.push(name),
            "lints" if key.trim() == "workspace" => manifest.inherits_lints = value.trim() == "true",
            _ => {}
        }
    }
    manifest
}

pub fn crates(sources: &[Source]) -> Vec<Manifest> {
    sources.iter().filter(|source| source.is_manifest()).map(read).filter(|manifest| manifest.is_crate).collect()
}

/// Crates that stand aside from the workspace's lints must say so here; there are none.
fn without_lints(sources: &[Source]) -> Vec<String> {
    let bare = crates(sources).into_iter().filter(|manifest| !manifest.inherits_lints);
    bare.map(|manifest| format!("{}/Cargo.toml: `[lints] workspace = true` is missing", manifest.folder)).collect()
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    crate::must_be_clean(&without_lints(&crate::tree::sources()));
}

#[test]
fn a_crate_without_the_lints_is_caught() {
    let planted = Source::new("proxy/core/Cargo.toml", "[package]\nname = \"x\"\n[lints]\nworkspace = false\n");
    assert_eq!(without_lints(&[planted]).len(), 1);
}

#[test]
fn dependencies_are_told_apart_by_kind() {
    let text = "[package]\nname = \"x\"\n[dependencies]\nouter.workspace = true\nodd = { path = \"y\" }\n\
                [dev-dependencies]\ntried = \"1\"\n[build-dependencies]\nmade = \"1\"\n";
    let manifest = read(&Source::new("a/b/Cargo.toml", text));
    assert_eq!(manifest.folder, "a/b");
    assert_eq!(manifest.needs, ["outer", "odd", "made"]);
    assert_eq!(manifest.needs_in_tests, ["tried"]);
}
