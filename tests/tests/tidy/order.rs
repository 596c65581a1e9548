//! Order inside a crate: modules are listed lowest first, import only what stands before them, and form no circle.
//!
//! In: the module trees. Out: complaints that name both ends of a wrong import.
//! Never here: arrows between crates; that is `layers`.
//! Invariant: the rule holds at every level, so a folder's parent file orders its folder.

use std::collections::{BTreeMap, BTreeSet};

use crate::manifest::crates;
use crate::modules::{Crate, Place, read};
use crate::tree::Source;

fn check(sources: &[Source]) -> Vec<String> {
    let mut complaints = vec![];
    for manifest in crates(sources) {
        for name in ["lib.rs", "main.rs"] {
            let root = format!("{}/src/{name}", manifest.folder);
            if sources.iter().any(|source| source.path == root) {
                let tree = read(sources, &root);
                complaints.extend(wrong_way(&tree));
                complaints.extend(circles(&tree));
            }
        }
    }
    complaints
}

/// Mentions of a sibling (or of something inside a sibling of an ancestor) that is listed later.
fn wrong_way(tree: &Crate) -> Vec<String> {
    let mut complaints = BTreeSet::new();
    for (place, module) in tree {
        for mention in &module.mentions {
            let shared = place.iter().zip(mention).take_while(|(mine, theirs)| mine == theirs).count();
            let (Some(mine), Some(theirs)) = (place.get(shared), mention.get(shared)) else { continue };
            let Some(parent) = tree.get(&place[..shared]) else { continue };
            let rank = |name: &String| parent.children.iter().position(|child| child == name);
            if let (Some(mine_at), Some(theirs_at)) = (rank(mine), rank(theirs))
                && theirs_at > mine_at
            {
                complaints.insert(format!(
                    "{}: mentions {}, but {} lists `{theirs}` after `{mine}`",
                    module.file,
                    mention.join("::"),
                    parent.file
                ));
            }
        }
    }
    complaints.into_iter().collect()
}

/// Circles between files, parents and children included.
fn circles(tree: &Crate) -> Vec<String> {
    let mut arrows: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for module in tree.values() {
        for mention in &module.mentions {
            let Some(target) = owner(tree, mention) else { continue };
            if target != module.file {
                arrows.entry(&module.file).or_default().insert(target);
            }
        }
    }
    let knots: BTreeSet<BTreeSet<&str>> = arrows.keys().map(|start| knot(&arrows, start)).collect();
    let knots = knots.into_iter().filter(|knot| knot.len() > 1);
    knots.map(|knot| format!("circle: {}", knot.into_iter().collect::<Vec<_>>().join(" <-> "))).collect()
}

/// The file that the deepest module of a mentioned place lives in.
fn owner<'a>(tree: &'a Crate, mention: &Place) -> Option<&'a str> {
    let deepest = (0..=mention.len()).rev().find_map(|length| tree.get(&mention[..length]));
    deepest.map(|module| module.file.as_str())
}

/// Every file that can be reached from `start` and from which `start` can be reached; `start` is one of them.
fn knot<'a>(arrows: &BTreeMap<&'a str, BTreeSet<&'a str>>, start: &'a str) -> BTreeSet<&'a str> {
    let reached = reached(arrows, start);
    let mut knot: BTreeSet<&str> =
        reached.into_iter().filter(|file| self::reached(arrows, file).contains(start)).collect();
    knot.insert(start);
    knot
}

fn reached<'a>(arrows: &BTreeMap<&'a str, BTreeSet<&'a str>>, start: &str) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut waiting: Vec<&str> = vec![start];
    while let Some(file) = waiting.pop() {
        for next in arrows.get(file).into_iter().flatten() {
            if seen.insert(*next) {
                waiting.push(next);
            }
        }
    }
    seen
}

#[test]
fn modules_import_only_what_is_listed_before_them() {
    crate::must_be_clean(&check(&crate::tree::sources()));
}

fn planted(files: &[(&str, &str)]) -> Vec<String> {
    let mut sources = vec![Source::new("x/Cargo.toml", "[package]\nname = \"x\"\n")];
    sources.extend(files.iter().map(|(path, text)| Source::new(&format!("x/src/{path}"), text)));
    check(&sources)
}

#[test]
fn an_import_of_a_later_module_is_caught() {
    let low = ("low.rs", "use crate::high::High;");
    let found = planted(&[("lib.rs", "pub mod low;\npub mod high;"), low, ("high.rs", "")]);
    assert_eq!(found, ["x/src/low.rs: mentions high::High, but x/src/lib.rs lists `high` after `low`"]);
    assert!(planted(&[("lib.rs", "pub mod high;\npub mod low;"), low, ("high.rs", "")]).is_empty());
}

#[test]
fn a_path_in_an_expression_or_a_macro_counts_as_an_import() {
    let lib = ("lib.rs", "pub mod low;\npub mod high;");
    for low in ["fn f() { crate::high::g() }", "fn f() { note!(crate::high::g()) }", "fn f() { super::high::g() }"] {
        assert_eq!(planted(&[lib, ("low.rs", low), ("high.rs", "")]).len(), 1, "{low}");
    }
}

#[test]
fn the_order_holds_inside_a_folder() {
    let files = [
        ("lib.rs", "pub mod room;"),
        ("room.rs", "mod first;\nmod second;"),
        ("room/first.rs", "use super::second::S;"),
        ("room/second.rs", ""),
    ];
    assert_eq!(planted(&files).len(), 1);
}

#[test]
fn a_circle_between_a_parent_and_its_child_is_caught() {
    let files = [
        ("lib.rs", "pub mod room;"),
        ("room.rs", "mod part;\npub struct Whole(part::Part);"),
        ("room/part.rs", "pub struct Part;\nimpl From<super::Whole> for Part {}"),
    ];
    assert_eq!(planted(&files), ["circle: x/src/room.rs <-> x/src/room/part.rs"]);
}

#[test]
fn what_only_tests_import_is_no_circle() {
    let low = ("low.rs", "#[cfg(test)]\nmod tests { use crate::high::High; }\n#[cfg(test)]\nuse crate::high::Other;");
    assert!(planted(&[("lib.rs", "pub mod low;\npub mod high;"), low, ("high.rs", "")]).is_empty());
}
