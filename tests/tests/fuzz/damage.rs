//! Inputs: a file of the corpus with a few changes, in pieces.
//!
//! Invariant: an input is a pure function of what the engine chose, so that it can be shrunk and replayed.

use std::path::Path;
use std::sync::OnceLock;

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any, prop_oneof};
use proptest::sample::Index;

const CASES_MIN: u32 = 3_000;

/// Bytes that mean something somewhere.
const TOKENS: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"\0",
    b" ",
    b"\t",
    b":",
    b",",
    b";",
    b"\"",
    b"\\",
    b"\\u",
    b"\\ud83d",
    b"\\ude00",
    b"{",
    b"}",
    b"[",
    b"]",
    b"0",
    b"-",
    b"1e",
    b".",
    b"null",
    b"\"id\":",
    b"\"method\":",
    b"\"\\u0069d\":",
    b"\"params\":{",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xff",
    b"\xef\xbb\xbf",
    b"Host: a\r\n",
    b"Content-Length: 1\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Mcp-Session-Id: a\r\n",
    b"0\r\n\r\n",
    b"data: ",
    b"id: 1\n",
    b": \n",
    b"=?base64?",
    b"HTTP/1.1",
    b"ffffffffffffffff",
];

#[derive(Debug, Clone)]
enum Change {
    Set(Index, u8),
    Insert(Index, Index),
    Remove(Index, u8),
    Again(Index, u8),
    CutOff(Index),
}

/// Enough to break what is broken, and a second each; `PROPTEST_CASES` asks for more.
pub fn config() -> ProptestConfig {
    let asked = ProptestConfig::default();
    ProptestConfig { cases: asked.cases.max(CASES_MIN), ..asked }
}

/// Every file under these folders of the corpus.
pub fn files(folders: &[&str]) -> Vec<Vec<u8>> {
    static ALL: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
        let mut found = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => found
                        .push((path.strip_prefix(&root).unwrap().display().to_string(), std::fs::read(&path).unwrap())),
                }
            }
        }
        // Folders are read in any order, and a kept seed chooses by number.
        found.sort();
        found
    });
    let within = |path: &str| folders.iter().any(|folder| path.starts_with(folder)) && !path.ends_with(".tsv");
    // The few large ones are about limits, and slow here.
    let chosen = all.iter().filter(|(path, bytes)| within(path) && bytes.len() < 30_000);
    chosen.map(|(_, bytes)| bytes.clone()).collect()
}

/// One of these inputs, damaged, and where it is cut into pieces.
pub fn damaged(inputs: Vec<Vec<u8>>) -> impl Strategy<Value = (Vec<u8>, Vec<Index>)> {
    assert!(inputs.len() > 20, "a corpus to begin with");
    let change = prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (any::<Index>(), any::<Index>()).prop_map(|(at, token)| Change::Insert(at, token)),
        (any::<Index>(), 1..20u8).prop_map(|(at, length)| Change::Remove(at, length)),
        (any::<Index>(), 1..60u8).prop_map(|(at, length)| Change::Again(at, length)),
        any::<Index>().prop_map(Change::CutOff),
    ];
    (any::<Index>(), vec(change, 0..4), vec(any::<Index>(), 0..6)).prop_map(move |(file, changes, cuts)| {
        let mut bytes = file.get(&inputs).clone();
        changes.iter().for_each(|change| apply(&mut bytes, change));
        (bytes, cuts)
    })
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    let place = |at: &Index| at.index(bytes.len() + 1);
    let end = |from: usize, length: u8| (from + usize::from(length)).min(bytes.len());
    match change {
        Change::Set(at, byte) => {
            let at = place(at);
            if let Some(old) = bytes.get_mut(at) {
                *old = *byte;
            }
        }
        Change::Insert(at, token) => {
            let at = place(at);
            bytes.splice(at..at, token.get(TOKENS).iter().copied());
        }
        Change::Remove(at, length) => {
            let from = place(at);
            bytes.drain(from..end(from, *length));
        }
        Change::Again(at, length) => {
            let from = place(at);
            let to = end(from, *length);
            let again = bytes[from..to].to_vec();
            bytes.splice(to..to, again);
        }
        Change::CutOff(at) => bytes.truncate(place(at)),
    }
}

/// The same bytes in pieces.
pub fn pieces<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.push(bytes.len());
    places.sort_unstable();
    let mut from = 0;
    places
        .into_iter()
        .map(|to| {
            let piece = &bytes[from..to];
            from = to;
            piece
        })
        .collect()
}
