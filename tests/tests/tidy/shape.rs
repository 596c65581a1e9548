//! Shape of files and functions: sizes, opening words, names, imports.
//!
//! In: the Rust files. Out: complaints with file and line.
//! Never here: what a file means.
//! Invariant: the limits are those of STYLE.md, and there is no list of exceptions.

use crate::tree::Source;

const FILE_LINES_MAX: usize = 400;
const TEST_FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;
const DRAWERS: &[&str] = &["mod", "utils", "util", "helpers", "helper", "common", "misc", "prelude"];

fn check(sources: &[Source]) -> Vec<String> {
    sources
        .iter()
        .filter(|source| source.is_rust())
        .flat_map(|source| [sizes(source), functions(source), opening(source), names(source), globs(source)].concat())
        .collect()
}

fn sizes(source: &Source) -> Vec<String> {
    let max = if source.is_test() { TEST_FILE_LINES_MAX } else { FILE_LINES_MAX };
    let lines = source.text.lines().count();
    if lines <= max { vec![] } else { vec![format!("{}: {lines} lines, {max} are allowed", source.path)] }
}

/// The formatter puts a function's closing brace under the first letter of its first line.
fn functions(source: &Source) -> Vec<String> {
    let lines: Vec<&str> = source.text.lines().collect();
    let mut complaints = vec![];
    for (start, line) in lines.iter().enumerate() {
        if !begins_function(line) {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let end = format!("{}}}", " ".repeat(indent));
        let length =
            lines[start..].iter().position(|line| *line == end || line.ends_with(';') && indent_of(line) == indent);
        let length = length.map_or(1, |length| length + 1);
        if length > FUNCTION_LINES_MAX {
            complaints.push(format!("{}:{}: a function of {length} lines", source.path, start + 1));
        }
    }
    complaints
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn begins_function(line: &str) -> bool {
    let words = line
        .split_whitespace()
        .take_while(|word| ["pub", "pub(crate)", "pub(super)", "const", "async", "extern", "fn"].contains(word));
    words.last() == Some("fn")
}

fn opening(source: &Source) -> Vec<String> {
    if source.text.starts_with("//!") || is_sibling_test(source) {
        return vec![];
    }
    vec![format!("{}:1: a file opens with `//!` and says what it decides", source.path)]
}

fn names(source: &Source) -> Vec<String> {
    let parts = source.path.trim_end_matches(".rs").split('/');
    let bad = parts.filter(|part| DRAWERS.contains(part));
    bad.map(|part| format!("{}: `{part}` is a drawer; name what is in it", source.path)).collect()
}

fn globs(source: &Source) -> Vec<String> {
    let found = source.lines().filter(|(_, line)| {
        let line = line.trim();
        let of_the_tested = is_sibling_test(source) && line == "use super::*;";
        (line.starts_with("use ") || line.starts_with("pub use ")) && line.contains("::*") && !of_the_tested
    });
    found.map(|(number, _)| format!("{}:{number}: a glob import", source.path)).collect()
}

/// A room's own tests stand beside it and see all of it; the file they are beside says what it is.
fn is_sibling_test(source: &Source) -> bool {
    source.path.contains("/src/") && (source.path.ends_with("/tests.rs") || source.path.contains("/tests/"))
}

#[test]
fn files_and_functions_keep_their_shape() {
    crate::must_be_clean(&check(&crate::tree::sources()));
}

fn planted(path: &str, text: &str) -> Vec<String> {
    check(&[Source::new(path, text)])
}

#[test]
fn a_long_file_is_caught_and_a_long_test_is_given_more_room() {
    let text = format!("//! x\n{}", "// y\n".repeat(FILE_LINES_MAX));
    assert_eq!(planted("a/src/b.rs", &text).len(), 1);
    assert!(planted("a/src/b/tests.rs", &text).is_empty());
    assert_eq!(planted("a/src/b/tests.rs", &format!("{text}{text}")).len(), 1);
}

#[test]
fn a_long_function_is_caught() {
    let body = "        work();\n".repeat(FUNCTION_LINES_MAX);
    let text = format!("//! x\nimpl X {{\n    pub async fn long(&self) {{\n{body}    }}\n    fn short() {{}}\n}}\n");
    assert_eq!(planted("a/src/b.rs", &text), ["a/src/b.rs:3: a function of 72 lines"]);
}

#[test]
fn a_declaration_without_a_body_is_not_measured() {
    let text = format!("//! x\ntrait X {{\n    fn none(&self);\n{}}}\n", "    // y\n".repeat(90));
    assert!(planted("a/src/b.rs", &text).is_empty());
}

#[test]
fn a_file_that_does_not_say_what_it_is_is_caught() {
    assert_eq!(planted("a/src/b.rs", "use x::y;\n").len(), 1);
}

#[test]
fn drawers_and_globs_are_caught() {
    assert_eq!(planted("a/src/b/mod.rs", "//! x\n").len(), 1);
    assert_eq!(planted("a/src/utils/x.rs", "//! x\n").len(), 1);
    assert_eq!(planted("a/src/b.rs", "//! x\nuse y::*;\n").len(), 1);
    assert_eq!(planted("a/src/b/tests.rs", "use y::*;\nuse super::*;\n").len(), 1);
}
