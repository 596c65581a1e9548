//! Words that no file of the repository may hold: postponed work, machine paths, package hosts, an outside compiler.
//!
//! In: every text file. Out: complaints with file and line.
//! Never here: rules about one crate; that is `invariants`.
//! Invariant: the forbidden words are put together here from halves, so this file does not break its own rule.

use crate::tree::Source;

struct Ban {
    word: &'static str,
    why: &'static str,
    applies: fn(&Source) -> bool,
}

const BANS: &[Ban] = &[
    Ban { word: concat!("TO", "DO"), why: "finish it or file it", applies: everywhere },
    Ban { word: concat!("FIX", "ME"), why: "finish it or file it", applies: everywhere },
    Ban { word: concat!("todo", "!("), why: "finish it or leave it out", applies: everywhere },
    Ban { word: concat!("unimple", "mented!("), why: "finish it or leave it out", applies: everywhere },
    Ban { word: concat!("/ro", "ot/"), why: "a machine path", applies: everywhere },
    Ban { word: concat!("/ho", "me/"), why: "a machine path", applies: everywhere },
    Ban { word: concat!("/Us", "ers/"), why: "a machine path", applies: everywhere },
    Ban { word: concat!("/wo", "rk/"), why: "a machine path", applies: everywhere },
    Ban { word: concat!("/t", "mp/"), why: "a machine path", applies: Source::is_document },
    Ban { word: concat!("crates", ".io"), why: "a package host", applies: not_the_lock_file },
    Ban { word: concat!("pypi", ".org"), why: "a package host", applies: not_the_lock_file },
    Ban { word: concat!("npm", "js."), why: "a package host", applies: not_the_lock_file },
    Ban { word: concat!("pro", "toc"), why: "the build compiles its own protobuf", applies: build_input },
];

fn everywhere(_: &Source) -> bool {
    true
}

fn not_the_lock_file(source: &Source) -> bool {
    !source.path.ends_with("Cargo.lock")
}

fn build_input(source: &Source) -> bool {
    !source.is_document() && not_the_lock_file(source) && !source.path.starts_with("tests/")
}

fn check(sources: &[Source]) -> Vec<String> {
    let mut complaints = vec![];
    for source in sources {
        for ban in BANS.iter().filter(|ban| (ban.applies)(source)) {
            let hits = source.lines().filter(|(_, line)| holds(line, ban.word));
            complaints.extend(hits.map(|(number, _)| format!("{}:{number}: `{}`: {}", source.path, ban.word, ban.why)));
        }
    }
    complaints
}

/// A hit is a whole word where the banned text begins or ends with a letter.
fn holds(line: &str, word: &str) -> bool {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let open = !word.starts_with(is_word) || !before.is_some_and(is_word);
        let closed = !word.ends_with(is_word) || !after.is_some_and(is_word);
        open && closed
    })
}

#[test]
fn no_file_holds_a_forbidden_word() {
    crate::must_be_clean(&check(&crate::tree::sources()));
}

#[test]
fn every_forbidden_word_is_caught() {
    for ban in BANS {
        let path = if (ban.applies)(&Source::new("a/src/b.rs", "")) { "a/src/b.rs" } else { "README.md" };
        let planted = Source::new(path, &format!("x\n// {} y\n", ban.word));
        assert_eq!(check(&[planted]).len(), 1, "{}", ban.word);
    }
}

#[test]
fn a_longer_word_is_not_a_hit() {
    assert!(!holds("skip_protoc_run", concat!("pro", "toc")));
    assert!(!holds("mastodon TODOS", concat!("TO", "DO")));
}
