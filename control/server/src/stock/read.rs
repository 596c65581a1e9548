//! Reads discovery requests of either variant into the words of the engine.
//!
//! Invariant: a type that is not served is ignored, and the other types of the stream go on.

use outrigger_model::resource::Token;
use outrigger_wire::proto::discovery::{DeltaDiscoveryRequest, DiscoveryRequest, Node};
use outrigger_wire::proto::rpc;
use tonic::Status;

use crate::stock::engine::{Ask, Names};
use crate::stock::kind::Kind;
use crate::stock::topic::Mode;

/// Longest refusal that is kept, in characters.
const REFUSAL_CHARS_MAX: usize = 512;
/// Longest name that a client may ask for: a target of gRPC may be a host with a port.
const NAME_BYTES_MAX: usize = 256;

/// A request of either variant.
pub trait Request: Send + 'static {
    const MODE: Mode;

    fn node(&self) -> Option<&Node>;

    fn type_url(&self) -> &str;

    /// What it holds from an earlier stream, as far as it is of our making.
    fn reported(&self) -> Vec<Token>;

    fn into_parts(self) -> Parts;
}

pub struct Parts {
    names: Names,
    nonce: String,
    error: Option<rpc::Status>,
}

impl Request for DiscoveryRequest {
    const MODE: Mode = Mode::Sotw;

    fn node(&self) -> Option<&Node> {
        self.node.as_ref()
    }

    fn type_url(&self) -> &str {
        &self.type_url
    }

    fn reported(&self) -> Vec<Token> {
        // What was held back is counted behind it.
        let version = self.version_info.split('+').next().unwrap_or_default();
        version.parse().into_iter().collect()
    }

    fn into_parts(self) -> Parts {
        Parts { names: Names::All(self.resource_names), nonce: self.response_nonce, error: self.error_detail }
    }
}

impl Request for DeltaDiscoveryRequest {
    const MODE: Mode = Mode::Delta;

    fn node(&self) -> Option<&Node> {
        self.node.as_ref()
    }

    fn type_url(&self) -> &str {
        &self.type_url
    }

    fn reported(&self) -> Vec<Token> {
        self.initial_resource_versions.values().filter_map(|token| token.parse().ok()).collect()
    }

    fn into_parts(self) -> Parts {
        let held = self.initial_resource_versions.into_iter();
        let names = Names::Change {
            subscribe: self.resource_names_subscribe,
            unsubscribe: self.resource_names_unsubscribe,
            held: held.map(|(name, token)| (name, token.parse::<Token>().ok())).collect(),
        };
        Parts { names, nonce: self.response_nonce, error: self.error_detail }
    }
}

/// None: it asks for a type that is not served.
pub fn ask(request: impl Request) -> Result<Option<Ask>, Status> {
    if request.type_url().is_empty() {
        return Err(Status::invalid_argument(
            "type_url is missing; every request on an aggregated stream names a type",
        ));
    }
    let Some(kind) = Kind::parse(request.type_url()) else { return Ok(None) };
    let Parts { names, nonce, error } = request.into_parts();
    if let Some(name) = long(&names) {
        let start: String = name.chars().take(32).collect();
        return Err(Status::invalid_argument(format!("a name is longer than {NAME_BYTES_MAX} bytes: {start}…")));
    }
    let refusal = error.map(|status| status.message.chars().take(REFUSAL_CHARS_MAX).collect());
    Ok(Some(Ask { kind, names, nonce, refusal }))
}

fn long(names: &Names) -> Option<&String> {
    let is_long = |name: &&String| name.len() > NAME_BYTES_MAX;
    match names {
        Names::All(names) => names.iter().find(is_long),
        Names::Change { subscribe, unsubscribe, held } => {
            subscribe.iter().chain(unsubscribe).chain(held.keys()).find(is_long)
        }
    }
}

#[cfg(test)]
mod tests;
