//! Who watches, what it depends on, in which namespace and how it is labelled: the `node` of its first discovery request.
//!
//! Invariant: labels are taken from our own proxies only; what stock clients have under that name is theirs.

use std::collections::{BTreeMap, BTreeSet};

use outrigger_model::label::Labels;
use outrigger_model::name::{Namespace, NodeId};
use outrigger_model::requirement::Dependency;
use outrigger_model::resource::Token;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};

use crate::error::{DecodeError, Wrong, cut};
use crate::limit::NEEDS_MAX;
use crate::proto::discovery::Node;

/// `node.metadata.view` of who wants nothing but its needs.
const ONLY_NEEDS: &str = "needs";

/// What our proxies call themselves.
pub const PROXY_AGENT: &str = "outrigger-proxy";
/// What watchers that serve nobody call themselves.
pub const OBSERVER_AGENT: &str = "outrigger-watch";

/// What a watcher runs, in its metadata.
const HOLDS: &str = "holds";

/// Longest build text taken from a watcher, in characters.
const BUILD_CHARS_MAX: usize = 64;

/// What a watcher does with snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Serves calls by them: operators want to see it even after it left.
    Proxy,
    /// Only looks; stock clients are taken for this too.
    Observer,
}

/// A watcher of snapshots as it presents itself. Never a ground for permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watcher {
    pub node: NodeId,
    pub role: Role,
    /// Defines its view: a route per dependency.
    pub needs: Vec<Dependency>,
    /// Whose agents its view holds.
    pub namespace: Namespace,
    pub build: String,
    /// By which operators pick it, for a rollout.
    pub labels: Labels,
    /// Whether its view holds what it needs, and nothing beside.
    pub only_needs: bool,
}

impl Role {
    const fn agent(self) -> &'static str {
        match self {
            Self::Proxy => PROXY_AGENT,
            Self::Observer => OBSERVER_AGENT,
        }
    }
}

impl Watcher {
    /// A text that two watchers share exactly if they need the same in the same namespace, in whatever order they say it.
    pub fn view(&self) -> String {
        let needs: BTreeSet<_> = self.needs.iter().map(ToString::to_string).collect();
        // No dependency starts like this; without the line files of before are of the default namespace.
        let namespace = (!self.namespace.is_default()).then(|| format!("@namespace={}", self.namespace));
        let breadth = self.only_needs.then(|| "@view=needs".to_owned());
        namespace.into_iter().chain(breadth).chain(needs).collect::<Vec<_>>().join("\n")
    }
}

pub fn encode(watcher: &Watcher) -> Node {
    let text = |text: String| Value { kind: Some(Kind::StringValue(text)) };
    let needs = watcher.needs.iter().map(|need| text(need.to_string()));
    let needs = Value { kind: Some(Kind::ListValue(ListValue { values: needs.collect() })) };
    let mut fields = BTreeMap::from([("needs".to_owned(), needs)]);
    if watcher.only_needs {
        fields.insert("view".to_owned(), text(ONLY_NEEDS.to_owned()));
    }
    if !watcher.labels.is_empty() {
        let labels = watcher.labels.iter().map(|(name, value)| (name.to_owned(), text(value.to_owned())));
        let labels = Value { kind: Some(Kind::StructValue(Struct { fields: labels.collect() })) };
        fields.insert("labels".to_owned(), labels);
    }
    if !watcher.namespace.is_default() {
        let namespace = Value { kind: Some(Kind::StringValue(watcher.namespace.to_string())) };
        fields.insert("namespace".to_owned(), namespace);
    }
    Node {
        id: watcher.node.to_string(),
        metadata: Some(Struct { fields }),
        user_agent_name: watcher.role.agent().to_owned(),
        user_agent_version: watcher.build.clone(),
        ..Node::default()
    }
}

/// Has a node say which snapshot its watcher runs, by the token of the manifest; none: nothing.
pub fn set_holds(node: &mut Node, token: Option<Token>) {
    let fields = &mut node.metadata.get_or_insert_default().fields;
    match token {
        Some(token) => {
            fields.insert(HOLDS.to_owned(), Value { kind: Some(Kind::StringValue(token.to_string())) });
        }
        None => {
            fields.remove(HOLDS);
        }
    }
}

/// The snapshot that a watcher runs. None too where it is unreadable: it is then sent what is newest, and judges that itself.
pub fn holds(node: &Node) -> Option<Token> {
    match &node.metadata.as_ref()?.fields.get(HOLDS)?.kind {
        Some(Kind::StringValue(text)) => text.parse().ok(),
        _ => None,
    }
}

