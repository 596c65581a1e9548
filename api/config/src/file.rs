//! Files and the chain that `extends:` makes of them.
//!
//! In: a path. Out: one merged tree, variables replaced.
//! Invariant: a chain is at most [`EXTENDS_DEPTH_MAX`] files long and names no file twice; no file is read beyond
//! [`FILE_BYTES_MAX`].

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::environment::Environment;
use crate::error::{ConfigError, Place};
use crate::merge;
use crate::node::{Kind, Node};
use crate::parse;
use crate::substitute::substitute;

/// Largest configuration file, in bytes.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Longest chain of files, the first included.
pub const EXTENDS_DEPTH_MAX: usize = 8;

const EXTENDS: &str = "extends";

/// The tree of `path` over the trees that it extends.
pub(crate) fn read(path: &Path, environment: &Environment) -> Result<Node, ConfigError> {
    let mut chain: Vec<PathBuf> = Vec::new();
    let mut trees = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(file) = next {
        let unreadable = |cause| ConfigError::Unreadable { file: file.clone(), cause };
        let real = file.canonicalize().map_err(unreadable)?;
        if chain.contains(&real) {
            return Err(ConfigError::Extends { file, detail: "extends itself, directly or through others".to_owned() });
        }
        if chain.len() >= EXTENDS_DEPTH_MAX {
            let detail = format!(
                "is file number {} of a chain of `extends:`; at most {EXTENDS_DEPTH_MAX} are read",
                chain.len() + 1
            );
            return Err(ConfigError::Extends { file, detail });
        }
        let mut tree = tree(&text(&file)?, &file.display().to_string(), environment)?;
        next = extended(&mut tree)?.map(|base| file.parent().unwrap_or(Path::new("")).join(base));
        chain.push(real);
        trees.push(tree);
    }
    let lowest_first = trees.into_iter().rev();
    Ok(lowest_first.reduce(merge::over).unwrap_or_else(|| empty(path)))
}

/// The tree of a text that is not in a file.
pub(crate) fn from_text(text: &str, environment: &Environment) -> Result<Node, ConfigError> {
    let mut tree = tree(text, "text", environment)?;
    if extended(&mut tree)?.is_some() {
        let detail = "only a file can extend another file".to_owned();
        return Err(ConfigError::Extends { file: PathBuf::from("text"), detail });
    }
    Ok(tree)
}

fn tree(text: &str, name: &str, environment: &Environment) -> Result<Node, ConfigError> {
    let mut tree = parse::parse(text, &Arc::from(name))?;
    substitute(&mut tree, environment)?;
    match tree.kind {
        Kind::Map(_) => Ok(tree),
        _ => Err(ConfigError::Syntax { place: tree.place, detail: "expected `key: value` lines".to_owned() }),
    }
}

/// Takes `extends:` out of the tree.
fn extended(tree: &mut Node) -> Result<Option<String>, ConfigError> {
    let Kind::Map(entries) = &mut tree.kind else { return Ok(None) };
    let Some(at) = entries.iter().position(|entry| entry.key == EXTENDS) else { return Ok(None) };
    let value = entries.remove(at).value;
    match value.kind {
        Kind::Scalar { text, .. } if !text.is_empty() => Ok(Some(text)),
        _ => {
            let detail = "expected the path of one file, relative to this one".to_owned();
            Err(ConfigError::Type { place: value.place, path: EXTENDS.to_owned(), detail })
        }
    }
}

fn text(file: &Path) -> Result<String, ConfigError> {
    let unreadable = |cause: io::Error| ConfigError::Unreadable { file: file.to_owned(), cause };
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(unreadable)?;
    opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(ConfigError::TooLarge { file: file.to_owned(), bytes_max: FILE_BYTES_MAX });
    }
    String::from_utf8(bytes).map_err(|error| unreadable(io::Error::new(io::ErrorKind::InvalidData, error)))
}

fn empty(path: &Path) -> Node {
    let place = Place::Line { file: Arc::from(path.display().to_string()), line: 1 };
    Node::empty_map(place)
}
