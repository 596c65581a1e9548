//! YAML text to a tree of [`Node`]s.
//!
//! In: text and the name of its file. Out: one tree, or the line that is wrong.
//! Never here: typing of scalars; the reader knows what it wants.
//! Invariant: at most [`NODES_MAX`] nodes and [`DEPTH_MAX`] levels, aliases counted as what they stand for.

use std::collections::HashMap;
use std::sync::Arc;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError};

use crate::error::{ConfigError, Place};
use crate::node::{Entry, Kind, Node, Style};

const NODES_MAX: usize = 100_000;
const DEPTH_MAX: usize = 32;

/// Parses one document; an empty text is an empty map.
pub(crate) fn parse(text: &str, file: &Arc<str>) -> Result<Node, ConfigError> {
    let mut builder = Builder { open: Vec::new(), anchors: HashMap::new(), root: None, nodes: 0 };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| unreadable(file, &error))?;
        let place = Place::Line { file: file.clone(), line: span.start.line() };
        builder.take(event, place)?;
    }
    let start = Place::Line { file: file.clone(), line: 1 };
    match builder.root {
        None => Ok(Node::empty_map(start)),
        Some(root) if root.is_null() => Ok(Node::empty_map(start)),
        Some(root) => Ok(root),
    }
}

fn unreadable(file: &Arc<str>, error: &ScanError) -> ConfigError {
    let place = Place::Line { file: file.clone(), line: error.marker().line() };
    ConfigError::Syntax { place, detail: format!("not valid YAML: {}", error.info()) }
}

/// A collection that is not closed yet.
struct Open {
    place: Place,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<(String, Place)> },
}

struct Builder {
    open: Vec<Open>,
    /// Nodes that `*name` may repeat, with how many nodes each stands for.
    anchors: HashMap<usize, (Node, usize)>,
    root: Option<Node>,
    nodes: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, place: Place) -> Result<(), ConfigError> {
        match event {
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, _, Some(_))
            | Event::MappingStart(_, _, Some(_)) => Err(refuse(place, "YAML tags (`!…`) are not supported; remove it")),
            Event::Scalar(text, style, anchor, None) => {
                let style = if style == ScalarStyle::Plain { Style::Plain } else { Style::Quoted };
                let node = Node { place, kind: Kind::Scalar { text: text.into_owned(), style } };
                self.close(node, anchor, 1)
            }
            Event::SequenceStart(_, anchor, None) => {
                self.begin(Open { place, anchor, content: Content::List(Vec::new()) })
            }
            Event::MappingStart(_, anchor, None) => {
                self.begin(Open { place, anchor, content: Content::Map { entries: Vec::new(), key: None } })
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some((node, count)) => {
                    let (node, count) = (node.clone(), *count);
                    self.close(node, 0, count)
                }
                None => Err(refuse(place, "an alias (`*name`) inside the value that it repeats")),
            },
            Event::DocumentStart(..) if self.root.is_some() => {
                Err(refuse(place, "more than one YAML document; keep the first and remove the rest"))
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, open: Open) -> Result<(), ConfigError> {
        if self.open.len() >= DEPTH_MAX {
            return Err(refuse(open.place, &format!("nested deeper than {DEPTH_MAX} levels")));
        }
        self.open.push(open);
        Ok(())
    }

    fn end(&mut self) -> Result<(), ConfigError> {
        let Some(Open { place, anchor, content }) = self.open.pop() else { return Ok(()) };
        let kind = match content {
            Content::List(nodes) => Kind::List(nodes),
            Content::Map { entries, .. } => Kind::Map(entries),
        };
        let node = Node { place, kind };
        let count = if anchor > 0 { count(&node) } else { 1 };
        self.close(node, anchor, count)
    }

    /// A node is complete: it becomes a key, a value, an item or the document. It stands for `count` nodes; those inside
    /// a collection were counted when they closed, so a collection itself adds one, and an alias all it stands for.
    fn close(&mut self, node: Node, anchor: usize, count: usize) -> Result<(), ConfigError> {
        self.nodes = self.nodes.saturating_add(count);
        if self.nodes > NODES_MAX {
            return Err(refuse(node.place, &format!("more than {NODES_MAX} values")));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), count));
        }
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut parent.content {
            Content::List(nodes) => nodes.push(node),
            Content::Map { entries, key } => match key.take() {
                Some((name, place)) => entries.push(Entry { key: name, place, value: node }),
                None => *key = Some(key_of(node, entries)?),
            },
        }
        Ok(())
    }
}

fn key_of(node: Node, entries: &[Entry]) -> Result<(String, Place), ConfigError> {
    let Kind::Scalar { text, .. } = node.kind else {
        return Err(refuse(
            node.place,
            "a key must be a text, not a list or a map (braces in a plain value need quotes)",
        ));
    };
    match entries.iter().find(|entry| entry.key == text) {
        Some(first) => {
            Err(refuse(node.place, &format!("key `{text}` is written twice; the first is at {}", first.place)))
        }
        None => Ok((text, node.place)),
    }
}

fn count(node: &Node) -> usize {
    match &node.kind {
        Kind::Scalar { .. } => 1,
        Kind::List(nodes) => nodes.iter().map(count).fold(1, usize::saturating_add),
        Kind::Map(entries) => entries.iter().map(|entry| count(&entry.value)).fold(1, usize::saturating_add),
    }
}

fn refuse(place: Place, detail: &str) -> ConfigError {
    ConfigError::Syntax { place, detail: detail.to_owned() }
}