/// Error paths start at `node`.
pub fn decode(node: &Node) -> Result<Watcher, DecodeError> {
    let read = || {
        let (role, metadata) = match node.user_agent_name.as_str() {
            PROXY_AGENT => (Role::Proxy, node.metadata.as_ref()),
            _ => (Role::Observer, None),
        };
        Ok(Watcher {
            node: NodeId::new(&node.id).map_err(|bad| DecodeError::field("id", bad))?,
            role,
            needs: needs(node.metadata.as_ref()).map_err(|bad| bad.inside("metadata"))?,
            labels: labels(metadata).map_err(|bad| bad.inside("metadata"))?,
            only_needs: only_needs(node.metadata.as_ref()).map_err(|bad| bad.inside("metadata"))?,
            namespace: namespace(node.metadata.as_ref()).map_err(|bad| bad.inside("metadata"))?,
            build: node.user_agent_version.chars().take(BUILD_CHARS_MAX).collect(),
        })
    };
    read().map_err(|bad: DecodeError| bad.inside("node"))
}

fn namespace(metadata: Option<&Struct>) -> Result<Namespace, DecodeError> {
    match metadata.and_then(|metadata| metadata.fields.get("namespace")).map(|value| &value.kind) {
        None | Some(None | Some(Kind::NullValue(_))) => Ok(Namespace::default()),
        Some(Some(Kind::StringValue(text))) => Namespace::new(text).map_err(|bad| DecodeError::field("namespace", bad)),
        Some(Some(_)) => Err(DecodeError::field("namespace", Wrong::NotText)),
    }
}

fn only_needs(metadata: Option<&Struct>) -> Result<bool, DecodeError> {
    match metadata.and_then(|metadata| metadata.fields.get("view")).map(|value| &value.kind) {
        None | Some(None | Some(Kind::NullValue(_))) => Ok(false),
        Some(Some(Kind::StringValue(text))) if text == "all" => Ok(false),
        Some(Some(Kind::StringValue(text))) if text == ONLY_NEEDS => Ok(true),
        Some(Some(Kind::StringValue(text))) => {
            let wrong = Wrong::Other { found: cut(text), expected: ONLY_NEEDS.to_owned() };
            Err(DecodeError::field("view", wrong))
        }
        Some(Some(_)) => Err(DecodeError::field("view", Wrong::NotText)),
    }
}

fn needs(metadata: Option<&Struct>) -> Result<Vec<Dependency>, DecodeError> {
    let list = match metadata.and_then(|metadata| metadata.fields.get("needs")).map(|value| &value.kind) {
        None | Some(None | Some(Kind::NullValue(_))) => return Ok(Vec::new()),
        Some(Some(Kind::ListValue(list))) => &list.values,
        Some(Some(_)) => return Err(DecodeError::field("needs", Wrong::NotList)),
    };
    if list.len() > NEEDS_MAX {
        return Err(DecodeError::field("needs", Wrong::Many { count: list.len(), max: NEEDS_MAX }));
    }
    let needs = list.iter().enumerate().map(|(at, value)| match &value.kind {
        Some(Kind::StringValue(text)) => text
            .parse()
            .map_err(|bad: outrigger_model::requirement::BadRequirement| DecodeError::item("needs", at, bad)),
        _ => Err(DecodeError::item("needs", at, Wrong::NotText)),
    });
    needs.collect()
}

fn labels(metadata: Option<&Struct>) -> Result<Labels, DecodeError> {
    let fields = match metadata.and_then(|metadata| metadata.fields.get("labels")).map(|value| &value.kind) {
        None | Some(None | Some(Kind::NullValue(_))) => return Ok(Labels::default()),
        Some(Some(Kind::StructValue(labels))) => &labels.fields,
        Some(Some(_)) => return Err(DecodeError::field("labels", Wrong::NotMap)),
    };
    let pairs = fields.iter().map(|(name, value)| match &value.kind {
        Some(Kind::StringValue(text)) => Ok((name, text)),
        _ => Err(DecodeError::field("labels", Wrong::NotText)),
    });
    let pairs = pairs.collect::<Result<Vec<_>, _>>()?;
    Labels::parse(pairs).map_err(|bad| DecodeError::field("labels", bad))
}

#[cfg(test)]
mod tests;
