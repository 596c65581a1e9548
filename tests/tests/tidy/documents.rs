//! Documents tell the truth about paths: what they name in backticks or link to is there.
//!
//! In: the Markdown files. Out: complaints with file and line.
//! Never here: whether the prose is good.
//! Invariant: a name counts as a path of ours if its first part is a top-level entry of the repository.

use std::collections::BTreeSet;

use crate::tree::{Source, paths, sources};

struct Known {
    files: BTreeSet<String>,
    tops: BTreeSet<String>,
}

impl Known {
    fn new(files: Vec<String>) -> Self {
        let tops = files.iter().filter(|file| file.contains('/'));
        let tops = tops.filter_map(|file| file.split('/').next()).map(str::to_owned).collect();
        Self { files: files.into_iter().collect(), tops }
    }

    fn is_there(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        self.files.contains(path) || self.files.iter().any(|file| file.starts_with(&folder))
    }
}

fn check(documents: &[Source], known: &Known) -> Vec<String> {
    let mut complaints = vec![];
    for document in documents.iter().filter(|document| document.is_document()) {
        for (number, line) in document.lines() {
            let named = in_backticks(line).into_iter().filter_map(|text| ours(text, known));
            let linked = links(line).into_iter().map(|link| beside(&document.path, link));
            for path in named.map(str::to_owned).chain(linked) {
                if !known.is_there(&path) {
                    complaints.push(format!("{}:{number}: {path} is not there", document.path));
                }
            }
        }
    }
    complaints
}

fn in_backticks(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

/// A backticked text that is a path of ours, without a line number or a wildcard behind it.
fn ours<'a>(text: &'a str, known: &Known) -> Option<&'a str> {
    let plain = text.chars().all(|letter| letter.is_ascii_alphanumeric() || "/._-".contains(letter));
    let (top, rest) = text.split_once('/')?;
    (plain && !rest.is_empty() && known.tops.contains(top)).then_some(text)
}

fn links(line: &str) -> Vec<&str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let ours = targets.filter(|target| !target.contains("://") && !target.starts_with(['#', '<']));
    ours.filter_map(|target| target.split('#').next()).filter(|target| !target.is_empty()).collect()
}

/// A link is relative to the folder of the document that holds it.
fn beside(document: &str, link: &str) -> String {
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[test]
fn every_path_that_a_document_names_is_there() {
    crate::must_be_clean(&check(&sources(), &Known::new(paths())));
}

#[test]
fn a_path_that_is_gone_is_caught() {
    let known = Known::new(vec!["docs/metrics.md".into(), "api/model/src/lib.rs".into()]);
    let planted = |path: &str, text: &str| check(&[Source::new(path, text)], &known).len();
    assert_eq!(planted("README.md", "see `docs/gone.md` and [here](docs/gone.md)"), 2);
    assert_eq!(
        planted("docs/README.md", "see [metrics](metrics.md), `api/model`, [up](../api/model/src/lib.rs#top)"),
        0
    );
    assert_eq!(planted("docs/README.md", "see [metrics](docs/metrics.md)"), 1);
    assert_eq!(planted("README.md", "`weather/mcp`, `application/json`, [site](https://example.org/x)"), 0);
}
